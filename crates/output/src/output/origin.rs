//! The recipe, model and settings that a picture came from. They are stored inside it and suffice to make it again.

use serde::{Deserialize, Serialize};

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

/// The recipes that a recipe builds on; stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bases {
    /// For each entry of the recipe's `extends`, its index in [`Bases::recipes`].
    pub extends: Vec<usize>,
    pub recipes: Vec<Base>,
}

impl Bases {
    /// Whether the recipe builds on no other.
    pub fn is_empty(&self) -> bool {
        self.recipes.is_empty()
    }
}

/// A recipe that another builds on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Base {
    /// The path of its file, absolute or relative to the recipe's folder.
    pub path: String,
    pub text: String,
    /// As in [`Bases::extends`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extends: Vec<usize>,
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

/// The values that the command line overrode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Single values, each as `PATH=VALUE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
}

impl Overrides {
    /// Whether nothing was overridden.
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }

    /// Formats the overrides as options of the command line: `--size 64x64 --seed 4`.
    pub fn options(&self) -> String {
        let size = self.size.map(|[width, height]| format!("--size {width}x{height}"));
        let steps = self.steps.map(|steps| format!("--steps {steps}"));
        let seed = self.seed.map(|seed| format!("--seed {seed}"));
        let model = self.model.as_ref().map(|model| format!("--model {}", quoted(model)));
        let set = self.set.iter().map(|setting| format!("--set {}", quoted(setting)));
        [size, steps, seed, model].into_iter().flatten().chain(set).collect::<Vec<_>>().join(" ")
    }
}

/// Quotes a word for the shell if necessary.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@+=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_other_versions() {
        let facts: Facts = serde_json::from_str(r#"{"seed": 4, "novelty": [1, 2]}"#).unwrap();
        assert_eq!(facts, Facts { seed: 4, ..Facts::default() });
    }

    #[test]
    fn overrides_read_as_options() {
        let overrides = Overrides {
            size: Some([64, 48]),
            steps: Some(5),
            seed: None,
            model: Some("my model's".to_owned()),
            set: vec!["phase.0.rate=0.05*t".to_owned()],
        };
        let options = r"--size 64x48 --steps 5 --model 'my model'\''s' --set 'phase.0.rate=0.05*t'";
        assert_eq!(overrides.options(), options);
        assert!(Overrides::default().is_empty() && Overrides::default().options().is_empty());
    }
}
