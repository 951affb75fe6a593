//! Diagnostics of a recipe.

pub(super) mod diagnostic;
pub(super) mod finding;
pub(super) mod nearest;
pub(super) mod numbers;
pub(super) mod paths;
