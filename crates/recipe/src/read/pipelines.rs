//! Pipelines as written: arrays of stages that may begin with another pipeline's name.

use toml::de::DeValue;

use crate::keys::{BESIDE_STAGES, Build, GRAINS, Kind, STAGE, STAGES, written_here};
use crate::plan::{Edge, EdgeKind, Spectrum, SpectrumKind, StageKind, StageName};
use crate::read::reader::{Reader, Value, entries};
use crate::read::written::{At, NamedPipeline, Pipeline, PipelineElement, PipelineUse};
use crate::report::nearest::did_you_mean;

/// The maximum number of stages in a pipeline, including those of the pipelines that it begins with.
pub(crate) const MOST_STAGES: usize = 64;

impl<'a> Reader<'a> {
    /// Reads the table of named pipelines.
    pub fn pipelines(&mut self, value: &Value<'a>) -> Vec<NamedPipeline> {
        let DeValue::Table(table) = value.node else {
            self.wrong_type(value);
            return Vec::new();
        };
        let mut pipelines = Vec::new();
        for (key, entry) in entries(table) {
            let name = At { value: key.get_ref().to_string(), span: key.span() };
            let at = Value { name: key.get_ref(), ..value.inner(entry, Kind::Pipeline) };
            let pipeline = match at.node {
                DeValue::Array(_) => self.pipeline(&at),
                // Another name for a pipeline.
                DeValue::String(base) => {
                    let base = At { value: base.to_string(), span: at.span.clone() };
                    Pipeline { base: Some(base), entries: Vec::new() }
                }
                _ => {
                    self.wrong_type(&at);
                    Pipeline::default()
                }
            };
            pipelines.push(NamedPipeline { name, pipeline });
        }
        pipelines
    }

    /// Reads a pipeline's name, or an inline pipeline.
    pub fn pipeline_use(&mut self, value: &Value<'a>) -> Option<PipelineUse> {
        let span = value.span.clone();
        match value.node {
            DeValue::String(name) => Some(PipelineUse::Named(At { value: name.to_string(), span })),
            DeValue::Array(_) => Some(PipelineUse::Inline(At { value: self.pipeline(value), span })),
            _ => {
                self.wrong_type(value);
                None
            }
        }
    }

    fn pipeline(&mut self, value: &Value<'a>) -> Pipeline {
        let mut pipeline = Pipeline::default();
        for (index, item) in value.items(Kind::Table(&STAGE)).unwrap_or_default().iter().enumerate() {
            let span = item.span.clone();
            match item.node {
                DeValue::String(name) if index == 0 => {
                    pipeline.base = Some(At { value: name.to_string(), span });
                }
                DeValue::String(name) => self.misplaced_name(name, span),
                _ if pipeline.entries.len() == MOST_STAGES => {
                    self.error(span, format!("a pipeline has at most {MOST_STAGES} stages"));
                    return pipeline;
                }
                _ => pipeline.entries.extend(self.entry(item).map(|entry| At { value: entry, span })),
            }
        }
        pipeline
    }

    fn misplaced_name(&mut self, name: &str, span: std::ops::Range<usize>) {
        let diagnostic = self.error(span, format!("\"{name}\" can only stand at the beginning of a pipeline"));
        diagnostic.hint = Some(if STAGE.key(name).is_some() {
            format!("a stage is written {{ {name} = ... }}")
        } else {
            "a pipeline begins with the name of at most one other pipeline".into()
        });
    }

    /// Reads a stage or an edge rule.
    pub fn entry(&mut self, value: &Value<'a>) -> Option<PipelineElement> {
        let DeValue::Table(table) = value.node else {
            let diagnostic = self.error(value.span.clone(), "a stage is a table with one key");
            diagnostic.hint = Some("for example { rotate = 15 }".into());
            return None;
        };
        let mut stages = Vec::new();
        for (key, _) in entries(table) {
            match STAGE.key(key.get_ref()) {
                Some(spec) if !BESIDE_STAGES.contains(&spec.name) => stages.push((spec.name, key.span())),
                Some(_) => {}
                None => {
                    let here = written_here(key.get_ref()).map(|here| format!("write {here}"));
                    let hint = here.or_else(|| did_you_mean(key.get_ref(), STAGE.names(), "there are"));
                    self.error(key.span(), format!("there is no stage `{}`", key.get_ref())).hint = hint;
                    return None;
                }
            }
        }
        let [(name, _)] = stages.as_slice() else {
            match stages.get(1) {
                Some((_, span)) => {
                    let diagnostic = self.error(span.clone(), "one table holds one stage");
                    diagnostic.hint = Some("give each stage its own: [{ rotate = 15 }, { noise = 0.1 }]".into());
                }
                None => {
                    let hint = "for example { rotate = 15, chance = 0.5 }";
                    self.error(value.span.clone(), "this table holds no stage").hint = Some(hint.into());
                }
            }
            return None;
        };
        let fields = self.table(&STAGE, value)?;
        let chance = fields.written("chance");
        let stage = fields.written(name)?;
        let spectrum = fields.written("spectrum");
        if let (Some(spectrum), true) = (&spectrum, *name != StageName::Noise.name()) {
            self.error(spectrum.span.clone(), "only `noise` has a `spectrum`").hint =
                Some("for example { noise = 0.1, spectrum = \"pink\" }".into());
            return None;
        }
        if *name == "edge" {
            if let Some(chance) = chance {
                self.error(chance.span, "an edge rule applies to every view and has no `chance`");
            }
            return self.edge(&stage).map(PipelineElement::Edge);
        }
        let span = chance.map(|chance| chance.span);
        let chance = self.get_schedule(&fields, "chance");
        if let (Some(span), Some(0.0)) = (span, chance.constant()) {
            self.warning(span, format!("the stage `{name}` never acts: its chance is 0"));
        }
        let mut kind = self.stage(&stage, name)?;
        if let (StageKind::Noise(_, own), Some(written)) = (&mut kind, spectrum) {
            *own = self.spectrum(&written)?;
        }
        Some(PipelineElement::Stage { kind, chance })
    }

    fn spectrum(&mut self, value: &Value<'a>) -> Option<Spectrum> {
        let chosen = self.chosen(value)?;
        Some(match chosen.word {
            SpectrumKind::White => Spectrum::White,
            SpectrumKind::Pink => Spectrum::Pink,
            SpectrumKind::Brown => Spectrum::Brown,
            SpectrumKind::Coarse => Spectrum::Coarse(self.schedule(&chosen.value?, GRAINS)?),
        })
    }

    fn stage(&mut self, value: &Value<'a>, name: &str) -> Option<StageKind> {
        let entry = STAGES.iter().find(|entry| entry.name == name)?;
        match entry.build {
            Build::Range(single, bounds, build) => self.range(value, single, bounds).map(build),
            Build::Axis(build) => self.chosen(value).map(|axis| build(axis.word)),
        }
    }

    /// Reads an edge rule.
    pub fn edge(&mut self, value: &Value<'a>) -> Option<Edge> {
        let chosen = self.chosen(value)?;
        Some(match chosen.word {
            EdgeKind::Mirror => Edge::Mirror,
            EdgeKind::Wrap => Edge::Wrap,
            EdgeKind::Clamp => Edge::Clamp,
            EdgeKind::Fill => Edge::Fill(self.colour(&chosen.value?)?.map(|channel| channel as f32)),
        })
    }
}
