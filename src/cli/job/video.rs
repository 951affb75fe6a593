//! Checks which videos can be made on this machine.

use crate::cli::args::RecordArgs;
use crate::cli::failure::Failure;
use crate::output::video::{Ffmpeg, Format};

/// Checks, before anything is rendered, that the requested video can be made.
pub(crate) fn check(args: &RecordArgs) -> Result<(), Failure> {
    let Some(path) = &args.video else { return Ok(()) };
    let shown = path.display();
    let Some(format) = Format::of(path) else {
        return Err(Failure::wrong(format!("--video {shown}: not a video format that can be written"))
            .hint("end it in .mp4, .gif or .webp"));
    };
    ffmpeg(format)
        .map(drop)
        .map_err(|failure| Failure { message: format!("--video {shown}: {}", failure.message), ..failure })
}

/// Finds the program that makes videos of a format; none if the format needs no program.
pub(super) fn ffmpeg(format: Format) -> Result<Option<Ffmpeg>, Failure> {
    if format != Format::Mp4 {
        return Ok(None);
    }
    Ffmpeg::find().map(Some).map_err(|error| {
        Failure::failed(error).hint("install ffmpeg, or name the video .gif or .webp, which need no other program")
    })
}
