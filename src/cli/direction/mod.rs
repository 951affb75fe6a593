//! `recipe-render direction`: directions made from examples, and what they see.

mod args;
mod bar;
mod drawn;
mod fit;
mod folders;
mod map;
mod show;

pub use args::{DirectionArgs, DirectionCommand, DrawnArgs, FitArgs, ShowArgs};

use super::compose::from_clip;
use super::{Failure, Outcome, Voice};
use crate::direction::DirectionError;
use crate::runtime;

/// Calls one of the commands.
pub fn run(args: &DirectionArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        DirectionCommand::Fit(args) => fit::run(args, options, voice),
        DirectionCommand::Show(args) => show::run(args, options, voice),
    }
}

/// The examples, the file or the model are named on the command line: those are wrong.
pub(super) fn from_direction(error: DirectionError) -> Failure {
    match error {
        DirectionError::Clip(error) => from_clip(error),
        error @ DirectionError::Diverged { .. } => Failure::failed(error),
        error => Failure::wrong(&error).hinted(error.hint()),
    }
}
