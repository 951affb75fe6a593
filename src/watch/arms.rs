//! The system's events: which folders are watched, and which events matter.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::WatchError;
use super::follower::{Message, is_recipe};
use super::home::Home;
use super::parts::{Glance, Identity, identity_at};

/// The number of folders above a file that are watched. On Linux a watch covers a single folder and costs nothing. Elsewhere it may cover
/// everything below, so the clock takes care of higher folders.
const ABOVE: usize = if cfg!(any(target_os = "linux", target_os = "android")) { usize::MAX } else { 2 };

/// The folders that are watched.
pub(super) struct Arms {
    watcher: RecommendedWatcher,
    home: Home,
    /// Each with the identity of what was at the path when the watch began; the watch belongs to that.
    folders: HashMap<PathBuf, Identity>,
    matters: Arc<Mutex<Matters>>,
}

/// The paths whose events matter. Locked only briefly, because the system's thread waits for it.
#[derive(Default)]
struct Matters {
    /// Parts of the paths that are followed.
    paths: HashSet<PathBuf>,
    /// Folders in which recipes may appear.
    folders: HashSet<PathBuf>,
    /// Parts that were, or may have been, replaced since they were last looked at.
    replaced: HashSet<PathBuf>,
}

impl Arms {
    /// Creates a watcher that watches nothing yet. Events that matter send [`Message::Look`].
    pub fn new(home: Home, messages: Sender<Message>) -> Result<Self, WatchError> {
        let matters = Arc::new(Mutex::new(Matters::default()));
        let watcher = notify::recommended_watcher(handler(matters.clone(), messages));
        let watcher = watcher.map_err(|error| WatchError::Unwatchable { path: "a recipe".into(), error })?;
        Ok(Arms { watcher, home, folders: HashMap::new(), matters })
    }

    /// Watches the folders that these files' and folders' paths lead through now. Watches of folders that are no longer at their path are
    /// removed. A file's own folder must be watchable if it exists.
    pub fn follow<'p>(
        &mut self,
        files: impl Iterator<Item = &'p Path>,
        folders: impl Iterator<Item = &'p Path>,
    ) -> Result<(), WatchError> {
        let mut glance = Glance::default();
        // Each with the path that cannot do without it.
        let mut wanted: BTreeMap<PathBuf, Option<&Path>> = BTreeMap::new();
        for file in files {
            let way = glance.follow(&self.home.absolute(file));
            let last = way.parts.len().saturating_sub(1);
            for (index, (folder, _)) in way.parts.iter().enumerate().skip((last + 1).saturating_sub(ABOVE)) {
                let needed = (index == last).then_some(file);
                let before = wanted.entry(folder.clone()).or_default();
                *before = before.or(needed);
            }
            lock(&self.matters).paths.extend(way.parts.into_iter().map(|(_, part)| part));
        }
        for folder in folders {
            let way = glance.follow(&self.home.absolute(folder));
            for (above, _) in way.parts.iter().rev().take(ABOVE) {
                wanted.entry(above.clone()).or_default();
            }
            let mut matters = lock(&self.matters);
            matters.paths.extend(way.parts.into_iter().map(|(_, part)| part));
            if let Some(end) = way.end {
                matters.folders.insert(end.clone());
                wanted.insert(end, Some(folder));
            }
        }
        let replaced = std::mem::take(&mut lock(&self.matters).replaced);
        let gone = |(path, then): (&PathBuf, &Identity)| {
            (replaced.contains(path) || identity_at(path) != Some(*then)).then(|| path.clone())
        };
        let gone: Vec<PathBuf> = self.folders.iter().filter_map(gone).collect();
        // Remove all of them before adding any: two may have been swapped.
        for path in gone {
            self.folders.remove(&path);
            // The system may have removed the watch itself.
            let _ = self.watcher.unwatch(&path);
        }
        for (path, needed) in wanted {
            if self.folders.contains_key(&path) {
                continue;
            }
            // Read before the watch begins: a replacement in between is detected the next time.
            let Some(identity) = identity_at(&path) else { continue };
            match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.folders.insert(path, identity)),
                Err(error) => match needed.filter(|_| path.exists()) {
                    Some(needed) => {
                        return Err(WatchError::Unwatchable { path: needed.display().to_string(), error });
                    }
                    None => continue,
                },
            }
        }
        Ok(())
    }
}

fn lock(matters: &Mutex<Matters>) -> std::sync::MutexGuard<'_, Matters> {
    matters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a handler that sends [`Message::Look`] for events about paths that matter.
fn handler(
    matters: Arc<Mutex<Matters>>,
    messages: Sender<Message>,
) -> impl FnMut(notify::Result<notify::Event>) + Send + 'static {
    move |event| {
        let look = match event {
            Ok(event) => {
                // Our own reading opens and closes files. Reacting to those events would never end.
                let access =
                    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
                let same = matches!(
                    event.kind,
                    EventKind::Access(_) | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_))
                );
                let mut matters = lock(&matters);
                if !same {
                    let parts: Vec<&PathBuf> = event.paths.iter().filter(|p| matters.paths.contains(*p)).collect();
                    matters.replaced.extend(parts.into_iter().cloned());
                }
                let known = |path: &PathBuf| {
                    matters.paths.contains(path)
                        || is_recipe(path) && path.parent().is_some_and(|folder| matters.folders.contains(folder))
                };
                event.need_rescan() || !access && event.paths.iter().any(known)
            }
            // Events were missed.
            Err(_) => true,
        };
        if look {
            let _ = messages.send(Message::Look);
        }
    }
}
