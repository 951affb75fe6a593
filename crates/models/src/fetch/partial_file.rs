//! A partially downloaded file, kept on disk so that a later run can resume it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use recipe_render_core::sha256;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::client::From;
use crate::ModelsError;
use crate::ours;

/// The metadata of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// The identity of the file: repository, revision, path and hash.
    file: String,
    /// The strong ETag from the server.
    etag: Option<String>,
}

/// A file that grows at its end, and the hash of its contents so far.
pub(super) struct PartialFile {
    path: PathBuf,
    file: File,
    hash: Sha256,
    length: u64,
    origin: Origin,
    /// Whether the hash of the whole is known beforehand, so that stale bytes do no harm.
    pinned: bool,
}

impl PartialFile {
    /// Opens the part at `path`, of the file that `title` identifies. Contents from another download, or that cannot be
    /// resumed, are dropped. A file of another program is left alone and reported as an error.
    pub(super) fn open(path: PathBuf, title: &str, pinned: bool) -> Result<Self, ModelsError> {
        let failed = |error| refused(&path, error);
        check_own(&path)?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let known = fs::read_to_string(origin_path(&path)).ok().and_then(|text| toml::from_str::<Origin>(&text).ok());
        let origin = known.filter(|origin| origin.file == title && (pinned || origin.etag.is_some()));
        let fresh = Origin { file: title.to_owned(), etag: None };
        let resumed = origin.is_some();
        let mut part =
            PartialFile { path, file, hash: Sha256::new(), length: 0, origin: origin.unwrap_or(fresh), pinned };
        if resumed {
            part.take_in()?;
        } else {
            part.clear()?;
        }
        Ok(part)
    }

    /// Hashes the existing contents.
    fn take_in(&mut self) -> Result<(), ModelsError> {
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = self.file.read(&mut buffer).map_err(|error| refused(&self.path, error))?;
            if count == 0 {
                return Ok(());
            }
            self.hash.update(&buffer[..count]);
            self.length += count as u64;
        }
    }

    /// Returns the number of bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the range to request.
    pub(super) fn rest(&self) -> Option<From<'_>> {
        let etag = self.origin.etag.as_deref();
        (self.length > 0 && (self.pinned || etag.is_some())).then_some(From { offset: self.length, etag })
    }

    /// Drops the contents and starts over.
    pub(super) fn clear(&mut self) -> Result<(), ModelsError> {
        let failed = |error| refused(&self.path, error);
        self.file.set_len(0).map_err(failed)?;
        self.file.rewind().map_err(failed)?;
        self.hash = Sha256::new();
        self.length = 0;
        self.origin.etag = None;
        self.note()
    }

    /// Records the ETag of the file that the bytes belong to.
    pub(super) fn set_etag(&mut self, etag: Option<String>) -> Result<(), ModelsError> {
        if etag != self.origin.etag {
            self.origin.etag = etag;
            self.note()?;
        }
        Ok(())
    }

    fn note(&self) -> Result<(), ModelsError> {
        let text = toml::to_string(&self.origin).map_err(ModelsError::failed)?;
        fs::write(origin_path(&self.path), text).map_err(|error| refused(&self.path, error))
    }

    /// Appends bytes. They are handed to the system when this returns, and outlive the process.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), ModelsError> {
        self.file.write_all(bytes).map_err(|error| refused(&self.path, error))?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Returns the SHA-256 of the contents so far.
    pub(super) fn sha256(&self) -> String {
        sha256::hexadecimal(self.hash.clone())
    }

    /// Moves the complete file to its place.
    pub(super) fn finish(self, path: &Path) -> Result<(), ModelsError> {
        let failed = |error| refused(path, error);
        self.file.sync_all().map_err(failed)?;
        drop(self.file);
        fs::rename(&self.path, path).map_err(failed)?;
        // The origin moves along, and later marks the file as ours.
        fs::rename(origin_path(&self.path), origin_path(path)).map_err(failed)
    }

    /// Deletes the part, because it is not the expected file.
    pub(super) fn discard(self) {
        drop(self.file);
        remove(&self.path);
        remove(&origin_path(&self.path));
    }
}

/// Removes a file of ours whose loss does not matter.
fn remove(path: &Path) {
    ours::remove_file(path);
}

/// Checks that a part, if one exists, is ours: its origin lies beside it. The origin is written right after the part is
/// created, before any contents.
fn check_own(path: &Path) -> Result<(), ModelsError> {
    let origin = origin_path(path);
    let known = |text: String| toml::from_str::<Origin>(&text).is_ok();
    let begun = || fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) && ours::is_free(&origin);
    let own = ours::is_file(&origin) && fs::read_to_string(&origin).is_ok_and(known);
    if ours::is_free(path) && (own || ours::is_free(&origin)) || ours::is_file(path) && (own || begun()) {
        return Ok(());
    }
    Err(foreign(path))
}

/// Checks that a complete file, if one exists, may be replaced, because it was downloaded.
pub(super) fn check_whole(path: &Path) -> Result<(), ModelsError> {
    let own = ours::is_file(path) && ours::is_file(&origin_path(path));
    if own || ours::is_free(path) { Ok(()) } else { Err(foreign(path)) }
}

/// Removes a downloaded file, its part, and their origins. A file that was not downloaded is kept.
pub(super) fn remove_download(path: &Path) {
    for path in [path.to_path_buf(), path.with_added_extension("part")] {
        if ours::is_file(&origin_path(&path)) {
            remove(&path);
            remove(&origin_path(&path));
        }
    }
}

/// Returns the error for another program's file in the place of a download.
fn foreign(path: &Path) -> ModelsError {
    ModelsError::wrong(format!("{} is in the way: this program did not download it", path.display()))
        .hinted("move it away or delete it yourself, and run it again")
}

/// Returns the path of the origin, beside the file.
fn origin_path(path: &Path) -> PathBuf {
    path.with_added_extension("from")
}

/// Returns the SHA-256 of a file in lower-case hexadecimal.
pub(crate) fn sha256_of(path: &Path) -> Result<String, ModelsError> {
    sha256::of_file(path).map_err(|error| ModelsError::file(path, error))
}

/// Returns the error for a file or folder that cannot be written.
pub(super) fn refused(path: &Path, error: io::Error) -> ModelsError {
    let full =
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge);
    let folder = path.parent().unwrap_or(path).display();
    let hint = if full {
        format!("make room in {folder}, and run it again: it resumes where it stopped")
    } else {
        format!("can you write in {folder}? XDG_DATA_HOME names another place for data")
    };
    ModelsError::file(path, error).hinted(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path, title: &str, pinned: bool) -> PartialFile {
        PartialFile::open(folder.join("a.part"), title, pinned).unwrap()
    }

    #[test]
    fn a_part_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = open(folder.path(), "a", true);
        assert!(part.rest().is_none());
        part.add(b"ab").unwrap();
        drop(part);
        let mut part = open(folder.path(), "a", true);
        assert_eq!(part.rest().unwrap().offset, 2);
        part.add(b"c").unwrap();
        // The hash of "abc", from the standard's examples.
        assert_eq!(part.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        part.finish(&folder.path().join("a")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "where it is from is beside it");
        check_whole(&folder.path().join("a")).unwrap();
        assert_eq!(
            sha256_of(&folder.path().join("a")).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // A file that was not downloaded has no origin beside it.
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "").unwrap();
        assert!(check_whole(&theirs).is_err());
        remove_download(&theirs);
        remove_download(&folder.path().join("a"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_part_of_something_else_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path(), "a", true).add(b"ab").unwrap();
        assert_eq!(open(folder.path(), "b", true).length(), 0);
        // Without a known hash, only an ETag shows that the rest belongs to the same file.
        open(folder.path(), "c", false).add(b"ab").unwrap();
        assert_eq!(open(folder.path(), "c", false).length(), 0);
        let mut part = open(folder.path(), "c", false);
        part.set_etag(Some("\"1\"".into())).unwrap();
        part.add(b"ab").unwrap();
        let part = open(folder.path(), "c", false);
        assert_eq!(part.rest().unwrap().etag, Some("\"1\""));
        part.discard();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    /// It is neither truncated nor resumed, and no link is written through.
    #[test]
    fn a_file_of_anothers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.part");
        fs::write(&path, "theirs").unwrap();
        let error = PartialFile::open(path.clone(), "a", true).err().unwrap();
        assert!(error.to_string().contains("is in the way"), "{error}");
        fs::write(origin_path(&path), "notes").unwrap();
        assert!(PartialFile::open(path.clone(), "a", true).is_err());
        assert_eq!(
            (fs::read(&path).unwrap(), fs::read(origin_path(&path)).unwrap()),
            (b"theirs".to_vec(), b"notes".to_vec())
        );
        #[cfg(unix)]
        {
            let away = folder.path().join("away");
            fs::rename(&path, &away).unwrap();
            fs::remove_file(origin_path(&path)).unwrap();
            std::os::unix::fs::symlink(&away, &path).unwrap();
            assert!(PartialFile::open(path.clone(), "a", true).is_err());
            assert_eq!(fs::read(&away).unwrap(), b"theirs");
        }
    }

    #[test]
    fn a_full_disk_is_told_with_what_helps() {
        let error = refused(Path::new("/data/x.part"), io::ErrorKind::StorageFull.into());
        assert!(error.hint().unwrap().contains("make room in /data"), "{error}");
        let error = refused(Path::new("/data/x.part"), io::ErrorKind::PermissionDenied.into());
        assert!(error.hint().unwrap().contains("XDG_DATA_HOME"), "{error}");
    }
}
