//! Compositions and details as written.

use toml::de::DeValue;

use super::keys::{Kind, PROMPT};
use super::reader::{Fields, Reader, Value, is_dots};
use super::written::{At, Prompt, Target, TargetKind};
use crate::plan::{Fit, Loss, Prompt as Shown, Schedule, Select};

/// The most prompts of one target.
const MOST_PROMPTS: usize = 1000;

impl<'a> Reader<'a> {
    /// A composition or a detail; `position` counts from 1 among its kind.
    pub fn target(&mut self, kind: TargetKind, position: usize, fields: &Fields<'a>) -> Target {
        let name = self.name(fields);
        let prompts = fields.written("prompts").map(|value| self.prompts(&value)).unwrap_or_default();
        let stages = fields.get("stages").and_then(|value| self.pipeline_use(&value));
        let windows = fields.get("windows").and_then(|value| self.whole(&value));
        let fit = (kind == TargetKind::Composition).then(|| self.chosen(fields, "fit")).flatten();
        let fit = match fit {
            Some("contain") => Fit::Contain,
            Some("slide") => Fit::Slide,
            _ => Fit::Stretch,
        };
        let select = match self.chosen(fields, "select") {
            Some("all") => Select::All,
            Some("worst") => Select::Worst,
            Some("mix") => Select::Mix,
            Some("random") => Select::Random,
            _ => Select::Best,
        };
        let loss = match self.chosen(fields, "loss") {
            Some("cosine") => Loss::Cosine,
            _ => Loss::Spherical,
        };
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
            windows: windows.and_then(|windows| u32::try_from(windows).ok()).unwrap_or(1),
            fit,
            select,
            temperature,
            loss,
            weight: self.get_schedule(fields, "weight"),
        }
    }

    /// The name that was chosen for a key.
    fn chosen(&mut self, fields: &Fields<'a>, key: &'static str) -> Option<&'static str> {
        let value = fields.get(key)?;
        let Kind::Choice(variants) = value.kind else { return None };
        Some(self.choice(&value, variants)?.name)
    }

    /// A target's prompts, each none if it was reported.
    fn prompts(&mut self, value: &Value<'a>) -> Vec<Option<Prompt>> {
        let Some(items) = value.items(Kind::Prompts) else {
            self.wrong_type(value);
            return Vec::new();
        };
        if items.is_empty() && self.partial {
            return Vec::new();
        }
        if items.is_empty() {
            self.error(value.span.clone(), "`prompts` is empty").expected = Some("at least one text".into());
            return Vec::new();
        }
        if items.len() > MOST_PROMPTS {
            self.error(value.span.clone(), format!("{} prompts, at most {MOST_PROMPTS} are possible", items.len()));
            return Vec::new();
        }
        items.iter().map(|item| self.prompt(item)).collect()
    }

    fn prompt(&mut self, value: &Value<'a>) -> Option<Prompt> {
        let text_of = |reader: &mut Self, value: &Value<'a>| {
            let text = Value { name: "text", kind: Kind::Text, ..value.clone() };
            if value.node.as_str().is_some_and(|text| text.trim().is_empty()) {
                reader.error(value.span.clone(), "the prompt is empty").hint =
                    Some("say what to show, or leave it out".into());
                return None;
            }
            if value.node.as_str().is_some_and(is_dots) {
                reader.error(value.span.clone(), "the prompt has no words").hint =
                    Some("say what to show; the inherited entries are written \"...\"".into());
                return None;
            }
            Some(At { value: Shown::Text(reader.text(&text)?), span: value.span.clone() })
        };
        match value.node {
            DeValue::String(_) => {
                let fields = self.fields_of_nothing(&PROMPT, value.span.clone());
                let weight = self.get_schedule(&fields, "weight");
                let scale = self.get_schedule(&fields, "scale");
                let shows = text_of(self, value)?;
                let weight = At { value: weight, span: value.span.clone() };
                Some(Prompt { shows, weight, scale, scale_span: None, stop: None, stages: None })
            }
            DeValue::Table(_) => {
                let fields = self.table(&PROMPT, value)?;
                let text = fields.written("text").and_then(|value| text_of(self, &value));
                let image = fields.written("image").and_then(|value| self.shown(&value));
                let image = image.map(|image| At { value: Shown::Image(image.value), span: image.span });
                let weight: Schedule = self.get_schedule(&fields, "weight");
                let span = fields.written("weight").map_or(value.span.clone(), |weight| weight.span);
                let stages = fields.written("stages").and_then(|value| self.pipeline_use(&value));
                let scale = self.get_schedule(&fields, "scale");
                let scale_span = fields.written("scale").map(|scale| scale.span);
                let stop = fields.written("stop").map(|_| self.get_schedule(&fields, "stop"));
                let weight = At { value: weight, span };
                Some(Prompt { shows: text.or(image)?, weight, scale, scale_span, stop, stages })
            }
            _ => {
                let prompt = Value { name: "prompts", ..value.clone() };
                let diagnostic = self.wrong_type(&prompt);
                diagnostic.message = diagnostic.message.replacen("`prompts`", "a prompt", 1);
                diagnostic.expected =
                    Some("a text in quotes, { text = \"...\", weight = 0.5 }, or { image = \"...\" }".into());
                None
            }
        }
    }
}
