//! Examples drawn by the program itself: pairs of pictures that differ in one thing.
//!
//! ```text
//! backdrop ─┬───────────────────▶ finish ─▶ without
//!           └─ lettering, grid .. ─▶ finish ─▶ with
//! ```
//!
//! Both pictures of a pair have the same backdrop, softness and grain, so a classifier that tells them apart has learned
//! nothing but the contrast. Pairs are drawn at the size of the model's window: nothing is drawn that cannot be seen there.
//! Half of the backdrops are parts of renders, which is what directions are used on. Every draw is a pure function of (seed,
//! contrast, group), and of the fonts and pictures given.
//!
//! | file | what |
//! | --- | --- |
//! | `fonts` | the fonts of the machine, or of a folder |
//! | `words`, `block`, `bend`, `lettering` | what is written; how it is laid out; how it is bent; how it is coloured |
//! | `artefacts` | noise, grids, borders, stripes |
//! | `backdrop` | what lies below |
//! | `field`, `palette`, `raster` | smooth noise, colours, pictures |

mod artefacts;
mod backdrop;
mod bend;
mod block;
mod field;
mod fonts;
mod lettering;
mod palette;
mod raster;
mod words;

use image::RgbImage;

pub use backdrop::Backdrop;
pub use fonts::Fonts;

use crate::chance::{Draws, key_of};
use raster::Raster;

/// What differs within a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contrast {
    /// Words, lines, titles in real fonts.
    Lettering,
    /// Noise at the scale of pixels.
    Noise,
    /// Lattices and checkerboards.
    Grid,
    /// Frames along the picture's sides.
    Borders,
    /// Parallel bands.
    Stripes,
}

impl Contrast {
    /// All contrasts.
    pub const ALL: [Contrast; 5] =
        [Contrast::Lettering, Contrast::Noise, Contrast::Grid, Contrast::Borders, Contrast::Stripes];

    /// Returns the class of its examples: `letters`, `noise`, `grid`, `borders`, `stripes`.
    pub fn class(self) -> &'static str {
        match self {
            Contrast::Lettering => "letters",
            Contrast::Noise => "noise",
            Contrast::Grid => "grid",
            Contrast::Borders => "borders",
            Contrast::Stripes => "stripes",
        }
    }

    /// Returns whether a backdrop may itself contain what the contrast adds.
    fn blurs(self, backdrop: Backdrop) -> bool {
        match self {
            Contrast::Lettering => false,
            Contrast::Noise => backdrop == Backdrop::Noise,
            Contrast::Grid | Contrast::Stripes => backdrop == Backdrop::Texture,
            Contrast::Borders => backdrop == Backdrop::Paper,
        }
    }
}

/// Two pictures of one backdrop.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The backdrop alone.
    pub without: RgbImage,
    /// The backdrop and what the contrast adds.
    pub with: RgbImage,
}

/// The settings and materials that pairs are drawn from.
#[derive(Debug, Clone)]
pub struct Studio {
    /// The side of the pictures in pixels: that of a model's window.
    pub side: u32,
    pub seed: u64,
    pub fonts: Fonts,
    /// The kinds of backdrops to choose from.
    pub backdrops: Vec<Backdrop>,
    /// Pictures whose parts also serve as backdrops: half of all backdrops, if there are any.
    pub pictures: Vec<RgbImage>,
}

/// The share of lettering backdrops whose contrast is reduced, as printers do with pictures behind text. Otherwise backdrops
/// too busy for visible letters would be missing among the examples.
const DIMMED: f64 = 0.6;
/// How often lettering is tried on a backdrop before another backdrop is drawn, and how many backdrops are tried.
const TRIES: u64 = 12;

impl Studio {
    /// Draws the pair of a group, which shares its backdrop with no other. Returns `None` if there is no backdrop to draw it
    /// over, or if after many tries nothing was visible.
    pub fn pair(&self, contrast: Contrast, group: u64) -> Option<Pair> {
        let side = self.side as usize;
        let draws = Draws::new(self.seed).at(key_of(contrast.class())).at(group);
        (0..TRIES).find_map(|attempt| {
            let draws = draws.at(attempt);
            let mut backdrop = self.backdrop(contrast, draws.at(0))?;
            if contrast == Contrast::Lettering && draws.unit(0) < DIMMED {
                backdrop.calm(draws.uniform(1, 0.2, 0.8) as f32);
            }
            let drawn = (0..TRIES).find_map(|attempt| {
                let draws = draws.at(1).at(attempt);
                match contrast {
                    Contrast::Lettering => lettering::write(draws, &backdrop, &self.fonts),
                    Contrast::Noise => Some(artefacts::noise(draws, &backdrop)),
                    Contrast::Grid => Some(artefacts::grid(draws, &backdrop)),
                    Contrast::Borders => Some(artefacts::borders(draws, &backdrop)),
                    Contrast::Stripes => Some(artefacts::stripes(draws, &backdrop)),
                }
            })?;
            let finish = |raster| finish(draws.at(2), contrast, raster, side);
            Some(Pair { without: finish(backdrop), with: finish(drawn) })
        })
    }

    fn backdrop(&self, contrast: Contrast, draws: Draws) -> Option<Raster> {
        let pick = |index, count: usize| (draws.unit(index) * count as f64) as usize;
        let side = self.side as usize;
        let kinds: Vec<Backdrop> =
            self.backdrops.iter().copied().filter(|backdrop| !contrast.blurs(*backdrop)).collect();
        let half = draws.unit(0) < 0.5;
        if !self.pictures.is_empty() && (half || kinds.is_empty()) {
            return Some(backdrop::part(draws.at(1), &self.pictures[pick(1, self.pictures.len())], side));
        }
        // Directions are used on renders: if no other pictures are given, renders are half of the backdrops.
        let render = Some(Backdrop::Render).filter(|render| half && kinds.contains(render));
        let kind = render.or_else(|| kinds.get(pick(1, kinds.len())).copied())?;
        Some(kind.draw(draws.at(1), side))
    }
}

/// Applies the same softness and grain to both pictures of a pair, as found in windows of a render.
fn finish(draws: Draws, contrast: Contrast, mut raster: Raster, side: usize) -> RgbImage {
    // Blurring would remove the other contrasts, and grain is itself the contrast `noise`.
    if contrast == Contrast::Lettering {
        raster.blur((draws.uniform(0, -0.6, 0.6) * side as f64 / 64.0).clamp(0.0, 1.5) as f32);
    }
    let grain = match contrast {
        Contrast::Noise => 0.0,
        _ => draws.uniform(1, -0.04, 0.06).max(0.0),
    };
    if grain > 0.0 {
        for (index, pixel) in raster.pixels.iter_mut().enumerate() {
            let here = draws.at(index as u64);
            let ([a, b], [c, _]) = (here.normal_pair(0), here.normal_pair(1));
            (0..3).for_each(|channel| pixel[channel] += (grain * [a, b, c][channel]) as f32);
        }
    }
    raster.to_rgb()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn studio(seed: u64) -> Studio {
        let backdrops = Backdrop::ALL.to_vec();
        Studio { side: 32, seed, fonts: Fonts::own(), backdrops, pictures: Vec::new() }
    }

    #[test]
    fn pairs_depend_on_seed_contrast_and_group_alone() {
        for contrast in Contrast::ALL {
            let pair = studio(1).pair(contrast, 3).unwrap();
            assert_eq!(pair, studio(1).pair(contrast, 3).unwrap());
            assert_ne!(pair.with, pair.without);
            assert_ne!(pair, studio(2).pair(contrast, 3).unwrap());
            assert_ne!(pair, studio(1).pair(contrast, 4).unwrap());
        }
    }

    #[test]
    fn where_nothing_is_written_both_are_the_same() {
        let mut same = 0;
        for group in 0..20 {
            let pair = studio(1).pair(Contrast::Lettering, group).unwrap();
            same += pair.with.pixels().zip(pair.without.pixels()).filter(|(a, b)| a == b).count();
        }
        // Out of 20 x 1024 pixels: windows filled by letters are the rarest.
        assert!(same > 6000, "{same}");
    }

    #[test]
    fn own_pictures_are_drawn_over() {
        let blue = RgbImage::from_pixel(90, 50, image::Rgb([0, 0, 200]));
        let only = Studio { backdrops: Vec::new(), pictures: vec![blue], ..studio(1) };
        let pair = only.pair(Contrast::Borders, 0).unwrap();
        assert!(pair.without.get_pixel(16, 16).0[2] > 150 && pair.without.get_pixel(16, 16).0[0] < 60);
        assert!(Studio { pictures: Vec::new(), ..only }.pair(Contrast::Borders, 0).is_none());
    }
}
