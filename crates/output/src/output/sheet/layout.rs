//! The layout of a contact sheet.

use super::super::font::Font;
use super::Labels;
use crate::plan::Size;

/// The maximum width of a sheet in pixels. Tiles shrink down to [`LEAST`] to keep it.
const WIDTH: u32 = 4096;
/// The maximum height of a sheet, kept likewise.
const HEIGHT: u32 = 16_384;
/// The maximum for the longer side of a tile.
const LARGEST: u32 = 512;
/// The minimum for the longer side of a tile.
const LEAST: u32 = 40;
/// The minimum width of a tile, as needed by a short label.
const LABEL: u32 = 120;
/// The maximum number of lines of a label.
const LINES: usize = 3;

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    /// Returns the size at which a picture fits in, never larger than the picture itself.
    pub(super) fn fit(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let scale = (f64::from(self.width) / f64::from(width)).min(f64::from(self.height) / f64::from(height)).min(1.0);
        let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most.max(1));
        (side(width, self.width), side(height, self.height))
    }
}

/// A line of text with its position.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub line: String,
    pub size: f32,
    pub x: f32,
    pub baseline: f32,
}

/// The layout of a whole sheet.
#[derive(Debug)]
pub(super) struct Layout {
    pub width: u32,
    pub height: u32,
    /// The text size of labels, in pixels.
    pub text_size: f32,
    /// The places of the pictures.
    pub tiles: Vec<Area>,
    pub texts: Vec<Text>,
}

impl Layout {
    pub(super) fn new(font: &Font<'_>, title: &str, labels: &Labels, largest: Size) -> Self {
        let columns = match labels {
            Labels::Each(labels) => wrapped(labels.len(), largest),
            Labels::Grid { columns, .. } => columns.len(),
        }
        .max(1);
        let count = labels.count();
        let rows = count.div_ceil(columns);
        let (tile_width, tile_height) = tile(columns, rows, largest);
        let text_size = (tile_width as f32 / 15.0).clamp(11.0, 20.0);
        let line_height = (text_size * 1.35).ceil();
        let gap = (text_size * 0.8).ceil() as u32;
        let title_size = (text_size * 1.3).min(24.0);
        let mut layout = Layout { width: 0, height: 0, text_size, tiles: Vec::new(), texts: Vec::new() };

        // The labels beneath each picture, above each column, and left of each row.
        let broken = |text: &str, width: f32| broken(font, text, text_size, width);
        let beneath: Vec<Vec<String>> = match labels {
            Labels::Each(labels) => {
                let one = |label: &Vec<String>| label.iter().flat_map(|line| broken(line, tile_width as f32)).collect();
                labels.iter().map(one).collect()
            }
            Labels::Grid { .. } => Vec::new(),
        };
        let (above, left): (Vec<Vec<String>>, Vec<Vec<String>>) = match labels {
            Labels::Each(_) => (Vec::new(), Vec::new()),
            Labels::Grid { columns, rows } => {
                let side = row_heading(font, rows, text_size);
                (
                    columns.iter().map(|text| broken(text, tile_width as f32)).collect(),
                    rows.iter().map(|text| broken(text, side)).collect(),
                )
            }
        };
        let widest = left.iter().flatten().map(|line| font.line(line, text_size).width).fold(0.0, f32::max);
        let side = if widest > 0.0 { widest.ceil() as u32 + gap } else { 0 };
        let lines = |texts: &[Vec<String>]| texts.iter().map(Vec::len).max().unwrap_or(0) as f32 * line_height;
        // Leave a small gap between labels and pictures.
        let room = |height: f32| if height > 0.0 { (height + line_height * 0.4).ceil() as u32 } else { 0 };
        let (head, foot) = (room(lines(&above)), room(lines(&beneath)));
        let title_height = if title.is_empty() { 0 } else { (title_size * 1.8).ceil() as u32 };
        let top = gap + title_height + head;
        layout.width = 2 * gap + side + columns as u32 * (tile_width + gap) - gap;
        layout.height = top + rows as u32 * (tile_height + foot + gap) + gap;

        let title = font.fitting(title, title_size, (layout.width - 2 * gap) as f32);
        layout.texts.push(Text { line: title, size: title_size, x: gap as f32, baseline: gap as f32 + title_size });
        for index in 0..count {
            let (row, column) = ((index / columns) as u32, (index % columns) as u32);
            layout.tiles.push(Area {
                left: gap + side + column * (tile_width + gap),
                top: top + row * (tile_height + foot + gap),
                width: tile_width,
                height: tile_height,
            });
        }
        let mut write = |lines: &[String], x: f32, top: f32| {
            for (index, line) in lines.iter().enumerate() {
                let baseline = top + index as f32 * line_height + text_size;
                layout.texts.push(Text { line: line.clone(), size: text_size, x, baseline });
            }
        };
        for (area, lines) in layout.tiles.iter().zip(&beneath) {
            write(lines, area.left as f32, (area.top + area.height) as f32 + 0.2 * line_height);
        }
        for (area, lines) in layout.tiles.iter().zip(&above) {
            // Close to the pictures, even if other labels have more lines.
            write(lines, area.left as f32, area.top as f32 - (lines.len() as f32 + 0.1) * line_height);
        }
        for (area, lines) in layout.tiles.iter().step_by(columns).zip(&left) {
            let middle = area.top as f32 + area.height as f32 / 2.0;
            write(lines, gap as f32, (middle - lines.len() as f32 * line_height / 2.0).max(area.top as f32));
        }
        layout
    }
}

/// Returns the number of columns of a sheet without headings, chosen so that the sheet is about four wide to three high.
fn wrapped(count: usize, picture: Size) -> usize {
    let aspect = f64::from(picture.width.max(1)) / f64::from(picture.height.max(1));
    let columns = (count as f64 * 4.0 / 3.0 / aspect).sqrt().round() as usize;
    // Fill the last row as far as possible.
    let columns = columns.clamp(1, count.max(1));
    count.div_ceil(count.div_ceil(columns).max(1)).max(1)
}

/// Returns the size of a tile.
fn tile(columns: usize, rows: usize, largest: Size) -> (u32, u32) {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
    let (columns, rows) = (number(columns), number(rows));
    let share = (WIDTH / columns).min(HEIGHT / rows).max(LEAST);
    let longest = largest.width.max(largest.height).min(LARGEST).min(share);
    let everything = Area { left: 0, top: 0, width: longest, height: longest };
    let (width, height) = everything.fit((largest.width.max(1), largest.height.max(1)));
    (width.max(LABEL.min(WIDTH / columns)).max(LEAST / 2), height)
}

/// Returns the width of the rows' headings.
fn row_heading(font: &Font<'_>, rows: &[String], size: f32) -> f32 {
    let widest = rows.iter().map(|text| font.line(text, size).width).fold(0.0, f32::max);
    widest.min(size * 14.0)
}

/// Breaks text between words into lines of at most `width` pixels; what does not fit into [`LINES`] lines is cut.
fn broken(font: &Font<'_>, text: &str, size: f32, width: f32) -> Vec<String> {
    let fits = |line: &str| font.line(line, size).width <= width + 0.5;
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if line.is_empty() || fits(&longer) {
            line = longer;
            continue;
        }
        if lines.len() + 1 == LINES {
            line = std::iter::once(longer.as_str()).chain(words.by_ref()).collect::<Vec<_>>().join(" ");
            break;
        }
        lines.push(std::mem::replace(&mut line, word.to_owned()));
    }
    lines.push(line);
    lines.iter().map(|line| if fits(line) { line.clone() } else { font.fitting(line, size, width) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_balanced() {
        let square = Size { width: 8, height: 8 };
        let columns = |count| wrapped(count, square);
        assert_eq!([columns(0), columns(1), columns(2), columns(8), columns(12)], [1, 1, 2, 3, 4]);
        assert_eq!(wrapped(3, Size { width: 300, height: 100 }), 1);
        assert_eq!(wrapped(3, Size { width: 100, height: 300 }), 3);
    }

    #[test]
    fn text_is_broken_between_words_and_cut_at_the_end() {
        let font = Font::own();
        assert_eq!(broken(&font, "seed 1", 12.0, 200.0), ["seed 1"]);
        assert_eq!(broken(&font, "one two three", 20.0, 80.0), ["one two", "three"]);
        let lines = broken(&font, &"word ".repeat(50), 20.0, 110.0);
        assert_eq!(lines.len(), LINES);
        assert!(lines[2].ends_with('…'), "{lines:?}");
        let long = broken(&font, &"x".repeat(300), 20.0, 100.0);
        assert!(long.len() == 1 && long[0].ends_with('…'));
        assert_eq!(broken(&font, "", 20.0, 100.0), [""]);
    }

    #[test]
    fn pictures_fit_and_keep_their_shape() {
        let area = Area { left: 0, top: 0, width: 100, height: 50 };
        assert_eq!(area.fit((200, 100)), (100, 50));
        assert_eq!(area.fit((100, 100)), (50, 50));
        assert_eq!(area.fit((10, 20)), (10, 20));
        assert_eq!(area.fit((65536, 16)), (100, 1));
    }
}
