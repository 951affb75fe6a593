//! Checkpoints as files in a folder: `LAYOUT/START/STEPS-KEY.safetensors`, those of one key 0 side by side.
//!
//! A name says all that is needed to look for a state. Files appear whole, and are never changed after that; two processes
//! that write the same name write the same state. Any file may be gone at any time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::checkpoint::{self, LAYOUT};
use super::key::Key;

/// What a process that was killed while it wrote leaves behind is removed after so long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
}

/// A state in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub steps: u64,
    /// Its key's name.
    pub key: String,
    pub path: PathBuf,
}

/// A file, whatever is in it.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// What is kept of one recipe.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holding {
    /// The recipe's title, or else its file's name.
    pub recipe: String,
    pub checkpoints: u64,
    pub bytes: u64,
}

impl Shelf {
    pub fn new(folder: PathBuf) -> Self {
        Shelf { folder: folder.join(LAYOUT) }
    }

    /// Where a state belongs.
    pub fn place(&self, start: Key, steps: u64, key: Key) -> PathBuf {
        self.folder.join(start.name()).join(format!("{steps:08}-{}.safetensors", key.name()))
    }

    /// The states of a key 0, the one after most steps first.
    pub fn places(&self, start: Key) -> Vec<Place> {
        let entries = fs::read_dir(self.folder.join(start.name())).into_iter().flatten().flatten();
        let place = |path: PathBuf| {
            let (steps, key) = path.file_name()?.to_str()?.strip_suffix(".safetensors")?.split_once('-')?;
            Some(Place { steps: steps.parse().ok()?, key: key.to_owned(), path: path.clone() })
        };
        let mut places: Vec<Place> = entries.filter_map(|entry| place(entry.path())).collect();
        places.sort_by(|a, b| (b.steps, &a.key).cmp(&(a.steps, &b.key)));
        places
    }

    /// Every file in it.
    fn entries(&self) -> Vec<Entry> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        files
            .filter_map(|file| {
                let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                Some(Entry { path: file.path(), bytes: metadata.len(), used })
            })
            .collect()
    }

    /// Removes those that have not been used for longest until no more than `limit` bytes are left; `sparing` stays.
    pub fn evict(&self, limit: u64, sparing: &Path) {
        let mut entries = self.entries();
        let abandoned = |entry: &Entry| {
            let temporary = entry.path.extension().is_some_and(|extension| extension == "tmp");
            temporary && entry.used.elapsed().is_ok_and(|age| age > ABANDONED)
        };
        entries.retain(|entry| !(abandoned(entry) && remove(&entry.path)));
        entries.sort_by_key(|entry| entry.used);
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        for entry in entries.iter().filter(|entry| entry.path != sparing) {
            if total <= limit {
                return;
            }
            if remove(&entry.path) {
                total -= entry.bytes;
            }
        }
    }

    /// Removes all checkpoints, those of other layouts included; gives the number of files and their bytes.
    pub fn clear(&self) -> std::io::Result<(u64, u64)> {
        let Some(root) = self.folder.parent() else { return Ok((0, 0)) };
        let (mut files, mut bytes) = (0, 0);
        for layout in fs::read_dir(root).into_iter().flatten().flatten() {
            for entry in (Shelf { folder: layout.path() }).entries() {
                files += 1;
                bytes += entry.bytes;
            }
            match fs::remove_dir_all(layout.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok((files, bytes))
    }

    /// What is kept, by recipe, the largest first. What is none of our checkpoints is counted under no name.
    pub fn holdings(&self) -> Vec<Holding> {
        let mut holdings: Vec<Holding> = Vec::new();
        for entry in self.entries() {
            let about = super::map(&entry.path).and_then(|bytes| checkpoint::about(&bytes));
            let recipe = about.map(|about| about.called).unwrap_or_default();
            let known = holdings.iter_mut().find(|holding| holding.recipe == recipe);
            match known {
                Some(holding) => {
                    holding.checkpoints += 1;
                    holding.bytes += entry.bytes;
                }
                None => holdings.push(Holding { recipe, checkpoints: 1, bytes: entry.bytes }),
            }
        }
        holdings.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.recipe.cmp(&b.recipe)));
        holdings
    }
}

/// Removes a file, and its folder if nothing else is in it.
pub(super) fn remove(path: &Path) -> bool {
    let removed = fs::remove_file(path).is_ok();
    if let Some(folder) = path.parent() {
        // It fails where something is in it.
        let _ = fs::remove_dir(folder);
    }
    removed
}

/// A file counts as used now.
pub(super) fn touch(path: &Path) {
    // A checkpoint that cannot be touched may be evicted early, no more.
    let _ = fs::File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
}
