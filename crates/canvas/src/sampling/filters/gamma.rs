//! Gamma: every value to a power.

/// Below this, a value's power is replaced by a straight line to 0: powers have no finite slope there, and none at all below 0.
const LEAST: f32 = 1.0 / 256.0;

/// y = x^exponent; below 1/256, y = x (1/256)^(exponent - 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    exponent: f32,
    /// The slope of the straight line.
    slope: f32,
}

impl Gamma {
    /// Creates a power; an exponent of 1 leaves the window as it is, a greater one is darker. `None` if it does nothing.
    pub fn new(exponent: f64) -> Option<Gamma> {
        // What a recipe can ask for, with room.
        let exponent = exponent.clamp(0.01, 100.0) as f32;
        (exponent != 1.0).then(|| Gamma { exponent, slope: LEAST.powf(exponent - 1.0) })
    }

    pub fn apply(&self, window: &mut [f32]) {
        for x in window {
            *x *= if *x > LEAST { x.powf(self.exponent - 1.0) } else { self.slope };
        }
    }

    /// Multiplies the gradient by the derivative at `input`, what the filter was given.
    pub fn derivative(&self, input: &[f32], gradient: &mut [f32]) {
        for (gradient, x) in gradient.iter_mut().zip(input) {
            *gradient *= if *x > LEAST { self.exponent * x.powf(self.exponent - 1.0) } else { self.slope };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_continuous_down_to_black_and_below() {
        let gamma = Gamma::new(0.5).unwrap();
        let mut values = [0.25, 1.0, 0.0, LEAST, LEAST * 1.000_1, -LEAST];
        gamma.apply(&mut values);
        assert_eq!(values[..3], [0.5, 1.0, 0.0]);
        assert!((values[3] - values[4]).abs() < 1e-4, "{values:?}");
        assert_eq!(values[5], -values[3]);
        assert_eq!(Gamma::new(1.0), None);
    }
}
