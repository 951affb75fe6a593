//! A name with its settings in a recipe's words, and the marks that show where values come from.

use serde::{Serialize, Serializer};

use crate::recipe::{Origin, Origins};

/// The marks of values that nobody has set: the model's advice, and the program's default.
pub(super) const MARKS: [(Origin, &str, &str); 2] =
    [(Origin::Model, "*", "the model's advice"), (Origin::Program, "'", "the program's default")];

/// Returns the mark of a key's value, empty if somebody set the value.
pub(super) fn mark(origins: &Origins, key: &str) -> &'static str {
    let origin = origins.get(key).copied();
    MARKS.iter().find(|(marked, ..)| Some(*marked) == origin).map_or("", |(_, mark, _)| mark)
}

/// A chosen name and its settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub name: &'static str,
    /// Keys and values. A key with an empty value is a flag that is true. Empty if all settings are the usual ones.
    pub settings: Vec<(&'static str, String)>,
}

impl Choice {
    pub fn new(name: &'static str, settings: impl IntoIterator<Item = (&'static str, f64)>) -> Self {
        Choice { name, settings: settings.into_iter().map(|(key, value)| (key, value.to_string())).collect() }
    }

    /// Returns the choice in words.
    pub fn text(&self) -> String {
        self.written(&|_| "")
    }

    /// Returns the choice in words, each value followed by the mark of its origin. `key` is the name's own key.
    pub fn marked(&self, origins: &Origins, key: &str) -> String {
        self.written(&|setting| match setting {
            "" => mark(origins, key),
            setting => mark(origins, &format!("{key}.{setting}")),
        })
    }

    /// Writes the choice. `mark` returns what follows a setting's value or, for an empty key, the name.
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

/// Serialises origins by their names.
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
