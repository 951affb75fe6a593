//! The unsharp mask: what a blur would take away is added once more.

use super::blur::Blur;

/// The blur's deviation in window pixels: that of the finest things a window shows.
const DEVIATION: f64 = 1.0;

/// y = x + amount (x - blur(x)).
#[derive(Debug, Clone, PartialEq)]
pub struct Sharpen {
    amount: f32,
    blur: Blur,
}

impl Sharpen {
    /// Creates the mask for windows of a side.
    pub fn new(amount: f64, side: u32) -> Option<Sharpen> {
        Some(Sharpen { amount: amount as f32, blur: Blur::new(DEVIATION, side)? })
    }

    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        self.add(window, side, |plane| self.blur.apply(plane, side, scratch));
    }

    /// Applies the adjoint in place: the same with the blur's adjoint.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        self.add(gradient, side, |plane| self.blur.adjoint(plane, side, scratch));
    }

    fn add(&self, values: &mut [f32], side: usize, mut blur: impl FnMut(&mut [f32])) {
        for plane in values.chunks_exact_mut(side * side) {
            let mut blurred = plane.to_vec();
            blur(&mut blurred);
            for (value, blurred) in plane.iter_mut().zip(&blurred) {
                *value += self.amount * (*value - blurred);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_gets_steeper_and_flat_grounds_stay() {
        let side = 16;
        let mut window: Vec<f32> = (0..3 * 256).map(|i| if i % side < 8 { 0.25 } else { 0.75 }).collect();
        Sharpen::new(1.0, side as u32).unwrap().apply(&mut window, side, &mut Vec::new());
        let row = &window[5 * side..6 * side];
        assert!((row[1] - 0.25).abs() < 1e-6 && (row[14] - 0.75).abs() < 1e-6, "{row:?}");
        assert!(row[7] < 0.15 && row[8] > 0.85, "{row:?}");
    }
}
