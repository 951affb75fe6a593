//! The terminal: messages, bars and pictures on it, and signals from it.

pub mod bar;
pub mod interrupt;
pub mod preview;
pub mod progress;
pub mod transfer;
pub mod voice;

use std::process::ExitCode;

pub use voice::Voice;

use crate::cli::failure::Outcome;

/// Reports a failure, if any, and returns the process's exit code.
pub fn conclude(outcome: Outcome, voice: &Voice) -> ExitCode {
    let exit = outcome.unwrap_or_else(|failure| {
        voice.failure(&failure);
        failure.exit
    });
    exit.into()
}
