//! Caches the results of trying libraries.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{cache::cache_folder, trial::Refusal};
use crate::ours::{self, Layout, is_hexadecimal};

/// The layout of [`answers_folder`].
pub const ANSWERS: Layout = Layout { folders: &[], file: is_answer };

/// The number of digits of a path's hash in an answer's file name.
const DIGITS: usize = 16;

/// Returns the folder for answers below the cache folder.
pub fn answers_folder(cache: &Path) -> PathBuf {
    cache.join("tried")
}

fn is_answer(name: &str) -> bool {
    let is_file = |name: &str| name.strip_suffix(".json").is_some_and(|stem| is_hexadecimal(stem, DIGITS));
    is_file(name) || ours::temporary_of(name).is_some_and(is_file)
}

/// A folder of answers, one file for each library. If anything is wrong with an answer, the library is tried again.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    pub folder: PathBuf,
}

/// The state of a library's file that an answer holds for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Stamp {
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u128,
    /// The time of the last change of the file's inode, in nanoseconds since 1970: a copy may keep the modification
    /// time of its original. 0 where the system does not report it.
    changed: i128,
    /// The version of the program that tried it.
    by: String,
    /// The machine's name, because several machines may share a cache.
    machine: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct StoredAnswer {
    of: Stamp,
    answer: Result<String, Refusal>,
}

impl Answers {
    /// Returns the answers in our cache.
    pub(super) fn of_process() -> Option<Self> {
        Some(Answers { folder: answers_folder(&cache_folder().ok()?) })
    }

    /// Returns the stamp of a library's file, or `None` if its metadata cannot be read.
    pub(super) fn stamp(&self, path: &Path) -> Option<Stamp> {
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        #[cfg(unix)]
        let changed = {
            use std::os::unix::fs::MetadataExt;
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let changed = 0;
        Some(Stamp {
            path: path.to_owned(),
            bytes: metadata.len(),
            modified,
            changed,
            by: format!("{} {} 1.{}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, ort::MINOR_VERSION),
            machine: sysinfo::System::host_name().unwrap_or_default(),
        })
    }

    fn file(&self, path: &Path) -> PathBuf {
        let name = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
        self.folder.join(format!("{}.json", &name[..DIGITS]))
    }

    /// Returns the version of a usable library, or why it is not usable. Returns `None` if the file was not tried in
    /// its present state.
    pub(super) fn get(&self, stamp: &Stamp) -> Option<Result<String, Refusal>> {
        let text = fs::read(self.file(&stamp.path)).ok()?;
        let kept: StoredAnswer = serde_json::from_slice(&text).ok()?;
        (kept.of == *stamp).then_some(kept.answer)
    }

    /// Stores an answer, and replaces an older one for the same path.
    pub(super) fn put(&self, stamp: &Stamp, answer: &Result<String, Refusal>) {
        let write = || -> std::io::Result<()> {
            ours::make_cache(&self.folder)?;
            let kept = StoredAnswer { of: stamp.clone(), answer: answer.clone() };
            ours::write_file(&self.file(&stamp.path), &serde_json::to_vec(&kept)?)
        };
        // A cache that cannot be written only costs time.
        let _ = write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_until_its_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers { folder: folder.path().join("tried") };
        let library = folder.path().join("library.so");
        fs::write(&library, "one").unwrap();
        let stamp = answers.stamp(&library).unwrap();
        assert_eq!(answers.get(&stamp), None);
        let damaged = Err(Refusal::Damaged("is broken".to_owned()));
        for answer in [Ok("1.32.0".to_owned()), damaged.clone()] {
            answers.put(&stamp, &answer);
            assert_eq!(answers.get(&stamp), Some(answer));
        }
        assert_eq!(answers.stamp(&library).as_ref(), Some(&stamp));
        // A copy of the same length and modification time, such as a damaged copy.
        let copy = folder.path().join("copy.so");
        fs::write(&copy, "two").unwrap();
        let time = fs::metadata(&library).unwrap().modified().unwrap();
        fs::File::options().write(true).open(&copy).unwrap().set_modified(time).unwrap();
        fs::rename(&copy, &library).unwrap();
        let changed = answers.stamp(&library).unwrap();
        assert_eq!((changed.bytes, changed.modified), (stamp.bytes, stamp.modified));
        if cfg!(unix) {
            assert_eq!(answers.get(&changed), None);
        }
        let of_other = Stamp { machine: "another".to_owned(), ..stamp.clone() };
        assert_eq!(answers.get(&of_other), None);
        for wrong in ["", "{}", "\0\0\0"] {
            fs::write(answers.file(&library), wrong).unwrap();
            assert_eq!(answers.get(&stamp), None, "{wrong:?}");
        }
        assert_eq!(answers.stamp(&folder.path().join("missing")), None);
    }
}
