//! How many places each prompt won.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Standing;
use crate::plan::{Plan, Target};

/// The wins of all prompts, in the order of targets and prompts in the plan, and the probabilities of directions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    pub entries: Vec<TallyEntry>,
    /// In the order of targets and their directions in the plan.
    pub directions: Vec<DirectionEntry>,
}

/// One direction of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionEntry {
    pub prompt: String,
    pub target: String,
    pub mean: Mean,
}

/// A mean probability, stored as sum and count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The sum over the windows in which the direction acted.
    pub sum: f64,
    /// The number of those windows.
    pub windows: u64,
}

impl Mean {
    /// Returns the mean, or `None` without windows.
    pub fn value(&self) -> Option<f64> {
        (self.windows > 0).then(|| self.sum / self.windows as f64)
    }
}

/// One prompt of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyEntry {
    pub prompt: String,
    pub target: String,
    /// Whether the target is a detail; compositions have little to select.
    pub detail: bool,
    /// Places where this prompt was the most similar.
    pub won: u64,
}

impl Tally {
    /// Creates a tally of zeros for a plan's wanted prompts.
    pub fn new(plan: &Plan) -> Self {
        let entries = plan.targets.iter().flat_map(|target| {
            distinct_prompts(target).into_iter().map(|prompt| TallyEntry {
                prompt: plan.prompts[prompt].called(),
                target: target.name.clone(),
                detail: target.sight == crate::plan::Sight::Places,
                won: 0,
            })
        });
        let directions = plan.targets.iter().flat_map(|target| {
            target.directions.iter().map(|pull| DirectionEntry {
                prompt: plan.prompts[pull.prompt].called(),
                target: target.name.clone(),
                mean: Mean::default(),
            })
        });
        Tally { entries: entries.collect(), directions: directions.collect() }
    }

    /// Restores earlier counts.
    pub(super) fn take_up(&mut self, standing: &Standing) {
        for (entry, won) in self.entries.iter_mut().zip(&standing.won) {
            entry.won = *won;
        }
        for (entry, mean) in self.directions.iter_mut().zip(&standing.means) {
            entry.mean = *mean;
        }
    }

    /// Returns the index at which each target's directions begin.
    pub(super) fn direction_offsets(plan: &Plan) -> Vec<usize> {
        let mut next = 0;
        let offset = |target: &Target| {
            next += target.directions.len();
            next - target.directions.len()
        };
        plan.targets.iter().map(offset).collect()
    }

    /// Returns the index at which each target's entries begin.
    pub(super) fn offsets(plan: &Plan) -> Vec<usize> {
        let sizes = plan.targets.iter().map(|target| distinct_prompts(target).len());
        sizes
            .scan(0, |next, size| {
                let offset = *next;
                *next += size;
                Some(offset)
            })
            .collect()
    }
}

/// Returns a target's wanted prompts (indices into the plan's), each once, in written order.
pub(crate) fn distinct_prompts(target: &Target) -> Vec<usize> {
    let mut prompts = Vec::new();
    for pull in &target.wanted {
        if !prompts.contains(&pull.prompt) {
            prompts.push(pull.prompt);
        }
    }
    prompts
}

impl fmt::Display for Tally {
    /// Writes lines like `malazan : 879 (29.46%)` for the details' prompts, with percentages within each target; without
    /// details, for the compositions' prompts. With several targets, each has its name as a heading. Directions follow, each
    /// with its mean probability.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any_detail = self.entries.iter().any(|entry| entry.detail);
        let shown: Vec<_> = self.entries.iter().filter(|entry| entry.detail || !any_detail).collect();
        let width = shown.iter().map(|entry| entry.prompt.chars().count()).max().unwrap_or(0);
        let several = shown.windows(2).any(|pair| pair[0].target != pair[1].target);
        for group in shown.chunk_by(|a, b| a.target == b.target) {
            let total: u64 = group.iter().map(|entry| entry.won).sum();
            if several {
                writeln!(f, "{}", group[0].target)?;
            }
            for entry in group {
                let share = if total > 0 { entry.won as f64 * 100.0 / total as f64 } else { 0.0 };
                writeln!(f, "{:<width$} : {} ({share:.2}%)", entry.prompt, entry.won)?;
            }
        }
        let width = self.directions.iter().map(|entry| entry.prompt.chars().count()).max().unwrap_or(0);
        let several = self.directions.windows(2).any(|pair| pair[0].target != pair[1].target);
        for DirectionEntry { prompt, target, mean } in &self.directions {
            let Some(value) = mean.value() else { continue };
            let of = if several { format!(" of {target}") } else { String::new() };
            writeln!(f, "{prompt:<width$} : probability {value:.4}, mean of {} windows{of}", mean.windows)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str, prompt: &str, detail: bool, won: u64) -> TallyEntry {
        TallyEntry { prompt: prompt.into(), target: target.into(), detail, won }
    }

    #[test]
    fn percentages_are_of_the_target_and_compositions_stay_out() {
        let tally = Tally {
            entries: vec![
                entry("composition 1", "a landscape", false, 10),
                entry("detail 1", "malazan", true, 879),
                entry("detail 1", "sword", true, 2105),
            ],
            directions: Vec::new(),
        };
        assert_eq!(tally.to_string(), "malazan : 879 (29.46%)\nsword   : 2105 (70.54%)\n");
    }

    #[test]
    fn compositions_alone_are_shown_and_nothing_won_is_zero_percent() {
        let tally = Tally { entries: vec![entry("composition 1", "sea", false, 0)], directions: Vec::new() };
        assert_eq!(tally.to_string(), "sea : 0 (0.00%)\n");
    }

    #[test]
    fn directions_have_a_mean_unless_they_never_acted() {
        let direction = |prompt: &str, sum, windows| DirectionEntry {
            prompt: prompt.into(),
            target: "detail 1".into(),
            mean: Mean { sum, windows },
        };
        let directions = vec![direction("letters", 2.0, 16), direction("grid", 0.0, 0), direction("dots", 1.0, 1)];
        let tally = Tally { entries: vec![entry("detail 1", "sea", true, 16)], directions };
        assert_eq!(
            tally.to_string(),
            "sea : 16 (100.00%)\nletters : probability 0.1250, mean of 16 windows\ndots    : probability 1.0000, mean \
             of 1 windows\n"
        );
    }
}
