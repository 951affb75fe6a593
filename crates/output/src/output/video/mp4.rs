//! MP4 through the user's ffmpeg on the PATH: raw frames go to its standard input.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use image::RgbImage;

use super::{Encoder, Timing};
use crate::plan::Size;

/// The program's name, looked for on the PATH.
const PROGRAM: &str = "ffmpeg";
/// H.264 encoders, the best first, with options for about the same quality; then MPEG-4, which every ffmpeg has.
const ENCODERS: [(&str, &[&str]); 4] = [
    ("libx264", &["-preset", "medium", "-crf", "18"]),
    ("h264_videotoolbox", &["-q:v", "65"]),
    ("libopenh264", &["-b:v", "8M"]),
    ("mpeg4", &["-q:v", "3"]),
];

/// An ffmpeg that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ffmpeg {
    /// Its index in [`ENCODERS`].
    encoder: usize,
}

/// Why no ffmpeg can be used.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    #[error("ffmpeg, which writes mp4, is not on the PATH")]
    Missing,
    #[error("ffmpeg cannot be started: {0}")]
    Broken(io::Error),
    #[error("the ffmpeg on the PATH has no encoder for mp4")]
    NoEncoder,
}

impl Ffmpeg {
    /// Looks for ffmpeg and queries its encoders.
    pub fn find() -> Result<Self, FfmpegError> {
        let asked = Command::new(PROGRAM).args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output();
        let answer = asked.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FfmpegError::Missing,
            _ => FfmpegError::Broken(error),
        })?;
        Self::among(&String::from_utf8_lossy(&answer.stdout)).ok_or(FfmpegError::NoEncoder)
    }

    /// Returns the best of the encoders in ffmpeg's list, which has one per line: flags, name, description.
    fn among(list: &str) -> Option<Self> {
        let has = |name: &str| list.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        ENCODERS.iter().position(|(name, _)| has(name)).map(|encoder| Ffmpeg { encoder })
    }

    fn command(&self, path: &Path, size: Size, fps: f64) -> Command {
        let (encoder, quality) = ENCODERS[self.encoder];
        let mut command = Command::new(PROGRAM);
        command.args(["-hide_banner", "-loglevel", "error", "-nostats", "-y"]);
        command.args(["-f", "rawvideo", "-pixel_format", "rgb24"]);
        command.arg("-video_size").arg(format!("{}x{}", size.width, size.height));
        command.arg("-framerate").arg(fps.to_string()).args(["-i", "pipe:0", "-an"]);
        // Without this, ffmpeg converts with the matrix of standard definition, and players show wrong colours.
        command.args(["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p"]);
        command.args(["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "iec61966-2-1"]);
        command.args(["-c:v", encoder]).args(quality).args(["-movflags", "+faststart", "-f", "mp4"]).arg(path);
        command
    }
}

pub(super) struct Mp4 {
    ffmpeg: Child,
    /// ffmpeg's error output; a file, because a pipe that nobody reads could fill up.
    messages: File,
    fps: f64,
    /// The number of frames still owed to earlier pictures, because times are whole frames.
    owed: f64,
}

impl Mp4 {
    pub(super) fn create(path: &Path, size: Size, ffmpeg: &Ffmpeg, timing: &Timing) -> io::Result<Self> {
        let messages = tempfile::tempfile()?;
        let mut command = ffmpeg.command(path, size, timing.fps);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(messages.try_clone()?);
        // Ctrl-C is meant for us; ffmpeg must finish its file.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(Mp4 { ffmpeg: command.spawn()?, messages, fps: timing.fps, owed: 0.0 })
    }

    /// Waits for ffmpeg to end and reports its failure, if any.
    fn conclude(&mut self) -> io::Result<()> {
        drop(self.ffmpeg.stdin.take());
        let status = self.ffmpeg.wait()?;
        if status.success() {
            return Ok(());
        }
        let mut said = String::new();
        self.messages.rewind()?;
        // The first lines name the cause.
        let _ = Read::by_ref(&mut self.messages).take(2000).read_to_string(&mut said);
        let said = said.trim().lines().take(3).collect::<Vec<_>>().join("; ");
        Err(io::Error::other(if said.is_empty() { format!("ffmpeg: {status}") } else { format!("ffmpeg: {said}") }))
    }
}

impl Encoder for Mp4 {
    fn frame(&mut self, frame: &RgbImage, seconds: f64) -> io::Result<()> {
        let wanted = seconds * self.fps + self.owed;
        let times = wanted.round().max(1.0);
        self.owed = wanted - times;
        for _ in 0..times as u64 {
            let Some(stdin) = &mut self.ffmpeg.stdin else { return Ok(()) };
            if let Err(error) = stdin.write_all(frame) {
                // ffmpeg's own message says more than a broken pipe.
                self.conclude()?;
                return Err(error);
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.conclude()
    }
}

impl Drop for Mp4 {
    fn drop(&mut self) {
        // A finished ffmpeg has already been waited for; an unfinished one must not outlive us.
        drop(self.ffmpeg.stdin.take());
        if let Ok(None) = self.ffmpeg.try_wait() {
            let _ = self.ffmpeg.kill();
            let _ = self.ffmpeg.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_encoder_is_taken() {
        let list = "Encoders:\n V..... = Video\n V....D libx264rgb  x\n V....D mpeg4  MPEG-4 part 2\n";
        assert_eq!(Ffmpeg::among(list), Some(Ffmpeg { encoder: 3 }));
        assert_eq!(Ffmpeg::among(&format!("{list} V....D libx264  H.264\n")), Some(Ffmpeg { encoder: 0 }));
        assert_eq!(Ffmpeg::among("Encoders:\n A....D aac  AAC\n"), None);
    }
}
