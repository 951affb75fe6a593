//! The dependencies of a render's state, as a chain of hashes.
//!
//! ```text
//! key 0     = H(canvas, size, seed, library, device, the program's arithmetic)
//! key s + 1 = H(key s, all that is resolved at step s and can affect the canvas)
//! ```
//!
//! The hash uses the values of schedules at a step, and only the targets that are active in it. So the state after s steps serves every
//! recipe that is equivalent up to there, whatever its text: one with another title, with other later phases, or with changes to a detail
//! that is not active yet.
//!
//! Structures of the plan are destructured field by field here. A new field does not compile until someone has decided whether it counts.
//! Choices are hashed by their words in recipes (`plan::Word`).

use super::digest::Digest;
use super::{Conditions, Contents};
use crate::plan::{
    Basis, Canvas, Edge, Gradient, Ground, Init, Member, Optimiser, Patience, Phase, Pipeline, Plan, Prompt, Pull,
    Range, Region, Select, Sight, Size, Spectrum, Stage, StageKind, Target, Time,
};

/// The version of the program's arithmetic. Raise it with every change after which a render gives different bytes, however few: changes
/// to the canvas, to views, to the encoder's graphs, to draws, or to defaults that the plan does not hold. Old states are then never used
/// again.
pub const ARITHMETIC: u64 = 4;

/// The hash of everything that a state depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(blake3::Hash);

/// The number of digits of [`Key::name`].
pub(super) const NAME_DIGITS: usize = 32;

impl Key {
    /// Returns 32 hexadecimal digits: 128 bits, too many to collide by chance in a store of any size.
    pub fn name(&self) -> String {
        self.0.to_hex()[..NAME_DIGITS].to_owned()
    }
}

/// A state, identified by its key and by how a render reached it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    key: Key,
    steps: u64,
    cuts: Vec<(usize, u64)>,
}

impl Mark {
    /// Whether a render of `plan` under these conditions passes through this very state.
    pub fn is_on_the_way_of(&self, plan: &Plan, conditions: &Conditions) -> bool {
        let mut chain = Chain::new(plan, conditions);
        chain.replay(self.steps, &self.cuts) && chain.key() == self.key
    }
}

/// Walks through a plan's steps and computes the key at each.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    plan: &'a Plan,
    models: &'a [String],
    files: &'a Contents,
    /// The hash of each of the plan's prompts.
    prompts: Vec<blake3::Hash>,
    start: Key,
    key: Key,
    steps: u64,
    total: u64,
    phase: usize,
    phase_step: u64,
    /// The steps of earlier phases, including those that were skipped.
    phase_start: u64,
    /// Whether the phase has ended before its steps are done.
    cut: bool,
    /// The phases that have ended early, and after how many steps.
    cuts: Vec<(usize, u64)>,
}

impl<'a> Chain<'a> {
    /// Starts at the beginning of a render.
    pub fn new(plan: &'a Plan, conditions: &'a Conditions) -> Self {
        let start = start(plan, conditions);
        Chain {
            plan,
            models: &conditions.models,
            files: &conditions.files,
            prompts: plan.prompts.iter().map(|prompt| prompt_hash(prompt, conditions)).collect(),
            start,
            key: start,
            steps: 0,
            total: plan.steps(),
            phase: 0,
            phase_step: 0,
            phase_start: 0,
            cut: false,
            cuts: Vec::new(),
        }
    }

    /// Returns key 0.
    pub fn start(&self) -> Key {
        self.start
    }

    /// Returns the key of the present state.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Returns the number of steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the phase of the last step, from 0, and the number of its steps done.
    pub fn position(&self) -> (usize, u64) {
        (self.phase, self.phase_step)
    }

    /// Whether the phase of the last step is over.
    pub fn phase_is_over(&self) -> bool {
        self.cut || self.plan.phases.get(self.phase).is_none_or(|phase| self.phase_step == u64::from(phase.steps))
    }

    /// Returns the phases that ended early, and after how many steps. Only a render can know this.
    pub fn cuts(&self) -> &[(usize, u64)] {
        &self.cuts
    }

    /// Returns the present state.
    pub fn mark(&self) -> Mark {
        Mark { key: self.key, steps: self.steps, cuts: self.cuts.clone() }
    }

    /// Returns the plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Returns the hash of a prompt's content, whatever its name.
    pub(super) fn prompt(&self, index: usize) -> blake3::Hash {
        self.prompts[index]
    }

    /// Ends the phase of the last step, which has run out of patience. The state gets another key from here on, because a render without
    /// patience may continue the phase.
    pub fn cut(&mut self) {
        let mut digest = Digest::new("recipe-render store: cut");
        self.key = Key(digest.hash(&self.key.0).finish());
        self.cuts.push((self.phase, self.phase_step));
        self.cut = true;
    }

    /// Takes one step; returns false if none is left.
    pub fn advance(&mut self) -> bool {
        while self.phase_is_over() {
            if self.phase + 1 >= self.plan.phases.len() {
                return false;
            }
            self.phase_start += u64::from(self.plan.phases[self.phase].steps);
            self.phase += 1;
            self.phase_step = 0;
            self.cut = false;
        }
        let Some(phase) = self.plan.phases.get(self.phase) else { return false };
        let time = Time::new(self.phase_step, u64::from(phase.steps), self.phase_start, self.total);
        let mut digest = Digest::new("recipe-render store: step");
        // The step's number in the run, which draws depend on. At the first step of a phase an optimiser may start afresh.
        digest.hash(&self.key.0).count(time.step);
        self.step(&mut digest, phase, &time);
        self.key = Key(digest.finish());
        self.steps += 1;
        self.phase_step += 1;
        true
    }

    /// Takes the steps of a render that ended these phases early.
    pub(super) fn replay(&mut self, steps: u64, cuts: &[(usize, u64)]) -> bool {
        while self.steps < steps && self.advance() {
            if cuts.contains(&(self.phase, self.phase_step)) {
                self.cut();
            }
        }
        self.steps == steps
    }

    fn step(&self, digest: &mut Digest, phase: &Phase, time: &Time) {
        let Phase { name: _, steps: _, optimiser, rate, gradient, resolution: _, finest, weights, patience } = phase;
        optimise(digest, optimiser);
        digest.number(rate.at(time));
        let named = digest.word(gradient.name());
        match gradient {
            Gradient::Plain | Gradient::Normalise => named,
            Gradient::Clip(norm) => named.number(norm.at(time)),
        };
        let Size { width, height } = phase.canvas_size(self.plan.size, time);
        digest.count(u64::from(width)).count(u64::from(height));
        // The rises of the targets' similarities are stored by the targets' positions.
        if let Some(Patience { steps, gain }) = patience {
            digest.word("patience").count(u64::from(*steps)).number(*gain);
            let active =
                self.plan.targets.iter().zip(weights).map(|(target, weight)| {
                    if weight.at(time) == 0.0 || !target.acts_at(time.step) { 0.0 } else { 1.0 }
                });
            digest.numbers(active.collect::<Vec<_>>());
        }
        digest.numbers(finest.as_ref().map(|finest| finest.at(time)).as_slice().iter().copied());
        for (target, weight) in self.plan.targets.iter().zip(weights) {
            self.target(digest, target, weight.at(time), time);
        }
    }

    /// Adds a target, if it is active.
    fn target(&self, digest: &mut Digest, target: &Target, weight: f64, time: &Time) {
        let Target {
            name: _,
            key,
            model,
            member,
            sight,
            region,
            active,
            windows,
            places,
            select,
            temperature,
            calibration,
            loss,
            pipelines,
            wanted,
            avoided,
            directions,
        } = target;
        // Whatever is 0 in the renderer's arithmetic is left out here too.
        let counts = |pull: &&Pull| (pull.weight.at(time) * (weight / f64::from(*windows))) as f32 != 0.0;
        let wanted: Vec<&Pull> = wanted.iter().filter(counts).collect();
        let acts = active.is_none_or(|active| active.contains(time.step));
        let directions: Vec<&Pull> = directions.iter().filter(counts).collect();
        if weight == 0.0 || (wanted.is_empty() && directions.is_empty()) || !acts {
            return;
        }
        digest.word("target").count(*key).number(weight).count(u64::from(*windows));
        // Views are sorted by the positions of models and regions before they are evaluated.
        digest.count(*model as u64).word(self.models.get(*model).map_or("", String::as_str));
        // The ensemble's name is already part of the target's key.
        if let Some(Member { of: _, weight }) = member {
            digest.word("member").number(weight.at(time));
        }
        let first = self.plan.targets.iter().take_while(|other| other.region != *region).count() as u64;
        match region {
            None => digest.word("everywhere"),
            Some(Region::Rectangle { sides, feather }) => {
                digest.word("rectangle").count(first).numbers(*sides).number(*feather)
            }
            Some(Region::Mask(path)) => digest.word("mask").count(first).hash(&self.files.hash(path)),
        };
        digest.word(match sight {
            Sight::Whole { fit } => fit.name(),
            Sight::Places => "places",
        });
        if let Some(places) = places {
            digest.word("spots").count(u64::from(*places));
        }
        digest.word(select.name());
        if *select == Select::Mix {
            digest.number(temperature.at(time));
        }
        if target.compares() {
            digest.word(calibration.name());
        }
        digest.word(loss.name());
        // Pipelines count only if a prompt is seen through them, in the order in which they occur.
        let mut met: Vec<usize> = Vec::new();
        digest.count(wanted.len() as u64);
        if let (true, Some(first)) = (wanted.is_empty(), pipelines.first()) {
            pipeline(digest, first, time);
        }
        for pull in wanted {
            let seen = met.iter().position(|pipeline| *pipeline == pull.pipeline);
            digest.count(seen.unwrap_or(met.len()) as u64);
            if seen.is_none() {
                met.push(pull.pipeline);
                if let Some(own) = pipelines.get(pull.pipeline) {
                    pipeline(digest, own, time);
                }
            }
            self.pull(digest, pull, time);
        }
        let avoided: Vec<&Pull> = avoided.iter().filter(counts).collect();
        digest.count(avoided.len() as u64);
        for pull in avoided {
            self.pull(digest, pull, time);
        }
        // Added only if there are any, so the keys of all other recipes stay the same.
        if !directions.is_empty() {
            digest.word("directions").count(directions.len() as u64);
            directions.into_iter().for_each(|pull| self.pull(digest, pull, time));
        }
    }

    fn pull(&self, digest: &mut Digest, pull: &Pull, time: &Time) {
        let Pull { prompt, weight, pipeline: _, scale, stop } = pull;
        digest.hash(&self.prompts[*prompt]).number(weight.at(time)).number(scale.at(time));
        digest.numbers(stop.as_ref().map(|stop| stop.at(time)).as_slice().iter().copied());
    }
}

fn optimise(digest: &mut Digest, optimiser: &Optimiser) {
    let named = digest.word(optimiser.name());
    match optimiser {
        Optimiser::Adam { beta1, beta2, epsilon } => named.numbers([*beta1, *beta2, *epsilon]),
        Optimiser::AdamW { beta1, beta2, epsilon, decay } => named.numbers([*beta1, *beta2, *epsilon, *decay]),
        Optimiser::Sgd { momentum, nesterov } => named.number(*momentum).count(u64::from(*nesterov)),
        Optimiser::Rmsprop { keep, epsilon, momentum } => named.numbers([*keep, *epsilon, *momentum]),
        Optimiser::Sign { momentum } => named.number(*momentum),
    };
}

/// Computes key 0 from everything that does not change from step to step.
fn start(plan: &Plan, conditions: &Conditions) -> Key {
    let Plan { title: _, size, seed, canvas, prompts: _, targets: _, phases: _ } = plan;
    let Size { width, height } = size;
    let Conditions { models: _, library, device, files } = conditions;
    let Canvas { basis, init } = canvas;
    let Init { ground, noise } = init;
    let mut digest = Digest::new("recipe-render store: start");
    digest.count(ARITHMETIC).count(u64::from(*width)).count(u64::from(*height)).count(*seed);
    digest.word(library).word(device);
    let named = digest.word(basis.name());
    match basis {
        Basis::Pixels => named,
        Basis::Pyramid { coarsest } => named.count(u64::from(*coarsest)),
        Basis::Fourier { decay, chroma } => named.number(*decay).number(*chroma),
    };
    match ground {
        Ground::Colour(colour) => digest.word("colour").numbers(*colour),
        Ground::Image(path) => digest.word("image").hash(&files.hash(path)),
    };
    digest.number(*noise);
    Key(digest.finish())
}

fn prompt_hash(prompt: &Prompt, conditions: &Conditions) -> blake3::Hash {
    let mut digest = Digest::new("recipe-render store: prompt");
    match prompt {
        Prompt::Text(text) => digest.word("text").word(text),
        Prompt::Ensemble(ensemble) => {
            let filled = ensemble.filled();
            digest.word("ensemble").count(filled.len() as u64);
            filled.iter().fold(&mut digest, |digest, text| digest.word(text))
        }
        Prompt::Image(path) => digest.word("image").hash(&conditions.files.hash(path)),
        Prompt::Direction { file, class } => {
            digest.word("direction").hash(&conditions.files.hash(file)).word(class.as_deref().unwrap_or_default())
        }
    };
    digest.finish()
}

fn pipeline(digest: &mut Digest, pipeline: &Pipeline, time: &Time) {
    let Pipeline { stages, edge } = pipeline;
    let named = digest.word(edge.name());
    match edge {
        Edge::Mirror | Edge::Wrap | Edge::Clamp => named,
        Edge::Fill(colour) => named.numbers(colour.map(f64::from)),
    };
    for Stage { kind, chance, key } in stages {
        let chance = chance.at(time);
        if chance <= 0.0 {
            continue;
        }
        digest.word(kind.name()).number(chance).count(*key);
        match kind {
            StageKind::Zoom(range)
            | StageKind::Cover(range)
            | StageKind::Shift(range)
            | StageKind::Rotate(range)
            | StageKind::Shear(range)
            | StageKind::Stretch(range)
            | StageKind::Crop(range)
            | StageKind::Perspective(range)
            | StageKind::Blur(range)
            | StageKind::Colour(range)
            | StageKind::Brightness(range)
            | StageKind::Contrast(range)
            | StageKind::Saturation(range)
            | StageKind::Hue(range)
            | StageKind::Sharpen(range)
            | StageKind::Erase(range)
            | StageKind::Pixelate(range)
            | StageKind::Quantise(range)
            | StageKind::Gamma(range)
            | StageKind::Edges(range)
            | StageKind::Clamp(range) => {
                let Range { low, high } = range;
                digest.number(low.at(time)).number(high.at(time))
            }
            StageKind::Noise(Range { low, high }, spectrum) => {
                let ends = digest.number(low.at(time)).number(high.at(time));
                match spectrum {
                    // Adds nothing, so that the keys of all recipes from before there were spectra stay the same.
                    Spectrum::White => ends,
                    Spectrum::Pink | Spectrum::Brown => ends.word(spectrum.name()),
                    Spectrum::Coarse(grain) => ends.word(spectrum.name()).number(grain.at(time)),
                }
            }
            StageKind::Flip(axis) => digest.word(axis.name()),
        };
    }
    digest.word("end");
}
