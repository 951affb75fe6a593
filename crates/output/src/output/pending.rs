//! The temporary files and folders that are currently being written.
//!
//! A killed process runs no destructors; [`abandon`] removes what they would have removed. Files are created, renamed and removed under
//! one lock, so none ever exists without being registered.

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
    /// Registers the file that `make` creates.
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

    /// Moves the file atomically to `path`, replacing what is there, with these permissions if given.
    pub(super) fn persist(mut self, path: &Path, permissions: Option<std::fs::Permissions>) -> io::Result<()> {
        if let Some(permissions) = permissions {
            self.file()?.set_permissions(permissions)?;
        }
        // Without the sync, a crash soon after the rename may leave an empty file under the final name.
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

/// A temporary folder, removed with all its contents when dropped or by [`abandon`].
#[derive(Debug)]
pub struct TemporaryFolder {
    /// Gone once it is in its place.
    folder: Option<TempDir>,
    path: PathBuf,
}

impl TemporaryFolder {
    /// Registers the folder that `make` creates.
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

    /// Calls `rename` to move the folder to its final path; the folder stays temporary if that fails.
    pub fn place(mut self, rename: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let mut pending = pending();
        rename(&self.path)?;
        pending.remove(&self.path);
        if let Some(folder) = self.folder.take() {
            // The temporary path no longer exists, so there is nothing to remove.
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

/// Removes all temporary files and folders that are being written. Use it right before the process ends: as long as the returned value
/// lives, no more can be created, and whoever tries to waits.
pub fn abandon() -> impl Sized {
    let pending = pending();
    for path in pending.iter() {
        let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
    }
    pending
}
