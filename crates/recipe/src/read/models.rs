//! The models of a recipe or of a target: one, or an ensemble of several.

use toml::de::DeValue;

use crate::keys::{Kind, MODEL};
use crate::read::reader::{Fields, Reader, Value};
use crate::read::written::{At, Model, ModelReference};

/// The maximum number of models in an ensemble. Each of them sees every window.
pub(crate) const MOST_MODELS: usize = 8;

impl<'a> Reader<'a> {
    /// Reads the models that a table gives as `model` or `models`; none if it gives neither, or if an error was reported.
    pub fn own_models(&mut self, fields: &Fields<'a>) -> Vec<Model> {
        if let Some(value) = fields.written("models") {
            return self.models(&value);
        }
        fields.written("model").and_then(|value| self.model_name(&value, fields)).into_iter().collect()
    }

    /// Returns a model with the place and folder of the text that names it.
    pub fn reference(&self, model: &Model) -> ModelReference {
        let At { value: name, span } = model.name.clone();
        let place = Some(self.sources.source_span(&span));
        ModelReference { name, place, base: self.folder(span.start).to_path_buf() }
    }

    /// Reads the models of an ensemble.
    fn models(&mut self, value: &Value<'a>) -> Vec<Model> {
        let Some(items) = value.items(Kind::Text) else {
            self.wrong_type(value);
            return Vec::new();
        };
        if items.is_empty() {
            if !self.partial {
                self.error(value.span.clone(), "`models` is empty").expected = Some("at least one model".into());
            }
            return Vec::new();
        }
        if items.len() > MOST_MODELS {
            let message = format!("{} models, but at most {MOST_MODELS} are allowed", items.len());
            self.error(value.span.clone(), message);
            return Vec::new();
        }
        let mut models: Vec<Model> = Vec::new();
        for item in &items {
            let Some(model) = self.member(item) else { continue };
            let folder = |model: &Model| self.folder(model.name.span.start).to_path_buf();
            let same = |other: &Model| other.name.value == model.name.value && folder(other) == folder(&model);
            if models.iter().any(same) {
                let message = format!("the model \"{}\" is already in the list", model.name.value);
                let hint =
                    format!("a weight makes a model count more: {{ name = \"{}\", weight = 2 }}", model.name.value);
                self.error(model.name.span.clone(), message).hint = Some(hint);
            } else {
                models.push(model);
            }
        }
        models
    }

    /// Reads one model of an ensemble.
    fn member(&mut self, value: &Value<'a>) -> Option<Model> {
        match value.node {
            DeValue::String(_) => {
                let fields = self.fields_of_nothing(&MODEL, value.span.clone());
                self.model_name(&Value { name: "name", ..value.clone() }, &fields)
            }
            DeValue::Table(_) => {
                let fields = self.table(&MODEL, value)?;
                let name = fields.written("name")?;
                self.model_name(&name, &fields)
            }
            _ => {
                let model = Value { name: "models", kind: Kind::Models, ..value.clone() };
                let diagnostic = self.wrong_type(&model);
                diagnostic.message = diagnostic.message.replacen("`models`", "a model", 1);
                diagnostic.expected = Some("a name or a path in quotes, or { name = \"...\", weight = 0.5 }".into());
                None
            }
        }
    }

    /// Reads a model's name or path. Its weight comes from `fields`, if these are a model's.
    fn model_name(&mut self, value: &Value<'a>, fields: &Fields<'a>) -> Option<Model> {
        let name = self.text(value)?;
        // A model that is named alone has the default weight.
        let alone = self.fields_of_nothing(&MODEL, value.span.clone());
        let weight = self.get_schedule(if fields.spec.name == MODEL.name { fields } else { &alone }, "weight");
        Some(Model { name: At { value: name, span: value.span.clone() }, weight })
    }
}
