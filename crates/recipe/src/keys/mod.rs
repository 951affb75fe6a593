//! Every key of a recipe, in the one table from which the parser, the schema and the reference are made.
//!
//! To add a key: one entry in `tables.rs` (or in `stages.rs`, for a stage), its default in `defaults.toml`, and the place
//! that reads it. The editors' schema and the reference page follow by themselves.

pub(crate) mod defaults;
mod kinds;
pub(crate) mod parse;
mod stages;
mod tables;

pub(super) use kinds::*;
pub(super) use stages::{Build, GRAINS, STAGES, written_here};
pub(super) use tables::*;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_means() {
        for table in ALL {
            assert!(table.about.ends_with('.'), "{}", table.name);
            for (index, key) in table.keys.iter().enumerate() {
                assert!(key.about.ends_with('.'), "{}.{}", table.name, key.name);
                assert!(!key.example.is_empty() || matches!(key.kind, Kind::Tables(_)), "{}.{}", table.name, key.name);
                assert!(table.keys[..index].iter().all(|other| other.name != key.name), "{} twice", key.name);
            }
        }
    }
}
