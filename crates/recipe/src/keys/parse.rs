//! Reads values that are written as text by themselves: on the command line, or where a recipe has them in the wrong form.

use toml::de::DeValue;

use crate::keys::{SEEDS, SIDES, STEPS};
use crate::plan::Size;

/// Reads a size as given on the command line: `WIDTHxHEIGHT`, each from 16 to 65536 pixels.
pub fn parse_size(text: &str) -> Result<Size, String> {
    let sides: Option<Vec<u32>> = text.trim().split(['x', 'X', '×']).map(|side| side.trim().parse().ok()).collect();
    match sides.as_deref() {
        Some(&[width, height]) => checked_size(Size { width, height }),
        _ => Err("a size is written WIDTHxHEIGHT, for example 1024x768".into()),
    }
}

/// Reads a seed as recipes do: a whole number from 0 to 18446744073709551615, in any form of TOML (`1_000`, `0xff`).
pub fn parse_seed(text: &str) -> Result<u64, String> {
    parse_whole(text, SEEDS)
}

/// Reads the steps of a whole run, as for `steps` of `[render]`.
pub fn parse_steps(text: &str) -> Result<u64, String> {
    parse_whole(text, STEPS)
}

fn parse_whole(text: &str, (low, high): (u64, u64)) -> Result<u64, String> {
    let number = DeValue::parse(text.trim()).ok().and_then(|node| match node.get_ref() {
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    });
    let number = number.and_then(|number| u64::try_from(number).ok()).filter(|number| (low..=high).contains(number));
    number.ok_or_else(|| format!("expected a whole number from {low} to {high}"))
}

/// Returns a size if a canvas can have it.
pub(crate) fn checked_size(size: Size) -> Result<Size, String> {
    let possible = |side: u32| (SIDES.0..=SIDES.1).contains(&u64::from(side));
    if possible(size.width) && possible(size.height) {
        Ok(size)
    } else {
        Err(format!("{}x{} is out of range: a side has {} to {} pixels", size.width, size.height, SIDES.0, SIDES.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_bounded() {
        assert_eq!(parse_size("640x480"), Ok(Size { width: 640, height: 480 }));
        for wrong in ["640", "640x", "x", "15x100", "100x70000", "-1x5", "1x2x3", ""] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }

    /// The command line's tests cover how a recipe's reader treats the same texts.
    #[test]
    fn whole_numbers_are_those_of_recipes() {
        for (text, seed) in
            [("0", 0), (" 4 ", 4), ("1_000", 1000), ("0xff", 255), ("+7", 7), ("18446744073709551615", u64::MAX)]
        {
            assert_eq!(parse_seed(text), Ok(seed), "{text}");
        }
        for wrong in ["", "-1", "1.5", "4.0", "1e3", "007", "18446744073709551616", "x", "\"4\"", "[4]", "nan"] {
            let message = parse_seed(wrong).expect_err(wrong);
            assert_eq!(message, "expected a whole number from 0 to 18446744073709551615");
        }
        assert!(parse_steps("0").is_err() && parse_steps("10_000_001").is_err());
        assert_eq!(parse_steps("10_000_000"), Ok(10_000_000));
    }
}
