//! Resolves pipelines: each with the pipelines that it begins with, and with the keys of its stages' random draws.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::chance::key_of;
use crate::keys::STAGE;
use crate::plan::{Edge, Stage, StageKind};
use crate::read::pipelines::MOST_STAGES;
use crate::read::reader::Reader;
use crate::read::written::{At, NamedPipeline, Pipeline, PipelineElement, PipelineUse};
use crate::report::nearest::did_you_mean;

/// The named pipelines of a recipe.
pub(crate) struct Chains<'r> {
    pipelines: &'r [NamedPipeline],
    by_name: HashMap<&'r str, usize>,
    /// The index of the pipeline that each pipeline begins with.
    bases: Vec<Option<usize>>,
    /// The pipelines that cannot be used; they have been reported.
    broken: Vec<bool>,
    used: HashSet<usize>,
}

/// A pipeline with everything that it begins with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole {
    /// Each stage with the place that diagnostics point at where the pipeline is used.
    pub stages: Vec<(Stage, Range<usize>)>,
    pub edge: Option<Edge>,
}

impl Whole {
    /// Returns the stages that set the window's size.
    pub fn sizes(&self) -> impl Iterator<Item = &(Stage, Range<usize>)> {
        self.stages.iter().filter(|(stage, _)| matches!(stage.kind, StageKind::Zoom(_) | StageKind::Cover(_)))
    }

    /// Adds a pipeline's own stages and edge rule; `scope` identifies it among all pipelines of the recipe.
    fn extend(&mut self, pipeline: &Pipeline, scope: &str) {
        let mut times: HashMap<&str, usize> = HashMap::new();
        for At { value, span } in &pipeline.entries {
            match value {
                PipelineElement::Edge(edge) => self.edge = Some(*edge),
                PipelineElement::Stage { kind, chance } => {
                    // A stage is identified by its name and its number among the stages of that name. A stage of another name can be put
                    // before it without changing its draws.
                    let time = times.entry(kind.name()).or_default();
                    let key = key_of(&format!("{scope}: {} {time}", kind.name()));
                    *time += 1;
                    let stage = Stage { kind: kind.clone(), chance: chance.clone(), key };
                    self.stages.push((stage, span.clone()));
                }
            }
        }
    }
}

impl<'r> Chains<'r> {
    /// Looks up what each pipeline begins with. Reports unknown names, cycles, and pipelines that set the window's size twice.
    pub fn new(reader: &mut Reader<'_>, pipelines: &'r [NamedPipeline]) -> Self {
        let by_name = pipelines.iter().enumerate().map(|(index, named)| (named.name.value.as_str(), index)).collect();
        let bases = vec![None; pipelines.len()];
        let broken = vec![false; pipelines.len()];
        let mut chains = Chains { pipelines, by_name, bases, broken, used: HashSet::new() };
        for (index, named) in pipelines.iter().enumerate() {
            if let Some(base) = &named.pipeline.base {
                chains.bases[index] = chains.find(reader, base);
                chains.broken[index] = chains.bases[index].is_none();
            }
        }
        chains.measure(reader);
        for index in 0..pipelines.len() {
            if !chains.broken[index] {
                let whole = chains.named(index);
                one_size(reader, &whole);
            }
        }
        chains
    }

    /// Finds a pipeline by name; reports an unknown name.
    fn find(&self, reader: &mut Reader<'_>, name: &At<String>) -> Option<usize> {
        let found = self.by_name.get(name.value.as_str()).copied();
        if found.is_none() {
            let known = self.pipelines.iter().map(|named| named.name.value.as_str());
            let hint = did_you_mean(&name.value, known, "pipelines");
            let hint = hint.unwrap_or_else(|| match STAGE.key(&name.value) {
                Some(stage) => format!("a stage is written [{{ {} = ... }}]", stage.name),
                None => "pipelines are named in a table [stages]".into(),
            });
            reader.error(name.span.clone(), format!("there is no pipeline `{}`", name.value)).hint = Some(hint);
        }
        found
    }

    /// Follows every pipeline to its beginning, each only once; reports cycles and pipelines that are too long.
    fn measure(&mut self, reader: &mut Reader<'_>) {
        let mut lengths: Vec<Option<usize>> = vec![None; self.pipelines.len()];
        for start in 0..self.pipelines.len() {
            let mut path = Vec::new();
            let mut on_path = HashSet::new();
            let mut next = Some(start);
            while let Some(index) = next.filter(|index| lengths[*index].is_none()) {
                if !on_path.insert(index) {
                    self.circle(reader, &path, index);
                    break;
                }
                path.push(index);
                next = self.bases[index];
            }
            for index in path.into_iter().rev() {
                let base = self.bases[index];
                self.broken[index] |= base.is_some_and(|base| self.broken[base]);
                // An empty pipeline counts too: following it takes time.
                let own = self.pipelines[index].pipeline.entries.len().max(1);
                let length = own + base.and_then(|base| lengths[base]).unwrap_or(0);
                if length > MOST_STAGES && !self.broken[index] {
                    let name = &self.pipelines[index].name;
                    let message = format!("the pipeline `{}` has more than {MOST_STAGES} stages in all", name.value);
                    reader.error(name.span.clone(), message);
                    self.broken[index] = true;
                }
                lengths[index] = Some(length);
            }
        }
    }

    /// Reports a cycle: the part of `path` from `index` on leads back to it.
    fn circle(&mut self, reader: &mut Reader<'_>, path: &[usize], index: usize) {
        let from = path.iter().position(|other| *other == index).unwrap_or(0);
        let name = |index: &usize| self.pipelines[*index].name.value.as_str();
        let mut names: Vec<&str> = path[from..].iter().map(name).collect();
        let shown = if names.len() > 8 {
            names.truncate(7);
            format!("{} -> ... -> {}", names.join(" -> "), name(&index))
        } else {
            format!("{} -> {}", names.join(" -> "), name(&index))
        };
        let named = &self.pipelines[index];
        let span = named.pipeline.base.as_ref().map_or(named.name.span.clone(), |base| base.span.clone());
        reader.error(span, format!("the pipeline `{}` begins with itself", name(&index))).hint =
            Some(format!("the cycle is {shown}"));
        for index in &path[from..] {
            self.broken[*index] = true;
        }
    }

    /// Returns a named pipeline that is not broken, with everything that it begins with.
    fn named(&self, index: usize) -> Whole {
        let mut chain = vec![index];
        while let Some(base) = chain.last().and_then(|last| self.bases[*last]) {
            chain.push(base);
        }
        let mut whole = Whole::default();
        for index in chain.into_iter().rev() {
            let named = &self.pipelines[index];
            whole.extend(&named.pipeline, &format!("pipeline {}", named.name.value));
        }
        whole
    }

    /// Resolves a pipeline where it is used; none if it was reported. `scope` identifies the place of an inline pipeline.
    pub fn used(&mut self, reader: &mut Reader<'_>, used: &PipelineUse, scope: &str) -> Option<Whole> {
        match used {
            PipelineUse::Named(name) => self.used_by_name(reader, name),
            PipelineUse::Inline(At { value: pipeline, span }) => {
                let mut whole = match &pipeline.base {
                    Some(base) => self.used_by_name(reader, base)?,
                    None => Whole::default(),
                };
                whole.extend(pipeline, scope);
                if whole.stages.len() > MOST_STAGES {
                    reader.error(span.clone(), format!("this pipeline has more than {MOST_STAGES} stages in all"));
                    return None;
                }
                one_size(reader, &whole);
                Some(whole)
            }
        }
    }

    fn used_by_name(&mut self, reader: &mut Reader<'_>, name: &At<String>) -> Option<Whole> {
        let index = self.find(reader, name)?;
        let mut chain = Some(index);
        while let Some(index) = chain.filter(|index| self.used.insert(*index)) {
            chain = self.bases[index];
        }
        if self.broken[index] {
            return None;
        }
        let mut whole = self.named(index);
        for (_, span) in &mut whole.stages {
            *span = name.span.clone();
        }
        Some(whole)
    }

    /// Returns the unused pipelines.
    pub fn unused(&self) -> impl Iterator<Item = &'r NamedPipeline> + '_ {
        let pipelines = self.pipelines.iter().enumerate();
        pipelines.filter(|(index, _)| !self.used.contains(index)).map(|(_, named)| named)
    }
}

/// Reports a pipeline that sets the window's size twice.
fn one_size(reader: &mut Reader<'_>, whole: &Whole) {
    let mut sizes = whole.sizes();
    if let (Some((first, _)), Some((second, span))) = (sizes.next(), sizes.next()) {
        let message =
            format!("the window's size is set twice, by `{}` and by `{}`", first.kind.name(), second.kind.name());
        reader.error(span.clone(), message).hint = Some("a pipeline takes one `cover` or one `zoom`".into());
    }
}
