//! States of renders, stored on disk. A render that was killed resumes, a finished one is available at once, and an edited recipe resumes
//! from where the edit first matters.
//!
//! ```text
//! plan, conditions ─▶ Chain: a key for every step        (key, conditions, digest)
//!                       │
//!        Store::find ◀──┴──▶ Keeper, after every step    (keeper)
//!             │                    │
//!             ▼                    ▼
//!        a mapped file ◀── a thread that writes          (checkpoint, shelf, writer)
//! ```
//!
//! The store only ever saves time. A file that is damaged, foreign or missing counts as absent, and a failed write is ignored; neither
//! can change a picture.

mod checkpoint;
mod conditions;
mod digest;
mod keeper;
mod key;
mod limit;
mod shelf;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

pub use checkpoint::Arrays;
pub use conditions::{Conditions, Contents};
pub use keeper::{Keeper, StateInMemory};
pub use key::{ARITHMETIC, Chain, Key, Mark};
pub use limit::{DEFAULT_LIMIT, LIMIT_VARIABLE, parse_bytes};
pub use shelf::Holding;

use crate::ours::Cleared;
use crate::plan::Plan;
use crate::render::Standing;
use shelf::{Shelf, remove, touch};
use writer::{Task, Writer};

/// The environment variable that sets the folder, instead of `checkpoints` in our cache.
pub const FOLDER_VARIABLE: &str = "RECIPE_RENDER_STORE";

/// A folder of checkpoints.
pub struct Store {
    shelf: Shelf,
    folder: PathBuf,
    limit: u64,
    writer: Writer,
}

/// A state from which a render can resume.
#[derive(Debug)]
pub struct Found<'a> {
    /// The state's standing in the plan that was asked for.
    pub standing: Standing,
    /// The mean similarity of the winning prompts in the last step, for each target.
    pub similarities: Vec<(String, f32)>,
    /// The canvas.
    pub arrays: Arrays,
    /// The chain, advanced to this state.
    pub chain: Chain<'a>,
    /// Its file, if a later state may replace it.
    passing: Option<PathBuf>,
}

impl Store {
    /// Returns the store in `folder`, which need not exist yet. Its size is kept below `limit` bytes; with a limit of 0 it is empty.
    pub fn new(folder: PathBuf, limit: u64) -> Self {
        let shelf = Shelf::new(folder.clone());
        Store { writer: Writer::new(shelf.clone(), limit), shelf, folder, limit }
    }

    /// Returns the user's store folder: [`FOLDER_VARIABLE`], or `checkpoints` in the cache folder; none without a home.
    pub fn usual_folder() -> Option<PathBuf> {
        match std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
            Some(folder) => Some(PathBuf::from(folder)),
            None => crate::runtime::cache_folder().ok().map(|cache| cache.join("checkpoints")),
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the maximum number of bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Finds the furthest state that a render of `plan` under these conditions passes through. `memory` holds states that are not in the
    /// store, or not yet.
    pub fn find<'a>(&self, plan: &'a Plan, conditions: &'a Conditions, memory: &[StateInMemory]) -> Option<Found<'a>> {
        self.writer.settle();
        let mut chain = Chain::new(plan, conditions);
        let start = chain.start();
        let total = plan.steps();
        let mut places = self.shelf.places(start);
        places.retain(|place| place.steps <= total);
        let memory: Vec<&StateInMemory> = memory.iter().filter(|m| m.start == start && m.steps <= total).collect();
        let last = places.iter().map(|place| place.steps).chain(memory.iter().map(|m| m.steps)).max()?;
        let is_here = |chain: &Chain<'_>| {
            let (steps, name) = (chain.steps(), chain.key().name());
            places.iter().any(|place| place.steps == steps && place.key == name)
                || memory.iter().any(|memory| memory.steps == steps && memory.key == chain.key())
        };
        // All states that fit, the furthest last.
        let mut fitting: Vec<Chain<'a>> = Vec::new();
        if plan.phases.iter().any(|phase| phase.patience.is_some()) {
            // Only the states themselves tell where phases ended early.
            let mut courses: Vec<(u64, Vec<(usize, u64)>)> = memory.iter().map(|m| (m.steps, m.cuts.clone())).collect();
            let said = |place: &shelf::StoredState| Some((place.steps, checkpoint::about(&map(&place.path)?)?.cuts));
            courses.extend(places.iter().filter_map(said));
            courses.sort();
            courses.dedup();
            for (steps, cuts) in courses {
                let mut chain = chain.clone();
                if chain.replay(steps, &cuts) && is_here(&chain) {
                    fitting.push(chain);
                }
            }
        }
        while chain.steps() < last && chain.advance() {
            if is_here(&chain) && fitting.iter().all(|known| known.key() != chain.key()) {
                fitting.push(chain.clone());
            }
        }
        fitting.sort_by_key(Chain::steps);
        while let Some(chain) = fitting.pop() {
            let key = chain.key();
            if let Some(memory) = memory.iter().find(|memory| memory.key == key)
                && let Some((about, arrays)) = checkpoint::parse(&memory.bytes, &key)
                && let Some(standing) = about.standing(&chain)
            {
                let passing = Some(self.place(memory));
                return Some(Found { standing, similarities: about.similarities, arrays, chain, passing });
            }
            let name = key.name();
            let Some(place) = places.iter().find(|place| place.key == name) else { continue };
            let Some((about, arrays)) = map(&place.path).and_then(|bytes| checkpoint::read(&bytes, &key)) else {
                // It is damaged or foreign and would never be useful.
                remove(&place.path);
                continue;
            };
            let Some(standing) = about.standing(&chain) else { continue };
            touch(&place.path);
            let passing = about.passing.then(|| place.path.clone());
            return Some(Found { standing, similarities: about.similarities, arrays, chain, passing });
        }
        None
    }

    /// Returns a keeper for a render that begins at its start, or at a state that was found.
    pub fn keeper<'a>(
        &'a self,
        plan: &'a Plan,
        conditions: &'a Conditions,
        found: Option<&Found<'a>>,
        called: &str,
    ) -> Keeper<'a> {
        match found {
            Some(found) => Keeper::new(self, conditions, found.chain.clone(), called).after(found),
            None => Keeper::new(self, conditions, Chain::new(plan, conditions), called),
        }
    }

    /// Waits until everything is written.
    pub fn settle(&self) {
        self.writer.settle();
    }

    /// Returns what the store holds, by recipe.
    pub fn holdings(&self) -> Vec<Holding> {
        self.shelf.holdings()
    }

    /// Removes all checkpoints, and nothing else.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn clear(&self) -> std::io::Result<Cleared> {
        self.shelf.clear()
    }

    fn place(&self, memory: &StateInMemory) -> PathBuf {
        self.shelf.place(memory.start, memory.steps, memory.key)
    }

    fn write(&self, task: Task, patience: bool) -> bool {
        self.writer.write(task, patience)
    }

    fn is_busy(&self) -> bool {
        self.writer.is_busy()
    }

    /// Returns the time that the last checkpoint took in the writing thread.
    fn cost(&self) -> Duration {
        self.writer.last()
    }
}

/// Maps a file's bytes.
fn map(path: &Path) -> Option<Bytes> {
    crate::onnx::map_file(&File::open(path).ok()?).ok()
}
