//! The folders for fetched files and models, and the lock that prevents two processes from fetching the same model.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::partial_file::refused;
use crate::ModelsError;
use crate::clip::data_folder;

/// The user's data folder for this program. It may not exist yet.
#[derive(Debug, Clone)]
pub struct Folders {
    data: PathBuf,
}

impl Folders {
    /// Returns `recipe-render` in `XDG_DATA_HOME`, `~/.local/share` or the system's equivalent.
    pub fn of_user() -> Result<Self, ModelsError> {
        let none =
            || ModelsError::failed("there is no home folder to keep models in").hinted("set XDG_DATA_HOME to a folder");
        Ok(Folders { data: data_folder().ok_or_else(none)? })
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the folder of an imported model with this name.
    pub fn model(&self, name: &str) -> PathBuf {
        self.data.join("models").join(name)
    }

    /// Returns the folder that a model's files are downloaded to.
    pub fn downloads(&self, name: &str) -> PathBuf {
        self.data.join("downloads").join(name)
    }

    /// Waits until no other process fetches this model, and keeps others from doing so while the returned lock is alive.
    pub fn lock(&self, name: &str, waiting: impl FnOnce()) -> Result<Lock, ModelsError> {
        Lock::take(&self.data.join("downloads").join(format!(".{name}.lock")), waiting)
    }

    /// Takes a short lock on the records of all models.
    pub(super) fn lock_records(&self) -> Result<Lock, ModelsError> {
        Lock::take(&self.data.join("downloads").join(".records.lock"), || ())
    }
}

/// A lock that is released when it is dropped or the process ends.
#[must_use]
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    fn take(path: &Path, waiting: impl FnOnce()) -> Result<Self, ModelsError> {
        let failed = |error| refused(path, error);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().map_err(failed)?;
            }
            // Some network file systems do not support locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Lock { _file: None });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Lock { _file: Some(file) })
    }
}
