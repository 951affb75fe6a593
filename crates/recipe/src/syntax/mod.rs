//! Turns a text into a TOML document: decoding, parsing, and syntax errors in a recipe's terms.

pub(super) mod marks;
pub(super) mod repair;
pub(super) mod text;
pub(super) mod tree;
pub(super) mod unclosed;
