//! Decides when to store a running render's state.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::checkpoint::{self, About};
use super::conditions::Conditions;
use super::key::{Chain, Key, Mark};
use super::writer::Task;
use super::{Found, Store};
use crate::canvas::Values;
use crate::render::{Progress, State};

/// The minimum time between two checkpoints within a phase.
const EVERY: Duration = Duration::from_secs(5);
/// The inverse of the share of render time that checkpoints may take. The promise is a fiftieth; they stay below half of it, because the
/// disturbance of other threads cannot be measured.
const SHARE: u32 = 100;
/// Ends of short phases are stored even if that exceeds the share, as long as the total time is at most this.
const ALLOWANCE: Duration = Duration::from_millis(300);

/// A state held in memory, from which a stopped run can resume.
#[derive(Debug, Clone)]
pub struct StateInMemory {
    pub(super) start: Key,
    pub(super) key: Key,
    pub(super) steps: u64,
    pub(super) cuts: Vec<(usize, u64)>,
    pub(super) bytes: Arc<Vec<u8>>,
}

impl StateInMemory {
    /// Returns the number of steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// The reason for storing a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Some seconds have passed. The next such checkpoint replaces it; it is skipped if the one before is still being written.
    Passing,
    /// A phase or the run is over.
    End,
    /// The render is being stopped. The state is also kept in memory.
    Stop,
}

/// Stores the states of one render: at the ends of phases, every few seconds, at the end, and when asked to.
pub struct Keeper<'a> {
    store: &'a Store,
    conditions: &'a Conditions,
    chain: Chain<'a>,
    called: String,
    /// Whether the files are still those in the keys.
    sure: Option<bool>,
    began: Instant,
    last: Instant,
    spent: Duration,
    /// The last checkpoint within a phase, which the next one replaces.
    passing: Option<PathBuf>,
    memory: Option<StateInMemory>,
}

impl<'a> Keeper<'a> {
    /// Creates a keeper for a render that begins at the chain's place. `called` is the recipe's title or file name.
    pub(super) fn new(store: &'a Store, conditions: &'a Conditions, chain: Chain<'a>, called: &str) -> Self {
        let now = Instant::now();
        Keeper {
            store,
            conditions,
            chain,
            called: called.to_owned(),
            sure: None,
            began: now,
            last: now,
            spent: Duration::ZERO,
            passing: None,
            memory: None,
        }
    }

    /// Returns a keeper that continues from a state that was found.
    #[must_use]
    pub(super) fn after(mut self, found: &Found<'a>) -> Self {
        self.passing = found.passing.clone();
        self
    }

    /// Must be called after every step of the render.
    pub fn step(&mut self, progress: &mut Progress<'_>) {
        self.follow(progress);
        let cost = self.store.cost();
        let due = EVERY.max(cost * SHARE);
        if progress.ends_run() {
            self.keep(progress, Why::End);
        } else if progress.ends_phase() {
            let share = self.began.elapsed() / SHARE;
            if self.spent + cost <= share.max(ALLOWANCE) {
                self.keep(progress, Why::End);
            }
        } else if self.last.elapsed() >= due && !self.store.is_busy() {
            self.keep(progress, Why::Passing);
        }
    }

    fn follow(&mut self, progress: &mut Progress<'_>) {
        self.chain.advance();
        if progress.ends_phase() && !self.chain.phase_is_over() {
            self.chain.cut();
        }
    }

    /// Call it instead of [`Keeper::step`] if the render is stopped after this step. Also keeps the state in memory.
    pub fn stop(&mut self, progress: &mut Progress<'_>) {
        self.follow(progress);
        self.memory = self.keep(progress, Why::Stop);
    }

    /// Call it instead if the render is stopped within a step, which then does not count.
    pub fn cancelled(&mut self, progress: &mut Progress<'_>) {
        self.memory = self.keep(progress, Why::Stop);
    }

    /// Returns the render's present state as a mark.
    pub fn mark(&self) -> Mark {
        self.chain.mark()
    }

    /// Returns the state that [`Keeper::stop`] kept.
    pub fn into_memory(self) -> Option<StateInMemory> {
        self.memory
    }

    fn keep(&mut self, progress: &mut Progress<'_>, why: Why) -> Option<StateInMemory> {
        // All files have been read by now. If one changed while it was being read, its content is unknown.
        if !*self.sure.get_or_insert_with(|| self.conditions.files.are_unchanged()) {
            return None;
        }
        let start = Instant::now();
        let similarities = progress.similarities;
        let state = progress.state();
        let fits = size(&state) <= self.store.limit();
        if !fits && why != Why::Stop {
            return None;
        }
        let passing = why != Why::End;
        let about = About { passing, ..About::new(&self.chain, &state, similarities, &self.called) };
        let bytes = Arc::new(checkpoint::write(&about, &state)?);
        let memory = StateInMemory {
            start: self.chain.start(),
            key: self.chain.key(),
            steps: self.chain.steps(),
            cuts: self.chain.cuts().to_vec(),
            bytes: bytes.clone(),
        };
        if fits {
            let path = self.store.place(&memory);
            let task = Task { path: path.clone(), bytes, replaces: self.passing.clone() };
            if self.store.write(task, why != Why::Passing) {
                self.passing = passing.then_some(path);
            }
        }
        self.last = Instant::now();
        self.spent += start.elapsed() + self.store.cost();
        Some(memory)
    }
}

/// Returns the size of a state's arrays in bytes.
fn size(state: &State<'_>) -> u64 {
    let size = |values: &Values<'_>| match values {
        Values::F32(values) => size_of_val(*values),
        Values::U16(values) => size_of_val(*values),
        Values::U64(values) => size_of_val(*values),
    };
    state.canvas.tensors.iter().map(|tensor| size(&tensor.values) as u64).sum()
}
