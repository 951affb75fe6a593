//! A recipe as written: typed, with the places of what may still turn out wrong. Its names are not yet looked up.

use std::ops::Range;
use std::path::PathBuf;

use crate::plan::{
    Active, Basis, Calibration, Edge, Fit, Gradient, Ground, Loss, Optimiser, Patience, Region, Schedule, Select, Size,
    StageKind,
};
use crate::read::timeline::Timeline;
use crate::sources::origin::Origins;
use crate::texts::SourceSpan;

/// A value with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// The typed form of a recipe, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    pub title: Option<String>,
    pub size: Size,
    /// The size that the recipe gives, before the command line changes it.
    pub own_size: Size,
    pub seed: u64,
    /// The models of targets that name none; empty if the recipe names none either, or if an error was reported.
    pub models: Vec<Model>,
    /// The default model, if the recipe names none.
    pub default_model: Option<String>,
    pub basis: Basis,
    pub ground: Ground,
    /// The picture that the canvas starts from, if any.
    pub start: Option<At<Start>>,
    pub noise: f64,
    pub pipelines: Vec<NamedPipeline>,
    /// Compositions first, each kind in written order.
    pub targets: Vec<Target>,
    /// At least one; a repeated phase occurs once for each repetition.
    pub phases: Vec<Phase>,
    /// Where those values come from that do not belong to a target or a phase.
    pub origins: Origins,
}

impl Recipe {
    /// Returns the lengths of its phases as a timeline.
    pub fn timeline(&self) -> Timeline {
        Timeline::new(self.phases.iter().map(|phase| (phase.position - 1, u64::from(phase.steps))))
    }
}

/// A picture to start from, which can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub path: PathBuf,
    pub width: u32,
    pub height: u32,
}

/// A pipeline with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamedPipeline {
    pub name: At<String>,
    pub pipeline: Pipeline,
}

/// A pipeline as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pipeline {
    /// The pipeline it begins with.
    pub base: Option<At<String>>,
    pub entries: Vec<At<PipelineElement>>,
}

/// An element of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PipelineElement {
    Stage { kind: StageKind, chance: Schedule },
    Edge(Edge),
}

/// A reference to a pipeline, by name or inline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PipelineUse {
    Named(At<String>),
    Inline(At<Pipeline>),
}

/// The two kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetKind {
    Composition,
    Detail,
}

impl TargetKind {
    pub const ALL: [TargetKind; 2] = [TargetKind::Composition, TargetKind::Detail];

    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Composition => "composition",
            TargetKind::Detail => "detail",
        }
    }
}

/// A composition or a detail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub kind: TargetKind,
    /// Its heading.
    pub span: Range<usize>,
    pub name: Option<At<String>>,
    /// Its position among its kind, counted from 1.
    pub position: usize,
    /// The prompts that could be read.
    pub prompts: Vec<Prompt>,
    /// Whether `prompts` is complete.
    pub all_prompts: bool,
    pub stages: Option<PipelineUse>,
    /// The size of its windows if its pipeline gives none.
    pub cover: Option<StageKind>,
    pub windows: u32,
    pub places: Option<u32>,
    pub fit: Fit,
    pub select: Select,
    pub temperature: Schedule,
    pub calibration: Calibration,
    pub loss: Loss,
    pub weight: Schedule,
    /// In steps as the recipe counts them.
    pub active: Option<At<Active>>,
    pub region: Option<Region>,
    /// Its own models: one, or the members of an ensemble; empty if it uses the recipe's.
    pub models: Vec<Model>,
    pub origins: Origins,
}

impl Target {
    /// Its name, or what it is called by its position.
    pub fn called(&self) -> String {
        let by_position = || format!("{} {}", self.kind.name(), self.position);
        self.name.as_ref().map_or_else(by_position, |name| name.value.clone())
    }
}

/// A model as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// A name, or the path of a folder.
    pub name: At<String>,
    /// Its weight relative to the others.
    pub weight: Schedule,
}

/// A model as the recipe or the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    /// A name, or the path of a folder.
    pub name: String,
    /// Where a recipe names it; none for a default or one from the command line.
    pub place: Option<SourceSpan>,
    /// The folder that a path is relative to: that of the file that names the model, or the current folder for the command line.
    pub base: PathBuf,
}

/// The probability at which a direction stops pulling.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hinge {
    pub value: Schedule,
    /// Where it is written, if it is.
    pub span: Option<Range<usize>>,
}

/// A prompt of a target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prompt {
    pub shows: At<crate::plan::Prompt>,
    pub weight: At<Schedule>,
    pub scale: Schedule,
    /// Where its scale is written, if it is.
    pub scale_span: Option<Range<usize>>,
    pub stop: Option<Schedule>,
    /// The probabilities at which a direction stops pulling.
    pub below: Hinge,
    pub above: Hinge,
    pub stages: Option<PipelineUse>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    /// Its heading.
    pub span: Range<usize>,
    pub name: Option<At<String>>,
    /// Its position in the recipe, counted from 1.
    pub position: usize,
    /// Which pass of a repeated phase this is, counted from 1.
    pub pass: u32,
    pub steps: u32,
    pub optimiser: Optimiser,
    pub rate: At<Schedule>,
    pub gradient: Gradient,
    pub resolution: Schedule,
    pub patience: Option<Patience>,
    pub finest: Option<Finest>,
    pub composition: Weights,
    pub detail: Weights,
    pub origins: Origins,
}

impl Phase {
    /// Its name, or what it is called by its position.
    pub fn called(&self) -> String {
        let name = self.name.as_ref().map_or_else(|| format!("phase {}", self.position), |name| name.value.clone());
        if self.pass == 1 { name } else { format!("{name} ({})", self.pass) }
    }

    /// Returns its weights of one kind of targets.
    pub fn weights(&self, kind: TargetKind) -> &Weights {
        match kind {
            TargetKind::Composition => &self.composition,
            TargetKind::Detail => &self.detail,
        }
    }
}

/// A phase's low-pass.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finest {
    pub value: Schedule,
    pub span: Range<usize>,
    /// Whether it is given, not a default.
    pub said: bool,
}

/// A phase's weights of the targets of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Weights {
    /// Not given: 1.
    #[default]
    Unsaid,
    All(At<Schedule>),
    ByName(Vec<(At<String>, Schedule)>),
}
