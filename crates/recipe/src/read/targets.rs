//! Compositions and details as written.

use toml::de::DeValue;

use crate::keys::{Kind, STAGE};
use crate::plan::{Active, Calibration, Fit, Loss, Select, StageKind, Word};
use crate::read::reader::{Fields, Reader, Value};
use crate::read::written::{At, PipelineElement, Target, TargetKind};

/// The maximum number of steps of a run: the most phases possible, each as long as possible.
const MOST_STEPS: u64 = 10_000_000_000;

impl<'a> Reader<'a> {
    /// Reads a composition or a detail; `position` counts from 1 among its kind.
    pub fn target(
        &mut self,
        kind: TargetKind,
        position: usize,
        fields: &Fields<'a>,
        templates_of_recipe: &[String],
    ) -> Target {
        let name = self.name(fields);
        let templates = fields.written("templates").and_then(|value| self.templates(&value));
        let templates = templates.as_deref().unwrap_or(templates_of_recipe);
        let prompts = fields.written("prompts").map(|value| self.prompts(&value, templates)).unwrap_or_default();
        let stages = fields.get("stages").and_then(|value| self.pipeline_use(&value));
        let cover = (kind == TargetKind::Detail).then(|| self.cover(fields)).flatten();
        let windows = fields.get("windows").and_then(|value| self.whole(&value));
        let places = (kind == TargetKind::Detail).then(|| fields.get("places")).flatten();
        let places = places.and_then(|value| self.whole(&value)).and_then(|places| u32::try_from(places).ok());
        let places = places.filter(|places| *places > 0);
        // A word that could not be read has been reported.
        let fit = (kind == TargetKind::Composition).then(|| self.chosen_word(fields, "fit")).flatten();
        let fit = fit.unwrap_or(Fit::Stretch);
        let select = self.chosen_word(fields, "select").unwrap_or(Select::Best);
        let loss = self.chosen_word(fields, "loss").unwrap_or(Loss::Spherical);
        let calibration = self.chosen_word(fields, "calibration").unwrap_or(Calibration::Past);
        if let (Some(written), false) = (fields.written("calibration"), select.compares()) {
            let message = "this has no effect: `calibration` is for select = \"best\", \"worst\" or \"mix\"";
            self.warning(written.span, message);
        }
        let temperature = self.get_schedule(fields, "temperature");
        if let (Some(written), false) = (fields.written("temperature"), select == Select::Mix) {
            let message = "this has no effect: `temperature` is for select = \"mix\"";
            self.warning(written.span, message);
        }
        Target {
            kind,
            span: fields.span.clone(),
            name,
            position,
            all_prompts: !prompts.is_empty() && prompts.iter().all(Option::is_some),
            prompts: prompts.into_iter().flatten().collect(),
            stages,
            cover,
            windows: windows.and_then(|windows| u32::try_from(windows).ok()).unwrap_or(1),
            places,
            fit,
            select,
            temperature,
            calibration,
            loss,
            weight: self.get_schedule(fields, "weight"),
            active: fields.written("active").and_then(|value| self.active(&value)),
            region: fields.written("region").and_then(|value| self.region(&value)),
            models: self.own_models(fields),
            origins: self.origins(fields, ""),
        }
    }

    /// Returns the size of a detail's windows if its own pipeline gives none: that of the pipeline it would have had by default.
    fn cover(&mut self, fields: &Fields<'a>) -> Option<StageKind> {
        let unsaid = [fields.advised("stages"), fields.default("stages")];
        unsaid.into_iter().flatten().find_map(|value| {
            let stages = value.items(Kind::Table(&STAGE))?;
            let mut sizes = stages.iter().filter_map(|stage| match self.entry(stage)? {
                PipelineElement::Stage { kind: kind @ (StageKind::Cover(_) | StageKind::Zoom(_)), .. } => Some(kind),
                _ => None,
            });
            sizes.next()
        })
    }

    /// Reads the first step and the end of a part of the run, whose length is not known yet.
    fn active(&mut self, value: &Value<'a>) -> Option<At<Active>> {
        let Some(items) = value.items(Kind::Whole(0, MOST_STEPS)) else {
            self.wrong_type(value);
            return None;
        };
        let [from, until] = items.as_slice() else {
            let message = format!("`active` has {} entries instead of 2", items.len());
            self.unfit(value, message);
            return None;
        };
        let until = match until.node {
            DeValue::String(text) if text == "end" => Some(u64::MAX),
            DeValue::String(_) => {
                let at = Value { span: until.span.clone(), ..value.clone() };
                self.unfit(&at, "this is not the end").hint = Some("did you mean \"end\"?".into());
                None
            }
            _ => self.whole(&until.with_kind(Kind::Whole(1, MOST_STEPS))),
        };
        let (from, until) = (self.whole(from)?, until?);
        if from >= until {
            let hint = if from == until {
                format!("[{from}, {}] is one step", from + 1)
            } else {
                format!("[{until}, {from}]")
            };
            self.error(value.span.clone(), "`active` ends before it begins").hint = Some(hint);
            return None;
        }
        Some(At { value: Active { from, until }, span: value.span.clone() })
    }

    /// Reads the word chosen for a key.
    fn chosen_word<W: Word>(&mut self, fields: &Fields<'a>, key: &'static str) -> Option<W> {
        Some(self.chosen(&fields.get(key)?)?.word)
    }
}
