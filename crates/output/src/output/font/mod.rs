//! Lettering: text shaped and rasterised in the built-in font.
//!
//! The font is Noto Sans (SIL Open Font License 1.1, `OFL.txt` beside this file), reduced to Latin, Greek and Cyrillic.

use std::sync::OnceLock;

use image::{Rgb, RgbImage};
use swash::FontRef;
use swash::scale::{Render, ScaleContext, Source};
use swash::shape::ShapeContext;
use swash::zeno::Vector;

const NOTO_SANS: &[u8] = include_bytes!("NotoSans.ttf");

/// A font whose text can be shaped and drawn.
#[derive(Clone, Copy)]
pub struct Font<'a>(FontRef<'a>);

impl Font<'static> {
    /// The file of the built-in font.
    pub const BYTES: &'static [u8] = NOTO_SANS;

    /// Returns the built-in font.
    pub fn own() -> Self {
        static OWN: OnceLock<FontRef<'static>> = OnceLock::new();
        // The bytes are our own; a test reads them.
        Font(*OWN.get_or_init(|| FontRef::from_index(NOTO_SANS, 0).expect("our own font is sound")))
    }
}

impl<'a> Font<'a> {
    /// Reads a font from the bytes of a TrueType or OpenType file, or the first font of a collection; none if they are not a font.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        Font::nth(bytes, 0)
    }

    /// Reads the font at an index of a collection; none if there is no such font.
    pub fn nth(bytes: &'a [u8], index: u32) -> Option<Self> {
        FontRef::from_index(bytes, index as usize).map(Font)
    }

    /// Whether the font has a glyph for a character.
    pub fn has(&self, character: char) -> bool {
        self.0.charmap().map(character) != 0
    }

    /// Lays out one line of text from left to right; `size` is that of the em square in pixels.
    pub fn line(&self, text: &str, size: f32) -> Line<'a> {
        let mut context = ShapeContext::new();
        let mut shaper = context.builder(self.0).size(size).build();
        let metrics = shaper.metrics();
        shaper.add_str(text);
        let mut glyphs = Vec::new();
        let mut width = 0.0;
        shaper.shape_with(|cluster| {
            for glyph in cluster.glyphs {
                glyphs.push(Glyph { id: glyph.id, x: width + glyph.x, y: glyph.y });
                width += glyph.advance;
            }
        });
        Line { font: self.0, size, glyphs, width, ascent: metrics.ascent, descent: metrics.descent }
    }

    /// Returns the text, or as much of its beginning as fits into `width` pixels followed by an ellipsis.
    pub fn fitting(&self, text: &str, size: f32, width: f32) -> String {
        let fits = |text: &str| self.line(text, size).width <= width;
        if fits(text) {
            return text.to_owned();
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let shortened = |count: usize| format!("{}…", text[..ends[count]].trim_end());
        // Find the longest that fits: the width grows with the number of characters.
        let count = ends.partition_point(|end| fits(&format!("{}…", text[..*end].trim_end())));
        if count == 0 { String::new() } else { shortened(count - 1) }
    }
}

/// A glyph and its place on the line: to the right of the line's beginning and above the baseline, in pixels.
#[derive(Debug, Clone, Copy)]
struct Glyph {
    id: u16,
    x: f32,
    y: f32,
}

/// A line of shaped text.
pub struct Line<'a> {
    font: FontRef<'a>,
    size: f32,
    glyphs: Vec<Glyph>,
    /// The advance width of the text, in pixels.
    pub width: f32,
    /// The height above the baseline, in pixels.
    pub ascent: f32,
    /// The depth below the baseline, in pixels.
    pub descent: f32,
}

impl Line<'_> {
    /// Calls `dot` with the column, the row and the coverage (1 to 255) of every pixel that a glyph covers. The line begins at `x` and
    /// stands on the baseline `y`.
    pub fn rasterise(&self, x: f32, y: f32, mut dot: impl FnMut(i64, i64, u8)) {
        let mut context = ScaleContext::new();
        let mut scaler = context.builder(self.font).size(self.size).build();
        for glyph in &self.glyphs {
            let (left, up) = (x + glyph.x, -(y - glyph.y));
            let (column, row) = (left.floor(), up.floor());
            let offset = Vector::new(left - column, up - row);
            let Some(image) = Render::new(&[Source::Outline]).offset(offset).render(&mut scaler, glyph.id) else {
                continue;
            };
            let at = image.placement;
            let pixels = image.data.iter().zip(0i64..).filter(|(coverage, _)| **coverage > 0);
            for (coverage, index) in pixels {
                let (dx, dy) = (index % i64::from(at.width), index / i64::from(at.width));
                dot(column as i64 + i64::from(at.left) + dx, -(row as i64) - i64::from(at.top) + dy, *coverage);
            }
        }
    }

    /// Draws the line in one colour over a picture; pixels beyond its borders are clipped.
    pub fn draw(&self, onto: &mut RgbImage, x: f32, y: f32, colour: Rgb<u8>) {
        self.rasterise(x, y, |column, row, coverage| {
            let (Ok(column), Ok(row)) = (u32::try_from(column), u32::try_from(row)) else { return };
            let Some(pixel) = onto.get_pixel_mut_checked(column, row) else { return };
            for (under, over) in pixel.0.iter_mut().zip(colour.0) {
                let mixed = u32::from(*under) * u32::from(255 - coverage) + u32::from(over) * u32::from(coverage);
                // A mean of two bytes is a byte.
                *under = ((mixed + 127) / 255) as u8;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb<u8> = Rgb([0; 3]);

    fn ink(text: &str) -> u64 {
        let mut sum = 0;
        Font::own().line(text, 40.0).rasterise(10.0, 50.0, |_, _, coverage| sum += u64::from(coverage));
        sum
    }

    #[test]
    fn letters_of_the_scripts_we_have_are_drawn_and_differ() {
        let letters = "aZ0ßéőŁžΩλЖяі…–×°½";
        let missing = ink("野");
        let inks: std::collections::BTreeSet<u64> = letters.chars().map(|c| ink(&c.to_string())).collect();
        assert_eq!(inks.len(), letters.chars().count());
        assert!(!inks.contains(&missing) && !inks.contains(&0) && missing > 0);
    }

    #[test]
    fn a_line_stands_on_its_baseline() {
        let rows = |text: &str| {
            let (mut top, mut bottom) = (i64::MAX, i64::MIN);
            Font::own().line(text, 100.0).rasterise(0.0, 200.0, |_, row, _| {
                top = top.min(row);
                bottom = bottom.max(row + 1);
            });
            (top, bottom)
        };
        // Noto Sans has capitals of 0.714 em (OS/2 sCapHeight).
        assert_eq!(rows("H"), (128, 200));
        assert!(rows("p").1 > 215);
    }

    #[test]
    fn advances_are_kerned_and_add_up() {
        let width = |text: &str| Font::own().line(text, 100.0).width;
        assert!(width("AV") < width("A") + width("V"));
        assert!((width("HH") - 2.0 * width("H")).abs() < 0.1);
        assert_eq!(width(""), 0.0);
    }

    #[test]
    fn what_does_not_fit_is_shortened() {
        let font = Font::own();
        assert_eq!(font.fitting("short", 20.0, 200.0), "short");
        let cut = font.fitting("a very long label indeed", 20.0, 100.0);
        assert!(cut.ends_with('…') && cut.starts_with("a ver") && font.line(&cut, 20.0).width <= 100.0, "{cut}");
        assert_eq!(font.fitting("anything", 20.0, 1.0), "");
    }

    #[test]
    fn drawing_mixes_and_stays_within_the_picture() {
        let mut picture = RgbImage::from_pixel(30, 20, Rgb([255; 3]));
        for (x, y) in [(-20.0, 10.0), (5.0, 15.0), (25.0, 30.0), (1e6, -1e6)] {
            Font::own().line("Wij", 24.0).draw(&mut picture, x, y, BLACK);
        }
        assert!(picture.pixels().any(|pixel| *pixel == BLACK));
        assert!(picture.pixels().any(|pixel| (1..255).contains(&pixel.0[0])));
        assert!(Font::from_bytes(b"no font").is_none());
    }
}
