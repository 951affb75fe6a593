//! Numbers of bytes as people read them.

/// Formats a number of bytes with a decimal unit: `512 bytes`, `1.5 kB`, `190.3 MB`, `2.1 GB`.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_fits_the_number() {
        assert_eq!([0, 1_500, 12_345_678, 2 << 30].map(bytes), ["0 bytes", "1.5 kB", "12.3 MB", "2.1 GB"]);
    }
}
