//! The number of a video's frames, and how long each is shown.

use super::Format;

/// The duration in seconds of a video without a given speed.
const LENGTH: f64 = 10.0;
/// Seconds that the last frame is held beyond its time.
const HOLD: f64 = 1.5;
/// The lowest number of frames per second that still looks like movement.
const SLOWEST: f64 = 5.0;

/// Which steps become frames, and at what speed they are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// A frame is taken every this many steps.
    pub every: u64,
    /// Frames per second.
    pub fps: f64,
    /// Seconds that the last frame is held beyond its time.
    pub hold: f64,
}

impl Timing {
    /// Chooses the timing for a render of this many steps. Values that are not given are chosen so that the video takes about ten
    /// seconds.
    pub fn new(format: Format, steps: u64, every: Option<u64>, fps: Option<f64>) -> Self {
        // A GIF's frames are large files.
        let fastest = if format == Format::Gif { 12.5 } else { 25.0 };
        let most = (LENGTH * fps.unwrap_or(fastest)).max(1.0) as u64;
        let every = every.unwrap_or_else(|| steps.div_ceil(most)).max(1);
        let frames = steps.div_ceil(every) as f64;
        let fps = fps.unwrap_or_else(|| (frames / LENGTH).clamp(SLOWEST, fastest));
        Timing { every, fps: (fps * 100.0).round().max(1.0) / 100.0, hold: HOLD }
    }

    /// Returns how long a frame is shown.
    pub fn seconds(&self) -> f64 {
        1.0 / self.fps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_take_about_ten_seconds() {
        for format in [Format::Mp4, Format::Gif, Format::WebP] {
            for steps in [50, 100, 300, 370, 500, 1000, 12_345, 1_000_000] {
                let timing = Timing::new(format, steps, None, None);
                let length = steps.div_ceil(timing.every) as f64 / timing.fps;
                assert!((8.0..=12.0).contains(&length), "{format:?} {steps}: {length} {timing:?}");
            }
        }
    }

    #[test]
    fn what_is_said_counts() {
        let timing = Timing::new(Format::Mp4, 400, Some(4), Some(20.0));
        assert_eq!((timing.every, timing.fps), (4, 20.0));
        assert_eq!(Timing::new(Format::Mp4, 400, Some(4), None).fps, 10.0);
        assert_eq!(Timing::new(Format::Gif, 400, None, Some(20.0)).every, 2);
        assert_eq!(Timing::new(Format::Gif, 3, None, None), Timing { every: 1, fps: 5.0, hold: HOLD });
    }
}
