//! Reads a configuration: typed, with defaults, and errors that name the key.

use serde_json::{Map, Value};

use crate::ModelsError;

/// The maximum number of layers, heads and the like.
pub(super) const MOST_LAYERS: usize = 512;
/// The maximum width of a token or an embedding.
pub(super) const WIDEST: usize = 1 << 16;
/// The maximum side of a picture in pixels.
pub(super) const LARGEST_PICTURE: usize = 4096;
/// The maximum number of tokens in a text.
pub(super) const LONGEST_TEXT: usize = 4096;
/// The maximum number of tokens in a vocabulary.
pub(super) const LARGEST_VOCABULARY: usize = 1 << 24;

/// A table of a JSON configuration, and its path. A missing table has no keys.
#[derive(Debug, Clone)]
pub(super) struct Table<'a> {
    values: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Table<'a> {
    /// Creates the top-level table.
    pub fn new(value: &'a Value, name: &str) -> Result<Self, ModelsError> {
        match value {
            Value::Object(values) => Ok(Table { values: Some(values), path: String::new() }),
            _ => Err(ModelsError::wrong(format!("{name}: expected a JSON object"))),
        }
    }

    /// Returns a table within; one that is missing or null has no keys.
    pub fn table(&self, key: &str) -> Result<Table<'a>, ModelsError> {
        let path = self.full(key);
        match self.get(key) {
            None => Ok(Table { values: None, path }),
            Some(Value::Object(values)) => Ok(Table { values: Some(values), path }),
            Some(other) => Err(self.expected(key, other, "a JSON object")),
        }
    }

    /// Returns a key's full name.
    pub fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Returns a value that is present and not null.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.values?.get(key).filter(|value| !value.is_null())
    }

    /// Returns whether the table is present.
    pub fn is_there(&self) -> bool {
        self.values.is_some()
    }

    pub fn expected(&self, key: &str, value: &Value, what: &str) -> ModelsError {
        let mut shown = value.to_string();
        if shown.len() > 60 {
            shown = shown.chars().take(57).collect::<String>() + "...";
        }
        ModelsError::wrong(format!("configuration: `{}` is {shown}, expected {what}", self.full(key)))
    }

    /// Returns a whole number from 1 to `most`.
    pub fn count(&self, key: &str, default: usize, most: usize) -> Result<usize, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        let number = value.as_u64().and_then(|v| usize::try_from(v).ok()).filter(|v| (1..=most).contains(v));
        number.ok_or_else(|| self.expected(key, value, &format!("a whole number from 1 to {most}")))
    }

    /// Returns a whole number from 1 to `most`; an error if it is missing.
    pub fn needed(&self, key: &str, most: usize) -> Result<usize, ModelsError> {
        if self.get(key).is_none() {
            return Err(ModelsError::wrong(format!(
                "configuration: `{}` is missing, expected a whole number from 1 to {most}",
                self.full(key)
            )));
        }
        self.count(key, 0, most)
    }

    /// Returns a side in pixels, written as one number or as two equal ones.
    pub fn side(&self, key: &str, default: usize) -> Result<usize, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        let one = match value {
            Value::Array(sides) => match sides.as_slice() {
                [one] => Some(one),
                [height, width] if height == width => Some(height),
                _ => None,
            },
            other => Some(other),
        };
        let side = one.and_then(Value::as_u64).and_then(|v| usize::try_from(v).ok());
        side.filter(|v| (1..=LARGEST_PICTURE).contains(v)).ok_or_else(|| {
            self.expected(key, value, &format!("a whole number from 1 to {LARGEST_PICTURE}; pictures must be square"))
        })
    }

    /// Returns a number above 0.
    pub fn positive(&self, key: &str, default: f64) -> Result<f64, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        let number = value.as_f64().filter(|v| v.is_finite() && *v > 0.0);
        number.ok_or_else(|| self.expected(key, value, "a number above 0"))
    }

    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.expected(key, value, "true or false"))
    }

    pub fn text(&self, key: &str) -> Result<Option<&'a str>, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.expected(key, value, "a text"))
    }

    /// Returns a whole number of any sign.
    pub fn id(&self, key: &str, default: i64) -> Result<i64, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_i64().ok_or_else(|| self.expected(key, value, "a whole number"))
    }

    /// Returns three numbers, one per channel.
    pub fn channels(&self, key: &str) -> Result<Option<[f32; 3]>, ModelsError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let numbers: Option<Vec<f32>> = match value {
            Value::Array(items) => items.iter().map(|v| v.as_f64().map(|v| v as f32)).collect(),
            one => one.as_f64().map(|v| vec![v as f32; 3]),
        };
        let three = numbers.and_then(|n| <[f32; 3]>::try_from(n).ok()).filter(|n| n.iter().all(|v| v.is_finite()));
        three.map(Some).ok_or_else(|| self.expected(key, value, "three numbers, one per channel"))
    }

    /// Refuses a setting that changes the computation in an unsupported way. Off (false, null, 0, none) is fine.
    pub fn refuse(&self, key: &str, what: &str) -> Result<(), ModelsError> {
        match self.get(key) {
            Some(value) if !off(value) => Err(self.unsupported(key, value, what)),
            _ => Ok(()),
        }
    }

    /// Returns the error for a setting that is not supported.
    pub fn unsupported(&self, key: &str, value: &Value, what: &str) -> ModelsError {
        let mut shown = value.to_string();
        if shown.len() > 60 {
            shown = shown.chars().take(57).collect::<String>() + "...";
        }
        ModelsError::wrong(format!("configuration: `{}` = {shown} is not supported: {what}", self.full(key)))
            .hinted("export this model to ONNX with its authors' code, and import the two .onnx files")
    }

    /// Refuses keys that are not among `known`, unless they are off.
    pub fn only(&self, known: &[&str]) -> Result<(), ModelsError> {
        let unknown = |(key, value): &(&String, &Value)| !known.contains(&key.as_str()) && !off(value);
        match self.values.and_then(|values| values.iter().find(unknown)) {
            Some((key, value)) => Err(self.unsupported(key, value, "a setting that is not known")),
            None => Ok(()),
        }
    }
}

/// Returns whether a value means that something is not used.
fn off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::Bool(true) => false,
    }
}
