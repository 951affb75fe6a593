//! (being written)

pub mod runtime;
