//! `--watch=continue`: an edit goes on from the canvas as it is, whatever it changed.
//!
//! Where it changed nothing that counted up to there, that is what an ordinary render does, and the picture can be made again.
//! Otherwise the picture keeps a list of such edits, and no state of it goes to the store.

use crate::output::Continued;
use crate::picture::Picture;
use crate::plan::Plan;
use crate::recipe::changes;
use crate::render::{Left, Progress, Standing, State, canvas_fits};
use crate::store::{Arrays, Conditions, Mark};

/// What the render of an edition left.
pub(crate) struct Carried {
    pub plan: Plan,
    pub conditions: Conditions,
    /// The recipe's text.
    pub text: String,
    pub canvas: Kept,
    /// Where it was on the way of an ordinary render; none where it was not.
    pub mark: Option<Mark>,
    /// The edits so far that made it another one.
    pub edits: Vec<Continued>,
}

/// A canvas between two steps, copied.
pub(crate) struct Kept {
    pub standing: Standing,
    pub arrays: Arrays,
    pub picture: Picture,
}

impl Kept {
    pub fn of(progress: &mut Progress<'_>) -> Self {
        let state = progress.state();
        let (standing, arrays) = (state.standing.clone(), Arrays::of(&state));
        Kept { standing, arrays, picture: progress.picture() }
    }
}

/// What a render is given of an earlier one, and leaves.
pub(crate) struct Carry<'a> {
    pub before: Option<&'a Carried>,
    /// Stays as it is where no step was done.
    pub left: &'a mut Option<Carried>,
}

/// How a render goes on with what another one left.
pub(crate) struct Course {
    /// In the new plan.
    pub standing: Standing,
    pub edits: Vec<Continued>,
    /// The canvas is of the new plan's size and basis.
    pub fits: bool,
    /// The last of the edits is what this render begins with.
    pub edited: bool,
}

impl Carried {
    /// Whether an ordinary render of `plan` passes through this very canvas.
    pub fn is_on_the_way_of(&self, plan: &Plan, conditions: &Conditions) -> bool {
        self.edits.is_empty() && self.mark.as_ref().is_some_and(|mark| mark.is_on_the_way_of(plan, conditions))
    }

    /// How it goes on.
    pub fn course(&self, plan: &Plan, conditions: &Conditions, text: &str) -> Course {
        let standing = &self.canvas.standing;
        if self.is_on_the_way_of(plan, conditions) || same(&self.plan, plan) && self.conditions == *conditions {
            let standing = standing.kept(&self.plan, plan);
            return Course { standing, edits: self.edits.clone(), fits: true, edited: false };
        }
        let steps = self.plan.steps();
        let place: u64 = self.plan.phases.iter().take(standing.phase).map(|phase| u64::from(phase.steps)).sum();
        let edit = Continued {
            step: place + standing.phase_step,
            steps,
            changed: changes(&self.text, text).unwrap_or_default(),
        };
        Course {
            standing: standing.carried(&self.plan, plan),
            edits: self.edits.iter().cloned().chain([edit]).collect(),
            fits: canvas_fits(&self.plan, plan),
            edited: true,
        }
    }

    /// The canvas, as a render takes it.
    pub fn state(&self, standing: &Standing) -> State<'_> {
        self.canvas.arrays.state(standing.clone())
    }

    /// The canvas under another plan.
    pub fn left<'a>(&'a self, state: &'a State<'a>, course: &Course) -> Left<'a> {
        Left { state, picture: &self.canvas.picture, fits: course.fits }
    }
}

/// Two plans differ in their titles at most.
fn same(before: &Plan, after: &Plan) -> bool {
    Plan { title: after.title.clone(), ..before.clone() } == *after
}
