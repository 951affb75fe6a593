//! The arguments, and the few rules between them that a derive cannot express.

mod commands;
pub mod direction;
pub mod models;
mod render;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};

pub use self::commands::*;
pub use self::render::*;

use self::direction::DirectionArgs;
use self::models::ModelsArgs;
use crate::preview::Address;
use crate::runtime;

/// Turns recipes into pictures: pixels are optimised until CLIP sees what the recipe says.
///
/// `recipe-render RECIPE` writes the picture to the current folder, named after RECIPE with .png.
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
    /// Returns where onnxruntime may come from.
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
    /// Install and download nothing: fail if onnxruntime, or the model to fetch, is not on this machine yet
    #[arg(long, global = true, help_heading = "Runtime")]
    pub offline: bool,
}

/// The commands besides rendering.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Render recipes, and again whenever one is saved: the same as RECIPE... --watch
    Watch(WatchArgs),
    /// Check recipes without rendering them
    Check(CheckArgs),
    /// Print the resolved plan of a recipe: phases, targets, windows, memory and time
    Plan(PlanArgs),
    /// Render a recipe with every combination of some values, and a contact sheet of them
    Sweep(SweepArgs),
    /// Write a new recipe to start from
    New(NewArgs),
    /// Print the JSON schema of recipes
    Schema(SchemaArgs),
    /// Print the recipe that a picture was rendered from
    Recover(RecoverArgs),
    /// Print how similar a picture is to prompts, according to a model
    Score(ScoreArgs),
    /// Fit directions to examples of what to look for or to avoid
    Direction(DirectionArgs),
    /// Show the onnxruntime in use and where it was looked for, or install it
    Runtime(RuntimeArgs),
    /// List, fetch, import, check and remove models, or write a model's gradient as an ONNX file
    Models(ModelsArgs),
    /// Show what the program keeps on this machine, or remove it
    Cache(CacheArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(ManArgs),
}

/// Parses the command line of this process. On an error, and for `--help`, prints and exits (with code 2 or 0).
pub fn parse() -> Arguments {
    parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Parses a command line whose first word is the program's name.
pub(crate) fn parse_from(line: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Arguments, clap::Error> {
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

/// Returns clap's description of the command line.
pub(crate) fn command() -> clap::Command {
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

/// Rewrites `--serve ADDR` as `--serve=ADDR`, and `--watch-poll SECONDS` likewise. A word after `--serve` that is not an address
/// is a recipe, so that `--serve a.toml` means what it seems to.
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

/// Returns the command that a word misspells: at most two letters are wrong, and more are right.
pub(crate) fn command_like(word: &str) -> Option<String> {
    let command = command();
    let names = command.get_subcommands().map(clap::Command::get_name).chain(["help"]);
    let distances = names.map(|name| (strsim::damerau_levenshtein(word, name), name));
    let (distance, name) = distances.min()?;
    (distance <= 2 && distance * 2 < word.chars().count()).then(|| name.to_owned())
}

/// Refuses the renderer's arguments before a subcommand: silently ignoring `--size` in `--size 64x64 check` would mislead.
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

/// Refuses arguments that make no sense together.
fn refuse_conflicts(command: &mut clap::Command, render: &RenderArgs) -> Result<(), clap::Error> {
    let folders = render.recipes.iter().any(|path| path.is_dir());
    let several = render.recipes.len() > 1 || folders && render.watches();
    let stdin = render.recipes.iter().filter(|path| path.as_os_str() == "-").count();
    let message = if several && render.timings.is_some() {
        "--timings measures one recipe; several were given"
    } else if several && render.record.video.is_some() {
        "--video records one recipe; several were given"
    } else if render.watches() && render.record.video.is_some() {
        "--video records one render; --watch begins many. Once the recipe is done, record it without --watch"
    } else if stdin > 0 && render.watches() {
        "--watch needs a file to follow, not standard input"
    } else if stdin > 1 {
        "standard input can give one recipe only; `-` was given more than once"
    } else {
        return Ok(());
    };
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::Size;
    use crate::runtime::DeviceChoice;

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
