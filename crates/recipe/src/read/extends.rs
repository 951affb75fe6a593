//! Reads the recipes that a recipe names in `extends`.

use toml::de::{DeTable, DeValue};

use crate::keys::Kind;
use crate::read::reader::{Reader, Value};
use crate::report::diagnostic::Diagnostic;
use crate::sources::extends::NamedBase;
use crate::sources::origin::Origin;
use crate::texts::Sources;

/// Returns the entries of a document's `extends`, none if it is malformed, with diagnostics.
pub(crate) fn extends(sources: &Sources, document: &DeTable<'_>) -> (Vec<NamedBase>, Vec<Diagnostic>) {
    let mut reader = Reader::new(sources);
    let Some(node) = document.get("extends") else { return (Vec::new(), Vec::new()) };
    let value =
        Value { node: node.get_ref(), span: node.span(), origin: Origin::Recipe, name: "extends", kind: Kind::Files };
    let values = match value.node {
        DeValue::Array(_) => value.items(Kind::File).unwrap_or_default(),
        DeValue::String(_) => vec![value],
        _ => {
            reader.wrong_type(&value);
            Vec::new()
        }
    };
    let mut bases = Vec::new();
    for value in values {
        bases.extend(reader.text(&value).map(|text| NamedBase { text, span: value.span }));
    }
    (bases, reader.diagnostics)
}
