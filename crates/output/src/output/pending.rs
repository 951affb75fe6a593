//! The temporary files and folders that are being written right now.
//!
//! A process that is ended runs no destructors; [`abandon`] removes what they would have removed. Files are made, renamed
//! and removed under one lock, so that there is no moment at which one is there without being known.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::{NamedTempFile, TempDir};

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A temporary file, removed when dropped or by [`abandon`].
pub(super) struct Temporary {
    /// Gone once it is in its place.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Temporary {
    /// The file that `make` makes.
    pub(super) fn new(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<Self> {
        let mut pending = pending();
        let file = make()?;
        let path = file.path().to_path_buf();
        pending.insert(path.clone());
        Ok(Temporary { file: Some(file), path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self) -> io::Result<&File> {
        self.file.as_ref().map(NamedTempFile::as_file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Puts the file, with these permissions if any, in the place of `path`, in one step.
    pub(super) fn persist(mut self, path: &Path, permissions: Option<std::fs::Permissions>) -> io::Result<()> {
        if let Some(permissions) = permissions {
            self.file()?.set_permissions(permissions)?;
        }
        // Without it a crash soon after the rename may leave an empty file under the final name.
        self.file()?.sync_all()?;
        let mut pending = pending();
        let Some(file) = self.file.take() else { return Ok(()) };
        file.persist(path).map_err(|error| error.error)?;
        pending.remove(&self.path);
        Ok(())
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut pending = pending();
        self.file = None;
        pending.remove(&self.path);
    }
}

/// A temporary folder, removed with all that is in it when dropped or by [`abandon`].
#[derive(Debug)]
pub struct TemporaryFolder {
    /// Gone once it is in its place.
    folder: Option<TempDir>,
    path: PathBuf,
}

impl TemporaryFolder {
    /// The folder that `make` makes.
    pub fn new(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<Self> {
        let mut pending = pending();
        let folder = make()?;
        let path = folder.path().to_path_buf();
        pending.insert(path.clone());
        Ok(TemporaryFolder { folder: Some(folder), path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets `rename` put the folder into its place; it stays temporary where that fails.
    pub fn place(mut self, rename: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let mut pending = pending();
        rename(&self.path)?;
        pending.remove(&self.path);
        if let Some(folder) = self.folder.take() {
            // Nothing is there any more that could be removed.
            let _ = folder.keep();
        }
        Ok(())
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let mut pending = pending();
        self.folder = None;
        pending.remove(&self.path);
    }
}

/// Removes all temporary files and folders that are being written. For use right before the process ends: as long as the answer lives,
/// no further one is made, and who wants to make one waits.
pub fn abandon() -> impl Sized {
    let pending = pending();
    for path in pending.iter() {
        let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
    }
    pending
}
