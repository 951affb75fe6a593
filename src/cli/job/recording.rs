//! Recordings of a render besides snapshots: a video, a contact sheet of its phases, the growing picture in the terminal.

use std::path::PathBuf;

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::jobs::Job;
use super::video::ffmpeg;
use crate::cli::args::RecordArgs;
use crate::cli::failure::Failure;
use crate::cli::terminal::preview::Preview;
use crate::cli::terminal::{Voice, voice};
use crate::output::sheet::{Labels, Sheet};
use crate::output::video::{Format, Order, Recorder, Timing};
use crate::output::{WriteError, sheet_path};
use crate::picture::Picture;
use crate::plan::{Plan, Size};
use crate::render::{Progress, Rendered};

/// The longest side of a picture kept for a contact sheet, in pixels.
const KEPT: u32 = 512;

/// A render's recordings.
pub(crate) struct Recording {
    video: Option<Video>,
    sheet: Option<Phases>,
    preview: Option<Preview>,
    /// Whether the recipe is rendered again: the next render's picture then replaces this one in the terminal.
    again: bool,
}

struct Video {
    recorder: Recorder,
    every: u64,
    /// The step of the last frame.
    last: u64,
}

/// The pictures at the phases' ends.
struct Phases {
    path: PathBuf,
    title: String,
    size: Size,
    pictures: Vec<(Vec<String>, RgbImage)>,
    /// The step of the last picture.
    last: u64,
}

impl Recording {
    /// Prepares the recordings that `args` ask for. Nothing is drawn without a terminal or with `--quiet`.
    ///
    /// `again` says that the same recipe will be rendered again.
    pub(crate) fn new(args: &RecordArgs, job: &Job, plan: &Plan, again: bool, voice: &Voice) -> Result<Self, Failure> {
        let video = match args.video.as_ref().and_then(|path| Format::of(path).map(|format| (path, format))) {
            Some((path, format)) => {
                let every = args.video_every.map(|every| every.get().into());
                let timing = Timing::new(format, plan.steps(), every, args.fps);
                let order = Order { path: path.clone(), format, ffmpeg: ffmpeg(format)?, size: plan.size, timing };
                Some(Video { recorder: Recorder::new(order), every: timing.every, last: 0 })
            }
            None => None,
        };
        let sheet = args.sheet.then(|| Phases {
            path: sheet_path(&job.output),
            title: plan.title.clone().unwrap_or_else(|| job.name()),
            size: plan.size,
            pictures: Vec::new(),
            last: 0,
        });
        let preview = args.preview.how.and_then(|how| Preview::new(how, again, voice));
        Ok(Recording { video, sheet, preview, again })
    }

    /// Records a step. The picture is made at most once, and only if a recording needs it.
    pub(crate) fn step(&mut self, progress: &mut Progress<'_>) {
        let due = |video: &&mut Video| progress.step == 1 || progress.step.is_multiple_of(video.every);
        let video = self.video.as_mut().filter(due);
        let sheet = self.sheet.as_mut().filter(|_| progress.ends_phase());
        let preview = self.preview.as_mut().filter(|preview| preview.is_due());
        if video.is_none() && sheet.is_none() && preview.is_none() {
            return;
        }
        let clock = std::time::Instant::now();
        let picture = progress.picture();
        let cost = clock.elapsed();
        if let Some(sheet) = sheet {
            let similarity = |(name, similarity): &(String, f32)| format!("{name} {similarity:.3}");
            let similarities = progress.similarities.iter().map(similarity).collect::<Vec<_>>().join(", ");
            let step = format!("step {} of {}", progress.step, progress.steps);
            sheet.add(&picture, vec![progress.phase_name.to_owned(), step, similarities], progress.step);
        }
        match (video, preview) {
            (Some(video), preview) => {
                if let Some(preview) = preview {
                    preview.offer(picture.clone(), cost);
                }
                video.recorder.frame(picture);
                video.last = progress.step;
            }
            (None, Some(preview)) => preview.offer(picture, cost),
            (None, None) => {}
        }
    }

    /// Completes the recordings with the finished picture; returns the errors of those that could not be written.
    pub(crate) fn finish(self, rendered: &Rendered) -> Vec<WriteError> {
        let mut failures = Vec::new();
        if let Some(preview) = self.preview {
            preview.finish(rendered.picture());
            if !self.again {
                voice::unpin();
            }
        }
        if let Some(video) = self.video {
            if video.last < rendered.position {
                video.recorder.frame(rendered.picture());
            }
            failures.extend(video.recorder.finish().err());
        }
        if let Some(mut sheet) = self.sheet {
            if sheet.last < rendered.position {
                let step = format!("step {}", rendered.position);
                sheet.add(&rendered.picture(), vec!["stopped here".to_owned(), step], rendered.position);
            }
            failures.extend(sheet.write().err());
        }
        failures
    }

    /// Discards the recordings: the render has failed or starts over.
    pub(crate) fn discard(self) {
        if let Some(preview) = self.preview {
            preview.stop();
        }
        if let Some(video) = self.video {
            video.recorder.discard();
        }
    }
}

impl Phases {
    fn add(&mut self, picture: &Picture, label: Vec<String>, step: u64) {
        let label = label.into_iter().filter(|line| !line.is_empty()).collect();
        if let Some(image) = thumbnail(picture, KEPT) {
            self.pictures.push((label, image));
        }
        self.last = step;
    }

    fn write(self) -> Result<(), WriteError> {
        let (labels, pictures): (Vec<_>, Vec<_>) = self.pictures.into_iter().unzip();
        let mut sheet = Sheet::new(&self.title, &Labels::Each(labels), self.size);
        for (index, picture) in pictures.iter().enumerate() {
            sheet.put(index, picture);
        }
        sheet.write(&self.path)
    }
}

/// Returns the picture, reduced to at most `longest` pixels a side.
fn thumbnail(picture: &Picture, longest: u32) -> Option<RgbImage> {
    let image = RgbImage::from_raw(picture.size.width, picture.size.height, picture.to_rgb8())?;
    let (width, height) = image.dimensions();
    let scale = f64::from(longest) / f64::from(width.max(height));
    if scale >= 1.0 {
        return Some(image);
    }
    let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    Some(imageops::resize(&image, side(width), side(height), FilterType::CatmullRom))
}

/// Reports write errors; returns their number for the caller's exit code.
pub(crate) fn complain(voice: &Voice, failures: Vec<WriteError>) -> usize {
    let count = failures.len();
    for error in failures {
        voice.failure(&error.into());
    }
    count
}
