//! The pyramid of shrunk pictures that windows are sampled from, and its adjoint.
//!
//! Level 0 is the picture; each further level halves both sides, rounding down, until both are 1. A pixel is the mean of the
//! area it covers: 2 x 2 pixels where sides are even, slightly more along an odd side (three pixels, the outer two in part). So
//! every level has the picture's mean, and coordinates scale by the ratio of the sides.
//!
//! Pixels are stored as four lanes (red, green, blue, unused), which fill one vector register.

use std::ops::Range;

use rayon::prelude::*;

use super::visible::Visible;
use crate::plan::Size;
use crate::spans::{Island, Place, ROWS, Rect, Spans, fill, fit};

/// Red, green, blue, and a lane that is always 0.
pub(super) type Pixel = [f32; 4];

/// One level.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub width: usize,
    pub height: usize,
    /// The part of it that there is.
    pub part: Spans,
    /// The part's pixels.
    pub pixels: Vec<Pixel>,
}

impl Level {
    /// Makes it a part, whatever its pixels then are.
    fn take(&mut self, part: &Spans) {
        self.part.clone_from(part);
        fit(&mut self.pixels, part.area());
    }
}

/// How one side shrinks to the next level.
#[derive(Debug, Clone)]
struct Shrink {
    /// For every coarse pixel, its first fine pixel and the weights of three; weights beyond the side are 0.
    down: Vec<(usize, [f32; 3])>,
    /// For every fine pixel, its first coarse pixel and the weights of two.
    up: Vec<(usize, [f32; 2])>,
    /// Whether this is a plain halving.
    even: bool,
}

impl Shrink {
    fn new(fine: usize) -> Shrink {
        let coarse = (fine / 2).max(1);
        let down: Vec<(usize, [f32; 3])> = (0..coarse)
            .map(|i| match fine {
                1 => (0, [1.0, 0.0, 0.0]),
                _ if fine.is_multiple_of(2) => (2 * i, [0.5, 0.5, 0.0]),
                _ => {
                    // Pixel i covers fine / coarse = 2 + 1 / coarse pixels from 2 i + i / coarse on.
                    let (i, m) = (i as f64, coarse as f64);
                    let area = 2.0 + 1.0 / m;
                    (2 * i as usize, [1.0 - i / m, 1.0, (i + 1.0) / m].map(|part| (part / area) as f32))
                }
            })
            .collect();
        let mut up = vec![(usize::MAX, [0.0; 2]); fine];
        for (i, &(start, weights)) in down.iter().enumerate() {
            for (tap, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                let (first, both) = &mut up[start + tap];
                if *first == usize::MAX {
                    *first = i;
                }
                both[i - *first] = weight;
            }
        }
        // Shifts the last entries so that both taps can always be read; the weight of the added tap is 0.
        for (first, both) in &mut up {
            if *first + 1 >= coarse && coarse > 1 {
                *both = if *first + 1 == coarse { [both[1], both[0]] } else { *both };
                *first = coarse - 2;
            }
        }
        Shrink { down, up, even: fine.is_multiple_of(2) }
    }
}

/// The sides of all levels, and how they follow from each other.
#[derive(Debug, Clone)]
struct Chain {
    sides: Vec<(usize, usize)>,
    /// Along x and y, from each level to the next.
    shrinks: Vec<[Shrink; 2]>,
}

impl Chain {
    fn new(size: Size) -> Chain {
        let sides = sides(size);
        let finer = &sides[..sides.len() - 1];
        let shrinks = finer.iter().map(|&(width, height)| [Shrink::new(width), Shrink::new(height)]).collect();
        Chain { sides, shrinks }
    }
}

/// Returns the sides (width, height) of all levels.
pub(super) fn sides(size: Size) -> Vec<(usize, usize)> {
    let mut sides = vec![(size.width as usize, size.height as usize)];
    while let Some(&(width, height)) = sides.last().filter(|side| **side != (1, 1)) {
        sides.push(((width / 2).max(1), (height / 2).max(1)));
    }
    sides
}

/// Returns the memory of one chain of levels in bytes.
pub(super) fn memory_needed(size: Size) -> u64 {
    let pixels: u64 = sides(size).into_iter().map(|(width, height)| width as u64 * height as u64).sum();
    pixels * size_of::<Pixel>() as u64
}

/// The chain of shrunk pictures.
#[derive(Debug, Clone)]
pub struct Levels {
    chain: Chain,
    pub(super) levels: Vec<Level>,
    /// Whether they were last built from the whole picture.
    whole: bool,
}

impl Levels {
    /// Creates the levels for a canvas of a size; they begin with no part of it.
    pub fn new(size: Size) -> Levels {
        let chain = Chain::new(size);
        let level = |&(width, height): &(usize, usize)| Level {
            width,
            height,
            part: Spans::of(width, height, []),
            pixels: Vec::new(),
        };
        let levels = chain.sides.iter().map(level).collect();
        Levels { chain, levels, whole: false }
    }

    /// The size of the picture.
    pub fn size(&self) -> Size {
        Size { width: self.levels[0].width as u32, height: self.levels[0].height as u32 }
    }

    /// Returns the picture that the levels were built from, as interleaved 8-bit RGB rows, with values rounded and clamped to
    /// 0..=255; `None` if they were built from a part of it.
    pub fn rgb8(&self) -> Option<Vec<u8>> {
        if !self.whole {
            return None;
        }
        let mut bytes = vec![0; self.levels[0].pixels.len() * 3];
        for (rgb, pixel) in bytes.chunks_exact_mut(3).zip(&self.levels[0].pixels) {
            for (byte, value) in rgb.iter_mut().zip(pixel) {
                // The cast saturates and takes NaN to 0.
                *byte = (value * 255.0 + 0.5) as u8;
            }
        }
        Some(bytes)
    }

    /// Returns the index of the coarsest level.
    pub(super) fn last(&self) -> usize {
        self.levels.len() - 1
    }

    /// Returns the factor from canvas pixels to pixels of a level, along x and y.
    pub(super) fn scale(&self, index: usize) -> [f64; 2] {
        let (canvas, level) = (&self.levels[0], &self.levels[index]);
        [level.width as f64 / canvas.width as f64, level.height as f64 / canvas.height as f64]
    }

    /// Builds the visible part of the levels from that part of a picture, `[3, A]`, of the size they were made for.
    pub fn build(&mut self, pixels: &[f32], visible: &Visible) {
        let spans = visible.canvas();
        let area = spans.area();
        assert_eq!(pixels.len(), 3 * area, "a picture of another size");
        let (red, rest) = pixels.split_at(area);
        let (green, blue) = rest.split_at(area);
        for (level, part) in self.levels.iter_mut().zip(&visible.read) {
            level.take(part);
        }
        spans.for_each_row(&mut self.levels[0].pixels, |Place { at, .. }, row| {
            for (to, (red, (green, blue))) in
                row.iter_mut().zip(red[at..].iter().zip(green[at..].iter().zip(&blue[at..])))
            {
                *to = [*red, *green, *blue, 0.0];
            }
        });
        for (index, shrinks) in self.chain.shrinks.iter().enumerate() {
            let (fine, coarse) = self.levels.split_at_mut(index + 1);
            down(&fine[index], &mut coarse[0], shrinks);
        }
        self.whole = spans.is_whole();
    }

    /// Clears the visible part of the levels from `finest` to `coarsest` before gradients are accumulated in them; finer ones become
    /// scratch of that part.
    pub(super) fn clear(&mut self, finest: usize, coarsest: usize, visible: &Visible) {
        // Level 0 is no scratch.
        let first = finest.min(1);
        for (index, (level, part)) in self.levels.iter_mut().zip(&visible.written).enumerate().skip(first) {
            if index > coarsest {
                break;
            }
            level.take(part);
            if index >= finest {
                fill(&mut level.pixels, [0.0; 4]);
            }
        }
    }

    /// The adjoint of [`build`](Self::build): computes the visible part of the gradient, `[3, A]`, from those of the levels
    /// `finest..=coarsest`, which were cleared for it; the other levels have none. Overwrites it, and uses the finer levels as scratch.
    pub(super) fn build_adjoint(&mut self, finest: usize, coarsest: usize, visible: &Visible, gradient: &mut [f32]) {
        for index in (1..coarsest).rev() {
            let (fine, coarse) = self.levels.split_at_mut(index + 1);
            up(&mut fine[index], &coarse[0], &self.chain.shrinks[index], index >= finest);
        }
        let (fine, coarse) = self.levels.split_at_mut(1);
        let first = (finest == 0).then_some(&fine[0]);
        let second = coarse.first().filter(|_| coarsest > 0).zip(self.chain.shrinks.first());
        planes(first, second, &visible.written[0], gradient);
    }
}

/// Returns the weighted sum of pixels, lane by lane.
fn blend<const N: usize>(parts: [(Pixel, f32); N]) -> Pixel {
    let mut sum = [0.0; 4];
    for (pixel, weight) in parts {
        for lane in 0..4 {
            sum[lane] += weight * pixel[lane];
        }
    }
    sum
}

/// Shrinks one level into the next.
fn down(fine: &Level, coarse: &mut Level, [across, along]: &[Shrink; 2]) {
    let Level { part, pixels, .. } = coarse;
    part.for_each_row(pixels, |Place { y, x, .. }, to| {
        let (start, weights) = along.down[y];
        // Those that a pixel is the mean of are in one island; the second row is one of them where there are two.
        let first = Rect { columns: 2 * x..2 * x + 1, rows: start..start + 1 };
        let Some(island) = fine.part.island_of(&first, &mut 0) else { return };
        let children = 2 * x..(2 * (x + to.len()) + 1).min(island.rect.columns.end);
        let row = |tap: usize| {
            // A row beyond the last has weight 0.
            let first = island.at(children.start, (start + tap).min(island.rect.rows.end - 1));
            &fine.pixels[first..first + children.len()]
        };
        if across.even && along.even {
            let pairs = row(0).as_chunks::<2>().0.iter().zip(row(1).as_chunks::<2>().0);
            for (to, (upper, lower)) in to.iter_mut().zip(pairs) {
                *to = blend([(upper[0], 0.25), (upper[1], 0.25), (lower[0], 0.25), (lower[1], 0.25)]);
            }
            return;
        }
        let taps = row(0).iter().zip(row(1)).zip(row(2));
        let mixed = taps.map(|((a, b), c)| blend([(*a, weights[0]), (*b, weights[1]), (*c, weights[2])]));
        // Taps beyond the side have weight 0.
        let mixed: Vec<Pixel> = mixed.chain([[0.0; 4]; 2]).collect();
        let end = x + to.len();
        for (to, &(start, weights)) in to.iter_mut().zip(&across.down[x..end]) {
            let taps = &mixed[start - children.start..][..3];
            *to = blend([(taps[0], weights[0]), (taps[1], weights[1]), (taps[2], weights[2])]);
        }
    });
}

/// Computes a part of one row of the adjoint of [`down`]: calls `put` with the coarse level's contribution to each pixel of the `columns`
/// of fine row `y`.
fn up_row(
    coarse: &Level,
    [across, along]: &[Shrink; 2],
    (y, columns): (usize, &Range<usize>),
    mixed: &mut Vec<Pixel>,
    mut put: impl FnMut(usize, Pixel),
) {
    let width = coarse.width;
    let (first, weights) = along.up[y];
    // The parents of the columns; where a side is odd, the second tap of the last one, too.
    let parents = (columns.start / 2).saturating_sub(2)..(columns.end.div_ceil(2) + 1).min(width);
    let whole = Rect { columns: parents.clone(), rows: first..(first + 2).min(coarse.height) };
    let Some(island) = coarse.part.island_of(&whole, &mut 0) else { return };
    let row = |tap: usize| {
        let at = island.at(parents.start, (first + tap).min(coarse.height - 1));
        &coarse.pixels[at..at + parents.len()]
    };
    mixed.clear();
    if along.even {
        // One parent: the other weight is 0.
        let parent = row(usize::from(weights[0] == 0.0));
        mixed.extend(parent.iter().map(|a| a.map(|lane| 0.5 * lane)));
    } else {
        mixed.extend(row(0).iter().zip(row(1)).map(|(a, b)| blend([(*a, weights[0]), (*b, weights[1])])));
    }
    if across.even {
        for x in columns.clone() {
            put(x, mixed[x / 2 - parents.start].map(|lane| 0.5 * lane));
        }
    } else {
        for (x, &(first, weights)) in columns.clone().zip(&across.up[columns.clone()]) {
            let second = mixed[(first + 1).min(width - 1) - parents.start];
            put(x, blend([(mixed[first - parents.start], weights[0]), (second, weights[1])]));
        }
    }
}

/// Applies the adjoint of [`down`] to the finer level: adds to it, or overwrites it.
fn up(fine: &mut Level, coarse: &Level, shrinks: &[Shrink; 2], add: bool) {
    let Level { part, pixels, .. } = fine;
    part.for_each_row(pixels, |Place { y, x: start, .. }, to| {
        up_row(coarse, shrinks, (y, &(start..start + to.len())), &mut Vec::new(), |x, part| {
            let to = &mut to[x - start];
            let base = if add { *to } else { [0.0; 4] };
            *to = [base[0] + part[0], base[1] + part[1], base[2] + part[2], 0.0];
        });
    });
}

/// Writes the part `spans` of level 0's gradient as planes `[3, A]`: its own, if it has one, plus the contribution of level 1.
fn planes(first: Option<&Level>, second: Option<(&Level, &[Shrink; 2])>, spans: &Spans, gradient: &mut [f32]) {
    let area = spans.area();
    assert_eq!(gradient.len(), 3 * area, "a gradient of another size");
    let (mut red, rest) = gradient.split_at_mut(area);
    let (mut green, mut blue) = rest.split_at_mut(area);
    let mut blocks = Vec::new();
    for island in spans.islands() {
        for y in island.rect.rows.clone().step_by(ROWS) {
            let length = ROWS.min(island.rect.rows.end - y) * island.stride();
            let block = [&mut red, &mut green, &mut blue].map(|rest| {
                let (block, after) = std::mem::take(rest).split_at_mut(length);
                *rest = after;
                block
            });
            blocks.push((island, y, block));
        }
    }
    let work = |(sum, mixed): &mut (Vec<Pixel>, Vec<Pixel>), (island, y, block): (&Island, usize, [&mut [f32]; 3])| {
        let columns = &island.rect.columns;
        let [red, green, blue] = block.map(|block| block.chunks_exact_mut(island.stride()));
        for (y, (red, (green, blue))) in (y..).zip(red.zip(green.zip(blue))) {
            sum.clear();
            match first {
                Some(level) => sum.extend_from_slice(&level.pixels[island.at(columns.start, y)..][..columns.len()]),
                None => sum.resize(columns.len(), [0.0; 4]),
            }
            if let Some((coarse, shrinks)) = second {
                up_row(coarse, shrinks, (y, columns), mixed, |x, part| {
                    let to = &mut sum[x - columns.start];
                    *to = [to[0] + part[0], to[1] + part[1], to[2] + part[2], 0.0];
                });
            }
            for ((red, (green, blue)), sum) in red.iter_mut().zip(green.iter_mut().zip(blue)).zip(sum.iter()) {
                (*red, *green, *blue) = (sum[0], sum[1], sum[2]);
            }
        }
    };
    blocks.into_par_iter().for_each_init(|| (Vec::new(), Vec::new()), work);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::tests::{dot, random};

    const SIZES: [(u32, u32); 7] = [(16, 16), (17, 16), (31, 45), (64, 37), (100, 19), (23, 23), (129, 18)];

    #[test]
    fn every_level_keeps_the_mean() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            let picture = random(3 * size.area(), 3);
            let mut levels = Levels::new(size);
            levels.build(&picture, &Visible::whole(size));
            let area = size.area();
            let means = [0, 1, 2]
                .map(|c| picture[c * area..(c + 1) * area].iter().map(|&x| f64::from(x)).sum::<f64>() / area as f64);
            for level in &levels.levels {
                for (lane, mean) in means.iter().enumerate() {
                    let sum: f64 = level.pixels.iter().map(|pixel| f64::from(pixel[lane])).sum();
                    assert!((sum / level.pixels.len() as f64 - mean).abs() < 1e-6);
                }
            }
            assert_eq!(levels.levels[levels.last()].pixels.len(), 1);
        }
    }

    #[test]
    fn build_adjoint_is_the_adjoint_of_build() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            let picture = random(3 * size.area(), 5);
            let mut levels = Levels::new(size);
            levels.build(&picture, &Visible::whole(size));
            let last = levels.last();
            for (finest, coarsest) in [(0, last), (1, 3), (0, 0), (2, 2), (0, 1)] {
                let mut gradients = Levels::new(size);
                gradients.clear(0, last, &Visible::whole(size));
                let mut product = 0.0;
                for (index, level) in gradients.levels.iter_mut().enumerate() {
                    let values = random(3 * level.pixels.len(), 11 + index as u64);
                    for (pixel, value) in level.pixels.iter_mut().zip(values.chunks_exact(3)) {
                        *pixel = [value[0], value[1], value[2], 0.0];
                    }
                    if (finest..=coarsest).contains(&index) {
                        let pairs = level.pixels.iter().zip(&levels.levels[index].pixels);
                        product += pairs.map(|(a, b)| dot(a, b)).sum::<f64>();
                    }
                }
                let mut gradient = vec![f32::NAN; 3 * size.area()];
                gradients.build_adjoint(finest, coarsest, &Visible::whole(size), &mut gradient);
                let other = dot(&picture, &gradient);
                assert!((product - other).abs() <= 1e-5 * product.abs().max(1.0), "{size:?} {product} {other}");
            }
        }
    }

    #[test]
    fn memory_is_what_is_allocated() {
        let size = Size { width: 100, height: 37 };
        let mut levels = Levels::new(size);
        levels.build(&vec![0.0; 3 * size.area()], &Visible::whole(size));
        let bytes: usize = levels.levels.iter().map(|level| level.pixels.len() * 16).sum();
        assert_eq!(memory_needed(size), bytes as u64);
    }
}
