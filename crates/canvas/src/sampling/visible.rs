//! The part of a canvas that windows look at, at every level: nothing else has to be decoded, shrunk or moved in a step.

use std::ops::Range;

use super::levels;
use super::window::Window;
use crate::plan::{Edge, Size};
use crate::spans::{Rect, Spans};

/// The part of every level that a step reads, and the part where gradients can be. That of level 0 consists of whole tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// What is read of each level. Where a pixel is, there are those of the finer level that it is the mean of.
    pub(super) read: Vec<Spans>,
    /// What is written of each level's gradient. Where a pixel is, there are those of the coarser level that it adds to.
    pub(super) written: Vec<Spans>,
}

impl Visible {
    /// Everything of a canvas of a size.
    pub fn whole(size: Size) -> Visible {
        let read: Vec<Spans> =
            levels::sides(size).into_iter().map(|(width, height)| Spans::whole(width, height)).collect();
        Visible { written: read.clone(), read }
    }

    /// What windows see of a canvas of a size.
    pub fn of<'w>(size: Size, windows: impl IntoIterator<Item = &'w Window>) -> Visible {
        let sides: Vec<[usize; 2]> = levels::sides(size).into_iter().map(|(width, height)| [width, height]).collect();
        let mut rects: Vec<Vec<Rect>> = vec![Vec::new(); sides.len()];
        for window in windows {
            let (finest, coarsest) = window.levels(sides.len() - 1);
            for index in finest..=coarsest {
                let scale = [0, 1].map(|axis| sides[index][axis] as f64 / sides[0][axis] as f64);
                seen(window, scale, sides[index], &mut rects[index]);
            }
        }
        let spans = |index: usize, rects: Vec<Rect>| Spans::of(sides[index][0], sides[index][1], rects);
        let mut read: Vec<Spans> = vec![spans(sides.len() - 1, std::mem::take(&mut rects[sides.len() - 1]))];
        for index in (0..sides.len() - 1).rev() {
            let coarser = &read[read.len() - 1];
            let mut own = std::mem::take(&mut rects[index]);
            own.extend(coarser.rects().map(|rect| each(rect, sides[index], children)));
            read.push(if index == 0 { Spans::of_tiles(sides[0][0], sides[0][1], own) } else { spans(index, own) });
        }
        read.reverse();
        if read[0].is_whole() {
            return Visible::whole(size);
        }
        let mut written = vec![read[0].clone()];
        for index in 1..sides.len() {
            let finer = &written[index - 1];
            let own = read[index].rects().chain(finer.rects().map(|rect| each(rect, sides[index], parents)));
            written.push(spans(index, own.collect()));
        }
        Visible { read, written }
    }

    /// The part of the canvas.
    pub fn canvas(&self) -> &Spans {
        &self.read[0]
    }
}

/// Applies a function to both ranges of a rectangle; `sides` are those of the level that it leads to.
fn each(rect: Rect, sides: [usize; 2], along: fn(Range<usize>, usize) -> Range<usize>) -> Rect {
    Rect { columns: along(rect.columns, sides[0]), rows: along(rect.rows, sides[1]) }
}

/// The pixels of a side with `count` pixels that a range of the next coarser level is the mean of: from twice the first on, two for each,
/// and one more where the side is odd.
fn children(range: Range<usize>, count: usize) -> Range<usize> {
    2 * range.start..(2 * range.end + count % 2).min(count)
}

/// The pixels of a side with `count` pixels that a range of the next finer level may add to.
fn parents(range: Range<usize>, count: usize) -> Range<usize> {
    (range.start / 2).saturating_sub(2)..(range.end / 2 + 2).min(count)
}

/// Adds what a window sees of one level, as rectangles. `scale`: from canvas pixels to pixels of the level, along x and y.
fn seen(window: &Window, scale: [f64; 2], sides: [usize; 2], rects: &mut Vec<Rect>) {
    // A sample reads the pixels around it, one in each direction; one more covers rounding.
    const MARGIN: f64 = 2.0;
    let corners = window.corners();
    if !corners.as_flattened().iter().all(|at| at.is_finite()) {
        rects.push(Rect { columns: 0..sides[0], rows: 0..sides[1] });
        return;
    }
    let along = [0, 1].map(|axis| {
        let ends = corners.map(|corner| corner[axis]);
        let low = ends.into_iter().fold(f64::INFINITY, f64::min) - window.reach();
        let high = ends.into_iter().fold(f64::NEG_INFINITY, f64::max) + window.reach();
        resolved(low * scale[axis] - MARGIN, high * scale[axis] + MARGIN, sides[axis], window.edge)
    });
    for rows in &along[1] {
        for columns in &along[0] {
            rects.push(Rect { columns: columns.clone(), rows: rows.clone() });
        }
    }
}

/// Returns the pixels of a side that stand for those from `low` to `high`, which may lie beyond it.
fn resolved(low: f64, high: f64, count: usize, edge: Edge) -> Vec<Range<usize>> {
    let n = count as i64;
    // Further than any side is long; casts saturate.
    const FAR: i64 = 1 << 40;
    let (low, high) = ((low.floor() as i64).clamp(-FAR, FAR), (high.ceil() as i64).clamp(-FAR, FAR) + 1);
    let clip = |low: i64, high: i64| low.clamp(0, n) as usize..high.clamp(0, n) as usize;
    match edge {
        Edge::Fill(_) => vec![clip(low, high)],
        Edge::Clamp => vec![clip(low.min(n - 1), high.max(1))],
        Edge::Wrap if high - low >= n => vec![clip(0, n)],
        Edge::Wrap => {
            let (start, length) = (low.rem_euclid(n), high - low);
            vec![clip(start, start + length), clip(start - n, start + length - n)]
        }
        Edge::Mirror if high - low >= 2 * n => vec![clip(0, n)],
        Edge::Mirror => {
            let (start, end) = (low.rem_euclid(2 * n), low.rem_euclid(2 * n) + high - low);
            // There and back, twice: the range is shorter than a period, and starts in the first.
            vec![
                clip(start, end),
                clip(2 * n - end, 2 * n - start),
                clip(start - 2 * n, end - 2 * n),
                clip(4 * n - end, 4 * n - start),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::taps::resolve;
    use super::*;

    #[test]
    fn ranges_beyond_an_edge_stand_for_what_is_read_there() {
        for edge in [Edge::Fill([0.0; 3]), Edge::Clamp, Edge::Wrap, Edge::Mirror] {
            for count in [1, 2, 5, 8] {
                for low in -20..20 {
                    for length in 0..30 {
                        let ranges = resolved(f64::from(low), f64::from(low + length), count, edge);
                        assert!(ranges.iter().all(|range| range.end <= count));
                        let read = (low..=low + length).filter_map(|index| resolve(index.into(), count, edge));
                        for index in read {
                            assert!(ranges.iter().any(|r| r.contains(&index)), "{edge:?} {count} {low} {length}");
                        }
                    }
                }
            }
        }
        assert_eq!(resolved(2.0, 4.0, 8, Edge::Mirror).into_iter().filter(|range| !range.is_empty()).count(), 1);
        assert_eq!(resolved(f64::NEG_INFINITY, f64::INFINITY, 8, Edge::Wrap), std::slice::from_ref(&(0..8)));
    }
}
