//! The command line, in layers: each knows those below it alone (`tests/layers.rs`).
//!
//! stdout carries results (the tally, a recovered recipe, the schema), stderr everything else. Exit codes: 0 done, 1 failed,
//! 2 a wrong recipe or command line, 130 interrupted ([`failure::Exit`]).

pub mod commands;

// one render of one recipe
mod job;

// what is ready for several
mod bench;

// what models make of prompts
mod prompts;

// recipes as they are given
mod source;

pub mod terminal;

pub mod failure;

pub mod args;
