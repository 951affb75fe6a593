//! Contact sheets: many pictures on one, each with its label.

mod layout;

use std::path::Path;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::font::Font;
use super::png::write_rgb;
use super::whole::WriteError;
use crate::plan::Size;
use layout::{Area, Layout};

/// The background colour of a sheet.
pub const PAPER: Rgb<u8> = Rgb([246, 245, 242]);
/// The text colour of a sheet.
pub const INK: Rgb<u8> = Rgb([32, 32, 36]);
const FAINT: Rgb<u8> = Rgb([226, 224, 219]);

/// The labels beside the pictures of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// A label of one or more lines beneath each picture.
    Each(Vec<Vec<String>>),
    /// Headings of columns and rows; the pictures are arranged row by row.
    Grid { columns: Vec<String>, rows: Vec<String> },
}

impl Labels {
    /// Returns the number of pictures that they label.
    pub fn count(&self) -> usize {
        match self {
            Labels::Each(labels) => labels.len(),
            Labels::Grid { columns, rows } => columns.len() * rows.len(),
        }
    }
}

/// A contact sheet that is being filled.
pub struct Sheet {
    title: String,
    layout: Layout,
    paper: RgbImage,
}

impl Sheet {
    /// Creates a sheet with its labels and empty places for the pictures. `largest` is at least as large as each picture.
    pub fn new(title: &str, labels: &Labels, largest: Size) -> Self {
        let font = Font::own();
        let layout = Layout::new(&font, title, labels, largest);
        let mut paper = RgbImage::from_pixel(layout.width, layout.height, PAPER);
        for text in &layout.texts {
            font.line(&text.line, text.size).draw(&mut paper, text.x, text.baseline, INK);
        }
        Sheet { title: title.to_owned(), layout, paper }
    }

    /// Puts a picture in the middle of its place, shrunk if it is too large. Surplus pictures are ignored.
    pub fn put(&mut self, index: usize, picture: &RgbImage) {
        let Some(area) = self.layout.tiles.get(index) else { return };
        let (width, height) = area.fit(picture.dimensions());
        let (left, top) = (area.left + (area.width - width) / 2, area.top + (area.height - height) / 2);
        let shrunk = match picture.dimensions() == (width, height) {
            true => None,
            false => Some(imageops::resize(picture, width, height, FilterType::CatmullRom)),
        };
        imageops::replace(&mut self.paper, shrunk.as_ref().unwrap_or(picture), left.into(), top.into());
    }

    /// Writes in a picture's place why it is missing.
    pub fn note(&mut self, index: usize, text: &str) {
        let Some(&Area { left, top, width, height }) = self.layout.tiles.get(index) else { return };
        let grey = RgbImage::from_pixel(width, height, FAINT);
        imageops::replace(&mut self.paper, &grey, left.into(), top.into());
        let (font, size) = (Font::own(), self.layout.text_size);
        let line = font.line(&font.fitting(text, size, width as f32 - size), size);
        let x = left as f32 + (width as f32 - line.width) / 2.0;
        let y = top as f32 + (height as f32 + line.ascent - line.descent) / 2.0;
        line.draw(&mut self.paper, x, y, INK);
    }

    /// Writes the sheet as a PNG file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_rgb(path, &self.paper, &self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn words(count: usize) -> Vec<String> {
        (1..=count).map(|index| format!("{index}")).collect()
    }

    /// Returns the rows and columns that contain a colour: left, top, right, bottom.
    fn extent(sheet: &Sheet, colour: Rgb<u8>) -> (u32, u32, u32, u32) {
        let mut extent = (u32::MAX, u32::MAX, 0, 0);
        for (x, y, pixel) in sheet.paper.enumerate_pixels().filter(|(_, _, pixel)| **pixel == colour) {
            let _ = pixel;
            extent = (extent.0.min(x), extent.1.min(y), extent.2.max(x), extent.3.max(y));
        }
        extent
    }

    #[test]
    fn pictures_stand_apart_in_reading_order() {
        let colour = |index: usize| Rgb([200, 10 * index as u8, 0]);
        for (labels, across) in [
            (Labels::Each(words(6).into_iter().map(|word| vec![word]).collect()), 2),
            (Labels::Grid { columns: words(3), rows: words(2) }, 3),
        ] {
            let mut sheet = Sheet::new("six", &labels, size(300, 200));
            for index in 0..6 {
                sheet.put(index, &RgbImage::from_pixel(300, 200, colour(index)));
            }
            sheet.put(6, &RgbImage::new(5, 5));
            let places: Vec<_> = (0..6).map(|index| extent(&sheet, colour(index))).collect();
            for place in &places {
                assert_eq!((place.2 - place.0, place.3 - place.1), (299, 199));
            }
            let columns = places.iter().filter(|place| place.1 == places[0].1).count();
            assert_eq!(columns, across, "{places:?}");
            for pair in places.windows(2) {
                assert!(pair[1].0 > pair[0].2 || pair[1].1 > pair[0].3, "{places:?}");
            }
        }
    }

    #[test]
    fn large_pictures_are_shrunk_and_small_ones_are_not_blown_up() {
        let red = Rgb([255, 0, 0]);
        let labels = Labels::Each(vec![vec!["one".into()], vec!["two".into()]]);
        let mut sheet = Sheet::new("two", &labels, size(2000, 1000));
        sheet.put(0, &RgbImage::from_pixel(2000, 1000, red));
        let (left, top, right, bottom) = extent(&sheet, red);
        let (width, height) = (right - left + 1, bottom - top + 1);
        assert!(width <= 512 && width == 2 * height, "{width}x{height}");
        let mut sheet = Sheet::new("two", &labels, size(2000, 1000));
        sheet.put(1, &RgbImage::from_pixel(20, 30, red));
        let (left, top, right, bottom) = extent(&sheet, red);
        assert_eq!((right - left + 1, bottom - top + 1), (20, 30));
    }

    #[test]
    fn any_number_of_pictures_makes_a_sheet_of_bounded_size() {
        for (columns, rows) in [(1, 1), (1, 200), (64, 4), (300, 1)] {
            let labels = Labels::Grid { columns: words(columns), rows: words(rows) };
            let sheet = Sheet::new("many", &labels, size(4096, 4096));
            let (width, height) = sheet.paper.dimensions();
            assert!(width <= 20_000 && height <= 20_000, "{columns}x{rows}: {width}x{height}");
        }
        let each = Labels::Each(vec![vec!["x".repeat(500), String::new(), "words ".repeat(90)]; 500]);
        let mut sheet = Sheet::new(&"title ".repeat(100), &each, size(16, 65536));
        sheet.note(3, "not rendered");
        sheet.note(9999, "not there");
        assert!(u64::from(sheet.paper.width()) * u64::from(sheet.paper.height()) < 200_000_000);
        Sheet::new("", &Labels::Each(Vec::new()), size(16, 16));
    }

    #[test]
    fn the_same_sheet_has_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = |name: &str| {
            let labels = Labels::Grid { columns: words(2), rows: vec!["größer".into(), "kleiner".into()] };
            let mut sheet = Sheet::new("a sheet", &labels, size(64, 64));
            sheet.put(1, &RgbImage::from_fn(64, 64, |x, y| Rgb([x as u8, y as u8, 7])));
            sheet.note(2, "failed");
            let path = folder.path().join(name);
            sheet.write(&path).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(bytes("a.png"), bytes("b.png"));
    }
}
