//! The square pictures that examples are drawn on.

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

/// Red, green and blue, 0..1 sRGB.
pub(super) type Colour = [f32; 3];

/// A square picture of colours, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster {
    pub side: usize,
    pub pixels: Vec<Colour>,
}

impl Raster {
    /// Creates a raster by calling `colour` at every pixel's centre, in fractions of the side.
    pub fn from_fn(side: usize, mut colour: impl FnMut(f64, f64) -> Colour) -> Raster {
        let at = |pixel: usize| (pixel as f64 + 0.5) / side as f64;
        let pixels = (0..side * side).map(|index| colour(at(index % side), at(index / side))).collect();
        Raster { side, pixels }
    }

    /// Creates a raster from a square part of a picture, given by its corner and side in pixels, and scales it.
    pub fn of_part(picture: &RgbImage, (left, top): (u32, u32), part: u32, side: usize) -> Raster {
        let part = crop_imm(picture, left, top, part, part).to_image();
        let scaled = resize(&part, side as u32, side as u32, FilterType::Triangle);
        Raster { side, pixels: scaled.pixels().map(|pixel| pixel.0.map(|value| f32::from(value) / 255.0)).collect() }
    }

    /// Mirrors left and right.
    pub fn mirrored(mut self) -> Raster {
        self.pixels.chunks_exact_mut(self.side).for_each(<[Colour]>::reverse);
        self
    }

    /// Returns the picture as bytes, with values rounded and clamped to 0..255.
    pub fn to_rgb(&self) -> RgbImage {
        let side = self.side as u32;
        // The cast saturates.
        RgbImage::from_fn(side, side, |x, y| {
            image::Rgb(self.pixels[(y * side + x) as usize].map(|value| (value * 255.0 + 0.5) as u8))
        })
    }

    /// Moves all colours towards their mean, keeping this share of their distance.
    pub fn calm(&mut self, share: f32) {
        let count = self.pixels.len() as f32;
        let mean: Colour =
            std::array::from_fn(|channel| self.pixels.iter().map(|pixel| pixel[channel]).sum::<f32>() / count);
        self.pixels.iter_mut().for_each(|pixel| *pixel = mixed(mean, *pixel, share));
    }

    /// Applies a Gaussian blur with this deviation in pixels; beyond the border, the border's colour is repeated.
    pub fn blur(&mut self, deviation: f32) {
        if deviation < 0.1 {
            return;
        }
        let reach = (3.0 * deviation).ceil() as isize;
        let weights: Vec<f32> = (-reach..=reach).map(|at| (-0.5 * (at as f32 / deviation).powi(2)).exp()).collect();
        let sum: f32 = weights.iter().sum();
        let last = self.side as isize - 1;
        for (along, across) in [(1, self.side), (self.side, 1)] {
            let from = self.pixels.clone();
            for line in 0..self.side {
                for at in 0..self.side {
                    let mut blurred = [0.0; 3];
                    for (weight, offset) in weights.iter().zip(-reach..=reach) {
                        let near = (at as isize + offset).clamp(0, last) as usize;
                        let colour = from[line * across + near * along];
                        (0..3).for_each(|channel| blurred[channel] += weight / sum * colour[channel]);
                    }
                    self.pixels[line * across + at * along] = blurred;
                }
            }
        }
    }
}

/// Interpolates between two colours; 0 gives the first, 1 the second.
pub(super) fn mixed(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

/// Returns the lightness of a colour by the weights of Rec. 709, without linearising sRGB, which is how eyes and encoders see
/// it.
pub(super) fn lightness([red, green, blue]: Colour) -> f32 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blurring_keeps_the_mean_and_spreads_a_point() {
        let mut raster = Raster::from_fn(33, |_, _| [0.0; 3]);
        raster.pixels[16 * 33 + 16] = [1.0, 0.5, 0.0];
        raster.blur(2.0);
        let sum: f32 = raster.pixels.iter().map(|pixel| pixel[0]).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        let (centre, beside, above) =
            (raster.pixels[16 * 33 + 16], raster.pixels[16 * 33 + 18], raster.pixels[14 * 33 + 16]);
        assert!((beside[0] / centre[0] - (-0.5f32).exp()).abs() < 1e-4 && (beside[0] - above[0]).abs() < 1e-6);
        assert!((centre[1] - 0.5 * centre[0]).abs() < 1e-6 && centre[2] == 0.0);
    }

    #[test]
    fn calming_keeps_the_mean_and_narrows_the_rest() {
        let mut raster = Raster::from_fn(2, |x, _| [if x < 0.5 { 0.0 } else { 1.0 }; 3]);
        raster.calm(0.5);
        assert_eq!(raster.pixels, [[0.25; 3], [0.75; 3], [0.25; 3], [0.75; 3]]);
    }

    #[test]
    fn parts_are_scaled_and_mirrored() {
        let picture = RgbImage::from_fn(40, 20, |x, _| image::Rgb([if x < 30 { 0 } else { 255 }, 0, 0]));
        let raster = Raster::of_part(&picture, (20, 0), 20, 10);
        assert_eq!((raster.pixels[0][0], raster.pixels[9][0]), (0.0, 1.0));
        assert_eq!(raster.mirrored().pixels[0][0], 1.0);
    }
}
