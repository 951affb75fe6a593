//! What is to be rendered, and whose turn it is: the recipe that was edited last, then those that wait, the last edited first.
//! A recipe whose render was interrupted waits with its state.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::edition::Edition;
use crate::cli::job::carry::Carried;
use crate::cli::job::live::Live;
use crate::cli::job::{Job, identity};
use crate::cli::terminal::Voice;
use crate::clip::Cancel;
use crate::store::Memory;
use crate::watch::Version;

/// States that are kept in memory of a recipe: an edit that is taken back finds its state.
const KEPT: usize = 2;

/// Where the thread that reads and the one that renders meet.
pub(super) struct Desk<'a> {
    voice: &'a Voice,
    live: &'a Live,
    cancel: Cancel,
    /// Messages are to name the recipe.
    pub several: bool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    recipes: Vec<Recipe>,
    /// Edits so far.
    edits: u64,
    running: Option<Running>,
    /// Counts what changes [`State::waiting`].
    moves: u64,
    closed: bool,
}

struct Recipe {
    job: Job,
    /// It is followed because its folder is.
    found: bool,
    /// The last version without a mistake.
    edition: Option<Arc<Edition>>,
    /// It is still to be rendered, or is being rendered.
    due: bool,
    /// The number of its last edit; 0 before the first.
    edited: u64,
    /// What its picture shows.
    shown: Option<Version>,
    /// What was saved last has a mistake.
    wrong: bool,
    memory: Vec<Memory>,
    /// See [`Turn::carry`]; while it is rendered the turn has it.
    carry: Option<Carried>,
}

struct Running {
    recipe: PathBuf,
    unwanted: bool,
}

/// What the rendering thread is to do.
pub(super) enum Next {
    Render(Box<Turn>),
    /// Say this, and ask again.
    Rest(String),
    /// Nothing any more.
    End,
}

/// What is rendered next.
pub(super) struct Turn {
    pub job: Job,
    pub edition: Arc<Edition>,
    /// It is not the first version.
    pub edited: bool,
    pub memory: Vec<Memory>,
    /// What the render of an earlier version left.
    pub carry: Option<Carried>,
}

/// A version that was saved.
pub(super) struct Offer<'a> {
    pub recipe: &'a Path,
    pub edition: Arc<Edition>,
}

/// What is known of a recipe.
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

/// The reading side.
impl Desk<'_> {
    /// A recipe, nothing of which is known yet.
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

    /// Where pictures are written.
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.lock().recipes.iter().map(|recipe| identity(&recipe.job.output)).collect()
    }

    pub fn known(&self, recipe: &Path) -> Option<Known> {
        let mut state = self.lock();
        let recipe = state.recipe(recipe)?;
        Some(Known { job: recipe.job.clone(), edition: recipe.edition.clone() })
    }

    /// A recipe's first version: others need not wait for it.
    pub fn begin(&self, edition: Arc<Edition>, recipe: &Path) {
        let mut state = self.lock();
        if let Some(recipe) = state.recipe(recipe) {
            recipe.edition = Some(edition);
            recipe.due = true;
            recipe.wrong = false;
            self.changed.notify_all();
        }
    }

    /// Whether a version is what its picture shows, or is being rendered: after a detour over a mistake, or as its file was
    /// away for a while.
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
        let what = if due { "is again what is being rendered" } else { "is again what its picture shows" };
        self.voice.note(&format!("{name} {what}"));
        self.moved();
        true
    }

    /// A version was saved that can be rendered. A render under way stops: at once where what it computes is no longer wanted,
    /// after its step where the picture is only to be written with another text.
    pub fn offer(&self, Offer { recipe, edition }: Offer<'_>) {
        let mut state = self.lock();
        state.edits += 1;
        let edits = state.edits;
        let Some(recipe) = state.recipe(recipe) else { return };
        let before = recipe.edition.replace(edition.clone());
        // With the same plan nothing has to be computed: that can wait for the end of a step.
        let same = before.is_some_and(|before| before.compiled.plan == edition.compiled.plan);
        (recipe.due, recipe.wrong, recipe.edited) = (true, false, edits);
        self.stop(&mut state, !same);
        self.changed.notify_all();
    }

    /// What was saved has a mistake. What is being rendered goes on.
    pub fn wrong(&self, recipe: &Path) {
        if let Some(recipe) = self.lock().recipe(recipe) {
            recipe.wrong = true;
        }
        self.moved();
    }

    /// A recipe's file is no longer there. One of a folder is forgotten, one that was named may come back.
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

    /// Something is different that is told while nothing is to be done.
    fn moved(&self) {
        self.lock().moves += 1;
        self.changed.notify_all();
    }

    /// There will be no more news.
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
        // It may be paused.
        self.live.wake();
    }
}

/// The rendering side.
impl Desk<'_> {
    /// What to do next. Where that is nothing, it waits; `seen` is what the caller was told last.
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

    /// Whether the render under way is to stop.
    pub fn is_unwanted(&self) -> bool {
        self.lock().running.as_ref().is_some_and(|running| running.unwanted)
    }

    /// The picture is complete.
    pub fn done(&self, turn: Turn) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        recipe.memory.clear();
        recipe.carry = turn.carry;
        recipe.shown = Some(turn.edition.version.clone());
        recipe.settle(&turn.edition);
    }

    /// There will be no picture of this edition.
    pub fn failed(&self, turn: Turn) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        recipe.carry = turn.carry;
        recipe.wrong |= recipe.is_of(&turn.edition);
        recipe.settle(&turn.edition);
    }

    /// The render was interrupted in this state.
    pub fn put_aside(&self, turn: Turn, memory: Option<Memory>) {
        let mut state = self.lock();
        state.running = None;
        let Some(recipe) = state.recipe(&turn.job.recipe) else { return };
        let carried = turn.carry.as_ref().map(|carry| carry.canvas.standing.steps);
        let steps = memory.as_ref().map(Memory::steps).or(carried).unwrap_or(0);
        recipe.carry = turn.carry;
        recipe.memory.extend(memory);
        recipe.memory.drain(..recipe.memory.len().saturating_sub(KEPT));
        // Of its own edit the render that follows tells.
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

    /// What there is to say while nothing is to be done.
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
            (_, 1) => "; as it is it cannot be rendered".to_owned(),
            (wrong, _) => format!("; not to be rendered as they are: {}", wrong.join(", ")),
        };
        format!("waiting for {what}{mistakes}")
    }

    fn turn(&mut self, cancel: &Cancel) -> Option<Turn> {
        // The last edited; of those that were not edited the first.
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
    /// Whether nothing newer is to be rendered.
    fn is_of(&self, rendered: &Arc<Edition>) -> bool {
        self.edition.as_ref().is_some_and(|edition| Arc::ptr_eq(edition, rendered))
    }

    fn settle(&mut self, rendered: &Arc<Edition>) {
        if self.is_of(rendered) {
            self.due = false;
        }
    }
}
