//! How parameters follow their gradient: one file per optimiser.
//!
//! All share one memory, a mean and a square for each parameter, of which each uses what it needs. The memory is kept when
//! constants or the rate change; another kind of optimiser starts with an empty one.
//!
//! | file | optimisers |
//! | --- | --- |
//! | `adam` | `adam`, and `adamw` with its weight decay |
//! | `sgd` | gradient descent, with momentum |
//! | `rmsprop` | steps over the root of the mean square |
//! | `sign` | steps of one length |

mod adam;
mod rmsprop;
mod sgd;
mod sign;

use rayon::prelude::*;

use crate::plan::{Optimiser, OptimiserKind};

/// Parameters that one thread updates at a time.
const CHUNK: usize = 1 << 14;

/// The constants of one update of parameters with the same age.
#[derive(Debug, Clone, Copy)]
pub(super) enum Update {
    Adam(adam::Update),
    Sgd(sgd::Update),
    Rmsprop(rmsprop::Update),
    Sign(sign::Update),
}

/// The optimiser's memory: running means of the gradient and of its square, or the equivalent of the optimiser.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub mean: Vec<f32>,
    pub square: Vec<f32>,
}

impl Moments {
    pub fn new(count: usize) -> Moments {
        Moments { mean: vec![0.0; count], square: vec![0.0; count] }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.mean.fill(0.0);
        self.square.fill(0.0);
    }
}

/// Returns the name of an optimiser's kind of memory; optimisers with compatible memories share a name.
pub(super) fn kind(optimiser: &Optimiser) -> &'static str {
    match optimiser {
        Optimiser::Adam { .. } | Optimiser::AdamW { .. } => OptimiserKind::Adam.name(),
        Optimiser::Sgd { .. } | Optimiser::Rmsprop { .. } | Optimiser::Sign { .. } => optimiser.name(),
    }
}

/// Returns an optimiser of a kind.
pub(super) fn of_kind(name: &str) -> Option<Optimiser> {
    let all = [
        Optimiser::ADAM,
        Optimiser::Sgd { momentum: 0.0, nesterov: false },
        Optimiser::Rmsprop { keep: 0.0, epsilon: 1e-8, momentum: 0.0 },
        Optimiser::Sign { momentum: 0.0 },
    ];
    all.into_iter().find(|optimiser| kind(optimiser) == name)
}

impl Update {
    /// Creates the update number `age` of its parameters at a rate, 1 being the first.
    pub fn new(optimiser: &Optimiser, rate: f64, age: u64) -> Update {
        match *optimiser {
            Optimiser::Adam { beta1, beta2, epsilon } | Optimiser::AdamW { beta1, beta2, epsilon, .. } => {
                Update::Adam(adam::Update::new(beta1, beta2, epsilon, rate, age))
            }
            Optimiser::Sgd { momentum, nesterov } => Update::Sgd(sgd::Update::new(momentum, nesterov, rate)),
            Optimiser::Rmsprop { keep, epsilon, momentum } => {
                Update::Rmsprop(rmsprop::Update::new(keep, epsilon, momentum, rate, age))
            }
            Optimiser::Sign { momentum } => Update::Sign(sign::Update::new(momentum, rate)),
        }
    }

    /// Returns the update with its rate multiplied.
    pub fn times(self, rate: f64) -> Update {
        match self {
            Update::Adam(update) => Update::Adam(update.times(rate)),
            Update::Sgd(update) => Update::Sgd(update.times(rate)),
            Update::Rmsprop(update) => Update::Rmsprop(update.times(rate)),
            Update::Sign(update) => Update::Sign(update.times(rate)),
        }
    }

    /// Updates parameters of the same age from their gradient.
    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32]) {
        match self {
            Update::Adam(update) => update.apply(parameters, gradient, mean, square),
            Update::Sgd(update) => update.apply(parameters, gradient, mean),
            Update::Rmsprop(update) => update.apply(parameters, gradient, mean, square),
            Update::Sign(update) => update.apply(parameters, gradient, mean),
        }
    }

    /// Updates on all threads, then passes each parameter through `project`.
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

/// Returns the fraction of a parameter's distance from its ground that remains after weight decay at this rate; `None` without
/// decay.
pub(super) fn decayed(optimiser: &Optimiser, rate: f64) -> Option<f32> {
    match optimiser {
        Optimiser::AdamW { decay, .. } if *decay > 0.0 => Some((1.0 - rate * decay).max(0.0) as f32),
        _ => None,
    }
}

/// Moves parameters towards their ground: p = ground + left (p - ground).
pub(super) fn decay(parameters: &mut [f32], left: f32, ground: f32) {
    parameters
        .par_chunks_mut(CHUNK)
        .for_each(|chunk| chunk.iter_mut().for_each(|p| *p = ground + left * (*p - ground)));
}

/// Returns the sum of squares, added in the same order whatever the number of threads.
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    let squares = |chunk: &[f32]| chunk.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>();
    let parts: Vec<f64> = values.par_chunks(CHUNK).map(squares).collect();
    parts.into_iter().sum()
}

/// Multiplies all values by a factor.
pub(super) fn scale(values: &mut [f32], factor: f32) {
    values.par_chunks_mut(CHUNK).for_each(|chunk| chunk.iter_mut().for_each(|value| *value *= factor));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Gradients that rise, fall, vanish and change sign.
    pub const GRADIENTS: [f64; 7] = [0.3, -0.1, 0.02, 0.0, 0.4, -2.0, 0.05];

    /// Runs an optimiser over the gradients at a varying rate, and compares it with a straightforward formula in f64 that gives
    /// the parameter after step `age`.
    pub fn follows(optimiser: &Optimiser, mut formula: impl FnMut(f64, f64, f64, i32) -> f64) {
        let mut parameter = [1.0f32];
        let mut exact = 1.0;
        let mut moments = Moments::new(1);
        for (age, gradient) in (1..).zip(GRADIENTS) {
            let rate = 0.1 / f64::from(age);
            exact = formula(exact, gradient, rate, age);
            let update = Update::new(optimiser, rate, age as u64);
            if let Some(left) = decayed(optimiser, rate) {
                decay(&mut parameter, left, 0.25);
            }
            update.apply_all(&mut parameter, &[gradient as f32], &mut moments, |p| p);
            assert!((f64::from(parameter[0]) - exact).abs() < 2e-6, "{optimiser:?} {age}: {} {exact}", parameter[0]);
        }
    }

    #[test]
    fn a_rate_given_later_is_the_rate() {
        for optimiser in crate::canvas::tests::every_optimiser() {
            let (mut one, mut other) = ([0.5f32; 3], [0.5f32; 3]);
            let (mut first, mut second) = (Moments::new(3), Moments::new(3));
            for age in 1..5 {
                let gradient = [0.1 * age as f32, -0.3, 0.0];
                Update::new(&optimiser, 0.02, age).apply_all(&mut one, &gradient, &mut first, |p| p);
                Update::new(&optimiser, 1.0, age).times(0.02).apply_all(&mut other, &gradient, &mut second, |p| p);
            }
            assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6), "{optimiser:?} {one:?} {other:?}");
            assert_eq!(of_kind(kind(&optimiser)).map(|other| kind(&other)), Some(kind(&optimiser)));
        }
    }

    #[test]
    fn sums_are_the_same_on_any_number_of_threads() {
        let values = crate::canvas::tests::random(100_000, 3);
        let sum = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum_of_squares(&values))
        };
        assert!(sum(1) == sum(3));
        assert!((sum(2) / crate::canvas::tests::dot(&values, &values) - 1.0).abs() < 1e-12);
    }
}
