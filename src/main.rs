//! The command line: parse it, call one command, give its exit code.

use std::process::ExitCode;
use std::time::Instant;

use recipe_render::cli::{self, Command, Outcome};

fn main() -> ExitCode {
    let started = Instant::now();
    let arguments = cli::parse();
    let voice = arguments.voice();
    let runtime = arguments.runtime();

    if let Err(failure) = cli::interrupt::install(voice) {
        return cli::conclude(Err(failure), &voice);
    }
    let outcome: Outcome = match &arguments.command {
        None if arguments.render.watches() => cli::watch::run(&arguments.render, runtime, &voice, started),
        None => cli::render::run(&arguments.render, runtime, &voice, started),
        Some(Command::Watch(watch)) => cli::watch::run(&watch.render, runtime, &voice, started),
        Some(Command::Check(check)) => cli::check::run(check, &voice),
        Some(Command::Plan(plan)) => cli::plan::run(plan, runtime, &voice),
        Some(Command::Sweep(sweep)) => cli::sweep::run(sweep, runtime, &voice, started),
        Some(Command::New(new)) => cli::new::run(new, &voice),
        Some(Command::Schema(schema)) => cli::dispatch::schema(schema),
        Some(Command::Recover(recover)) => cli::recover::run(recover, &voice),
        Some(Command::Runtime(command)) => cli::dispatch::runtime(command, &runtime),
        Some(Command::Score(score)) => cli::score::run(score, &runtime, &voice),
        Some(Command::Direction(direction)) => cli::direction::run(direction, runtime, &voice),
        Some(Command::Models(models)) => cli::models::run(models, runtime, &voice),
        Some(Command::Cache(cache)) => cli::cache::run(cache, &voice),
        Some(Command::Completions(completions)) => cli::shell::completions(completions),
        Some(Command::Man(man)) => cli::shell::man(man, &voice),
    };
    cli::conclude(outcome, &voice)
}
