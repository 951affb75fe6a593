//! The entry point: parses the command line, calls one command and returns its exit code.

use std::process::ExitCode;
use std::time::Instant;

use recipe_render::cli::args::{self, Command};
use recipe_render::cli::commands;
use recipe_render::cli::failure::Outcome;
use recipe_render::cli::terminal::{self, Voice, interrupt};

fn main() -> ExitCode {
    let started = Instant::now();
    let arguments = args::parse();
    let voice = Voice::of(&arguments.common);
    let runtime = arguments.runtime();

    if let Err(failure) = interrupt::install(voice) {
        return terminal::conclude(Err(failure), &voice);
    }
    let outcome: Outcome = match &arguments.command {
        None if arguments.render.watches() => commands::watch::run(&arguments.render, runtime, &voice, started),
        None => commands::render::run(&arguments.render, runtime, &voice, started),
        Some(Command::Watch(watch)) => commands::watch::run(&watch.render, runtime, &voice, started),
        Some(Command::Check(check)) => commands::check::run(check, &voice),
        Some(Command::Plan(plan)) => commands::plan::run(plan, runtime, &voice),
        Some(Command::Sweep(sweep)) => commands::sweep::run(sweep, runtime, &voice, started),
        Some(Command::New(new)) => commands::new::run(new, &voice),
        Some(Command::Schema(schema)) => commands::schema::run(schema),
        Some(Command::Recover(recover)) => commands::recover::run(recover, &voice),
        Some(Command::Runtime(command)) => commands::runtime::run(command, &runtime),
        Some(Command::Score(score)) => commands::score::run(score, &runtime, &voice),
        Some(Command::Direction(direction)) => commands::direction::run(direction, runtime, &voice),
        Some(Command::Models(models)) => commands::models::run(models, runtime, &voice),
        Some(Command::Cache(cache)) => commands::cache::run(cache, &voice),
        Some(Command::Completions(completions)) => commands::shell::completions(completions),
        Some(Command::Man(man)) => commands::shell::man(man, &voice),
    };
    terminal::conclude(outcome, &voice)
}
