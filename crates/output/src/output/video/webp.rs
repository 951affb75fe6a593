//! Animated WebP: frames encoded by libwebp, in the container of its specification (RIFF with the chunks `VP8X`, `ANIM` and `ANMF`). It
//! is written frame by frame, so a long video does not fill the memory.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use image::RgbImage;

use super::Encoder;
use crate::plan::Size;

/// The quality of lossy frames, 0 to 100.
const QUALITY: f32 = 85.0;
/// The longest side that the format allows.
const LONGEST: u32 = 16383;
/// The maximum duration of a frame: 24 bits of milliseconds.
const LONGEST_TIME: f64 = 16_777_215.0;

pub(super) struct WebP {
    file: BufWriter<File>,
    size: Size,
    /// Milliseconds by which earlier frames were shown too short.
    owed: f64,
}

impl WebP {
    pub(super) fn create(path: &Path, size: Size) -> io::Result<Self> {
        if size.width.max(size.height) > LONGEST {
            return Err(io::Error::other(format!("a WebP picture's side has at most {LONGEST} pixels")));
        }
        let mut file = BufWriter::new(File::create(path)?);
        // The length is filled in at the end.
        file.write_all(b"RIFF\0\0\0\0WEBP")?;
        // One flag, for an animation. Then the canvas, each side minus one.
        let mut extended = vec![0b10, 0, 0, 0];
        extended.extend(three_bytes(size.width - 1));
        extended.extend(three_bytes(size.height - 1));
        chunk(&mut file, b"VP8X", &extended)?;
        // The background, which every frame covers, and the number of repetitions: 0 means endless.
        chunk(&mut file, b"ANIM", &[255, 255, 255, 255, 0, 0])?;
        Ok(WebP { file, size, owed: 0.0 })
    }
}

impl Encoder for WebP {
    fn frame(&mut self, frame: &RgbImage, seconds: f64) -> io::Result<()> {
        let still = webp::Encoder::from_rgb(frame, frame.width(), frame.height())
            .encode_simple(false, QUALITY)
            .map_err(|error| io::Error::other(format!("libwebp: {error:?}")))?;
        let wanted = seconds * 1000.0 + self.owed;
        let milliseconds = wanted.round().clamp(1.0, LONGEST_TIME);
        self.owed = wanted - milliseconds;
        // Position (in units of two pixels), size, duration, and a flag: the frame is not blended with the one before.
        let mut content = vec![0; 6];
        content.extend(three_bytes(self.size.width - 1));
        content.extend(three_bytes(self.size.height - 1));
        content.extend(three_bytes(milliseconds as u32));
        content.push(0b10);
        // A still file is `RIFF`, its length, `WEBP`, and then the chunks of the picture.
        content.extend(still.get(12..).ok_or_else(|| io::Error::other("libwebp gave no picture"))?);
        chunk(&mut self.file, b"ANMF", &content)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let end = self.file.stream_position()?;
        let length = u32::try_from(end - 8).map_err(|_| io::Error::other("a WebP file has at most 4 GiB"))?;
        self.file.seek(SeekFrom::Start(4))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.flush()
    }
}

/// Writes a RIFF chunk: its name, its length, its content, and a padding byte if the length is odd.
fn chunk(file: &mut impl Write, name: &[u8; 4], content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).map_err(|_| io::Error::other("a frame has at most 4 GiB"))?;
    file.write_all(name)?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(content)?;
    if content.len() % 2 == 1 { file.write_all(&[0]) } else { Ok(()) }
}

/// Returns a number below 2^24 as three bytes, the lowest first.
fn three_bytes(number: u32) -> [u8; 3] {
    let [a, b, c, _] = number.to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use image::codecs::webp::WebPDecoder;
    use image::{AnimationDecoder, Rgb};

    use super::*;

    #[test]
    fn frames_come_back_in_order_with_their_times_and_nearly_their_colours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.webp");
        let picture = |step: u8| RgbImage::from_fn(97, 65, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, step * 60]));
        let write = || {
            let mut webp = WebP::create(&path, Size { width: 97, height: 65 }).unwrap();
            for step in 0..4 {
                webp.frame(&picture(step), if step < 3 { 1.0 / 30.0 } else { 1.5 }).unwrap();
            }
            Box::new(webp).finish().unwrap();
            std::fs::read(&path).unwrap()
        };
        let bytes = write();
        assert_eq!(bytes, write());
        assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
        let frames = WebPDecoder::new(io::Cursor::new(&bytes)).unwrap().into_frames().collect_frames().unwrap();
        let times: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        assert_eq!(times, [33, 34, 33, 1500]);
        for (frame, step) in frames.iter().zip(0..) {
            assert_eq!(frame.buffer().dimensions(), (97, 65));
            let pairs = frame.buffer().pixels().zip(picture(step).pixels().copied().collect::<Vec<_>>());
            let sum: u64 = pairs.flat_map(|(a, b)| (0..3).map(move |c| u64::from(a.0[c].abs_diff(b.0[c])))).sum();
            let mean = sum as f64 / (97.0 * 65.0 * 3.0);
            assert!(mean < 8.0, "frame {step}: {mean}");
        }
    }

    #[test]
    fn what_the_format_does_not_know_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WebP::create(&folder.path().join("a.webp"), Size { width: 20_000, height: 8 }).is_err());
    }
}
