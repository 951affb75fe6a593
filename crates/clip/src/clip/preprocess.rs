//! Prepares pictures as in a model's training: CLIP's own preprocessing.
//!
//! Bit-exact with torchvision's `Resize`, `CenterCrop` and `ToTensor` on an opaque, upright Pillow picture. (The mean and the
//! deviation are part of the encoder's graph.) Pillow resizes with a kernel that widens as the picture shrinks, so nothing
//! aliases: first the rows, then the columns, in integers, with 22-bit fixed-point weights, and rounded to whole levels in
//! between.

use std::path::Path;

use image::{DynamicImage, ImageFormat, ImageReader};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ClipError, jpeg};
use crate::picture_file::{self, Behind};

/// How a picture of any shape becomes a square window of side S.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// The shorter side becomes S; the excess of the longer one is cropped on both sides. Used by CLIP.
    #[default]
    Shortest,
    /// Both sides become S, whatever the shape. Used by SigLIP.
    Squash,
    /// The longer side becomes S; the shorter one is padded with black on both sides.
    Longest,
}

/// The interpolation between pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Keys' cubic with a = -1/2 (IEEE Transactions on Acoustics, Speech and Signal Processing 29, 1981).
    #[default]
    Bicubic,
    /// A triangle.
    Bilinear,
}

impl Interpolation {
    /// Returns its reach, in pixels of the smaller scale.
    fn support(self) -> f64 {
        match self {
            Interpolation::Bicubic => 2.0,
            Interpolation::Bilinear => 1.0,
        }
    }

    fn weight(self, at: f64) -> f64 {
        let (x, a) = (at.abs(), -0.5);
        match self {
            Interpolation::Bilinear => (1.0 - x).max(0.0),
            Interpolation::Bicubic if x < 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Interpolation::Bicubic if x < 2.0 => ((x - 5.0) * x + 8.0) * (x * a) - 4.0 * a,
            Interpolation::Bicubic => 0.0,
        }
    }
}

/// A decoded picture: rows of RGB, one byte per channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// Whether parts of it were transparent; these appear white.
    pub clear: bool,
}

impl Photo {
    /// Reads a picture file as [`picture_file`] does. This differs from CLIP's own preprocessing, which shows the colours under
    /// transparency and ignores the orientation tag; pictures without either are the same.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        let read = |source| ClipError::Read { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(read)?;
        Photo::decode(&bytes).map_err(|message| ClipError::Picture { path: path.to_owned(), message })
    }

    /// Reads a picture from a file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let failed = |error: image::ImageError| error.to_string();
        let reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
        let format = reader.format();
        if format.is_none() {
            return Err("is not a picture of a known format (PNG, JPEG, WebP, GIF, BMP, TIFF)".into());
        }
        let decoder = reader.into_decoder().map_err(failed)?;
        let decoded = (format == Some(ImageFormat::Jpeg)).then(|| jpeg::decode(bytes)).flatten().transpose()?;
        let seen = match decoded {
            Some((width, height, pixels)) => {
                let sides = (u32::try_from(width), u32::try_from(height));
                let (Ok(width), Ok(height)) = sides else { return Err("is too large".into()) };
                let image = image::RgbImage::from_raw(width, height, pixels).ok_or("has no pixels")?;
                picture_file::seen(decoder, Behind::White, |_| Ok(image.into())).map_err(failed)?
            }
            None => picture_file::decode(bytes, Behind::White).map_err(failed)?,
        };
        let (width, height) = (seen.image.width() as usize, seen.image.height() as usize);
        if width == 0 || height == 0 {
            return Err("has no pixels".into());
        }
        Ok(Photo { width, height, pixels: bytes_of(seen.image), clear: seen.clear })
    }

    /// Creates a photo from rows of RGB, one byte per channel; `None` if their number does not match.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<Self> {
        let sound = width > 0 && height > 0 && width.checked_mul(height)?.checked_mul(3)? == pixels.len();
        sound.then_some(Photo { width, height, pixels, clear: false })
    }

    /// Returns rows of RGB, one byte per channel.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns a part of it, in pixels; `None` if it is empty or not within the picture.
    pub fn part(&self, left: usize, top: usize, width: usize, height: usize) -> Option<Photo> {
        let within = left.checked_add(width)? <= self.width && top.checked_add(height)? <= self.height;
        if !within || width == 0 || height == 0 {
            return None;
        }
        let row = |y: usize| &self.pixels[3 * ((top + y) * self.width + left)..][..3 * width];
        Photo::new(width, height, (0..height).flat_map(row).copied().collect())
    }

    /// Returns width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Returns the window `[3, S, S]` (planes, 0..1) for an encoder of side S.
    pub fn window(&self, side: usize, resize: Resize, interpolation: Interpolation) -> Vec<f32> {
        let square = self.square(side, resize, interpolation);
        let mut planes = vec![0.0; 3 * side * side];
        for (channel, plane) in planes.chunks_exact_mut((side * side).max(1)).enumerate() {
            for (value, pixel) in plane.iter_mut().zip(square.chunks_exact(3)) {
                *value = f32::from(pixel[channel]) / 255.0;
            }
        }
        planes
    }

    /// Returns the window's pixels as rows of RGB.
    fn square(&self, side: usize, resize: Resize, interpolation: Interpolation) -> Vec<u8> {
        let (width, height) = self.scaled(side, resize);
        // Pixels that are cropped afterwards are not computed; only extreme shapes have many of them.
        let (left, top) = (offset(width, side), offset(height, side));
        let window = |length: usize, start: i64| {
            let first = start.max(0) as usize;
            first..length.min(first + side)
        };
        let (columns, rows) = (window(width, left), window(height, top));
        let across = Kernel::new(self.width, width, interpolation);
        let down = Kernel::new(self.height, height, interpolation);
        let needed = down.reach(rows.clone());
        let narrow = across.rows(&self.pixels, self.width, needed.clone(), columns.clone());
        let resized = down.columns(&narrow, columns.len(), needed.start, rows.clone());
        if columns.len() == side && rows.len() == side {
            return resized;
        }
        let mut square = vec![0; 3 * side * side];
        let (left, top) = ((-left).max(0) as usize, (-top).max(0) as usize);
        for (row, from) in resized.chunks_exact((3 * columns.len()).max(1)).enumerate() {
            let start = 3 * ((top + row) * side + left);
            square[start..start + from.len()].copy_from_slice(from);
        }
        square
    }

    /// Returns width and height before cropping or padding.
    fn scaled(&self, side: usize, resize: Resize) -> (usize, usize) {
        let (width, height) = (self.width, self.height);
        match resize {
            Resize::Squash => (side, side),
            Resize::Shortest => {
                let longer = |longer: usize, shorter: usize| (side * longer) as f64 / shorter as f64;
                if width <= height {
                    (side, longer(height, width) as usize)
                } else {
                    (longer(width, height) as usize, side)
                }
            }
            Resize::Longest => {
                let ratio = width.max(height) as f64 / side as f64;
                // A picture of one row keeps one row.
                let of = |length: usize| ((length as f64 / ratio).round_ties_even() as usize).clamp(1, side);
                (of(width), of(height))
            }
        }
    }
}

/// Returns where a window of `side` begins within a length; negative if it overhangs. Rounds like torchvision.
fn offset(length: usize, side: usize) -> i64 {
    if length >= side {
        ((length - side) as f64 / 2.0).round_ties_even() as i64
    } else {
        -(((side - length) / 2) as i64)
    }
}

/// Returns the RGB bytes of an opaque picture. Of 16-bit channels the upper byte is used, as Pillow does for colours. (It turns
/// 16-bit grey white.)
fn bytes_of(image: DynamicImage) -> Vec<u8> {
    let upper = |values: Vec<u16>| values.into_iter().map(|value| (value >> 8) as u8).collect();
    match image {
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageRgb16(_) => upper(image.into_rgb16().into_raw()),
        image => image.into_rgb8().into_raw(),
    }
}

/// The number of fractional bits of the weights.
const BITS: u32 = 22;

/// The resampling weights along one axis.
struct Kernel {
    /// For each new pixel, the first old pixel and the weights from there on.
    taps: Vec<(usize, Vec<i64>)>,
}

impl Kernel {
    fn new(from: usize, to: usize, interpolation: Interpolation) -> Self {
        let scale = from as f64 / to as f64;
        // When enlarging, the kernel has its own width; when shrinking, it widens with the scale.
        let stretch = scale.max(1.0);
        let reach = interpolation.support() * stretch;
        let tap = |index: usize| {
            if from == to {
                return (index, vec![1 << BITS]);
            }
            let centre = (index as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let weights = (first..end).map(|old| interpolation.weight((old as f64 - centre + 0.5) / stretch));
            let weights: Vec<f64> = weights.collect();
            let sum: f64 = weights.iter().sum();
            let fixed = |weight: &f64| (weight / sum * f64::from(1u32 << BITS)).round() as i64;
            (first, weights.iter().map(fixed).collect())
        };
        Kernel { taps: (0..to).map(tap).collect() }
    }

    /// Returns the range of old pixels that these new ones depend on.
    fn reach(&self, new: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let taps = &self.taps[new];
        let first = taps.first().map_or(0, |(first, _)| *first);
        first..taps.last().map_or(0, |(start, weights)| start + weights.len())
    }

    /// Resizes rows of `width` pixels: those in `rows`, computing only the new `columns`.
    fn rows(
        &self,
        pixels: &[u8],
        width: usize,
        rows: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
    ) -> Vec<u8> {
        let mut resized = vec![0; 3 * rows.len() * columns.len()];
        let taps = &self.taps[columns];
        let old = pixels[3 * width * rows.start..].par_chunks_exact(3 * width);
        resized.par_chunks_exact_mut((3 * taps.len()).max(1)).zip(old).for_each(|(new, old)| {
            for (new, (first, weights)) in new.chunks_exact_mut(3).zip(taps) {
                let old = old[3 * first..].chunks_exact(3);
                let mut sums = [HALF; 3];
                for (pixel, weight) in old.zip(weights) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += i64::from(*value) * weight;
                    }
                }
                new.copy_from_slice(&sums.map(level));
            }
        });
        resized
    }

    /// Resizes columns of rows of `width` pixels, the first of which is the old row `start`; returns the new `rows`.
    fn columns(&self, pixels: &[u8], width: usize, start: usize, rows: std::ops::Range<usize>) -> Vec<u8> {
        let length = 3 * width;
        let mut resized = vec![0; length * rows.len()];
        let taps = &self.taps[rows];
        resized.par_chunks_exact_mut(length.max(1)).zip(taps).for_each(|(new, (first, weights))| {
            let mut sums = vec![HALF; length];
            for (old, weight) in pixels[(first - start) * length..].chunks_exact(length).zip(weights) {
                for (sum, value) in sums.iter_mut().zip(old) {
                    *sum += i64::from(*value) * weight;
                }
            }
            for (value, sum) in new.iter_mut().zip(sums) {
                *value = level(sum);
            }
        });
        resized
    }
}

/// Half a level, so that truncation rounds to nearest.
const HALF: i64 = 1 << (BITS - 1);

/// Converts a weighted sum of levels to a level.
fn level(sum: i64) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn reference(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/preprocess").join(name)
    }

    #[test]
    fn every_rule_gives_what_pillow_gives() {
        let photo = Photo::open(&reference("picture.png")).unwrap();
        let (width, height) = photo.size();
        let turned = |photo: &Photo| {
            let at = |x: usize, y: usize| &photo.pixels[3 * (y * width + x)..][..3];
            let pixels = (0..width).flat_map(|y| (0..height).flat_map(move |x| at(y, x).to_vec())).collect();
            Photo::new(height, width, pixels).unwrap()
        };
        let turned = turned(&photo);
        for (resize, rule) in [(Resize::Shortest, "shortest"), (Resize::Squash, "squash"), (Resize::Longest, "longest")]
        {
            for (interpolation, method) in [(Interpolation::Bicubic, "bicubic"), (Interpolation::Bilinear, "bilinear")]
            {
                for side in [16, 64, 41] {
                    let expected = Photo::open(&reference(&format!("{rule}-{method}-{side}.png"))).unwrap();
                    let square = photo.square(side, resize, interpolation);
                    assert!(square == expected.pixels, "{rule} {method} {side}");
                }
                let expected = Photo::open(&reference(&format!("{rule}-{method}-16-turned.png"))).unwrap();
                assert!(turned.square(16, resize, interpolation) == expected.pixels, "{rule} {method} turned");
            }
        }
    }

    /// The photo is not part of the project: if it is absent, the test says so.
    #[test]
    fn a_photo_is_prepared_as_clip_prepares_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/clip-preprocess");
        let Ok(expected) = std::fs::read(folder.join("expected_preprocessed_image.npy")) else {
            eprintln!("SKIPPED: {} is not there", folder.display());
            return;
        };
        let values = &expected[expected.len() - 4 * 3 * 224 * 224..];
        let values: Vec<f32> = values.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let photo = Photo::open(&folder.join("franz-kafka.jpg")).unwrap();
        let mut window = photo.window(224, Resize::Shortest, Interpolation::Bicubic);
        let mean = [0.48145466, 0.4578275, 0.40821073];
        let deviation = [0.26862954, 0.261_302_6, 0.275_777_1];
        for (channel, plane) in window.chunks_exact_mut(224 * 224).enumerate() {
            plane.iter_mut().for_each(|value| *value = (*value - mean[channel]) / deviation[channel]);
        }
        let difference = window.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let other = window.iter().zip(&values).filter(|(a, b)| (**a - **b).abs() > 1e-4).count();
        assert!(difference <= 1e-4, "{difference}, {other} of {} values", values.len());
    }

    #[test]
    fn pixels_become_planes() {
        let photo = Photo::new(2, 1, vec![255, 0, 51, 0, 255, 102]).unwrap();
        assert_eq!(photo.window(1, Resize::Squash, Interpolation::Bilinear), [0.5019608, 0.5019608, 0.3019608]);
        assert_eq!(photo.window(2, Resize::Longest, Interpolation::Bicubic)[..4], [1.0, 0.0, 0.0, 0.0]);
        assert!(Photo::new(2, 1, vec![0; 5]).is_none() && Photo::new(0, 1, vec![]).is_none());
    }

    #[test]
    fn a_part_is_what_lies_there() {
        let photo = Photo::new(3, 2, (0..18).collect()).unwrap();
        assert_eq!(photo.part(1, 1, 2, 1).unwrap().pixels, (12..18).collect::<Vec<u8>>());
        assert_eq!(photo.part(0, 0, 3, 2), Some(photo.clone()));
        for (left, top, width, height) in [(2, 0, 2, 1), (0, 1, 1, 2), (0, 0, 0, 1), (usize::MAX, 0, 2, 1)] {
            assert_eq!(photo.part(left, top, width, height), None);
        }
    }

    #[test]
    fn extreme_shapes_are_prepared() {
        for (width, height) in [(1, 1), (3000, 1), (1, 3000), (1, 2)] {
            let photo = Photo::new(width, height, vec![200; 3 * width * height]).unwrap();
            for resize in [Resize::Shortest, Resize::Squash, Resize::Longest] {
                let window = photo.window(24, resize, Interpolation::Bicubic);
                assert_eq!(window.len(), 3 * 24 * 24);
                let lit = window.iter().filter(|value| **value == 200.0 / 255.0).count();
                assert!(lit > 0 && (lit == window.len() || resize == Resize::Longest), "{width}x{height} {resize:?}");
            }
        }
    }

    #[test]
    fn what_is_no_picture_is_told() {
        assert!(Photo::decode(b"not a picture").unwrap_err().contains("known format"));
        let png = std::fs::read(reference("picture.png")).unwrap();
        assert!(Photo::decode(&png[..png.len() / 2]).is_err());
        let error = Photo::open(Path::new("no/such.png")).unwrap_err().to_string();
        assert!(error.contains("no/such.png"), "{error}");
    }

    #[test]
    fn every_kind_of_picture_gives_what_pillow_gives() {
        let kinds =
            ["clear.png", "grey-clear.png", "palette.png", "palette.gif", "clear.webp", "turned.jpg", "grey.jpg"];
        for name in kinds {
            let photo = Photo::open(&reference(name)).unwrap();
            let expected = Photo::open(&reference(&format!("{name}.png"))).unwrap();
            assert!(photo.pixels == expected.pixels && photo.size() == expected.size(), "{name}");
            assert_eq!(photo.clear, name.contains("clear") || name == "palette.png", "{name}");
        }
    }

    /// Two bytes per channel: the upper one counts.
    #[test]
    fn sixteen_bits_are_cut_to_eight() {
        let image = image::ImageBuffer::<image::Rgb<u16>, _>::from_pixel(1, 1, image::Rgb([0x12ff, 0xff00, 0x00ff]));
        assert_eq!(bytes_of(image.into()), [0x12, 0xff, 0]);
    }
}
