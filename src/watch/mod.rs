//! Following a recipe, and the files it needs, as they are saved.
//!
//! Editors save in many ways: in place, by truncating and writing, by writing another file and renaming it, by deleting
//! first. So the folders are watched, not the files; events only say when to look; and what counts is whether the content
//! is another one. Without events nothing runs.

mod follower;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use follower::{Follower, Message, content};

/// The content of everything that is followed, at one time. Two versions are equal if there is nothing new between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The recipe's bytes.
    pub recipe: Vec<u8>,
    /// How often one of the other files has changed.
    files: u64,
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
            WatchError::Unwatchable { error, .. } if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) => {
                Some("too many files are being watched on this machine; on Linux raise fs.inotify.max_user_watches")
            }
            _ => None,
        }
    }
}

/// Follows one recipe.
pub struct Watch {
    recipe: PathBuf,
    /// Whether a path is one of our own outputs, which are never followed.
    own: Box<dyn Fn(&Path) -> bool + Send>,
    watcher: RecommendedWatcher,
    /// The folders that `watcher` watches.
    folders: HashSet<PathBuf>,
    /// File names that matter, in whatever folder.
    names: Arc<Mutex<HashSet<OsString>>>,
    messages: Sender<Message>,
    versions: Receiver<Version>,
}

impl Watch {
    /// Starts to follow `recipe`; also gives its present version. Files that are `own` will not be followed, whoever asks.
    pub fn new(recipe: &Path, own: impl Fn(&Path) -> bool + Send + 'static) -> Result<(Self, Version), WatchError> {
        let (messages, incoming) = channel();
        let (outgoing, versions) = channel();
        let names = Arc::new(Mutex::new(HashSet::new()));
        let unwatchable = |error| WatchError::Unwatchable { path: recipe.display().to_string(), error };
        let watcher = notify::recommended_watcher(handler(names.clone(), messages.clone())).map_err(unwatchable)?;
        let folders = HashSet::new();
        let own = Box::new(own);
        let mut watch = Watch { recipe: recipe.to_path_buf(), own, watcher, folders, names, messages, versions };
        // First the events, then the content: what changes in between is noticed.
        watch.arm(recipe).map_err(unwatchable)?;
        let bytes = std::fs::read(recipe)
            .map_err(|error| WatchError::Unreadable { path: recipe.display().to_string(), error })?;
        let version = Version { recipe: bytes, files: 0 };
        let follower = Follower::new(recipe.to_path_buf(), version.clone());
        std::thread::spawn(move || follower.run(&incoming, &outgoing));
        Ok((watch, version))
    }

    /// Follows these files besides the recipe, and no others any more.
    pub fn follow(&mut self, files: &[PathBuf]) -> Result<(), WatchError> {
        let files: Vec<PathBuf> = files.iter().filter(|file| !(self.own)(file)).cloned().collect();
        // The recipe again: it may have become a link to another folder.
        for path in files.iter().chain([&self.recipe.clone()]) {
            self.arm(path).map_err(|error| WatchError::Unwatchable { path: path.display().to_string(), error })?;
        }
        // Looked at now, not when the follower gets to it: what changes from here on is news.
        let files = files.into_iter().map(|file| {
            let content = content(&file);
            (file, content)
        });
        // The follower lives as long as we hold the sender.
        let _ = self.messages.send(Message::Follow(files.collect()));
        Ok(())
    }

    /// The newest version since the last call, if there is one. Does not wait.
    pub fn newest(&self) -> Option<Version> {
        self.versions.try_iter().last()
    }

    /// Waits so long for a new version.
    pub fn next_within(&self, time: Duration) -> Option<Version> {
        let first = self.versions.recv_timeout(time).ok()?;
        Some(self.newest().unwrap_or(first))
    }

    /// Waits for a new version; `None` if none can come any more.
    pub fn next(&self) -> Option<Version> {
        let first = self.versions.recv().ok()?;
        Some(self.newest().unwrap_or(first))
    }

    /// Watches the folder a path is in, and if the path is a link the one its target is in.
    fn arm(&mut self, path: &Path) -> notify::Result<()> {
        let target = std::fs::canonicalize(path).ok();
        for path in target.as_deref().into_iter().chain([path]) {
            let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else { continue };
            self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            if let Ok(folder) = std::fs::canonicalize(parent)
                && !self.folders.contains(&folder)
            {
                self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
                self.folders.insert(folder);
            }
        }
        Ok(())
    }
}

/// Turns events into a wish to look, where they are about names that matter.
fn handler(
    names: Arc<Mutex<HashSet<OsString>>>,
    messages: Sender<Message>,
) -> impl FnMut(notify::Result<notify::Event>) + Send + 'static {
    move |event| {
        let matters = match event {
            Ok(event) => {
                // Our own reading opens and closes files; to look at that would never end.
                let access =
                    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
                let names = names.lock().unwrap_or_else(PoisonError::into_inner);
                let known = |path: &PathBuf| path.file_name().is_some_and(|name| names.contains(name));
                event.need_rescan() || !access && event.paths.iter().any(known)
            }
            // Something was missed.
            Err(_) => true,
        };
        if matters {
            let _ = messages.send(Message::Look);
        }
    }
}

#[cfg(test)]
mod tests;
