//! Decodes the user's picture files as people see them. All pixels from files come through here.
//!
//! The orientation that a camera noted is applied. Transparent parts show a background: white for pictures, black for
//! masks, so a transparent area of a mask selects nothing. Colours hidden under full transparency are never shown.
//! Colour profiles are not applied. Of an animation, the first picture is used.

use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageReader, ImageResult, Limits, Luma, Pixel, Rgb};

/// The background seen through transparent parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    White,
    Black,
}

/// A picture as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedPicture {
    /// Upright and opaque.
    pub image: DynamicImage,
    /// Whether any of it was transparent, wholly or partly.
    pub clear: bool,
}

/// The message about a picture with transparent parts, and the hint.
pub const CLEAR: (&str, &str) =
    ("parts of this picture are transparent and seen as white", "save it on the background that it should have");

/// Reads a picture file. The format is recognised by the content, not by the name.
///
/// # Errors
/// A file that cannot be read, has an unknown format, is damaged, or is too large to decode.
pub fn open(path: &Path, behind: Behind) -> ImageResult<DecodedPicture> {
    of(ImageReader::new(BufReader::new(std::fs::File::open(path)?)), behind)
}

/// Reads a picture from a file's bytes, like [`open`].
pub fn decode(bytes: &[u8], behind: Behind) -> ImageResult<DecodedPicture> {
    of(ImageReader::new(Cursor::new(bytes)), behind)
}

fn of<R: BufRead + Seek>(reader: ImageReader<R>, behind: Behind) -> ImageResult<DecodedPicture> {
    let decoder = reader.with_guessed_format()?.into_decoder()?;
    seen(decoder, behind, |mut decoder| {
        let mut limits = Limits::default();
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        DynamicImage::from_decoder(decoder)
    })
}

/// Reads a picture whose orientation comes from `decoder`. `pixels` returns the pixels, which may come from another
/// decoder.
pub fn seen<D: ImageDecoder>(
    mut decoder: D,
    behind: Behind,
    pixels: impl FnOnce(D) -> ImageResult<DynamicImage>,
) -> ImageResult<DecodedPicture> {
    // Unreadable metadata are ignored.
    let orientation = decoder.orientation();
    let (mut image, clear) = over(pixels(decoder)?, behind);
    if let Ok(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(DecodedPicture { image, clear })
}

/// Composites a picture onto the background in its own precision. Also returns whether the background is visible
/// anywhere.
fn over(image: DynamicImage, behind: Behind) -> (DynamicImage, bool) {
    let white = behind == Behind::White;
    let eight = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        let ground = if white { 255 - alpha } else { 0 };
        ((value * alpha + ground * 255 + 127) / 255) as u8
    };
    let sixteen = |value: u16, alpha: u16| {
        let (value, alpha) = (u64::from(value), u64::from(alpha));
        let ground = if white { 65535 - alpha } else { 0 };
        ((value * alpha + ground * 65535 + 32767) / 65535) as u16
    };
    let float = |value: f32, alpha: f32| value * alpha + if white { 1.0 - alpha } else { 0.0 };
    let mut clear = false;
    let image = match image {
        DynamicImage::ImageLumaA8(image) => {
            on(&image, u8::MAX, &mut clear, |of, alpha| Luma([eight(of[0], alpha)])).into()
        }
        DynamicImage::ImageLumaA16(image) => {
            on(&image, u16::MAX, &mut clear, |of, alpha| Luma([sixteen(of[0], alpha)])).into()
        }
        DynamicImage::ImageRgba8(image) => {
            on(&image, u8::MAX, &mut clear, |of, alpha| Rgb([0, 1, 2].map(|c| eight(of[c], alpha)))).into()
        }
        DynamicImage::ImageRgba16(image) => {
            on(&image, u16::MAX, &mut clear, |of, alpha| Rgb([0, 1, 2].map(|c| sixteen(of[c], alpha)))).into()
        }
        DynamicImage::ImageRgba32F(image) => {
            on(&image, 1.0, &mut clear, |of, alpha| Rgb([0, 1, 2].map(|c| float(of[c], alpha)))).into()
        }
        opaque => opaque,
    };
    (image, clear)
}

/// Removes the last channel, which is the alpha, with `most` as full opacity. `mixed` gets all channels and the alpha.
fn on<P: Pixel, Q: Pixel>(
    image: &ImageBuffer<P, Vec<P::Subpixel>>,
    most: P::Subpixel,
    clear: &mut bool,
    mixed: impl Fn(&[P::Subpixel], P::Subpixel) -> Q,
) -> ImageBuffer<Q, Vec<Q::Subpixel>> {
    ImageBuffer::from_fn(image.width(), image.height(), |x, y| {
        let channels = image.get_pixel(x, y).channels();
        let alpha = channels.last().copied().unwrap_or(most);
        *clear |= alpha < most;
        mixed(channels, alpha)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayAlphaImage, ImageFormat, RgbImage, Rgba, RgbaImage};

    fn file(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/preprocess").join(name)).unwrap()
    }

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn hidden_colours_are_never_seen() {
        // Red and black that are fully transparent, half-transparent blue, and opaque green.
        let pixels = [[255, 0, 0, 0], [0, 0, 0, 0], [0, 0, 255, 128], [0, 255, 0, 255]];
        let image = RgbaImage::from_fn(4, 1, |x, _| Rgba(pixels[x as usize]));
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
            let bytes = encoded(&image.clone().into(), format);
            let white = decode(&bytes, Behind::White).unwrap();
            let expected = [255, 255, 255, 255, 255, 255, 127, 127, 255, 0, 255, 0];
            assert_eq!((white.image.to_rgb8().into_raw(), white.clear), (expected.to_vec(), true), "{format:?}");
            let black = decode(&bytes, Behind::Black).unwrap();
            assert_eq!(black.image.to_rgb8().into_raw(), [0, 0, 0, 0, 0, 0, 0, 0, 128, 0, 255, 0], "{format:?}");
        }
        let grey = GrayAlphaImage::from_raw(2, 1, vec![10, 0, 10, 255]).unwrap();
        let seen = decode(&encoded(&grey.into(), ImageFormat::Png), Behind::White).unwrap();
        assert_eq!((seen.image.to_luma8().into_raw(), seen.clear), (vec![255, 10], true));
        let deep = ImageBuffer::<Rgba<u16>, _>::from_pixel(1, 1, Rgba([1000, 2000, 3000, 32768]));
        let seen = decode(&encoded(&deep.into(), ImageFormat::Png), Behind::Black).unwrap();
        assert_eq!(seen.image.to_rgb16().into_raw(), [500, 1000, 1500]);
    }

    #[test]
    fn what_is_opaque_stays_to_the_bit() {
        let draw = |x: u32, y: u32| [x as u8 * 3, y as u8 * 5, (x * y) as u8];
        let plain = RgbImage::from_fn(40, 30, |x, y| Rgb(draw(x, y)));
        let opaque = RgbaImage::from_fn(40, 30, |x, y| {
            let [r, g, b] = draw(x, y);
            Rgba([r, g, b, 255])
        });
        for image in [DynamicImage::from(plain.clone()), opaque.into()] {
            let seen = decode(&encoded(&image, ImageFormat::Png), Behind::White).unwrap();
            assert_eq!(seen, DecodedPicture { image: plain.clone().into(), clear: false });
        }
    }

    /// A picture of 3 x 2 pixels, stored in each of the eight orientations with the matching tag.
    #[test]
    fn all_orientations_are_undone() {
        let upright = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8 * 80, y as u8 * 80, 200]));
        for tag in 1..=8u8 {
            // EXIF 2.32, tag 0x0112: which sides of the upright picture the stored first row and column are.
            let (width, height) = if tag < 5 { (3, 2) } else { (2, 3) };
            let stored = RgbImage::from_fn(width, height, |x, y| {
                let (right, low) = (2 - x.min(2), 1 - y.min(1));
                let (x, y) = match tag {
                    1 => (x, y),
                    2 => (right, y),
                    3 => (right, low),
                    4 => (x, low),
                    5 => (y, x),
                    6 => (2 - y, x),
                    7 => (2 - y, 1 - x),
                    _ => (y, 1 - x),
                };
                *upright.get_pixel(x, y)
            });
            let png = encoded(&stored.into(), ImageFormat::Png);
            let seen = decode(&with_orientation(&png, tag), Behind::White).unwrap();
            assert_eq!(seen.image.to_rgb8(), upright, "orientation {tag}");
        }
    }

    /// Returns the PNG with an `eXIf` chunk that gives its orientation.
    fn with_orientation(png: &[u8], tag: u8) -> Vec<u8> {
        let exif: Vec<u8> = [&b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[tag], &[0; 6]].concat();
        let mut chunk = b"eXIf".to_vec();
        chunk.extend(&exif);
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        let length = (exif.len() as u32).to_be_bytes();
        // After the header.
        [&png[..33], &length, &chunk, &crc.sum().to_be_bytes(), &png[33..]].concat()
    }

    #[test]
    fn a_camera_s_picture_is_turned() {
        let bytes = file("turned.jpg");
        let stored = image::load_from_memory(&bytes).unwrap();
        let seen = decode(&bytes, Behind::White).unwrap();
        assert_eq!((seen.image.width(), seen.image.height()), (stored.height(), stored.width()));
        assert_eq!(seen.image, stored.rotate90());
    }

    #[test]
    fn what_is_too_large_or_no_picture_is_an_error() {
        assert!(decode(b"not a picture", Behind::White).is_err());
        assert!(open(Path::new("no/such.png"), Behind::White).is_err());
    }
}
