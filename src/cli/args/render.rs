//! What rendering takes.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::values;
use crate::plan::Size;
use crate::preview::Address;
use crate::recipe::{Setting, parse_seed, parse_size, parse_steps};
use crate::runtime::DeviceChoice;

/// What `recipe-render RECIPE...` understands.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Recipes to render, one after the other; `-` reads one from standard input, `./check` is a file named check. A
    /// picture that recipe-render wrote stands for the recipe inside it and is rendered again, as NAME-again.png
    #[arg(value_name = "RECIPE", required = true, value_hint = ValueHint::FilePath)]
    pub recipes: Vec<PathBuf>,
    /// The picture's path, or the folder for the pictures
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub instead: InsteadArgs,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Also write NAME-000120.png, a snapshot every N steps
    #[arg(long, value_name = "N", value_parser = values::positive, help_heading = "Snapshots")]
    pub every: Option<NonZeroU32>,
    /// Also write NAME-phase-1-compose.png, a picture at the end of each phase
    #[arg(long, help_heading = "Snapshots")]
    pub phases: bool,
    #[command(flatten)]
    pub record: RecordArgs,
    /// Follow the recipes (or those of a folder) and render again whenever one is saved
    #[arg(long, value_name = "HOW", value_enum, num_args = 0..=1, require_equals = true,
        default_missing_value = "again", help_heading = "Watching")]
    pub watch: Option<WatchChoice>,
    /// Look every SECONDS whether something was saved, as network drives do not tell [default: 1]; stands for --watch, too
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1",
        value_parser = values::seconds, help_heading = "Watching")]
    pub watch_poll: Option<Duration>,
    /// Begin at the first step, whatever is kept of earlier renders. Renders that are recorded do so,
    /// too: with --timings, --video, --sheet, and but for --watch with --every and --phases
    #[arg(long)]
    pub fresh: bool,
    /// Show the render on a live page, served at ADDR: a port, an IP address, or both [default: 127.0.0.1 and a free port]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1",
        help_heading = "Live page")]
    pub serve: Option<Address>,
    /// Open the live page in the browser; stands for --serve, too
    #[arg(long, help_heading = "Live page")]
    pub open: bool,
    /// Write steps, windows, seconds and peak memory to a JSON file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub timings: Option<PathBuf>,
}

impl RenderArgs {
    /// The recipes are to be followed.
    pub fn watches(&self) -> bool {
        self.watch.is_some() || self.watch_poll.is_some()
    }

    /// An edit is to go on from the canvas as it is.
    pub fn continues(&self) -> bool {
        self.watch == Some(WatchChoice::Continue)
    }

    /// A live page is wanted.
    pub fn page(&self) -> bool {
        self.serve.is_some() || self.open
    }
}

/// What an edit of a recipe does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum WatchChoice {
    /// It goes on from the step where it first matters: the picture is the one of an undisturbed render.
    #[default]
    Again,
    /// It goes on from the canvas as it is, whatever it changed; such a picture cannot be made again, and says so inside.
    Continue,
}

/// What is kept and shown of a render's course.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Also write NAME-sheet.png: the pictures at the phases' ends, labelled, on one sheet
    #[arg(long, help_heading = "Snapshots")]
    pub sheet: bool,
    /// Also make a video of the growing picture: .mp4 (by ffmpeg, which must be on the PATH), .gif or .webp
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Snapshots")]
    pub video: Option<PathBuf>,
    /// A frame of the video every N steps [default: so that it takes about ten seconds]
    #[arg(long, value_name = "N", requires = "video", value_parser = values::positive, help_heading = "Snapshots")]
    pub video_every: Option<NonZeroU32>,
    /// The video's frames a second, 1 to 60; its last frame is held for a moment
    #[arg(long, value_name = "FPS", requires = "video", value_parser = values::fps, help_heading = "Snapshots")]
    pub fps: Option<f64>,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// What to compute with.
#[derive(Debug, Clone, Args)]
pub struct ComputeArgs {
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = values::device, help_heading = "Runtime")]
    pub device: DeviceChoice,
    /// Threads to compute with [default: one a processor]. The picture is the same with any number
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Runtime")]
    pub threads: Option<NonZeroUsize>,
}

/// Whether pictures are shown where the command runs.
#[derive(Debug, Clone, Args)]
pub struct PreviewArgs {
    /// Show the growing picture in the terminal
    #[arg(
        long = "preview",
        value_name = "HOW",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "auto",
        help_heading = "Messages"
    )]
    pub how: Option<PreviewChoice>,
}

/// What the command line says in place of the recipe.
#[derive(Debug, Clone, Args)]
pub struct InsteadArgs {
    /// Render at this size instead of the recipe's, like 1024x768
    #[arg(long, value_name = "WxH", value_parser = parse_size, help_heading = "In place of the recipe's")]
    pub size: Option<Size>,
    /// Steps in all; the phases are scaled
    #[arg(long, value_name = "N", value_parser = parse_steps, help_heading = "In place of the recipe's")]
    pub steps: Option<u64>,
    /// The seed of every random draw, from 0 to 18446744073709551615
    #[arg(long, value_name = "N", value_parser = parse_seed, help_heading = "In place of the recipe's")]
    pub seed: Option<u64>,
    /// A model's name, or the path of its folder; it also stands in for several
    #[arg(long, value_name = "NAME|FOLDER", help_heading = "In place of the recipe's")]
    pub model: Option<String>,
    /// One value, like detail.0.weight=0.5 (keys, positions from 0 and names; TOML, or else a text); may be given several times
    #[arg(long, value_name = "PATH=VALUE", help_heading = "In place of the recipe's")]
    pub set: Vec<Setting>,
    /// A third of the size and a quarter of the steps, all else unchanged; the picture is NAME-draft.png
    #[arg(long, help_heading = "In place of the recipe's")]
    pub draft: bool,
}

/// How the picture is put on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PreviewChoice {
    /// The best that the terminal says it understands
    Auto,
    /// The kitty graphics protocol
    Kitty,
    /// iTerm2's inline images
    Iterm,
    /// Sixels
    Sixel,
    /// Half blocks, in 24-bit or 256 colours
    Blocks,
}
