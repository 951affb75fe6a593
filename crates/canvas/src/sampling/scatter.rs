//! `scatter`: the exact adjoint of `gather`, or its derivative where a filter is not linear.
//!
//! The canvas is divided into bands of rows, one task each; every band walks through all windows and adds the part that falls
//! into it. So each canvas pixel receives its contributions in one fixed order (window, row, run, level, probe, pixel, tap):
//! neither the number of threads nor the number of bands can change a bit.

use super::filters::Filter;
use super::gather::gather_window;
use super::levels::{Level, Levels, Pixel};
use super::taps::{RUN, Run, Taps, resolve};
use super::visible::Visible;
use super::window::Window;
use crate::plan::{Edge, Size};
use crate::spans::{Rect, fill};
use rayon::prelude::*;

/// Bands per thread, for load balancing.
const BANDS_PER_THREAD: usize = 2;

/// The scratch memory of `scatter`: gradients of the levels, and window gradients before the filters.
#[derive(Debug, Clone)]
pub struct ScatterScratch {
    gradients: Levels,
    windows: Vec<Pixel>,
    planes: Vec<f32>,
}

impl ScatterScratch {
    /// Creates the scratch for a canvas of a size.
    pub fn new(size: Size) -> ScatterScratch {
        ScatterScratch { gradients: Levels::new(size), windows: Vec::new(), planes: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn levels(&mut self) -> &mut Levels {
        &mut self.gradients
    }
}

/// Scatters window gradients `[N, 3, S, S]` to the gradient of the pixels `[3, A]` that `levels.build` was given, for the
/// same windows as `gather`, which see no more than what is visible. Overwrites `pixel_gradient`. The levels are those
/// that were gathered from: filters that are not linear are given their windows once more.
///
/// # Panics
/// If a slice has the wrong length, or if a window was drawn for another side.
pub fn scatter(
    levels: &Levels,
    windows: &[Window],
    side: u32,
    gradients: &[f32],
    scratch: &mut ScatterScratch,
    visible: &Visible,
    pixel_gradient: &mut [f32],
) {
    let area = side as usize * side as usize;
    assert_eq!(gradients.len(), windows.len() * 3 * area, "not the length of the windows");
    assert!(windows.iter().all(|window| window.side == side), "a window of another side");
    if windows.is_empty() {
        return fill(pixel_gradient, 0.0);
    }
    let seen = levels;
    let ScatterScratch { gradients: levels, windows: pulled, planes } = scratch;
    before_filters(seen, windows, side as usize, gradients, planes, pulled);

    let last = levels.last();
    let ranges: Vec<(usize, usize)> = windows.iter().map(|window| window.levels(last)).collect();
    let finest = ranges.iter().map(|range| range.0).min().unwrap_or(0);
    let coarsest = ranges.iter().map(|range| range.1).max().unwrap_or(last);
    levels.clear(finest, coarsest, visible);

    let threads = rayon::current_num_threads();
    let cuts = cuts(windows, levels, if threads == 1 { 1 } else { BANDS_PER_THREAD * threads });
    let bands = bands(levels, &cuts);
    bands.into_par_iter().for_each(|mut band| {
        for ((window, &range), gradient) in windows.iter().zip(&ranges).zip(pulled.chunks_exact(area)) {
            band.add_window(window, range, last, gradient);
        }
    });
    levels.build_adjoint(finest, coarsest, visible, pixel_gradient);
}

/// What a thread needs to go back through a window's filters.
#[derive(Default)]
struct FilterScratch {
    line: Vec<f32>,
    window: Vec<f32>,
    /// What each filter that is not linear was given, in written order.
    inputs: Vec<Vec<f32>>,
}

impl FilterScratch {
    /// Looks through a window once more, as far as its last filter that is not linear. To keep these windows from `gather` on would take
    /// memory for every window of a step.
    fn see(&mut self, levels: &Levels, window: &Window, side: usize) {
        self.inputs.clear();
        let Some(last) = window.filters.iter().rposition(Filter::bends) else { return };
        self.window.resize(3 * side * side, 0.0);
        gather_window(levels, window, &mut self.window);
        for filter in &window.filters[..=last] {
            if filter.bends() {
                self.inputs.push(self.window.clone());
            }
            filter.apply(&mut self.window, side, &mut self.line);
        }
    }
}

/// Computes the gradients before the filters, with lanes interleaved, `[N, S, S]`.
fn before_filters(
    seen: &Levels,
    windows: &[Window],
    side: usize,
    after: &[f32],
    planes: &mut Vec<f32>,
    before: &mut Vec<Pixel>,
) {
    let area = side * side;
    planes.resize(after.len(), 0.0);
    before.resize(windows.len() * area, [0.0; 4]);
    before
        .par_chunks_exact_mut(area)
        .zip(planes.par_chunks_exact_mut(3 * area))
        .zip(after.par_chunks_exact(3 * area).zip(windows))
        .for_each_init(FilterScratch::default, |scratch, ((before, planes), (after, window))| {
            let filtered = if window.filters.is_empty() {
                after
            } else {
                planes.copy_from_slice(after);
                scratch.see(seen, window, side);
                for filter in window.filters.iter().rev() {
                    let input = if filter.bends() { scratch.inputs.pop() } else { None };
                    filter.adjoint(input.as_deref().unwrap_or_default(), planes, side, &mut scratch.line);
                }
                planes
            };
            let (red, rest) = filtered.split_at(area);
            let (green, blue) = rest.split_at(area);
            for (before, (red, (green, blue))) in before.iter_mut().zip(red.iter().zip(green.iter().zip(blue))) {
                *before = [*red, *green, *blue, 0.0];
            }
        });
}

/// Returns where to cut the canvas's height (as fractions, 0 and 1 included) so that all bands have about the same work.
fn cuts(windows: &[Window], levels: &Levels, bands: usize) -> Vec<f64> {
    const BINS: usize = 256;
    let mut load = [1e-3; BINS];
    let bin = BINS as f64 / levels.levels[0].height as f64;
    for window in windows {
        let ys = window.corners().map(|corner| corner[1] * bin);
        let clip = |y: f64| (y.clamp(0.0, BINS as f64 - 1.0)) as usize;
        let low = clip(ys.into_iter().fold(f64::INFINITY, f64::min));
        let high = clip(ys.into_iter().fold(f64::NEG_INFINITY, f64::max));
        for load in &mut load[low..=high] {
            *load += 1.0 / (high - low + 1) as f64;
        }
    }
    let total: f64 = load.iter().sum();
    let mut cuts = vec![0.0];
    let mut sum = 0.0;
    for (bin, load) in load.iter().enumerate() {
        sum += load;
        if sum >= total * cuts.len() as f64 / bands as f64 && cuts.len() < bands {
            cuts.push((bin + 1) as f64 / BINS as f64);
        }
    }
    cuts.push(1.0);
    cuts
}

/// The rows of one level that a band owns.
struct Rows<'a> {
    low: usize,
    high: usize,
    /// What islands there are in rows `low..high`.
    pieces: Vec<Piece<'a>>,
    /// The number of the piece that was written last.
    last: usize,
    /// The width of the whole level.
    width: usize,
    /// The height of the whole level.
    height: usize,
    scale: [f64; 2],
}

/// Rows of an island.
struct Piece<'a> {
    rect: Rect,
    pixels: &'a mut [Pixel],
}

/// The part of every level that lies between two cuts.
struct Band<'a> {
    levels: Vec<Rows<'a>>,
}

fn bands<'a>(levels: &'a mut Levels, cuts: &[f64]) -> Vec<Band<'a>> {
    let mut bands: Vec<Band> = cuts.windows(2).map(|_| Band { levels: Vec::new() }).collect();
    let scales: Vec<[f64; 2]> = (0..levels.levels.len()).map(|index| levels.scale(index)).collect();
    for (level, scale) in levels.levels.iter_mut().zip(scales) {
        let Level { width, height, ref part, ref mut pixels } = *level;
        let row = |cut: f64| (cut * height as f64).round() as usize;
        for (band, cut) in bands.iter_mut().zip(cuts.windows(2)) {
            let (low, high) = (row(cut[0]), row(cut[1]));
            band.levels.push(Rows { low, high, pieces: Vec::new(), last: 0, width, height, scale });
        }
        let mut rest = pixels.as_mut_slice();
        for rect in part.rects() {
            for rows in bands.iter_mut().filter_map(|band| band.levels.last_mut()) {
                let own = rect.rows.start.max(rows.low)..rect.rows.end.min(rows.high);
                let length = own.len() * rect.columns.len();
                if length > 0 {
                    let (pixels, after) = rest.split_at_mut(length);
                    rest = after;
                    rows.pieces.push(Piece { rect: Rect { columns: rect.columns.clone(), rows: own }, pixels });
                }
            }
        }
    }
    bands
}

impl Band<'_> {
    /// Adds the part of a window's gradient `[S, S]` that falls into the band.
    fn add_window(&mut self, window: &Window, range: (usize, usize), last: usize, gradient: &[Pixel]) {
        let side = window.side as usize;
        let steady = window.steady(last);
        for (row, gradient) in gradient.chunks_exact(side).enumerate() {
            let v = row as f64 + 0.5;
            let ends = [window.map.apply([0.0, v])[1], window.map.apply([side as f64, v])[1]];
            if !self.may_touch(ends, window, range) {
                continue;
            }
            for (start, gradient) in (0..side).step_by(RUN).zip(gradient.chunks(RUN)) {
                let run = Run::new(window, row, start, steady, last);
                if self.may_touch([run.y[0], run.y[run.length - 1]], window, range) {
                    self.add_run(window.edge, &run, gradient);
                }
            }
        }
    }

    /// Returns whether samples between two heights on the canvas could touch the band at any of the levels. May return true for
    /// samples that do not.
    fn may_touch(&self, ends: [f64; 2], window: &Window, (finest, coarsest): (usize, usize)) -> bool {
        // Taps lie within two pixels of a sample.
        const MARGIN: f64 = 2.0;
        let (top, bottom) = (ends[0].min(ends[1]) - window.reach(), ends[0].max(ends[1]) + window.reach());
        self.levels[finest..=coarsest].iter().any(|rows| {
            let (low, high) = (top * rows.scale[1] - MARGIN, bottom * rows.scale[1] + MARGIN);
            let beyond = low < 0.0 || high > rows.height as f64;
            let folded = beyond && !matches!(window.edge, Edge::Fill(_));
            rows.low < rows.high && (folded || (high >= rows.low as f64 && low <= rows.high as f64))
        })
    }

    fn add_run(&mut self, edge: Edge, run: &Run, gradient: &[Pixel]) {
        for (index, share) in run.footprint.shares() {
            let rows = &mut self.levels[index];
            for probe in 0..run.footprint.probes {
                let taps = Taps::new(run, probe, share, rows.scale);
                let inside = taps.rect(rows.width, rows.low, rows.high);
                match inside.and_then(|rect| rows.piece(&rect)) {
                    Some(piece) => piece.add(&taps, gradient),
                    None => rows.add_anywhere(&taps, edge, gradient),
                }
            }
        }
    }
}

impl Piece<'_> {
    /// Where a pixel is.
    fn at(&self, x: usize, y: usize) -> usize {
        (y - self.rect.rows.start) * self.rect.columns.len() + (x - self.rect.columns.start)
    }

    /// Adds the gradient of samples that lie in it.
    fn add(&mut self, taps: &Taps, gradient: &[Pixel]) {
        let width = self.rect.columns.len();
        for (k, gradient) in gradient.iter().enumerate() {
            let first = self.at(taps.column[k] as usize, taps.row[k] as usize);
            let weights = taps.weights.map(|weights| weights[k]);
            let upper = &mut self.pixels[first..first + 2];
            for lane in 0..4 {
                upper[0][lane] += weights[0] * gradient[lane];
                upper[1][lane] += weights[1] * gradient[lane];
            }
            let lower = &mut self.pixels[first + width..first + width + 2];
            for lane in 0..4 {
                lower[0][lane] += weights[2] * gradient[lane];
                lower[1][lane] += weights[3] * gradient[lane];
            }
        }
    }
}

impl<'a> Rows<'a> {
    /// The piece that a rectangle lies in.
    fn piece(&mut self, rect: &Rect) -> Option<&mut Piece<'a>> {
        if !self.pieces.get(self.last).is_some_and(|piece| piece.rect.holds(rect)) {
            self.last = self.pieces.iter().position(|piece| piece.rect.holds(rect))?;
        }
        self.pieces.get_mut(self.last)
    }

    fn add_anywhere(&mut self, taps: &Taps, edge: Edge, gradient: &[Pixel]) {
        for (k, gradient) in gradient.iter().enumerate() {
            let (column, row) = (i64::from(taps.column[k]), i64::from(taps.row[k]));
            let rows = [row, row + 1]
                .map(|row| resolve(row, self.height, edge).filter(|row| (self.low..self.high).contains(row)));
            if rows == [None, None] {
                continue;
            }
            let columns = [column, column + 1].map(|column| resolve(column, self.width, edge));
            for (tap, weights) in taps.weights.iter().enumerate() {
                if let (Some(row), Some(column)) = (rows[tap / 2], columns[tap % 2]) {
                    let here =
                        |piece: &&mut Piece<'_>| piece.rect.rows.contains(&row) && piece.rect.columns.contains(&column);
                    // All that windows see is there.
                    let Some(piece) = self.pieces.iter_mut().find(here) else { continue };
                    let at = piece.at(column, row);
                    let to = &mut piece.pixels[at];
                    for lane in 0..4 {
                        to[lane] += weights[k] * gradient[lane];
                    }
                }
            }
        }
    }
}
