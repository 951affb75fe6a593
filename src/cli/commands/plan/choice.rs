//! A name with its settings, as a recipe could say it, and marks of where values come from.

use serde::{Serialize, Serializer};

use crate::recipe::{Origin, Origins};

/// What a value is marked with that nobody has said: it is what the model advises, or the program's default.
pub(super) const MARKS: [(Origin, &str, &str); 2] =
    [(Origin::Model, "*", "the model's advice"), (Origin::Program, "'", "the program's default")];

/// The mark of the value of a key; none where it was said.
pub(super) fn mark(origins: &Origins, key: &str) -> &'static str {
    let origin = origins.get(key).copied();
    MARKS.iter().find(|(marked, ..)| Some(*marked) == origin).map_or("", |(_, mark, _)| mark)
}

/// A name that was chosen, and its settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub name: &'static str,
    /// Keys and values; a key without a value is one that is true. Empty where all are the usual ones.
    pub settings: Vec<(&'static str, String)>,
}

impl Choice {
    pub fn new(name: &'static str, settings: impl IntoIterator<Item = (&'static str, f64)>) -> Self {
        Choice { name, settings: settings.into_iter().map(|(key, value)| (key, value.to_string())).collect() }
    }

    /// In words.
    pub fn text(&self) -> String {
        self.written(&|_| "")
    }

    /// In words, each value with the mark of where it comes from; `key` is the name's own key.
    pub fn marked(&self, origins: &Origins, key: &str) -> String {
        self.written(&|setting| match setting {
            "" => mark(origins, key),
            setting => mark(origins, &format!("{key}.{setting}")),
        })
    }

    /// `mark` gives what is put behind the value of a setting, or with an empty key behind the name.
    fn written(&self, mark: &dyn Fn(&str) -> &'static str) -> String {
        let settings = self.settings.iter().map(|(key, value)| match value.is_empty() {
            true => format!("{key}{}", mark(key)),
            false => format!("{key} {value}{}", mark(key)),
        });
        let settings: Vec<String> = settings.collect();
        let settings = if settings.is_empty() { String::new() } else { format!(" ({})", settings.join(", ")) };
        format!("{}{}{settings}", self.name, mark(""))
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// Origins by their names.
pub(super) fn names<S: Serializer>(origins: &Origins, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(origins.iter().map(|(key, origin)| (key, origin.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_marked_where_nobody_said_them() {
        let choice = Choice::new("adam", [("beta1", 0.9), ("epsilon", 1e-8)]);
        let origins = [("optimiser", Origin::Recipe), ("optimiser.beta1", Origin::Program)];
        let mut origins: Origins = origins.map(|(key, origin)| (key.to_owned(), origin)).into();
        origins.insert("optimiser.epsilon".to_owned(), Origin::Model);
        assert_eq!(choice.marked(&origins, "optimiser"), "adam (beta1 0.9', epsilon 0.00000001*)");
        assert_eq!(serde_json::to_value(&choice).unwrap(), "adam (beta1 0.9, epsilon 0.00000001)");
        assert_eq!(Choice::new("sign", []).marked(&Origins::new(), "optimiser"), "sign");
    }
}
