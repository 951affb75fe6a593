//! Phases: their steps, optimiser, resolution and target weights.

use super::words::kinds;
use super::{Schedule, Size, Time};

/// A part of the run, in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// The name from the recipe, or `phase 1` by position; a second pass has `(2)` appended.
    pub name: String,
    /// At least 1.
    pub steps: u32,
    pub optimiser: Optimiser,
    /// The optimiser's rate.
    pub rate: Schedule,
    /// How the gradient of the parameters is treated before the optimiser sees it.
    pub gradient: Gradient,
    /// The size of the canvas that is optimised, as a fraction of the plan's sides, above 0 and at most 1.
    pub resolution: Schedule,
    /// Low-pass on the picture, cycles per shorter canvas side; `None`: no low-pass.
    pub finest: Option<Schedule>,
    /// A weight for each of [`Plan::targets`](super::Plan::targets); 0 makes a target inactive, and its windows are then not evaluated.
    pub weights: Vec<Schedule>,
    /// When the phase ends early, before its steps are done.
    pub patience: Option<Patience>,
}

/// A resolution that changes over time takes multiples of one over this, so the canvas is not resized at every step.
const RESOLUTIONS: f64 = 16.0;
/// The minimum side that is optimised, unless the plan's own side is smaller.
const LEAST_SIDE: u32 = 16;

impl Phase {
    /// Returns the size at which a canvas of size `full` is optimised at a moment.
    ///
    /// A constant resolution is used exactly. One that changes is rounded to the nearest sixteenth, so the size changes at most 16 times
    /// on its way from 0 to 1. Sides are rounded to whole pixels, at least 16 if the full size has as many.
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
    /// `beta1` and `beta2`: the fraction of the mean gradient and of the mean squared gradient that is kept per step; `epsilon` is added
    /// to the root of the mean square.
    Adam { beta1: f64, beta2: f64, epsilon: f64 },
    /// Adam with decay: each step also moves a parameter towards the canvas's ground by rate times `decay` of the distance.
    AdamW { beta1: f64, beta2: f64, epsilon: f64, decay: f64 },
    /// Gradient descent with momentum, or Nesterov's momentum if `nesterov`.
    Sgd { momentum: f64, nesterov: bool },
    /// `keep`: the fraction of the mean squared gradient that is kept per step.
    Rmsprop { keep: f64, epsilon: f64, momentum: f64 },
    /// Steps of fixed length in the direction of the mean gradient's sign. `momentum`: the fraction of the mean that is kept per step.
    Sign { momentum: f64 },
}

kinds! {
    /// The optimisers by their words.
    OptimiserKind of Optimiser { Adam: "adam", AdamW: "adamw", Sgd: "sgd", Rmsprop: "rmsprop", Sign: "sign" }
}

impl Optimiser {
    /// Adam with a memory that suits an objective seen through other windows at every step; for gradients of any size.
    pub const ADAM: Optimiser = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
    /// The same for normalised gradients: parameters with a comparatively small gradient hardly move.
    pub const ADAM_OF_NORMALISED: Optimiser = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1.0 };
}

/// How the gradient of the parameters is treated.
#[derive(Debug, Clone, PartialEq)]
pub enum Gradient {
    /// It is unchanged.
    Plain,
    /// It is divided by its root mean square over the parameters that are optimised.
    Normalise,
    /// If its norm, the root of its sum of squares, exceeds this, it is scaled down to this.
    Clip(Schedule),
}

kinds! {
    /// The treatments of a gradient by their words.
    GradientKind of Gradient { Plain: "plain", Normalise: "normalise", Clip: "clip" }
}

/// When a phase ends early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// The phase ends after this many steps in which no target's smoothed similarity has risen; at least 1.
    pub steps: u32,
    /// The amount by which a similarity must exceed its highest value so far to count as risen.
    pub gain: f64,
}

impl Patience {
    /// Returns the same patience for a phase of `after` steps instead of `before`: scaled in proportion, at least one step.
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
