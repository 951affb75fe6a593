//! The maximum size of a store.

/// The environment variable that sets the limit, see [`parse_bytes`].
pub const LIMIT_VARIABLE: &str = "RECIPE_RENDER_STORE_LIMIT";

/// The default limit in bytes: 2 GiB.
pub const DEFAULT_LIMIT: u64 = 2 << 30;

/// Parses a number of bytes: `500MB`, `2GiB`, `0`. The default unit is bytes.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    // The cast saturates.
    number.parse::<f64>().ok().map(|number| (number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("0"), Some(0));
        assert_eq!(parse_bytes("2GiB"), Some(DEFAULT_LIMIT));
        assert_eq!(parse_bytes(" 1.5 MB "), Some(1_500_000));
        assert_eq!(parse_bytes("10k"), Some(10_240));
        for wrong in ["", "GB", "-1", "1 furlong", "1.2.3", "nan"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }
}
