//! Follows recipes, and the files they need, as they are saved.
//!
//! ```text
//! events, or a clock ─▶ Follower: what has really changed ─▶ News
//! ```
//!
//! Editors save in many ways: in place, by truncating and writing, by writing another file and renaming it, by deleting first. Folders
//! are moved away and recreated, as version control and backups do, and links are redirected. So the watch follows paths, not what is at
//! them. It watches the folders that a path leads through, not the files; events only say when to look, and only a change of content
//! counts. The system may miss events, so a clock checks what the paths lead through, without reading any file. Where there are no
//! events, as on network drives, the clock alone says when to read ([`Means::Poll`]).

mod arms;
mod content;
mod follower;
mod home;
mod parts;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arms::Arms;
use content::Contents;
use follower::{Follower, Message, recipes};
use home::Home;

/// The content of everything that a recipe is made of, at one time. Two versions are equal if nothing has changed between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The recipe's bytes.
    pub recipe: Vec<u8>,
    /// How often one of the other files has changed.
    files: u64,
}

/// A change to a recipe. Of several changes in quick succession only the last is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The recipe, or a file it needs, was saved; or it is new in a followed folder; or it is back, perhaps unchanged.
    Saved {
        recipe: PathBuf,
        version: Version,
        /// The changed files, the recipe first if it is one of them; empty if the recipe is back unchanged.
        files: Vec<PathBuf>,
    },
    /// The recipe's file no longer exists.
    Gone { recipe: PathBuf },
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Through the system's events.
    Events,
    /// By checking at this interval: network drives do not report changes made by others.
    Poll(Duration),
}

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("{path}: {error}")]
    Unreadable { path: String, error: std::io::Error },
    #[error("{path} cannot be watched: {error}")]
    Unwatchable { path: String, error: notify::Error },
}

impl WatchError {
    /// Returns a hint, if one would help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            WatchError::Unwatchable { error, .. } if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => Some(
                "too many files are being watched on this machine; on Linux raise fs.inotify.max_user_watches, or poll: \
                 --watch-poll",
            ),
            WatchError::Unwatchable { .. } => Some("if the system does not report changes, poll: --watch-poll"),
            WatchError::Unreadable { .. } => None,
        }
    }
}

/// Follows recipes. If the current folder is replaced by another one at the same path, that becomes the current folder.
pub struct Watch {
    /// None when polling.
    arms: Option<Arc<Mutex<Arms>>>,
    home: Home,
    messages: Sender<Message>,
    news: Receiver<News>,
}

/// Ends a [`Watch`] from any thread.
#[derive(Clone)]
pub struct Ender(Sender<Message>);

impl Ender {
    /// Ends the watch: [`Watch::next`] then returns `None`.
    pub fn end(&self) {
        // It may have ended already.
        let _ = self.0.send(Message::End);
    }
}

impl Watch {
    /// Creates a watch that follows nothing yet.
    pub fn new(means: Means) -> Result<Self, WatchError> {
        let (messages, incoming) = channel();
        let (outgoing, news) = channel();
        let home = Home::now();
        let arms = match means {
            Means::Poll(_) => None,
            Means::Events => Some(Arc::new(Mutex::new(Arms::new(home.clone(), messages.clone())?))),
        };
        // The watcher lives as long as this [`Watch`]; the follower's weak reference does not keep it alive.
        let follower = Follower::new(means, home.clone(), arms.as_ref().map(Arc::downgrade));
        std::thread::spawn(move || follower.run(&incoming, &outgoing));
        Ok(Watch { arms, home, messages, news })
    }

    /// Follows a recipe, even if it disappears for a while; returns its present version.
    pub fn recipe(&mut self, recipe: &Path) -> Result<Version, WatchError> {
        self.begin(recipe, false)
    }

    fn begin(&mut self, recipe: &Path, found: bool) -> Result<Version, WatchError> {
        // Watch first, then read, so that a change in between is noticed.
        self.arm(&[recipe], &[])?;
        let bytes = std::fs::read(self.home.absolute(recipe))
            .map_err(|error| WatchError::Unreadable { path: recipe.display().to_string(), error })?;
        let version = Version { recipe: bytes, files: 0 };
        // The follower lives as long as this sender.
        let _ = self.messages.send(Message::Recipe { recipe: recipe.to_path_buf(), version: version.clone(), found });
        Ok(version)
    }

    /// Follows the recipes of a folder (its files `*.toml`, not those of subfolders) as they come and go; returns those that exist now,
    /// sorted by name. A recipe that is already followed is returned, but not followed twice.
    pub fn folder(&mut self, folder: &Path) -> Result<Vec<(PathBuf, Version)>, WatchError> {
        self.arm(&[], &[folder])?;
        std::fs::read_dir(self.home.absolute(folder))
            .map_err(|error| WatchError::Unreadable { path: folder.display().to_string(), error })?;
        let mut found = Vec::new();
        for recipe in recipes(&self.home, folder) {
            let version = self.begin(&recipe, true)?;
            found.push((recipe, version));
        }
        let _ = self.messages.send(Message::Folder(folder.to_path_buf()));
        Ok(found)
    }

    /// Sets the files to follow along with a recipe, replacing earlier ones.
    pub fn follow(&mut self, recipe: &Path, files: &[PathBuf]) -> Result<(), WatchError> {
        // The recipe is included again: it may have become a link to another folder.
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).chain([recipe]).collect();
        self.arm(&paths, &[])?;
        // Read now, not when the follower gets to it: changes from here on are reported.
        let mut contents = Contents::default();
        let files = files.iter().map(|file| (file.clone(), contents.of(&self.home.absolute(file)))).collect();
        let _ = self.messages.send(Message::Follow { recipe: recipe.to_path_buf(), files });
        Ok(())
    }

    /// Waits for news; returns `None` once the watch has ended.
    pub fn next(&self) -> Option<News> {
        self.news.recv().ok()
    }

    /// Returns a handle that ends the watch.
    pub fn ender(&self) -> Ender {
        Ender(self.messages.clone())
    }

    fn arm(&self, files: &[&Path], folders: &[&Path]) -> Result<(), WatchError> {
        let Some(arms) = &self.arms else { return Ok(()) };
        let mut arms = arms.lock().unwrap_or_else(PoisonError::into_inner);
        arms.follow(files.iter().copied(), folders.iter().copied())
    }
}

#[cfg(test)]
mod tests;
