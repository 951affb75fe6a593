//! The queue of renders: the recipe edited last comes first, then those that wait, the last edited first. A recipe whose render
//! was interrupted waits with its state.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::edition::Edition;
use crate::cli::job::carry::Carried;
use crate::cli::job::live::Live;
use crate::cli::job::{Job, identity};
use crate::cli::terminal::Voice;
use crate::clip::Cancel;
use crate::store::StateInMemory;
use crate::watch::Version;

/// The number of states kept in memory per recipe: undoing an edit finds its state again.
const KEPT: usize = 2;

/// The queue shared by the reading thread and the rendering thread.
pub(super) struct Desk<'a> {
    voice: &'a Voice,
    live: &'a Live,
    cancel: Cancel,
    /// Whether messages name the recipe.
    pub several: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    recipes: Vec<Recipe>,
    /// The number of edits so far.
    edits: u64,
    running: Option<Running>,
    /// The number of changes to what [`State::waiting`] says.
    moves: u64,
    closed: bool,
}

struct Recipe {
    job: Job,
    /// Whether it is followed because its folder is.
    found: bool,
    /// The last version without a mistake.
    edition: Option<Arc<Edition>>,
    /// Whether its render is pending or running.
    due: bool,
    /// The number of its last edit; 0 before the first.
    edited: u64,
    /// The version that its picture shows.
    shown: Option<Version>,
    /// Whether the version saved last has a mistake.
    wrong: bool,
    memory: Vec<StateInMemory>,
    /// See [`Turn::carry`]. During a render the turn owns it.
    carry: Option<Carried>,
}

struct Running {
    recipe: PathBuf,
    unwanted: bool,
}

/// What the rendering thread does next.
pub(super) enum Next {
    Render(Box<Turn>),
    /// Print this and ask again.
    Rest(String),
    /// Stop.
    End,
}

/// The next render.
pub(super) struct Turn {
    pub job: Job,
    pub edition: Arc<Edition>,
    /// Whether this is not the recipe's first version.
    pub edited: bool,
    pub memory: Vec<StateInMemory>,
    /// What an earlier version's render left behind.
    pub carry: Option<Carried>,
}

/// A saved version of a recipe.
pub(super) struct Offer<'a> {
    pub recipe: &'a Path,
    pub edition: Arc<Edition>,
}

/// A recipe's job and its last version without a mistake.
pub(super) struct Known {
    pub job: Job,
    pub edition: Option<Arc<Edition>>,
}

impl<'a> Desk<'a> {
    pub fn new(voice: &'a Voice, live: &'a Live, cancel: Cancel, several: bool) -> Self {
        Desk { voice, live, cancel, several, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reading thread's side.
impl Desk<'_> {
    /// Adds a recipe of which no version has been read.
    pub fn add(&self, job: Job, found: bool) {
        let recipe = Recipe {
            job,
            found,
            edition: None,
            due: false,
            edited: 0,
            shown: None,
            wrong: false,
            memory: Vec::new(),
            carry: None,
        };
        self.lock().recipes.push(recipe);
    }

    pub fn recipes(&self) -> Vec<PathBuf> {
        self.lock().recipes.iter().map(|recipe| recipe.job.recipe.clone()).collect()
    }

    /// Returns where pictures are written.
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.lock().recipes.iter().map(|recipe| identity(&recipe.job.output)).collect()
    }

    pub fn known(&self, recipe: &Path) -> Option<Known> {
        let mut state = self.lock();
        let recipe = state.recipe(recipe)?;
        Some(Known { job: recipe.job.clone(), edition: recipe.edition.clone() })
    }

    /// Queues a recipe's first version. It does not interrupt a render under way.
    pub fn begin(&self, edition: Arc<Edition>, recipe: &Path) {
        let mut state = self.lock();
        if let Some(recipe) = state.recipe(recipe) {
            recipe.edition = Some(edition);
            recipe.due = true;
            recipe.wrong = false;
            self.changed.notify_all();
        }
    }

    /// Returns whether a version is the one due or being rendered or, if none is, the one its picture shows. This happens after a
    /// mistake is undone, or when the recipe's file was away for a while.
    pub fn is_back(&self, recipe: &Path, version: &Version) -> bool {
        let mut state = self.lock();
        let Some(recipe) = state.recipe(recipe) else { return false };
        let current = match recipe.due {
            true => recipe.edition.as_ref().map(|edition| &edition.version),
            false => recipe.shown.as_ref(),
        };
        if current != Some(version) {
            return false;
        }
        recipe.wrong = false;
        let (name, due) = (recipe.job.name(), recipe.due);
        drop(state);
        let what = if due { "again matches the render in progress" } else { "again matches its picture" };
        self.voice.note(&format!("{name} {what}"));
        self.moved();
        true
    }

    /// Queues a saved version without mistakes. A render under way stops: at once if its result is no longer wanted, after its
    /// step if only the text inside the picture changes.
    pub fn offer(&self, Offer { recipe, edition }: Offer<'_>) {
        let mut state = self.lock();
        state.edits += 1;
        let edits = state.edits;
        let Some(recipe) = state.recipe(recipe) else { return };
        let before = recipe.edition.replace(edition.clone());
        // With the same plan nothing is computed anew, so the stop can wait for the end of a step.
        let same = before.is_some_and(|before| before.compiled.plan == edition.compiled.plan);
        (recipe.due, recipe.wrong, recipe.edited) = (true, false, edits);
        self.stop(&mut state, !same);
        self.changed.notify_all();
    }

    /// Records that the saved version has a mistake. A render under way goes on.
    pub fn wrong(&self, recipe: &Path) {
        if let Some(recipe) = self.lock().recipe(recipe) {
            recipe.wrong = true;
        }
        self.moved();
    }

    /// Records that a recipe's file is gone. A recipe found in a folder is forgotten; one that was named may come back.
    pub fn gone(&self, path: &Path) {
        let mut state = self.lock();
        let Some(recipe) = state.recipe(path) else { return };
        let (name, found) = (recipe.job.name(), recipe.found);
        if found {
            state.recipes.retain(|recipe| recipe.job.recipe != path);
            if state.running.as_ref().is_some_and(|running| running.recipe == path) {
                self.stop(&mut state, true);
            }
        }
        drop(state);
        self.voice.note(&match found {
            true => format!("{name} is gone; its picture stays"),
            false => format!("{name} is gone; it is followed again when it is back"),
        });
        self.moved();
    }

    /// Wakes the rendering thread, as the message shown while it waits has changed.
    fn moved(&self) {
        self.lock().moves += 1;
        self.changed.notify_all();
    }

    /// Tells the rendering thread that there will be no more news.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn stop(&self, state: &mut State, at_once: bool) {
        let Some(running) = &mut state.running else { return };
        running.unwanted = true;
        if at_once {
            self.cancel.cancel();
        }
        // The render may be paused.
        self.live.wake();
    }
}

/// The rendering thread's side.
impl Desk<'_> {
    /// Returns what to do next, and waits while there is nothing. `seen` is the number of moves at the last [`Next::Rest`].
    pub fn next(&self, seen: &mut Option<u64>) -> Next {
        let mut state = self.lock();
        loop {
            if let Some(turn) = state.turn(&self.cancel) {
                *seen = None;
                return Next::Render(Box::new(turn));
            }
            if state.closed {
                return Next::End;
            }
            if *seen != Some(state.moves) {
                *seen = Some(state.moves);
                return Next::Rest(state.waiting());
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns whether the render under way is to stop.
    pub fn is_unwanted(&self) -> bool {
        self.lock().running.as_ref().is_some_and(|running| running.unwanted)
    }

    /// Records that the picture is complete.
    pub fn done(&self, turn: Turn) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        recipe.memory.clear();
        recipe.carry = turn.carry;
        recipe.shown = Some(turn.edition.version.clone());
        recipe.settle(&turn.edition);
    }

    /// Records that this edition failed and gets no picture.
    pub fn failed(&self, turn: Turn) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        recipe.carry = turn.carry;
        recipe.wrong |= recipe.is_of(&turn.edition);
        recipe.settle(&turn.edition);
    }

    /// Puts an interrupted render aside with its state.
    pub fn put_aside(&self, turn: Turn, memory: Option<StateInMemory>) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        let carried = turn.carry.as_ref().map(|carry| carry.canvas.standing.steps);
        let steps = memory.as_ref().map(StateInMemory::steps).or(carried).unwrap_or(0);
        recipe.carry = turn.carry;
        recipe.memory.extend(memory);
        recipe.memory.drain(..recipe.memory.len().saturating_sub(KEPT));
        // If the recipe itself was edited, the next render reports it.
        if recipe.is_of(&turn.edition) {
            let (name, total) = (recipe.job.name(), turn.edition.compiled.plan.steps());
            drop(state);
            self.voice.note(&format!("{name}: put aside at step {steps} of {total}"));
        }
    }
}

impl State {
    fn recipe(&mut self, path: &Path) -> Option<&mut Recipe> {
        self.recipes.iter_mut().find(|recipe| recipe.job.recipe == path)
    }

    /// Returns the message to show while there is nothing to render.
    fn waiting(&self) -> String {
        let wrong: Vec<String> =
            self.recipes.iter().filter(|recipe| recipe.wrong).map(|recipe| recipe.job.name()).collect();
        let what = match &self.recipes[..] {
            [only] => format!("an edit of {}", only.job.name()),
            [] => "a recipe".to_owned(),
            many => format!("an edit of one of {} recipes", many.len()),
        };
        let mistakes = match (&wrong[..], self.recipes.len()) {
            ([], _) => String::new(),
            (_, 1) => "; it cannot be rendered as it stands".to_owned(),
            (wrong, _) => format!("; these cannot be rendered as they stand: {}", wrong.join(", ")),
        };
        format!("waiting for {what}{mistakes}")
    }

    fn turn(&mut self, cancel: &Cancel) -> Option<Turn> {
        // Takes the last edited recipe or, if none was edited, the first one.
        let due = self.recipes.iter_mut().rev().filter(|recipe| recipe.due);
        let recipe = due.max_by_key(|recipe| recipe.edited)?;
        let edition = recipe.edition.clone()?;
        let edited = recipe.edited > 0;
        let (memory, carry) = (recipe.memory.clone(), recipe.carry.take());
        let turn = Turn { job: recipe.job.clone(), edition, edited, memory, carry };
        self.running = Some(Running { recipe: turn.job.recipe.clone(), unwanted: false });
        cancel.reset();
        Some(turn)
    }
}

impl Recipe {
    /// Returns whether `rendered` is the newest edition.
    fn is_of(&self, rendered: &Arc<Edition>) -> bool {
        self.edition.as_ref().is_some_and(|edition| Arc::ptr_eq(edition, rendered))
    }

    fn settle(&mut self, rendered: &Arc<Edition>) {
        if self.is_of(rendered) {
            self.due = false;
        }
    }
}
