//! `recipe-render direction`: fits directions to examples, and shows where a picture matches them.

mod drawn;
mod fit;
mod folders;
mod map;
mod show;

use crate::cli::args::direction::{DirectionArgs, DirectionCommand};
use crate::cli::failure::Outcome;
use crate::cli::terminal::Voice;
use crate::runtime;

/// Calls one of the commands.
pub fn run(args: &DirectionArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        DirectionCommand::Fit(args) => fit::run(args, options, voice),
        DirectionCommand::Show(args) => show::run(args, options, voice),
    }
}
