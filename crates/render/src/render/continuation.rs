//! Continues a canvas under another plan, whatever the differences between the two.

use super::{Past, Standing, distinct_prompts};
use crate::picture::Picture;
use crate::plan::{Plan, Prompt};

use super::State;

/// What a render of another plan left behind.
#[derive(Debug, Clone, Copy)]
pub struct Left<'a> {
    /// Its canvas, as it was between two steps.
    pub state: &'a State<'a>,
    /// The picture it showed: if its canvas differs in size or basis, the new one starts from this.
    pub picture: &'a Picture,
    /// Whether that canvas has the new plan's size and basis.
    pub fits: bool,
}

/// Returns whether a canvas of one plan can be used by another: its parameters mean the same.
pub fn canvas_fits(before: &Plan, after: &Plan) -> bool {
    before.size == after.size && before.canvas.basis == after.canvas.basis
}

impl Standing {
    /// Returns where a render that stands here in `before` continues in `after`: in the phase of the same name, or else in the
    /// phase at the same position, after the same number of its steps. A finished render continues with what comes after that
    /// phase; if nothing does, it repeats the last phase.
    pub fn carried(&self, before: &Plan, after: &Plan) -> Standing {
        let last = after.phases.len().saturating_sub(1);
        let name = before.phases.get(self.phase).map(|phase| &phase.name);
        let named = after.phases.iter().position(|phase| Some(&phase.name) == name);
        let phase = named.unwrap_or(self.phase.min(last));
        let steps = after.phases.get(phase).map_or(0, |phase| u64::from(phase.steps));
        let was_over = self.is_end_of(before);
        let planned = before.phases.get(self.phase).map_or(0, |phase| u64::from(phase.steps));
        let (phase, phase_step) = match was_over && phase == last && steps <= planned {
            true => (last, 0),
            // A phase that ended early, or is now shorter, is over; one that was completed and is now longer continues.
            false if self.phase_over && self.phase_step < planned => (phase, steps),
            false => (phase, self.phase_step.min(steps)),
        };
        self.at(before, after, phase, phase_step)
    }

    /// Returns the same place in a plan in which everything up to it is unchanged.
    pub fn kept(&self, before: &Plan, after: &Plan) -> Standing {
        let Standing { phase_over, steps, rises, .. } = self.clone();
        let (old, new) = (lines(before), lines(after));
        let past = |line: &(u64, &Prompt)| {
            let past = old.iter().position(|other| other == line).and_then(|at| self.pasts.get(at));
            past.copied().unwrap_or_default()
        };
        let pasts = new.iter().map(past).collect();
        Standing { phase_over, steps, rises, pasts, ..self.at(before, after, self.phase, self.phase_step) }
    }

    fn at(&self, before: &Plan, after: &Plan, phase: usize, phase_step: u64) -> Standing {
        let length = |index: usize| after.phases.get(index).map_or(0, |phase| u64::from(phase.steps));
        let (old, new) = (lines(before), lines(after));
        let won = |line: &(u64, &Prompt)| {
            let won = old.iter().position(|other| other == line).and_then(|at| self.won.get(at));
            won.copied().unwrap_or(0)
        };
        let seen = directions(before);
        let mean = |line: &(u64, &Prompt)| {
            let mean = seen.iter().position(|other| other == line).and_then(|at| self.means.get(at));
            mean.copied().unwrap_or_default()
        };
        Standing {
            phase,
            phase_step,
            phase_over: phase_step == length(phase),
            steps: (0..phase).map(length).sum::<u64>() + phase_step,
            views: self.views,
            places: self.places,
            won: new.iter().map(won).collect(),
            means: directions(after).iter().map(mean).collect(),
            // An edit may change what windows see, so statistics are collected anew from the current canvas.
            pasts: vec![Past::default(); new.len()],
            rises: None,
        }
    }
}

/// Returns what identifies each line of a plan's tally: the target and the prompt.
fn lines(plan: &Plan) -> Vec<(u64, &Prompt)> {
    let of = |target: &crate::plan::Target| {
        let key = target.identity();
        distinct_prompts(target).into_iter().map(move |prompt| (key, prompt)).collect::<Vec<_>>()
    };
    plan.targets.iter().flat_map(of).map(|(key, prompt)| (key, &plan.prompts[prompt])).collect()
}

/// Returns what identifies each mean of a plan's tally: the target and the direction.
fn directions(plan: &Plan) -> Vec<(u64, &Prompt)> {
    let of = |target: &'_ crate::plan::Target| {
        let key = target.identity();
        target.directions.iter().map(move |pull| (key, pull.prompt)).collect::<Vec<_>>()
    };
    plan.targets.iter().flat_map(of).map(|(key, prompt)| (key, &plan.prompts[prompt])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Overrides, compile};

    fn plan(prompts: &str, phases: &[(&str, u32)]) -> Plan {
        let phases = phases.iter().map(|(name, steps)| format!("[[phase]]\nname = '{name}'\nsteps = {steps}\n"));
        let text = format!("[[detail]]\nprompts = [{prompts}]\n{}", phases.collect::<String>());
        compile("a.toml".as_ref(), &text, &Overrides::default()).unwrap().plan
    }

    fn standing(phase: usize, phase_step: u64, phase_over: bool) -> Standing {
        Standing { phase, phase_step, phase_over, won: vec![3, 4], ..Standing::default() }
    }

    #[test]
    fn the_place_is_kept_as_well_as_it_can_be() {
        let before = plan("'a', 'b'", &[("one", 5), ("two", 5)]);
        for (at, after, wanted) in [
            // In the same phase, wherever it now stands.
            (standing(1, 2, false), &[("one", 9), ("two", 5)][..], (1, 2, false, 11)),
            (standing(1, 2, false), &[("two", 5), ("one", 5)], (0, 2, false, 2)),
            (standing(1, 2, false), &[("one", 5), ("new", 5)], (1, 2, false, 7)),
            (standing(1, 2, false), &[("one", 5)], (0, 2, false, 2)),
            // Shorter than it was: over.
            (standing(0, 4, false), &[("one", 3), ("two", 5)], (0, 3, true, 3)),
            // Ended early: over.
            (standing(0, 3, true), &[("one", 5), ("two", 6)], (0, 5, true, 5)),
            // The run was over: do the new steps, or else repeat the last phase.
            (standing(1, 5, true), &[("one", 5), ("two", 5), ("three", 5)], (1, 5, true, 10)),
            (standing(1, 5, true), &[("one", 5), ("two", 8)], (1, 5, false, 10)),
            (standing(1, 5, true), &[("one", 5), ("two", 5)], (1, 0, false, 5)),
        ] {
            let Standing { phase, phase_step, phase_over, steps, won, .. } =
                at.carried(&before, &plan("'b', 'c', 'a'", after));
            assert_eq!((phase, phase_step, phase_over, steps), wanted, "{at:?} in {after:?}");
            assert_eq!(won, [4, 0, 3]);
        }
    }
}
