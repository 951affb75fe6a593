//! Where values come from: somebody said them, or nobody did and they are a default.

use std::collections::BTreeMap;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    CommandLine,
    /// The recipe, or one that it builds on.
    Recipe,
    /// What the model advises.
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

    /// Somebody said it about this picture.
    pub(crate) fn is_said(self) -> bool {
        matches!(self, Origin::CommandLine | Origin::Recipe)
    }

    /// It stands in a text that can be pointed at.
    pub(crate) fn is_written(self) -> bool {
        self != Origin::Program
    }
}

/// Where the values of one table come from, by their keys: all that have a default. Settings of a name stand behind it:
/// `optimiser.epsilon`, `canvas.basis.decay`.
pub type Origins = BTreeMap<String, Origin>;

/// Where the values of a plan come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whence {
    /// Of what belongs to the recipe as a whole: `size`, `seed`, `canvas.init.noise`.
    pub recipe: Origins,
    /// In the order of the plan's targets.
    pub targets: Vec<Origins>,
    /// In the order of the plan's phases.
    pub phases: Vec<Origins>,
}
