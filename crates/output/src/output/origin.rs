//! The recipe, model and settings that a picture came from. They are stored inside it and suffice to make it again.

use serde::{Deserialize, Serialize};

use crate::given::{Bases, Overrides};

/// A picture's origin. The recipe's text is stored separately from the rest, byte for byte.
///
/// Nothing in it depends on the clock or on the number of threads: the same render gives the same file.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The recipe as it was read.
    pub recipe: String,
    /// The recipes that it builds on.
    pub bases: Bases,
    pub facts: Facts,
}

/// Everything but the recipe's text; stored as JSON. Unknown keys are ignored and missing ones are empty, so pictures of later and
/// earlier versions can be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The program's version.
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The model's name.
    pub model: String,
    /// The model's hash.
    pub model_hash: String,
    /// All models, if several worked on the picture; `model` is then the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<UsedModel>,
    /// The seed that was used.
    pub seed: u64,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Steps done.
    pub steps: u64,
    /// The number of steps skipped so far because their phases ended early.
    #[serde(skip_serializing_if = "is_zero")]
    pub steps_spared: u64,
    /// The number of steps planned; more than `steps` plus `steps_spared` in a snapshot or after Ctrl-C.
    pub steps_planned: u64,
    /// The command line's overrides.
    #[serde(skip_serializing_if = "Overrides::is_empty")]
    pub overrides: Overrides,
    /// `cpu` or `cuda`. Only the same kind of device can be expected to give the same bytes.
    pub device: String,
    /// The edits of the recipe after which the render continued with the same canvas (`--watch=continue`). If there are any, the recipe
    /// alone does not reproduce the picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub continued: Vec<Continued>,
    /// The number of windows that each prompt won.
    pub tally: Vec<TallyLine>,
}

impl Facts {
    /// Returns the names of all models that worked on the picture, separated by commas.
    pub fn all_models(&self) -> String {
        match self.models.as_slice() {
            [] => self.model.clone(),
            models => models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

/// An edit after which the render continued with the same canvas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Continued {
    /// The step after which it came, counted in the steps of the recipe until then.
    pub step: u64,
    pub steps: u64,
    /// The paths of the recipe's values that it changed, as `--set` takes them.
    pub changed: Vec<String>,
}

/// One of the models that worked on a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UsedModel {
    pub name: String,
    pub hash: String,
}

fn is_zero(steps: &u64) -> bool {
    *steps == 0
}

/// One prompt's line of the tally.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TallyLine {
    pub prompt: String,
    pub target: String,
    /// The number of windows won; for a direction, the number of windows in which it acted.
    pub won: u64,
    /// For a direction: its mean probability in those windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_other_versions() {
        let facts: Facts = serde_json::from_str(r#"{"seed": 4, "novelty": [1, 2]}"#).unwrap();
        assert_eq!(facts, Facts { seed: 4, ..Facts::default() });
    }
}
