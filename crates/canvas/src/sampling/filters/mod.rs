//! The stages that act on window pixels after sampling.

mod blur;
mod brightness;
mod channels;
mod clamp;
mod colour;
mod contrast;
mod edges;
mod erase;
mod gamma;
mod hue;
mod noise;
mod pixelate;
mod quantise;
mod saturation;
mod sharpen;
mod spectrum;

use self::blur::Blur;
use self::brightness::Brightness;
use self::channels::Channels;
use self::clamp::Clamp;
use self::colour::Colour;
use self::contrast::Contrast;
use self::edges::Edges;
use self::erase::Erase;
use self::gamma::Gamma;
use self::hue::hue;
use self::noise::Noise;
use self::pixelate::Pixelate;
use self::quantise::Quantise;
use self::saturation::saturation;
use self::sharpen::Sharpen;
use self::spectrum::Grained;
use super::geometry::{log_uniform, uniform};
use crate::chance::Draws;
use crate::plan::{Range, Spectrum, StageKind, Time};

/// One filter with its random numbers drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Blur(Blur),
    /// White noise.
    Noise(Noise),
    /// Noise of other spectra.
    Grained(Grained),
    Colour(Colour),
    Brightness(Brightness),
    Contrast(Contrast),
    /// Saturation and hue.
    Channels(Channels),
    Sharpen(Sharpen),
    Erase(Erase),
    Pixelate(Pixelate),
    Quantise(Quantise),
    Gamma(Gamma),
    Edges(Edges),
    Clamp(Clamp),
}

impl Filter {
    /// Draws the filter of an active stage. Returns `None` for a geometric stage, and if the drawn value does nothing.
    pub fn draw(kind: &StageKind, side: u32, draws: Draws, time: &Time) -> Option<Filter> {
        let value = |range, index| uniform(range, draws, index, time);
        let amount = |range| Some(value(range, 1)).filter(|amount| *amount > 0.0);
        let factor = |range| Some(value(range, 1)).filter(|factor| *factor != 1.0);
        match kind {
            StageKind::Blur(range) => Blur::new(amount(range)?, side).map(Filter::Blur),
            StageKind::Noise(range, spectrum) => {
                let (deviation, key) = (amount(range)?, draws.bits(2));
                Some(match spectrum {
                    Spectrum::White => Filter::Noise(Noise::new(deviation, key)),
                    Spectrum::Pink => Filter::Grained(Grained::octaves(deviation, 1.0, side, key)),
                    Spectrum::Brown => Filter::Grained(Grained::octaves(deviation, 2.0, side, key)),
                    Spectrum::Coarse(grain) => Filter::Grained(Grained::coarse(deviation, grain.at(time), key)),
                })
            }
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
            StageKind::Gamma(range) => Gamma::new(log_uniform(range, draws, time)).map(Filter::Gamma),
            StageKind::Edges(range) => Some(Filter::Edges(Edges::new(amount(range)?))),
            StageKind::Clamp(Range { low, high }) => Some(Filter::Clamp(Clamp::new(low.at(time), high.at(time)))),
            StageKind::Zoom(_)
            | StageKind::Cover(_)
            | StageKind::Shift(_)
            | StageKind::Rotate(_)
            | StageKind::Shear(_)
            | StageKind::Stretch(_)
            | StageKind::Crop(_)
            | StageKind::Perspective(_)
            | StageKind::Flip(_) => None,
        }
    }

    /// Filters a window `[3, S, S]` in place; `scratch` has the length of one channel.
    pub fn apply(&self, window: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.apply(window, side, scratch),
            Filter::Noise(noise) => noise.apply(window),
            Filter::Grained(noise) => noise.apply(window, side),
            Filter::Colour(colour) => colour.apply(window, side),
            Filter::Brightness(brightness) => brightness.apply(window),
            Filter::Contrast(contrast) => contrast.apply(window, side),
            Filter::Channels(channels) => channels.apply(window, side),
            Filter::Sharpen(sharpen) => sharpen.apply(window, side, scratch),
            Filter::Erase(erase) => erase.apply(window, side),
            Filter::Pixelate(pixelate) => pixelate.apply(window, side),
            Filter::Quantise(quantise) => quantise.apply(window),
            Filter::Gamma(gamma) => gamma.apply(window),
            Filter::Edges(edges) => edges.apply(window, side),
            Filter::Clamp(clamp) => clamp.apply(window),
        }
    }

    /// Whether its derivative depends on what it is given; that of all others is one linear map.
    pub fn bends(&self) -> bool {
        matches!(self, Filter::Gamma(_) | Filter::Edges(_) | Filter::Clamp(_))
    }

    /// Maps the gradient `[3, S, S]` after the filter to the one before it, in place. Noise and colour offsets are constants;
    /// rounding counts as if it were not there. `input` is the window before the filter, which only a filter that bends looks at.
    pub fn adjoint(&self, input: &[f32], gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        match self {
            Filter::Blur(blur) => blur.adjoint(gradient, side, scratch),
            Filter::Noise(_) | Filter::Grained(_) | Filter::Quantise(_) => {}
            Filter::Colour(colour) => colour.adjoint(gradient),
            Filter::Brightness(brightness) => brightness.adjoint(gradient),
            Filter::Contrast(contrast) => contrast.adjoint(gradient, side),
            Filter::Channels(channels) => channels.adjoint(gradient, side),
            Filter::Sharpen(sharpen) => sharpen.adjoint(gradient, side, scratch),
            Filter::Erase(erase) => erase.adjoint(gradient, side),
            Filter::Pixelate(pixelate) => pixelate.adjoint(gradient, side),
            Filter::Gamma(gamma) => gamma.derivative(input, gradient),
            Filter::Edges(edges) => edges.derivative(input, gradient, side),
            Filter::Clamp(clamp) => clamp.derivative(input, gradient),
        }
    }
}
