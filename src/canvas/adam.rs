//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015).

use rayon::prelude::*;

/// Parameters that one thread updates at a time.
const CHUNK: usize = 1 << 14;

/// The optimiser's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// How much of the mean gradient is kept a step, 0..1.
    pub beta1: f64,
    /// How much of the mean squared gradient is kept a step, 0..1.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub epsilon: f64,
}

impl Default for Adam {
    /// A short memory suits a goal that every step sees through other windows.
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }
    }
}

/// Constants of one update of parameters of one age.
#[derive(Debug, Clone, Copy)]
pub(super) struct Update {
    beta1: f32,
    beta2: f32,
    /// rate / (1 - beta1^age).
    rate: f32,
    /// 1 / (1 - beta2^age).
    unbias: f32,
    epsilon: f32,
}

/// Running means of the gradient and of its square.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub mean: Vec<f32>,
    pub square: Vec<f32>,
}

impl Moments {
    pub fn new(count: usize) -> Moments {
        Moments { mean: vec![0.0; count], square: vec![0.0; count] }
    }
}

impl Adam {
    /// The update for parameters that are moved for the `age`-th time, 1 the first.
    pub(super) fn update(&self, rate: f64, age: u64) -> Update {
        let unbias = |beta: f64| 1.0 / (1.0 - beta.powf(age.max(1) as f64));
        Update {
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            rate: (rate * unbias(self.beta1)) as f32,
            unbias: unbias(self.beta2) as f32,
            epsilon: self.epsilon as f32,
        }
    }
}

impl Update {
    /// The same with its rate multiplied.
    pub fn times(self, rate: f64) -> Update {
        Update { rate: (f64::from(self.rate) * rate) as f32, ..self }
    }

    /// Moves parameters of one age against their gradient.
    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32]) {
        for (((p, g), m), v) in parameters.iter_mut().zip(gradient).zip(mean).zip(square) {
            *m = self.beta1 * *m + (1.0 - self.beta1) * g;
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *p -= self.rate * *m / ((self.unbias * *v).sqrt() + self.epsilon);
        }
    }

    /// The same on all threads, each parameter then passed through `project`.
    pub fn apply_all(
        self,
        parameters: &mut [f32],
        gradient: &[f32],
        moments: &mut Moments,
        project: impl Fn(f32) -> f32 + Sync,
    ) {
        parameters
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(moments.mean.par_chunks_mut(CHUNK).zip(moments.square.par_chunks_mut(CHUNK)))
            .for_each(|((parameters, gradient), (mean, square))| {
                self.apply(parameters, gradient, mean, square);
                for p in parameters {
                    *p = project(*p);
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_paper() {
        let adam = Adam { beta1: 0.8, beta2: 0.95, epsilon: 1e-6 };
        let gradients = [0.3, -0.1, 0.02, 0.4];
        let (mut m, mut v, mut p) = (0.0f64, 0.0f64, 1.0f64);
        let mut moments = Moments::new(1);
        let mut parameter = [1.0f32];
        for (t, g) in (1..).zip(gradients) {
            m = 0.8 * m + 0.2 * g;
            v = 0.95 * v + 0.05 * g * g;
            p -= 0.1 * (m / (1.0 - 0.8f64.powi(t))) / ((v / (1.0 - 0.95f64.powi(t))).sqrt() + 1e-6);
            adam.update(0.1, t as u64).apply_all(&mut parameter, &[g as f32], &mut moments, |p| p);
            assert!((f64::from(parameter[0]) - p).abs() < 1e-6, "{t}: {} {p}", parameter[0]);
        }
    }

    #[test]
    fn the_first_step_is_the_rate_whatever_the_gradient() {
        for (gradient, beta1) in [(1e-3f32, 0.9), (5.0, 0.9), (-2.0, 0.0)] {
            let mut parameter = [0.0f32];
            let adam = Adam { beta1, ..Adam::default() };
            adam.update(0.05, 1).apply_all(&mut parameter, &[gradient], &mut Moments::new(1), |p| p);
            assert!((parameter[0] + 0.05 * gradient.signum()).abs() < 1e-5, "{}", parameter[0]);
        }
    }
}
