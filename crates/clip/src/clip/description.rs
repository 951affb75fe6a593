//! `model.toml`: the description of a model folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Interpolation, Resize};

/// The contents of `model.toml`. Names of inputs and outputs may be omitted if the graph has just one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The model's name, as shown to the user.
    pub name: String,
    /// What the model is good for, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    pub image: ImageEncoder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextEncoder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<Tokenizer>,
    /// Replaces the two above if the model is a classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelList>,
    /// The names that the model knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<NamesFile>,
    /// Defaults for recipes that fit this model, in the form of the program's own. Read together with the recipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<toml::Table>,
    /// Values that the model must reproduce; `models check` compares them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<Reference>,
    /// Where an imported model came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The image encoder: `[N, 3, S, S]` f32 -> `[N, D]` f32.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEncoder {
    /// File name within the folder.
    pub file: String,
    /// The window's side S in pixels, 1 to 4096.
    pub size: u32,
    /// Subtracted from pixels in 0..1, per channel (RGB).
    #[serde(default = "zero")]
    pub mean: [f32; 3],
    /// Divides the pixels after that.
    #[serde(default = "one")]
    pub deviation: [f32; 3],
    /// How a picture becomes a window, for models used with pictures.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resize: Resize,
    #[serde(default, skip_serializing_if = "is_default")]
    pub interpolation: Interpolation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// The text encoder: token ids `[N, T]` -> `[N, D]` f32.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TextEncoder {
    pub file: String,
    /// The input of token ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<String>,
    /// The input that is 1 for tokens and 0 for padding, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// How a text becomes token ids.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    /// A file of the `tokenizers` library, within the folder.
    pub file: String,
    /// The fixed number of tokens T that the text encoder takes: shorter texts are padded, longer ones cut. Any number if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// The token id used for padding.
    #[serde(default)]
    pub padding: i64,
    /// How a text is cleaned before the tokenizer file's own normaliser.
    #[serde(default, skip_serializing_if = "Clean::is_none")]
    pub clean: Clean,
}

/// The names that a model knows, for `models explain`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NamesFile {
    /// K lines, each a name, optionally followed by a tab and what the name is drawn with.
    pub file: String,
    /// The text encoder's output `[N, K]` f32 with each name's share in the text; shares sum to 1. If absent, names are
    /// compared by their embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<String>,
}

/// The labels of a classifier, the only prompts it understands. Its image encoder gives logits minus their mean over all
/// classes.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelList {
    /// A file within the folder: one class per line, in the order of the network's outputs, with its names separated by commas.
    pub file: String,
}

/// How a model understands the texts of prompts.
#[derive(Debug, Clone, Copy)]
pub enum Language<'a> {
    /// Any text is tokenised and encoded.
    Texts { encoder: &'a TextEncoder, tokenizer: &'a Tokenizer },
    /// Only labels are understood.
    Labels(&'a LabelList),
}

/// How a text is cleaned before it is tokenised; the names are OpenCLIP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Clean {
    #[default]
    None,
    /// Lower case, one space between words.
    Lower,
    /// Lower case without ASCII punctuation, one space between words (SigLIP's training texts).
    Canonicalize,
}

impl Clean {
    fn is_none(&self) -> bool {
        *self == Clean::None
    }

    /// Returns the text as the tokenizer should see it.
    pub fn apply(self, text: &str) -> String {
        let collapse = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match self {
            Clean::None => text.to_owned(),
            Clean::Lower => collapse(&text.to_lowercase()),
            Clean::Canonicalize => {
                let bare: String =
                    text.replace('_', " ").chars().filter(|letter| !letter.is_ascii_punctuation()).collect();
                collapse(&bare.to_lowercase())
            }
        }
    }
}

/// Values that the model must reproduce for a text.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub text: String,
    /// Its token ids, without padding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<i64>,
    /// The first numbers of its embedding of unit length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
    /// The tolerance for the embedding's numbers.
    #[serde(default = "rounded")]
    pub tolerance: f32,
}

/// Where an imported model came from.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The folder, file, or repository with its revision.
    pub from: String,
    /// The SHA-256 of each source file, hexadecimal.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

fn rounded() -> f32 {
    1e-4
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn zero() -> [f32; 3] {
    [0.0; 3]
}

fn one() -> [f32; 3] {
    [1.0; 3]
}

impl Description {
    /// Parses `model.toml`. The error gives line, column and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let description: Description = toml::from_str(text).map_err(|error| error.to_string())?;
        description.check()?;
        Ok(description)
    }

    /// Returns how the model understands texts; `None` for a description that was not checked.
    pub fn language(&self) -> Option<Language<'_>> {
        match (&self.text, &self.tokenizer, &self.labels) {
            (Some(encoder), Some(tokenizer), None) => Some(Language::Texts { encoder, tokenizer }),
            (None, None, Some(labels)) => Some(Language::Labels(labels)),
            _ => None,
        }
    }

    /// Returns the names of the files that determine embeddings, the image encoder's first; external weights are not included.
    pub fn files(&self) -> Vec<&str> {
        let more = match self.language() {
            Some(Language::Texts { encoder, tokenizer }) => vec![encoder.file.as_str(), &tokenizer.file],
            Some(Language::Labels(labels)) => vec![labels.file.as_str()],
            None => Vec::new(),
        };
        std::iter::once(self.image.file.as_str()).chain(more).collect()
    }

    /// Returns the name of the file of names, if there is one.
    pub fn names_file(&self) -> Option<&str> {
        self.names.as_ref().map(|names| names.file.as_str())
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=4096).contains(&self.image.size) {
            return Err(format!("image.size is {}, expected 1 to 4096", self.image.size));
        }
        if self.image.deviation.iter().any(|d| !d.is_finite() || *d == 0.0)
            || self.image.mean.iter().any(|m| !m.is_finite())
        {
            return Err("image.mean and image.deviation must be finite, and no deviation zero".into());
        }
        match self.language() {
            Some(Language::Texts { tokenizer, .. }) => {
                if tokenizer.context == Some(0) || tokenizer.context > Some(1 << 16) {
                    return Err("tokenizer.context must be 1 to 65536".into());
                }
            }
            Some(Language::Labels(_)) => {
                if self.reference.iter().any(|reference| !reference.tokens.is_empty()) {
                    return Err("a model with [labels] has no tokens to compare: reference.tokens".into());
                }
                if self.names.is_some() {
                    return Err("a model with [labels] has no other names: leave out [names]".into());
                }
            }
            None => return Err(self.no_language()),
        }
        for file in self.files().into_iter().chain(self.names_file()) {
            let plain = std::path::Path::new(file)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
            if file.is_empty() || !plain {
                return Err(format!("`{file}`: files are named relative to the model's folder and lie within it"));
            }
        }
        Ok(())
    }

    /// Returns the error message for a description that defines no language.
    fn no_language(&self) -> String {
        let tables = [("[text]", self.text.is_some()), ("[tokenizer]", self.tokenizer.is_some())];
        let named = |wanted: bool| {
            let names = tables.iter().filter(|(_, there)| *there == wanted).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(" and ")
        };
        match self.labels {
            Some(_) => format!("[labels] replaces {}; give one or the other", named(true)),
            None => format!("{} is missing; a classifier has [labels] instead of both tables", named(false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "name = 'x'\n[image]\nfile = 'i.onnx'\nsize = 64\n[text]\nfile = 't.onnx'\n[tokenizer]\nfile = 't.json'\n";

    #[test]
    fn the_smallest_description_gets_defaults() {
        let description = Description::parse(SMALL).unwrap();
        assert_eq!(description.image.mean, [0.0; 3]);
        assert_eq!(description.image.deviation, [1.0; 3]);
        assert_eq!(description.tokenizer.as_ref().unwrap().context, None);
        assert_eq!((description.image.resize, description.image.interpolation), Default::default());
        let squashed = SMALL.replace("size = 64", "size = 64\nresize = 'squash'\ninterpolation = 'bilinear'");
        let image = Description::parse(&squashed).unwrap().image;
        assert_eq!((image.resize, image.interpolation), (Resize::Squash, Interpolation::Bilinear));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (from, to, said) in [
            ("size = 64", "size = 0", "1 to 4096"),
            ("size = 64", "sise = 64", "sise"),
            ("size = 64", "size = 64\ndeviation = [1.0, 0.0, 1.0]", "deviation"),
            ("'i.onnx'", "'../i.onnx'", "within it"),
            ("size = 64", "size = 64\nresize = 'crop'", "crop"),
            ("[text]", "[txt]", "txt"),
            ("[text]\nfile = 't.onnx'\n", "", "[text] is missing"),
            ("[text]", "[labels]\nfile = 'l.txt'\n[text]", "replaces [text] and [tokenizer]"),
            ("[tokenizer]\nfile", "[tokenizer]\ncontext = 0\nfile", "context"),
        ] {
            let error = Description::parse(&SMALL.replace(from, to)).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_classifier_has_labels_in_place_of_texts() {
        let (head, _) = SMALL.split_once("[text]").unwrap();
        let labels = format!("{head}[labels]\nfile = 'l.txt'\n");
        let description = Description::parse(&labels).unwrap();
        assert!(matches!(description.language(), Some(Language::Labels(labels)) if labels.file == "l.txt"));
        let written = toml::to_string(&description).unwrap();
        assert!(!written.contains("[text]") && !written.contains("[tokenizer]"), "{written}");
        for (more, said) in [
            ("[[reference]]\ntext = 'x'\ntokens = [1]\n", "tokens"),
            ("[names]\nfile = 'n.txt'\n", "leave out [names]"),
            ("[tokenizer]\nfile = 't.json'\n", "replaces [tokenizer]"),
        ] {
            let error = Description::parse(&(labels.clone() + more)).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(Description::parse(&labels.replace("'l.txt'", "'../l.txt'")).unwrap_err().contains("within it"));
    }
}
