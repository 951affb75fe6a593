//! When a running render's state is kept.

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

/// Between two checkpoints within a phase, at least.
const EVERY: Duration = Duration::from_secs(5);
/// The share of the render's time that checkpoints within it may take: a fiftieth would be the promise; they stay below half
/// of it, as what disturbs the other threads cannot be measured.
const SHARE: u32 = 100;
/// Short phases' ends are kept even where that takes a larger share, as long as it comes to no more than this in all.
const ALLOWANCE: Duration = Duration::from_millis(300);

/// A state that was kept in memory: what a run that was stopped goes on from.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(super) start: Key,
    pub(super) key: Key,
    pub(super) steps: u64,
    pub(super) cuts: Vec<(usize, u64)>,
    pub(super) bytes: Arc<Vec<u8>>,
}

impl Memory {
    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// Why a state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Some seconds have passed; the next one takes its place, and where the one before is still being written it is left out.
    Passing,
    /// A phase or the run is over.
    End,
    /// The render is being stopped: it is kept in memory, too.
    Stop,
}

/// Keeps the states of one render: at the ends of phases, every few seconds, at the end, and when asked to.
pub struct Keeper<'a> {
    store: &'a Store,
    conditions: &'a Conditions,
    chain: Chain<'a>,
    called: String,
    /// Whether the files are still what the keys say.
    sure: Option<bool>,
    began: Instant,
    last: Instant,
    spent: Duration,
    /// The last checkpoint within a phase; the next one takes its place.
    passing: Option<PathBuf>,
    memory: Option<Memory>,
}

impl<'a> Keeper<'a> {
    /// For a render that begins at the chain's place. `called`: the recipe's title or file name.
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

    /// A keeper that goes on from a state that was found.
    #[must_use]
    pub(super) fn after(mut self, found: &Found<'a>) -> Self {
        self.passing = found.passing.clone();
        self
    }

    /// To be called after every step of the render.
    pub fn step(&mut self, progress: &Progress<'_>) {
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

    fn follow(&mut self, progress: &Progress<'_>) {
        self.chain.advance();
        if progress.ends_phase() && !self.chain.phase_is_over() {
            self.chain.cut();
        }
    }

    /// In place of [`Keeper::step`]: keeps the state in memory, too, as the render is being stopped after this step.
    pub fn stop(&mut self, progress: &Progress<'_>) {
        self.follow(progress);
        self.memory = self.keep(progress, Why::Stop);
    }

    /// The same where the render is stopped within a step, which does not count.
    pub fn cancelled(&mut self, progress: &Progress<'_>) {
        self.memory = self.keep(progress, Why::Stop);
    }

    /// Where the render is.
    pub fn mark(&self) -> Mark {
        self.chain.mark()
    }

    /// What [`Keeper::stop`] kept.
    pub fn into_memory(self) -> Option<Memory> {
        self.memory
    }

    fn keep(&mut self, progress: &Progress<'_>, why: Why) -> Option<Memory> {
        // By now everything has been read; a file that changed while it was being read is not known.
        if !*self.sure.get_or_insert_with(|| self.conditions.files.are_unchanged()) {
            return None;
        }
        let start = Instant::now();
        let state = progress.state();
        let fits = size(&state) <= self.store.limit();
        if !fits && why != Why::Stop {
            return None;
        }
        let passing = why != Why::End;
        let about = About { passing, ..About::new(&self.chain, &state, progress.similarities, &self.called) };
        let bytes = Arc::new(checkpoint::write(&about, &state)?);
        let memory = Memory {
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

/// Bytes of a state's arrays.
fn size(state: &State<'_>) -> u64 {
    let size = |values: &Values<'_>| match values {
        Values::F32(values) => size_of_val(*values),
        Values::U16(values) => size_of_val(*values),
        Values::U64(values) => size_of_val(*values),
    };
    state.canvas.tensors.iter().map(|tensor| size(&tensor.values) as u64).sum()
}
