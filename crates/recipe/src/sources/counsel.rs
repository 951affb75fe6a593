//! Defaults that belong to a model: the table `[advice]` of its `model.toml`, in the shape of `defaults.toml`.
//!
//! ```text
//! recipe ─ models it names ─▶ advisers ─ their texts, among the sources ─▶ Counsel ─▶ Reader, for values a recipe does not give
//! ```
//!
//! Values that a target does not give come from the advice of its model, or of the first of several models. Those of the canvas and the
//! phases come from the recipe's own model. If no model gives advice, the program's defaults apply.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::syntax::text;
use crate::syntax::tree::moved;
use crate::texts::{SourceFile, Sources};

/// A model that a recipe names, and its `model.toml` among the sources.
pub(crate) struct Adviser {
    pub name: String,
    /// The folder that its path is relative to.
    pub base: PathBuf,
    /// The text, and its start among the sources.
    pub text: Option<(Arc<SourceFile>, usize)>,
}

impl Adviser {
    /// Returns its file, if it exists on disk.
    pub fn file(&self) -> Option<PathBuf> {
        self.text.as_ref().map(|(file, _)| file.path.clone()).filter(|path| path.is_file())
    }

    /// Whether this is the model of this name and folder.
    pub fn is(&self, name: &str, base: &Path) -> bool {
        self.name == name && self.base == base
    }
}

/// Returns the model that a table names, or the first of several, and the folder that its path is relative to.
pub(crate) fn said<'s>(table: &DeTable<'_>, sources: &'s Sources) -> Option<(String, &'s Path)> {
    let several = || table.get("models")?.get_ref().as_array()?.iter().next();
    let node = table.get("model").or_else(several)?;
    let name = node.get_ref().as_table().map_or(Some(node), |member| member.get("name"))?;
    Some((name.get_ref().as_str()?.to_owned(), sources.folder(name.span().start)))
}

/// A table of advice, made of tables named like those of `defaults.toml`.
pub(crate) type Advice<'a> = &'a DeTable<'a>;

/// The advice of a recipe's models.
#[derive(Default)]
pub(crate) struct Counsel<'a> {
    models: Vec<(&'a str, &'a Path, Option<DeTable<'a>>)>,
}

impl<'a> Counsel<'a> {
    /// Reads the tables. A `model.toml` that is not valid TOML gives no advice.
    pub fn read(advisers: &'a [Adviser]) -> Self {
        let table = |(file, start): &'a (Arc<SourceFile>, usize)| {
            let mut document = moved(text::parse(file).ok()?, *start);
            match document.remove("advice")?.into_inner() {
                DeValue::Table(table) => Some(table),
                // Reported by whoever reads the whole file.
                _ => None,
            }
        };
        let models = advisers
            .iter()
            .map(|adviser| (adviser.name.as_str(), adviser.base.as_path(), adviser.text.as_ref().and_then(table)));
        Counsel { models: models.collect() }
    }

    /// Returns the advice of the recipe's own model.
    pub fn own(&self) -> Option<&DeTable<'a>> {
        self.models.first()?.2.as_ref()
    }

    /// Returns the advice of a target's model: the one that its table names, or the first of several, or else the recipe's.
    pub fn of_target(&self, table: &DeTable<'_>, sources: &Sources) -> Option<&DeTable<'a>> {
        let Some((name, base)) = said(table, sources) else { return self.own() };
        self.models.iter().find(|(other, folder, _)| *other == name && *folder == base)?.2.as_ref()
    }

    /// Yields the advice of all models that give some.
    pub fn all(&self) -> impl Iterator<Item = &DeTable<'a>> {
        self.models.iter().filter_map(|(_, _, advice)| advice.as_ref())
    }
}

/// Returns the advised value of a key.
pub(crate) fn entry<'t, 'a>(
    advice: Option<&'t DeTable<'a>>,
    table: &str,
    key: &str,
) -> Option<&'t Spanned<DeValue<'a>>> {
    advice?.get(table)?.get_ref().as_table()?.get(key)
}
