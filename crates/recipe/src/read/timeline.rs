//! The steps of a run as the reader knows them, and the checks of schedules that wait for it.

use std::ops::Range;

use crate::keys::Bounds;
use crate::plan::{Schedule, Time};

/// A check of a schedule's values, done once the phases are known.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub rule: Rule,
    pub name: String,
    pub span: Range<usize>,
    /// The only phase of the recipe (from 0) in which it is used; none if it is used in all.
    pub phase: Option<usize>,
}

/// A condition that must hold at every step.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Within(Schedule, Bounds),
    /// The first is never above the second.
    Ordered(Schedule, Schedule),
}

/// The phases of a run, reduced to their steps.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    /// Each phase's position in the recipe (from 0, the same for every repetition), first step, and number of steps.
    phases: Vec<(usize, u64, u64)>,
    total: u64,
}

/// The maximum number of moments checked for one schedule; a longer run is sampled.
const MOMENTS: u64 = 10_000;
/// The maximum for all schedules together, which bounds the time for a recipe full of expressions. Plain numbers were checked when they
/// were read.
const ALL_MOMENTS: u64 = 20_000_000;

impl Timeline {
    /// Takes each phase's position in the recipe, from 0, and its steps.
    pub fn new(phases_and_steps: impl IntoIterator<Item = (usize, u64)>) -> Self {
        let mut total = 0;
        let mut phases = Vec::new();
        for (phase, steps) in phases_and_steps {
            phases.push((phase, total, steps));
            total += steps;
        }
        Timeline { phases, total }
    }

    /// Returns the moments of one phase of the recipe or of all, each with its phase; every repetition of a phase counts. If there are
    /// more than `most`, about that many are spread evenly over each phase, including its first and last step.
    pub fn moments(&self, only: Option<usize>, most: u64) -> impl Iterator<Item = (usize, Time)> + '_ {
        let chosen = move |phase: &(usize, u64, u64)| only.is_none_or(|only| only == phase.0);
        let steps: u64 = self.phases.iter().copied().filter(chosen).map(|(_, _, length)| length).sum();
        let phases = self.phases.iter().copied().enumerate().filter(move |(_, phase)| chosen(phase));
        phases.flat_map(move |(index, (_, start, length))| {
            let samples = if steps <= most {
                length
            } else {
                // In u128, because the product of two large numbers may not fit into u64.
                let share = u128::from(length) * u128::from(most) / u128::from(steps);
                (share as u64).clamp(2.min(length), length)
            };
            (0..samples).map(move |sample| {
                let last = u128::from(length - 1);
                let step = if samples > 1 { u128::from(sample) * last / u128::from(samples - 1) } else { 0 };
                (index, Time::new(step as u64, length, start, self.total))
            })
        })
    }

    /// Whether a schedule is 0 at every step of a phase. `of` is the total number of such checks, which limits the samples for each.
    pub fn is_zero(&self, phase: usize, schedule: &Schedule, of: u64) -> bool {
        if let Some(value) = schedule.constant() {
            return value == 0.0;
        }
        let most = samples(of.max(1) * size(schedule));
        self.moments(Some(phase), most).all(|(_, time)| schedule.at(&time) == 0.0)
    }

    /// Returns the smallest value of a schedule in a phase.
    pub fn least(&self, phase: usize, schedule: &Schedule) -> Option<f64> {
        let most = samples(self.phases.len().max(1) as u64 * size(schedule));
        self.moments(Some(phase), most).map(|(_, time)| schedule.at(&time)).reduce(f64::min)
    }

    /// Returns the smallest and the largest value of a schedule over the whole run, with their moments.
    pub fn extent(&self, schedule: &Schedule) -> Option<[(f64, Time); 2]> {
        if let Some(value) = schedule.constant() {
            return Some([(value, Time::new(0, 1, 0, 1)); 2]);
        }
        let values = self.moments(None, MOMENTS).map(|(_, time)| (schedule.at(&time), time));
        values.map(|value| [value; 2]).reduce(|[low, high], [value, _]| {
            [if value.0 < low.0 { value } else { low }, if value.0 > high.0 { value } else { high }]
        })
    }
}

/// Returns how many moments to look at, if one moment of all checks together costs this much.
pub(crate) fn samples(cost: u64) -> u64 {
    (ALL_MOMENTS / cost.max(1)).clamp(16, MOMENTS)
}

/// Estimates the cost of evaluating a schedule.
pub(crate) fn size(schedule: &Schedule) -> u64 {
    match schedule {
        Schedule::Constant(_) => 1,
        Schedule::Keys { keys, .. } => 4 + keys.len().ilog2() as u64,
        Schedule::Expression(expr) => expr.size() as u64,
        Schedule::Product(factors) => factors.iter().map(size).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_are_looked_at_step_by_step() {
        let timeline = Timeline::new([(0, 3), (1, 1), (2, 2)]);
        let moments: Vec<_> = timeline.moments(None, 10).map(|(phase, time)| (phase, time.step, time.t)).collect();
        assert_eq!(moments, [(0, 0, 0.0), (0, 1, 0.5), (0, 2, 1.0), (1, 3, 0.0), (2, 4, 0.0), (2, 5, 1.0)]);
        assert_eq!(timeline.moments(Some(2), 10).map(|(_, time)| time.step).collect::<Vec<_>>(), [4, 5]);
        let repeated = Timeline::new([(0, 2), (0, 2), (1, 1), (1, 1)]);
        let moments: Vec<_> = repeated.moments(Some(1), 10).map(|(phase, time)| (phase, time.step, time.t)).collect();
        assert_eq!(moments, [(2, 4, 0.0), (3, 5, 0.0)]);
    }

    #[test]
    fn long_runs_are_sampled_with_the_ends_of_each_phase() {
        let timeline = Timeline::new([(0, 1_000_000), (1, 5), (2, 3_000_000)]);
        let steps: Vec<u64> = timeline.moments(None, 1000).map(|(_, time)| time.step).collect();
        for step in [0, 999_999, 1_000_000, 1_000_004, 1_000_005, 4_000_004] {
            assert!(steps.contains(&step), "{step}");
        }
        assert!(steps.len() < 1010 && steps.is_sorted());
    }

    #[test]
    fn extent_finds_both_ends() {
        let timeline = Timeline::new([(0, 11)]);
        let schedule = Schedule::Expression(crate::expression::parse("1 - 4*(t - 0.5)^2").unwrap());
        let [low, high] = timeline.extent(&schedule).unwrap();
        assert_eq!((low.0, low.1.step, high.0, high.1.step), (0.0, 0, 1.0, 5));
    }
}
