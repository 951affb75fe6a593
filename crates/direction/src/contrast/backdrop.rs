//! The backdrops that examples are drawn over.

use std::sync::OnceLock;

use image::RgbImage;

use super::field::{smooth, spectrum};
use super::palette;
use super::raster::{Raster, mixed};
use crate::canvas::Canvas;
use crate::chance::Draws;
use crate::plan::{self, Basis, Ground, Init, Size};

/// Renders of this program in a sheet of eleven by ten: landscapes, textures, objects with outlines. None shows lettering.
const RENDERS: &[u8] = include_bytes!("renders.jpg");
const COLUMNS: u32 = 11;
const ROWS: u32 = 10;

/// A kind of backdrop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backdrop {
    /// One colour, or two that blend into each other.
    Gradient,
    /// Noise whose amplitudes fall with frequency, fast or slowly.
    Noise,
    /// Discs, boxes, rings and bars.
    Shapes,
    /// Stripes, checks, bricks, dots, wood, cracks.
    Texture,
    /// Paper, blank plates and labels.
    Paper,
    /// A start picture of the basis `fourier`.
    Start,
    /// Parts of finished renders.
    Render,
}

impl Backdrop {
    /// All backdrops.
    pub const ALL: [Backdrop; 7] = [
        Backdrop::Gradient,
        Backdrop::Noise,
        Backdrop::Shapes,
        Backdrop::Texture,
        Backdrop::Paper,
        Backdrop::Start,
        Backdrop::Render,
    ];

    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Backdrop::Gradient => "gradient",
            Backdrop::Noise => "noise",
            Backdrop::Shapes => "shapes",
            Backdrop::Texture => "texture",
            Backdrop::Paper => "paper",
            Backdrop::Start => "start",
            Backdrop::Render => "render",
        }
    }

    /// Draws a backdrop with a side in pixels.
    pub(super) fn draw(self, draws: Draws, side: usize) -> Raster {
        match self {
            Backdrop::Gradient => gradient(draws, side),
            Backdrop::Noise => noise(draws, side),
            Backdrop::Shapes => shapes(draws, side),
            Backdrop::Texture => texture(draws, side),
            Backdrop::Paper => paper(draws, side),
            Backdrop::Start => start(draws, side),
            Backdrop::Render => render(draws, side),
        }
    }
}

/// Returns a square part of a picture, at least a third of its shorter side, sometimes mirrored.
pub(super) fn part(draws: Draws, picture: &RgbImage, side: usize) -> Raster {
    let (width, height) = picture.dimensions();
    let shorter = width.min(height);
    let part = ((f64::from(shorter) * draws.log_uniform(0, 0.33, 1.0)) as u32).clamp(1, shorter);
    let corner = |index, length: u32| (draws.unit(index) * f64::from(length - part + 1)) as u32;
    let raster = Raster::of_part(picture, (corner(1, width), corner(2, height)), part, side);
    if draws.unit(3) < 0.5 { raster.mirrored() } else { raster }
}

/// Returns the position of a point along a direction, from about -1 to 1 over the square.
fn along(angle: f64, x: f64, y: f64) -> f64 {
    2.0 * ((x - 0.5) * angle.cos() + (y - 0.5) * angle.sin())
}

fn angle(draws: Draws, index: u64) -> f64 {
    draws.uniform(index, 0.0, std::f64::consts::TAU)
}

fn gradient(draws: Draws, side: usize) -> Raster {
    let (from, to) = (palette::any(draws.at(1)), palette::any(draws.at(2)));
    let turned = angle(draws, 0);
    let centre = [draws.unit(1), draws.unit(2)];
    let kind = draws.unit(3);
    Raster::from_fn(side, |x, y| {
        let share = match kind {
            kind if kind < 0.25 => 0.0,
            kind if kind < 0.7 => 0.5 + 0.5 * along(turned, x, y),
            _ => ((x - centre[0]).hypot(y - centre[1]) * 1.2).min(1.0),
        };
        mixed(from, to, share.clamp(0.0, 1.0) as f32)
    })
}

fn noise(draws: Draws, side: usize) -> Raster {
    let decay = draws.uniform(0, 0.2, 2.0);
    let range = [draws.log_uniform(1, 1.5, 8.0), side as f64 / 2.0];
    let (from, to) = (palette::any(draws.at(1)), palette::any(draws.at(2)));
    let strength = draws.uniform(2, 0.5, 1.4);
    let tint = draws.uniform(3, 0.0, 0.35) as f32;
    Raster::from_fn(side, |x, y| {
        let field = |index| spectrum(draws.at(10 + index), [x, y], range, decay);
        let mut colour = mixed(from, to, (0.5 + strength * field(0)).clamp(0.0, 1.0) as f32);
        if tint > 0.1 {
            (0..3).for_each(|channel| colour[channel] += tint * field(1 + channel as u64) as f32);
        }
        colour
    })
}

fn shapes(draws: Draws, side: usize) -> Raster {
    let mut raster = gradient(draws.at(1), side);
    let count = 1 + (draws.log_uniform(0, 1.0, 25.0)) as u64;
    let pixel = 1.0 / side as f64;
    for index in 0..count {
        let draws = draws.at(2 + index);
        let (colour, kind, turned) = (palette::any(draws.at(1)), draws.unit(0), angle(draws, 1));
        let centre = [draws.uniform(2, -0.1, 1.1), draws.uniform(3, -0.1, 1.1)];
        let (long, short) = (draws.log_uniform(4, 0.05, 0.5), draws.log_uniform(5, 0.02, 0.3));
        let shape = Raster::from_fn(side, |x, y| {
            let (dx, dy) = (x - centre[0], y - centre[1]);
            let (u, v) = (dx * turned.cos() + dy * turned.sin(), dy * turned.cos() - dx * turned.sin());
            // The distance to the outline, negative inside.
            let distance = match kind {
                kind if kind < 0.35 => u.hypot(v * long / short) - long,
                kind if kind < 0.7 => (u.abs() - long).max(v.abs() - short),
                kind if kind < 0.85 => (u.hypot(v) - long).abs() - short * 0.3,
                // A bar across the whole picture.
                _ => v.abs() - short * 0.3,
            };
            [(0.5 - distance / pixel).clamp(0.0, 1.0) as f32; 3]
        });
        for (under, cover) in raster.pixels.iter_mut().zip(shape.pixels) {
            *under = mixed(*under, colour, cover[0]);
        }
    }
    raster
}

fn texture(draws: Draws, side: usize) -> Raster {
    let (from, to) = (palette::any(draws.at(1)), palette::any(draws.at(2)));
    let frequency = draws.log_uniform(0, 3.0, side as f64 / 6.0);
    let (turned, kind, bend) = (angle(draws, 1), draws.unit(2), draws.uniform(3, 0.0, 0.3));
    let edge = |value: f64, sharpness: f64| 0.5 + 0.5 * (value * sharpness).tanh();
    Raster::from_fn(side, |x, y| {
        let warp = bend * smooth(draws.at(3), x * 3.0, y * 3.0);
        let (u, v) = (along(turned, x, y) + warp, along(turned + std::f64::consts::FRAC_PI_2, x, y) + warp);
        let (a, b) = (u * frequency / 2.0, v * frequency / 2.0);
        let wave = |value: f64| (std::f64::consts::TAU * value).sin();
        let share = match kind {
            // stripes
            kind if kind < 0.2 => edge(wave(a), 2.0),
            // checks
            kind if kind < 0.35 => edge(wave(a) * wave(b), 4.0),
            // bricks
            kind if kind < 0.55 => {
                let row = (b * 1.5).floor();
                let (across, up) = ((a + row * 0.5).rem_euclid(1.0), (b * 1.5).rem_euclid(1.0));
                let stone = Draws::at(draws.at(4), (a + row * 0.5).floor() as i64 as u64).unit(row as i64 as u64);
                if across < 0.08 || up < 0.12 { 1.0 } else { 0.35 * stone }
            }
            // dots
            kind if kind < 0.7 => edge(wave(a) + wave(b) - 0.8, 3.0),
            // wood
            kind if kind < 0.85 => 0.5 + 0.5 * wave(a * 0.6 + 2.0 * smooth(draws.at(5), u * 1.5, v * 6.0)),
            // cracks: where a field passes 0
            _ => 1.0 - (smooth(draws.at(6), a * 1.5, b * 1.5).abs() * 6.0).min(1.0),
        };
        let grain = 0.05 * smooth(draws.at(7), x * side as f64 / 2.0, y * side as f64 / 2.0);
        mixed(from, to, (share + grain).clamp(0.0, 1.0) as f32)
    })
}

/// Draws light paper with a grain, or plates of one colour on something else: what lettering is mostly found on, but without
/// any.
fn paper(draws: Draws, side: usize) -> Raster {
    let sheet = palette::of_hue(draws.uniform(0, 0.05, 0.18), draws.uniform(1, 0.0, 0.35), draws.uniform(2, 0.7, 1.0));
    let grain = draws.uniform(3, 0.0, 0.08);
    let plain = |x: f64, y: f64| {
        let dark = grain * spectrum(draws.at(1), [x, y], [3.0, side as f64 / 2.0], 0.4) as f32 as f64;
        sheet.map(|value| value + dark as f32)
    };
    if draws.unit(4) < 0.5 {
        return Raster::from_fn(side, plain);
    }
    let under = match draws.unit(5) {
        kind if kind < 0.5 => noise(draws.at(2), side),
        _ => gradient(draws.at(2), side),
    };
    let plate = palette::any(draws.at(3));
    let (left, right) = (draws.uniform(6, -0.1, 0.3), draws.uniform(7, 0.7, 1.1));
    let (top, bottom) = (draws.uniform(8, -0.1, 0.4), draws.uniform(9, 0.6, 1.1));
    let mut pixels = under.pixels.into_iter();
    Raster::from_fn(side, |x, y| {
        let beneath = pixels.next().unwrap_or_default();
        if (left..right).contains(&x) && (top..bottom).contains(&y) { plate } else { beneath }
    })
}

/// Draws a possible start of a render in the basis `fourier`, from faint to strong.
fn start(draws: Draws, side: usize) -> Raster {
    let colour = palette::any(draws.at(1)).map(f64::from);
    let basis = Basis::Fourier { decay: draws.uniform(0, 0.9, 1.7), chroma: draws.uniform(1, 0.3, 1.0) };
    let init = Init { ground: Ground::Colour(colour), noise: draws.log_uniform(2, 0.2, 2.5) };
    // Canvases must have sides of at least 16 pixels.
    let size = Size { width: side.max(16) as u32, height: side.max(16) as u32 };
    match Canvas::new(&plan::Canvas { basis, init }, size, draws.bits(3)) {
        Ok(mut canvas) => {
            let picture = canvas.decode(Some(draws.log_uniform(4, 5.0, 50.0)));
            let area = size.area();
            let width = size.width as usize;
            Raster::from_fn(side, |x, y| {
                let at = (y * side as f64) as usize * width + (x * side as f64) as usize;
                [picture[at], picture[area + at], picture[2 * area + at]]
            })
        }
        // Only if there is no memory for a window.
        Err(_) => noise(draws.at(2), side),
    }
}

fn render(draws: Draws, side: usize) -> Raster {
    static SHEET: OnceLock<RgbImage> = OnceLock::new();
    let sheet = SHEET.get_or_init(|| {
        let decoded = image::load_from_memory_with_format(RENDERS, image::ImageFormat::Jpeg);
        // The bytes are ours, and a test decodes them.
        decoded.expect("our own picture is sound").into_rgb8()
    });
    let one = sheet.width() / COLUMNS;
    let index = (draws.unit(9) * f64::from(COLUMNS * ROWS)) as u32;
    let (left, top) = (index % COLUMNS * one, index / COLUMNS * one);
    let picture = image::imageops::crop_imm(sheet, left, top, one, one).to_image();
    part(draws, &picture, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_draws_and_no_two_draws_are_alike() {
        for kind in Backdrop::ALL {
            let drawn: Vec<RgbImage> = (0..6).map(|seed| kind.draw(Draws::new(seed), 24).to_rgb()).collect();
            for (index, picture) in drawn.iter().enumerate() {
                assert!(drawn[..index].iter().all(|other| other != picture), "{kind:?}");
            }
            assert_eq!(drawn[3], kind.draw(Draws::new(3), 24).to_rgb());
        }
    }

    #[test]
    fn the_renders_are_in_rows() {
        let sheet = image::load_from_memory(RENDERS).unwrap();
        assert_eq!(sheet.width() * ROWS, sheet.height() * COLUMNS);
    }

    #[test]
    fn parts_of_any_picture_fit() {
        for (width, height) in [(1, 1), (2, 50), (300, 20)] {
            let picture = RgbImage::from_pixel(width, height, image::Rgb([10, 20, 30]));
            for seed in 0..20 {
                let raster = part(Draws::new(seed), &picture, 16);
                assert_eq!(raster.to_rgb(), RgbImage::from_pixel(16, 16, image::Rgb([10, 20, 30])));
            }
        }
    }
}
