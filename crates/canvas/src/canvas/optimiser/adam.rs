//! `adam` and `adamw`.
//!
//! m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
//! p = p - rate (m / (1 - beta1^age)) / (sqrt(v / (1 - beta2^age)) + epsilon)
//! (Kingma and Ba, "Adam: a method for stochastic optimization", 2015). `adamw` also moves p towards its ground by
//! rate decay times the distance (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, where the ground is 0).

/// The constants of one update of parameters with the same age.
#[derive(Debug, Clone, Copy)]
pub(in crate::canvas) struct Update {
    beta1: f32,
    beta2: f32,
    /// rate / (1 - beta1^age).
    rate: f32,
    /// 1 / (1 - beta2^age).
    unbias: f32,
    epsilon: f32,
}

impl Update {
    /// Creates the update number `age` of its parameters, 1 being the first.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64, rate: f64, age: u64) -> Update {
        let unbias = |beta: f64| 1.0 / (1.0 - beta.powf(age.max(1) as f64));
        Update {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rate: (rate * unbias(beta1)) as f32,
            unbias: unbias(beta2) as f32,
            epsilon: (epsilon as f32).max(f32::MIN_POSITIVE),
        }
    }

    pub fn times(self, rate: f64) -> Update {
        Update { rate: (f64::from(self.rate) * rate) as f32, ..self }
    }

    #[inline(always)]
    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32]) {
        for (((p, g), m), v) in parameters.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = self.beta1 * *m + (1.0 - self.beta1) * g;
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *p -= self.rate * *m / ((self.unbias * *v).sqrt() + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Update;
    use super::super::tests::follows;
    use crate::plan::Optimiser;

    #[test]
    fn follows_the_papers() {
        let (mut m, mut v) = (0.0f64, 0.0f64);
        let mut step = |g: f64, rate: f64, t: i32| {
            m = 0.8 * m + 0.2 * g;
            v = 0.95 * v + 0.05 * g * g;
            rate * (m / (1.0 - 0.8f64.powi(t))) / ((v / (1.0 - 0.95f64.powi(t))).sqrt() + 1e-6)
        };
        let (beta1, beta2, epsilon) = (0.8, 0.95, 1e-6);
        follows(&Optimiser::Adam { beta1, beta2, epsilon }, |p, g, rate, t| p - step(g, rate, t));
        let (mut m, mut v) = (0.0f64, 0.0f64);
        follows(&Optimiser::AdamW { beta1, beta2, epsilon, decay: 0.5 }, |p, g, rate, t| {
            m = 0.8 * m + 0.2 * g;
            v = 0.95 * v + 0.05 * g * g;
            let step = rate * (m / (1.0 - 0.8f64.powi(t))) / ((v / (1.0 - 0.95f64.powi(t))).sqrt() + 1e-6);
            p - step - rate * 0.5 * (p - 0.25)
        });
    }

    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient() {
        for (gradient, beta1) in [(1e-3f32, 0.9), (5.0, 0.9), (-2.0, 0.0)] {
            let mut parameter = [0.0f32];
            let adam = Optimiser::Adam { beta1, beta2: 0.99, epsilon: 1e-8 };
            Update::new(&adam, 0.05, 1).apply(&mut parameter, &[gradient], &mut [0.0], &mut [0.0]);
            assert!((parameter[0] + 0.05 * gradient.signum()).abs() < 1e-5, "{}", parameter[0]);
        }
    }
}
