//! The state of a render between two steps, so that it can be interrupted and resumed without any difference in the result.

use serde::{Deserialize, Serialize};

use super::{Mean, Past, Rises, Tally};
use crate::canvas;
use crate::plan::Plan;

/// Everything that later steps depend on besides the plan, the features and the encoder.
///
/// [`Progress::state`](super::Progress::state) borrows it after a step, [`resume`](super::resume) continues from it: the
/// pictures, the tally and the final bytes equal those of an uninterrupted render.
#[derive(Debug, Clone, PartialEq)]
pub struct State<'a> {
    pub standing: Standing,
    pub canvas: canvas::State<'a>,
}

/// How far a render has come, and its counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The index of the last phase that made a step, from 0.
    pub phase: usize,
    /// Steps done of that phase.
    pub phase_step: u64,
    /// Whether that phase is over: the next step is then the first one of the next phase.
    pub phase_over: bool,
    /// Steps done of the whole run; less than the sum of the phases' steps if one ended early.
    pub steps: u64,
    /// Windows looked at.
    pub views: u64,
    /// Places looked at.
    pub places: u64,
    /// Places won, in the order of [`Tally::entries`](super::Tally::entries).
    pub won: Vec<u64>,
    /// The probabilities seen of directions, in the order of [`Tally::directions`](super::Tally::directions).
    #[serde(default)]
    pub means: Vec<Mean>,
    /// The statistics that competing prompts are measured against, in the order of [`Tally::entries`](super::Tally::entries).
    #[serde(default)]
    pub pasts: Vec<Past>,
    /// The running means of the current phase, if it may end early.
    pub rises: Option<Rises>,
}

impl Standing {
    /// Returns whether all of the plan's steps are done.
    pub fn is_end_of(&self, plan: &Plan) -> bool {
        self.phase_over && self.phase + 1 >= plan.phases.len()
    }

    /// Returns why this is not the state of a render of this plan, or `None` if it fits.
    pub(super) fn misfit(&self, plan: &Plan, tally: &Tally) -> Option<String> {
        let Some(phase) = plan.phases.get(self.phase) else {
            return Some(format!("the state is in phase {} of {}", self.phase + 1, plan.phases.len()));
        };
        if self.phase_step > u64::from(phase.steps) || self.steps > plan.steps() {
            return Some(format!("the state is at step {} of the {} of its phase", self.phase_step, phase.steps));
        }
        let targets = self.rises.as_ref().map_or(plan.targets.len(), |rises| rises.targets.len());
        if targets != plan.targets.len() {
            return Some(format!("the state has {targets} targets, but the plan has {}", plan.targets.len()));
        }
        let (told, prompts) = (self.won.len(), tally.entries.len());
        if self.means.len() != tally.directions.len() {
            let directions = (self.means.len(), tally.directions.len());
            return Some(format!("the state has {} directions, but the plan has {}", directions.0, directions.1));
        }
        if told != prompts {
            return Some(format!("the state has a tally of {told} prompts, but the plan has {prompts} prompts"));
        }
        let pasts = self.pasts.len();
        (pasts != prompts)
            .then(|| format!("the state has pasts of {pasts} prompts, but the plan has {prompts} prompts"))
    }
}
