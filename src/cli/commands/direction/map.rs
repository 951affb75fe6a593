//! The picture that `direction show` draws: heat maps beside the original picture.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::clip::Photo;
use crate::direction::{Crop, Direction, Directions, Survey};
use crate::output::font::Font;
use crate::output::sheet::{INK, Labels, PAPER, Sheet};
use crate::plan::Size;

/// The longest side of a panel in pixels.
const LONGEST: u32 = 720;
/// Colours from the probability 0 to 1, evenly spaced: dark blue, violet, red, orange, light yellow. Each is lighter than the one
/// before, so that the scale also reads in grey.
const COLOURS: [[f32; 3]; 5] =
    [[20.0, 18.0, 60.0], [96.0, 28.0, 120.0], [196.0, 52.0, 82.0], [244.0, 140.0, 34.0], [252.0, 246.0, 164.0]];

/// Draws a panel with the picture and one for each class, with the highest places and a legend.
pub(super) fn sheet(
    title: &str,
    photo: &Photo,
    survey: &Survey,
    directions: &Directions,
    most: usize,
) -> Option<Sheet> {
    let (width, height) = survey.size;
    let scale = (f64::from(LONGEST) / width.max(height) as f64).min(4.0);
    let side = |length: usize| ((length as f64 * scale).round() as u32).max(1);
    let (w, h) = (side(width), side(height));
    let original = RgbImage::from_raw(width as u32, height as u32, photo.pixels().to_vec())?;
    let picture = imageops::resize(&original, w, h, FilterType::CatmullRom);
    let strip = (h / 12).clamp(26, 44);
    let mut labels = vec![vec!["the picture".to_owned()]];
    let mut panels = vec![beneath(&picture, strip)];
    for direction in &directions.classes {
        let places = survey.places(direction, most);
        let mut panel = beneath(&heat(&picture, survey, direction), strip);
        for (rank, (part, _)) in places.iter().enumerate().rev() {
            outline(&mut panel, *part, scale, (w, h), rank + 1);
        }
        legend(&mut panel, h, strip);
        panels.push(panel);
        let whole = direction.probability(&survey.whole);
        labels.push(vec![direction.class.clone(), format!("probability of the whole {whole:.3}")]);
    }
    let mut sheet = Sheet::new(title, &Labels::Each(labels), Size { width: w, height: h + strip });
    panels.iter().enumerate().for_each(|(index, panel)| sheet.put(index, panel));
    Some(sheet)
}

/// Returns the picture with `strip` rows of paper beneath it.
fn beneath(picture: &RgbImage, strip: u32) -> RgbImage {
    let mut panel = RgbImage::from_pixel(picture.width(), picture.height() + strip, PAPER);
    imageops::replace(&mut panel, picture, 0, 0);
    panel
}

/// Returns the colour of a probability.
fn colour(probability: f32) -> [f32; 3] {
    let at = probability.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let low = (at as usize).min(COLOURS.len() - 2);
    let part = at - low as f32;
    std::array::from_fn(|channel| COLOURS[low][channel] * (1.0 - part) + COLOURS[low + 1][channel] * part)
}

/// Draws the picture in grey beneath the colours of its probabilities.
fn heat(picture: &RgbImage, survey: &Survey, direction: &Direction) -> RgbImage {
    let map = survey.map(direction);
    let (width, height) = survey.size;
    let mut panel = picture.clone();
    let (w, h) = panel.dimensions();
    for (x, y, pixel) in panel.enumerate_pixels_mut() {
        let column = (x as usize * width / w as usize).min(width - 1);
        let row = (y as usize * height / h as usize).min(height - 1);
        let heat = colour(map[row * width + column]);
        let [r, g, b] = pixel.0.map(f32::from);
        // Luma of ITU-R BT.601.
        let grey = 0.299 * r + 0.587 * g + 0.114 * b;
        *pixel = Rgb(heat.map(|heat| (0.66 * heat + 0.34 * grey) as u8));
    }
    panel
}

/// Draws a place's outline with its rank in a corner.
fn outline(panel: &mut RgbImage, part: Crop, scale: f64, (w, h): (u32, u32), rank: usize) {
    let at = |length: usize, most: u32| ((length as f64 * scale).round() as u32).min(most.saturating_sub(1));
    let (left, right) = (at(part.left, w), at(part.left + part.side, w));
    let (top, bottom) = (at(part.top, h), at(part.top + part.side, h));
    for (inset, ink) in [(0, Rgb([0; 3])), (1, Rgb([255; 3])), (2, Rgb([0; 3]))] {
        let (left, right) = (left + inset, right.saturating_sub(inset));
        let (top, bottom) = (top + inset, bottom.saturating_sub(inset));
        for x in left..=right {
            [top, bottom].into_iter().for_each(|y| set(panel, x, y, ink));
        }
        for y in top..=bottom {
            [left, right].into_iter().for_each(|x| set(panel, x, y, ink));
        }
    }
    let size = 18.0;
    let line = Font::own().line(&rank.to_string(), size);
    for x in left..left + line.width as u32 + 10 {
        (top..top + size as u32 + 4).for_each(|y| set(panel, x, y.min(h.saturating_sub(1)), Rgb([0; 3])));
    }
    line.draw(panel, left as f32 + 5.0, top as f32 + size, Rgb([255; 3]));
}

fn set(panel: &mut RgbImage, x: u32, y: u32, ink: Rgb<u8>) {
    if let Some(pixel) = panel.get_pixel_mut_checked(x, y) {
        *pixel = ink;
    }
}

/// Draws the legend of the colours in the strip beneath a panel.
fn legend(panel: &mut RgbImage, top: u32, strip: u32) {
    let (font, size) = (Font::own(), 14.0);
    let baseline = (top + strip) as f32 - strip as f32 / 2.0 + 5.0;
    let [zero, one] = ["0", "1"].map(|text| font.line(text, size));
    let (zero_width, one_width) = (zero.width as u32, one.width as u32);
    zero.draw(panel, 2.0, baseline, INK);
    let (left, right) = (zero_width + 8, panel.width().saturating_sub(one_width + 8));
    one.draw(panel, right as f32 + 6.0, baseline, INK);
    for x in left..right {
        let of = colour((x - left) as f32 / (right - left).max(1) as f32);
        let ink = Rgb(of.map(|value| value as u8));
        (top + strip / 4..top + strip - strip / 4).for_each(|y| set(panel, x, y, ink));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_grow_lighter_from_0_to_1() {
        let grey = |p: f32| colour(p).iter().sum::<f32>();
        assert!((0..100).all(|i| grey(i as f32 / 100.0) < grey((i + 1) as f32 / 100.0)));
        assert_eq!((colour(-1.0), colour(2.0)), (COLOURS[0], COLOURS[4]));
    }
}
