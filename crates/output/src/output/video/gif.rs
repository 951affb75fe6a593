//! GIF: every frame has its own palette of 256 colours, chosen in Oklab (Wu's method), and is dithered by error diffusion. Nothing in it
//! is random.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use gif::{DisposalMethod, EncodingError, Frame, Repeat};
use image::RgbImage;
use quantette::deps::palette::Srgb;
use quantette::{ImageRef, Pipeline};

use super::Encoder;
use crate::plan::Size;

pub(super) struct Gif {
    encoder: gif::Encoder<BufWriter<File>>,
    size: (u16, u16),
    /// Seconds by which earlier frames were shown too short, because times are whole hundredths.
    owed: f64,
}

impl Gif {
    pub(super) fn create(path: &Path, size: Size) -> io::Result<Self> {
        let side =
            |side: u32| u16::try_from(side).map_err(|_| io::Error::other("a GIF's side has at most 65535 pixels"));
        let (width, height) = (side(size.width)?, side(size.height)?);
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = gif::Encoder::new(file, width, height, &[]).map_err(into_io)?;
        encoder.set_repeat(Repeat::Infinite).map_err(into_io)?;
        Ok(Gif { encoder, size: (width, height), owed: 0.0 })
    }
}

impl Encoder for Gif {
    fn frame(&mut self, frame: &RgbImage, seconds: f64) -> io::Result<()> {
        let pixels: Vec<Srgb<u8>> = frame.pixels().map(|pixel| Srgb::from(pixel.0)).collect();
        let image = ImageRef::new(frame.width(), frame.height(), &pixels[..])
            .map_err(|_| io::Error::other("a frame has too many pixels"))?;
        let (palette, indices) = Pipeline::new().input_image(image).output_srgb8_indexed_image().into_parts();
        let wanted = seconds * 100.0 + self.owed;
        // Browsers show frames of less than two hundredths for ten hundredths.
        let delay = wanted.round().clamp(2.0, f64::from(u16::MAX));
        self.owed = wanted - delay;
        let frame = Frame {
            width: self.size.0,
            height: self.size.1,
            delay: delay as u16,
            dispose: DisposalMethod::Keep,
            palette: Some(palette.into_iter().flat_map(<[u8; 3]>::from).collect()),
            buffer: indices.into(),
            ..Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(into_io)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        // This writes the trailer and the buffer's last bytes.
        let file = self.encoder.into_inner().map_err(into_io)?;
        file.into_inner().map(drop).map_err(io::IntoInnerError::into_error)
    }
}

fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use image::codecs::gif::GifDecoder;
    use image::{AnimationDecoder, Rgb};

    use super::*;

    fn gradient(step: u8) -> RgbImage {
        RgbImage::from_fn(96, 64, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, step * 60]))
    }

    fn written(path: &Path) -> Vec<u8> {
        let mut gif = Gif::create(path, Size { width: 96, height: 64 }).unwrap();
        for step in 0..4 {
            gif.frame(&gradient(step), if step < 3 { 0.125 } else { 2.0 }).unwrap();
        }
        Box::new(gif).finish().unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn frames_come_back_in_order_with_their_times_and_nearly_their_colours() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = written(&folder.path().join("a.gif"));
        assert_eq!(bytes, written(&folder.path().join("b.gif")));
        let frames = GifDecoder::new(io::Cursor::new(&bytes)).unwrap().into_frames().collect_frames().unwrap();
        let times: Vec<u32> = frames.iter().map(|frame| frame.delay().numer_denom_ms().0).collect();
        // An eighth of a second is 12.5 hundredths: the next frame makes up for the rounding of one.
        assert_eq!(times, [130, 120, 130, 2000]);
        for (frame, step) in frames.iter().zip(0..) {
            let sum: u64 = frame
                .buffer()
                .pixels()
                .zip(gradient(step).pixels())
                .flat_map(|(ours, theirs)| ours.0.into_iter().zip(theirs.0).map(|(a, b)| u64::from(a.abs_diff(b))))
                .sum();
            let mean = sum as f64 / (96.0 * 64.0 * 3.0);
            assert!(mean < 8.0, "frame {step}: {mean}");
        }
    }
}
