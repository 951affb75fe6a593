//! Reads a document into a recipe as written. Every table is read by the table of keys; whatever does not fit gets a diagnostic.

pub(super) mod advice;
pub mod expression;
pub(super) mod extends;
pub(super) mod models;
pub(super) mod phases;
pub(super) mod pipelines;
pub(super) mod prompts;
pub(super) mod reader;
pub(super) mod region;
pub(super) mod scalars;
pub(super) mod sections;
pub(super) mod start;
pub(super) mod targets;
pub(super) mod timeline;
pub(super) mod tokens;
pub(super) mod values;
pub(super) mod written;
