//! Drives the real program the way its users do.

mod bench;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/tiny.rs"]
mod tiny;

mod advice;
mod again;
mod check;
mod classifier;
mod command_line;
mod direction;
mod drawn;
mod ensemble;
mod explain;
mod fetch;
mod host;
mod interrupt;
mod libraries;
mod messages;
mod models;
mod new;
mod output;
mod plan;
mod record;
mod recover;
mod score;
mod selection;
mod serve;
mod shell;
mod store;
mod sweep;
mod targets;
mod watch;
