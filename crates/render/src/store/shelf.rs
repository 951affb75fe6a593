//! Checkpoints as files in a folder: `LAYOUT/START/STEPS-KEY.safetensors`. Those with the same key 0 are in the same folder.
//!
//! A name contains everything needed to find a state. Files appear whole and never change afterwards; two processes that write the same
//! name write the same state. Any file may disappear at any time. The folder may hold other things too: files whose names do not match
//! the pattern are neither read nor removed, and links are not followed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::checkpoint::{self, LAYOUT};
use super::key::{Key, NAME_DIGITS};
use crate::ours::{self, Cleared, Layout, is_hexadecimal};

/// The files of all layouts: `LAYOUT/START/STEPS-KEY.safetensors`.
const ALL: Layout = Layout { folders: &[is_layout, is_key], file: is_ours };

/// The files of one layout: `START/STEPS-KEY.safetensors`.
const ONE: Layout = Layout { folders: &[is_key], file: is_ours };

/// The age at which a temporary file is removed. A process that was killed while writing leaves one behind.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The folder of checkpoints.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    root: PathBuf,
    /// The folder of our layout.
    folder: PathBuf,
}

/// A state in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredState {
    pub steps: u64,
    /// The name of its key.
    pub key: String,
    pub path: PathBuf,
}

/// A file with a checkpoint's name, whatever it contains.
struct CheckpointFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// The checkpoints of one recipe.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holding {
    /// The recipe's title, or else its file's name.
    pub recipe: String,
    pub checkpoints: u64,
    pub bytes: u64,
}

impl Shelf {
    pub fn new(folder: PathBuf) -> Self {
        Shelf { folder: folder.join(LAYOUT), root: folder }
    }

    /// Makes the folder for a state; none if the state cannot be written there without following a link.
    pub fn prepare(&self, place: &Path) -> Option<()> {
        let start = place.parent()?;
        ours::make_cache(&self.root).ok()?;
        ours::make_cache(&self.folder).ok()?;
        if !start.exists() {
            fs::create_dir(start).ok()?;
        }
        (ours::is_folder(&self.folder) && ours::takes_file(place)).then_some(())
    }

    /// Returns the path of a state's file.
    pub fn place(&self, start: Key, steps: u64, key: Key) -> PathBuf {
        self.folder.join(start.name()).join(format!("{steps:08}-{}.safetensors", key.name()))
    }

    /// Returns the states that share a key 0, the furthest first.
    pub fn places(&self, start: Key) -> Vec<StoredState> {
        let folder = self.folder.join(start.name());
        let own = ours::is_folder(&self.folder) && ours::is_folder(&folder);
        let entries = own.then(|| fs::read_dir(folder).ok()).flatten().into_iter().flatten().flatten();
        let place = |path: PathBuf| {
            let (steps, key) = state(path.file_name()?.to_str()?)?;
            let key = key.to_owned();
            ours::is_file(&path).then_some(StoredState { steps, key, path })
        };
        let mut places: Vec<StoredState> = entries.filter_map(|entry| place(entry.path())).collect();
        places.sort_by(|a, b| (b.steps, &a.key).cmp(&(a.steps, &b.key)));
        places
    }

    /// Returns every file of ours in the folder.
    fn entries(&self) -> Vec<CheckpointFile> {
        let files = if ours::is_folder(&self.folder) { ONE.files(&self.folder) } else { Vec::new() };
        let entry = |file: ours::File| CheckpointFile {
            bytes: file.metadata.len(),
            used: file.metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            path: file.path,
        };
        files.into_iter().map(entry).collect()
    }

    /// Removes the least recently used files until at most `limit` bytes are left; `sparing` is kept.
    pub fn evict(&self, limit: u64, sparing: &Path) {
        let (temporary, mut entries): (Vec<_>, Vec<_>) =
            self.entries().into_iter().partition(|entry| entry.path.extension().is_some_and(|it| it == "tmp"));
        let abandoned = |entry: &&CheckpointFile| entry.used.elapsed().is_ok_and(|age| age > ABANDONED);
        for entry in temporary.iter().filter(abandoned) {
            remove(&entry.path);
        }
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

    /// Removes all checkpoints, including those of other layouts, and reports what is left.
    pub fn clear(&self) -> std::io::Result<Cleared> {
        ALL.clear(&self.root)
    }

    /// Returns what is stored, by recipe, the largest first. Files that are not valid checkpoints are counted under an empty name.
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

/// Removes a file of ours, and its folder if it is then empty.
pub(super) fn remove(path: &Path) -> bool {
    let removed = ours::remove_file(path);
    if removed && let Some(folder) = path.parent() {
        ours::remove_empty(folder);
    }
    removed
}

/// Whether a name is a layout's number; future layouts count too.
fn is_layout(name: &str) -> bool {
    (1..=3).contains(&name.len()) && !name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_key(name: &str) -> bool {
    is_hexadecimal(name, NAME_DIGITS)
}

/// Whether a name is that of a checkpoint, or of the temporary file that becomes one.
fn is_ours(name: &str) -> bool {
    state(name).is_some() || ours::temporary_of(name).is_some_and(|stem| steps_and_key(stem).is_some())
}

/// Parses the steps and the key in a checkpoint's name.
fn state(name: &str) -> Option<(u64, &str)> {
    steps_and_key(name.strip_suffix(".safetensors")?)
}

fn steps_and_key(stem: &str) -> Option<(u64, &str)> {
    let (steps, key) = stem.split_once('-')?;
    let number: u64 = steps.parse().ok()?;
    (format!("{number:08}") == steps && is_key(key)).then_some((number, key))
}

/// Marks a file as used now.
pub(super) fn touch(path: &Path) {
    // If the timestamp cannot be set, the checkpoint may be evicted too early, nothing worse.
    let _ = fs::File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ours_by_their_whole_pattern() {
        let key = "0123456789abcdef0123456789abcdef";
        assert_eq!(state(&format!("00000012-{key}.safetensors")), Some((12, key)));
        assert!(is_ours(&format!("123456789-{key}.safetensors")) && is_ours(&format!(".00000012-{key}.aB3dE6.tmp")));
        for other in [
            format!("12-{key}.safetensors"),
            format!("00000012-{key}.safetensors.bak"),
            format!("00000012-{}.safetensors", &key[1..]),
            format!("00000012-{}.safetensors", key.to_uppercase()),
            format!("+0000012-{key}.safetensors"),
            ".photo.aB3dE6.tmp".to_owned(),
            "model.safetensors".to_owned(),
        ] {
            assert!(!is_ours(&other), "{other}");
        }
        assert!(is_layout("1") && is_layout("12"));
        assert!(!is_layout("") && !is_layout("01") && !is_layout("2024") && !is_layout("a"));
    }

    /// Foreign files in the folder are neither counted nor evicted, even if they are older and larger.
    #[test]
    fn eviction_spares_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().to_path_buf());
        let key = "0123456789abcdef0123456789abcdef";
        let start = folder.path().join(LAYOUT).join(key);
        let file = |path: &Path| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, [0; 100]).unwrap();
            path.to_path_buf()
        };
        let theirs = [
            file(&start.join("weights.safetensors")),
            file(&start.join(".note.aB3dE6.tmp")),
            file(&folder.path().join(LAYOUT).join("photos/a")),
            file(&folder.path().join("photos/a")),
        ];
        let ours: Vec<PathBuf> =
            (1..4).map(|steps| file(&start.join(format!("{steps:08}-{key}.safetensors")))).collect();
        let recent = file(&start.join(format!(".00000009-{key}.aB3dE6.tmp")));
        for theirs in theirs.iter() {
            let file = fs::File::options().append(true).open(theirs).unwrap();
            file.set_modified(SystemTime::now() - ABANDONED * 2).unwrap();
        }
        shelf.evict(100, &ours[2]);
        assert!(theirs.iter().all(|path| path.is_file()));
        assert!(recent.is_file(), "somebody may be writing it");
        assert_eq!(ours.iter().filter(|path| path.is_file()).count(), 1);
        let cleared = shelf.clear().unwrap();
        assert_eq!(cleared.files, 2);
        assert!(cleared.left.unwrap().starts_with("4 other files left in "));
        assert!(theirs.iter().all(|path| path.is_file()));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_or_removed_through_a_link() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (root, away) = (folder.path().join("store"), folder.path().join("away"));
        let key = "0123456789abcdef0123456789abcdef";
        let name = format!("00000001-{key}.safetensors");
        fs::create_dir_all(away.join(key)).unwrap();
        fs::write(away.join(key).join(&name), "theirs").unwrap();
        let shelf = Shelf::new(root.clone());
        let place = root.join(LAYOUT).join(key).join(&name);
        assert!(shelf.prepare(&place).is_some());
        symlink(away.join(key).join(&name), &place).unwrap();
        assert!(shelf.prepare(&place).is_none() && !remove(&place));
        fs::remove_file(&place).unwrap();
        fs::remove_dir(place.parent().unwrap()).unwrap();
        symlink(away.join(key), place.parent().unwrap()).unwrap();
        assert!(shelf.prepare(&place).is_none());
        shelf.evict(0, Path::new(""));
        assert_eq!(shelf.clear().unwrap().files, 0);
        assert_eq!(fs::read(away.join(key).join(&name)).unwrap(), b"theirs");
    }
}
