//! Which recipe, model and settings a picture came from: what is kept inside it, enough to make it again.

use serde::{Deserialize, Serialize};

/// Where a picture comes from. The recipe's text is kept apart from the rest, byte for byte.
///
/// Nothing in here depends on the clock or on the number of threads: the same render gives the same file.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The recipe as it was read.
    pub recipe: String,
    /// The recipes that it builds on.
    pub bases: Bases,
    pub facts: Facts,
}

/// The recipes that one builds on; kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bases {
    /// For each recipe that the recipe names its place among [`Bases::recipes`].
    pub extends: Vec<usize>,
    pub recipes: Vec<Base>,
}

impl Bases {
    /// The recipe stands alone.
    pub fn is_empty(&self) -> bool {
        self.recipes.is_empty()
    }
}

/// A recipe that another builds on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Base {
    /// Its file's path, relative to the recipe's folder unless it is absolute.
    pub path: String,
    pub text: String,
    /// As in [`Bases::extends`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extends: Vec<usize>,
}

/// All but the recipe's text; kept as JSON. Unknown keys are ignored and missing ones empty, so that pictures of later
/// and earlier versions can be read.
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
    /// All models, where several worked on the picture; the one above is the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<UsedModel>,
    /// The seed that was used.
    pub seed: u64,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Steps done.
    pub steps: u64,
    /// Steps that were not needed up to here, because their phases ended early.
    #[serde(skip_serializing_if = "is_zero")]
    pub steps_spared: u64,
    /// Steps the render was to have; more than `steps` and `steps_spared` in a snapshot or after Ctrl-C.
    pub steps_planned: u64,
    /// What the command line said in place of the recipe.
    #[serde(skip_serializing_if = "Overrides::is_empty")]
    pub overrides: Overrides,
    /// `cpu` or `cuda`: the same bytes can be expected from the same kind only.
    pub device: String,
    /// The edits of the recipe from which the render went on with the canvas as it was (`--watch=continue`): where there is one,
    /// the recipe alone does not make the picture again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub continued: Vec<Continued>,
    /// How many windows each prompt won.
    pub tally: Vec<TallyLine>,
}

impl Facts {
    /// The names of all models that worked on the picture, in a line.
    pub fn all_models(&self) -> String {
        match self.models.as_slice() {
            [] => self.model.clone(),
            models => models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", "),
        }
    }
}

/// An edit after which the canvas went on as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Continued {
    /// The step after which it came, of those that the recipe had until then.
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
    /// Windows won; of a direction, windows in which it acted.
    pub won: u64,
    /// Of a direction: its mean probability in those windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// What the command line said in place of the recipe.
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
    /// The recipe alone decided.
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }

    /// As options of the command line: `--size 64x64 --seed 4`.
    pub fn options(&self) -> String {
        let size = self.size.map(|[width, height]| format!("--size {width}x{height}"));
        let steps = self.steps.map(|steps| format!("--steps {steps}"));
        let seed = self.seed.map(|seed| format!("--seed {seed}"));
        let model = self.model.as_ref().map(|model| format!("--model {}", quoted(model)));
        let set = self.set.iter().map(|setting| format!("--set {}", quoted(setting)));
        [size, steps, seed, model].into_iter().flatten().chain(set).collect::<Vec<_>>().join(" ")
    }
}

/// A word for the shell; quoted where it needs it.
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
