//! Turns a recipe as written into a plan: looks up names, sorts prompts, multiplies weights.

use std::collections::HashMap;
use std::ops::Range;

use crate::chance::key_of;
use crate::plan::{
    Active, Canvas, Edge, Init, Phase, Pipeline, Plan, Prompt, Pull, Schedule, Sight, Stage, StageKind, Target,
};
use crate::read::reader::Reader;
use crate::read::timeline::Timeline;
use crate::read::written;
use crate::read::written::{At, ModelReference, PipelineUse, Recipe, TargetKind, Weights};
use crate::report::diagnostic::Severity;
use crate::report::nearest::did_you_mean;
use crate::report::numbers::short;
use crate::resolve::chains::{Chains, Whole};
use crate::resolve::ensembles;
use crate::resolve::warnings;
use crate::sources::origin::Whence;

/// A plan with the places of its prompts.
pub(crate) struct Resolved {
    pub plan: Plan,
    /// Indexed by [`Target::model`].
    pub models: Vec<ModelReference>,
    pub prompt_spans: Vec<Range<usize>>,
    pub whence: Whence,
}

struct Resolver<'r, 'a> {
    reader: &'r mut Reader<'a>,
    chains: Chains<'r>,
    timeline: &'r Timeline,
    /// The phases' steps as written in the recipe, and as actually run.
    steps: [Vec<u64>; 2],
    /// The models of targets that name none, with their weights; if there are none, this has been reported.
    own: Vec<(ModelReference, Schedule)>,
    models: Vec<ModelReference>,
    /// The ratio of the canvas's longer side to its shorter one, as the recipe gives it.
    stretch: f64,
    prompts: Vec<Prompt>,
    prompt_spans: Vec<Range<usize>>,
    rows: HashMap<Prompt, usize>,
}

/// Makes the plan. Names that cannot be found are reported; the plan is then useless. `counted` holds the phases' steps as written in the
/// recipe, `own` the models of targets that name none, with their weights.
pub(crate) fn resolve(
    reader: &mut Reader<'_>,
    recipe: &Recipe,
    timeline: &Timeline,
    counted: &[u64],
    own: Vec<(ModelReference, Schedule)>,
) -> Resolved {
    unique_names(reader, recipe);
    let chains = Chains::new(reader, &recipe.pipelines);
    let steps = [counted.to_vec(), recipe.phases.iter().map(|phase| u64::from(phase.steps)).collect()];
    let (prompts, prompt_spans, rows, models) = Default::default();
    let size = recipe.own_size;
    let stretch = f64::from(size.width.max(size.height)) / f64::from(size.shorter().max(1));
    let mut resolver = Resolver { reader, chains, timeline, steps, own, models, stretch, prompts, prompt_spans, rows };
    let members: Vec<Vec<Target>> = recipe.targets.iter().map(|target| resolver.members(target)).collect();
    ensembles::unique(resolver.reader, recipe, &members);
    let mut phases: Vec<Phase> =
        recipe.phases.iter().enumerate().map(|(index, phase)| resolver.phase(index, phase, recipe)).collect();
    resolver.warn(recipe, &phases);
    // A weight for a target applies to all its members.
    for phase in &mut phases {
        let each = phase.weights.iter().zip(&members);
        phase.weights = each.flat_map(|(weight, members)| vec![weight.clone(); members.len()]).collect();
    }
    let origins = recipe.targets.iter().zip(&members);
    let origins = origins.flat_map(|(target, members)| vec![target.origins.clone(); members.len()]).collect();
    let targets = members.into_iter().flatten().collect();
    let Resolver { models, prompts, prompt_spans, .. } = resolver;
    let plan = Plan {
        title: recipe.title.clone(),
        size: recipe.size,
        seed: recipe.seed,
        canvas: Canvas {
            basis: recipe.basis.clone(),
            init: Init { ground: recipe.ground.clone(), noise: recipe.noise },
        },
        prompts,
        targets,
        phases,
    };
    let whence = Whence {
        recipe: recipe.origins.clone(),
        targets: origins,
        phases: recipe.phases.iter().map(|phase| phase.origins.clone()).collect(),
    };
    Resolved { plan, models, prompt_spans, whence }
}

/// Reports names that two targets or two phases share.
fn unique_names(reader: &mut Reader<'_>, recipe: &Recipe) {
    let targets = recipe.targets.iter().map(|target| (target.called(), &target.name));
    let phases = recipe.phases.iter().map(|phase| (phase.called(), &phase.name));
    for (what, mut names) in [("target", targets.collect::<Vec<_>>()), ("phase", phases.collect())] {
        // In written order, with unnamed ones first. The one reported then always has a written name and is the later one.
        names.sort_by_key(|(_, name)| name.as_ref().map(|name| name.span.start));
        let mut seen = std::collections::HashSet::new();
        for (called, name) in names {
            if let (false, Some(name)) = (seen.insert(called.clone()), name) {
                let message = format!("another {what} is already called \"{called}\"");
                reader.error(name.span.clone(), message).hint = Some("names must be unique".into());
            }
        }
    }
}

impl Resolver<'_, '_> {
    fn target(&mut self, target: &written::Target) -> Target {
        let called = target.called();
        let whole = target.stages.as_ref().map(|used| self.pipeline(target, used, &format!("target {called}")));
        let whole = whole.unwrap_or_else(|| self.finished(Whole::default(), None));
        let mut resolved = Target {
            key: key_of(&called),
            model: 0,
            member: None,
            region: target.region.clone(),
            active: target.active.as_ref().map(|active| self.active(&called, active)),
            name: called,
            sight: match target.kind {
                TargetKind::Composition => Sight::Whole { fit: target.fit },
                TargetKind::Detail => Sight::Places,
            },
            windows: target.windows,
            places: target.places,
            select: target.select,
            temperature: target.temperature.clone(),
            calibration: target.calibration,
            loss: target.loss,
            pipelines: Vec::new(),
            wanted: Vec::new(),
            avoided: Vec::new(),
            directions: Vec::new(),
        };
        let reported = self.reader.diagnostics.len();
        for prompt in &target.prompts {
            self.prompt(target, prompt, &whole, &mut resolved);
        }
        let silent = self.reader.diagnostics[reported..].iter().all(|d| d.severity != Severity::Error);
        if resolved.wanted.is_empty() && resolved.avoided.is_empty() && !resolved.directions.is_empty() {
            // No prompts compete for views here: directions see every place through the target's own pipeline.
            resolved.pipelines.push(whole);
        } else if resolved.wanted.is_empty() && target.all_prompts && silent {
            let message = format!("\"{}\" shows nothing: none of its prompts has a positive weight", resolved.name);
            self.reader.error(target.span.clone(), message).hint =
                Some("avoided prompts act on what the others show: add a prompt with a positive weight".into());
        }
        resolved
    }

    /// Returns one target for each of the target's models.
    fn members(&mut self, target: &written::Target) -> Vec<Target> {
        let whole = self.target(target);
        let own = target.models.iter().map(|model| (self.reader.reference(model), model.weight.clone()));
        let own = if target.models.is_empty() { self.own.clone() } else { own.collect() };
        let own = own.into_iter().map(|(model, weight)| ensembles::MemberModel {
            name: model.name.clone(),
            model: self.model(model),
            weight,
        });
        ensembles::members(whole, own.collect())
    }

    /// Returns the index of a model, adding it if it is new.
    fn model(&mut self, model: ModelReference) -> usize {
        let known = self.models.iter().position(|other| (&other.name, &other.base) == (&model.name, &model.base));
        known.unwrap_or_else(|| {
            self.models.push(model);
            self.models.len() - 1
        })
    }

    /// Converts the time in which a target is active to the steps of this run.
    fn active(&mut self, target: &str, active: &At<Active>) -> Active {
        let [counted, steps] = &self.steps;
        let total: u64 = counted.iter().sum();
        let Active { from, until } = active.value;
        let scaled = active.value.scaled(counted, steps);
        if from >= total {
            let message = format!("\"{target}\" is never active: the run has {total} steps, from 0 to {}", total - 1);
            self.warning(active.span.clone(), message);
        } else if until > total && until != u64::MAX {
            let message = format!("the run ends at step {total}, before \"{target}\" does");
            self.reader.warning(active.span.clone(), message).hint =
                Some(format!("[{from}, \"end\"] lasts until the run ends"));
        }
        scaled
    }

    /// Adds a prompt to the wanted or the avoided ones.
    fn prompt(&mut self, target: &written::Target, prompt: &written::Prompt, whole: &Pipeline, resolved: &mut Target) {
        let own = prompt.stages.as_ref().map(|used| {
            let scope = format!("target {}: prompt {}", resolved.name, prompt.shows.value.called());
            self.pipeline(target, used, &scope)
        });
        let weight = &prompt.weight;
        let Some([low, high]) = self.timeline.extent(&weight.value) else { return };
        if low.0 < 0.0 && high.0 > 0.0 {
            let message = format!(
                "this weight changes sign: it is {} at step {} and {} at step {}",
                short(low.0),
                low.1.step,
                short(high.0),
                high.1.step
            );
            self.reader.error(weight.span.clone(), message).hint =
                Some("a prompt is either wanted or avoided: max(0, ...) keeps a weight positive".into());
            return;
        }
        if low.0 == 0.0 && high.0 == 0.0 {
            self.warning(weight.span.clone(), "this prompt never pulls: its weight is 0");
            return;
        }
        let prompt_row = self.row(&prompt.shows);
        if matches!(prompt.shows.value, Prompt::Direction { .. }) {
            self.direction(prompt, prompt_row, own.is_some(), low.0 < 0.0, resolved);
            return;
        }
        let mut pull = Pull {
            prompt: prompt_row,
            weight: weight.value.clone(),
            pipeline: 0,
            scale: prompt.scale.clone(),
            stop: prompt.stop.clone(),
        };
        if low.0 < 0.0 {
            if own.is_some() {
                let message =
                    "an avoided prompt acts on the view that another prompt won: its own stages have no effect";
                self.warning(prompt.shows.span.clone(), message);
            }
            if let Some(span) = &prompt.scale_span {
                self.warning(span.clone(), "this has no effect: avoided prompts do not compete for windows");
            }
            if resolved.avoided.iter().any(|other| other.prompt == prompt_row) {
                self.twice(prompt);
            } else if resolved.wanted.iter().any(|other| other.prompt == prompt_row) {
                self.wanted_and_avoided(prompt);
            }
            resolved.avoided.push(pull);
            return;
        }
        let pipeline = own.unwrap_or_else(|| whole.clone());
        let known = resolved.pipelines.iter().position(|other| *other == pipeline);
        pull.pipeline = known.unwrap_or_else(|| {
            resolved.pipelines.push(pipeline);
            resolved.pipelines.len() - 1
        });
        if resolved.wanted.iter().any(|other| (other.prompt, other.pipeline) == (pull.prompt, pull.pipeline)) {
            self.twice(prompt);
        } else if resolved.avoided.iter().any(|other| other.prompt == pull.prompt) {
            self.wanted_and_avoided(prompt);
        }
        resolved.wanted.push(pull);
    }

    /// Adds a direction. `own`: it has stages of its own, which would have no effect; `away`: its weight is negative.
    fn direction(&mut self, prompt: &written::Prompt, row: usize, own: bool, away: bool, resolved: &mut Target) {
        if own {
            let message = "a direction acts on the views that its target's prompts win: its own stages have no effect";
            self.warning(prompt.shows.span.clone(), message);
        }
        let (hinge, other, sign) = match away {
            true => (&prompt.below.value, (&prompt.above.span, "above"), "positive"),
            false => (&prompt.above.value, (&prompt.below.span, "below"), "negative"),
        };
        if let (Some(span), key) = other {
            self.warning(span.clone(), format!("this has no effect: `{key}` is for a direction with a {sign} weight"));
        }
        if resolved.directions.iter().any(|known| known.prompt == row) {
            self.twice(prompt);
        }
        resolved.directions.push(Pull {
            prompt: row,
            weight: prompt.weight.value.clone(),
            pipeline: 0,
            scale: prompt.scale.clone(),
            stop: Some(hinge.clone()),
        });
    }

    fn twice(&mut self, prompt: &written::Prompt) {
        let message = format!("\"{}\" is already in the list", prompt.shows.value.called());
        self.reader.warning(prompt.shows.span.clone(), message).hint =
            Some("a weight makes a prompt stronger: { text = \"...\", weight = 2 }".into());
    }

    fn wanted_and_avoided(&mut self, prompt: &written::Prompt) {
        let message = format!("\"{}\" is both wanted and avoided in one target", prompt.shows.value.called());
        self.reader.warning(prompt.shows.span.clone(), message).hint = Some("keep one of the two".into());
    }

    /// Returns the row of a prompt among all prompts, adding it if it is new.
    fn row(&mut self, shows: &At<Prompt>) -> usize {
        if let Some(row) = self.rows.get(&shows.value) {
            return *row;
        }
        self.rows.insert(shows.value.clone(), self.prompts.len());
        self.prompts.push(shows.value.clone());
        self.prompt_spans.push(shows.span.clone());
        self.prompts.len() - 1
    }

    /// Resolves a pipeline as a target uses it; an empty one if it was reported.
    fn pipeline(&mut self, target: &written::Target, used: &PipelineUse, scope: &str) -> Pipeline {
        let whole = self.chains.used(self.reader, used, scope).unwrap_or_default();
        match target.kind {
            TargetKind::Composition => {
                if let Some((stage, span)) = whole.sizes().next() {
                    let message =
                        format!("`{}` is for details: a composition sees the whole canvas", stage.kind.name());
                    self.reader.error(span.clone(), message).hint =
                        Some("leave it out, or use a [[detail]] to look at parts of the canvas".into());
                }
                self.finished(whole, None)
            }
            TargetKind::Detail => {
                self.larger_than_canvas(&whole);
                let key = key_of(&format!("target {}: default cover", target.called()));
                let cover = target.cover.clone().filter(|_| whole.sizes().next().is_none());
                self.finished(whole, cover.map(|kind| Stage { kind, chance: Schedule::Constant(1.0), key }))
            }
        }
    }

    /// Warns about windows that are always larger than the canvas.
    fn larger_than_canvas(&mut self, whole: &Whole) {
        for (stage, span) in whole.sizes() {
            let StageKind::Cover(range) = &stage.kind else { continue };
            let Some([(least, _), _]) = self.timeline.extent(&range.low) else { continue };
            if least > self.stretch {
                let message =
                    format!("these windows are always larger than the canvas: `cover` is at least {}", short(least));
                self.reader.warning(span.clone(), message).hint = Some(
                    "a [[composition]] sees the whole canvas; a `cover` of 0.25 shows a quarter of its side".into(),
                );
            }
        }
    }

    fn finished(&self, whole: Whole, first: Option<Stage>) -> Pipeline {
        let stages = first.into_iter().chain(whole.stages.into_iter().map(|(stage, _)| stage)).collect();
        Pipeline { stages, edge: whole.edge.unwrap_or(Edge::Mirror) }
    }

    fn phase(&mut self, index: usize, phase: &written::Phase, recipe: &Recipe) -> Phase {
        for kind in TargetKind::ALL.into_iter().filter(|_| phase.pass == 1) {
            self.look_up_weights(phase.weights(kind), kind, recipe);
        }
        let weights = recipe.targets.iter().map(|target| {
            let factor = match phase.weights(target.kind) {
                Weights::Unsaid => None,
                Weights::All(all) => Some(&all.value),
                Weights::ByName(weights) => {
                    let called = target.called();
                    weights.iter().find(|(name, _)| name.value == called).map(|(_, weight)| weight)
                }
            };
            factor.map_or_else(|| target.weight.clone(), |factor| target.weight.clone().times(factor.clone()))
        });
        Phase {
            name: phase.called(),
            steps: phase.steps,
            optimiser: phase.optimiser,
            rate: phase.rate.value.clone(),
            gradient: phase.gradient.clone(),
            resolution: phase.resolution.clone(),
            patience: phase.patience.map(|patience| {
                let counted = self.steps[0].get(index).and_then(|steps| u32::try_from(*steps).ok());
                patience.scaled(counted.unwrap_or(phase.steps), phase.steps)
            }),
            finest: phase.finest.as_ref().map(|finest| finest.value.clone()),
            weights: weights.collect(),
        }
    }

    /// Reports weights of unknown targets.
    fn look_up_weights(&mut self, weights: &Weights, kind: TargetKind, recipe: &Recipe) {
        let targets: Vec<&written::Target> = recipe.targets.iter().filter(|target| target.kind == kind).collect();
        let names: Vec<String> = targets.iter().map(|target| target.called()).collect();
        let kind = kind.name();
        match weights {
            Weights::All(weight) if names.is_empty() => {
                self.warning(weight.span.clone(), format!("this has no effect: there is no {kind}"));
            }
            Weights::ByName(weights) => {
                for (name, _) in weights.iter().filter(|(name, _)| !names.contains(&name.value)) {
                    // The name may be that of one member, a target with one of its models.
                    let whole = names.iter().find(|known| {
                        name.value.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with(" ("))
                    });
                    let hint = if let Some(whole) = whole {
                        Some(format!("\"{whole}\" stands for the {kind} with all its models"))
                    } else if names.is_empty() {
                        Some(format!("this recipe has no [[{kind}]]"))
                    } else if targets.iter().all(|target| target.name.is_none()) {
                        Some(format!("write name = \"{}\" in the [[{kind}]] that you mean", name.value))
                    } else {
                        did_you_mean(&name.value, names.iter().map(String::as_str), "there are")
                    };
                    self.reader.error(name.span.clone(), format!("no {kind} is called \"{}\"", name.value)).hint = hint;
                }
            }
            Weights::All(_) | Weights::Unsaid => {}
        }
    }

    /// Warns about what is legal but surely unintended.
    fn warn(&mut self, recipe: &Recipe, phases: &[Phase]) {
        warnings::warn(self.reader, recipe, phases, self.timeline);
        // A prompt that was reported may use a pipeline that seems unused.
        if recipe.targets.iter().any(|target| !target.all_prompts) {
            return;
        }
        let unused: Vec<&At<String>> = self.chains.unused().map(|named| &named.name).collect();
        for name in unused {
            self.warning(name.span.clone(), format!("the pipeline `{}` is not used", name.value));
        }
    }

    fn warning(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.reader.warning(span, message);
    }
}
