//! Values rounded to a few levels.

/// y = round(x (n - 1)) / (n - 1), n the number of levels between 0 and 1, both included.
///
/// The true derivative is 0 wherever there is one, so nothing could be learnt through it. The gradient goes back as if the
/// stage were not there: the straight-through estimator (Bengio, Léonard, Courville: "Estimating or propagating gradients
/// through stochastic neurons for conditional computation", 2013).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantise {
    steps: f32,
}

impl Quantise {
    /// Creates a rounding to a number of levels, itself rounded to a whole number, 2 at least.
    pub fn new(levels: f64) -> Quantise {
        Quantise { steps: (levels.round() - 1.0).max(1.0) as f32 }
    }

    pub fn apply(&self, window: &mut [f32]) {
        for value in window {
            *value = (*value * self.steps).round() / self.steps;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_to_the_nearest_level() {
        let mut values = [0.0, 0.2, 0.3, 0.6, 0.8, 1.0];
        Quantise::new(3.2).apply(&mut values);
        assert_eq!(values, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
    }
}
