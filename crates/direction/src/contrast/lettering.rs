//! Lettering over a backdrop: laid out, bent, coloured.

use super::bend::Bend;
use super::block::{Block, Layout};
use super::fonts::Fonts;
use super::palette;
use super::raster::{Raster, lightness, mixed};
use crate::chance::Draws;

/// The least side of the em square in window pixels: letters of half its height can be told from dots and dashes.
const LEAST_EM: f64 = 10.0;
/// Dots of the sheet per window pixel.
const DOTS: f64 = 2.0;
/// Samples per pixel along each side; a pixel is their mean.
const PLACES: usize = 3;

/// The deviation of the blur, in window sides, that removes strokes and keeps what is larger.
const STROKE: f32 = 0.06;
/// The range of the share of a window that lettering may cover. Less is a detail of the picture; a window filled with ink shows
/// no letter.
const SHARES: std::ops::Range<f32> = 0.1..0.4;
/// The least mean difference in lightness within the lettering.
const LEAST_CONTRAST: f32 = 0.3;
/// That difference must also be at least this many times the deviation of the backdrop's lightness at the scale of strokes.
const OVER_UNREST: f32 = 4.0;

/// The style of the ink: what surrounds it.
#[derive(Debug, Clone, Copy)]
enum Style {
    Plain,
    /// The outline alone.
    Hollow {
        width: f32,
    },
    Outlined {
        width: f32,
    },
    /// A shadow towards the bottom right, soft at its edge.
    Shadowed {
        offset: f64,
        softness: f32,
    },
}

impl Style {
    fn any(draws: Draws, em: f64) -> Style {
        let em = em as f32;
        match draws.unit(0) {
            kind if kind < 0.62 => Style::Plain,
            kind if kind < 0.70 => Style::Hollow { width: em * draws.uniform(1, 0.05, 0.09) as f32 },
            kind if kind < 0.85 => Style::Outlined { width: em * draws.uniform(1, 0.04, 0.1) as f32 },
            _ => Style::Shadowed {
                offset: f64::from(em) * draws.uniform(1, 0.04, 0.1),
                softness: em * draws.uniform(2, 0.02, 0.12) as f32,
            },
        }
    }
}

/// How much of a pixel is covered.
#[derive(Debug, Clone, Copy, Default)]
struct Cover {
    /// By letters.
    letter: f32,
    /// By what lies below the letters: an outline or a shadow.
    below: f32,
}

/// Returns the backdrop with lettering on it. Returns `None` if too little of it is in the window, or if it is too faint to be
/// seen at the window's size.
pub(super) fn write(draws: Draws, backdrop: &Raster, fonts: &Fonts) -> Option<Raster> {
    let side = backdrop.side;
    let layout = Layout::any(draws.at(0));
    let block = Block::draw(draws.at(1), layout, fonts, LEAST_EM / side as f64, DOTS * side as f64);
    let bend = Bend::any(draws.at(2), block.em);
    let style = Style::any(draws.at(3), block.em);
    let covers = covers(&block, &bend, style, side);

    let inked: f32 = covers.iter().map(|cover| cover.letter).sum();
    let ground = covers.iter().zip(&backdrop.pixels).map(|(cover, pixel)| cover.letter * lightness(*pixel));
    let ground = ground.sum::<f32>() / inked.max(1e-6);
    let ink = palette::ink(draws.at(4), ground, 0.4);
    let second = match draws.unit(0) {
        kind if kind < 0.25 => palette::ink(draws.at(5), ground, 0.3),
        _ => ink,
    };
    let below = match style {
        Style::Shadowed { .. } => [0.02; 3],
        _ => palette::ink(draws.at(6), lightness(ink), 0.35),
    };
    let opacity = draws.uniform(1, 0.85, 1.0) as f32;
    let shadow = draws.uniform(2, 0.5, 0.9) as f32;

    let mut written = backdrop.clone();
    for (index, (pixel, cover)) in written.pixels.iter_mut().zip(&covers).enumerate() {
        let down = (index / side) as f32 / side as f32;
        let strength = if matches!(style, Style::Shadowed { .. }) { shadow } else { opacity };
        *pixel = mixed(*pixel, below, cover.below * strength);
        *pixel = mixed(*pixel, mixed(ink, second, down), cover.letter * opacity);
    }
    visible(backdrop, &written).then_some(written)
}

/// Returns the coverage of every pixel.
fn covers(block: &Block, bend: &Bend, style: Style, side: usize) -> Vec<Cover> {
    let distances = match style {
        Style::Plain => Vec::new(),
        _ => block.distances(),
    };
    // Half a dot's width in window sides: edges are as soft as the sheet's.
    let soft = (0.5 / block.scale) as f32;
    let within = |distance: f32, width: f32| (0.5 + (width - distance) / (2.0 * soft)).clamp(0.0, 1.0);
    let at = |x: f64, y: f64| {
        let [u, v] = bend.to_sheet(x, y, block.em);
        let dots =
            |u: f64, v: f64| (block.width as f64 / 2.0 + u * block.scale, block.height as f64 / 2.0 + v * block.scale);
        let (across, down) = dots(u, v);
        let letter = block.between(&block.cover, across, down, 0.0);
        let far = |u: f64, v: f64| {
            let (across, down) = dots(u, v);
            block.between(&distances, across, down, 1e3)
        };
        match style {
            Style::Plain => Cover { letter, below: 0.0 },
            Style::Hollow { width } => Cover { letter: (within(far(u, v), width) - letter).max(0.0), below: 0.0 },
            Style::Outlined { width } => Cover { letter, below: within(far(u, v), width) },
            Style::Shadowed { offset, softness } => {
                let away = far(u - offset, v - offset) / softness;
                Cover { letter, below: (1.0 - away).clamp(0.0, 1.0) }
            }
        }
    };
    let count = (PLACES * PLACES) as f32;
    (0..side * side)
        .map(|index| {
            let mut mean = Cover::default();
            for place in 0..PLACES * PLACES {
                let inside = |place: usize| (place as f64 + 0.5) / PLACES as f64;
                let x = ((index % side) as f64 + inside(place % PLACES)) / side as f64;
                let y = ((index / side) as f64 + inside(place / PLACES)) / side as f64;
                let cover = at(x, y);
                mean.letter += cover.letter / count;
                mean.below += cover.below / count;
            }
            mean
        })
        .collect()
}

/// Returns whether the difference is visible: the part that differs by an eighth or more in lightness must cover a suitable
/// share of the window, and must differ far more than the backdrop itself varies at the scale of strokes.
fn visible(without: &Raster, with: &Raster) -> bool {
    let light = |raster: &Raster| raster.pixels.iter().map(|pixel| lightness(*pixel)).collect::<Vec<f32>>();
    let mut calm = without.clone();
    calm.blur(without.side as f32 * STROKE);
    let (calm, without, with) = (light(&calm), light(without), light(with));
    let differences: Vec<f32> = without.iter().zip(&with).map(|(a, b)| (a - b).abs()).collect();
    let seen: Vec<f32> = differences.into_iter().filter(|difference| *difference >= 0.125).collect();
    let count = without.len() as f32;
    let squares: f32 = without.iter().zip(&calm).map(|(value, calm)| (value - calm).powi(2)).sum();
    let unrest = (squares / count).sqrt();
    let contrast = seen.iter().sum::<f32>() / (seen.len() as f32).max(1.0);
    SHARES.contains(&(seen.len() as f32 / count)) && contrast >= (OVER_UNREST * unrest).max(LEAST_CONTRAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(value: f32) -> Raster {
        Raster::from_fn(64, |_, _| [value; 3])
    }

    #[test]
    fn lettering_covers_a_part_and_leaves_the_rest_alone() {
        let (fonts, backdrop) = (Fonts::own(), flat(0.3));
        let mut drawn = 0;
        for seed in 0..60 {
            let Some(written) = write(Draws::new(seed), &backdrop, &fonts) else { continue };
            let pixels = backdrop.pixels.iter().zip(&written.pixels);
            let changed = pixels.filter(|(before, after)| before != after).count();
            assert!(changed > 80 && changed < 64 * 64, "{seed}: {changed}");
            drawn += 1;
        }
        assert!(drawn > 20, "{drawn}");
    }

    #[test]
    fn what_cannot_be_seen_is_not_counted() {
        let without = flat(0.5);
        assert!(!visible(&without, &without));
        assert!(!visible(&without, &flat(0.9)));
        let mut faint = without.clone();
        (0..700).for_each(|index| faint.pixels[index * 3] = [0.6; 3]);
        assert!(!visible(&without, &faint));
        (0..700).for_each(|index| faint.pixels[index * 3] = [0.9; 3]);
        assert!(visible(&without, &faint));
        // The same ink on a backdrop that varies everywhere.
        let restless = Raster::from_fn(64, |x, _| [if (x * 32.0).fract() < 0.5 { 0.0 } else { 1.0 }; 3]);
        let mut lost = restless.clone();
        (0..700).for_each(|index| lost.pixels[index * 3] = lost.pixels[index * 3].map(|value| (value - 0.3).abs()));
        assert!(!visible(&restless, &lost));
    }

    #[test]
    fn an_outline_surrounds_the_letters_it_is_around() {
        let fonts = Fonts::own();
        let block = Block::draw(Draws::new(2), Layout::Glyphs, &fonts, 0.2, 128.0);
        let bend = Bend::any(Draws::new(1), block.em);
        let sum = |style, of: fn(&Cover) -> f32| covers(&block, &bend, style, 64).iter().map(of).sum::<f32>();
        let plain = sum(Style::Plain, |cover| cover.letter);
        let outlined = sum(Style::Outlined { width: 0.04 }, |cover| cover.below);
        let hollow = sum(Style::Hollow { width: 0.04 }, |cover| cover.letter);
        assert!(plain > 0.0 && outlined > plain, "{plain} {outlined}");
        assert!((hollow - (outlined - plain)).abs() < 0.1 * outlined, "{hollow} {outlined} {plain}");
    }
}
