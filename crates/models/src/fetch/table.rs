//! The table of models that can be fetched.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::ModelsError;
use crate::clip::Reference;

/// The environment variable that names a table of the user's own. Its models come before those of the program.
pub const TABLE_VARIABLE: &str = "RECIPE_RENDER_MODEL_TABLE";

const BUILT_IN: &str = include_str!("table.toml");

/// Models that can be fetched, by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    #[serde(default, rename = "model")]
    pub models: Vec<Entry>,
}

/// A model that can be fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name of the model and of its folder.
    pub name: String,
    /// What it is good for, in a line.
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub licence: String,
    /// The kind of model, for people.
    #[serde(default)]
    pub family: String,
    /// Whether the makers of the table have fetched it from its actual host.
    #[serde(default)]
    pub tried: bool,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default, rename = "file")]
    pub files: Vec<EntryFile>,
    /// Values that the model must reproduce, for `models check`.
    #[serde(default)]
    pub reference: Vec<Reference>,
}

/// Settings that cannot be read from a model's files.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The window's side S in pixels.
    pub size: Option<u32>,
    /// Subtracted from pixels in 0..1, per channel (RGB).
    pub mean: Option<[f32; 3]>,
    /// Divides the pixels after that.
    pub deviation: Option<[f32; 3]>,
    /// The number of tokens that the text encoder takes.
    pub context: Option<usize>,
    /// The token id used for padding.
    pub padding: Option<i64>,
}

/// A file of a model: `PATH` of `REPOSITORY` at `REVISION`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryFile {
    pub role: Role,
    /// `owner/name`.
    pub repository: String,
    /// A commit, or a branch if none is pinned.
    pub revision: String,
    /// The path within the repository, with `/`.
    pub path: String,
    /// The file's name in a folder that holds only its model's files. By default the last part of its path.
    #[serde(default)]
    name: Option<String>,
    /// Its exact length, if known.
    pub bytes: Option<u64>,
    /// Its SHA-256 in lower-case hexadecimal, if known.
    pub sha256: Option<String>,
    /// Its approximate length, if the exact one is not known.
    pub roughly: Option<u64>,
}

/// The role of a file in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The image encoder, ONNX.
    Image,
    /// The text encoder, ONNX.
    Text,
    /// Both encoders in one ONNX file.
    Joint,
    /// Both encoders' weights, safetensors.
    Checkpoint,
    /// Weights outside an ONNX file, stored beside it under the file's own name.
    Weights,
    /// `config.json` or `open_clip_config.json`.
    Config,
    /// `preprocessor_config.json`.
    Preprocessor,
    /// `tokenizer.json`.
    Tokenizer,
    /// `vocab.json`.
    Vocabulary,
    /// `merges.txt`.
    Merges,
}

impl Table {
    /// Returns the program's models, after those of the file that [`TABLE_VARIABLE`] names, if it is set.
    pub fn load() -> Result<Self, ModelsError> {
        let mut table = Table::parse(BUILT_IN).map_err(ModelsError::failed)?;
        let Some(path) = std::env::var_os(TABLE_VARIABLE).filter(|path| !path.is_empty()) else { return Ok(table) };
        let path = Path::new(&path);
        let text = std::fs::read_to_string(path)
            .map_err(|error| ModelsError::wrong(format!("{TABLE_VARIABLE}: {}: {error}", path.display())))?;
        let own = Table::parse(&text).map_err(|message| {
            ModelsError::wrong(format!("{}: {message}", path.display())).hinted("docs/models.md describes such a table")
        })?;
        table.models.retain(|model| !own.models.iter().any(|other| other.name == model.name));
        table.models.splice(0..0, own.models);
        Ok(table)
    }

    /// Parses a table. The error says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: Table = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for index in 0..table.models.len() {
            let (before, rest) = table.models.split_at_mut(index);
            let model = &mut rest[0];
            model.check().map_err(|message| format!("model `{}`: {message}", model.name))?;
            if before.iter().any(|other| other.name == model.name) {
                return Err(format!("model `{}` occurs twice", model.name));
            }
        }
        Ok(table)
    }

    /// Returns the model with this name.
    pub fn find(&self, name: &str) -> Result<&Entry, ModelsError> {
        if let Some(entry) = self.models.iter().find(|model| model.name == name) {
            return Ok(entry);
        }
        let names = || self.models.iter().map(|model| model.name.as_str());
        let near = names().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}; `recipe-render models import` adds others",
                names().collect::<Vec<_>>().join(", ")
            ),
        };
        Err(ModelsError::wrong(format!("no model `{name}` to fetch")).hinted(hint))
    }
}

impl Entry {
    /// Returns the total length of all files, and whether it is exact.
    pub fn bytes(&self) -> (u64, bool) {
        let bytes = self.files.iter().map(|file| file.bytes.or(file.roughly).unwrap_or(0)).sum();
        (bytes, self.files.iter().all(|file| file.bytes.is_some()))
    }

    fn check(&mut self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err("a name is one part of a path, and does not begin with a dot".into());
        }
        if self.files.is_empty() {
            return Err("has no files".into());
        }
        for index in 0..self.files.len() {
            let file = &mut self.files[index];
            file.check().map_err(|message| format!("file `{}`: {message}", file.path))?;
            let name = file.name().to_owned();
            if self.files[..index].iter().any(|other| other.name() == name) {
                return Err(format!("two files are called `{name}`; give one of them another `name`"));
            }
        }
        Ok(())
    }
}

impl EntryFile {
    /// Returns the file's name in a folder that holds only its model's files.
    pub fn name(&self) -> &str {
        let last = || self.path.rsplit('/').next().unwrap_or(&self.path);
        self.name.as_deref().unwrap_or_else(last)
    }

    /// Returns the file's path on the hub, for messages and records.
    pub fn title(&self) -> String {
        format!("{}/{}", self.repository, self.path)
    }

    fn check(&mut self) -> Result<(), String> {
        for (key, value) in [("path", &self.path), ("repository", &self.repository), ("revision", &self.revision)] {
            if !is_plain(value) {
                return Err(format!("{key} = \"{value}\": expected names separated by `/`"));
            }
        }
        if !is_name(self.name()) {
            return Err(format!("name = \"{}\": expected a file's name", self.name()));
        }
        if let Some(hash) = &mut self.sha256 {
            hash.make_ascii_lowercase();
            if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err("sha256: expected 64 hexadecimal digits".into());
            }
        }
        Ok(())
    }
}

/// Returns whether a text is a single path component that does not begin with a dot.
fn is_name(text: &str) -> bool {
    is_plain(text) && !text.contains('/') && !text.starts_with('.')
}

/// Returns whether a text is a relative path downwards, with `/` as the separator on all systems.
fn is_plain(text: &str) -> bool {
    let downwards = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
    downwards && !text.is_empty() && !text.contains(['\\', ':', '\0']) && text.split('/').all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_sound() {
        let table = Table::parse(BUILT_IN).unwrap();
        for name in ["clip-vit-b32", "tinyclip-vit-8m", "fare4-vit-b32"] {
            let entry = table.find(name).unwrap();
            assert!(!entry.about.is_empty() && !entry.licence.is_empty() && !entry.family.is_empty(), "{name}");
            assert!(entry.files.iter().all(|file| file.bytes.or(file.roughly).is_some()), "{name}");
            // If the revision is not pinned, the hash cannot be pinned either.
            let pinned = |file: &EntryFile| file.revision.len() == 40;
            assert!(entry.files.iter().all(|file| pinned(file) == file.sha256.is_some()), "{name}");
        }
        assert_eq!(table.find("clip-vit-b32").unwrap().bytes(), (351686194 + 254102519 + 2224147, true));
        assert!(!table.find("fare4-vit-b32").unwrap().bytes().1);
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        let table = Table::parse(BUILT_IN).unwrap();
        assert!(table.find("clip-vit-b23").unwrap_err().hint().unwrap().contains("`clip-vit-b32`"));
        assert!(table.find("resnet").unwrap_err().hint().unwrap().contains("tinyclip"));
    }

    #[test]
    fn tables_that_would_write_elsewhere_are_refused() {
        let table = |name: &str, key: &str, value: &str| {
            let keys = [("repository", "a/b"), ("revision", "main"), ("path", "x/y.onnx"), ("role", "image")];
            let mut text = format!("[[model]]\nname = '{name}'\n[[model.file]]\n");
            for (k, v) in keys.into_iter().filter(|(k, _)| *k != key).chain([(key, value)]) {
                text += &format!("{k} = '{v}'\n");
            }
            Table::parse(&text)
        };
        assert_eq!(table("m", "name", "z.onnx").unwrap().models[0].files[0].name(), "z.onnx");
        assert_eq!(table("m", "role", "image").unwrap().models[0].files[0].name(), "y.onnx");
        for (name, key, value, said) in [
            ("../m", "role", "image", "a name is one part"),
            (".m", "role", "image", "a name is one part"),
            ("m", "path", "../y", "path ="),
            ("m", "path", "/y", "path ="),
            ("m", "path", "a//y", "path ="),
            ("m", "path", "C:y", "path ="),
            ("m", "name", "a/b", "name ="),
            ("m", "name", "..", "name ="),
            ("m", "sha256", "12", "64 hexadecimal"),
            ("m", "role", "picture", "picture"),
            ("m", "size", "picture", "size"),
        ] {
            let error = table(name, key, value).unwrap_err();
            assert!(error.contains(said), "{key} = {value}: {error}");
        }
        assert!(Table::parse("[[model]]\nname = 'm'").unwrap_err().contains("no files"));
    }
}
