//! Numbers in messages.

/// Formats a value with at most six decimals, without trailing zeros.
pub(crate) fn short(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 && value != 0.0 { format!("{value:e}") } else { rounded.to_string() }
}

/// Returns a number written with a decimal comma with a point instead.
pub(crate) fn with_point(text: &str) -> Option<String> {
    let (whole, fraction) = text.trim().split_once(',')?;
    let digits = |part: &str| !part.is_empty() && part.len() <= 20 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, unsigned) = whole.strip_prefix('-').map_or(("", whole), |unsigned| ("-", unsigned));
    (digits(unsigned) && digits(fraction)).then(|| format!("{sign}{unsigned}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_shortly() {
        assert_eq!([short(0.1 + 0.2), short(-3.0), short(1e-9), short(0.0)], ["0.3", "-3", "1e-9", "0"]);
    }
}
