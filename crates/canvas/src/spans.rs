//! Parts of a picture: for every row, the columns that belong to it.

use std::ops::Range;

use rayon::prelude::*;

/// The side of a tile in pixels; the last tiles of a picture's rows and columns may be smaller.
pub const TILE: usize = 64;

/// Beyond this share of a picture, all of it is taken.
const MOST: f64 = 0.6;

/// Rows that one thread works on at a time.
pub(crate) const ROWS: usize = 16;

/// A rectangle: its columns and its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rect {
    pub columns: Range<usize>,
    pub rows: Range<usize>,
}

/// A part of a picture: for every row, disjoint ranges of columns from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    width: usize,
    height: usize,
    /// From top to bottom; rows that are in none have no columns.
    bands: Vec<Band>,
}

/// Neighbouring rows with the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Band {
    rows: Range<usize>,
    columns: Vec<Range<usize>>,
}

impl Spans {
    /// The whole of a picture of these sides.
    pub fn whole(width: usize, height: usize) -> Spans {
        Spans::of(width, height, &[Rect { columns: 0..width, rows: 0..height }])
    }

    /// The union of rectangles that lie in a picture of these sides.
    pub(crate) fn of(width: usize, height: usize, rects: &[Rect]) -> Spans {
        let rects: Vec<&Rect> = rects.iter().filter(|rect| !rect.columns.is_empty() && !rect.rows.is_empty()).collect();
        let mut cuts: Vec<usize> = rects.iter().flat_map(|rect| [rect.rows.start, rect.rows.end]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut bands: Vec<Band> = Vec::new();
        for cut in cuts.windows(2) {
            let across = rects.iter().filter(|rect| rect.rows.contains(&cut[0])).map(|rect| rect.columns.clone());
            let columns = merged(across.collect());
            match bands.last_mut().filter(|band| band.rows.end == cut[0] && band.columns == columns) {
                Some(band) => band.rows.end = cut[1],
                None if columns.is_empty() => {}
                None => bands.push(Band { rows: cut[0]..cut[1], columns }),
            }
        }
        debug_assert!(rects.iter().all(|rect| rect.columns.end <= width && rect.rows.end <= height));
        Spans { width, height, bands }
    }

    /// The union of the tiles that rectangles lie in; the whole, if that is most of the picture: telling the rest apart would cost more
    /// than it spares.
    pub(crate) fn of_tiles(width: usize, height: usize, mut rects: Vec<Rect>) -> Spans {
        let tiles =
            |range: &Range<usize>, count: usize| range.start / TILE * TILE..range.end.next_multiple_of(TILE).min(count);
        for rect in &mut rects {
            *rect = Rect { columns: tiles(&rect.columns, width), rows: tiles(&rect.rows, height) };
        }
        let spans = Spans::of(width, height, &rects);
        if spans.area() as f64 > MOST * (width * height) as f64 { Spans::whole(width, height) } else { spans }
    }

    /// The picture's width.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The picture's height.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The columns of a row.
    pub fn row(&self, y: usize) -> &[Range<usize>] {
        let at = self.bands.partition_point(|band| band.rows.end <= y);
        self.bands.get(at).filter(|band| band.rows.contains(&y)).map_or(&[], |band| band.columns.as_slice())
    }

    /// The number of pixels.
    pub fn area(&self) -> usize {
        self.bands.iter().map(|band| band.rows.len() * band.columns.iter().map(Range::len).sum::<usize>()).sum()
    }

    /// Whether it is the whole picture.
    pub fn is_whole(&self) -> bool {
        self.area() == self.width * self.height
    }

    /// Calls `each` for every piece of a row, of all planes of `[N, H, W]`, with its position there. Rows are worked on in parallel.
    pub fn for_each_row<T: Send>(&self, planes: &mut [T], each: impl Fn(usize, &mut [T]) + Sync) {
        let width = self.width;
        planes.par_chunks_exact_mut(width).enumerate().with_min_len(ROWS).for_each(|(index, row)| {
            for columns in self.row(index % self.height) {
                each(index * width + columns.start, &mut row[columns.clone()]);
            }
        });
    }

    /// Fills the part in all planes of `[N, H, W]`.
    pub fn fill<T: Copy + Send + Sync>(&self, planes: &mut [T], value: T) {
        self.for_each_row(planes, |_, row| row.fill(value));
    }

    /// Multiplies the part of planes `[N, H, W]` by a factor.
    pub fn scale(&self, planes: &mut [f32], factor: f32) {
        self.for_each_row(planes, |_, row| row.iter_mut().for_each(|value| *value *= factor));
    }

    /// Adds the part of planes `[N, H, W]`, times a factor, to others.
    pub fn add(&self, sum: &mut [f32], factor: f32, planes: &[f32]) {
        self.for_each_row(sum, |at, row| {
            row.iter_mut().zip(&planes[at..]).for_each(|(sum, value)| *sum += factor * value);
        });
    }

    /// Disjoint rectangles that it consists of.
    pub(crate) fn rects(&self) -> impl Iterator<Item = Rect> + '_ {
        self.bands.iter().flat_map(|band| {
            band.columns.iter().map(|columns| Rect { columns: columns.clone(), rows: band.rows.clone() })
        })
    }
}

/// Sorts ranges and joins those that touch.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.end >= range.start) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_of_rectangles() {
        let rects = [(2..5, 1..4), (4..8, 2..6), (0..1, 3..4), (3..3, 0..9)];
        let rects = rects.map(|(columns, rows)| Rect { columns, rows });
        let spans = Spans::of(10, 9, &rects);
        for y in 0..9 {
            for x in 0..10 {
                let expected = rects.iter().any(|rect| rect.columns.contains(&x) && rect.rows.contains(&y));
                assert_eq!(spans.row(y).iter().any(|columns| columns.contains(&x)), expected, "{x} {y}");
            }
            assert!(spans.row(y).windows(2).all(|pair| pair[0].end < pair[1].start));
        }
        let area: usize = spans.rects().map(|rect| rect.columns.len() * rect.rows.len()).sum();
        assert_eq!((spans.area(), area), (24, 24));
        assert!(!spans.is_whole() && Spans::whole(10, 9).is_whole());
        assert_eq!(Spans::of(10, 9, &[]).area(), 0);
    }
}
