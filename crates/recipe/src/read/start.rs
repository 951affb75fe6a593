//! The pictures that a recipe names. They are checked when it is read, so that unusable ones are reported at the recipe's line.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use image::{ImageError, ImageFormat};

use crate::picture_file::{self, Behind, CLEAR, DecodedPicture};
use crate::plan::Size;
use crate::read::reader::{Reader, Value};
use crate::read::written::{At, Start};
use crate::report::paths::missing_hint;

/// A picture is scaled until it covers the canvas, and then cropped. A very narrow picture would fill the memory, and almost all of it
/// would be cropped away. Up to this many pixels that does not matter,
const LARGE: u128 = 1 << 26;
/// and beyond them the scaled picture has at most this many times the canvas's pixels.
const MOST_OF_CANVAS: u128 = 16;

/// Why a picture cannot be used, in words that follow a colon, with a hint unless the remedy is to use another file.
#[derive(Debug)]
struct Trouble {
    what: String,
    hint: Option<String>,
}

impl Trouble {
    fn new(what: impl Into<String>) -> Self {
        Trouble { what: what.into(), hint: None }
    }
}

impl<'a> Reader<'a> {
    /// Reads an image file to start from. It must exist and decode completely.
    pub fn start(&mut self, value: &Value<'a>) -> Option<At<Start>> {
        let (path, DecodedPicture { image, clear }) = self.picture(value, "start from", Behind::White)?;
        self.clear(value, clear);
        Some(At { value: Start { path, width: image.width(), height: image.height() }, span: value.span.clone() })
    }

    /// Reads an image file that is a prompt.
    pub fn shown(&mut self, value: &Value<'a>) -> Option<At<PathBuf>> {
        let (path, seen) = self.picture(value, "show", Behind::White)?;
        self.clear(value, seen.clear);
        Some(At { value: path, span: value.span.clone() })
    }

    /// Warns if parts of a picture are transparent.
    fn clear(&mut self, value: &Value<'a>, clear: bool) {
        if clear {
            let (message, hint) = CLEAR;
            self.warning(value.span.clone(), message).hint = Some(hint.into());
        }
    }

    /// Reads an image file and decodes its picture. `purpose` follows "cannot" in messages.
    pub fn picture(&mut self, value: &Value<'a>, purpose: &str, behind: Behind) -> Option<(PathBuf, DecodedPicture)> {
        let text = self.text(value)?;
        let path = self.folder(value.span.start).join(&text);
        self.files.push(path.clone());
        match look(&path, behind) {
            Ok(seen) => Some((path, seen)),
            Err(Trouble { what, hint }) => {
                let from = match self.sources.file(value.span.start).path.to_string_lossy().starts_with("--set ") {
                    true => "current",
                    false => "recipe's",
                };
                let looked = || format!("looked for {}; paths are relative to the {from} folder", path.display());
                let hint = hint.or_else(|| missing_hint(&text, &path)).unwrap_or_else(looked);
                self.error(value.span.clone(), format!("cannot {purpose} \"{text}\": {what}")).hint = Some(hint);
                None
            }
        }
    }

    /// Reports a picture that is too narrow to cover the canvas at a reasonable size.
    pub fn check_start(&mut self, start: &At<Start>, size: Size) {
        let Start { width, height, .. } = start.value;
        let [w, h, to_w, to_h] = [width, height, size.width, size.height].map(|side| u128::from(side.max(1)));
        // The larger of the factors to_w / w and to_h / h, without dividing.
        let (scaled_w, scaled_h) =
            if to_w * h >= to_h * w { (to_w, (h * to_w).div_ceil(w)) } else { ((w * to_h).div_ceil(h), to_h) };
        let pixels = scaled_w * scaled_h;
        if pixels > LARGE && pixels > MOST_OF_CANVAS * to_w * to_h {
            let message = format!(
                "this picture of {width}x{height} pixels would be scaled to {scaled_w}x{scaled_h} to cover the canvas of {to_w}x{to_h}"
            );
            self.error(start.span.clone(), message).hint = Some("crop it closer to the canvas's shape".into());
        }
    }
}

/// Decodes a picture completely.
fn look(path: &Path, behind: Behind) -> Result<DecodedPicture, Trouble> {
    let other = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Trouble::new("there is no such file"),
        _ => Trouble::new(error.to_string()),
    };
    let metadata = std::fs::metadata(path).map_err(other)?;
    if !metadata.is_file() {
        return Err(Trouble::new("it is not a file"));
    }
    if metadata.len() == 0 {
        return Err(Trouble::new("the file is empty"));
    }
    let format = format(path).map_err(other)?;
    if !format.is_some_and(|format| format.reading_enabled()) {
        let hint = Some("PNG, JPEG, WebP, BMP, TIFF and GIF files can be read".to_owned());
        return Err(Trouble { hint, ..Trouble::new("its format is not supported") });
    }
    picture_file::open(path, behind).map_err(|error| trouble(&error))
}

/// Returns the format indicated by a file's first bytes.
fn format(path: &Path) -> std::io::Result<Option<ImageFormat>> {
    let mut first = Vec::new();
    File::open(path)?.take(32).read_to_end(&mut first)?;
    Ok(image::guess_format(&first).ok())
}

/// Rephrases a decoder's error for a recipe's author.
fn trouble(error: &ImageError) -> Trouble {
    let again = |what: String| Trouble { what, hint: Some("save it again, for example as a PNG".into()) };
    match error {
        ImageError::Limits(error) => {
            Trouble { what: format!("it is too large ({error})"), hint: Some("scale it down first".into()) }
        }
        ImageError::Unsupported(error) => again(format!("it cannot be read ({error})")),
        error => again(format!("the picture is damaged ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{SourceFile, Sources};

    fn wrong(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        look(&path, Behind::White).unwrap_err().what
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        // These pixels compress badly, so the file can be cut within them.
        let image = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn broken_pictures_are_found_out() {
        assert_eq!(wrong("a.png", b""), "the file is empty");
        assert_eq!(wrong("a.png", b"a castle"), "its format is not supported");
        let whole = png(40, 30);
        for length in [8, 30, whole.len() / 2] {
            let what = wrong("a.png", &whole[..length]);
            assert!(what.starts_with("the picture is damaged ("), "{length}: {what}");
        }
        assert_eq!(look(&std::env::temp_dir(), Behind::White).unwrap_err().what, "it is not a file");
    }

    #[test]
    fn the_format_is_that_of_the_content_whatever_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, png(40, 30)).unwrap();
        let image = look(&path, Behind::White).unwrap().image;
        assert_eq!((image.width(), image.height()), (40, 30));
    }

    #[test]
    fn a_picture_too_large_to_decode_is_refused() {
        let mut bytes = png(40, 30);
        // Make the header claim 60000 x 60000, with a matching checksum.
        bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let checksum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let what = wrong("a.png", &bytes);
        assert!(what.starts_with("it is too large ("), "{what}");
    }

    /// Returns the checksum of a PNG chunk, computed bit by bit: CRC-32 (ISO 3309).
    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }

    #[test]
    fn a_thread_of_a_picture_does_not_cover_a_canvas() {
        let sources = Sources::of(SourceFile::new(Path::new("a.toml"), ""));
        let mut reader = Reader::new(&sources);
        let size = Size { width: 512, height: 512 };
        let mut errors = |width, height| {
            let start = At { value: Start { path: PathBuf::new(), width, height }, span: 0..0 };
            reader.check_start(&start, size);
            std::mem::take(&mut reader.diagnostics).len()
        };
        assert_eq!([errors(1, 1_000_000), errors(1_000_000, 1)], [1, 1]);
        assert_eq!([errors(6000, 4000), errors(16_000, 1000), errors(100, 1), errors(1, 1)], [0; 4]);
    }
}
