//! Runs of samples, and the pixels of a level that they touch.

use super::footprint::Footprint;
use super::window::Window;
use crate::plan::Edge;
use crate::spans::Rect;

/// Window pixels in a run. The footprint is computed once per run, at its middle, because the level of detail changes slowly. A
/// power of two suits vector registers.
pub(super) const RUN: usize = 8;

/// Adding and subtracting this rounds to the nearest whole number without a function call on processors that lack such an
/// instruction. The sum's low bits are the whole number itself.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// Positions are clamped to this, so they fit 32 bits whatever a recipe asks for.
const FURTHEST: f64 = 1e9;

/// A run of neighbouring window pixels of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Pixels in the run, 1 to [`RUN`]; the arrays' further entries continue it.
    pub length: usize,
    /// The positions of their centres on the canvas, in pixels.
    pub x: [f64; RUN],
    pub y: [f64; RUN],
    pub footprint: Footprint,
}

impl Run {
    /// Creates the run of a window's row that begins at a column. `steady` is the footprint of an affine window.
    pub fn new(window: &Window, row: usize, start: usize, steady: Option<Footprint>, last: usize) -> Run {
        let m = &window.map.0;
        let length = (window.side as usize - start).min(RUN);
        let v = row as f64 + 0.5;
        let base = [0, 1, 2].map(|i| m[i][1] * v + m[i][2]);
        let (mut x, mut y) = ([0.0; RUN], [0.0; RUN]);
        let first = start as f64 + 0.5;
        for k in 0..RUN {
            let u = first + k as f64;
            x[k] = m[0][0] * u + base[0];
            y[k] = m[1][0] * u + base[1];
        }
        let footprint = steady.unwrap_or_else(|| {
            for k in 0..RUN {
                let depth = m[2][0] * (first + k as f64) + base[2];
                let inverse = 1.0 / depth;
                x[k] *= inverse;
                y[k] *= inverse;
            }
            window.footprint([start as f64 + 0.5 * length as f64, v], last)
        });
        Run { length, x, y, footprint }
    }
}

impl Window {
    /// Returns the footprint that all pixels of an affine window share.
    pub(super) fn steady(&self, last: usize) -> Option<Footprint> {
        let middle = 0.5 * f64::from(self.side);
        self.map.is_affine().then(|| self.footprint([middle, middle], last))
    }
}

/// For each sample of a run at one level: the upper left of the four pixels around it, and the weights of the four.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    pub column: [i32; RUN],
    pub row: [i32; RUN],
    /// Upper left, upper right, lower left, lower right; their sum is the sample's share in its window pixel.
    pub weights: [[f32; RUN]; 4],
    /// The range of `row`.
    rows: (i32, i32),
    /// The range of `column`.
    columns: (i32, i32),
}

impl Taps {
    /// Creates the taps of probe number `probe` with its share. `scale` is the factor from canvas pixels to pixels of the
    /// level, along x and y.
    pub fn new(run: &Run, probe: u32, share: f32, scale: [f64; 2]) -> Taps {
        let Footprint { probes, step, .. } = run.footprint;
        let offset = f64::from(probe) - 0.5 * f64::from(probes - 1);
        let (column, across) = split(&run.x, offset * step[0], scale[0]);
        let (row, along) = split(&run.y, offset * step[1], scale[1]);
        let mut weights = [[0.0; RUN]; 4];
        for k in 0..RUN {
            let right = share * across[k];
            let left = share - right;
            weights[2][k] = left * along[k];
            weights[3][k] = right * along[k];
            weights[0][k] = left - weights[2][k];
            weights[1][k] = right - weights[3][k];
        }
        Taps { column, row, weights, rows: range(&row[..run.length]), columns: range(&column[..run.length]) }
    }

    /// Returns the rectangle of all four pixels of every sample, if it is inside a level of this width, and rows `low..high`.
    pub fn rect(&self, width: usize, low: usize, high: usize) -> Option<Rect> {
        let inside = self.columns.0 >= 0
            && (self.columns.1 as i64) + 1 < width as i64
            && i64::from(self.rows.0) >= low as i64
            && i64::from(self.rows.1) + 1 < high as i64;
        let range = |(first, last): (i32, i32)| first as usize..last as usize + 2;
        inside.then(|| Rect { columns: range(self.columns), rows: range(self.rows) })
    }
}

/// Splits positions in pixels of a level into whole part and fraction, measured from pixel centres.
///
/// Subtracting a half and rounding to nearest rounds down. A whole number may come out one lower, with a fraction of 1, which
/// denotes the same point between pixels.
fn split(at: &[f64; RUN], offset: f64, scale: f64) -> ([i32; RUN], [f32; RUN]) {
    let (mut whole, mut fraction) = ([0; RUN], [0.0; RUN]);
    for k in 0..RUN {
        let position = ((at[k] + offset) * scale - 0.5).clamp(-FURTHEST, FURTHEST);
        let rounded = (position - 0.5) + ROUND;
        whole[k] = rounded.to_bits() as i32;
        fraction[k] = (position - (rounded - ROUND)) as f32;
    }
    (whole, fraction)
}

/// Returns the range of the positions of a run, whose last sample is the last of `values`. Entries beyond the run may lie
/// outside the window, even behind the horizon.
fn range(values: &[i32]) -> (i32, i32) {
    // Positions are monotonic along a run.
    let (first, last) = (values.first().copied().unwrap_or(0), values.last().copied().unwrap_or(0));
    (first.min(last), first.max(last))
}

/// Returns the pixel for an index along a side of `count` pixels; `None` means the fill colour.
pub(super) fn resolve(index: i64, count: usize, edge: Edge) -> Option<usize> {
    let n = count as i64;
    Some(match edge {
        _ if (0..n).contains(&index) => index,
        Edge::Fill(_) => return None,
        Edge::Clamp => index.clamp(0, n - 1),
        Edge::Wrap => index.rem_euclid(n),
        Edge::Mirror => {
            let there = index.rem_euclid(2 * n);
            there.min(2 * n - 1 - there)
        }
    } as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        let along = |edge| (-4..7).map(|i| resolve(i, 3, edge)).collect::<Vec<_>>();
        let some = |indices: [usize; 11]| indices.map(Some).to_vec();
        assert_eq!(along(Edge::Mirror), some([2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]));
        assert_eq!(along(Edge::Wrap), some([2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]));
        assert_eq!(along(Edge::Clamp), some([0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]));
        assert_eq!(along(Edge::Fill([0.0; 3]))[3..8], [None, Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn positions_split_into_pixel_and_fraction() {
        let at = [0.5, 1.0, 1.5, 2.25, -0.75, -3.5, 100_000.5, 100_000.25];
        let (whole, fraction) = split(&at, 0.0, 1.0);
        for k in 0..RUN {
            let position = f64::from(whole[k]) + f64::from(fraction[k]) + 0.5;
            assert!((position - at[k]).abs() < 1e-6, "{position} {}", at[k]);
            assert!((0.0..=1.0).contains(&fraction[k]));
        }
    }
}
