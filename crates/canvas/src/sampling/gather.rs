//! `gather`: windows `[N, 3, S, S]` from the levels.

use super::levels::{Level, Levels, Pixel};
use super::taps::{RUN, Run, Taps, resolve};
use super::window::Window;
use crate::plan::Edge;
use crate::spans::Island;
use rayon::prelude::*;

/// Rows that one thread gathers at a time.
const ROWS: usize = 16;

/// Gathers the windows: fills `out`, `[N, 3, S, S]`, N the number of windows and S = `side`. Values are in 0..1 unless noise or
/// colour jitter exceeds that range.
///
/// # Panics
/// If `out` does not have that length, or if a window was drawn for another side.
pub fn gather(levels: &Levels, windows: &[Window], side: u32, out: &mut [f32]) {
    let side = side as usize;
    assert_eq!(out.len(), windows.len() * 3 * side * side, "not the length of the windows");
    out.par_chunks_exact_mut(3 * side * side).zip(windows).for_each_init(Vec::new, |scratch, (out, window)| {
        assert_eq!(window.side as usize, side, "a window of another side");
        gather_window(levels, window, out);
        for filter in &window.filters {
            filter.apply(out, side, scratch);
        }
    });
}

/// Gathers one window without its filters, `[3, S, S]`.
pub(super) fn gather_window(levels: &Levels, window: &Window, out: &mut [f32]) {
    let side = window.side as usize;
    let steady = window.steady(levels.last());
    let (red, rest) = out.split_at_mut(side * side);
    let (green, blue) = rest.split_at_mut(side * side);
    let rows = ROWS * side;
    let blocks = red.par_chunks_mut(rows).zip(green.par_chunks_mut(rows).zip(blue.par_chunks_mut(rows)));
    blocks.enumerate().for_each(|(block, (red, (green, blue)))| {
        // The island of every level that was read last: the next run is most often in the same one.
        let mut islands = vec![0; levels.levels.len()];
        for j in 0..red.len() / side {
            for start in (0..side).step_by(RUN) {
                let run = Run::new(window, block * ROWS + j, start, steady, levels.last());
                let seen = gather_run(levels, window.edge, &run, &mut islands);
                let at = j * side + start..j * side + start + run.length;
                let to = red[at.clone()].iter_mut().zip(green[at.clone()].iter_mut().zip(&mut blue[at]));
                for ((red, (green, blue)), seen) in to.zip(seen) {
                    (*red, *green, *blue) = (seen[0], seen[1], seen[2]);
                }
            }
        }
    });
}

/// Returns the pixels of one run.
fn gather_run(levels: &Levels, edge: Edge, run: &Run, islands: &mut [usize]) -> [Pixel; RUN] {
    let mut sum = [[0.0; 4]; RUN];
    for (index, share) in run.footprint.shares() {
        let level = &levels.levels[index];
        let scale = levels.scale(index);
        for probe in 0..run.footprint.probes {
            let taps = Taps::new(run, probe, share, scale);
            let inside = taps.rect(level.width, 0, level.height);
            match inside.and_then(|rect| level.part.island_of(&rect, &mut islands[index])) {
                Some(island) => add_inside(level, island, &taps, run.length, &mut sum),
                None => add_anywhere(level, &taps, edge, run.length, &mut sum),
            }
        }
    }
    sum
}

fn add_inside(level: &Level, island: &Island, taps: &Taps, length: usize, sum: &mut [Pixel; RUN]) {
    for (k, sum) in sum.iter_mut().enumerate().take(length) {
        let first = island.at(taps.column[k] as usize, taps.row[k] as usize);
        let upper = &level.pixels[first..first + 2];
        let lower = &level.pixels[first + island.stride()..first + island.stride() + 2];
        let weights = taps.weights.map(|weights| weights[k]);
        for (lane, sum) in sum.iter_mut().enumerate() {
            *sum += weights[0] * upper[0][lane]
                + weights[1] * upper[1][lane]
                + weights[2] * lower[0][lane]
                + weights[3] * lower[1][lane];
        }
    }
}

fn add_anywhere(level: &Level, taps: &Taps, edge: Edge, length: usize, sum: &mut [Pixel; RUN]) {
    let fill = match edge {
        Edge::Fill([red, green, blue]) => [red, green, blue, 0.0],
        _ => [0.0; 4],
    };
    for (k, sum) in sum.iter_mut().enumerate().take(length) {
        let (column, row) = (i64::from(taps.column[k]), i64::from(taps.row[k]));
        let columns = [column, column + 1].map(|column| resolve(column, level.width, edge));
        let rows = [row, row + 1].map(|row| resolve(row, level.height, edge));
        for (tap, weights) in taps.weights.iter().enumerate() {
            let pixel = match (rows[tap / 2], columns[tap % 2]) {
                (Some(row), Some(column)) => {
                    // All that windows see is there.
                    level.part.find(column, row).map_or([0.0; 4], |at| level.pixels[at])
                }
                _ => fill,
            };
            for (lane, sum) in sum.iter_mut().enumerate() {
                *sum += weights[k] * pixel[lane];
            }
        }
    }
}
