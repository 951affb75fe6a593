//! Texts, numbers, colours and choices: values that do not change over time.

use toml::de::DeValue;

use crate::keys::{Bounds, Kind, Table, With};
use crate::plan::Word;
use crate::read::reader::{Fields, Reader, Value};
use crate::report::nearest::nearest;

/// What was chosen: a word of the table of keys, or what it means in a plan.
pub(crate) struct Chosen<'a, W> {
    pub word: W,
    /// What the word carries, if anything was written.
    pub value: Option<Value<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads a text that is not blank.
    pub fn text(&mut self, value: &Value<'a>) -> Option<String> {
        let DeValue::String(text) = value.node else {
            self.wrong_type(value);
            return None;
        };
        if text.trim().is_empty() {
            self.error(value.span.clone(), format!("`{}` is empty", value.name)).expected = Some(value.kind.words());
            return None;
        }
        Some(text.to_string())
    }

    /// Reads a boolean.
    pub fn bool(&mut self, value: &Value<'a>) -> Option<bool> {
        if let DeValue::Boolean(truth) = value.node {
            return Some(*truth);
        }
        self.wrong_type(value);
        None
    }

    /// Reads a whole number within its bounds.
    pub fn whole(&mut self, value: &Value<'a>) -> Option<u64> {
        let DeValue::Integer(integer) = value.node else {
            self.wrong_type(value);
            return None;
        };
        let Kind::Whole(low, high) = value.kind else { return None };
        // A number that does not fit into 128 bits is out of every range.
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX);
        match u64::try_from(number).ok().filter(|number| (low..=high).contains(number)) {
            Some(number) => Some(number),
            None => {
                self.unfit(value, format!("`{}` is out of range", value.name));
                None
            }
        }
    }

    /// Reads a number within bounds.
    pub fn number(&mut self, value: &Value<'a>, bounds: Bounds) -> Option<f64> {
        let Some(number) = number_of(value.node) else {
            self.wrong_type(value);
            return None;
        };
        self.hold(value, bounds, number).then_some(number)
    }

    /// Checks that a value's number is within bounds; reports it if not.
    pub fn hold(&mut self, value: &Value<'a>, bounds: Bounds, number: f64) -> bool {
        if !number.is_finite() {
            self.unfit(value, format!("`{}` is not finite", value.name));
        } else if !bounds.hold(number) {
            let diagnostic = self.unfit(value, format!("`{}` is out of range", value.name));
            diagnostic.expected = Some(format!("a number {}", bounds.words()));
        }
        bounds.hold(number)
    }

    /// Reads an array of `N` numbers within bounds.
    pub fn numbers<const N: usize>(&mut self, value: &Value<'a>, bounds: Bounds) -> Option<[f64; N]> {
        let items = value.items(Kind::Number(bounds)).filter(|items| items.len() == N);
        let Some(items) = items else {
            self.wrong_length(value, N);
            return None;
        };
        let numbers: Vec<f64> = items.iter().filter_map(|item| self.number(item, bounds)).collect();
        numbers.try_into().ok()
    }

    /// Reads an array of `N` whole numbers within bounds.
    pub fn wholes<const N: usize>(&mut self, value: &Value<'a>, low: u64, high: u64) -> Option<[u64; N]> {
        let items = value.items(Kind::Whole(low, high)).filter(|items| items.len() == N);
        let Some(items) = items else {
            self.wrong_length(value, N);
            return None;
        };
        let numbers: Vec<u64> = items.iter().filter_map(|item| self.whole(item)).collect();
        numbers.try_into().ok()
    }

    /// Reports a value that is not an array of `length` entries.
    fn wrong_length(&mut self, value: &Value<'a>, length: usize) {
        match value.node {
            DeValue::Array(array) => {
                let message = format!("`{}` has {} entries instead of {length}", value.name, array.len());
                self.unfit(value, message);
            }
            _ => {
                self.wrong_type(value);
            }
        }
    }

    /// Reads a colour.
    pub fn colour(&mut self, value: &Value<'a>) -> Option<[f64; 3]> {
        let before = self.diagnostics.len();
        let colour = self.numbers(value, Bounds::within(0.0, 1.0));
        if colour.is_none()
            && let Some(items) = value.node.as_array()
            && items.iter().any(|item| number_of(item.get_ref()).is_some_and(|number| number > 1.0))
            && let Some(diagnostic) = self.diagnostics.get_mut(before)
        {
            diagnostic.hint = Some("colours run from 0 to 1: divide by 255".to_owned());
        }
        colour
    }

    /// Opens the table of settings that a chosen word carries, or the defaults if it stands alone. `value` is the whole choice.
    pub fn settings<W>(
        &mut self,
        chosen: &Chosen<'a, W>,
        value: &Value<'a>,
        spec: &'static Table,
    ) -> Option<Fields<'a>> {
        match &chosen.value {
            Some(value) => self.table(spec, value),
            None => Some(self.fields_of_nothing(spec, value.span.clone())),
        }
    }

    /// Reads one of a choice's words as the plan means it, with what it carries. A word that the plan does not know is reported, though
    /// the table of keys has it: it never becomes another one.
    pub fn chosen<W: Word>(&mut self, value: &Value<'a>) -> Option<Chosen<'a, W>> {
        let Chosen { word, value: carried } = self.choice(value)?;
        let meant = W::named(word);
        if meant.is_none() {
            self.error(value.span.clone(), format!("`{}` cannot be \"{word}\" yet", value.name));
        }
        Some(Chosen { word: meant?, value: carried })
    }

    /// Reads one of a choice's words, with what it carries.
    pub fn choice(&mut self, value: &Value<'a>) -> Option<Chosen<'a, &'static str>> {
        let Kind::Choice(variants) = value.kind else {
            self.wrong_type(value);
            return None;
        };
        let (name, span, inner) = match value.node {
            DeValue::String(name) => (&**name, value.span.clone(), None),
            DeValue::Table(table) if table.len() == 1 => {
                let (key, inner) = table.iter().next()?;
                (&**key.get_ref(), key.span(), Some(inner))
            }
            _ => {
                self.wrong_type(value);
                return None;
            }
        };
        let Some(variant) = variants.iter().find(|variant| variant.name == name) else {
            let hint = nearest(name, variants.iter().map(|variant| variant.name));
            let at = Value { span, ..value.clone() };
            let diagnostic = self.unfit(&at, format!("`{}` cannot be \"{name}\"", value.name));
            diagnostic.hint = hint.map(|name| format!("did you mean \"{name}\"?"));
            return None;
        };
        match (variant.with, inner) {
            (With::Nothing | With::Settings(_), None) => Some(Chosen { word: variant.name, value: None }),
            (With::Settings(table), Some(inner)) => {
                let value = Value { name: variant.name, ..value.inner(inner, Kind::Table(table)) };
                Some(Chosen { word: variant.name, value: Some(value) })
            }
            (With::Value(kind), Some(inner)) => {
                let value = Value { name: variant.name, ..value.inner(inner, *kind) };
                Some(Chosen { word: variant.name, value: Some(value) })
            }
            (With::Nothing, Some(_)) => {
                let diagnostic = self.error(value.span.clone(), format!("\"{name}\" has no settings"));
                diagnostic.hint = Some(format!("{} = \"{name}\"", value.name));
                None
            }
            (With::Value(kind), None) => {
                let diagnostic = self.error(value.span.clone(), format!("\"{name}\" needs a value"));
                diagnostic.expected = Some(format!("{{ {name} = {} }}", kind.words()));
                None
            }
        }
    }
}

/// Returns a number, whether written as an integer or as a float.
pub(crate) fn number_of(node: &DeValue<'_>) -> Option<f64> {
    match node {
        DeValue::Integer(integer) => {
            let whole = i128::from_str_radix(integer.as_str(), integer.radix());
            Some(whole.map_or(f64::INFINITY, |number| number as f64))
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}
