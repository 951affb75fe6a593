//! Videos of a render. A separate thread encodes the frames into a file that appears whole.

mod gif;
mod mp4;
mod timing;
mod webp;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::whole::{WriteError, make_whole};
use crate::picture::Picture;
use crate::plan::Size;
pub use mp4::{Ffmpeg, FfmpegError};
pub use timing::Timing;

/// The file format of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// H.264 in MP4, by ffmpeg.
    Mp4,
    Gif,
    /// Animated WebP.
    WebP,
}

impl Format {
    /// Returns the format for a file's extension; none if it is unknown.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mp4" => Some(Format::Mp4),
            "gif" => Some(Format::Gif),
            "webp" => Some(Format::WebP),
            _ => None,
        }
    }

    /// Returns the maximum side of a frame in pixels, which players of the format can handle and which keeps files small.
    fn longest(self) -> u32 {
        match self {
            Format::Mp4 => 2048,
            Format::Gif => 480,
            Format::WebP => 1024,
        }
    }

    /// Returns the frame size for pictures of this size. It is never larger, and even for MP4, whose colours cover two by two pixels.
    pub fn frame(self, size: Size) -> Size {
        let scale = (f64::from(self.longest()) / f64::from(size.width.max(size.height).max(1))).min(1.0);
        let side = |side: u32| {
            let side = ((f64::from(side) * scale).round() as u32).max(2);
            if self == Format::Mp4 { side / 2 * 2 } else { side }
        };
        Size { width: side(size.width), height: side(size.height) }
    }
}

/// An encoder that takes frames of one size, in order.
trait Encoder {
    /// Adds a frame that is shown for `seconds`.
    fn frame(&mut self, frame: &RgbImage, seconds: f64) -> io::Result<()>;
    /// Writes the remaining data.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// The settings of a video to be recorded.
#[derive(Debug, Clone)]
pub struct Order {
    pub path: PathBuf,
    pub format: Format,
    /// The encoder for MP4; other formats need none.
    pub ffmpeg: Option<Ffmpeg>,
    /// The pictures' size; pictures of other sizes are scaled to the size of the first frame.
    pub size: Size,
    pub timing: Timing,
}

enum Message {
    Frame(Picture),
    Discard,
}

/// A video being recorded. At most two frames wait while another is encoded; the caller of a fourth waits, so memory stays bounded and no
/// frame is lost.
pub struct Recorder {
    frames: SyncSender<Message>,
    thread: JoinHandle<Result<(), WriteError>>,
}

impl Recorder {
    /// Begins a video. An existing file at the path stays until the video is finished.
    pub fn new(order: Order) -> Self {
        let (frames, incoming) = sync_channel(2);
        let thread = std::thread::spawn(move || make_whole(&order.path, |path| order.record(path, &incoming)));
        Recorder { frames, thread }
    }

    /// Adds a frame. After a failure, which [`Recorder::finish`] returns, frames are discarded.
    pub fn frame(&self, picture: Picture) {
        let _ = self.frames.send(Message::Frame(picture));
    }

    /// Completes the video and holds its last frame for a while.
    ///
    /// # Errors
    /// If it could not be encoded or written; no new file exists then.
    pub fn finish(self) -> Result<(), WriteError> {
        drop(self.frames);
        // A panic in the thread has been printed by the panic handler.
        self.thread.join().unwrap_or(Ok(()))
    }

    /// Discards the video: an existing file stays as it was.
    pub fn discard(self) {
        let _ = self.frames.send(Message::Discard);
        let _ = self.finish();
    }
}

impl Order {
    /// Encodes frames into the file at `path` until there are no more. Each frame waits for the next one, because only then is it known
    /// not to be the last.
    fn record(&self, path: &Path, incoming: &Receiver<Message>) -> io::Result<()> {
        let size = self.format.frame(self.size);
        let mut encoder = self.encoder(path, size)?;
        let mut last: Option<RgbImage> = None;
        for message in incoming {
            let Message::Frame(picture) = message else { return Err(io::ErrorKind::Interrupted.into()) };
            let frame = frame(&picture, size)?;
            if let Some(earlier) = last.replace(frame) {
                encoder.frame(&earlier, self.timing.seconds())?;
            }
        }
        let last = last.ok_or_else(|| io::Error::other("there is no frame"))?;
        encoder.frame(&last, self.timing.seconds() + self.timing.hold)?;
        encoder.finish()
    }

    fn encoder(&self, path: &Path, size: Size) -> io::Result<Box<dyn Encoder>> {
        Ok(match (self.format, &self.ffmpeg) {
            (Format::Gif, _) => Box::new(gif::Gif::create(path, size)?),
            (Format::WebP, _) => Box::new(webp::WebP::create(path, size)?),
            (Format::Mp4, Some(ffmpeg)) => Box::new(mp4::Mp4::create(path, size, ffmpeg, &self.timing)?),
            (Format::Mp4, None) => return Err(io::Error::new(io::ErrorKind::NotFound, "ffmpeg is missing")),
        })
    }
}

/// Converts a picture to a frame of this size.
fn frame(picture: &Picture, size: Size) -> io::Result<RgbImage> {
    let image = RgbImage::from_raw(picture.size.width, picture.size.height, picture.to_rgb8())
        .ok_or_else(|| io::Error::other("a picture has fewer pixels than its size says"))?;
    if image.dimensions() == (size.width, size.height) {
        return Ok(image);
    }
    Ok(imageops::resize(&image, size.width, size.height, FilterType::CatmullRom))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, value: f32) -> Picture {
        let size = Size { width, height };
        Picture { size, pixels: vec![value; size.area() * 3] }
    }

    fn order(path: PathBuf, size: Size) -> Order {
        let format = Format::of(&path).unwrap();
        Order { path, format, ffmpeg: None, size, timing: Timing { every: 1, fps: 10.0, hold: 1.0 } }
    }

    #[test]
    fn formats_are_told_by_names_and_frames_fit_them() {
        assert_eq!(Format::of(Path::new("a.MP4")), Some(Format::Mp4));
        assert_eq!(Format::of(Path::new("b.c/a.webp")), Some(Format::WebP));
        assert_eq!(["a.avi", "gif", ".gif", "a."].map(|name| Format::of(Path::new(name))), [None; 4]);
        let of = |format: Format, width, height| {
            let Size { width, height } = format.frame(Size { width, height });
            (width, height)
        };
        assert_eq!(of(Format::Mp4, 255, 171), (254, 170));
        assert_eq!(of(Format::Mp4, 65536, 16), (2048, 2));
        assert_eq!(of(Format::Gif, 1024, 768), (480, 360));
        assert_eq!(of(Format::WebP, 31, 17), (31, 17));
    }

    #[test]
    fn frames_of_other_sizes_are_brought_to_one() {
        let frame = frame(&picture(64, 32, 0.5), Size { width: 16, height: 8 }).unwrap();
        assert_eq!((frame.dimensions(), frame.get_pixel(3, 3).0), ((16, 8), [128; 3]));
        let broken = Picture { size: Size { width: 4, height: 4 }, pixels: vec![0.0; 48] };
        assert!(super::frame(&broken, broken.size).is_ok());
    }

    #[test]
    fn discarded_and_empty_videos_leave_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["old.gif", "old.webp"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "old").unwrap();
            let size = Size { width: 8, height: 8 };
            let recorder = Recorder::new(order(path.clone(), size));
            recorder.frame(picture(8, 8, 0.5));
            recorder.discard();
            assert_eq!(std::fs::read(&path).unwrap(), b"old");
            assert!(Recorder::new(order(path.clone(), size)).finish().unwrap_err().to_string().contains("no frame"));
            assert_eq!(std::fs::read(&path).unwrap(), b"old");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_gone_is_told_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(order(folder.path().join("gone/a.gif"), Size { width: 8, height: 8 }));
        for _ in 0..20 {
            recorder.frame(picture(8, 8, 0.1));
        }
        assert!(matches!(recorder.finish(), Err(WriteError::NoFolder { .. })));
    }
}
