//! What a canvas starts from, and the errors in creating it.

use crate::machine::Room;
use crate::picture::Picture;
use crate::picture_file::{self, Behind};
use crate::plan::{self, Size};
use crate::units;
use image::imageops::FilterType;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The reason why a canvas could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CanvasError {
    /// The picture to start from cannot be read.
    #[error("cannot read the picture to start from, `{}`: {source}", path.display())]
    Image { path: PathBuf, source: image::ImageError },
    /// The canvas would not fit in memory.
    #[error(
        "a canvas of {width}x{height} pixels needs {} of memory, {room}", units::bytes(*needed)
    )]
    Memory { width: u32, height: u32, needed: u64, room: Room },
    /// A side is too short or too long.
    #[error("a canvas of {width}x{height} pixels: sides must be 16 to 65536 pixels")]
    Sides { width: u32, height: u32 },
}

impl CanvasError {
    /// Returns a hint about what the user can do.
    pub fn hint(&self) -> Option<String> {
        let CanvasError::Memory { room, .. } = self else { return None };
        Some(room.hint("a smaller picture (--size, --draft) needs less"))
    }
}

/// The picture under the noise.
pub(super) enum Ground {
    /// One colour.
    Colour([f32; 3]),
    /// Pixels `[3, H, W]` of the canvas's size, 0..1.
    Picture(Vec<f32>),
}

impl Ground {
    /// Loads the picture, if the ground is one.
    pub fn load(ground: &plan::Ground, size: Size) -> Result<Ground, CanvasError> {
        Ok(match ground {
            plan::Ground::Colour(colour) => Ground::Colour(colour.map(|value| value as f32)),
            plan::Ground::Image(path) => Ground::Picture(picture(path, size)?),
        })
    }

    /// Returns the ground's pixels, mapped by `pixel`, as planes `[3, H, W]`.
    pub fn planes(&self, size: Size, pixel: impl Fn([f32; 3]) -> [f32; 3] + Sync) -> Vec<f32> {
        let area = size.area();
        let mut planes = vec![0.0; 3 * area];
        let (red, rest) = planes.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        let to = red.par_iter_mut().zip(green.par_iter_mut().zip(blue)).enumerate();
        to.for_each(|(i, (red, (green, blue)))| {
            let here = match self {
                Ground::Colour(colour) => *colour,
                Ground::Picture(picture) => [picture[i], picture[area + i], picture[2 * area + i]],
            };
            [*red, *green, *blue] = pixel(here);
        });
        planes
    }
}

impl Ground {
    /// Returns a picture as a ground, scaled to cover the canvas and cropped at its centre.
    pub fn of(picture: &Picture, size: Size) -> Ground {
        let clamped = |value: &f32| value.clamp(0.0, 1.0);
        if picture.size == size {
            return Ground::Picture(picture.pixels.iter().map(clamped).collect());
        }
        let area = picture.size.area();
        let image = image::Rgb32FImage::from_fn(picture.size.width, picture.size.height, |x, y| {
            let at = y as usize * picture.size.width as usize + x as usize;
            image::Rgb([0, 1, 2].map(|channel| clamped(&picture.pixels[channel * area + at])))
        });
        Ground::Picture(fitted(&image.into(), size))
    }
}

/// Reads an image file as `[3, H, W]`, scaled to cover the canvas and cropped at its centre.
fn picture(path: &Path, size: Size) -> Result<Vec<f32>, CanvasError> {
    let wrong = |source| CanvasError::Image { path: path.to_owned(), source };
    Ok(fitted(&picture_file::open(path, Behind::White).map_err(wrong)?.image, size))
}

fn fitted(image: &image::DynamicImage, size: Size) -> Vec<f32> {
    let image = image.resize_to_fill(size.width, size.height, FilterType::Lanczos3).into_rgb32f();
    let area = size.area();
    let mut planes = vec![0.0; 3 * area];
    for (i, pixel) in image.pixels().enumerate() {
        for channel in 0..3 {
            planes[channel * area + i] = pixel.0[channel].clamp(0.0, 1.0);
        }
    }
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_covers_the_canvas() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.png");
        // Left half red, right half blue, twice as wide as high.
        let image = image::RgbImage::from_fn(80, 40, |x, _| image::Rgb(if x < 40 { [255, 0, 0] } else { [0, 0, 255] }));
        image.save(&path).unwrap();
        let size = Size { width: 32, height: 32 };
        let planes = picture(&path, size).unwrap();
        assert_eq!(planes.len(), 3 * 1024);
        assert!(planes[0] > 0.99 && planes[31] < 0.01 && planes[2 * 1024 + 31] > 0.99);

        // A photo whose orientation tag puts red on the left; and a fully transparent picture.
        let turned = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/preprocess/turned.jpg");
        let stored = image::open(turned).unwrap();
        assert_eq!(picture(Path::new(turned), size).unwrap(), fitted(&stored.rotate90(), size));
        image::RgbaImage::from_pixel(20, 20, image::Rgba([0, 0, 0, 0])).save(&path).unwrap();
        assert!(picture(&path, size).unwrap().iter().all(|value| *value == 1.0));

        std::fs::write(&path, b"not an image").unwrap();
        let error = picture(&path, size).unwrap_err().to_string();
        assert!(error.contains("wide.png"), "{error}");
        assert!(picture(&folder.path().join("none.png"), size).is_err());
    }
}
