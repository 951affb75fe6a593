//! The command line, in layers: each depends only on those below it (`tests/layers.rs`).
//!
//! stdout carries results (the tally, a recovered recipe, the schema), stderr everything else. Exit codes: 0 done, 1 failed,
//! 2 a wrong recipe or command line, 130 interrupted ([`failure::Exit`]).

pub mod commands;

// one render of one recipe
mod job;

// resources shared by several renders
mod bench;

// how models read prompts
mod prompts;

// recipes as the user gives them
mod source;

pub mod terminal;

pub mod failure;

pub mod args;
