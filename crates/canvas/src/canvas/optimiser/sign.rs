//! `sign`: steps of one length, in the direction of the mean gradient's sign.
//!
//! m = momentum m + (1 - momentum) g, p = p - rate sign(m), where the sign of 0 is 0. (Bernstein, Wang, Azizzadenesheli and
//! Anandkumar, "signSGD: compressed optimisation for non-convex problems", 2018, where it is called Signum.)

/// Constants of one update.
#[derive(Debug, Clone, Copy)]
pub(in crate::canvas) struct Update {
    momentum: f32,
    rate: f32,
}

impl Update {
    pub fn new(momentum: f64, rate: f64) -> Update {
        Update { momentum: momentum as f32, rate: rate as f32 }
    }

    pub fn times(self, rate: f64) -> Update {
        Update { rate: (f64::from(self.rate) * rate) as f32, ..self }
    }

    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], mean: &mut [f32]) {
        for ((p, g), m) in parameters.iter_mut().zip(gradient).zip(mean) {
            *m = self.momentum * *m + (1.0 - self.momentum) * g;
            // `signum` would turn 0 into 1.
            let sign = f32::from(i8::from(*m > 0.0) - i8::from(*m < 0.0));
            *p -= self.rate * sign;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::follows;
    use crate::plan::Optimiser;

    #[test]
    fn follows_its_formula() {
        for momentum in [0.0, 0.8] {
            let mut m = 0.0f64;
            follows(&Optimiser::Sign { momentum }, |p, g, rate, _| {
                m = momentum * m + (1.0 - momentum) * g;
                p - rate * if m == 0.0 { 0.0 } else { m.signum() }
            });
        }
    }
}
