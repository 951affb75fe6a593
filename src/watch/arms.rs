//! The system's events: which folders it is asked to tell of, and which events matter.

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

/// How many of the folders above a file are watched. On Linux a watch is of one folder alone and costs nothing; elsewhere it may
/// be of all that lies below, and the clock looks after what is higher up.
const ABOVE: usize = if cfg!(any(target_os = "linux", target_os = "android")) { usize::MAX } else { 2 };

/// The folders that are watched.
pub(super) struct Arms {
    watcher: RecommendedWatcher,
    home: Home,
    /// With what was at each path when it was asked for: a watch is of that.
    folders: HashMap<PathBuf, Identity>,
    matters: Arc<Mutex<Matters>>,
}

/// What an event has to be about. Held only for moments: the system's thread waits for it.
#[derive(Default)]
struct Matters {
    /// Parts of the paths that are followed.
    paths: HashSet<PathBuf>,
    /// Folders in which recipes may appear.
    folders: HashSet<PathBuf>,
    /// Parts that are, or may be, something else since they were looked at.
    replaced: HashSet<PathBuf>,
}

impl Arms {
    /// Watches nothing yet. Events that matter become wishes to look.
    pub fn new(home: Home, messages: Sender<Message>) -> Result<Self, WatchError> {
        let matters = Arc::new(Mutex::new(Matters::default()));
        let watcher = notify::recommended_watcher(handler(matters.clone(), messages));
        let watcher = watcher.map_err(|error| WatchError::Unwatchable { path: "a recipe".into(), error })?;
        Ok(Arms { watcher, home, folders: HashMap::new(), matters })
    }

    /// Watches what these files' and folders' paths lead through, as it is by now: whatever was watched under the path of
    /// something that has gone is let go. The folder that a file is in has to be watchable if it is there.
    pub fn follow<'p>(
        &mut self,
        files: impl Iterator<Item = &'p Path>,
        folders: impl Iterator<Item = &'p Path>,
    ) -> Result<(), WatchError> {
        let mut glance = Glance::default();
        // Each with the path for which it is indispensable.
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
        // All of them first: two may have changed places.
        for path in gone {
            self.folders.remove(&path);
            // The system may have let go of it itself.
            let _ = self.watcher.unwatch(&path);
        }
        for (path, needed) in wanted {
            if self.folders.contains_key(&path) {
                continue;
            }
            // Before it is watched: what takes its place in between is found out the next time.
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

/// Turns events into a wish to look, where they are about paths that matter.
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
            // Something was missed.
            Err(_) => true,
        };
        if look {
            let _ = messages.send(Message::Look);
        }
    }
}
