//! What a recipe is made of: its file, the recipes that it builds on, and what the command line sets; laid over one another.

pub(super) mod changes;
pub(super) mod extends;
pub(super) mod merge;
pub(super) mod origin;
pub(super) mod overrides;
pub(super) mod set;
pub(super) mod setting;
pub(super) mod texts;
