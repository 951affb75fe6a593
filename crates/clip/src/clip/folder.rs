//! Model folders: how they are found, and their files.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{ClipError, Description, Language};
use crate::onnx::{self, Graph, external_files};

/// The embedded model, so that the program renders wherever it is installed.
mod pocket {
    pub const NAME: &str = "pocket";
    /// The path of its description in messages.
    pub const PATH: &str = "(embedded) pocket/model.toml";
    pub use recipe_render_pocket::{DESCRIPTION, FILES};
}

/// A model folder whose description was read, but whose files have not been opened.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    pub description: Description,
    location: Location,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Location {
    Embedded,
    Folder(PathBuf),
}

impl ModelFolder {
    /// Finds a model by its name or its folder.
    ///
    /// A reference that contains a path separator, or that names a folder with a `model.toml`, is a folder relative to `base`
    /// (the recipe's folder, or the current one). A plain name is looked up in the user's models folder, in `models` beside the
    /// executable, and among the embedded models, in this order.
    pub fn find(reference: &str, base: &Path) -> Result<Self, ClipError> {
        match by_path(reference, base) {
            Some(folder) => Self::open(folder),
            None => Self::named(reference),
        }
    }

    /// Returns the path and the unparsed text of the `model.toml` of a model that [`ModelFolder::find`] finds. The embedded
    /// model's path is not that of a file. `None` if there is nothing to read.
    pub fn text_of(reference: &str, base: &Path) -> Option<(PathBuf, String)> {
        match by_path(reference, base).or_else(|| by_name(reference)) {
            Some(folder) => {
                let path = folder.join("model.toml");
                let text = std::fs::read_to_string(&path).ok()?;
                Some((path, text))
            }
            None => (reference == pocket::NAME).then(|| (PathBuf::from(pocket::PATH), pocket::DESCRIPTION.to_owned())),
        }
    }

    /// Returns the `model.toml` paths that [`ModelFolder::find`] tries, whether they exist or not.
    pub fn places(reference: &str, base: &Path) -> Vec<PathBuf> {
        let path = base.join(reference);
        let named = match reference.contains(['/', '\\']) {
            true => Vec::new(),
            false => named_folders(),
        };
        let folders = std::iter::once(path).chain(named.into_iter().map(|folder| folder.join(reference)));
        folders.map(|folder| folder.join("model.toml")).collect()
    }

    /// Finds a model by its name only, see [`ModelFolder::find`].
    pub fn named(name: &str) -> Result<Self, ClipError> {
        match by_name(name) {
            Some(folder) => Self::open(folder),
            None if name == pocket::NAME => Self::embedded(),
            None => Err(Self::unknown(name)),
        }
    }

    /// Returns the names of the embedded models.
    pub fn embedded_names() -> &'static [&'static str] {
        &[pocket::NAME]
    }

    /// Returns the names that [`ModelFolder::find`] knows, sorted.
    pub fn names() -> Vec<String> {
        let mut names = vec![pocket::NAME.to_owned()];
        for folder in named_folders() {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            names.extend(
                entries
                    .flatten()
                    // A hidden folder is still being created.
                    .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
                    .filter(|entry| entry.path().join("model.toml").is_file())
                    .filter_map(|entry| entry.file_name().into_string().ok()),
            );
        }
        names.sort();
        names.dedup();
        names
    }

    fn unknown(reference: &str) -> ClipError {
        let names = Self::names();
        let near = names.iter().find(|name| strsim::damerau_levenshtein(name, reference) <= 2);
        let hint = match near {
            Some(name) => format!("did you mean `{name}`?"),
            None => {
                format!("known models: {}; name a model of your own by its folder, as in `./my-clip`", names.join(", "))
            }
        };
        ClipError::Unknown { name: reference.to_owned(), hint }
    }

    fn embedded() -> Result<Self, ClipError> {
        let path = PathBuf::from(pocket::PATH);
        let description =
            Description::parse(pocket::DESCRIPTION).map_err(|message| ClipError::Description { path, message })?;
        Ok(ModelFolder { description, location: Location::Embedded })
    }

    /// Opens a model folder.
    pub fn open(folder: PathBuf) -> Result<Self, ClipError> {
        let path = folder.join("model.toml");
        if !path.is_file() {
            let hint = if folder.is_dir() {
                "a model folder holds a file `model.toml`; `recipe-render models import` makes one from other folders"
                    .to_owned()
            } else {
                "there is no such folder".to_owned()
            };
            return Err(ClipError::Unknown { name: folder.display().to_string(), hint });
        }
        let text = std::fs::read_to_string(&path).map_err(|source| ClipError::Read { path: path.clone(), source })?;
        let description = Description::parse(&text).map_err(|message| ClipError::Description { path, message })?;
        Ok(ModelFolder { description, location: Location::Folder(folder) })
    }

    /// Returns the folder on disk, if the model has one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.location {
            Location::Embedded => None,
            Location::Folder(folder) => Some(folder),
        }
    }

    /// Returns the files on disk, external weights included; empty for the embedded model.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(folder) = self.folder() else { return Vec::new() };
        let mut files = vec![folder.join("model.toml")];
        for file in self.description.files().into_iter().chain(self.description.names_file()) {
            files.push(folder.join(file));
            // A file that is not a graph has none; a graph that cannot be opened is reported when it is used.
            files.extend(self.bytes(file).map(|bytes| files_beside(folder, &bytes)).unwrap_or_default());
        }
        files
    }

    /// Returns a file of the folder, mapped into memory rather than read.
    pub fn bytes(&self, file: &str) -> Result<Bytes, ClipError> {
        match &self.location {
            Location::Embedded => {
                let found = pocket::FILES.iter().find(|(name, _)| *name == file);
                found
                    .map(|(_, bytes)| Bytes::from_static(bytes))
                    .ok_or_else(|| ClipError::Read { path: file.into(), source: std::io::ErrorKind::NotFound.into() })
            }
            Location::Folder(folder) => map_file(&folder.join(file)),
        }
    }

    /// Reads one of the model's graphs, by its file name.
    pub fn graph(&self, file: &str) -> Result<Graph, ClipError> {
        let bytes = self.bytes(file)?;
        let graph = match &self.location {
            Location::Embedded => Graph::read_lent(bytes, &|name| self.bytes(name).ok()),
            Location::Folder(folder) => Graph::read(bytes, Some(folder)),
        };
        graph.map_err(|source| ClipError::Graph { model: self.description.name.clone(), source })
    }

    /// Returns a hash of everything that determines embeddings: the description and the files, external weights included.
    /// Hexadecimal BLAKE3.
    pub fn hash(&self) -> Result<String, ClipError> {
        let mut hasher = blake3::Hasher::new();
        let d = &self.description;
        let described = match d.language() {
            Some(Language::Texts { encoder, tokenizer }) => format!("{:?} {encoder:?} {tokenizer:?}", d.image),
            Some(Language::Labels(labels)) => format!("{:?} {labels:?}", d.image),
            None => format!("{:?}", d.image),
        };
        hasher.update(blake3::hash(described.as_bytes()).as_bytes());
        for file in d.files() {
            let bytes = self.bytes(file)?;
            hasher.update(blake3::hash(&bytes).as_bytes());
            // Files that are not graphs (the tokenizer, a damaged file) name none; a damaged one is reported when it is opened.
            for external in external_files(&bytes).unwrap_or_default() {
                hasher.update(blake3::hash(&self.bytes(&external)?).as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Returns a hash of everything that determines a picture: of `hash`, which [`ModelFolder::hash`] gives, and of the model's
    /// advice. Without advice it equals `hash`.
    pub fn whole_hash(&self, hash: &str) -> String {
        let Some(advice) = &self.description.advice else { return hash.to_owned() };
        // A table that was parsed can be serialised. Its keys are sorted, so formatting does not matter.
        let advice = toml::to_string(advice).unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(hash.as_bytes()).update(advice.as_bytes());
        hasher.finalize().to_hex().to_string()
    }
}

/// Maps a file into memory.
pub fn map_file(path: &Path) -> Result<Bytes, ClipError> {
    let read = |source| ClipError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    if file.metadata().map_err(read)?.is_dir() {
        return Err(read(std::io::ErrorKind::IsADirectory.into()));
    }
    onnx::map_file(&file).map_err(read)
}

/// Returns the user's folder for the program's data: `recipe-render` in `$XDG_DATA_HOME` (`~/.local/share`; on Windows
/// `%APPDATA%`). `None` if there is no home.
pub fn data_folder() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("recipe-render"))
}

/// Returns the folder that a reference names by its path.
fn by_path(reference: &str, base: &Path) -> Option<PathBuf> {
    let path = base.join(reference);
    (reference.contains(['/', '\\']) || path.join("model.toml").is_file()).then_some(path)
}

/// Returns the folder that is found by a name.
fn by_name(name: &str) -> Option<PathBuf> {
    named_folders().into_iter().map(|folder| folder.join(name)).find(|folder| folder.join("model.toml").is_file())
}

/// Returns the folders that hold models by name.
fn named_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = data_folder().map(|folder| folder.join("models")).into_iter().collect();
    if let Ok(executable) = std::env::current_exe()
        && let Some(folder) = executable.parent()
    {
        folders.push(folder.join("models"));
    }
    folders
}

/// Returns the files of a serialised graph's external weights, for a graph in `folder`.
pub fn files_beside(folder: &Path, graph: &Bytes) -> Vec<PathBuf> {
    external_files(graph).unwrap_or_default().iter().map(|file| folder.join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pocket_is_part_of_the_program() {
        let model = ModelFolder::find("pocket", Path::new(".")).unwrap();
        assert_eq!(model.description.image.size, 160);
        assert_eq!(model.hash().unwrap().len(), 64);
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        let error = ModelFolder::find("poket", Path::new(".")).unwrap_err();
        assert!(error.hint().unwrap().contains("`pocket`"), "{error}");
        let error = ModelFolder::find("./nowhere", Path::new(".")).unwrap_err();
        assert!(error.hint().unwrap().contains("no such folder"), "{error}");
    }

    #[test]
    fn a_folder_is_a_model_by_its_path() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let by_path = ModelFolder::find("./pocket", &folder).unwrap();
        let embedded = ModelFolder::find("pocket", Path::new("/")).unwrap();
        assert_eq!(by_path.hash().unwrap(), embedded.hash().unwrap());
        assert!(by_path.folder().is_some());
    }
}
