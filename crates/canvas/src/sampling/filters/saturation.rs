//! Saturation: every pixel's distance from the grey of its own luma, times one factor.

use super::channels::Channels;

/// The shares of red, green and blue in a pixel's luma (ITU-R BT.601).
pub(super) const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// Returns y = l + factor (x - l), where l is the pixel's luma: 1 for the window as it is, 0 for grey.
pub fn saturation(factor: f64) -> Channels {
    Channels([0, 1, 2].map(|i| [0, 1, 2].map(|j| (1.0 - factor) * LUMA[j] + if i == j { factor } else { 0.0 })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_grey_of_the_same_luma() {
        let mut pixel = [0.9, 0.2, 0.4];
        saturation(0.0).apply(&mut pixel, 1);
        let luma = 0.9 * 0.299 + 0.2 * 0.587 + 0.4 * 0.114;
        assert!(pixel.iter().all(|x| (x - luma).abs() < 1e-6), "{pixel:?}");
        let mut pixel = [0.9, 0.2, 0.4];
        saturation(2.0).apply(&mut pixel, 1);
        assert!((pixel[0] - (2.0 * 0.9 - luma)).abs() < 1e-6);
    }
}
