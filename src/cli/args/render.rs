//! The arguments of rendering.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::values;
use crate::plan::Size;
use crate::preview::Address;
use crate::recipe::{Setting, parse_seed, parse_size, parse_steps};
use crate::runtime::DeviceChoice;

/// The arguments of `recipe-render RECIPE...`.
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
    /// Check for saved files every SECONDS, for network drives, which send no events [default: 1]; implies --watch
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1",
        value_parser = values::seconds, help_heading = "Watching")]
    pub watch_poll: Option<Duration>,
    /// Begin at the first step and ignore the checkpoints of earlier renders. Recorded renders always do: with --timings, --video
    /// or --sheet, and with --every or --phases unless --watch is given
    #[arg(long)]
    pub fresh: bool,
    /// Show the render on a live page, served at ADDR: a port, an IP address, or both [default: 127.0.0.1 and a free port]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1",
        help_heading = "Live page")]
    pub serve: Option<Address>,
    /// Open the live page in the browser; implies --serve
    #[arg(long, help_heading = "Live page")]
    pub open: bool,
    /// Write steps, windows, seconds and peak memory to a JSON file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub timings: Option<PathBuf>,
}

impl RenderArgs {
    /// Returns whether to follow the recipes.
    pub fn watches(&self) -> bool {
        self.watch.is_some() || self.watch_poll.is_some()
    }

    /// Returns whether an edit continues from the current canvas.
    pub fn continues(&self) -> bool {
        self.watch == Some(WatchChoice::Continue)
    }

    /// Returns whether to serve a live page.
    pub fn page(&self) -> bool {
        self.serve.is_some() || self.open
    }
}

/// What happens after an edit of a recipe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum WatchChoice {
    /// Resume at the first step that the edit affects: the picture is the same as in an undisturbed render.
    #[default]
    Again,
    /// Continue from the current canvas, whatever the edit changed; such a picture cannot be reproduced and says so.
    Continue,
}

/// The arguments that say what to keep and show of a render's progress.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Also write NAME-sheet.png: the picture at the end of each phase, labelled, on one sheet
    #[arg(long, help_heading = "Snapshots")]
    pub sheet: bool,
    /// Also make a video of the growing picture: .mp4 (by ffmpeg, which must be on the PATH), .gif or .webp
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Snapshots")]
    pub video: Option<PathBuf>,
    /// Add a frame to the video every N steps [default: chosen for a video of about ten seconds]
    #[arg(long, value_name = "N", requires = "video", value_parser = values::positive, help_heading = "Snapshots")]
    pub video_every: Option<NonZeroU32>,
    /// The video's frames per second, 1 to 60; its last frame is held for a moment
    #[arg(long, value_name = "FPS", requires = "video", value_parser = values::fps, help_heading = "Snapshots")]
    pub fps: Option<f64>,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// The arguments that say what to compute with.
#[derive(Debug, Clone, Args)]
pub struct ComputeArgs {
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = values::device, help_heading = "Runtime")]
    pub device: DeviceChoice,
    /// Threads to compute with [default: one per processor]. The picture does not depend on their number
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Runtime")]
    pub threads: Option<NonZeroUsize>,
}

/// The arguments that say whether to show pictures in the terminal.
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

/// The arguments that override the recipe.
#[derive(Debug, Clone, Args)]
pub struct InsteadArgs {
    /// Render at this size instead of the recipe's, like 1024x768
    #[arg(long, value_name = "WxH", value_parser = parse_size, help_heading = "Recipe overrides")]
    pub size: Option<Size>,
    /// The total number of steps; the phases are scaled
    #[arg(long, value_name = "N", value_parser = parse_steps, help_heading = "Recipe overrides")]
    pub steps: Option<u64>,
    /// The seed of every random draw, from 0 to 18446744073709551615
    #[arg(long, value_name = "N", value_parser = parse_seed, help_heading = "Recipe overrides")]
    pub seed: Option<u64>,
    /// A model's name, or the path of its folder; replaces all of the recipe's models
    #[arg(long, value_name = "NAME|FOLDER", help_heading = "Recipe overrides")]
    pub model: Option<String>,
    /// One value, like detail.0.weight=0.5 (a path of keys, positions from 0 and names; the value is TOML, or else a text); may
    /// be given several times
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Recipe overrides")]
    pub set: Vec<Setting>,
    /// Render at a third of the size with a quarter of the steps, all else unchanged; the picture is NAME-draft.png
    #[arg(long, help_heading = "Recipe overrides")]
    pub draft: bool,
}

/// How the picture is drawn in the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PreviewChoice {
    /// The best protocol that the terminal claims to support
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
