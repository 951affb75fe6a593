//! The stages that act in window pixels after the view is sampled.

mod blur;
mod colour;
mod noise;

use self::blur::Blur;
use self::colour::Colour;
use self::noise::Noise;
use super::geometry::uniform;
use crate::chance::Draws;
use crate::plan::{StageKind, Time};

/// One filter with its numbers drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Blur(Blur),
    Noise(Noise),
    Colour(Colour),
}

impl Filter {
    /// The filter of a stage that acts, or `None` for a geometric stage and where the drawn value does nothing.
    pub fn draw(kind: &StageKind, side: u32, draws: Draws, time: &Time) -> Option<Filter> {
        let amount = |range| Some(uniform(range, draws, 1, time)).filter(|amount| *amount > 0.0);
        match kind {
            StageKind::Blur(range) => Blur::new(amount(range)?, side).map(Filter::Blur),
            StageKind::Noise(range) => Some(Filter::Noise(Noise::new(amount(range)?, draws.bits(2)))),
            StageKind::Colour(range) => Some(Filter::Colour(Colour::draw(amount(range)?, draws))),
            _ => None,
        }
    }

    /// Filters a window `[3, S, S]` in place; `scratch` is of one channel's length.
    pub fn apply(&self, window: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.apply(window, side, scratch),
            Filter::Noise(noise) => noise.apply(window),
            Filter::Colour(colour) => colour.apply(window, side),
        }
    }

    /// Takes the gradient `[3, S, S]` after the filter to the one before it, in place. Noise and colour offsets are
    /// constants.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.adjoint(gradient, side, scratch),
            Filter::Noise(_) => {}
            Filter::Colour(colour) => colour.adjoint(gradient),
        }
    }
}
