//! A part of the canvas: where places are drawn, what a composition fits, and which part of a gradient counts.

use std::path::{Path, PathBuf};

use crate::picture_file::{self, Behind};
use crate::plan::{self, Ease, Size};
use crate::spans::{Place, Spans};
use image::imageops::FilterType;

/// The reason why a region could not be created.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    #[error("cannot read the mask `{}`: {source}", path.display())]
    Image { path: PathBuf, source: image::ImageError },
    #[error("the mask `{}` is black everywhere", path.display())]
    Black { path: PathBuf },
}

/// A rectangle in canvas pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    /// Its left and top edge.
    pub start: [f64; 2],
    /// Its width and height.
    pub sides: [f64; 2],
}

impl Area {
    /// The whole canvas.
    pub fn of(size: Size) -> Area {
        Area { start: [0.0; 2], sides: [f64::from(size.width), f64::from(size.height)] }
    }
}

/// A part of a canvas of one size.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its bounding rectangle.
    pub(super) area: Area,
    mask: Mask,
}

/// How much of each pixel belongs to a region, 0..1.
#[derive(Debug, Clone)]
enum Mask {
    /// A column's part times a row's: a rectangle costs no memory of the canvas's size.
    Rectangle { columns: Vec<f32>, rows: Vec<f32> },
    /// Any picture.
    Free {
        width: usize,
        /// `[H, W]`.
        values: Vec<f32>,
        /// The running sum of the values up to each pixel, used to draw places.
        sums: Vec<f64>,
    },
}

impl Mask {
    /// Calls `each` for pixels of a row from column `x` on, as many as there are values, with how much of each belongs to the region.
    fn over<T>(&self, [y, x]: [usize; 2], values: &mut [T], mut each: impl FnMut(usize, &mut T, f32)) {
        match self {
            Mask::Rectangle { columns, rows } => {
                let row = rows[y];
                let columns = &columns[x..][..values.len()];
                values
                    .iter_mut()
                    .zip(columns)
                    .enumerate()
                    .for_each(|(i, (value, column))| each(i, value, row * column));
            }
            Mask::Free { width, values: mask, .. } => {
                let mask = &mask[y * width + x..][..values.len()];
                values.iter_mut().zip(mask).enumerate().for_each(|(i, (value, mask))| each(i, value, *mask));
            }
        }
    }
}

/// Mask values below this count as black: half a level of an 8-bit picture.
const BLACK: f32 = 0.5 / 255.0;

impl Region {
    /// Creates the region on a canvas of a size. A mask's file is read and stretched to the canvas.
    pub fn new(region: &plan::Region, size: Size) -> Result<Region, RegionError> {
        match region {
            plan::Region::Rectangle { sides, feather } => Ok(Region::rectangle(*sides, *feather, size)),
            plan::Region::Mask(path) => Region::mask(path, size),
        }
    }

    fn rectangle([x, y, width, height]: [f64; 4], feather: f64, size: Size) -> Region {
        let canvas = Area::of(size).sides;
        let area = Area { start: [x * canvas[0], y * canvas[1]], sides: [width * canvas[0], height * canvas[1]] };
        let wide = feather * area.sides[0].min(area.sides[1]);
        // The fraction of each column and row that lies inside, less what fades.
        let inside = |axis: usize, count: u32| -> Vec<f32> {
            let (low, high) = (area.start[axis], area.start[axis] + area.sides[axis]);
            let part = |i| (high.min(f64::from(i) + 1.0) - low.max(f64::from(i))).clamp(0.0, 1.0);
            let fades = |i: u32| {
                let middle = f64::from(i) + 0.5;
                let rise = |from_edge: f64| Ease::Smooth.apply((from_edge / wide).clamp(0.0, 1.0));
                // Rounding may leave an edge a little off the canvas's.
                let left = if low <= 0.5 { 1.0 } else { rise(middle - low) };
                let right = if high >= f64::from(count) - 0.5 { 1.0 } else { rise(high - middle) };
                left * right
            };
            (0..count).map(|i| (part(i) * if wide > 0.0 { fades(i) } else { 1.0 }) as f32).collect()
        };
        Region { area, mask: Mask::Rectangle { columns: inside(0, size.width), rows: inside(1, size.height) } }
    }

    fn mask(path: &Path, size: Size) -> Result<Region, RegionError> {
        let wrong = |source| RegionError::Image { path: path.to_owned(), source };
        let image = picture_file::open(path, Behind::Black).map_err(wrong)?.image.into_luma16();
        let values = image.pixels().map(|pixel| f32::from(pixel.0[0]) / f32::from(u16::MAX)).collect();
        let grey = image::ImageBuffer::<image::Luma<f32>, Vec<f32>>::from_raw(image.width(), image.height(), values);
        let black = || RegionError::Black { path: path.to_owned() };
        let grey = grey.ok_or_else(black)?;
        let grey = image::imageops::resize(&grey, size.width, size.height, FilterType::Triangle);
        let light = |value: f32| if value < BLACK { 0.0 } else { value.min(1.0) };
        Region::of_mask(grey.into_raw().into_iter().map(light).collect(), size).ok_or_else(black)
    }

    /// Creates a region from values `[H, W]` in 0..1; `None` if all are 0.
    fn of_mask(mask: Vec<f32>, size: Size) -> Option<Region> {
        let width = size.width as usize;
        let (mut low, mut high) = ([usize::MAX; 2], [0; 2]);
        let mut sum = 0.0;
        let mut sums = Vec::with_capacity(mask.len());
        for (i, value) in mask.iter().enumerate() {
            sum += f64::from(*value);
            sums.push(sum);
            if *value > 0.0 {
                let at = [i % width, i / width];
                for axis in 0..2 {
                    low[axis] = low[axis].min(at[axis]);
                    high[axis] = high[axis].max(at[axis] + 1);
                }
            }
        }
        let area = Area {
            start: low.map(|low| low as f64),
            sides: [0, 1].map(|axis| high[axis].saturating_sub(low[axis]) as f64),
        };
        (sum > 0.0).then_some(Region { area, mask: Mask::Free { width, values: mask, sums } })
    }

    /// Draws a point in canvas pixels with probability proportional to the mask. Returns `None` for a rectangle, in which every
    /// point is equally likely and windows have to fit. `at`: two numbers in [0, 1).
    pub(super) fn point(&self, at: [f64; 2]) -> Option<[f64; 2]> {
        let Mask::Free { width, values, sums } = &self.mask else { return None };
        let drawn = sums.last()? * at[0];
        let pixel = sums.partition_point(|sum| *sum <= drawn).min(values.len() - 1);
        let before = if pixel == 0 { 0.0 } else { sums[pixel - 1] };
        // The remainder of the first number is uniform within the pixel.
        let across = ((drawn - before) / f64::from(values[pixel]).max(1e-9)).clamp(0.0, 1.0);
        Some([(pixel % width) as f64 + across, (pixel / width) as f64 + at[1]])
    }

    /// Masks a pixel gradient `[3, A]` of the part `spans` in place: keeps only what lies in the region.
    pub fn keep(&self, spans: &Spans, gradient: &mut [f32]) {
        spans.for_each_row(gradient, |Place { y, x, .. }, row| {
            self.mask.over([y, x], row, |_, gradient, mask| *gradient *= mask);
        });
    }

    /// Adds what lies in the region of a pixel gradient `[3, A]` of the part `spans` to `sum`.
    pub fn add(&self, spans: &Spans, gradient: &[f32], sum: &mut [f32]) {
        spans.for_each_row(sum, |Place { y, x, at, .. }, row| {
            let gradient = &gradient[at..][..row.len()];
            self.mask.over([y, x], row, |i, sum, mask| *sum += mask * gradient[i]);
        });
    }

    /// How much of a pixel belongs to it.
    #[cfg(test)]
    fn at(&self, x: usize, y: usize) -> f32 {
        let mut found = [0.0];
        self.mask.over([y, x], &mut found, |_, found, mask| *found = mask);
        found[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;
    use crate::sampling::tests::{dot, random};

    const SIZE: Size = Size { width: 40, height: 20 };

    #[test]
    fn a_rectangle_has_parts_of_pixels_at_its_edges() {
        let region = Region::rectangle([0.25, 0.0, 0.5125, 0.525], 0.0, SIZE);
        let at = |x, y| region.at(x, y);
        assert_eq!([at(9, 0), at(10, 0), at(29, 0), at(30, 0), at(31, 0)], [0.0, 1.0, 1.0, 0.5, 0.0]);
        assert_eq!([at(20, 9), at(20, 10), at(20, 11), at(30, 10)], [1.0, 0.5, 0.0, 0.25]);
        assert!(region.point([0.5; 2]).is_none());
    }

    #[test]
    fn a_feathered_rectangle_fades_at_edges_that_are_not_the_canvas_s() {
        // Columns 10 to 30 of 40, rows 0 to 10 of 20; it fades over 4 pixels.
        let region = Region::rectangle([0.25, 0.0, 0.5, 0.5], 0.4, SIZE);
        let row: Vec<f32> = (9..32).map(|x| region.at(x, 0)).collect();
        assert!(row.windows(2).take(5).all(|pair| pair[0] < pair[1]) && row[0] == 0.0 && row[22] == 0.0, "{row:?}");
        assert!(row[5..17].iter().all(|value| *value == 1.0), "{row:?}");
        assert!((0..40).all(|x| region.at(x, 0) == region.at(x, 3)), "no fading at the canvas's edge");
        let column: Vec<f32> = (0..20).map(|y| region.at(20, y)).collect();
        assert!(column[..6].iter().all(|value| *value == 1.0), "{column:?}");
        assert!(column[5..11].windows(2).all(|pair| pair[0] > pair[1]) && column[10] == 0.0, "{column:?}");
    }

    #[test]
    fn points_are_drawn_in_proportion_to_a_mask() {
        let mask =
            (0..SIZE.area()).map(|i| [0.0, 0.25, 0.75, 0.0][i % 40 / 10] * f32::from(u8::from(i < 400))).collect();
        let region = Region::of_mask(mask, SIZE).unwrap();
        assert_eq!((region.area.start, region.area.sides), ([10.0, 0.0], [20.0, 10.0]));
        let (mut dim, mut light, count) = (0, 0, 4000);
        for i in 0..count {
            let [x, y] = region.point([0, 1].map(|axis| Draws::new(3).at(i).unit(axis))).unwrap();
            assert!((10.0..=30.0).contains(&x) && (0.0..=10.0).contains(&y), "{x} {y}");
            if x < 20.0 { dim += 1 } else { light += 1 }
        }
        assert!((2.6..3.4).contains(&(f64::from(light) / f64::from(dim))), "{light} {dim}");
        assert!(Region::of_mask(vec![0.0; SIZE.area()], SIZE).is_none());
    }

    #[test]
    fn a_mask_is_stretched_and_what_is_seen_through_is_black() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        // The left half is white; of the right half, only the upper part is opaque.
        let image =
            image::GrayAlphaImage::from_fn(4, 4, |x, y| image::LumaA([255, if x < 2 || y < 2 { 255 } else { 0 }]));
        image.save(&path).unwrap();
        let region = Region::new(&plan::Region::Mask(path.clone()), SIZE).unwrap();
        let at = |x, y| region.at(x, y);
        assert_eq!([at(2, 2), at(2, 18), at(38, 2), at(38, 18)], [1.0, 1.0, 1.0, 0.0]);
        image::GrayImage::new(4, 4).save(&path).unwrap();
        assert!(matches!(Region::new(&plan::Region::Mask(path), SIZE), Err(RegionError::Black { .. })));
    }

    #[test]
    fn adding_is_its_own_adjoint() {
        let region = Region::of_mask(random(SIZE.area(), 1), SIZE).unwrap();
        let (a, b) = (random(3 * SIZE.area(), 2), random(3 * SIZE.area(), 3));
        let masked = |values: &[f32]| {
            let mut sum = vec![0.0; values.len()];
            region.add(&Spans::whole(SIZE.width as usize, SIZE.height as usize), values, &mut sum);
            sum
        };
        assert!((dot(&masked(&a), &b) - dot(&a, &masked(&b))).abs() < 1e-6 * dot(&a, &b));
    }
}
