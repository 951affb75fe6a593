//! `recipe-render plan RECIPE`: prints a recipe with every default, name and schedule resolved.

mod account;
mod choice;
mod effort;
mod measure;
mod page;

use crate::cli::args::PlanArgs;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::prompts;
use crate::cli::prompts::open_words;
use crate::cli::source::{Source, overrides};
use crate::cli::terminal::{Voice, voice};
use crate::runtime;

/// Prints the plan and its cost. `--measure` runs some steps of each phase to estimate the time.
pub fn run(args: &PlanArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    let source = Source::read(&args.recipe)?;
    let compiled = source.compile(&overrides(&args.instead, &source)?, voice)?;
    let models = prompts::models(&source, &compiled)?;
    voice.rendered(&prompts::check(&source, &compiled, &models, &mut open_words)?);
    let mut effort = effort::estimate(&compiled.plan, &models);
    if args.measure {
        let mut bench = Workbench::new(args.threads, args.device, options, voice)?;
        let mut lenses = bench.ready(&source, &compiled, &models)?;
        effort.measured = Some(measure::measure(&compiled.plan, &effort, &mut lenses)?);
    }
    let account = account::of(&compiled, &models, effort);
    let text = match args.json {
        true => serde_json::to_string_pretty(&account).map_err(Failure::failed)? + "\n",
        false => page::page(&account),
    };
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}
