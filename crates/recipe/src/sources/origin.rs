//! The origins of values: the user, a model's advice, or a default.

use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    CommandLine,
    /// The recipe, or one that it builds on.
    Recipe,
    /// The model's advice.
    Model,
    /// The program's default.
    Program,
}

impl Origin {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Origin::CommandLine => "command line",
            Origin::Recipe => "recipe",
            Origin::Model => "model",
            Origin::Program => "program",
        }
    }

    /// Whether the user gave it for this picture.
    pub(crate) fn is_said(self) -> bool {
        matches!(self, Origin::CommandLine | Origin::Recipe)
    }

    /// Whether it is written in a text that a diagnostic can point at.
    pub(crate) fn is_written(self) -> bool {
        self != Origin::Program
    }
}

/// The origins of one table's values, by key, for all keys that have a default. Settings of a chosen name follow it: `optimiser.epsilon`,
/// `canvas.basis.decay`.
pub type Origins = BTreeMap<String, Origin>;

/// The origins of a plan's values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whence {
    /// Values of the recipe as a whole: `size`, `seed`, `canvas.init.noise`.
    pub recipe: Origins,
    /// In the order of the plan's targets.
    pub targets: Vec<Origins>,
    /// In the order of the plan's phases.
    pub phases: Vec<Origins>,
}
