//! How far a render is on its way through the phases of its plan.

use std::cmp::Ordering;
use std::time::Instant;

use super::{Rises, Standing};
use crate::plan::{Phase, Plan, Time};

/// A place between two steps of a plan, and what is remembered there beside the canvas and the tally.
pub(super) struct Way<'a> {
    plan: &'a Plan,
    /// The phase's index.
    pub index: usize,
    /// Steps of earlier phases, including those that were skipped.
    phase_start: u64,
    /// Steps done of the phase.
    pub phase_step: u64,
    /// Whether the phase is over, planned or not.
    pub phase_over: bool,
    /// Steps done.
    pub done: u64,
    /// Steps done if no phase had ended early.
    pub position: u64,
    /// The low-pass of the last step.
    pub finest: Option<f64>,
    /// The rises of the phase's similarities, if it has patience.
    pub rises: Option<Rises>,
    clock: Instant,
}

impl<'a> Way<'a> {
    /// Starts the clock in front of the first phase, after the steps that an earlier render did.
    pub fn new(plan: &'a Plan, standing: &Standing) -> Self {
        Way {
            plan,
            index: 0,
            phase_start: 0,
            phase_step: 0,
            phase_over: false,
            done: standing.steps,
            position: 0,
            finest: None,
            rises: None,
            clock: Instant::now(),
        }
    }

    /// Enters a phase, the next one each time. Steps that an earlier render did are passed over.
    pub fn enter(&mut self, index: usize, standing: &Standing) {
        let phases = &self.plan.phases;
        let steps = u64::from(phases[index].steps);
        self.index = index;
        self.phase_start = phases[..index].iter().map(|phase| u64::from(phase.steps)).sum();
        self.phase_step = match index.cmp(&standing.phase) {
            Ordering::Less => steps,
            Ordering::Equal if standing.phase_over => steps,
            Ordering::Equal => standing.phase_step,
            Ordering::Greater => 0,
        };
        self.phase_over = self.phase_step >= steps;
        if index == standing.phase && standing.phase_step > 0 {
            // The picture so far, in case no step is left.
            self.position = self.phase_start + standing.phase_step;
            let time = Time::new(standing.phase_step - 1, steps, self.phase_start, self.plan.steps());
            self.finest = phases[index].finest.as_ref().map(|schedule| schedule.at(&time));
        }
        self.rises = phases[index].patience.map(|_| match &standing.rises {
            Some(rises) if index == standing.phase => rises.clone(),
            _ => Rises::of(self.plan.targets.len()),
        });
    }

    /// Returns the phase.
    pub fn phase(&self) -> &'a Phase {
        &self.plan.phases[self.index]
    }

    /// Returns the moment of the next step.
    pub fn time(&self) -> Time {
        Time::new(self.phase_step, u64::from(self.phase().steps), self.phase_start, self.plan.steps())
    }

    /// Takes a step. The phase is over after its last step, or when its patience is exhausted by the step's `similarities`, one for each
    /// target: `None` if it was not looked at.
    pub fn advance(&mut self, similarities: impl FnOnce() -> Vec<Option<f32>>) {
        self.done += 1;
        self.phase_step += 1;
        self.position = self.phase_start + self.phase_step;
        let lost = match (&self.phase().patience, &mut self.rises) {
            (Some(patience), Some(rises)) => rises.step(patience, &similarities()),
            _ => false,
        };
        self.phase_over = lost || self.phase_step == u64::from(self.phase().steps);
    }

    /// Whether the phase is over and the last one.
    pub fn is_at_end(&self) -> bool {
        self.phase_over && self.index + 1 == self.plan.phases.len()
    }

    /// Returns the seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }
}
