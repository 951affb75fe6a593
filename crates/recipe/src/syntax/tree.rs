//! TOML documents as trees whose spans can be moved.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

/// A value with its place.
pub(crate) type Node<'a> = Spanned<DeValue<'a>>;
/// A key with its place.
pub(crate) type Key<'a> = Spanned<DeString<'a>>;

/// Moves the spans of a document by `start`.
pub(crate) fn moved(table: DeTable<'_>, start: usize) -> DeTable<'_> {
    table_with(table, &|span| span.start + start..span.end + start)
}

/// Moves the span of a value, and those of everything in it, by `start`.
pub(crate) fn node_moved(node: Node<'_>, start: usize) -> Node<'_> {
    node_with(node, &|span| span.start + start..span.end + start)
}

/// Gives a value and all its parts the same `span`.
pub(crate) fn placed<'a>(value: DeValue<'a>, span: &Range<usize>) -> Node<'a> {
    Spanned::new(span.clone(), value_with(value, &|_| span.clone()))
}

type Placing<'p> = &'p dyn Fn(Range<usize>) -> Range<usize>;

fn node_with<'a>(node: Node<'a>, place: Placing<'_>) -> Node<'a> {
    Spanned::new(place(node.span()), value_with(node.into_inner(), place))
}

fn table_with<'a>(table: DeTable<'a>, place: Placing<'_>) -> DeTable<'a> {
    let mut moved = DeTable::new();
    for (key, node) in table {
        moved.insert(Spanned::new(place(key.span()), key.into_inner()), node_with(node, place));
    }
    moved
}

// The recursion is safe: the parser limits how deeply a document nests.
fn value_with<'a>(value: DeValue<'a>, place: Placing<'_>) -> DeValue<'a> {
    match value {
        DeValue::Array(array) => {
            let mut moved = DeArray::new();
            for node in array {
                moved.push(node_with(node, place));
            }
            DeValue::Array(moved)
        }
        DeValue::Table(table) => DeValue::Table(table_with(table, place)),
        other => other,
    }
}

pub(crate) fn key<'a>(span: Range<usize>, name: &str) -> Key<'a> {
    Spanned::new(span, Cow::Owned(name.to_owned()))
}

pub(crate) fn text<'a>(text: &str) -> DeValue<'a> {
    DeValue::String(Cow::Owned(text.to_owned()))
}
