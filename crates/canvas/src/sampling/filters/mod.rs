//! The stages that act on window pixels after sampling.

mod blur;
mod brightness;
mod channels;
mod colour;
mod contrast;
mod erase;
mod hue;
mod noise;
mod pixelate;
mod quantise;
mod saturation;
mod sharpen;

use self::blur::Blur;
use self::brightness::Brightness;
use self::channels::Channels;
use self::colour::Colour;
use self::contrast::Contrast;
use self::erase::Erase;
use self::hue::hue;
use self::noise::Noise;
use self::pixelate::Pixelate;
use self::quantise::Quantise;
use self::saturation::saturation;
use self::sharpen::Sharpen;
use super::geometry::uniform;
use crate::chance::Draws;
use crate::plan::{StageKind, Time};

/// One filter with its random numbers drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Blur(Blur),
    Noise(Noise),
    Colour(Colour),
    Brightness(Brightness),
    Contrast(Contrast),
    /// Saturation and hue.
    Channels(Channels),
    Sharpen(Sharpen),
    Erase(Erase),
    Pixelate(Pixelate),
    Quantise(Quantise),
}

impl Filter {
    /// Draws the filter of an active stage. Returns `None` for a geometric stage, and if the drawn value does nothing.
    pub fn draw(kind: &StageKind, side: u32, draws: Draws, time: &Time) -> Option<Filter> {
        let value = |range, index| uniform(range, draws, index, time);
        let amount = |range| Some(value(range, 1)).filter(|amount| *amount > 0.0);
        let factor = |range| Some(value(range, 1)).filter(|factor| *factor != 1.0);
        match kind {
            StageKind::Blur(range) => Blur::new(amount(range)?, side).map(Filter::Blur),
            StageKind::Noise(range) => Some(Filter::Noise(Noise::new(amount(range)?, draws.bits(2)))),
            StageKind::Colour(range) => Some(Filter::Colour(Colour::draw(amount(range)?, draws))),
            StageKind::Brightness(range) => Some(Filter::Brightness(Brightness::new(factor(range)?))),
            StageKind::Contrast(range) => Some(Filter::Contrast(Contrast::new(factor(range)?))),
            StageKind::Saturation(range) => Some(Filter::Channels(saturation(factor(range)?))),
            StageKind::Hue(range) => {
                Some(value(range, 1)).filter(|degrees| *degrees != 0.0).map(|degrees| Filter::Channels(hue(degrees)))
            }
            StageKind::Sharpen(range) => Sharpen::new(amount(range)?, side).map(Filter::Sharpen),
            StageKind::Erase(range) => Erase::draw([value(range, 1), value(range, 2)], side, draws).map(Filter::Erase),
            StageKind::Pixelate(range) => Pixelate::new(value(range, 1)).map(Filter::Pixelate),
            StageKind::Quantise(range) => Some(Filter::Quantise(Quantise::new(value(range, 1)))),
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
            Filter::Brightness(brightness) => brightness.apply(window),
            Filter::Contrast(contrast) => contrast.apply(window, side),
            Filter::Channels(channels) => channels.apply(window, side),
            Filter::Sharpen(sharpen) => sharpen.apply(window, side, scratch),
            Filter::Erase(erase) => erase.apply(window, side),
            Filter::Pixelate(pixelate) => pixelate.apply(window, side),
            Filter::Quantise(quantise) => quantise.apply(window),
        }
    }

    /// Maps the gradient `[3, S, S]` after the filter to the one before it, in place. Noise and colour offsets are constants;
    /// rounding counts as if it were not there.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.adjoint(gradient, side, scratch),
            Filter::Noise(_) | Filter::Quantise(_) => {}
            Filter::Colour(colour) => colour.adjoint(gradient),
            Filter::Brightness(brightness) => brightness.adjoint(gradient),
            Filter::Contrast(contrast) => contrast.adjoint(gradient, side),
            Filter::Channels(channels) => channels.adjoint(gradient, side),
            Filter::Sharpen(sharpen) => sharpen.adjoint(gradient, side, scratch),
            Filter::Erase(erase) => erase.adjoint(gradient, side),
            Filter::Pixelate(pixelate) => pixelate.adjoint(gradient, side),
        }
    }
}
