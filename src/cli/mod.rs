//! The command line: one file a command, and what they share.
//!
//! stdout carries results (the tally, a recovered recipe, the schema), stderr everything else. Exit codes: 0 done, 1 failed,
//! 2 a wrong recipe or command line, 130 interrupted ([`Exit`]).

// the commands
pub mod cache;
pub mod check;
pub mod direction;
pub mod dispatch;
pub mod models;
pub mod new;
pub mod plan;
pub mod recover;
pub mod render;
pub mod runtime;
pub mod schema;
pub mod score;
pub mod shell;
pub mod sweep;
pub mod watch;

// what they share
mod args;
mod carry;
mod compose;
mod dialects;
mod draft;
mod failure;
pub mod interrupt;
mod job;
mod kept;
mod labels;
mod live;
mod picture;
mod preview;
mod progress;
mod prompts;
mod recording;
mod run;
mod timings;
mod transfer;
mod values;
mod voice;
mod windows;

pub use args::{
    Arguments, CacheArgs, CacheCommand, CheckArgs, ClearArgs, Command, CompletionsArgs, Format, InfoArgs, InstallArgs,
    InsteadArgs, ManArgs, NewArgs, PlanArgs, RecordArgs, RecoverArgs, RenderArgs, RuntimeArgs, RuntimeCommand,
    SchemaArgs, ScoreArgs, SweepArgs, WatchArgs, parse,
};
pub use failure::{Exit, Failure, Outcome, conclude};
pub use preview::PreviewChoice;
pub use voice::Voice;
