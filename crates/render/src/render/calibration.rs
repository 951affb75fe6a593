//! Fair selection: separates a prompt's usual similarity from what the window shows.
//!
//! Similarities of different prompts lie on different scales, so the greatest one nearly always belongs to the same prompt.
//! Before prompts are compared, each similarity is measured against the mean and the spread that this prompt has in the windows
//! of its own target:
//!
//! ```text
//! c = M + S (s - m) / d        m, d: mean and spread of the prompt; M, S: the means of these over the prompts that compete
//! ```
//!
//! c is a similarity again, so `scale`, which multiplies it, and `temperature`, which divides it, keep their meaning. The
//! training objective is still s. A prompt that has pulled ahead has thereby raised its own mean, and has to exceed it.
//!
//! The statistics are running ones over all places of a target: a place that shows one prompt lies far above that prompt's
//! mean, and stays with it. When a prompt begins to compete, windows of the current canvas are gathered first; when it stops,
//! its past is forgotten. With a single prompt there is nothing to compare, so no extra windows are gathered and no factor is
//! applied.

use serde::{Deserialize, Serialize};

use super::{
    objectives::{PromptTerm, StepObjectives},
    tally::{Tally, distinct_prompts},
};
use crate::plan::{Calibration, Plan};

/// The number of windows after which the past has decayed to 1/e of its weight.
const MEMORY: f64 = 96.0;
/// The minimum number of windows to gather before a prompt competes.
pub(super) const FIRST: u64 = 24;
/// The least spread of a prompt, as a share of the mean spread of all that compete: a prompt that hardly varies gains nothing
/// by that.
const LEAST_SPREAD: f64 = 0.02;
/// A mean spread below this is rounding error, or a single window: spreads are then not compared.
const ROUNDING: f64 = 1e-5;

/// The weighted sums of a prompt's similarities; all zeros before any was seen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct Past {
    /// The sum of the weights.
    pub ones: f64,
    /// The weighted sum of the similarities.
    pub sum: f64,
    /// The weighted sum of their squares.
    pub squares: f64,
}

impl From<[u64; 3]> for Past {
    /// Restores the numbers from their bits, so that serialising them as text loses no digit.
    fn from(bits: [u64; 3]) -> Self {
        let [ones, sum, squares] = bits.map(f64::from_bits);
        Past { ones, sum, squares }
    }
}

impl From<Past> for [u64; 3] {
    fn from(Past { ones, sum, squares }: Past) -> Self {
        [ones, sum, squares].map(f64::to_bits)
    }
}

impl Past {
    /// Returns whether anything was seen.
    fn is_known(&self) -> bool {
        self.ones > 0.0
    }

    fn mean(&self) -> f64 {
        self.sum / self.ones
    }

    /// The standard deviation.
    fn spread(&self) -> f64 {
        (self.squares / self.ones - self.mean().powi(2)).max(0.0).sqrt()
    }

    fn add(&mut self, similarity: f64) {
        self.ones += 1.0;
        self.sum += similarity;
        self.squares += similarity * similarity;
    }

    fn fade(&mut self, keep: f64) {
        self.ones *= keep;
        self.sum *= keep;
        self.squares *= keep;
    }
}

/// The prompts of one target that compete in a step.
#[derive(Debug)]
struct Field {
    target: usize,
    /// Indices into [`Plan::prompts`], each once; at least two.
    prompts: Vec<usize>,
    /// Indices of their pasts, parallel to `prompts`.
    lines: Vec<usize>,
    /// Their similarities in this step, parallel to `prompts`.
    seen: Vec<Vec<f64>>,
}

/// One step's calibration: what prompts are measured against, and what the step adds to it.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    plan: &'a Plan,
    /// In the order of [`Tally::entries`].
    pasts: Vec<Past>,
    fields: Vec<Field>,
}

impl<'a> Fields<'a> {
    /// Creates the fields for a step's objectives. `pasts`: the statistics of the steps before, in the order of [`Tally::entries`].
    pub fn new(plan: &'a Plan, pasts: &[Past], objectives: &StepObjectives) -> Self {
        let offsets = Tally::offsets(plan);
        let mut fields: Vec<Field> = Vec::new();
        let mut enter = |target: usize, terms: &mut dyn Iterator<Item = &PromptTerm>| {
            if plan.targets[target].calibration == Calibration::None || fields.iter().any(|f| f.target == target) {
                return;
            }
            let known = distinct_prompts(&plan.targets[target]);
            let (mut prompts, mut lines): (Vec<usize>, Vec<usize>) = Default::default();
            for term in terms {
                if let (false, Some(position)) =
                    (prompts.contains(&term.prompt), known.iter().position(|own| *own == term.prompt))
                {
                    prompts.push(term.prompt);
                    lines.push(offsets[target] + position);
                }
            }
            if prompts.len() > 1 {
                let seen = vec![Vec::new(); prompts.len()];
                fields.push(Field { target, prompts, lines, seen });
            }
        };
        for objective in &objectives.settled {
            enter(objective.target, &mut objective.best.iter());
        }
        for contest in &objectives.contests {
            enter(contest.target, &mut contest.candidates.iter().map(|(_, term)| term));
        }
        // Prompts that do not compete now have no past.
        let mut own = vec![Past::default(); pasts.len()];
        for line in fields.iter().flat_map(|field| &field.lines) {
            own[*line] = pasts[*line];
        }
        Fields { plan, pasts: own, fields }
    }

    /// Returns the number of rounds of windows to gather before this step because competing prompts have no past yet.
    pub fn rounds(&self) -> u64 {
        let new = self.fields.iter().filter(|field| self.is_news(field));
        let rounds = new.map(|field| FIRST.div_ceil(u64::from(self.plan.targets[field.target].windows)));
        rounds.max().unwrap_or(0)
    }

    /// Returns whether one of a target's competing prompts has no past yet.
    pub fn is_new(&self, target: usize) -> bool {
        self.fields.iter().any(|field| field.target == target && self.is_news(field))
    }

    fn is_news(&self, field: &Field) -> bool {
        !field.lines.iter().all(|line| self.pasts[*line].is_known())
    }

    /// Records a view's similarities to some of its target's prompts. `row`: the view's similarities by prompt.
    pub fn see(&mut self, target: usize, prompts: impl Iterator<Item = usize>, row: &[f32]) {
        let Some(field) = self.fields.iter_mut().find(|field| field.target == target) else { return };
        for prompt in prompts {
            if let Some(position) = field.prompts.iter().position(|own| *own == prompt) {
                field.seen[position].extend(Some(f64::from(row[prompt])).filter(|seen| seen.is_finite()));
            }
        }
    }

    /// Starts the pasts of prompts that have none from what was seen.
    pub fn begin(&mut self) {
        for field in &mut self.fields {
            for (line, seen) in field.lines.iter().zip(&mut field.seen) {
                let past = &mut self.pasts[*line];
                let unknown = !past.is_known();
                seen.drain(..).filter(|_| unknown).for_each(|similarity| past.add(similarity));
            }
        }
    }

    /// Sets the factor and offset of each competing term.
    pub fn apply(&self, objectives: &mut StepObjectives) {
        for field in &self.fields {
            let pasts: Vec<Past> = field.lines.iter().map(|line| self.pasts[*line]).collect();
            let lines = lines(&pasts);
            let settled = objectives.settled.iter_mut().filter(|objective| objective.target == field.target);
            let contests = objectives.contests.iter_mut().filter(|contest| contest.target == field.target);
            let candidates = contests.flat_map(|contest| contest.candidates.iter_mut().map(|(_, term)| term));
            for term in settled.flat_map(|objective| &mut objective.best).chain(candidates) {
                let Some(position) = field.prompts.iter().position(|own| *own == term.prompt) else { continue };
                let (factor, offset) = lines[position];
                let scale = f64::from(term.scale);
                term.scale = (scale * factor) as f32;
                term.offset = (scale * offset) as f32;
            }
        }
    }

    /// Returns the pasts with this step included.
    pub fn end(mut self) -> Vec<Past> {
        for field in self.fields.iter().filter(|field| self.plan.targets[field.target].calibration == Calibration::Past)
        {
            for (line, seen) in field.lines.iter().zip(&field.seen) {
                let past = &mut self.pasts[*line];
                past.fade((-(seen.len() as f64) / MEMORY).exp());
                seen.iter().for_each(|similarity| past.add(*similarity));
            }
        }
        self.pasts
    }
}

/// Returns (factor, offset) for each prompt: similarity times factor plus offset is the value to compare.
fn lines(pasts: &[Past]) -> Vec<(f64, f64)> {
    if pasts.iter().any(|past| !past.is_known()) {
        return vec![(1.0, 0.0); pasts.len()];
    }
    let count = pasts.len() as f64;
    let mean = pasts.iter().map(Past::mean).sum::<f64>() / count;
    let spread = pasts.iter().map(Past::spread).sum::<f64>() / count;
    let line = |past: &Past| {
        let factor = if spread > ROUNDING { spread / past.spread().max(LEAST_SPREAD * spread) } else { 1.0 };
        (factor, mean - factor * past.mean())
    };
    pasts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;

    fn past(similarities: impl IntoIterator<Item = f64>) -> Past {
        let mut past = Past::default();
        similarities.into_iter().for_each(|similarity| past.add(similarity));
        past
    }

    /// 200 values with a given mean and spread.
    fn spread(seed: u64, mean: f64, deviation: f64) -> Past {
        past((0..100).flat_map(|i| Draws::new(seed).normal_pair(i)).map(|value| mean + deviation * value))
    }

    #[test]
    fn after_calibration_all_have_the_mean_of_the_means_and_the_mean_spread() {
        let pasts = [spread(1, 0.3, 0.05), spread(2, 0.1, 0.01), spread(3, -0.2, 0.03)];
        let mean = pasts.iter().map(Past::mean).sum::<f64>() / 3.0;
        let deviation = pasts.iter().map(Past::spread).sum::<f64>() / 3.0;
        assert!((mean - 0.2 / 3.0).abs() < 0.01 && (deviation - 0.03).abs() < 0.005, "{mean} {deviation}");
        for (past, (factor, offset)) in pasts.iter().zip(lines(&pasts)) {
            assert!((factor * past.mean() + offset - mean).abs() < 1e-12);
            assert!((factor * past.spread() - deviation).abs() < 1e-12);
        }
    }

    #[test]
    fn what_hardly_varies_is_not_magnified_without_bounds() {
        let pasts = [past([0.2; 30]), spread(1, 0.3, 0.05)];
        let least = 1.0 / LEAST_SPREAD;
        assert!((lines(&pasts)[0].0 - least).abs() < 1e-9);
        // All windows the same: only the means are compared.
        assert_eq!(lines(&[past([0.25; 30]), past([0.75; 30])]), [(1.0, 0.25), (1.0, -0.25)]);
    }

    #[test]
    fn of_those_not_seen_yet_similarities_stay_as_they_are() {
        assert_eq!(lines(&[Past::default(), past([0.2, 0.3])]), [(1.0, 0.0); 2]);
    }

    #[test]
    fn the_past_fades() {
        let mut own = spread(1, 0.2, 0.05);
        for _ in 0..10 {
            own.fade((-1f64).exp());
            (0..MEMORY as u64).for_each(|_| own.add(0.6));
        }
        assert!((own.mean() - 0.6).abs() < 1e-4 && own.spread() < 0.01, "{own:?}");
    }

    #[test]
    fn a_past_is_kept_to_the_last_bit() {
        let own = spread(5, 0.1, 0.03);
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<Past>(&text).unwrap(), own);
    }
}
