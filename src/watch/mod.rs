//! Following recipes, and the files they need, as they are saved.
//!
//! ```text
//! events, or a clock ─▶ Follower: what has really changed ─▶ News
//! ```
//!
//! Editors save in many ways: in place, by truncating and writing, by writing another file and renaming it, by deleting
//! first. So the folders are watched, not the files; events only say when to look; and what counts is whether the content
//! is another one. Without events nothing runs. Where there are none, as on network drives, a clock says when to look
//! ([`Means::Poll`]).

mod content;
mod follower;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use content::Contents;
use follower::{Follower, Message, recipes};

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

/// Follows recipes.
pub struct Watch {
    /// None where it polls.
    watcher: Option<RecommendedWatcher>,
    /// The folders that `watcher` watches.
    folders: HashSet<PathBuf>,
    matters: Arc<Mutex<Matters>>,
    messages: Sender<Message>,
    news: Receiver<News>,
}

/// Which names an event has to be about.
#[derive(Default)]
struct Matters {
    /// Names of files that are followed, in whatever folder.
    names: HashSet<OsString>,
    /// Recipes may appear.
    folders: bool,
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
        let matters = Arc::new(Mutex::new(Matters::default()));
        let watcher = match means {
            Means::Poll(_) => None,
            Means::Events => {
                let watcher = notify::recommended_watcher(handler(matters.clone(), messages.clone()));
                Some(watcher.map_err(|error| WatchError::Unwatchable { path: "a recipe".into(), error })?)
            }
        };
        let follower = Follower::new(means);
        std::thread::spawn(move || follower.run(&incoming, &outgoing));
        Ok(Watch { watcher, folders: HashSet::new(), matters, messages, news })
    }

    /// Follows a recipe, also while it is away for some time; gives its present version.
    pub fn recipe(&mut self, recipe: &Path) -> Result<Version, WatchError> {
        self.begin(recipe, false)
    }

    fn begin(&mut self, recipe: &Path, found: bool) -> Result<Version, WatchError> {
        // First the events, then the content: what changes in between is noticed.
        self.arm(recipe)?;
        let bytes = std::fs::read(recipe)
            .map_err(|error| WatchError::Unreadable { path: recipe.display().to_string(), error })?;
        let version = Version { recipe: bytes, files: 0 };
        // The follower lives as long as we hold the sender.
        let _ = self.messages.send(Message::Recipe { recipe: recipe.to_path_buf(), version: version.clone(), found });
        Ok(version)
    }

    /// Follows the recipes of a folder (its files `*.toml`, not those of folders in it) as they come and go; gives those
    /// that are there, sorted by name. One that is followed already is not followed twice, though given again.
    pub fn folder(&mut self, folder: &Path) -> Result<Vec<(PathBuf, Version)>, WatchError> {
        lock(&self.matters).folders = true;
        self.arm_folder(folder)
            .map_err(|error| WatchError::Unwatchable { path: folder.display().to_string(), error })?;
        std::fs::read_dir(folder)
            .map_err(|error| WatchError::Unreadable { path: folder.display().to_string(), error })?;
        let mut found = Vec::new();
        for recipe in recipes(folder) {
            let version = self.begin(&recipe, true)?;
            found.push((recipe, version));
        }
        let _ = self.messages.send(Message::Folder(folder.to_path_buf()));
        Ok(found)
    }

    /// Follows these files besides a recipe, and no others any more.
    pub fn follow(&mut self, recipe: &Path, files: &[PathBuf]) -> Result<(), WatchError> {
        // The recipe again: it may have become a link to another folder.
        for path in files.iter().map(PathBuf::as_path).chain([recipe]) {
            self.arm(path)?;
        }
        // Looked at now, not when the follower gets to it: what changes from here on is news.
        let mut contents = Contents::default();
        let files = files.iter().map(|file| (file.clone(), contents.of(file))).collect();
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

    /// Watches the folder a path is in, and if the path is a link the one its target is in.
    fn arm(&mut self, path: &Path) -> Result<(), WatchError> {
        let target = std::fs::canonicalize(path).ok();
        for path in target.as_deref().into_iter().chain([path]) {
            let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else { continue };
            lock(&self.matters).names.insert(name.to_owned());
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            self.arm_folder(parent)
                .map_err(|error| WatchError::Unwatchable { path: path.display().to_string(), error })?;
        }
        Ok(())
    }

    fn arm_folder(&mut self, folder: &Path) -> notify::Result<()> {
        if let Some(watcher) = &mut self.watcher
            && let Ok(folder) = std::fs::canonicalize(folder)
            && !self.folders.contains(&folder)
        {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            self.folders.insert(folder);
        }
        Ok(())
    }
}

fn lock(matters: &Mutex<Matters>) -> std::sync::MutexGuard<'_, Matters> {
    matters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns events into a wish to look, where they are about names that matter.
fn handler(
    matters: Arc<Mutex<Matters>>,
    messages: Sender<Message>,
) -> impl FnMut(notify::Result<notify::Event>) + Send + 'static {
    move |event| {
        let look = match event {
            Ok(event) => {
                // Our own reading opens and closes files; to look at that would never end.
                let access =
                    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
                let matters = lock(&matters);
                let known = |path: &PathBuf| {
                    path.file_name().is_some_and(|name| matters.names.contains(name))
                        || matters.folders && follower::is_recipe(path)
                };
                event.need_rescan() || !access && event.paths.iter().any(known)
            }
            // Something was missed.
            Err(_) => true,
        };
        if look {
            let _ = messages.send(Message::Look);
        }
    }
}

#[cfg(test)]
mod tests;
