//! The stages that act on window pixels after sampling.

mod blur;
mod colour;
mod noise;

use self::blur::Blur;
use self::colour::Colour;
use self::noise::Noise;
use super::geometry::uniform;
use crate::chance::Draws;
use crate::plan::{StageKind, Time};

/// One filter with its random numbers drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Blur(Blur),
    Noise(Noise),
    Colour(Colour),
}

impl Filter {
    /// Draws the filter of an active stage. Returns `None` for a geometric stage, and if the drawn value does nothing.
    pub fn draw(kind: &StageKind, side: u32, draws: Draws, time: &Time) -> Option<Filter> {
        let amount = |range| Some(uniform(range, draws, 1, time)).filter(|amount| *amount > 0.0);
        match kind {
            StageKind::Blur(range) => Blur::new(amount(range)?, side).map(Filter::Blur),
            StageKind::Noise(range) => Some(Filter::Noise(Noise::new(amount(range)?, draws.bits(2)))),
            StageKind::Colour(range) => Some(Filter::Colour(Colour::draw(amount(range)?, draws))),
            StageKind::Zoom(_)
            | StageKind::Cover(_)
            | StageKind::Shift(_)
            | StageKind::Rotate(_)
            | StageKind::Perspective(_)
            | StageKind::Flip(_) => None,
        }
    }

    /// Filters a window `[3, S, S]` in place; `scratch` has the length of one channel.
    pub fn apply(&self, window: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.apply(window, side, scratch),
            Filter::Noise(noise) => noise.apply(window),
            Filter::Colour(colour) => colour.apply(window, side),
        }
    }

    /// Maps the gradient `[3, S, S]` after the filter to the one before it, in place. Noise and colour offsets are constants.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.adjoint(gradient, side, scratch),
            Filter::Noise(_) => {}
            Filter::Colour(colour) => colour.adjoint(gradient),
        }
    }
}
