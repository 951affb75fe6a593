//! The defaults for what a recipe does not give: `defaults.toml`, whose tables are named like those of `keys`.

use std::sync::LazyLock;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text of the defaults.
pub(crate) const TEXT: &str = include_str!("defaults.toml");

// A test proves that the text has no errors; recovery merely keeps this code free of panics.
static DEFAULTS: LazyLock<DeTable<'static>> = LazyLock::new(|| DeTable::parse_recoverable(TEXT).0.into_inner());

/// A table without any key, for tables that a recipe leaves out.
pub(crate) static EMPTY: LazyLock<DeTable<'static>> = LazyLock::new(DeTable::new);

/// Returns a key's default.
pub(crate) fn value(table: &str, key: &str) -> Option<&'static DeValue<'static>> {
    entry(table, key).map(Spanned::get_ref)
}

/// Returns a key's default as a recipe would write it.
pub(crate) fn text(table: &str, key: &str) -> Option<&'static str> {
    TEXT.get(entry(table, key)?.span())
}

fn entry(table: &str, key: &str) -> Option<&'static Spanned<DeValue<'static>>> {
    DEFAULTS.get(table)?.get_ref().as_table()?.get(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn every_default_belongs_to_a_key() {
        let (parsed, errors) = DeTable::parse_recoverable(TEXT);
        assert!(errors.is_empty(), "{errors:?}");
        for (name, table) in parsed.get_ref() {
            let spec = keys::ALL
                .iter()
                .find(|spec| spec.name == name.get_ref())
                .unwrap_or_else(|| panic!("{}", name.get_ref()));
            for key in table.get_ref().as_table().unwrap().keys() {
                assert!(spec.key(key.get_ref()).is_some(), "{}.{}", spec.name, key.get_ref());
            }
        }
    }

    #[test]
    fn defaults_are_found_as_written() {
        assert_eq!(text("recipe", "size"), Some("[512, 512]"));
        assert_eq!(text("recipe", "title"), None);
        assert!(value("detail", "stages").unwrap().is_array());
    }
}
