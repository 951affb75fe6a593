//! The arguments of the commands that consist of one file.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::render::{ComputeArgs, InsteadArgs, PreviewArgs, RenderArgs};
use super::values;
use crate::recipe::Setting;
use crate::runtime::DeviceChoice;

/// The arguments of `recipe-render watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
The recipe edited last is rendered first; the others then continue where they stopped. A folder's recipes are its
*.toml files, including those added later.")]
pub struct WatchArgs {
    #[command(flatten)]
    pub render: RenderArgs,
}

/// The arguments of `recipe-render plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// A recipe, or a picture with one inside; `-` reads standard input
    #[arg(value_name = "RECIPE", value_hint = ValueHint::FilePath)]
    pub recipe: PathBuf,
    #[command(flatten)]
    pub instead: InsteadArgs,
    /// Print JSON; values over time as [first step, middle, last step]
    #[arg(long)]
    pub json: bool,
    /// Run some steps of each phase to estimate how long the whole render takes
    #[arg(long)]
    pub measure: bool,
    /// With --measure, where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = values::device, help_heading = "Runtime")]
    pub device: DeviceChoice,
    /// With --measure, threads to compute with [default: one per processor]
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Runtime")]
    pub threads: Option<NonZeroUsize>,
}

/// The arguments of `recipe-render sweep`.
#[derive(Debug, Args)]
#[command(after_help = "\
VALUES are a list (0.03,0.05), a range of whole numbers (1..8, both ends included), a range with a step (0.1..0.5:0.1), or several
of these separated by commas; commas in brackets, braces, parentheses and quotes do not separate. A single value applies
to all renders. Pictures that already exist, judging by what is stored inside them, are not rendered again.")]
pub struct SweepArgs {
    /// A recipe, or a picture with one inside; `-` reads standard input
    #[arg(value_name = "RECIPE", value_hint = ValueHint::FilePath)]
    pub recipe: PathBuf,
    /// The folder for the pictures, the sheet and the index [default: NAME-sweep]
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub instead: InsteadArgs,
    /// Values that advance together with those of every other --zip
    #[arg(long, value_name = "PATH=VALUES", help_heading = "Recipe overrides")]
    pub zip: Vec<Setting>,
    /// Print what would be rendered, and render nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub compute: ComputeArgs,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// The arguments of `recipe-render new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The recipe's name; it is written to NAME.toml, never over an existing file
    #[arg(value_name = "NAME", value_hint = ValueHint::FilePath)]
    pub name: PathBuf,
    /// Copy this recipe: a file, a picture with a recipe inside, or a recipe shipped with the program, like malazan-landscape
    #[arg(long, value_name = "RECIPE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
}

/// The arguments of `recipe-render cache`.
#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: Option<CacheCommand>,
}

/// The commands of `recipe-render cache`.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Show where the cache is and what it holds; checkpoints are listed by recipe
    Info(InfoArgs),
    /// Remove the checkpoints: renders then begin at their first step
    Clear(ClearArgs),
}

/// The arguments of `recipe-render cache info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render cache clear`.
#[derive(Debug, Args)]
pub struct ClearArgs {
    /// Also remove the encoded prompts and the results of trying libraries; onnxruntime stays
    #[arg(long)]
    pub all: bool,
}

/// The arguments of `recipe-render completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// The arguments of `recipe-render man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: Option<PathBuf>,
}

/// The arguments of `recipe-render check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Recipes to check, or pictures with a recipe inside
    #[arg(value_name = "RECIPE", required = true, value_hint = ValueHint::FilePath)]
    pub recipes: Vec<PathBuf>,
    /// One value in place of the recipe's, like detail.0.weight=0.5; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Setting>,
    /// How findings are reported: text, or json for editors and CI (one array of all recipes' findings, on standard output)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How findings are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the source line with the mistake marked.
    Text,
    /// For programs.
    Json,
}

/// The arguments of `recipe-render schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print the table of all keys and their defaults instead, in Markdown
    #[arg(long)]
    pub reference: bool,
}

/// The arguments of `recipe-render recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// A PNG that recipe-render wrote
    #[arg(value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub picture: PathBuf,
    /// Instead of printing the recipe, write it and all recipes it builds on into this folder, so that each finds the others
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub all: Option<PathBuf>,
}

/// The arguments of `recipe-render score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// A picture: PNG, JPEG, WebP, GIF, BMP or TIFF
    #[arg(value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub picture: PathBuf,
    /// Texts to compare the picture with
    #[arg(value_name = "PROMPT", required = true)]
    pub prompts: Vec<String>,
    /// A model's name, or the path of its folder
    #[arg(long, value_name = "NAME|FOLDER", default_value = "pocket")]
    pub model: String,
    /// Print JSON, with all digits
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `recipe-render runtime`.
#[derive(Debug, Args)]
pub struct RuntimeArgs {
    #[command(subcommand)]
    pub command: Option<RuntimeCommand>,
}

/// The commands of `recipe-render runtime`; without one it shows the runtime.
#[derive(Debug, Subcommand)]
pub enum RuntimeCommand {
    /// Install the pinned onnxruntime into the user's cache
    Install(InstallArgs),
    /// Load a library and run a session on it, on behalf of a process that does not trust the library
    #[command(hide = true)]
    Try(TryArgs),
}

/// The arguments of `recipe-render runtime install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Install the build for NVIDIA GPUs, with the CUDA and cuDNN libraries it needs
    #[arg(long)]
    pub cuda: bool,
}

/// The arguments of `recipe-render runtime try`.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The library
    pub path: PathBuf,
}
