//! Reads models' advice as recipes are read, to report what is wrong with it, and lends it to the reader.

use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::keys::defaults;
use crate::keys::{Kind, MODEL, RECIPE, Table};
use crate::read::reader::{Reader, Value, entries};
use crate::read::written::{At, Pipeline, PipelineUse};
use crate::report::nearest::did_you_mean;
use crate::sources::counsel::Counsel;

/// Whether a model can advise a value for a key. It can for every key with a default, except the seed, the recipe's model, and the keys
/// of a model in an ensemble.
pub(crate) fn can_be_advised(table: &str, key: &str) -> bool {
    let own = table == RECIPE.name && ["seed", "model"].contains(&key) || table == MODEL.name;
    !own && defaults::value(table, key).is_some()
}

impl<'a> Reader<'a> {
    /// Sets the models' advice, which from here on supplies the values that the recipe does not give. Reports errors in the advice.
    pub fn advise(&mut self, counsel: &'a Counsel<'a>) {
        for advice in counsel.all() {
            for (name, table) in entries(advice) {
                let known = keys::ALL.iter().find(|spec| spec.name == name.get_ref());
                let Some(spec) = known.filter(|spec| advised_keys(spec).next().is_some()) else {
                    let names = keys::ALL.iter().filter(|spec| advised_keys(spec).next().is_some());
                    let hint = did_you_mean(name.get_ref(), names.map(|spec| spec.name), "there are");
                    self.error(name.span(), format!("advice is not allowed for `{}`", name.get_ref())).hint = hint;
                    continue;
                };
                match table.get_ref() {
                    DeValue::Table(values) => self.advised_table(spec, values),
                    _ => {
                        let message = format!("the advice for `{}` is not a table", spec.name);
                        self.error(table.span(), message).hint = Some(format!("[advice.{}]", spec.name));
                    }
                }
            }
        }
        self.counsel = Some(counsel);
        self.advice = counsel.own();
    }

    fn advised_table(&mut self, spec: &'static Table, values: &'a DeTable<'a>) {
        for (key, value) in entries(values) {
            let Some(known) = advised_keys(spec).find(|known| known.name == key.get_ref()) else {
                let hint = did_you_mean(key.get_ref(), advised_keys(spec).map(|key| key.name), "its keys");
                let message = format!("`{}` cannot be advised in `{}`", key.get_ref(), spec.name);
                self.error(key.span(), message).hint = hint;
                continue;
            };
            self.any(&Value::advised(value, known));
        }
    }
}

fn advised_keys(spec: &'static Table) -> impl Iterator<Item = &'static keys::Key> + Clone {
    spec.keys.iter().filter(|key| can_be_advised(spec.name, key.name))
}

/// Reads values of any kind only to report what is wrong with them.
impl<'a> Reader<'a> {
    fn any(&mut self, value: &Value<'a>) {
        match value.kind {
            Kind::Whole(..) => drop(self.whole(value)),
            Kind::Number(bounds) => drop(self.number(value, bounds)),
            Kind::Bool => drop(self.bool(value)),
            Kind::Switchable(_) if value.node.as_str() == Some("off") => {}
            Kind::Schedule(bounds) | Kind::Switchable(bounds) => drop(self.schedule(value, bounds)),
            Kind::Range(single, bounds) => drop(self.range(value, single, bounds)),
            Kind::Colour => drop(self.colour(value)),
            Kind::Size => drop(self.size(value)),
            Kind::Pipeline => self.any_pipeline(value),
            Kind::Choice(_) => {
                let chosen = self.choice(value).and_then(|chosen| chosen.value);
                match chosen.as_ref().map(|inner| (inner, inner.kind)) {
                    Some((inner, Kind::Table(spec))) => self.any_table(spec, inner),
                    Some((inner, _)) => self.any(inner),
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn any_table(&mut self, spec: &'static Table, value: &Value<'a>) {
        let Some(fields) = self.table(spec, value) else { return };
        for value in spec.names().filter_map(|name| fields.written(name)) {
            self.any(&value);
        }
    }

    fn any_pipeline(&mut self, value: &Value<'a>) {
        if let Some(
            PipelineUse::Named(name) | PipelineUse::Inline(At { value: Pipeline { base: Some(name), .. }, .. }),
        ) = self.pipeline_use(value)
        {
            let message = format!("a model's advice cannot use a recipe's pipeline such as `{}`", name.value);
            self.error(name.span, message).hint = Some("write out the stages".into());
        }
    }
}
