//! Decodes JPEG as Pillow does.
//!
//! The standard allows decoders an error of one level per value, and they differ in about one pixel in a hundred. Models were
//! trained on the output of libjpeg, so it is used here too; files that it refuses are left to other decoders.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The maximum size of a decoded picture in bytes, against files that claim to be too large.
const MOST: usize = 1 << 30;

/// A decoded picture: width, height, rows of RGB.
pub(super) type Decoded = (usize, usize, Vec<u8>);

/// Decodes a JPEG file. Returns `None` if libjpeg refuses it, or if its colours (CMYK) cannot be converted to RGB. A truncated
/// file is an error.
pub(super) fn decode(bytes: &[u8]) -> Option<Result<Decoded, String>> {
    let starved = Cell::new(false);
    // libjpeg unwinds when it gives up. Nothing that it was working on is used afterwards.
    let decoded = catch_unwind(AssertUnwindSafe(|| whole(Bytes { rest: bytes, starved: &starved })));
    if starved.get() {
        return Some(Err("is cut off".into()));
    }
    decoded.ok()?.ok().map(Ok)
}

fn whole(bytes: Bytes<'_>) -> io::Result<Decoded> {
    let file = mozjpeg::Decompress::new_reader(bytes)?;
    let (width, height) = file.size();
    let length = width.checked_mul(height).and_then(|area| area.checked_mul(3)).filter(|length| *length <= MOST);
    let length = length.ok_or(io::ErrorKind::OutOfMemory)?;
    let mut rows = file.rgb()?;
    let pixels: Vec<u8> = rows.read_scanlines()?;
    if pixels.len() == length { Ok((width, height, pixels)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A file's bytes. Records whether more were requested than there are: libjpeg then fills the rest with grey.
struct Bytes<'a> {
    rest: &'a [u8],
    starved: &'a Cell<bool>,
}

impl BufRead for Bytes<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() {
            self.starved.set(true);
        }
        Ok(self.rest)
    }

    fn consume(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Vec<u8> {
        std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/preprocess").join(name))
            .unwrap()
    }

    fn expected(name: &str) -> Vec<u8> {
        image::load_from_memory(&file(name)).unwrap().into_rgb8().into_raw()
    }

    #[test]
    fn jpeg_is_decoded_as_by_pillow() {
        for (jpeg, png) in [("colour.jpg", "colour.jpg.png"), ("grey.jpg", "grey.jpg.png")] {
            let (width, height, pixels) = decode(&file(jpeg)).unwrap().unwrap();
            assert_eq!((width, height), (58, 41));
            assert!(pixels == expected(png), "{jpeg}");
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = file("colour.jpg");
        for length in (0..bytes.len() - 2).step_by(7) {
            match decode(&bytes[..length]) {
                None => {}
                Some(decoded) => assert_eq!(decoded, Err("is cut off".into()), "{length}"),
            }
        }
        // Whatever the result, decoding must return.
        for at in 2..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x5a;
            let _ = decode(&bytes);
        }
    }
}
