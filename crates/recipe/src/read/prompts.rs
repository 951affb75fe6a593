//! Prompts as written: texts, several texts, images, and the templates that texts are inserted into.

use toml::de::DeValue;

use crate::keys::{Kind, PROMPT};
use crate::plan::{Ensemble, Prompt as Shown, Schedule};
use crate::read::reader::{Fields, Reader, Value, is_dots};
use crate::read::written::{At, Hinge, Prompt};
use crate::report::paths::missing_hint;

/// The maximum number of prompts of a target.
const MOST_PROMPTS: usize = 1000;
/// The maximum number of texts of a prompt, and of templates.
const MOST_TEXTS: usize = 200;

impl<'a> Reader<'a> {
    /// Reads templates: texts with a placeholder for another text.
    pub fn templates(&mut self, value: &Value<'a>) -> Option<Vec<String>> {
        let Some(items) = value.items(Kind::Text) else {
            self.wrong_type(value);
            return None;
        };
        if items.len() > MOST_TEXTS {
            self.error(value.span.clone(), format!("{} templates, but at most {MOST_TEXTS} are allowed", items.len()));
            return None;
        }
        let template = |item: &Value<'a>| {
            let text = self.text(&Value { name: "templates", ..item.clone() })?;
            if !text.contains(Ensemble::SLOT) {
                let diagnostic = self.error(item.span.clone(), "this template has no place for the prompt's text");
                diagnostic.hint = Some(format!("put {{}} where the text goes: \"{} {{}}\"", text.trim()));
                return None;
            }
            Some(text)
        };
        items.iter().map(template).collect()
    }

    /// Reads the several texts of one prompt.
    fn texts(&mut self, value: &Value<'a>) -> Option<Vec<String>> {
        let Some(items) = value.items(Kind::Text) else {
            self.wrong_type(value);
            return None;
        };
        if items.is_empty() {
            self.error(value.span.clone(), "`texts` is empty").expected = Some("at least one text".into());
            return None;
        }
        if items.len() > MOST_TEXTS {
            self.error(value.span.clone(), format!("{} texts, but at most {MOST_TEXTS} are allowed", items.len()));
            return None;
        }
        items.iter().map(|item| self.prompt_text(item)).collect()
    }

    /// Reads one prompt text.
    fn prompt_text(&mut self, value: &Value<'a>) -> Option<String> {
        if value.node.as_str().is_some_and(|text| text.trim().is_empty()) {
            self.error(value.span.clone(), "the prompt is empty").hint =
                Some("say what to show, or leave it out".into());
            return None;
        }
        if value.node.as_str().is_some_and(is_dots) {
            self.error(value.span.clone(), "the prompt has no words").hint =
                Some("say what to show; write \"...\" for the inherited entries".into());
            return None;
        }
        self.text(&Value { name: "text", kind: Kind::Text, ..value.clone() })
    }

    /// Reads a target's prompts; none for each that was reported.
    pub fn prompts(&mut self, value: &Value<'a>, templates: &[String]) -> Vec<Option<Prompt>> {
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
            self.error(value.span.clone(), format!("{} prompts, but at most {MOST_PROMPTS} are allowed", items.len()));
            return Vec::new();
        }
        items.iter().map(|item| self.prompt(item, templates)).collect()
    }

    fn prompt(&mut self, value: &Value<'a>, templates: &[String]) -> Option<Prompt> {
        match value.node {
            DeValue::String(_) => {
                let fields = self.fields_of_nothing(&PROMPT, value.span.clone());
                let weight = self.get_schedule(&fields, "weight");
                let scale = self.get_schedule(&fields, "scale");
                let text = self.prompt_text(value)?;
                let shows = At { value: worded(vec![text], templates), span: value.span.clone() };
                let weight = At { value: weight, span: value.span.clone() };
                let [below, above] = ["below", "above"].map(|key| self.hinge(&fields, key));
                Some(Prompt { shows, weight, scale, scale_span: None, stop: None, below, above, stages: None })
            }
            DeValue::Table(_) => {
                let fields = self.table(&PROMPT, value)?;
                let own = fields.written("templates").and_then(|value| self.templates(&value));
                let templates = own.as_deref().unwrap_or(templates);
                let mut text = fields.written("text").and_then(|value| {
                    let text = self.prompt_text(&value)?;
                    Some(At { value: worded(vec![text], templates), span: value.span })
                });
                if let Some(value) = fields.written("texts") {
                    let texts = self.texts(&value);
                    text = text.or(texts.map(|texts| At { value: worded(texts, templates), span: value.span }));
                }
                let image = fields.written("image").and_then(|value| self.shown(&value));
                let image = image.map(|image| At { value: Shown::Image(image.value), span: image.span });
                let direction = fields.written("direction").and_then(|value| self.direction(&value, &fields));
                if fields.written("direction").is_some() {
                    self.check_direction(&fields);
                } else {
                    self.check_no_direction(&fields);
                }
                if let (Some(_), Some(value)) = (&image, fields.written("templates")) {
                    self.warning(value.span, "this has no effect: `templates` are for texts");
                }
                let weight: Schedule = self.get_schedule(&fields, "weight");
                let span = fields.written("weight").map_or(value.span.clone(), |weight| weight.span);
                let stages = fields.written("stages").and_then(|value| self.pipeline_use(&value));
                let scale = self.get_schedule(&fields, "scale");
                let scale_span = fields.written("scale").map(|scale| scale.span);
                let stop = fields.written("stop").map(|_| self.get_schedule(&fields, "stop"));
                let weight = At { value: weight, span };
                let [below, above] = ["below", "above"].map(|key| self.hinge(&fields, key));
                let shows = text.or(image).or(direction)?;
                Some(Prompt { shows, weight, scale, scale_span, stop, below, above, stages })
            }
            _ => {
                let prompt = Value { name: "prompts", ..value.clone() };
                let diagnostic = self.wrong_type(&prompt);
                diagnostic.message = diagnostic.message.replacen("`prompts`", "a prompt", 1);
                diagnostic.expected =
                    Some("a text in quotes, { text = \"...\", weight = 0.5 }, { image = \"...\" }, or { direction = \"...\" }".into());
                None
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads a class of a file of directions. The file must exist; only a model can check its contents.
    fn direction(&mut self, value: &Value<'a>, fields: &Fields<'a>) -> Option<At<Shown>> {
        let class = fields.written("class").map(|value| self.text(&value));
        let text = self.text(value)?;
        let file = self.folder(value.span.start).join(&text);
        self.files.push(file.clone());
        let trouble = match std::fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => None,
            Ok(_) => Some("it is not a file".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("there is no such file".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(what) = trouble {
            let makes = || format!("make it with recipe-render direction fit ... -o {}", file.display());
            let hint = missing_hint(&text, &file).unwrap_or_else(makes);
            self.error(value.span.clone(), format!("cannot follow \"{text}\": {what}")).hint = Some(hint);
            return None;
        }
        // A class that could not be read has been reported.
        let class = match class {
            Some(class) => Some(class?),
            None => None,
        };
        Some(At { value: Shown::Direction { file, class }, span: value.span.clone() })
    }

    /// Reads the probability at which a direction stops pulling.
    fn hinge(&mut self, fields: &Fields<'a>, key: &'static str) -> Hinge {
        Hinge { span: fields.written(key).map(|value| value.span), value: self.get_schedule(fields, key) }
    }

    /// Reports keys that do not apply to directions.
    fn check_direction(&mut self, fields: &Fields<'a>) {
        if let Some(value) = fields.written("stop") {
            self.error(value.span, "a direction stops acting at a probability, not at a similarity").hint =
                Some("set `below` for a negative weight, `above` for a positive one".into());
        }
        if let Some(value) = fields.written("scale") {
            self.warning(value.span, "this has no effect: directions do not compete for windows");
        }
        if let Some(value) = fields.written("templates") {
            self.warning(value.span, "this has no effect: `templates` are for texts");
        }
    }

    /// Reports keys that apply only to directions.
    fn check_no_direction(&mut self, fields: &Fields<'a>) {
        for key in ["class", "below", "above"] {
            let Some(value) = fields.written(key) else { continue };
            let diagnostic = self.error(value.span, format!("`{key}` is for directions"));
            diagnostic.hint = Some(match key {
                "class" => "{ direction = \"...\", class = \"...\" } names a class of a file of directions".into(),
                _ => "for a text or an image, `stop` is the similarity at which it lets go".into(),
            });
        }
    }
}

/// Builds a prompt from texts and templates. A single text without templates stays a plain text.
fn worded(texts: Vec<String>, templates: &[String]) -> Shown {
    match <[String; 1]>::try_from(texts) {
        Ok([text]) if templates.is_empty() => Shown::Text(text),
        Ok([text]) => Shown::Ensemble(Ensemble { texts: vec![text], templates: templates.to_vec() }),
        Err(texts) => Shown::Ensemble(Ensemble { texts, templates: templates.to_vec() }),
    }
}
