//! `recipe-render models`: lists and manages models.

mod check;
mod explain;
mod fetch;
mod gradient;
mod import;
mod list;
mod remove;

use crate::cli::args::models::{ModelsArgs, ModelsCommand};
use crate::cli::failure::Outcome;
use crate::cli::terminal::Voice;
use crate::runtime;

/// Calls one of the commands.
pub fn run(args: &ModelsArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        ModelsCommand::List(args) => list::run(args),
        ModelsCommand::Import(args) => import::run(args, &options, voice),
        ModelsCommand::Check(args) => check::run(args, &options, voice),
        ModelsCommand::Explain(args) => explain::run(args, &options, voice),
        ModelsCommand::Remove(args) => remove::run(args, voice),
        ModelsCommand::Fetch(args) => fetch::run(args, &options, voice),
        ModelsCommand::Gradient(args) => gradient::run(args, options, voice),
    }
}
