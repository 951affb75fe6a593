//! Sixels: strips of six rows, with one run of characters for each colour of a strip (DEC's VT330/340 manual, chapter 14).

use std::collections::BTreeMap;
use std::fmt::Write;

use image::RgbImage;
use quantette::deps::palette::Srgb;
use quantette::{ImageRef, Pipeline};

/// The number of rows in a strip.
const STRIP: usize = 6;

/// Draws a picture with its upper left corner at the cursor, which is restored afterwards.
pub(super) fn draw(text: &mut String, picture: &RgbImage) {
    let pixels: Vec<Srgb<u8>> = picture.pixels().map(|pixel| Srgb::from(pixel.0)).collect();
    let Ok(image) = ImageRef::new(picture.width(), picture.height(), &pixels[..]) else { return };
    let (palette, indices) = Pipeline::new().input_image(image).output_srgb8_indexed_image().into_parts();
    let width = picture.width() as usize;
    // Square pixels (raster attributes 1;1), and nothing drawn where there is no pixel (second parameter 1).
    let _ = write!(text, "\x1b7\x1bP0;1;0q\"1;1;{};{}", picture.width(), picture.height());
    for (number, colour) in palette.iter().enumerate() {
        let [r, g, b] = <[u8; 3]>::from(*colour).map(|value| (u32::from(value) * 100 + 127) / 255);
        let _ = write!(text, "#{number};2;{r};{g};{b}");
    }
    for strip in indices.chunks(STRIP * width.max(1)) {
        // For each colour of the strip, every column has one bit per row.
        let mut bits: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (row, line) in strip.chunks(width.max(1)).enumerate() {
            for (column, number) in line.iter().enumerate() {
                bits.entry(*number).or_insert_with(|| vec![0; width])[column] |= 1 << row;
            }
        }
        for (position, (number, columns)) in bits.iter().enumerate() {
            // Return to the strip's beginning for the next colour.
            text.push_str(if position == 0 { "" } else { "$" });
            let _ = write!(text, "#{number}");
            let used = columns.iter().rposition(|bits| *bits != 0).map_or(0, |last| last + 1);
            for run in columns[..used].chunk_by(|a, b| a == b) {
                // Six bits as characters from `?` on.
                let character = char::from(63 + run[0]);
                match run.len() {
                    length @ ..4 => text.extend(std::iter::repeat_n(character, length)),
                    length => {
                        let _ = write!(text, "!{length}{character}");
                    }
                }
            }
        }
        text.push('-');
    }
    text.push_str("\x1b\\\x1b8");
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Decodes what [`draw`] writes, as a terminal does.
    fn decoded(text: &str) -> RgbImage {
        let data = text.strip_prefix("\x1b7\x1bP0;1;0q").unwrap().strip_suffix("\x1b\\\x1b8").unwrap();
        let mut characters = data.chars().peekable();
        let mut palette: BTreeMap<u32, Rgb<u8>> = BTreeMap::new();
        let mut picture = RgbImage::new(0, 0);
        let (mut x, mut y, mut colour) = (0, 0, Rgb([0; 3]));
        while let Some(character) = characters.next() {
            let mut numbers = || -> Vec<u32> {
                let mut digits = String::new();
                while let Some(c) = characters.next_if(|c| c.is_ascii_digit() || *c == ';') {
                    digits.push(c);
                }
                digits.split(';').map(|number| number.parse().unwrap()).collect()
            };
            let mut repeat = 1;
            let sixel = match character {
                '"' => {
                    let [1, 1, width, height] = numbers()[..] else { panic!("raster attributes") };
                    picture = RgbImage::new(width, height);
                    continue;
                }
                '#' => {
                    match numbers()[..] {
                        [number] => colour = palette[&number],
                        [number, 2, r, g, b] => {
                            palette.insert(number, Rgb([r, g, b].map(|value| (value * 255 / 100) as u8)));
                        }
                        _ => panic!("colour"),
                    }
                    continue;
                }
                '$' => {
                    x = 0;
                    continue;
                }
                '-' => {
                    (x, y) = (0, y + 6);
                    continue;
                }
                '!' => {
                    repeat = numbers()[0];
                    characters.next().unwrap()
                }
                other => other,
            };
            let bits = sixel as u32 - 63;
            for _ in 0..repeat {
                for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                    picture.put_pixel(x, y + row, colour);
                }
                x += 1;
            }
        }
        picture
    }

    #[test]
    fn a_terminal_sees_the_picture() {
        let few =
            RgbImage::from_fn(
                40,
                24,
                |x, y| if (x / 7 + y / 5) % 2 == 0 { Rgb([255, 0, 51]) } else { Rgb([0, 102, 255]) },
            );
        let many = RgbImage::from_fn(50, 30, |x, y| Rgb([(x * 5) as u8, (y * 8) as u8, 128]));
        for (picture, tolerance) in [(few, 2.0), (many, 10.0)] {
            let mut text = String::new();
            draw(&mut text, &picture);
            let seen = decoded(&text);
            assert_eq!(seen.dimensions(), picture.dimensions());
            let pairs = seen.as_raw().iter().zip(picture.as_raw());
            let mean = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / seen.as_raw().len() as f64;
            assert!(mean < tolerance, "{mean}");
        }
    }
}
