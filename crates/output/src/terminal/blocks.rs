//! Half blocks: each character shows two pixels, the upper one as its foreground colour, the lower one as its background colour.

use std::fmt::Write;

use image::{Rgb, RgbImage};

use super::Colours;

/// Draws a picture with one column per pixel of width and one row per two pixels of height. Each row ends its line.
pub(super) fn draw(text: &mut String, picture: &RgbImage, colours: Colours) {
    for row in 0..picture.height() / 2 {
        let mut colour = None;
        for column in 0..picture.width() {
            let pair = [0, 1].map(|half| *picture.get_pixel(column, row * 2 + half));
            if colour != Some(pair) {
                let [upper, lower] = pair.map(|pixel| parameter(pixel, colours));
                let _ = write!(text, "\x1b[38;{upper};48;{lower}m");
                colour = Some(pair);
            }
            text.push('▀');
        }
        // Clear what an earlier, wider picture left.
        text.push_str("\x1b[0m\x1b[K\n");
    }
}

/// Formats a colour as a parameter of SGR 38 and 48.
fn parameter(Rgb([r, g, b]): Rgb<u8>, colours: Colours) -> String {
    match colours {
        Colours::True => format!("2;{r};{g};{b}"),
        Colours::Indexed => format!("5;{}", index([r, g, b])),
    }
}

/// The steps of xterm's colour cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Returns the nearest of xterm's colours 16 to 255: a cube of six steps per channel, and 24 greys.
fn index(pixel: [u8; 3]) -> u8 {
    let steps = pixel.map(|value| nearest(value, &CUBE));
    let mean = pixel.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    let distance =
        |other: [u8; 3]| -> u32 { pixel.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    if distance([8 + 10 * grey; 3]) < distance(steps.map(|step| CUBE[usize::from(step)])) {
        232 + grey
    } else {
        16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }
}

fn nearest(value: u8, among: &[u8]) -> u8 {
    let distances = (0u8..).zip(among).map(|(at, other)| (value.abs_diff(*other), at));
    distances.min().map_or(0, |(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pixels_are_one_character() {
        let picture = RgbImage::from_fn(2, 4, |x, y| Rgb([x as u8 * 100, y as u8, 7]));
        let mut text = String::new();
        draw(&mut text, &picture, Colours::True);
        let lines: Vec<&str> = text.lines().collect();
        let first = "\x1b[38;2;0;0;7;48;2;0;1;7m▀\x1b[38;2;100;0;7;48;2;100;1;7m▀\x1b[0m\x1b[K";
        assert_eq!((lines.len(), lines[0]), (2, first));
        // A colour that continues is not repeated.
        let mut plain = String::new();
        draw(&mut plain, &RgbImage::new(3, 2), Colours::True);
        assert_eq!(plain, "\x1b[38;2;0;0;0;48;2;0;0;0m▀▀▀\x1b[0m\x1b[K\n");
    }

    #[test]
    fn colours_become_the_nearest_of_256() {
        for (pixel, number) in [
            ([0, 0, 0], 16),
            ([255, 255, 255], 231),
            ([255, 0, 0], 196),
            ([128, 128, 128], 244),
            ([95, 135, 175], 67),
            ([238, 238, 238], 255),
            ([10, 8, 9], 232),
        ] {
            assert_eq!(index(pixel), number, "{pixel:?}");
        }
    }
}
