//! `rmsprop`: steps over the root of the mean square.
//!
//! v = keep v + (1 - keep) g^2, b = momentum b + g / (sqrt(v / (1 - keep^age)) + epsilon), p = p - rate b. (Tieleman and Hinton,
//! "Lecture 6.5: rmsprop", 2012.) The division by 1 - keep^age is Adam's: without it the first step would be 1 / sqrt(1 - keep)
//! times too long.

/// The constants of one update of parameters with the same age; b is stored as the mean.
#[derive(Debug, Clone, Copy)]
pub(in crate::canvas) struct Update {
    keep: f32,
    epsilon: f32,
    momentum: f32,
    rate: f32,
    /// 1 / (1 - keep^age).
    unbias: f32,
}

impl Update {
    pub fn new(keep: f64, epsilon: f64, momentum: f64, rate: f64, age: u64) -> Update {
        Update {
            keep: keep as f32,
            epsilon: (epsilon as f32).max(f32::MIN_POSITIVE),
            momentum: momentum as f32,
            rate: rate as f32,
            unbias: (1.0 / (1.0 - keep.powf(age.max(1) as f64))) as f32,
        }
    }

    pub fn times(self, rate: f64) -> Update {
        Update { rate: (f64::from(self.rate) * rate) as f32, ..self }
    }

    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], velocity: &mut [f32], square: &mut [f32]) {
        for (((p, g), b), v) in parameters.iter_mut().zip(gradient).zip(velocity).zip(square) {
            *v = self.keep * *v + (1.0 - self.keep) * g * g;
            *b = self.momentum * *b + g / ((self.unbias * *v).sqrt() + self.epsilon);
            *p -= self.rate * *b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::follows;
    use crate::plan::Optimiser;

    #[test]
    fn follows_its_formula() {
        for momentum in [0.0, 0.6] {
            let (mut v, mut b) = (0.0f64, 0.0f64);
            follows(&Optimiser::Rmsprop { keep: 0.9, epsilon: 1e-6, momentum }, |p, g, rate, age| {
                v = 0.9 * v + 0.1 * g * g;
                b = momentum * b + g / ((v / (1.0 - 0.9f64.powi(age))).sqrt() + 1e-6);
                p - rate * b
            });
        }
    }
}
