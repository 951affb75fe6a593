//! `--set PATH=VALUES`: parses the list of values that a path takes.

/// The most values of one list or range.
const MOST: usize = 1000;

/// The most digits of a number in a range, before the point (the length of the largest seed) and after it. 128 bits hold both.
const MOST_DIGITS: (usize, usize) = (20, 17);

/// Returns the values that a text lists, separated by commas. A comma in brackets, braces, parentheses or quotes separates
/// nothing. A whole-number range (`1..8`, both ends included) or a stepped one (`0.1..0.5:0.1`) stands for the values in it.
///
/// # Errors
/// A sentence about what is wrong with the text.
pub(super) fn values(text: &str) -> Result<Vec<String>, String> {
    let mut values = Vec::new();
    for item in items(text)? {
        if item.is_empty() {
            return Err("a value is missing: values are written with commas between them, as in 0.03,0.05".into());
        }
        match range(item) {
            Some(range) => values.extend(range?),
            None => values.push(item.to_owned()),
        }
        if values.len() > MOST {
            return Err(format!("these are more than {MOST} values"));
        }
    }
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            return Err(format!("{value} occurs twice"));
        }
    }
    Ok(values)
}

/// Returns the values of a text that was split at a comma followed by a blank, if some of them are unquoted texts: the user may
/// have meant a comma within one text.
pub(super) fn split_text(text: &str) -> Option<Vec<&str>> {
    let items = items(text).ok().filter(|items| items.len() > 1)?;
    let begins = |item: &&str| item.as_ptr() as usize - text.as_ptr() as usize;
    let is_text = |item: &&str| {
        let plain = item.starts_with(|c: char| c.is_alphabetic()) && !item.contains(['(', '*', '=']);
        plain && !["true", "false", "inf", "nan"].contains(item)
    };
    let apart = items.windows(2).any(|pair| {
        let blank = text[..begins(&pair[1])].ends_with(char::is_whitespace);
        blank && pair.iter().any(is_text)
    });
    apart.then_some(items)
}

/// Splits a text at the commas that separate values.
fn items(text: &str) -> Result<Vec<&str>, String> {
    let mut items = Vec::new();
    let mut start = 0;
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if let Some(mark) = quote {
            // In TOML a backslash between single quotes is literal.
            let closes = c == mark && !escaped;
            escaped = c == '\\' && mark == '"' && !escaped;
            if closes {
                quote = None;
            }
            continue;
        }
        match c {
            // An apostrophe within a word is not a quote.
            '"' | '\'' if text[start..at].trim_end().is_empty() || !open.is_empty() => quote = Some(c),
            '[' => open.push(']'),
            '{' => open.push('}'),
            '(' => open.push(')'),
            ']' | '}' | ')' if open.last() == Some(&c) => {
                open.pop();
            }
            ']' | '}' | ')' => return Err(format!("{c} closes nothing")),
            ',' if open.is_empty() => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(mark) = quote.or(open.pop()) {
        return Err(format!("{mark} is missing at the end"));
    }
    items.push(text[start..].trim());
    Ok(items)
}

/// Returns the values of a range, or none if the text is not a range.
fn range(text: &str) -> Option<Result<Vec<String>, String>> {
    let (first, rest) = text.split_once("..")?;
    let (last, step) = match rest.split_once(':') {
        Some((last, step)) => (last, Some(step)),
        None => (rest, None),
    };
    // Without numbers on both sides of the dots the text is not a range.
    let (first, last) = (Decimal::of(first)?, Decimal::of(last)?);
    let step = match step {
        Some(step) => Decimal::of(step)?,
        None if first.digits == 0 && last.digits == 0 => Decimal { value: 1, digits: 0 },
        None => return Some(Err(format!("{text} needs a step, as in {text}:0.1"))),
    };
    Some(spread(text, first, last, step))
}

fn spread(text: &str, first: Decimal, last: Decimal, step: Decimal) -> Result<Vec<String>, String> {
    let digits = first.digits.max(last.digits).max(step.digits);
    let [first, last, step] = [first, last, step].map(|number| number.scaled(digits));
    if step <= 0 {
        return Err(format!("{text}: the step must be greater than 0; write a falling range from its higher end"));
    }
    let count = (last - first).abs() / step + 1;
    let most = i128::try_from(MOST).unwrap_or(i128::MAX);
    if count > most {
        return Err(format!("{text}: these are {count} values, more than {MOST}"));
    }
    let step = if last < first { -step } else { step };
    Ok((0..count).map(|index| Decimal { value: first + index * step, digits }.written()).collect())
}

/// An exact decimal number: 0.1 plus two steps of 0.1 is 0.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    /// In units of the last digit after the point.
    value: i128,
    /// The number of digits after the point.
    digits: u32,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, number) = match text.strip_prefix('-') {
            Some(number) => (-1, number),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        // As in TOML, underscores are single and stand between digits.
        let sound = |text: &str| !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
        if !sound(whole) || !sound(part) {
            return None;
        }
        let (whole, part) = (whole.replace('_', ""), part.replace('_', ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let sane =
            !whole.is_empty() && whole.len() <= MOST_DIGITS.0 && part.len() <= MOST_DIGITS.1 && !number.ends_with('.');
        if !sane || !all_digits(&whole) || !all_digits(&part) {
            return None;
        }
        let value: i128 = format!("{whole}{part}").parse().ok()?;
        Some(Decimal { value: sign * value, digits: u32::try_from(part.len()).ok()? })
    }

    fn scaled(self, digits: u32) -> i128 {
        self.value * 10i128.pow(digits.saturating_sub(self.digits))
    }

    /// Formats the number without trailing zeros after the point.
    fn written(self) -> String {
        let unit = 10i128.pow(self.digits);
        let sign = if self.value < 0 { "-" } else { "" };
        let (whole, part) = (self.value.abs() / unit, self.value.abs() % unit);
        let part = format!("{part:0width$}", width = self.digits as usize);
        match part.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            part => format!("{sign}{whole}.{part}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges() {
        for (text, listed) in [
            ("0.03,0.05", &["0.03", "0.05"][..]),
            (" a castle , 'one, two' ", &["a castle", "'one, two'"]),
            ("1..4", &["1", "2", "3", "4"]),
            ("3..1", &["3", "2", "1"]),
            ("0.1..0.5:0.1", &["0.1", "0.2", "0.3", "0.4", "0.5"]),
            ("0..1:0.3", &["0", "0.3", "0.6", "0.9"]),
            ("-1..1:1,7", &["-1", "0", "1", "7"]),
            ("0.05..-0.05:0.05", &["0.05", "0", "-0.05"]),
            ("\"0.05 * (1 - t)\",lerp(0.05, 0.01, t)", &["\"0.05 * (1 - t)\"", "lerp(0.05, 0.01, t)"]),
            ("[0.2, 0.6],{ keys = [[0, 1], [1, 0]] }", &["[0.2, 0.6]", "{ keys = [[0, 1], [1, 0]] }"]),
            ("'a,b', \"c\\\",d\"", &["'a,b'", "\"c\\\",d\""]),
            ("the sea's edge,the sky", &["the sea's edge", "the sky"]),
            ("[\"x,]\", 'y']", &["[\"x,]\", 'y']"]),
            ("a..b,1...3", &["a..b", "1...3"]),
            ("7", &["7"]),
            (
                "18446744073709551613..18446744073709551615",
                &["18446744073709551613", "18446744073709551614", "18446744073709551615"],
            ),
            ("1_000..1_002", &["1000", "1001", "1002"]),
            ("1_..3,_1..3,1__0..12", &["1_..3", "_1..3", "1__0..12"]),
        ] {
            assert_eq!(values(text).unwrap(), listed, "{text}");
        }
    }

    #[test]
    fn a_comma_within_a_text_is_noticed() {
        assert_eq!(split_text("a castle, at dusk"), Some(vec!["a castle", "at dusk"]));
        assert_eq!(split_text("7, at dusk"), Some(vec!["7", "at dusk"]));
        for text in [
            "a castle,at dusk",
            "\"a castle, at dusk\"",
            "1, 2",
            "fourier",
            "'a, b', 'c'",
            "lerp(0.05, 0.01, t)",
            "0.1*t, 0.2*t",
        ] {
            assert_eq!(split_text(text), None, "{text}");
        }
        assert_eq!(values("\"a castle, at dusk\"").unwrap(), ["\"a castle, at dusk\""]);
    }

    #[test]
    fn mistakes_are_said() {
        for (text, words) in [
            ("", "missing"),
            ("1,", "missing"),
            ("1,,2", "missing"),
            ("[1, 2", "] is missing"),
            ("1),2", ") closes nothing"),
            ("'a, b", "' is missing"),
            ("0.1..0.5", "needs a step, as in 0.1..0.5:0.1"),
            ("1..5:0", "greater than 0"),
            ("1..5:-1", "greater than 0"),
            ("0..1:0.0001", "10001 values"),
            ("1..100000000000000000", "more than 1000"),
            ("1,2,1", "1 occurs twice"),
            ("1..3,2", "2 occurs twice"),
        ] {
            let message = values(text).expect_err(text);
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in ".*") {
            let _ = values(&text);
        }

        #[test]
        fn decimals_come_back(value in -1_000_000i64..1_000_000, digits in 0u32..6) {
            let decimal = Decimal { value: value.into(), digits };
            let read = Decimal::of(&decimal.written()).unwrap();
            proptest::prop_assert_eq!(read.scaled(6), decimal.scaled(6));
        }
    }
}
