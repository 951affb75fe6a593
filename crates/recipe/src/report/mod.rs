//! What is wrong with a recipe, and where.

pub(super) mod diagnostic;
pub(super) mod finding;
pub(super) mod nearest;
pub(super) mod paths;
