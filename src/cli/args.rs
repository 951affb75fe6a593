//! The arguments, and the few rules among them that a derive cannot say.

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use super::Voice;
use super::direction::DirectionArgs;
use super::models::ModelsArgs;
use super::preview::PreviewChoice;
use super::values;
use crate::plan::Size;
use crate::preview::Address;
use crate::recipe::{Setting, parse_seed, parse_size, parse_steps};
use crate::runtime::{self, DeviceChoice};

/// Turns recipes into pictures: pixels are optimised until CLIP sees what the recipe says.
///
/// `recipe-render RECIPE` renders to RECIPE's name with .png in the current folder.
#[derive(Debug, Parser)]
#[command(
    name = "recipe-render",
    version,
    max_term_width = 100,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    override_usage = "recipe-render [OPTIONS] <RECIPE>...\n       recipe-render [OPTIONS] <COMMAND>",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong recipe or command line, 130 interrupted."
)]
pub struct Arguments {
    #[command(flatten)]
    pub render: RenderArgs,
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Arguments {
    /// How to talk to the user.
    pub fn voice(&self) -> Voice {
        Voice::new(self.common.quiet, self.common.verbose)
    }

    /// Where onnxruntime may come from.
    pub fn runtime(&self) -> runtime::Options {
        runtime::Options {
            onnxruntime: self.common.onnxruntime.clone(),
            offline: self.common.offline,
            verbose: self.common.verbose,
            device: match &self.command {
                Some(Command::Watch(watch)) => watch.render.compute.device,
                _ => self.render.compute.device,
            },
            trial: runtime::own_program(),
        }
    }
}

/// Options every command understands, before or after its name.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// No progress and no notes; results, warnings and errors stay
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Messages")]
    pub quiet: bool,
    /// Say more: the model, the library, the device
    #[arg(short, long, global = true, help_heading = "Messages")]
    pub verbose: bool,
    /// Use this onnxruntime library
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Runtime")]
    pub onnxruntime: Option<PathBuf>,
    /// Install and download nothing: fail where onnxruntime, or the model to fetch, is not on this machine yet
    #[arg(long, global = true, help_heading = "Runtime")]
    pub offline: bool,
}

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
    /// Threads to compute with [default: one a processor]. What comes of it does not depend on it
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

/// The commands besides rendering.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Render recipes, and again whenever one is saved: the same as RECIPE... --watch
    Watch(WatchArgs),
    /// Check recipes without rendering them
    Check(CheckArgs),
    /// Print what a recipe comes to: phases, targets, windows, memory and time
    Plan(PlanArgs),
    /// Render a recipe with every combination of some values, and a contact sheet of them
    Sweep(SweepArgs),
    /// Write a recipe to begin from
    New(NewArgs),
    /// Print the JSON schema of recipes
    Schema(SchemaArgs),
    /// Print the recipe that a picture was rendered from
    Recover(RecoverArgs),
    /// Tell how similar a picture is to prompts, in a model's eyes
    Score(ScoreArgs),
    /// Fit directions to examples of what to look for or to avoid
    Direction(DirectionArgs),
    /// Show the onnxruntime in use and where it was looked for, or install it
    Runtime(RuntimeArgs),
    /// List, fetch, import, check and remove models, or write a model's gradient as an ONNX file
    Models(ModelsArgs),
    /// Show what is kept on this machine, or remove it
    Cache(CacheArgs),
    /// Print what completes the command line in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(ManArgs),
}

/// Of `recipe-render watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Of several recipes the one edited last is rendered first; the others go on afterwards where they were. A folder's recipes are its
files *.toml, also those that come later.")]
pub struct WatchArgs {
    #[command(flatten)]
    pub render: RenderArgs,
}

/// Of `recipe-render plan`.
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
    /// Do some steps of each phase to tell how long all of it takes
    #[arg(long)]
    pub measure: bool,
    /// With --measure, where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = values::device, help_heading = "Runtime")]
    pub device: DeviceChoice,
    /// With --measure, threads to compute with [default: one a processor]
    #[arg(long, value_name = "N", value_parser = values::threads, help_heading = "Runtime")]
    pub threads: Option<NonZeroUsize>,
}

/// Of `recipe-render sweep`.
#[derive(Debug, Args)]
#[command(after_help = "\
VALUES are a list (0.03,0.05), a range of whole numbers (1..8, both ends included), a range with a step (0.1..0.5:0.1), or several
of them with commas between; commas in brackets, braces, parentheses and quotes separate nothing. One value is the same in all
renders. Pictures that are there already, as what is inside them tells, are not rendered again.")]
pub struct SweepArgs {
    /// A recipe, or a picture with one inside; `-` reads standard input
    #[arg(value_name = "RECIPE", value_hint = ValueHint::FilePath)]
    pub recipe: PathBuf,
    /// The folder for the pictures, the sheet and the index [default: NAME-sweep]
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub instead: InsteadArgs,
    /// Values that go together with those of the other --zip, one by one
    #[arg(long, value_name = "PATH=VALUES", help_heading = "In place of the recipe's")]
    pub zip: Vec<Setting>,
    /// Print what would be rendered, and render nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub compute: ComputeArgs,
    #[command(flatten)]
    pub preview: PreviewArgs,
}

/// Of `recipe-render new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The recipe's name; it is written to NAME.toml, never over a file that is there
    #[arg(value_name = "NAME", value_hint = ValueHint::FilePath)]
    pub name: PathBuf,
    /// Copy this recipe: a file, a picture with a recipe inside, or one that comes along, like malazan-landscape
    #[arg(long, value_name = "RECIPE", value_hint = ValueHint::FilePath)]
    pub from: Option<PathBuf>,
}

/// Of `recipe-render cache`.
#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: Option<CacheCommand>,
}

/// What can be done about the cache.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Show where it is and what is in it, the checkpoints by recipe
    Info(InfoArgs),
    /// Remove the checkpoints: renders then begin at their first step
    Clear(ClearArgs),
}

/// Of `recipe-render cache info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render cache clear`.
#[derive(Debug, Args)]
pub struct ClearArgs {
    /// The encoded prompts, too; onnxruntime stays
    #[arg(long)]
    pub all: bool,
}

/// Of `recipe-render completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Of `recipe-render man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write a page for every command into this folder
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub folder: Option<PathBuf>,
}

/// Of `recipe-render check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Recipes to check, or pictures with a recipe inside
    #[arg(value_name = "RECIPE", required = true, value_hint = ValueHint::FilePath)]
    pub recipes: Vec<PathBuf>,
    /// One value in place of the recipe's, like detail.0.weight=0.5; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Setting>,
    /// How findings are told: text, or json for editors and CI (one array of all recipes' findings, on standard output)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: the line, and what is wrong in it marked.
    Text,
    /// For programs.
    Json,
}

/// Of `recipe-render schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print the table of all keys and their defaults instead, in Markdown
    #[arg(long)]
    pub reference: bool,
}

/// Of `recipe-render recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// A PNG that recipe-render wrote
    #[arg(value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub picture: PathBuf,
    /// Instead of printing it, write the recipe and all that it builds on into this folder, each where the others look for it
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub all: Option<PathBuf>,
}

/// Of `recipe-render score`.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// A picture: PNG, JPEG, WebP, GIF, BMP or TIFF
    #[arg(value_name = "PICTURE", value_hint = ValueHint::FilePath)]
    pub picture: PathBuf,
    /// Texts to compare it with
    #[arg(value_name = "PROMPT", required = true)]
    pub prompts: Vec<String>,
    /// A model's name, or the path of its folder
    #[arg(long, value_name = "NAME|FOLDER", default_value = "pocket")]
    pub model: String,
    /// Print JSON, with all digits
    #[arg(long)]
    pub json: bool,
}

/// Of `recipe-render runtime`.
#[derive(Debug, Args)]
pub struct RuntimeArgs {
    #[command(subcommand)]
    pub command: Option<RuntimeCommand>,
}

/// What can be done about the runtime besides showing it.
#[derive(Debug, Subcommand)]
pub enum RuntimeCommand {
    /// Install the pinned onnxruntime into the user's cache
    Install(InstallArgs),
    /// Load a library and run a session on it, for another process that does not trust it
    #[command(hide = true)]
    Try(TryArgs),
}

/// Of `recipe-render runtime install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The build for NVIDIA GPUs, with the CUDA and cuDNN libraries it needs
    #[arg(long)]
    pub cuda: bool,
}

/// Of `recipe-render runtime try`.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The library
    pub path: PathBuf,
}

/// Parses the command line of this process; on an error, or for `--help`, prints and exits (2, or 0).
pub fn parse() -> Arguments {
    parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Parses a command line, the program's name first.
pub(super) fn parse_from(line: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Arguments, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(joined(line))?;
    if let Some(name) = matches.subcommand_name() {
        refuse_render_arguments(&mut command, &matches, name)?;
    }
    let mut arguments = Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    match &mut arguments.command {
        None => refuse_conflicts(&mut command, &arguments.render)?,
        Some(Command::Watch(watch)) => {
            watch.render.watch.get_or_insert_default();
            refuse_conflicts(&mut command, &watch.render)?;
        }
        Some(_) => {}
    }
    Ok(arguments)
}

/// The command line's description.
pub(super) fn command() -> clap::Command {
    let values = "Values that vary, like seed=1..8 or phase.0.rate=0.03,0.05; several --set multiply";
    let of_a_sweep = |set: clap::Arg| set.value_name("PATH=VALUES").help(values);
    Arguments::command().mut_subcommand("sweep", |sweep| sweep.mut_arg("set", of_a_sweep)).mut_subcommand(
        "watch",
        |watch| {
            watch.mut_arg("watch", |watch| watch.help("What an edit does")).mut_arg("recipes", |recipes| {
                recipes.value_name("RECIPE|FOLDER").help("Recipes to follow, and folders of recipes")
            })
        },
    )
}

/// The same line with `--serve ADDR` written as `--serve=ADDR`, and `--watch-poll SECONDS` likewise. What follows `--serve` and is
/// no address is a recipe, so that `--serve a.toml` means what it seems to.
fn joined(line: impl IntoIterator<Item = impl Into<OsString>>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut options = true;
    for word in line {
        let word = word.into();
        let text = word.to_str().unwrap_or_default();
        let value = match words.last().and_then(|last| last.to_str()) {
            Some("--serve") => text.parse::<Address>().is_ok(),
            Some("--watch-poll") => text.parse::<f64>().is_ok(),
            _ => false,
        };
        let value = value && options;
        options = options && word != "--";
        match words.last_mut().filter(|_| value) {
            Some(last) => {
                last.push("=");
                last.push(word);
            }
            None => words.push(word),
        }
    }
    words
}

/// The command that a word is a misspelling of: one or two letters are wrong, and more are right.
pub(super) fn command_like(word: &str) -> Option<String> {
    let command = command();
    let names = command.get_subcommands().map(clap::Command::get_name).chain(["help"]);
    let distances = names.map(|name| (strsim::damerau_levenshtein(word, name), name));
    let (distance, name) = distances.min()?;
    (distance <= 2 && distance * 2 < word.chars().count()).then(|| name.to_owned())
}

/// A subcommand takes none of the renderer's arguments; silently ignoring `--size` in `--size 64x64 check` would mislead.
fn refuse_render_arguments(
    command: &mut clap::Command,
    matches: &clap::ArgMatches,
    name: &str,
) -> Result<(), clap::Error> {
    let render = RenderArgs::augment_args(clap::Command::new("render"));
    for argument in render.get_arguments() {
        let id = argument.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let message = match argument.get_long() {
            Some(long) => format!("--{long} belongs to rendering, not to the command `{name}`"),
            None => format!("a recipe was given before the command `{name}` (write ./{name} for a file of that name)"),
        };
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Ok(())
}

/// Arguments that make no sense together.
fn refuse_conflicts(command: &mut clap::Command, render: &RenderArgs) -> Result<(), clap::Error> {
    let folders = render.recipes.iter().any(|path| path.is_dir());
    let several = render.recipes.len() > 1 || folders && render.watches();
    let stdin = render.recipes.iter().filter(|path| path.as_os_str() == "-").count();
    let message = if several && render.timings.is_some() {
        "--timings measures one recipe; several were given"
    } else if several && render.record.video.is_some() {
        "--video records one recipe; several were given"
    } else if render.watches() && render.record.video.is_some() {
        "--video records one render; --watch begins many. Record it when the recipe is done: without --watch"
    } else if stdin > 0 && render.watches() {
        "--watch needs a file to follow; standard input is none"
    } else if stdin > 1 {
        "standard input can give one recipe only; `-` was given more than once"
    } else {
        return Ok(());
    };
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        parse_from(std::iter::once("recipe-render").chain(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn the_derive_is_sound() {
        super::command().debug_assert();
    }

    #[test]
    fn recipes_need_no_subcommand_and_subcommands_win() {
        let arguments = parse("a.toml b.toml --size 64x48 --threads 2").unwrap();
        assert!(arguments.command.is_none());
        assert_eq!(arguments.render.recipes.len(), 2);
        assert_eq!(arguments.render.instead.size, Some(Size { width: 64, height: 48 }));
        assert!(matches!(parse("check a.toml").unwrap().command, Some(Command::Check(_))));
        assert!(parse("./check").unwrap().command.is_none());
        assert!(parse("a.toml check").unwrap().command.is_none());
    }

    #[test]
    fn an_address_to_serve_at_may_be_left_out() {
        let of = |line: &str| {
            let render = parse(line).unwrap().render;
            (render.serve.map(|address| address.to_string()), render.recipes.len())
        };
        let free = Some("127.0.0.1:0".to_owned());
        assert_eq!(of("a.toml"), (None, 1));
        assert_eq!(
            (of("a.toml --serve"), of("--serve a.toml"), of("--serve -- 8080")),
            ((free.clone(), 1), (free.clone(), 1), (free, 1))
        );
        let port = Some("127.0.0.1:8080".to_owned());
        assert_eq!(
            (of("a.toml --serve 8080"), of("--serve 8080 a.toml"), of("a.toml --serve=8080")),
            ((port.clone(), 1), (port.clone(), 1), (port, 1))
        );
        assert_eq!(of("a.toml --serve [::]:80").0.unwrap(), "[::]:80");
        assert!(parse("a.toml --serve=here").unwrap_err().contains("`here` is not an address like 8080"));
        assert!(parse("--serve check a.toml").unwrap_err().contains("--serve belongs to rendering"));
        assert!(parse("a.toml --open").unwrap().render.page());
    }

    #[test]
    fn watching_is_a_command_and_an_option() {
        let of = |line: &str| {
            let arguments = parse(line).unwrap();
            let runtime = arguments.runtime();
            let render = match arguments.command {
                Some(Command::Watch(watch)) => watch.render,
                _ => arguments.render,
            };
            (render.watches(), render.watch_poll, render.recipes.len(), runtime.device)
        };
        let cpu = DeviceChoice::Only(runtime::Device::Cpu);
        assert_eq!(of("watch a.toml b.toml --device cpu"), (true, None, 2, cpu));
        assert_eq!(of("watch a.toml b.toml --device cpu"), of("a.toml b.toml --watch --device cpu"));
        let second = Some(Duration::from_secs(1));
        assert_eq!(of("a.toml --watch-poll"), (true, second, 1, DeviceChoice::Auto));
        assert_eq!(of("--watch-poll a.toml"), of("watch a.toml --watch-poll"));
        assert!(parse("a.toml --watch=continue").unwrap().render.continues());
        assert!(!parse("a.toml --watch").unwrap().render.continues());
        let half = Some(Duration::from_millis(500));
        assert_eq!(of("--watch-poll 0.5 a.toml"), (true, half, 1, DeviceChoice::Auto));
        assert_eq!(of("watch --watch-poll=0.5 a.toml"), of("a.toml --watch --watch-poll 0.5"));
    }

    #[test]
    fn misspelt_commands_are_known() {
        for (word, command) in
            [("chek", "check"), ("cehck", "check"), ("recovr", "recover"), ("model", "models"), ("hlep", "help")]
        {
            assert_eq!(command_like(word).as_deref(), Some(command), "{word}");
        }
        for word in ["", "a", "hare", "malazan", "chek.toml"] {
            assert_eq!(command_like(word), None, "{word}");
        }
    }

    #[test]
    fn common_options_stand_before_or_after_the_command() {
        for line in ["-q check a.toml", "check -q a.toml", "check a.toml --quiet"] {
            let arguments = parse(line).unwrap();
            assert!(arguments.common.quiet && matches!(arguments.command, Some(Command::Check(_))), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_together_is_refused_by_name() {
        for (line, words) in [
            ("--size 64x64 check a.toml", "--size belongs to rendering"),
            ("a.toml -q check b.toml", "./check"),
            (". --watch --timings t.json", "--timings measures one recipe"),
            ("watch a.toml b.toml --timings t.json", "--timings measures one recipe"),
            ("watch -", "--watch needs a file"),
            ("watch", "RECIPE|FOLDER"),
            ("--size 64x64 watch a.toml", "--size belongs to rendering"),
            ("a.toml --watch-poll=0", "0.1 to 3600"),
            ("a.toml --watch=never", "continue"),
            ("a.toml b.toml --timings t.json", "--timings measures one recipe"),
            ("a.toml b.toml --video v.gif", "--video records one recipe"),
            ("a.toml --watch --video v.gif", "--video records one render"),
            ("a.toml --fps 5", "--video"),
            ("a.toml --video v.gif --fps 0", "--fps"),
            ("a.toml --preview=best", "kitty"),
            ("- --watch", "--watch needs a file"),
            ("- -", "more than once"),
            ("a.toml --threads 0", "--threads"),
            ("a.toml --threads 257", "1 to 256"),
            ("a.toml --steps 0", "--steps"),
            ("a.toml --every 0", "--every"),
            ("a.toml --size 5", "--size"),
            ("a.toml --size 8x8", "16 to 65536"),
            ("a.toml --device tpu", "--device"),
            ("a.toml -q -v", "--verbose"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(words), "{line}: {message}");
        }
    }
}
