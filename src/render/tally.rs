//! How many places each prompt won.

use std::fmt;

use crate::plan::{Plan, Target};

/// The wins of all prompts, in the order of targets and prompts in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub entries: Vec<TallyEntry>,
}

/// One prompt of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyEntry {
    pub prompt: String,
    pub target: String,
    /// Whether the target is a detail; compositions have little to select.
    pub detail: bool,
    /// Places where this prompt was the most similar one.
    pub won: u64,
}

impl Tally {
    /// A tally of zeros for a plan's wanted prompts.
    pub fn new(plan: &Plan) -> Self {
        let entries = plan.targets.iter().flat_map(|target| {
            distinct_prompts(target).into_iter().map(|prompt| TallyEntry {
                prompt: plan.prompts[prompt].called(),
                target: target.name.clone(),
                detail: target.sight == crate::plan::Sight::Places,
                won: 0,
            })
        });
        Tally { entries: entries.collect() }
    }

    /// Where each target's entries begin.
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

/// A target's wanted prompts (indices into the plan's), each once, in written order.
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
    /// Lines like `malazan : 879 (29.46%)`: the details' prompts, with percentages within each target; where there is no
    /// detail, the compositions'. Several targets are headed by their names.
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
        };
        assert_eq!(tally.to_string(), "malazan : 879 (29.46%)\nsword   : 2105 (70.54%)\n");
    }

    #[test]
    fn compositions_alone_are_shown_and_nothing_won_is_zero_percent() {
        let tally = Tally { entries: vec![entry("composition 1", "sea", false, 0)] };
        assert_eq!(tally.to_string(), "sea : 0 (0.00%)\n");
    }
}
