//! What a render reports to its observers, and what it returns in the end.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::{Past, Rises, Standing, State, StepViews, Tally};
use crate::{
    canvas::Canvas,
    picture::{Picture, rgb8},
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

    /// Gives the picture's rows to `sink`, as [`Rendered::rows`] does.
    ///
    /// # Errors
    /// The first of `sink`.
    pub fn rows(&mut self, sink: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.canvas.bands(self.finest, |band| sink(&rgb8(band)))
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
#[derive(Debug)]
pub struct Rendered {
    pub(super) finished: Finished,
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

impl Rendered {
    /// The picture's size.
    pub fn size(&self) -> Size {
        self.finished.size
    }

    /// The picture. It is made from the canvas each time.
    pub fn picture(&self) -> Picture {
        let Finished { size, finest, .. } = self.finished;
        Picture { size, pixels: self.finished.with(|canvas| canvas.picture(finest)) }
    }

    /// Gives the picture's rows to `sink`, from top to bottom and several at a time, as interleaved 8-bit RGB: the bytes of
    /// [`Picture::to_rgb8`]. With the bases `pixels` and `pyramid` this takes little memory, however large the picture is.
    ///
    /// # Errors
    /// The first of `sink`.
    pub fn rows(&self, sink: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let finest = self.finished.finest;
        self.finished.with(|canvas| canvas.bands(finest, |band| sink(&rgb8(band))))
    }
}

/// The canvas that a render ended with.
pub(super) struct Finished {
    /// Decoding it writes to its scratch memory.
    canvas: Mutex<Canvas>,
    finest: Option<f64>,
    size: Size,
}

impl Finished {
    pub fn new(canvas: Canvas, finest: Option<f64>, size: Size) -> Finished {
        Finished { canvas: Mutex::new(canvas), finest, size }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Canvas) -> T) -> T {
        look(&mut self.canvas.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Finished {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Finished").field("finest", &self.finest).field("size", &self.size).finish_non_exhaustive()
    }
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
