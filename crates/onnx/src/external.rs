//! Weights in files beside the model.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use prost::Message;

use super::error::OnnxError;
use super::proto::{ModelProto, StringStringEntryProto};

/// The files of external weights opened so far, each mapped once.
pub(super) struct ExternalFiles<'a> {
    source: Source<'a>,
    mapped: HashMap<String, Bytes>,
}

/// The location of the files.
enum Source<'a> {
    Nowhere,
    Folder(PathBuf),
    /// In memory, looked up by name.
    Lent(&'a dyn Fn(&str) -> Option<Bytes>),
}

impl<'a> ExternalFiles<'a> {
    pub fn new(base: Option<&Path>) -> Self {
        let source = base.map_or(Source::Nowhere, |base| Source::Folder(base.to_owned()));
        ExternalFiles { source, mapped: HashMap::new() }
    }

    pub fn lent(lend: &'a dyn Fn(&str) -> Option<Bytes>) -> Self {
        ExternalFiles { source: Source::Lent(lend), mapped: HashMap::new() }
    }

    /// Returns the bytes that a tensor's `external_data` entries point at: `location`, `offset` and `length`, the
    /// latter two optional.
    pub fn bytes(&mut self, entries: &[StringStringEntryProto], expected: usize) -> Result<Bytes, OnnxError> {
        let entry = |key: &str| entries.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let location = entry("location").unwrap_or_default().to_string();
        let wrong = |reason: &str| OnnxError::External { location: location.clone(), reason: reason.into() };
        let number = |key: &str, default: usize| match entry(key) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| wrong(&format!("its {key} `{text}` is not a number"))),
        };
        let offset = number("offset", 0)?;
        let length = number("length", expected)?;
        let file = self.map(&location)?;
        let end = offset.checked_add(length).filter(|end| *end <= file.len());
        match end {
            Some(end) => Ok(file.slice(offset..end)),
            None => Err(wrong(&format!(
                "the file has {} bytes, but {length} from position {offset} are asked for",
                file.len()
            ))),
        }
    }

    fn map(&mut self, location: &str) -> Result<Bytes, OnnxError> {
        if let Some(bytes) = self.mapped.get(location) {
            return Ok(bytes.clone());
        }
        let wrong = |reason: String| OnnxError::External { location: location.into(), reason };
        let base = match &self.source {
            Source::Nowhere => return Err(wrong("the model was not read from a folder".into())),
            Source::Lent(lend) => return lend(location).ok_or_else(|| wrong("it is not part of the program".into())),
            Source::Folder(base) => base,
        };
        // A model must not read files outside its own folder.
        let path = Path::new(location);
        if location.is_empty() || !path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(wrong("it must be a path inside the model's folder".into()));
        }
        let full = base.join(path);
        // A symbolic link may lead elsewhere (download caches consist of links), because the model itself cannot create
        // one.
        let file = File::open(&full).map_err(|error| wrong(error.to_string()))?;
        let bytes = map_file(&file).map_err(|error| wrong(error.to_string()))?;
        self.mapped.insert(location.into(), bytes.clone());
        Ok(bytes)
    }
}

/// Maps a file into memory, without reading or copying it.
pub fn map_file(file: &File) -> std::io::Result<Bytes> {
    // SAFETY: the map is read-only and private to us. As with every mapped file, another program that truncates it
    // while we render makes us crash; copying 350 MB to guard against that would cost more than it is worth.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}

/// Returns the names of the files with a serialised model's external weights, each once, sorted. Does not open them.
pub fn external_files(model: &Bytes) -> Result<Vec<String>, OnnxError> {
    let model = ModelProto::decode(model.clone())?;
    let tensors = model.graph.iter().flat_map(|graph| &graph.initializer);
    let locations = tensors.flat_map(|t| &t.external_data).filter(|entry| entry.key == "location");
    let names: BTreeSet<String> = locations.map(|entry| entry.value.clone()).collect();
    Ok(names.into_iter().collect())
}
