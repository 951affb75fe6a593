//! The temporary files that are being written right now.
//!
//! A process that ends by `exit` runs no destructors; [`abandon`] removes what they would have removed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A temporary file is registered as long as this lives.
pub(super) struct Registered(PathBuf);

impl Registered {
    pub(super) fn new(path: &Path) -> Self {
        pending().insert(path.to_path_buf());
        Registered(path.to_path_buf())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        pending().remove(&self.0);
    }
}

/// Removes all temporary files that are being written. For use right before the process ends.
pub fn abandon() {
    for path in pending().iter() {
        let _ = std::fs::remove_file(path);
    }
}
