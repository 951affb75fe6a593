//! Limits on values.

/// y = x between two limits, and the nearer limit elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamp {
    low: f32,
    high: f32,
}

impl Clamp {
    /// Creates limits.
    pub fn new(low: f64, high: f64) -> Clamp {
        Clamp { low: low as f32, high: high as f32 }
    }

    pub fn apply(&self, window: &mut [f32]) {
        for value in window {
            // Not `clamp`, which panics if the limits have crossed.
            *value = value.max(self.low).min(self.high);
        }
    }

    /// Multiplies the gradient by the derivative at `input`, what the filter was given: 0 beyond the limits.
    pub fn derivative(&self, input: &[f32], gradient: &mut [f32]) {
        for (gradient, x) in gradient.iter_mut().zip(input) {
            if *x < self.low || *x > self.high {
                *gradient = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_within_the_limits_and_only_those_learn() {
        let input = [-0.5, 0.0, 0.25, 0.75, 1.5];
        let (mut values, mut gradient) = (input, [1.0; 5]);
        let clamp = Clamp::new(0.0, 0.75);
        clamp.apply(&mut values);
        clamp.derivative(&input, &mut gradient);
        assert_eq!(values, [0.0, 0.0, 0.25, 0.75, 0.75]);
        assert_eq!(gradient, [0.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
