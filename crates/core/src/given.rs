//! What a render is given beside the recipe's own text: the recipes that it builds on, and the command line's overrides. Pictures keep
//! both as JSON, so that they can be made again. Unknown keys are ignored and missing ones are empty.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::Size;

/// The recipes that a recipe builds on.
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
    /// The path of its file, absolute or relative to the folder of the recipe that is rendered.
    pub path: String,
    pub text: String,
    /// As in [`Bases::extends`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extends: Vec<usize>,
}

/// Changes to a recipe that apply before it becomes a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Kept as `[width, height]`.
    #[serde(skip_serializing_if = "Option::is_none", with = "sides")]
    pub size: Option<Size>,
    /// The steps of all phases together. Each phase is scaled and keeps at least one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// A model's name, or its folder relative to the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Single values, later ones over earlier ones. They are put into the recipe before it is read; the fields above apply to the result.
    /// Kept as `PATH=VALUE` each.
    #[serde(skip_serializing_if = "Vec::is_empty", with = "settings")]
    pub set: Vec<Setting>,
}

impl Overrides {
    /// Whether nothing was overridden.
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }

    /// Formats the overrides as options of the command line: `--size 64x64 --seed 4`.
    pub fn options(&self) -> String {
        let size = self.size.map(|Size { width, height }| format!("--size {width}x{height}"));
        let steps = self.steps.map(|steps| format!("--steps {steps}"));
        let seed = self.seed.map(|seed| format!("--seed {seed}"));
        let model = self.model.as_ref().map(|model| format!("--model {}", quoted(model)));
        let set = self.set.iter().map(|setting| format!("--set {}", quoted(&setting.to_string())));
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

/// `--set PATH=VALUE`: a value that replaces one of the recipe. `PATH` leads to it through keys, positions from 0, and names, separated
/// by points (`detail.sky.weight`, `stages.roam.1.rotate`). A segment that contains a point or a blank is written in quotes. `VALUE` is
/// TOML, or otherwise a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Setting {
    pub path: String,
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    /// Splits at the first `=` outside quotes.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(at) = outside_quotes(text, '=') else {
            return Err("a setting is written PATH=VALUE, for example detail.0.weight=0.5".into());
        };
        let (path, value) = (text[..at].trim(), text[at + 1..].trim());
        match path.is_empty() {
            true => Err("the path before = is missing, as in detail.0.weight=0.5".into()),
            false => Ok(Setting { path: path.into(), value: value.into() }),
        }
    }
}

/// Returns where a character first stands outside quotes.
pub fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, c) if c == wanted => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// A size as an array of its sides.
mod sides {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::plan::Size;

    pub fn serialize<S: Serializer>(size: &Option<Size>, serializer: S) -> Result<S::Ok, S::Error> {
        size.map(|Size { width, height }| [width, height]).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Size>, D::Error> {
        let sides = Option::<[u32; 2]>::deserialize(deserializer)?;
        Ok(sides.map(|[width, height]| Size { width, height }))
    }
}

/// Settings as texts. A text that is no setting is left out: a picture whose facts were changed can still be made again.
mod settings {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Setting;

    pub fn serialize<S: Serializer>(settings: &[Setting], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(settings.iter().map(Setting::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Setting>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_split_at_their_first_equals_sign() {
        let setting: Setting = " detail.0.weight = if(t == 1, 2, 3) ".parse().unwrap();
        assert_eq!((setting.path.as_str(), setting.value.as_str()), ("detail.0.weight", "if(t == 1, 2, 3)"));
        assert_eq!(setting.to_string(), "detail.0.weight=if(t == 1, 2, 3)");
        assert_eq!("detail.'a=b'.weight=1".parse::<Setting>().unwrap().path, "detail.'a=b'.weight");
        for wrong in ["seed", "=4", " = 4", "'a=4"] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn overrides_read_as_options() {
        let overrides = Overrides {
            size: Some(Size { width: 64, height: 48 }),
            steps: Some(5),
            seed: None,
            model: Some("my model's".to_owned()),
            set: vec!["phase.0.rate=0.05*t".parse().unwrap()],
        };
        let options = r"--size 64x48 --steps 5 --model 'my model'\''s' --set 'phase.0.rate=0.05*t'";
        assert_eq!(overrides.options(), options);
        assert!(Overrides::default().is_empty() && Overrides::default().options().is_empty());
    }

    #[test]
    fn overrides_survive_being_kept() {
        let overrides = Overrides {
            size: Some(Size { width: 64, height: 48 }),
            steps: Some(5),
            seed: None,
            model: Some("pocket".to_owned()),
            set: vec!["seed=4".parse().unwrap(), "phase.0.rate=0.05 * t".parse().unwrap()],
        };
        let kept = serde_json::to_string(&overrides).unwrap();
        let text = r#"{"size":[64,48],"steps":5,"model":"pocket","set":["seed=4","phase.0.rate=0.05 * t"]}"#;
        assert_eq!(kept, text);
        assert_eq!(serde_json::from_str::<Overrides>(&kept).unwrap(), overrides);
        assert_eq!(serde_json::to_string(&Overrides::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Overrides>(r#"{"set": ["seed"]}"#).unwrap(), Overrides::default());
    }

    #[test]
    fn bases_survive_being_kept() {
        let base = |path: &str, extends| Base { path: path.into(), text: "seed = 4\n".into(), extends };
        let bases = Bases { extends: vec![0], recipes: vec![base("a.toml", vec![1]), base("b.toml", vec![])] };
        let kept = serde_json::to_string(&bases).unwrap();
        let text = r#"{"extends":[0],"recipes":[{"path":"a.toml","text":"seed = 4\n","extends":[1]},{"path":"b.toml","text":"seed = 4\n"}]}"#;
        assert_eq!(kept, text);
        assert_eq!(serde_json::from_str::<Bases>(&kept).unwrap(), bases);
    }
}
