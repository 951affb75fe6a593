//! Upsampling by cubic B-splines, with its adjoint; and by Catmull-Rom splines where values are to be kept rather than
//! smoothed.
//!
//! Every coarse pixel spreads as a cubic B-spline around its centre: smooth to the second derivative, so no grid shows, and
//! never beyond the range of the coarse values. Beyond the edge the last pixel is repeated.

use std::ops::Range;

use rayon::prelude::*;

use crate::spans::{Place, Rect, Spans, fit};

/// One side, from coarse to fine.
#[derive(Debug, Clone)]
struct Side {
    coarse: usize,
    fine: usize,
    /// For every fine pixel, the first of four coarse ones and their weights.
    up: Vec<(usize, [f32; 4])>,
    /// For every coarse pixel, the start of its part of `entries`.
    starts: Vec<usize>,
    /// Fine pixels and weights.
    entries: Vec<(usize, f32)>,
}

/// The weights of four neighbours, for x from 0 to 1 between the middle two, and the sum of the weights.
type Kernel = fn(f64) -> ([f64; 4], f64);

/// The cubic B-spline.
fn b_spline(x: f64) -> ([f64; 4], f64) {
    let weights = [
        (1.0 - x).powi(3),
        3.0 * x.powi(3) - 6.0 * x * x + 4.0,
        -3.0 * x.powi(3) + 3.0 * x * x + 3.0 * x + 1.0,
        x.powi(3),
    ];
    (weights, 6.0)
}

/// The Catmull-Rom spline ("A class of local interpolating splines", 1974): it passes through the values, and may overshoot
/// between them.
fn catmull_rom(x: f64) -> ([f64; 4], f64) {
    let (square, cube) = (x * x, x.powi(3));
    let weights =
        [-cube + 2.0 * square - x, 3.0 * cube - 5.0 * square + 2.0, -3.0 * cube + 4.0 * square + x, cube - square];
    (weights, 2.0)
}

impl Side {
    fn new(coarse: usize, fine: usize, kernel: Kernel) -> Side {
        let first = coarse.saturating_sub(4);
        let mut up = Vec::with_capacity(fine);
        let mut spread = vec![Vec::new(); coarse];
        for i in 0..fine {
            let position = (i as f64 + 0.5) * coarse as f64 / fine as f64 - 0.5;
            let whole = position.floor();
            let x = position - whole;
            let (spline, sum) = kernel(x);
            let start = (whole as i64 - 1).clamp(0, first as i64);
            let mut weights = [0.0; 4];
            for (tap, weight) in spline.into_iter().enumerate() {
                let pixel = (whole as i64 - 1 + tap as i64).clamp(0, coarse as i64 - 1);
                weights[(pixel - start) as usize] += weight / sum;
            }
            let weights = weights.map(|weight| weight as f32);
            for (tap, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight != 0.0) {
                spread[start as usize + tap].push((i, weight));
            }
            up.push((start as usize, weights));
        }
        let mut starts = vec![0];
        for list in &spread {
            starts.push(starts[starts.len() - 1] + list.len());
        }
        Side { coarse, fine, up, starts, entries: spread.concat() }
    }

    fn spread(&self, pixel: usize) -> &[(usize, f32)] {
        &self.entries[self.starts[pixel]..self.starts[pixel + 1]]
    }

    /// The coarse pixels that fine ones are made of.
    fn coarse_of(&self, fine: Range<usize>) -> Range<usize> {
        let end = fine.end.checked_sub(1).map_or(0, |last| (self.up[last].0 + 4).min(self.coarse));
        self.up.get(fine.start).map_or(0, |up| up.0)..end
    }

    /// The fine pixels that coarse ones are part of.
    fn fine_of(&self, coarse: Range<usize>) -> Range<usize> {
        let entries = &self.entries[self.starts[coarse.start]..self.starts[coarse.end]];
        entries.iter().map(|entry| entry.0).min().unwrap_or(0)
            ..entries.iter().map(|entry| entry.0 + 1).max().unwrap_or(0)
    }
}

/// Upsampling of three planes from one size to another.
#[derive(Debug, Clone)]
pub(super) struct Upsample {
    across: Side,
    along: Side,
    /// Between the two: as high as the coarse one and as wide as the fine one, a part for each island of a part.
    scratch: Vec<f32>,
}

impl Upsample {
    /// Creates a B-spline upsampling between two sizes (width, height).
    pub fn new(coarse: (usize, usize), fine: (usize, usize)) -> Upsample {
        Upsample::by(b_spline, coarse, fine)
    }

    /// Creates an upsampling between two sizes (width, height) that passes through the coarse values.
    pub fn through_values(coarse: (usize, usize), fine: (usize, usize)) -> Upsample {
        Upsample::by(catmull_rom, coarse, fine)
    }

    fn by(kernel: Kernel, coarse: (usize, usize), fine: (usize, usize)) -> Upsample {
        Upsample {
            across: Side::new(coarse.0, fine.0, kernel),
            along: Side::new(coarse.1, fine.1, kernel),
            scratch: Vec::new(),
        }
    }

    /// Computes fine = upsampled coarse, both `[3, height, width]`.
    pub fn spread(&mut self, coarse: &[f32], fine: &mut [f32]) {
        let whole = Spans::whole(self.across.coarse, self.along.coarse);
        self.across_rows((coarse, &whole), &Spans::whole(self.across.fine, self.along.coarse));
        let (width, along, scratch) = (self.across.fine, &self.along, &self.scratch);
        fine.par_chunks_exact_mut(width).enumerate().for_each(|(row, to)| {
            let (channel, y) = (row / along.fine, row % along.fine);
            let (start, weights) = along.up[y];
            let [a, b, c, d] = [0, 1, 2, 3]
                .map(|tap| &scratch[(channel * along.coarse + (start + tap).min(along.coarse - 1)) * width..][..width]);
            for (x, to) in to.iter_mut().enumerate() {
                *to = weights[0] * a[x] + weights[1] * b[x] + weights[2] * c[x] + weights[3] * d[x];
            }
        });
    }

    /// Returns the coarse pixels that a rectangle of the fine ones is made of.
    pub fn coarse_of(&self, fine: Rect) -> Rect {
        Rect { columns: self.across.coarse_of(fine.columns), rows: self.along.coarse_of(fine.rows) }
    }

    /// Computes a part of fine = upsampled coarse + gain own. `own` is `[3, height, width]`; the others are parts, `[3, A]`, that of the
    /// coarse one with all that the fine one is made of.
    pub fn forward(&mut self, coarse: (&[f32], &Spans), own: &[f32], gain: f32, (fine, part): (&mut [f32], &Spans)) {
        let between = part.rects().map(|rect| Rect { rows: self.along.coarse_of(rect.rows), ..rect });
        let between = self.between(between);
        self.across_rows(coarse, &between);
        let (width, along, scratch) = (self.across.fine, &self.along, &self.scratch);
        part.for_each_row(fine, |Place { plane, island, y, x, .. }, to| {
            let own = &own[(plane * along.fine + y) * width + x..][..to.len()];
            let (start, weights) = along.up[y];
            let from = &between.islands()[island];
            // Weights beyond a side of less than four pixels are 0.
            let [a, b, c, d] = [0, 1, 2, 3].map(|tap| {
                let at = plane * between.area() + from.at(x, (start + tap).min(along.coarse - 1));
                &scratch[at..at + to.len()]
            });
            for (x, (to, own)) in to.iter_mut().zip(own).enumerate() {
                *to = gain * own + weights[0] * a[x] + weights[1] * b[x] + weights[2] * c[x] + weights[3] * d[x];
            }
        });
    }

    /// Parts of the scratch, each for itself: where several overlap, there are as many copies.
    fn between(&self, rects: impl IntoIterator<Item = Rect>) -> Spans {
        Spans::each(self.across.fine, self.along.coarse, rects)
    }

    /// Upsamples a part's rows along x, into a part of the scratch.
    fn across_rows(&mut self, (coarse, coarse_part): (&[f32], &Spans), part: &Spans) {
        let across = &self.across;
        fit(&mut self.scratch, 3 * part.area());
        part.for_each_row(&mut self.scratch, |Place { plane, y, x, .. }, to| {
            let columns = across.coarse_of(x..x + to.len());
            let seen = Rect { columns: columns.clone(), rows: y..y + 1 };
            let Some(island) = coarse_part.island_of(&seen, &mut 0) else { return };
            let from = &coarse[plane * coarse_part.area() + island.at(columns.start, y)..][..columns.len()];
            for (to, (start, weights)) in to.iter_mut().zip(&across.up[x..]) {
                let start = start - columns.start;
                *to = match from.get(start..start + 4) {
                    Some(taps) => taps.iter().zip(weights).map(|(tap, weight)| tap * weight).sum(),
                    None => from.iter().zip(weights).map(|(tap, weight)| tap * weight).sum(),
                };
            }
        });
    }

    /// Computes a part of coarse = the adjoint applied to a part of fine, both `[3, A]`; the rest of the fine one counts as 0.
    pub fn adjoint(&mut self, (fine, part): (&[f32], &Spans), (coarse, coarse_part): (&mut [f32], &Spans)) {
        let between = coarse_part.rects().map(|rect| Rect { columns: self.across.fine_of(rect.columns), ..rect });
        let between = self.between(between);
        let (across, along) = (&self.across, &self.along);
        fit(&mut self.scratch, 3 * between.area());
        between.for_each_row(&mut self.scratch, |Place { plane, y, x: start, .. }, to| {
            let end = start + to.len();
            to.fill(0.0);
            for &(y, weight) in along.spread(y) {
                for (_, island) in part.row(y) {
                    let columns = &island.rect.columns;
                    let columns = columns.start.max(start)..columns.end.min(end);
                    if columns.is_empty() {
                        continue;
                    }
                    let at = plane * part.area() + island.at(columns.start, y);
                    let from = &fine[at..at + columns.len()];
                    let to = &mut to[columns.start - start..columns.end - start];
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from);
                }
            }
        });
        let scratch = &self.scratch;
        coarse_part.for_each_row(coarse, |Place { plane, island, y, x, .. }, to| {
            let from = &between.islands()[island];
            let first = from.rect.columns.start;
            let from = &scratch[plane * between.area() + from.at(first, y)..][..from.stride()];
            for (x, to) in (x..).zip(to) {
                *to = across.spread(x).iter().map(|&(x, weight)| weight * from[x - first]).sum();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::tests::{dot, random};

    #[test]
    fn adjoint_is_the_adjoint() {
        for (coarse, fine) in [((8, 8), (16, 16)), ((5, 9), (11, 17)), ((1, 3), (3, 5)), ((20, 8), (20, 9))] {
            let mut upsample = Upsample::new(coarse, fine);
            let a = random(3 * coarse.0 * coarse.1, 1);
            let b = random(3 * fine.0 * fine.1, 2);
            let mut up = vec![f32::NAN; b.len()];
            let wholes = [coarse, fine].map(|(width, height)| Spans::whole(width, height));
            upsample.forward((&a, &wholes[0]), &b, 0.0, (&mut up, &wholes[1]));
            let mut down = vec![f32::NAN; a.len()];
            upsample.adjoint((&b, &wholes[1]), (&mut down, &wholes[0]));
            let (one, other) = (dot(&up, &b), dot(&a, &down));
            assert!((one - other).abs() < 1e-5 * one.abs(), "{one} {other}");
            let mut alone = vec![f32::NAN; b.len()];
            upsample.spread(&a, &mut alone);
            assert!(alone.iter().zip(&up).all(|(alone, up)| (alone - up).abs() < 1e-6));
        }
    }

    #[test]
    fn parts_are_those_of_the_whole() {
        for (coarse, fine) in [((40, 30), (80, 60)), ((41, 29), (83, 57))] {
            let mut upsample = Upsample::new(coarse, fine);
            let (a, b) = (random(3 * coarse.0 * coarse.1, 1), random(3 * fine.0 * fine.1, 2));
            let rects = [(3..20, 8..30), (50..80, 25..57)].map(|(columns, rows)| Rect { columns, rows });
            let part = Spans::of(fine.0, fine.1, rects.clone());
            let coarse_part = Spans::of(coarse.0, coarse.1, rects.map(|rect| upsample.coarse_of(rect)));
            assert!(!part.is_whole() && !coarse_part.is_whole());
            let [coarse_whole, whole] = [coarse, fine].map(|(width, height)| Spans::whole(width, height));
            let cut = |spans: &Spans, planes: &[f32]| {
                let mut part = Vec::new();
                spans.cut(planes, &mut part);
                part
            };
            let (mut some, mut all) = (vec![f32::NAN; 3 * part.area()], vec![f32::NAN; b.len()]);
            upsample.forward((&cut(&coarse_part, &a), &coarse_part), &b, 0.5, (&mut some, &part));
            upsample.forward((&a, &coarse_whole), &b, 0.5, (&mut all, &whole));
            assert!(some == cut(&part, &all));

            let mut zero = vec![0.0; b.len()];
            let area = fine.0 * fine.1;
            for (at, (zero, value)) in zero.iter_mut().zip(&b).enumerate() {
                if part.find(at % area % fine.0, at % area / fine.0).is_some() {
                    *zero = *value;
                }
            }
            let (mut some, mut all) = (vec![f32::NAN; 3 * coarse_part.area()], vec![f32::NAN; a.len()]);
            upsample.adjoint((&cut(&part, &b), &part), (&mut some, &coarse_part));
            upsample.adjoint((&zero, &whole), (&mut all, &coarse_whole));
            assert!(some == cut(&coarse_part, &all));
            assert!(
                all.iter().map(|value| value.abs()).sum::<f32>()
                    <= 1.001 * some.iter().map(|value| value.abs()).sum::<f32>()
            );
        }
    }

    #[test]
    fn catmull_rom_goes_through_the_values() {
        let mut upsample = Upsample::through_values((7, 5), (21, 15));
        let coarse = random(3 * 7 * 5, 4);
        let mut fine = vec![0.0; 3 * 21 * 15];
        upsample.spread(&coarse, &mut fine);
        // Three times finer: every third pixel has the centre of a coarse one.
        for (i, value) in coarse.iter().enumerate() {
            let (row, x) = (i / 7, i % 7);
            let here = fine[(row / 5 * 15 + row % 5 * 3 + 1) * 21 + x * 3 + 1];
            assert!((here - value).abs() < 1e-6, "{here} {value}");
        }
        upsample.spread(&[0.25; 3 * 7 * 5], &mut fine);
        assert!(fine.iter().all(|value| (value - 0.25).abs() < 1e-6));
    }

    #[test]
    fn flat_stays_flat_and_slopes_stay_straight() {
        let mut upsample = Upsample::new((12, 9), (25, 18));
        let (mut up, whole, coarse) = (vec![0.0; 3 * 25 * 18], Spans::whole(25, 18), Spans::whole(12, 9));
        upsample.forward((&[0.3; 3 * 12 * 9], &coarse), &vec![1.0; 3 * 25 * 18], 0.5, (&mut up, &whole));
        assert!(up.iter().all(|x| (x - 0.8).abs() < 1e-6));
        let slope: Vec<f32> = (0..3 * 12 * 9).map(|i| (i % 12) as f32).collect();
        upsample.forward((&slope, &coarse), &vec![0.0; 3 * 25 * 18], 0.0, (&mut up, &whole));
        for (x, value) in up.iter().enumerate().take(20).skip(5) {
            assert!((value - ((x as f32 + 0.5) * 12.0 / 25.0 - 0.5)).abs() < 1e-5);
        }
    }
}
