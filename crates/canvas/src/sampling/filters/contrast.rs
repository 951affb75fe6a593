//! Contrast: every value's distance from the window's mean luma, times one factor.

use super::saturation::LUMA;

/// y = m + factor (x - m), where m is the mean luma of the window, so a window of one grey stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    factor: f32,
}

impl Contrast {
    /// Creates a contrast with a factor, 1 for the window as it is, 0 for a flat grey.
    pub fn new(factor: f64) -> Contrast {
        Contrast { factor: factor as f32 }
    }

    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        let area = side * side;
        let planes = window.chunks_exact(area).zip(LUMA);
        let mean = planes.map(|(plane, share)| share * sum(plane)).sum::<f64>() / area as f64;
        let kept = ((1.0 - f64::from(self.factor)) * mean) as f32;
        for value in window {
            *value = self.factor * *value + kept;
        }
    }

    /// Applies the adjoint in place: the mean is linear in the window, so its share of the gradient goes back to all pixels.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize) {
        let area = side * side;
        let whole = (1.0 - f64::from(self.factor)) * sum(gradient) / area as f64;
        for (plane, share) in gradient.chunks_exact_mut(area).zip(LUMA) {
            let kept = (share * whole) as f32;
            for value in plane {
                *value = self.factor * *value + kept;
            }
        }
    }
}

/// Sums in double precision, because a window has tens of thousands of values.
fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_and_no_contrast_is_flat() {
        let side = 6;
        let mut grey = vec![0.3f32; 108];
        Contrast::new(2.5).apply(&mut grey, side);
        assert!(grey.iter().all(|x| (x - 0.3).abs() < 1e-6));

        let mut window: Vec<f32> = (0..108).map(|i| (i % 7) as f32 / 7.0).collect();
        let before = window.clone();
        Contrast::new(2.0).apply(&mut window, side);
        assert!((window[5] - window[2] - 2.0 * (before[5] - before[2])).abs() < 1e-6);
        Contrast::new(0.0).apply(&mut window, side);
        assert!(window.iter().all(|x| (x - window[0]).abs() < 1e-6));
    }
}
