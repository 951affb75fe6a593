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
use crate::spans::Spans;

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
    #[inline(always)]
    pub fn apply(self, parameters: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32]) {
        match self {
            Update::Adam(update) => update.apply(parameters, gradient, mean, square),
            Update::Sgd(update) => update.apply(parameters, gradient, mean),
            Update::Rmsprop(update) => update.apply(parameters, gradient, mean, square),
            Update::Sign(update) => update.apply(parameters, gradient, mean),
        }
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
#[inline(always)]
pub(super) fn decay(parameters: &mut [f32], left: f32, ground: f32) {
    parameters.iter_mut().for_each(|p| *p = ground + left * (*p - ground));
}

/// A part of a row within one chunk of the whole planes `[N, H, W]`.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// Where it begins in the whole planes.
    whole: usize,
    /// Where it begins in the part's.
    part: usize,
    length: usize,
}

/// Returns the sum of squares of a part's planes `[N, A]`: that of the whole planes, to the bit, if the rest of them is 0. It is added in
/// the same order whatever the number of threads and the part: chunk by chunk of the whole.
pub(super) fn sum_of_squares(spans: &Spans, values: &[f32]) -> f64 {
    let (width, height, area) = (spans.width(), spans.height(), spans.area());
    let mut stretches = Vec::new();
    for plane in 0..values.len().checked_div(area).unwrap_or(0) {
        for island in spans.islands() {
            let first = island.rect.columns.start;
            for y in island.rect.rows.clone() {
                let (mut whole, mut part) = ((plane * height + y) * width + first, plane * area + island.at(first, y));
                let end = whole + island.stride();
                while whole < end {
                    let length = (whole / CHUNK + 1) * CHUNK;
                    let length = length.min(end) - whole;
                    stretches.push(Stretch { whole, part, length });
                    (whole, part) = (whole + length, part + length);
                }
            }
        }
    }
    stretches.sort_unstable_by_key(|stretch| stretch.whole);
    let chunks: Vec<&[Stretch]> = stretches.chunk_by(|a, b| a.whole / CHUNK == b.whole / CHUNK).collect();
    let of_chunk = |chunk: &&[Stretch]| {
        let values = chunk.iter().flat_map(|stretch| &values[stretch.part..][..stretch.length]);
        values.fold(0.0, |sum, value| sum + square(*value))
    };
    let parts: Vec<f64> = chunks.par_iter().map(of_chunk).collect();
    parts.into_iter().sum()
}

fn square(value: f32) -> f64 {
    f64::from(value) * f64::from(value)
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
            update.apply(&mut parameter, &[gradient as f32], &mut moments.mean, &mut moments.square);
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
                let (later, now) = (Update::new(&optimiser, 1.0, age).times(0.02), Update::new(&optimiser, 0.02, age));
                now.apply(&mut one, &gradient, &mut first.mean, &mut first.square);
                later.apply(&mut other, &gradient, &mut second.mean, &mut second.square);
            }
            assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6), "{optimiser:?} {one:?} {other:?}");
            assert_eq!(of_kind(kind(&optimiser)).map(|other| kind(&other)), Some(kind(&optimiser)));
        }
    }

    #[test]
    fn sums_are_the_same_on_any_number_of_threads() {
        let (values, whole) = (crate::canvas::tests::random(99_900, 3), Spans::whole(333, 100));
        let sum = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| sum_of_squares(&whole, &values))
        };
        assert!(sum(1) == sum(3));
        assert!((sum(2) / crate::canvas::tests::dot(&values, &values) - 1.0).abs() < 1e-12);
    }
}
