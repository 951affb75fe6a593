//! Phases: their lengths, and how they move the canvas.

use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::keys::{Bounds, Kind};
use crate::plan::{Gradient, GradientKind, Optimiser, OptimiserKind, Patience, Schedule};
use crate::read::reader::{Fields, Reader, Value, entries};
use crate::read::written::{At, Finest, Phase, Weights};
use crate::report::numbers::short;
use crate::sources::origin::{Origin, Origins};

/// The maximum number of phases, repetitions included. The weights of all targets in all phases fill a matrix; this keeps it small.
const MOST_PHASES: usize = 1000;

/// A phase's length as written, all repetitions together.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Length {
    Steps(u64),
    /// A fraction of the whole run.
    Share(f64),
    /// An equal part of the steps that other phases leave.
    Rest,
}

impl<'a> Reader<'a> {
    /// Returns the phases in the order in which they run; a repeated phase occurs once for each repetition.
    pub fn phases(&mut self, recipe: &Fields<'a>) -> Vec<Phase> {
        let render = self.section(recipe, "render", &keys::RENDER);
        let optimiser = render.get("optimiser").and_then(|value| self.optimiser(&value));
        let optimiser = optimiser.unwrap_or((Optimiser::ADAM_OF_NORMALISED, Origins::new()));
        let mut tables = self.tables(recipe, "phase", &keys::PHASE);
        if let Some(first) = tables.get(MOST_PHASES) {
            self.error(first.span.clone(), format!("more than {MOST_PHASES} phases"));
            tables.truncate(MOST_PHASES);
        }
        let finest_said = tables.iter().any(|fields| fields.written("finest").is_some());
        if tables.is_empty() {
            tables.push(self.fields_of_nothing(&keys::PHASE, recipe.span.clone()));
        }
        let repeats: Vec<u64> = tables.iter().map(|fields| self.repeat(fields)).collect();
        let lengths = self.lengths(&render, &tables, &repeats);
        let mut phases: Vec<Phase> = Vec::new();
        for (index, (fields, (repeat, steps))) in tables.iter().zip(repeats.iter().zip(lengths)).enumerate() {
            self.phase = Some(index);
            let mut phase = self.one_phase(fields, index + 1, finest_said, &optimiser);
            if let (None, Some(steps)) = (fields.written("steps"), render.written("steps")) {
                phase.origins.insert("steps".to_owned(), self.origin(&steps));
            }
            if phases.len() as u64 + repeat > MOST_PHASES as u64 {
                let span = fields.written("repeat").map_or(fields.span.clone(), |value| value.span);
                self.error(span, format!("more than {MOST_PHASES} phases, repetitions included"));
                phases.push(phase);
                break;
            }
            for pass in 0..*repeat {
                // The remainder makes the first repetitions one step longer.
                let steps = steps / repeat + u64::from(pass < steps % repeat);
                let steps = u32::try_from(steps.max(1)).unwrap_or(u32::MAX);
                phases.push(Phase { pass: pass as u32 + 1, steps, ..phase.clone() });
            }
        }
        self.phase = None;
        phases
    }

    fn repeat(&mut self, fields: &Fields<'a>) -> u64 {
        fields.get("repeat").and_then(|value| self.whole(&value)).unwrap_or(1)
    }

    /// Returns each phase's steps, all repetitions together.
    fn lengths(&mut self, render: &Fields<'a>, tables: &[Fields<'a>], repeats: &[u64]) -> Vec<u64> {
        let before = self.diagnostics.len();
        let said = render.written("steps");
        let total = said.as_ref().and_then(|value| self.whole(value));
        let mut lengths = Vec::new();
        let mut sum = 0.0;
        for (fields, repeat) in tables.iter().zip(repeats) {
            let steps = fields.written("steps").and_then(|value| self.whole(&value)).map(|steps| steps * repeat);
            let share = fields.written("share").map(|value| (self.get_number(fields, "share"), value));
            lengths.push(match (steps, share) {
                (Some(steps), _) => Length::Steps(steps),
                (None, None) => Length::Rest,
                (None, Some((share, value))) => {
                    let others = sum;
                    sum += share;
                    if said.is_none() {
                        let diagnostic =
                            self.error(value.span.clone(), "`share` needs a total: `[render] steps` is not set");
                        diagnostic.hint = Some("write [render] and, on the next line, steps = 500".into());
                    } else if sum > 1.0 + SLACK && others <= 1.0 + SLACK {
                        let diagnostic = self.unfit(&value, format!("the shares up to here add up to {}", short(sum)));
                        diagnostic.expected = Some("a total of at most 1 for all phases".into());
                        diagnostic.hint = Some(match short((1.0 - others).max(0.0)) {
                            left if left == "0" => "nothing is left for this phase: make the others smaller".into(),
                            left => format!("share = {left} takes what is left"),
                        });
                    }
                    Length::Share(share)
                }
            });
        }
        let Some((total, said)) = total.zip(said) else {
            let default = self
                .fields_of_nothing(&keys::PHASE, 0..0)
                .get("steps")
                .and_then(|value| self.whole(&value))
                .unwrap_or(1);
            let alone = |(length, repeat): (&Length, &u64)| match length {
                Length::Steps(steps) => *steps,
                Length::Share(_) | Length::Rest => default * repeat,
            };
            return lengths.iter().zip(repeats).map(alone).collect();
        };
        // A length that could not be read counts as no steps, so the sum would be wrong.
        if self.diagnostics.len() == before {
            self.whole_run(total, &said, &lengths, tables, repeats);
        }
        divided(total, &lengths)
    }

    /// Reports phases whose lengths do not add up to a run of `total` steps.
    fn whole_run(&mut self, total: u64, said: &Value<'a>, lengths: &[Length], tables: &[Fields<'a>], repeats: &[u64]) {
        let taken: f64 = lengths.iter().map(|length| length.taken(total)).sum();
        let left = total as f64 - taken;
        let resting = || lengths.iter().zip(repeats).zip(tables).filter(|((length, _), _)| **length == Length::Rest);
        let needed: u64 = resting().map(|((_, repeat), _)| *repeat).sum();
        if left < -SLACK * total as f64 {
            let message = format!("the phases take {} of these {total} steps", short(taken.round()));
            self.error(said.span.clone(), message).hint = Some("give phases a `share` in place of `steps`".into());
        } else if let (true, Some((_, fields))) = (left + SLACK < needed as f64, resting().next()) {
            let message = format!("nothing is left for this phase: the others take {} of {total} steps", taken.round());
            self.error(fields.span.clone(), message).hint =
                Some("raise `[render] steps`, or make the others shorter".into());
        } else if needed == 0 && left >= 1.0 {
            let run = short(taken.round());
            let message = format!("the phases take {run} of these {total} steps: the run has only {run}");
            self.warning(said.span.clone(), message);
        }
    }

    fn one_phase(
        &mut self,
        fields: &Fields<'a>,
        position: usize,
        finest_said: bool,
        optimiser_of_all: &(Optimiser, Origins),
    ) -> Phase {
        let name = self.name(fields);
        let optimiser = fields.written("optimiser").and_then(|value| self.optimiser(&value));
        let (optimiser, of_optimiser) = optimiser.unwrap_or_else(|| optimiser_of_all.clone());
        let mut origins = self.origins(fields, "");
        origins.extend(of_optimiser);
        if finest_said && fields.written("finest").is_none() {
            // Once any phase gives `finest`, one that does not has no low-pass: the program's default, not the model's advice.
            origins.insert("finest".to_owned(), Origin::Program);
        }
        if let Some(share) = fields.written("share") {
            origins.insert("steps".to_owned(), self.origin(&share));
        }
        let span = fields.written("rate").map_or(fields.span.clone(), |rate| rate.span);
        let rate = At { value: self.get_schedule(fields, "rate"), span };
        let finest = if finest_said { fields.written("finest") } else { fields.get("finest") };
        let finest = finest.and_then(|value| match (value.node, value.kind) {
            (DeValue::String(text), _) if text == "off" => None,
            (_, Kind::Switchable(bounds)) => {
                let (span, said) = (value.span.clone(), value.origin.is_said());
                Some(Finest { value: self.schedule(&value, bounds)?, span, said })
            }
            _ => None,
        });
        let [composition, detail] = ["composition", "detail"].map(|name| fields.written(name));
        Phase {
            span: fields.span.clone(),
            name,
            position,
            pass: 1,
            steps: 1,
            optimiser,
            rate,
            gradient: fields.get("gradient").and_then(|value| self.gradient(&value)).unwrap_or(Gradient::Plain),
            resolution: self.get_schedule(fields, "resolution"),
            patience: self.patience(fields),
            finest,
            composition: composition.map(|value| self.weights(&value)).unwrap_or_default(),
            detail: detail.map(|value| self.weights(&value)).unwrap_or_default(),
            origins,
        }
    }

    /// Reads an optimiser, and where its name and its settings come from.
    fn optimiser(&mut self, value: &Value<'a>) -> Option<(Optimiser, Origins)> {
        let chosen = self.chosen(value)?;
        let spec = match chosen.word {
            OptimiserKind::Adam => &keys::ADAM,
            OptimiserKind::AdamW => &keys::ADAMW,
            OptimiserKind::Sgd => &keys::SGD,
            OptimiserKind::Rmsprop => &keys::RMSPROP,
            OptimiserKind::Sign => &keys::SIGN,
        };
        let fields = self.settings(&chosen, value, spec)?;
        let mut origins = self.origins(&fields, "optimiser.");
        origins.insert("optimiser".to_owned(), self.origin(value));
        let optimiser = match chosen.word {
            OptimiserKind::Sgd => {
                let nesterov = fields.get("nesterov").and_then(|value| self.bool(&value))?;
                let momentum = self.get_number(&fields, "momentum");
                if let (true, Some(written)) = (nesterov && momentum == 0.0, fields.written("nesterov")) {
                    let message = "this has no effect: Nesterov's method needs `momentum`";
                    self.warning(written.span, message);
                }
                Optimiser::Sgd { momentum, nesterov }
            }
            OptimiserKind::Rmsprop => {
                let [keep, epsilon, momentum] =
                    ["keep", "epsilon", "momentum"].map(|name| self.get_number(&fields, name));
                Optimiser::Rmsprop { keep, epsilon, momentum }
            }
            OptimiserKind::Sign => Optimiser::Sign { momentum: self.get_number(&fields, "momentum") },
            kind @ (OptimiserKind::Adam | OptimiserKind::AdamW) => {
                let [beta1, beta2, epsilon] = ["beta1", "beta2", "epsilon"].map(|name| self.get_number(&fields, name));
                if kind == OptimiserKind::AdamW {
                    Optimiser::AdamW { beta1, beta2, epsilon, decay: self.get_number(&fields, "decay") }
                } else {
                    Optimiser::Adam { beta1, beta2, epsilon }
                }
            }
        };
        Some((optimiser, origins))
    }

    fn gradient(&mut self, value: &Value<'a>) -> Option<Gradient> {
        let chosen = self.chosen(value)?;
        Some(match chosen.word {
            GradientKind::Plain => Gradient::Plain,
            GradientKind::Normalise => Gradient::Normalise,
            GradientKind::Clip => {
                let norm = chosen.value?;
                let Kind::Schedule(bounds) = norm.kind else { return None };
                Gradient::Clip(self.schedule(&norm, bounds)?)
            }
        })
    }

    fn patience(&mut self, fields: &Fields<'a>) -> Option<Patience> {
        let gain = self.get_number(fields, "gain");
        let Some(value) = fields.written("patience") else {
            if let Some(gain) = fields.written("gain") {
                let message = "this has no effect: `gain` is for phases with `patience`";
                self.warning(gain.span, message);
            }
            return None;
        };
        let steps = self.whole(&value).and_then(|steps| u32::try_from(steps).ok())?;
        Some(Patience { steps, gain })
    }

    /// Reads a schedule for all targets of a kind, or a table of schedules by their names.
    fn weights(&mut self, value: &Value<'a>) -> Weights {
        let Kind::Weights(bounds) = value.kind else { return Weights::Unsaid };
        match value.node {
            // A table of keyframes differs from one of names by its key `keys`: no target can have that name.
            DeValue::Table(table) if !table.contains_key("keys") => {
                Weights::ByName(self.weights_by_name(value, table, bounds))
            }
            _ => match self.schedule(value, bounds) {
                Some(schedule) => Weights::All(At { value: schedule, span: value.span.clone() }),
                None => Weights::Unsaid,
            },
        }
    }

    fn weights_by_name(
        &mut self,
        value: &Value<'a>,
        table: &'a DeTable<'a>,
        bounds: Bounds,
    ) -> Vec<(At<String>, Schedule)> {
        let mut weights = Vec::new();
        for (key, entry) in entries(table) {
            let at = Value { name: key.get_ref(), ..value.inner(entry, Kind::Schedule(bounds)) };
            // An unreadable schedule has been reported; its name is still looked up.
            let schedule = self.schedule(&at, bounds).unwrap_or(Schedule::Constant(1.0));
            weights.push((At { value: key.get_ref().to_string(), span: key.span() }, schedule));
        }
        weights
    }
}

/// The tolerance for shares, which are written in decimals.
const SLACK: f64 = 1e-6;

impl Length {
    /// Returns the steps that the phase takes for itself; none for [`Length::Rest`].
    fn taken(self, total: u64) -> f64 {
        match self {
            Length::Steps(steps) => steps as f64,
            Length::Share(share) => share * total as f64,
            Length::Rest => 0.0,
        }
    }
}

/// Divides a run's steps among phases. The steps lost by rounding down go to the largest remainders.
fn divided(total: u64, lengths: &[Length]) -> Vec<u64> {
    let taken: f64 = lengths.iter().map(|length| length.taken(total)).sum();
    let resting = lengths.iter().filter(|length| **length == Length::Rest).count();
    let rest = (total as f64 - taken).max(0.0) / resting.max(1) as f64;
    let wanted = lengths.iter().map(|length| if *length == Length::Rest { rest } else { length.taken(total) });
    let wanted: Vec<f64> = wanted.collect();
    // A share of 0.29 of 100 is a hair below 29.
    let mut steps: Vec<u64> = wanted.iter().map(|wanted| (wanted + SLACK).floor() as u64).collect();
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| (wanted[*b] - steps[*b] as f64).total_cmp(&(wanted[*a] - steps[*a] as f64)));
    let left = (wanted.iter().sum::<f64>().round() as u64).saturating_sub(steps.iter().sum());
    for index in order.into_iter().take(left as usize) {
        steps[index] += 1;
    }
    steps.into_iter().map(|steps| steps.max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_divided_without_loss() {
        use Length::{Rest, Share, Steps};
        assert_eq!(divided(500, &[Share(0.3), Share(0.7)]), [150, 350]);
        assert_eq!(divided(100, &[Share(0.29), Share(0.71)]), [29, 71]);
        assert_eq!(divided(500, &[Share(0.3), Rest, Rest]), [150, 175, 175]);
        assert_eq!(divided(500, &[Steps(101), Share(0.5), Rest]), [101, 250, 149]);
        assert_eq!(divided(10, &[Rest, Rest, Rest]), [4, 3, 3]);
        assert_eq!(divided(10, &[Share(1.0 / 3.0), Share(1.0 / 3.0), Share(1.0 / 3.0)]), [4, 3, 3]);
        // Phases get no more steps than they ask for.
        assert_eq!(divided(100, &[Share(0.5), Steps(20)]), [50, 20]);
        // Every phase has at least one step.
        assert_eq!(divided(100, &[Share(0.001), Share(0.999)]), [1, 100]);
    }
}
