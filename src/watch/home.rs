//! The current folder, which may be replaced under the program like any other.

use std::path::{Path, PathBuf};

use super::parts::identity_at;

/// The folder that relative paths are relative to, known by its path, not by what was there when the program began.
#[derive(Debug, Clone)]
pub(super) struct Home(PathBuf);

impl Home {
    /// Returns the current folder.
    pub fn now() -> Self {
        // Use the shell's name for it if that is correct; it may contain links.
        let called = std::env::var_os("PWD").map(PathBuf::from);
        let called = called.filter(|path| path.is_absolute() && identity_at(path).is_some());
        let called = called.filter(|path| identity_at(path) == identity_at(Path::new(".")));
        Home(called.or_else(|| std::env::current_dir().ok()).unwrap_or_default())
    }

    /// Returns an absolute path.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// Changes to the folder that is now at the path, if it is another one. As long as there is none, nothing changes.
    pub fn back(&self) {
        let there = identity_at(&self.0);
        if there.is_some() && there != identity_at(Path::new(".")) {
            // If it is gone again, a later call succeeds.
            let _ = std::env::set_current_dir(&self.0);
        }
    }
}
