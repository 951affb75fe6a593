//! Parts of a picture: islands, and where their pixels are stored.

use std::ops::Range;

use rayon::prelude::*;

/// The side of a tile in pixels; the last tiles of a picture's rows and columns may be smaller.
pub const TILE: usize = 64;

/// Beyond this share of a picture, all of it is taken.
const MOST: f64 = 0.6;

/// Rows that one thread works on at a time.
pub(crate) const ROWS: usize = 16;

/// Buffers of this many values or fewer are kept however little of them is needed.
const SMALL: usize = 1 << 20;

/// A rectangle: its columns and its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rect {
    pub columns: Range<usize>,
    pub rows: Range<usize>,
}

impl Rect {
    fn area(&self) -> usize {
        self.columns.len() * self.rows.len()
    }

    /// Whether another rectangle lies in this one.
    pub fn holds(&self, other: &Rect) -> bool {
        let holds = |own: &Range<usize>, other: &Range<usize>| own.start <= other.start && other.end <= own.end;
        holds(&self.columns, &other.columns) && holds(&self.rows, &other.rows)
    }

    fn overlaps(&self, other: &Rect) -> bool {
        let overlap = |own: &Range<usize>, other: &Range<usize>| own.start < other.end && other.start < own.end;
        overlap(&self.columns, &other.columns) && overlap(&self.rows, &other.rows)
    }

    /// The smallest rectangle that both lie in.
    fn hull(&self, other: &Rect) -> Rect {
        let hull = |own: &Range<usize>, other: &Range<usize>| own.start.min(other.start)..own.end.max(other.end);
        Rect { columns: hull(&self.columns, &other.columns), rows: hull(&self.rows, &other.rows) }
    }
}

/// A part of a picture: rectangles, its islands. Planes `[N, A]` hold a part alone, A being its number of pixels: in every plane one island
/// after another, each row by row. Those of the whole picture are `[N, H, W]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    width: usize,
    height: usize,
    islands: Vec<Island>,
    area: usize,
}

/// A rectangle of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Island {
    pub rect: Rect,
    /// The number of pixels before its first one in a plane.
    start: usize,
}

impl Island {
    /// Where a pixel is in a plane.
    pub fn at(&self, x: usize, y: usize) -> usize {
        self.start + (y - self.rect.rows.start) * self.rect.columns.len() + (x - self.rect.columns.start)
    }

    /// The distance in a plane between a pixel and the one below it.
    pub fn stride(&self) -> usize {
        self.rect.columns.len()
    }
}

/// Where a row of an island is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub plane: usize,
    /// The number of the island.
    pub island: usize,
    /// The picture's row, and its first column.
    pub y: usize,
    pub x: usize,
    /// The position in planes `[N, A]`.
    pub at: usize,
}

impl Spans {
    /// The whole of a picture of these sides.
    pub fn whole(width: usize, height: usize) -> Spans {
        Spans::of(width, height, [Rect { columns: 0..width, rows: 0..height }])
    }

    /// Rectangles that lie in a picture of these sides. Those that overlap become one, together with what lies between them: each of the
    /// given rectangles is in one island.
    pub(crate) fn of(width: usize, height: usize, rects: impl IntoIterator<Item = Rect>) -> Spans {
        let mut islands: Vec<Rect> = Vec::new();
        for mut rect in rects.into_iter().filter(|rect| rect.area() > 0) {
            while let Some(at) = islands.iter().position(|island| island.overlaps(&rect)) {
                rect = rect.hull(&islands.swap_remove(at));
            }
            islands.push(rect);
        }
        // The whole is always stored as such.
        if islands.iter().map(Rect::area).sum::<usize>() == width * height {
            islands = vec![Rect { columns: 0..width, rows: 0..height }];
        }
        islands.sort_unstable_by_key(|rect| (rect.rows.start, rect.columns.start));
        Spans::each(width, height, islands)
    }

    /// As [`Spans::of`], but every rectangle is an island of its own, in this order. If they overlap, so do the islands.
    pub(crate) fn each(width: usize, height: usize, rects: impl IntoIterator<Item = Rect>) -> Spans {
        let mut area = 0;
        let island = |rect: Rect| {
            debug_assert!(rect.columns.end <= width && rect.rows.end <= height);
            let start = area;
            area += rect.area();
            Island { rect, start }
        };
        let islands = rects.into_iter().map(island).collect();
        Spans { width, height, islands, area }
    }

    /// The tiles that rectangles lie in; the whole, if that is most of the picture: telling the rest apart would cost more than it spares.
    pub(crate) fn of_tiles(width: usize, height: usize, rects: impl IntoIterator<Item = Rect>) -> Spans {
        let tiles =
            |range: Range<usize>, count: usize| range.start / TILE * TILE..range.end.next_multiple_of(TILE).min(count);
        let filled = rects.into_iter().filter(|rect| rect.area() > 0);
        let rects = filled.map(|rect| Rect { columns: tiles(rect.columns, width), rows: tiles(rect.rows, height) });
        let spans = Spans::of(width, height, rects);
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

    /// The number of pixels.
    pub fn area(&self) -> usize {
        self.area
    }

    /// Whether it is the whole picture.
    pub fn is_whole(&self) -> bool {
        self.area == self.width * self.height
    }

    /// The islands.
    pub(crate) fn islands(&self) -> &[Island] {
        &self.islands
    }

    /// The islands' rectangles.
    pub(crate) fn rects(&self) -> impl Iterator<Item = Rect> + '_ {
        self.islands.iter().map(|island| island.rect.clone())
    }

    /// The islands that a row goes through, with their numbers.
    pub(crate) fn row(&self, y: usize) -> impl Iterator<Item = (usize, &Island)> {
        self.islands.iter().enumerate().filter(move |(_, island)| island.rect.rows.contains(&y))
    }

    /// The island that a rectangle lies in. `hint`: the number of the one to look at first; it becomes that of the one found.
    pub(crate) fn island_of(&self, rect: &Rect, hint: &mut usize) -> Option<&Island> {
        if let Some(island) = self.islands.get(*hint).filter(|island| island.rect.holds(rect)) {
            return Some(island);
        }
        *hint = self.islands.iter().position(|island| island.rect.holds(rect))?;
        self.islands.get(*hint)
    }

    /// Where a pixel is in a plane, if it is in the part.
    pub(crate) fn find(&self, x: usize, y: usize) -> Option<usize> {
        self.row(y).find(|(_, island)| island.rect.columns.contains(&x)).map(|(_, island)| island.at(x, y))
    }

    /// Calls `each` for every row of every island in all planes `[N, A]`. Rows are worked on in parallel.
    pub(crate) fn for_each_row<T: Send>(&self, planes: &mut [T], each: impl Fn(Place, &mut [T]) + Sync) {
        if self.area == 0 {
            return;
        }
        let mut blocks = Vec::new();
        for (plane, mut rest) in planes.chunks_exact_mut(self.area).enumerate() {
            for (island, Island { rect, start }) in self.islands.iter().enumerate() {
                for y in rect.rows.clone().step_by(ROWS) {
                    let rows = ROWS.min(rect.rows.end - y);
                    let (block, after) = rest.split_at_mut(rows * rect.columns.len());
                    rest = after;
                    let at = plane * self.area + start + (y - rect.rows.start) * rect.columns.len();
                    blocks.push((Place { plane, island, y, x: rect.columns.start, at }, rect.columns.len(), block));
                }
            }
        }
        blocks.into_par_iter().for_each(|(place, width, block)| {
            for (row, values) in block.chunks_exact_mut(width).enumerate() {
                each(Place { y: place.y + row, at: place.at + row * width, ..place }, values);
            }
        });
    }

    /// Cuts the part out of planes `[N, H, W]`: `[N, A]`.
    pub(crate) fn cut<T: Copy + Default + Send + Sync>(&self, planes: &[T], part: &mut Vec<T>) {
        let (width, height) = (self.width, self.height);
        fit(part, planes.len() / (width * height).max(1) * self.area);
        self.for_each_row(part, |Place { plane, y, x, .. }, row| {
            row.copy_from_slice(&planes[(plane * height + y) * width + x..][..row.len()]);
        });
    }
}

/// Gives a buffer this length, whatever it then holds. Memory that is far more than that is given back.
pub fn fit<T: Copy + Default>(buffer: &mut Vec<T>, length: usize) {
    let (capacity, plenty) = (buffer.capacity(), SMALL.max(4 * length));
    if capacity < length || capacity > plenty {
        // The old one first, so that both never exist at the same time.
        *buffer = Vec::new();
        *buffer = vec![T::default(); length];
    } else {
        buffer.resize(length, T::default());
    }
}

/// Fills values.
pub fn fill<T: Copy + Send + Sync>(values: &mut [T], value: T) {
    values.par_chunks_mut(CHUNK).for_each(|chunk| chunk.fill(value));
}

/// Adds values, times a factor, to others.
pub fn add(sum: &mut [f32], factor: f32, values: &[f32]) {
    sum.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK)).for_each(|(sum, values)| {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += factor * value);
    });
}

/// Values that one thread works on at a time.
const CHUNK: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_that_overlap_become_one() {
        let rects = [(2..5, 1..4), (4..8, 2..6), (0..1, 3..4), (3..3, 0..9), (8..10, 2..6)];
        let rects = rects.map(|(columns, rows)| Rect { columns, rows });
        let spans = Spans::of(10, 9, rects.clone());
        // Columns 2 to 8 of rows 1 to 6; the last one only touches that.
        assert_eq!((spans.area(), spans.islands().len()), (30 + 1 + 8, 3));
        for rect in rects.iter().filter(|rect| rect.area() > 0) {
            assert_eq!(spans.islands().iter().filter(|island| island.rect.holds(rect)).count(), 1);
            assert!(spans.island_of(rect, &mut 7).is_some());
        }
        assert!(spans.island_of(&Rect { columns: 7..9, rows: 2..3 }, &mut 0).is_none());
        assert!(!spans.is_whole() && Spans::whole(10, 9).is_whole());
        assert_eq!(Spans::of(10, 9, []).area(), 0);
        let halves = [0..4, 4..10].map(|columns| Rect { columns, rows: 0..9 });
        assert_eq!(Spans::of(10, 9, halves), Spans::whole(10, 9));
    }

    #[test]
    fn a_part_is_stored_island_by_island() {
        let rects = [(2..5, 1..40), (5..9, 2..6), (0..1, 3..4)].map(|(columns, rows)| Rect { columns, rows });
        let spans = Spans::of(10, 41, rects);
        let planes: Vec<u32> = (0..2 * 410).collect();
        let mut part = vec![9; 7];
        spans.cut(&planes, &mut part);
        assert_eq!(part.len(), 2 * spans.area());
        let mut found = 0;
        for y in 0..41 {
            for x in 0..10 {
                let Some(at) = spans.find(x, y) else { continue };
                found += 1;
                assert_eq!([part[at], part[spans.area() + at]], [0, 1].map(|plane| (plane * 410 + y * 10 + x) as u32));
            }
        }
        assert_eq!(found, spans.area());
        spans.for_each_row(&mut part, |place, row| {
            assert_eq!(row[0] as usize, place.plane * 410 + place.y * 10 + place.x);
            let island = &spans.islands()[place.island];
            assert_eq!(place.at, place.plane * spans.area() + island.at(place.x, place.y));
        });
    }

    #[test]
    fn buffers_grow_and_give_memory_back() {
        let mut buffer = vec![1.0f32; 3];
        for length in [5, 0, 8 << 20, 7 << 20, 4] {
            fit(&mut buffer, length);
            assert_eq!(buffer.len(), length);
        }
        assert!(buffer.capacity() < 1 << 20);
    }
}
