//! A plan in words and numbers, printed for people and as JSON.

use serde::{Serialize, Serializer};

use super::choice::{Choice, names};
use super::effort::Effort;
use crate::clip::{Description, ModelFolder};
use crate::plan::{
    Basis, Edge, Gradient, Ground, Init, Optimiser, Phase, Plan, Prompt, Pull, Region, Schedule, Sight, Spectrum,
    StageKind, Target, Time,
};
use crate::recipe::{Compiled, Origins};

/// A schedule's values at three moments: the first step, the middle one, the last.
pub(super) type Values = [f64; 3];

/// Everything that is reported about a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Account {
    pub title: Option<String>,
    /// Width and height in pixels.
    pub size: [u32; 2],
    pub seed: u64,
    /// The first of `models`.
    pub model: String,
    /// The side of that model's windows, in pixels.
    pub window: u32,
    /// All models that targets look with.
    pub models: Vec<ModelAccount>,
    /// How the picture is stored.
    pub basis: Choice,
    /// What the canvas starts from.
    pub start: Start,
    /// Where each value comes from: `command line`, `recipe`, `model` for the model's advice, `program` for the program's
    /// default.
    #[serde(serialize_with = "names")]
    pub from: Origins,
    pub phases: Vec<PhaseAccount>,
    pub targets: Vec<TargetAccount>,
    pub effort: Effort,
}

/// What the canvas starts from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub ground: String,
    /// The recipe key that sets the ground.
    pub key: &'static str,
    pub noise: f64,
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}, noise {}", self.ground, self.noise))
    }
}

/// The account of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ModelAccount {
    pub name: String,
    /// The side of its windows, in pixels.
    pub window: u32,
}

/// The account of one phase. Values are those at its first, middle and last step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PhaseAccount {
    pub name: String,
    pub steps: u32,
    /// The optimiser's name, with its settings if they are not the usual ones.
    pub optimiser: Choice,
    pub rate: Values,
    /// `plain`, `normalise` or `clip`.
    pub gradient: &'static str,
    /// The norm that the gradient is clipped to; null where it is not clipped.
    pub clip: Option<Values>,
    /// The width and height of the optimised canvas.
    pub canvas: [[u32; 2]; 3],
    /// The phase ends early after this many steps without a similarity that rises by `gain`; null if it never does.
    pub patience: Option<u32>,
    pub gain: Option<f64>,
    /// The low-pass on the picture, in cycles per shorter canvas side; null shows everything.
    pub finest: Option<Values>,
    /// The weight of each target, in the order of `targets`.
    pub weights: Vec<Values>,
    /// Where each value comes from.
    #[serde(serialize_with = "names")]
    pub from: Origins,
}

/// The account of one target. Values are those at the run's first, middle and last step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TargetAccount {
    pub name: String,
    /// `places`, a number of places that stay, or `whole` and how it fits.
    pub sight: String,
    /// The number of places per step.
    pub windows: u32,
    pub select: &'static str,
    /// What competing prompts are measured against; null if no prompts are compared.
    pub calibration: Option<&'static str>,
    pub loss: &'static str,
    /// Index into the plan's models: the target's model, or the first of several.
    pub model: usize,
    /// All models of the target.
    pub models: Vec<MemberAccount>,
    /// `[x, y, width, height]` as fractions of the canvas, or a mask's path; null for the whole canvas.
    pub region: Option<String>,
    /// The first step at which it acts and the step before which it ends, counted from 0; null if it acts at all steps.
    pub active: Option<[u64; 2]>,
    pub prompts: Vec<PromptAccount>,
    pub pipelines: Vec<PipelineAccount>,
    /// Where each value comes from; `stages` refers to the target's own stages, not to those of its prompts.
    #[serde(serialize_with = "names")]
    pub from: Origins,
}

/// The account of one of a target's models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct MemberAccount {
    pub name: String,
    /// The model's weight among the target's models.
    pub weight: Values,
}

/// The account of one prompt of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PromptAccount {
    /// `text`, `texts`, `image` or `direction`.
    pub kind: &'static str,
    /// The text (of several, the first and the number of others), or the file's path.
    pub prompt: String,
    /// The texts that are averaged: several texts, or texts filled into templates. Empty for a single text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Negative for a prompt to avoid.
    pub weight: Values,
    /// Index into the target's pipelines; null for a prompt to avoid, which is scored on the winning view, and for a direction.
    pub pipeline: Option<usize>,
}

/// The account of one pipeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PipelineAccount {
    pub stages: Vec<StageAccount>,
    pub edge: String,
}

/// The account of one stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct StageAccount {
    pub stage: &'static str,
    /// The ends of the range; null for a stage without a range.
    pub low: Option<Values>,
    pub high: Option<Values>,
    /// The axis of a flip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub axis: Option<&'static str>,
    /// The spectrum of noise that is not white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<&'static str>,
    pub chance: Values,
}

/// Returns a plan's account.
pub(super) fn of(compiled: &Compiled, models: &[ModelFolder], effort: Effort) -> Account {
    let (plan, whence) = (&compiled.plan, &compiled.whence);
    let models: Vec<ModelAccount> = models.iter().map(|model| &model.description).map(model_account).collect();
    let first = models.first().cloned().unwrap_or(ModelAccount { name: String::new(), window: 0 });
    let moments = moments(plan);
    let targets = once_each(plan).map(|target| {
        let from = whence.targets.get(target).cloned().unwrap_or_default();
        target_account(plan, target, &models, &moments, from)
    });
    let targets = targets.collect();
    let mut start = 0;
    let phases = plan.phases.iter().zip(&whence.phases).map(|(phase, from)| {
        let account = phase_account(plan, phase, start, from.clone());
        start += u64::from(phase.steps);
        account
    });
    Account {
        title: plan.title.clone(),
        size: [plan.size.width, plan.size.height],
        seed: plan.seed,
        model: first.name,
        window: first.window,
        models,
        basis: basis(&plan.canvas.basis),
        start: ground(&plan.canvas.init),
        phases: phases.collect(),
        targets,
        from: whence.recipe.clone(),
        effort,
    }
}

/// Describes a basis in a recipe's words.
fn basis(basis: &Basis) -> Choice {
    let name = basis.name();
    match *basis {
        Basis::Pixels => Choice::new(name, []),
        Basis::Pyramid { coarsest } => Choice::new(name, [("coarsest", f64::from(coarsest))]),
        Basis::Fourier { decay, chroma } => Choice::new(name, [("decay", decay), ("chroma", chroma)]),
    }
}

fn ground(init: &Init) -> Start {
    let (key, ground) = match &init.ground {
        Ground::Colour([r, g, b]) if r == g && g == b => ("canvas.init.mean", format!("mean {r}")),
        Ground::Colour(mean) => ("canvas.init.colour", format!("mean {mean:?}")),
        Ground::Image(path) => ("canvas.init.image", path.display().to_string()),
    };
    Start { ground, key, noise: init.noise }
}

/// Yields the index of each target of the recipe. The members of an ensemble are represented by the first one.
fn once_each(plan: &Plan) -> impl Iterator<Item = usize> {
    (0..plan.targets.len()).filter(|target| plan.first_member(*target) == *target)
}

fn model_account(description: &Description) -> ModelAccount {
    ModelAccount { name: description.name.clone(), window: description.image.size }
}

/// Returns the times of the run's first, middle and last step.
fn moments(plan: &Plan) -> [Time; 3] {
    let total = plan.steps();
    [0, total.saturating_sub(1) / 2, total.saturating_sub(1)].map(|step| {
        let mut start = 0;
        for phase in &plan.phases {
            let steps = u64::from(phase.steps);
            if step < start + steps {
                return Time::new(step - start, steps, start, total);
            }
            start += steps;
        }
        Time::new(0, 1, 0, 1)
    })
}

fn values(schedule: &Schedule, moments: &[Time; 3]) -> Values {
    [0, 1, 2].map(|moment| schedule.at(&moments[moment]))
}

fn phase_account(plan: &Plan, phase: &Phase, start: u64, from: Origins) -> PhaseAccount {
    let total = plan.steps();
    let steps = u64::from(phase.steps);
    let last = steps.saturating_sub(1);
    let moments = [0, last / 2, last].map(|index| Time::new(index, steps, start, total));
    PhaseAccount {
        name: phase.name.clone(),
        steps: phase.steps,
        optimiser: optimiser(&phase.optimiser),
        rate: values(&phase.rate, &moments),
        gradient: phase.gradient.name(),
        clip: match &phase.gradient {
            Gradient::Clip(norm) => Some(values(norm, &moments)),
            Gradient::Plain | Gradient::Normalise => None,
        },
        canvas: moments.map(|moment| {
            let size = phase.canvas_size(plan.size, &moment);
            [size.width, size.height]
        }),
        patience: phase.patience.map(|patience| patience.steps),
        gain: phase.patience.map(|patience| patience.gain),
        finest: phase.finest.as_ref().map(|finest| values(finest, &moments)),
        weights: once_each(plan).map(|target| values(&phase.weights[target], &moments)).collect(),
        from,
    }
}

/// Describes an optimiser in a recipe's words.
fn optimiser(optimiser: &Optimiser) -> Choice {
    let name = optimiser.name();
    match *optimiser {
        Optimiser::ADAM_OF_NORMALISED => Choice::new(name, []),
        Optimiser::Adam { beta1, beta2, epsilon } => {
            Choice::new(name, [("beta1", beta1), ("beta2", beta2), ("epsilon", epsilon)])
        }
        Optimiser::AdamW { beta1, beta2, epsilon, decay } => {
            Choice::new(name, [("decay", decay), ("beta1", beta1), ("beta2", beta2), ("epsilon", epsilon)])
        }
        Optimiser::Sgd { momentum, nesterov } => {
            let mut choice = Choice::new(name, [("momentum", momentum)]);
            choice.settings.extend(nesterov.then(|| ("nesterov", String::new())));
            choice
        }
        Optimiser::Rmsprop { keep, epsilon, momentum } => {
            Choice::new(name, [("keep", keep), ("epsilon", epsilon), ("momentum", momentum)])
        }
        Optimiser::Sign { momentum } => Choice::new(name, [("momentum", momentum)]),
    }
}

fn target_account(
    plan: &Plan,
    index: usize,
    models: &[ModelAccount],
    moments: &[Time; 3],
    from: Origins,
) -> TargetAccount {
    let target = &plan.targets[index];
    let member = |(_, member): (usize, &Target)| MemberAccount {
        name: models.get(member.model).map(|model| model.name.clone()).unwrap_or_default(),
        weight: member.member.as_ref().map_or([1.0; 3], |member| values(&member.weight, moments)),
    };
    let members = plan.targets.iter().enumerate().filter(|(other, _)| plan.first_member(*other) == index);
    let prompt = |pull: &Pull, pipeline: Option<usize>| {
        let (kind, prompt, texts) = match plan.prompts.get(pull.prompt) {
            Some(Prompt::Image(path)) => ("image", path.display().to_string(), Vec::new()),
            Some(prompt @ Prompt::Direction { file, .. }) => {
                ("direction", format!("{} of {}", prompt.called(), file.display()), Vec::new())
            }
            Some(prompt @ Prompt::Ensemble(ensemble)) => ("texts", prompt.called(), ensemble.filled()),
            Some(prompt @ Prompt::Text(_)) => ("text", prompt.called(), Vec::new()),
            None => ("text", String::new(), Vec::new()),
        };
        PromptAccount { kind, prompt, texts, weight: values(&pull.weight, moments), pipeline }
    };
    let wanted = target.wanted.iter().map(|pull| prompt(pull, Some(pull.pipeline)));
    let avoided = target.avoided.iter().chain(&target.directions).map(|pull| prompt(pull, None));
    TargetAccount {
        name: target.called().to_owned(),
        sight: match target.sight {
            Sight::Places => target.places.map_or("places".to_owned(), |places| format!("{places} places that stay")),
            Sight::Whole { fit } => format!("whole ({})", fit.name()),
        },
        windows: target.windows,
        select: target.select.name(),
        calibration: target.compares().then(|| target.calibration.name()),
        loss: target.loss.name(),
        model: target.model,
        models: members.map(member).collect(),
        region: target.region.as_ref().map(|region| match region {
            Region::Rectangle { sides, feather: 0.0 } => format!("{sides:?}"),
            Region::Rectangle { sides, feather } => format!("{sides:?}, feather {feather}"),
            Region::Mask(path) => path.display().to_string(),
        }),
        active: target.active.map(|active| [active.from, active.until]),
        prompts: wanted.chain(avoided).collect(),
        pipelines: target
            .pipelines
            .iter()
            .map(|pipeline| PipelineAccount {
                stages: pipeline
                    .stages
                    .iter()
                    .map(|stage| stage_account(&stage.kind, &stage.chance, moments))
                    .collect(),
                edge: match pipeline.edge {
                    Edge::Fill(colour) => format!("fill {colour:?}"),
                    other => other.name().to_owned(),
                },
            })
            .collect(),
        from,
    }
}

fn stage_account(kind: &StageKind, chance: &Schedule, moments: &[Time; 3]) -> StageAccount {
    let axis = match kind {
        StageKind::Flip(axis) => Some(axis.name()),
        _ => None,
    };
    let spectrum = match kind {
        StageKind::Noise(_, Spectrum::White) => None,
        StageKind::Noise(_, spectrum) => Some(spectrum.name()),
        _ => None,
    };
    let range = kind.range();
    StageAccount {
        stage: kind.name(),
        low: range.map(|range| values(&range.low, moments)),
        high: range.map(|range| values(&range.high, moments)),
        axis,
        spectrum,
        chance: values(chance, moments),
    }
}
