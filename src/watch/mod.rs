//! Following recipes, and the files they need, as they are saved.
//!
//! ```text
//! events, or a clock ─▶ Follower: what has really changed ─▶ News
//! ```
//!
//! Editors save in many ways: in place, by truncating and writing, by writing another file and renaming it, by deleting
//! first. Folders are moved away and made anew, as version control and backups do, and links are pointed elsewhere. So paths
//! are followed, not what is at them: the folders that a path leads through are watched, not the files; events only say when
//! to look; and what counts is whether the content is another one. The system may not tell everything, so a clock looks at
//! what the paths lead through, without reading any file. Where there are no events, as on network drives, it is a clock
//! alone that says when to read ([`Means::Poll`]).

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

/// The content of everything that one recipe is made of, at one time. Two versions are equal if there is nothing new
/// between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The recipe's bytes.
    pub recipe: Vec<u8>,
    /// How often one of the other files has changed.
    files: u64,
}

/// What has happened to a recipe. Of what follows each other closely only the end is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It, or a file it needs, was saved; it is new in a folder that is followed; or it is back, perhaps as it was.
    Saved {
        recipe: PathBuf,
        version: Version,
        /// What is new, the recipe first if it is among it; empty where it is back as it was.
        files: Vec<PathBuf>,
    },
    /// Its file is no longer there.
    Gone { recipe: PathBuf },
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The system tells.
    Events,
    /// By looking every so often: network drives tell nothing of what others do to them.
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
    /// What would help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            WatchError::Unwatchable { error, .. } if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => Some(
                "too many files are being watched on this machine; on Linux raise fs.inotify.max_user_watches, or poll: \
                 --watch-poll",
            ),
            WatchError::Unwatchable { .. } => Some("where the system tells of no changes, poll: --watch-poll"),
            WatchError::Unreadable { .. } => None,
        }
    }
}

/// Follows recipes. Where the current folder is replaced by another one of the same path, that one becomes the current folder.
pub struct Watch {
    /// None where it polls.
    arms: Option<Arc<Mutex<Arms>>>,
    home: Home,
    messages: Sender<Message>,
    news: Receiver<News>,
}

/// Ends a [`Watch`], from whatever thread.
#[derive(Clone)]
pub struct Ender(Sender<Message>);

impl Ender {
    /// [`Watch::next`] then finds nothing more.
    pub fn end(&self) {
        // It may have ended already.
        let _ = self.0.send(Message::End);
    }
}

impl Watch {
    /// Follows nothing yet.
    pub fn new(means: Means) -> Result<Self, WatchError> {
        let (messages, incoming) = channel();
        let (outgoing, news) = channel();
        let home = Home::now();
        let arms = match means {
            Means::Poll(_) => None,
            Means::Events => Some(Arc::new(Mutex::new(Arms::new(home.clone(), messages.clone())?))),
        };
        // It lasts as long as we do: what it holds for longer tells it of nothing.
        let follower = Follower::new(means, home.clone(), arms.as_ref().map(Arc::downgrade));
        std::thread::spawn(move || follower.run(&incoming, &outgoing));
        Ok(Watch { arms, home, messages, news })
    }

    /// Follows a recipe, also while it is away for some time; gives its present version.
    pub fn recipe(&mut self, recipe: &Path) -> Result<Version, WatchError> {
        self.begin(recipe, false)
    }

    fn begin(&mut self, recipe: &Path, found: bool) -> Result<Version, WatchError> {
        // First the events, then the content: what changes in between is noticed.
        self.arm(&[recipe], &[])?;
        let bytes = std::fs::read(self.home.absolute(recipe))
            .map_err(|error| WatchError::Unreadable { path: recipe.display().to_string(), error })?;
        let version = Version { recipe: bytes, files: 0 };
        // The follower lives as long as we hold the sender.
        let _ = self.messages.send(Message::Recipe { recipe: recipe.to_path_buf(), version: version.clone(), found });
        Ok(version)
    }

    /// Follows the recipes of a folder (its files `*.toml`, not those of folders in it) as they come and go; gives those
    /// that are there, sorted by name. One that is followed already is not followed twice, though given again.
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

    /// Follows these files besides a recipe, and no others any more.
    pub fn follow(&mut self, recipe: &Path, files: &[PathBuf]) -> Result<(), WatchError> {
        // The recipe again: it may have become a link to another folder.
        let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).chain([recipe]).collect();
        self.arm(&paths, &[])?;
        // Looked at now, not when the follower gets to it: what changes from here on is news.
        let mut contents = Contents::default();
        let files = files.iter().map(|file| (file.clone(), contents.of(&self.home.absolute(file)))).collect();
        let _ = self.messages.send(Message::Follow { recipe: recipe.to_path_buf(), files });
        Ok(())
    }

    /// Waits for news; `None` once it was ended.
    pub fn next(&self) -> Option<News> {
        self.news.recv().ok()
    }

    /// What ends it.
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
