//! From a text to a TOML document: decoding, and mistakes of syntax told in the words of a recipe.

pub(super) mod marks;
pub(super) mod repair;
pub(super) mod text;
pub(super) mod tree;
pub(super) mod unclosed;
