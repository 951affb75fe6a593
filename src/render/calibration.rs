//! Fair selection: what of a similarity is the prompt's own habit, and what the window shows.
//!
//! Similarities of different prompts lie on different scales, so that the greatest one is nearly always the same prompt's. Before
//! prompts are compared, each similarity is measured against the mean and the spread that this prompt has in the windows of its
//! own target:
//!
//! ```text
//! c = M + S (s - m) / d        m, d: mean and spread of the prompt; M, S: the means of these over the prompts that compete
//! ```
//!
//! c is a similarity again, so what it is multiplied by (`scale`) and divided by (`temperature`) means what it did. What is
//! trained is s, as ever. A prompt that has pulled ahead has raised its own mean by that, and has to be better than it.
//!
//! The past is a running one, all places of a target together: a place that shows one prompt lies far above that prompt's mean, and
//! keeps to it. Where a prompt begins to compete, windows of the canvas as it is are looked at first; where it stops, its past is
//! forgotten. With one prompt there is nothing to compare, and nothing is looked at or multiplied.

use serde::{Deserialize, Serialize};

use super::{
    ask::{Asks, Part},
    tally::{Tally, distinct_prompts},
};
use crate::plan::{Calibration, Plan};

/// Windows after which the past has lost a share of 1/e of its weight.
const MEMORY: f64 = 96.0;
/// Windows that are looked at before a prompt competes, at least.
pub(super) const FIRST: u64 = 24;
/// The least spread of a prompt, as a share of the mean spread of all that compete: what hardly varies is no better for it.
const LEAST_SPREAD: f64 = 0.02;
/// A mean spread below this is rounding, or one window: spreads are not compared then.
const ROUNDING: f64 = 1e-5;

/// The weighted sums of a prompt's similarities; all zeros where none was seen yet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct Past {
    /// The sum of the weights.
    pub ones: f64,
    /// That of the similarities.
    pub sum: f64,
    /// That of their squares.
    pub squares: f64,
}

impl From<[u64; 3]> for Past {
    /// From the numbers' bits: no digit is lost on the way through a text.
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
    /// Whether anything was seen.
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
    /// Similarities seen in this step: positions in `prompts`, values.
    seen: Vec<(usize, f32)>,
}

impl Field {
    /// What was seen of the prompt at a position.
    fn seen(&self, position: usize) -> impl Iterator<Item = f64> {
        self.seen.iter().filter(move |(of, _)| *of == position).map(|(_, similarity)| f64::from(*similarity))
    }
}

/// One step's calibration: what it is measured by, and what it adds to the past.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    plan: &'a Plan,
    offsets: Vec<usize>,
    /// In the order of [`Tally::entries`].
    pasts: Vec<Past>,
    fields: Vec<Field>,
}

impl<'a> Fields<'a> {
    /// Those of a step's asks. `pasts`: what is known from the steps before, in the order of [`Tally::entries`].
    pub fn new(plan: &'a Plan, pasts: &[Past], asks: &Asks) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut enter = |target: usize, parts: &mut dyn Iterator<Item = &Part>| {
            if plan.targets[target].calibration == Calibration::None || fields.iter().any(|f| f.target == target) {
                return;
            }
            let mut prompts: Vec<usize> = Vec::new();
            for part in parts {
                if !prompts.contains(&part.prompt) {
                    prompts.push(part.prompt);
                }
            }
            if prompts.len() > 1 {
                fields.push(Field { target, prompts, seen: Vec::new() });
            }
        };
        for ask in &asks.settled {
            enter(ask.target, &mut ask.best.iter());
        }
        for contest in &asks.contests {
            enter(contest.target, &mut contest.candidates.iter().map(|(_, part)| part));
        }
        let mut own = Fields { plan, offsets: Tally::offsets(plan), pasts: pasts.to_vec(), fields };
        own.forget();
        own
    }

    /// Prompts that do not compete now have no past.
    fn forget(&mut self) {
        let mut competing = vec![false; self.pasts.len()];
        for field in &self.fields {
            for prompt in &field.prompts {
                if let Some(line) = self.line(field.target, *prompt) {
                    competing[line] = true;
                }
            }
        }
        for (past, competes) in self.pasts.iter_mut().zip(competing) {
            if !competes {
                *past = Past::default();
            }
        }
    }

    /// Where a prompt's past is.
    fn line(&self, target: usize, prompt: usize) -> Option<usize> {
        let position = distinct_prompts(&self.plan.targets[target]).iter().position(|own| *own == prompt)?;
        Some(self.offsets[target] + position)
    }

    /// Rounds of windows to be looked at before this step, as prompts compete of which nothing is known.
    pub fn rounds(&self) -> u64 {
        let new = self.fields.iter().filter(|field| self.is_news(field));
        let rounds = new.map(|field| FIRST.div_ceil(u64::from(self.plan.targets[field.target].windows)));
        rounds.max().unwrap_or(0)
    }

    /// Whether one of a target's competing prompts is not known yet.
    pub fn is_new(&self, target: usize) -> bool {
        self.fields.iter().any(|field| field.target == target && self.is_news(field))
    }

    fn is_news(&self, field: &Field) -> bool {
        let known = |prompt: &usize| {
            self.line(field.target, *prompt).and_then(|line| self.pasts.get(line)).is_some_and(Past::is_known)
        };
        !field.prompts.iter().all(known)
    }

    /// Notes what a view showed of some of its target's prompts. `row`: the view's similarities by prompt.
    pub fn see(&mut self, target: usize, prompts: impl Iterator<Item = usize>, row: &[f32]) {
        let Some(field) = self.fields.iter_mut().find(|field| field.target == target) else { return };
        for prompt in prompts {
            let position = field.prompts.iter().position(|own| *own == prompt);
            field.seen.extend(position.map(|position| (position, row[prompt])).filter(|(_, seen)| seen.is_finite()));
        }
    }

    /// Begins the past of those of which nothing is known with what was seen.
    pub fn begin(&mut self) {
        for mut field in std::mem::take(&mut self.fields) {
            for (position, prompt) in field.prompts.iter().enumerate() {
                let Some(past) = self.line(field.target, *prompt).and_then(|line| self.pasts.get_mut(line)) else {
                    continue;
                };
                if !past.is_known() {
                    field.seen(position).for_each(|similarity| past.add(similarity));
                }
            }
            field.seen.clear();
            self.fields.push(field);
        }
    }

    /// Sets what each part that competes is compared by.
    pub fn apply(&self, asks: &mut Asks) {
        for ask in &mut asks.settled {
            self.measure(ask.target, ask.best.iter_mut());
        }
        for contest in &mut asks.contests {
            self.measure(contest.target, contest.candidates.iter_mut().map(|(_, part)| part));
        }
    }

    fn measure<'p>(&self, target: usize, parts: impl Iterator<Item = &'p mut Part>) {
        let Some(field) = self.fields.iter().find(|field| field.target == target) else { return };
        let pasts: Vec<Past> = field
            .prompts
            .iter()
            .map(|prompt| self.line(target, *prompt).and_then(|line| self.pasts.get(line)).copied().unwrap_or_default())
            .collect();
        let lines = lines(&pasts);
        for part in parts {
            let Some(position) = field.prompts.iter().position(|own| *own == part.prompt) else { continue };
            let (factor, offset) = lines[position];
            let scale = f64::from(part.scale);
            part.scale = (scale * factor) as f32;
            part.offset = (scale * offset) as f32;
        }
    }

    /// The past with this step in it.
    pub fn end(mut self) -> Vec<Past> {
        for field in std::mem::take(&mut self.fields) {
            if self.plan.targets[field.target].calibration != Calibration::Past {
                continue;
            }
            for (position, prompt) in field.prompts.iter().enumerate() {
                let Some(past) = self.line(field.target, *prompt).and_then(|line| self.pasts.get_mut(line)) else {
                    continue;
                };
                past.fade((-(field.seen(position).count() as f64) / MEMORY).exp());
                field.seen(position).for_each(|similarity| past.add(similarity));
            }
        }
        self.pasts
    }
}

/// For each prompt (factor, offset): a similarity times the factor plus the offset is what it is compared by.
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

    /// 200 values of a mean and a spread.
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
        // All windows the same: means alone are compared.
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
