//! `--watch=continue`: an edit continues from the current canvas, whatever it changed.
//!
//! If the edit changed nothing that mattered so far, an ordinary render would reach the same canvas, and the picture can be made
//! again. Otherwise the picture keeps a list of such edits, and none of its states goes to the store.

use crate::output::Continued;
use crate::picture::Picture;
use crate::plan::Plan;
use crate::recipe::changes;
use crate::render::{Left, Progress, Standing, State, canvas_fits};
use crate::store::{Arrays, Conditions, Mark};

/// What the render of an edition leaves for the next one.
pub(crate) struct Carried {
    pub plan: Plan,
    pub conditions: Conditions,
    /// The recipe's text.
    pub text: String,
    pub canvas: CanvasCopy,
    /// The place of the canvas in an ordinary render; none if no ordinary render passes through it.
    pub mark: Option<Mark>,
    /// The edits so far that made it differ from an ordinary render.
    pub edits: Vec<Continued>,
}

/// A copy of a canvas between two steps.
pub(crate) struct CanvasCopy {
    pub standing: Standing,
    pub arrays: Arrays,
    pub picture: Picture,
}

impl CanvasCopy {
    pub fn of(progress: &mut Progress<'_>) -> Self {
        let state = progress.state();
        let (standing, arrays) = (state.standing.clone(), Arrays::of(&state));
        CanvasCopy { standing, arrays, picture: progress.picture() }
    }
}

/// What a render takes over from an earlier one, and what it leaves.
pub(crate) struct Carry<'a> {
    pub before: Option<&'a Carried>,
    /// Unchanged if no step was done.
    pub left: &'a mut Option<Carried>,
}

/// How a render continues from what another one left.
pub(crate) struct Course {
    /// The position in the new plan.
    pub standing: Standing,
    pub edits: Vec<Continued>,
    /// Whether the canvas has the new plan's size and basis.
    pub fits: bool,
    /// Whether this render begins with the last of the edits.
    pub edited: bool,
}

impl Carried {
    /// Returns whether an ordinary render of `plan` passes through exactly this canvas.
    pub fn is_on_the_way_of(&self, plan: &Plan, conditions: &Conditions) -> bool {
        self.edits.is_empty() && self.mark.as_ref().is_some_and(|mark| mark.is_on_the_way_of(plan, conditions))
    }

    /// Returns how a render of `plan` continues from here.
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

    /// Returns the canvas in the form that a render takes.
    pub fn state(&self, standing: &Standing) -> State<'_> {
        self.canvas.arrays.state(standing.clone())
    }

    /// Returns the canvas for a render of another plan.
    pub fn left<'a>(&'a self, state: &'a State<'a>, course: &Course) -> Left<'a> {
        Left { state, picture: &self.canvas.picture, fits: course.fits }
    }
}

/// Returns whether two plans differ at most in their titles.
fn same(before: &Plan, after: &Plan) -> bool {
    Plan { title: after.title.clone(), ..before.clone() } == *after
}
