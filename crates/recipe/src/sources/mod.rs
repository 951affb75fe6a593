//! The parts of a recipe: its file, the recipes that it builds on, and the command line's settings, laid over one another.

pub(super) mod advisers;
pub(super) mod changes;
pub(super) mod counsel;
pub(super) mod extends;
pub(super) mod merge;
pub(super) mod origin;
pub(super) mod set;
pub(super) mod setting;
