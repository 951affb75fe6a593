//! Phases: how long, by which optimiser, at which size, for which targets.

use super::{Schedule, Size, Time};

/// A stretch of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// The name from the recipe, or `phase 1` by position; with `(2)` behind it for a second pass.
    pub name: String,
    /// At least 1.
    pub steps: u32,
    pub optimiser: Optimiser,
    /// The optimiser's rate.
    pub rate: Schedule,
    /// What is done to the gradient of the parameters before the optimiser sees it.
    pub gradient: Gradient,
    /// The side of the canvas that is optimised, as a fraction of the plan's size, above 0 and at most 1.
    pub resolution: Schedule,
    /// Low-pass on the picture, cycles per shorter canvas side; `None` shows everything.
    pub finest: Option<Schedule>,
    /// A weight for each of [`Plan::targets`](super::Plan::targets); 0 makes a target inactive (its windows are then not
    /// looked at).
    pub weights: Vec<Schedule>,
    /// When the phase ends before its steps are done.
    pub patience: Option<Patience>,
}

/// A resolution that changes over time takes multiples of one over this, so that the canvas is not cut anew at every step.
const RESOLUTIONS: f64 = 16.0;
/// No side is optimised at fewer pixels, where the plan has as many.
const LEAST_SIDE: u32 = 16;

impl Phase {
    /// The size at which a canvas of a full size is optimised at a moment.
    ///
    /// A resolution that stays the same is taken as it is; one that changes is rounded to the nearest sixteenth, and so
    /// changes the size at most 16 times on its way from 0 to 1. Sides are rounded to whole pixels, at least 16 where the
    /// full size has as many.
    pub fn canvas_size(&self, full: Size, time: &Time) -> Size {
        let resolution = match self.resolution.constant() {
            Some(constant) => constant,
            None => (self.resolution.at(time) * RESOLUTIONS).round().max(1.0) / RESOLUTIONS,
        };
        let side = |full: u32| ((f64::from(full) * resolution).round() as u32).max(LEAST_SIDE).min(full);
        Size { width: side(full.width), height: side(full.height) }
    }
}

/// How parameters follow their gradient. `beta1`, `beta2`, `keep` and `momentum` are from 0 to below 1, `epsilon` is positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// `beta1` and `beta2`: how much of the mean gradient and of the mean squared gradient is kept a step; `epsilon` is added
    /// to the mean square's root.
    Adam { beta1: f64, beta2: f64, epsilon: f64 },
    /// Adam; each step also brings a parameter nearer to the canvas's ground by rate times `decay` of the distance.
    AdamW { beta1: f64, beta2: f64, epsilon: f64, decay: f64 },
    /// Gradient descent with momentum, Nesterov's if `nesterov`.
    Sgd { momentum: f64, nesterov: bool },
    /// `keep`: how much of the mean squared gradient is kept a step.
    Rmsprop { keep: f64, epsilon: f64, momentum: f64 },
    /// Steps of one length by the mean gradient's sign. `momentum`: how much of it is kept a step.
    Sign { momentum: f64 },
}

impl Optimiser {
    /// Adam with a memory that suits a goal that every step sees through other windows; for gradients of any size.
    pub const ADAM: Optimiser = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
    /// The same for gradients that are normalised: what is small beside the others hardly moves.
    pub const ADAM_OF_NORMALISED: Optimiser = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1.0 };

    /// One of each kind, for tests of all.
    #[cfg(test)]
    pub fn examples() -> [Optimiser; 7] {
        let (beta1, beta2, epsilon) = (0.9, 0.99, 1e-8);
        [
            Optimiser::ADAM,
            Optimiser::AdamW { beta1, beta2, epsilon, decay: 0.3 },
            Optimiser::Sgd { momentum: 0.0, nesterov: false },
            Optimiser::Sgd { momentum: 0.9, nesterov: true },
            Optimiser::Rmsprop { keep: 0.9, epsilon, momentum: 0.0 },
            Optimiser::Rmsprop { keep: 0.9, epsilon, momentum: 0.5 },
            Optimiser::Sign { momentum: 0.9 },
        ]
    }
}

/// What is done to the gradient of the parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Gradient {
    /// Nothing.
    Plain,
    /// It is divided by its root mean square over the parameters that are moved.
    Normalise,
    /// One whose norm, the root of its sum of squares, is greater is scaled down to this.
    Clip(Schedule),
}

/// When a phase ends early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// So many steps without a target whose smoothed similarity rose; at least 1.
    pub steps: u32,
    /// By so much it has to rise above its highest value so far.
    pub gain: f64,
}

impl Patience {
    /// The same in a phase of `after` steps instead of `before`: as long in proportion, at least one step.
    pub fn scaled(self, before: u32, after: u32) -> Self {
        let steps = u64::from(self.steps) * u64::from(after) / u64::from(before.max(1));
        Patience { steps: u32::try_from(steps).unwrap_or(u32::MAX).max(1), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Ease, Key};

    #[test]
    fn a_shorter_phase_is_as_much_less_patient() {
        let patience = Patience { steps: 60, gain: 0.0 };
        let scaled = [(300, 300), (300, 75), (300, 1)].map(|(before, after)| patience.scaled(before, after).steps);
        assert_eq!(scaled, [60, 15, 1]);
    }

    fn phase(resolution: Schedule) -> Phase {
        Phase {
            name: String::new(),
            steps: 100,
            optimiser: Optimiser::ADAM,
            rate: 0.1.into(),
            gradient: Gradient::Plain,
            resolution,
            finest: None,
            weights: Vec::new(),
            patience: None,
        }
    }

    #[test]
    fn a_resolution_that_stays_is_taken_as_it_is() {
        let size = |resolution: f64, width, height| {
            let size = phase(resolution.into()).canvas_size(Size { width, height }, &Time::new(0, 1, 0, 1));
            (size.width, size.height)
        };
        assert_eq!(size(1.0, 513, 77), (513, 77));
        assert_eq!(size(0.25, 512, 384), (128, 96));
        assert_eq!(size(0.3, 100, 100), (30, 30));
        assert_eq!(size(0.01, 512, 100), (16, 16));
        assert_eq!(size(0.01, 20_000, 16), (200, 16));
    }

    #[test]
    fn one_that_changes_does_so_in_sixteenths() {
        let keys = [(0.0, 0.1), (1.0, 1.0)].map(|(t, value)| Key { t, value }).to_vec();
        let phase = phase(Schedule::Keys { keys, ease: Ease::Linear });
        let full = Size { width: 256, height: 256 };
        let mut widths: Vec<u32> =
            (0..100).map(|step| phase.canvas_size(full, &Time::new(step, 100, 0, 100)).width).collect();
        assert_eq!((widths[0], widths[99]), (32, 256));
        assert!(widths.is_sorted() && widths.iter().all(|width| width % 16 == 0));
        widths.dedup();
        assert_eq!(widths.len(), 15);
    }
}
