//! What a render reports to its observers, and what it returns in the end.

use super::{Past, Rises, Standing, State, StepViews, Tally};
use crate::{
    canvas::Canvas,
    picture::Picture,
    plan::{Phase, Size},
};

/// Whether to go on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    Continue,
    /// End the render; the picture so far is its result.
    Stop,
}

/// An observer of a render.
pub trait Observer {
    /// Called after every step.
    fn step(&mut self, progress: &mut Progress<'_>) -> Control;

    /// Called when the encoder was cancelled within a step. That step does not count: `_progress` describes the step before.
    /// Not called if no step came before. The render then ends.
    fn cancelled(&mut self, _progress: &mut Progress<'_>) {}
}

/// A closure that is called after every step.
impl<F: FnMut(&mut Progress<'_>) -> Control> Observer for F {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        self(progress)
    }
}

/// The state of a render after a step.
pub struct Progress<'a> {
    /// The step's position in the plan, from 1: a phase that ended early still counts with all its steps.
    pub step: u64,
    /// Steps done; less than `step` if a phase ended early.
    pub done: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The phase's position, from 0.
    pub phase: usize,
    pub phase_name: &'a str,
    /// Steps done of this phase, from 1.
    pub phase_step: u64,
    pub phase_steps: u64,
    /// The size that the canvas is optimised at in this step.
    pub canvas_size: Size,
    /// Windows looked at so far; a view that is both scored and trained counts once.
    pub views: u64,
    /// Places so far.
    pub places: u64,
    /// Mean similarity of the winning prompts in this step, by the active targets' names.
    pub similarities: &'a [(String, f32)],
    pub tally: &'a Tally,
    /// Seconds since the first step began.
    pub seconds: f64,
    /// What the step looked at.
    pub seen: StepViews<'a>,
    pub(super) canvas: &'a mut Canvas,
    pub(super) finest: Option<f64>,
    pub(super) size: Size,
    pub(super) phase_over: bool,
    pub(super) rises: Option<&'a Rises>,
    pub(super) pasts: &'a [Past],
    pub(super) next_phase: Option<&'a Phase>,
}

impl Progress<'_> {
    /// The picture as it is now, at the plan's size. Computed only when asked for.
    pub fn picture(&mut self) -> Picture {
        Picture { size: self.size, pixels: self.canvas.picture(self.finest) }
    }

    /// Borrows everything that later steps depend on: see [`resume`](super::resume).
    pub fn state(&mut self) -> State<'_> {
        let standing = Standing {
            phase: self.phase,
            phase_step: self.phase_step,
            phase_over: self.ends_phase(),
            steps: self.done,
            views: self.views,
            places: self.places,
            won: self.tally.entries.iter().map(|entry| entry.won).collect(),
            means: self.tally.directions.iter().map(|entry| entry.mean).collect(),
            pasts: self.pasts.to_vec(),
            rises: self.rises.cloned(),
        };
        State { standing, canvas: self.canvas.state() }
    }

    /// Whether this step was the last of its phase, planned or not.
    pub fn ends_phase(&self) -> bool {
        self.phase_over
    }

    /// Whether this step was the last of the run.
    pub fn ends_run(&self) -> bool {
        self.ends_phase() && self.next_phase.is_none()
    }
}

/// The result of a render.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub picture: Picture,
    pub tally: Tally,
    /// Steps done.
    pub steps: u64,
    /// The last step's position in the plan, as [`Progress::step`].
    pub position: u64,
    /// Steps saved because their phase ended early.
    pub spared: u64,
    /// Windows looked at.
    pub views: u64,
    /// Whether the observer stopped it before its end.
    pub stopped: bool,
    pub seconds: Seconds,
}

/// Wall-clock seconds of a render's parts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seconds {
    /// Decoding the canvas and gathering the windows.
    pub gather: f64,
    /// Scores and window gradients.
    pub encode: f64,
    /// Scattering window gradients back onto the canvas.
    pub scatter: f64,
    /// From pixel gradients to the next parameters.
    pub optimize: f64,
}
