//! The current folder, which may be replaced under the program like any other.

use std::path::{Path, PathBuf};

use super::parts::identity_at;

/// The folder that relative paths count from: its path, not what was there when the program began.
#[derive(Debug, Clone)]
pub(super) struct Home(PathBuf);

impl Home {
    /// The current folder of now.
    pub fn now() -> Self {
        // As the shell calls it, where that is so: there may be links in it.
        let called = std::env::var_os("PWD").map(PathBuf::from);
        let called = called.filter(|path| path.is_absolute() && identity_at(path).is_some());
        let called = called.filter(|path| identity_at(path) == identity_at(Path::new(".")));
        Home(called.or_else(|| std::env::current_dir().ok()).unwrap_or_default())
    }

    /// A path that means the same from everywhere.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }

    /// Goes to what is there by now, where that is another folder. So long as there is none, all stays as it is.
    pub fn back(&self) {
        let there = identity_at(&self.0);
        if there.is_some() && there != identity_at(Path::new(".")) {
            // If it is gone again there will be another time.
            let _ = std::env::set_current_dir(&self.0);
        }
    }
}
