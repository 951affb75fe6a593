//! `sgd`: gradient descent, with momentum.
//!
//! v = momentum v + g, p = p - rate v; with `nesterov` p = p - rate (g + momentum v). (Sutskever, Martens, Dahl and Hinton, "On
//! the importance of initialization and momentum in deep learning", 2013, in the form used by today's libraries.) Steps are
//! proportional to the gradient, with momentum up to 1 / (1 - momentum) times longer.

/// The constants of one update; v is stored as the mean.
#[derive(Debug, Clone, Copy)]
pub(in crate::canvas) struct Update {
    momentum: f32,
    nesterov: bool,
    rate: f32,
}

impl Update {
    pub fn new(momentum: f64, nesterov: bool, rate: f64) -> Update {
        Update { momentum: momentum as f32, nesterov, rate: rate as f32 }
    }

    pub fn times(self, rate: f64) -> Update {
        Update { rate: (f64::from(self.rate) * rate) as f32, ..self }
    }

    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        for ((p, g), v) in parameters.iter_mut().zip(gradient).zip(velocity) {
            *v = self.momentum * *v + g;
            *p -= self.rate * if self.nesterov { g + self.momentum * *v } else { *v };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::follows;
    use crate::plan::Optimiser;

    #[test]
    fn follows_its_formula() {
        follows(&Optimiser::Sgd { momentum: 0.0, nesterov: false }, |p, g, rate, _| p - rate * g);
        for nesterov in [false, true] {
            let mut v = 0.0;
            follows(&Optimiser::Sgd { momentum: 0.7, nesterov }, |p, g, rate, _| {
                v = 0.7 * v + g;
                p - rate * if nesterov { g + 0.7 * v } else { v }
            });
        }
    }
}
