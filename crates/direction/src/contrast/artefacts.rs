//! Typical faults of renders besides lettering: noise, grids, borders, stripes.

use super::field::smooth;
use super::palette;
use super::raster::{Raster, mixed};
use crate::chance::Draws;

/// Adds a value to each channel, clamped to 0..1.
fn add(pixel: [f32; 3], value: [f32; 3]) -> [f32; 3] {
    std::array::from_fn(|channel| (pixel[channel] + value[channel]).clamp(0.0, 1.0))
}

/// Adds random values per pixel or per grain of two pixels: normally distributed, coloured or grey, or black, white or coloured
/// dots.
pub(super) fn noise(draws: Draws, backdrop: &Raster) -> Raster {
    let side = backdrop.side;
    let strength = draws.log_uniform(0, 0.08, 0.35);
    let grain = if draws.unit(1) < 0.65 { 1 } else { 2 };
    let (coloured, peppered) = (draws.unit(2) < 0.6, draws.unit(3) < 0.2);
    let mut noisy = backdrop.clone();
    for (index, pixel) in noisy.pixels.iter_mut().enumerate() {
        let here = draws.at(((index % side / grain) + side * (index / side / grain)) as u64);
        if peppered {
            let (dotted, value) = (here.unit(0) < strength * 0.4, here.unit(1));
            let white = if value < 0.5 { [0.0; 3] } else { [1.0; 3] };
            *pixel = if !dotted {
                *pixel
            } else if coloured {
                palette::any(here)
            } else {
                white
            };
        } else {
            let ([a, b], [c, _]) = (here.normal_pair(0), here.normal_pair(1));
            let values = if coloured { [a, b, c] } else { [a; 3] };
            *pixel = add(*pixel, values.map(|value| (strength * value) as f32));
        }
    }
    noisy
}

/// Adds a lattice of fine lines or a checkerboard, as upsampling leaves them: periods of two to eight pixels, along the sides.
pub(super) fn grid(draws: Draws, backdrop: &Raster) -> Raster {
    let side = backdrop.side;
    let period = [2usize, 2, 3, 4, 4, 5, 6, 8][(draws.unit(0) * 8.0) as usize];
    let strength = draws.log_uniform(1, 0.1, 0.4) as f32;
    let (shift_x, shift_y) = ((draws.unit(2) * 8.0) as usize, (draws.unit(3) * 8.0) as usize);
    let (checks, dark) = (draws.unit(4) < 0.5, draws.unit(5) < 0.5);
    let tint: [f32; 3] = match draws.unit(6) {
        kind if kind < 0.6 => [1.0; 3],
        _ => std::array::from_fn(|channel| draws.uniform(7 + channel as u64, -1.0, 1.0) as f32),
    };
    let mut gridded = backdrop.clone();
    for (index, pixel) in gridded.pixels.iter_mut().enumerate() {
        let (x, y) = (index % side + shift_x, index / side + shift_y);
        let value = if checks {
            let cell = (period / 2).max(1);
            if (x / cell + y / cell).is_multiple_of(2) { strength } else { -strength }
        } else if x % period == 0 || y % period == 0 {
            if dark { -strength } else { strength }
        } else {
            0.0
        };
        *pixel = add(*pixel, tint.map(|share| share * value));
    }
    gridded
}

/// Adds a frame of one colour, of lines, or of darkness, on some or all sides.
pub(super) fn borders(draws: Draws, backdrop: &Raster) -> Raster {
    let width = draws.log_uniform(0, 0.04, 0.2);
    let colour = palette::ink(draws.at(1), mean(backdrop), 0.25);
    let second = palette::ink(draws.at(2), mean(backdrop), 0.25);
    let kind = draws.unit(1);
    let sides: [bool; 4] = match draws.unit(2) {
        all if all < 0.6 => [true; 4],
        two if two < 0.75 => [true, true, false, false],
        two if two < 0.9 => [false, false, true, true],
        _ => std::array::from_fn(|side| side as f64 == (draws.unit(3) * 4.0).floor()),
    };
    let pixel = 1.0 / backdrop.side as f64;
    let mut pixels = backdrop.pixels.iter();
    Raster::from_fn(backdrop.side, |x, y| {
        let beneath = pixels.next().copied().unwrap_or_default();
        let depths = [x, 1.0 - x, y, 1.0 - y];
        let depth = depths.iter().zip(sides).filter(|(_, bordered)| *bordered).map(|(depth, _)| *depth);
        let depth = depth.fold(1.0, f64::min);
        let step = |at: f64| (0.5 + (at - depth) / pixel).clamp(0.0, 1.0);
        match kind {
            kind if kind < 0.55 => mixed(beneath, colour, step(width) as f32),
            // a bar and a line
            kind if kind < 0.8 => {
                let bar = mixed(beneath, colour, step(0.6 * width) as f32);
                let line = step(1.1 * width) - step(1.1 * width - 1.5 * pixel);
                mixed(bar, second, line as f32)
            }
            // darkness that grows outwards
            _ => mixed(beneath, [0.0; 3], (0.95 * (1.0 - depth / (2.0 * width)).clamp(0.0, 1.0)) as f32),
        }
    })
}

/// Adds parallel bands at any angle, straight or slightly bent, like the gratings that appear in flat regions.
pub(super) fn stripes(draws: Draws, backdrop: &Raster) -> Raster {
    let side = backdrop.side as f64;
    let period = draws.log_uniform(0, 3.0, side / 4.0) / side;
    let strength = draws.log_uniform(1, 0.12, 0.4);
    let (sin, cos) = draws.uniform(2, 0.0, std::f64::consts::PI).sin_cos();
    let (hardness, bend) = (draws.log_uniform(3, 0.5, 6.0), draws.uniform(4, 0.0, 0.06));
    let tint: [f64; 3] = match draws.unit(5) {
        kind if kind < 0.6 => [1.0; 3],
        _ => std::array::from_fn(|channel| draws.uniform(6 + channel as u64, -1.0, 1.0)),
    };
    let mut pixels = backdrop.pixels.iter();
    Raster::from_fn(backdrop.side, |x, y| {
        let beneath = pixels.next().copied().unwrap_or_default();
        let across = x * cos + y * sin + bend * smooth(draws.at(1), 2.5 * x, 2.5 * y);
        let wave = (std::f64::consts::TAU * across / period).sin();
        let value = strength * (hardness * wave).tanh() / hardness.tanh();
        add(beneath, tint.map(|share| (share * value) as f32))
    })
}

fn mean(raster: &Raster) -> f32 {
    let sum: f32 = raster.pixels.iter().map(|pixel| super::raster::lightness(*pixel)).sum();
    sum / raster.pixels.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how far a drawn artefact differs from its backdrop, in root mean square.
    fn change(before: &Raster, after: &Raster) -> f64 {
        let differences = before.pixels.iter().flatten().zip(after.pixels.iter().flatten());
        let squares: f64 = differences.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        (squares / (3.0 * before.pixels.len() as f64)).sqrt()
    }

    #[test]
    fn every_artefact_changes_the_backdrop_and_stays_in_range() {
        let backdrop = Raster::from_fn(64, |x, y| [x as f32, y as f32, 0.5]);
        for draw in [noise, grid, borders, stripes] {
            for seed in 0..40 {
                let drawn = draw(Draws::new(seed), &backdrop);
                assert!(change(&backdrop, &drawn) > 0.015, "{seed}");
                assert!(drawn.pixels.iter().flatten().all(|value| (-0.001..=1.001).contains(value)));
            }
        }
    }

    #[test]
    fn borders_leave_the_middle_alone() {
        let backdrop = Raster::from_fn(64, |x, y| [x as f32, y as f32, 0.5]);
        for seed in 0..40 {
            let drawn = borders(Draws::new(seed), &backdrop);
            assert_eq!(drawn.pixels[32 * 64 + 32], backdrop.pixels[32 * 64 + 32]);
        }
    }

    #[test]
    fn a_grid_repeats_along_both_sides() {
        let flat = Raster::from_fn(64, |_, _| [0.5; 3]);
        for seed in 0..40 {
            let drawn = grid(Draws::new(seed), &flat);
            // 120 is a multiple of every period.
            let row = |y: usize| &drawn.pixels[y * 64..][..64];
            let repeats = [2, 3, 4, 5, 6, 8].iter().any(|period| (0..64 - 8).all(|y| row(y) == row(y + period)));
            assert!(repeats && change(&flat, &drawn) > 0.0, "{seed}");
        }
    }
}
