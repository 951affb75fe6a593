//! Lays one recipe over another: tables key by key, everything else as a whole, and `"..."` for the entries below it.

use toml::de::{DeArray, DeTable, DeValue};

use crate::keys::{Kind, Table};
use crate::report::diagnostic::Diagnostic;
use crate::syntax::tree::{Key, Node};
use crate::texts::Sources;

/// The entry that stands for the inherited ones of an array.
pub(crate) const INHERITED: &str = "...";

/// Lays tables over one another and collects diagnostics.
pub(crate) struct Merge<'s> {
    sources: &'s Sources,
    /// Whether the recipe builds on another.
    extends: bool,
    pub diagnostics: Vec<Diagnostic>,
}

impl<'s> Merge<'s> {
    pub fn new(sources: &'s Sources, extends: bool) -> Self {
        Merge { sources, extends, diagnostics: Vec::new() }
    }

    /// Lays a table over another, key by key.
    pub fn table<'a>(&mut self, spec: &'static Table, below: &mut DeTable<'a>, above: DeTable<'a>) {
        // Of mutually exclusive keys, the upper one wins.
        if above.keys().any(|key| spec.exclusive.contains(&key.get_ref().as_ref())) {
            for key in spec.exclusive.iter().filter(|key| !above.contains_key(**key)) {
                below.remove(*key);
            }
        }
        for (key, value) in above {
            let kind = spec.key(key.get_ref()).map(|key| key.kind);
            let inherited = below.remove_entry(key.get_ref().as_ref()).map(|(_, value)| value);
            let value = self.value(kind, inherited, value, key.get_ref());
            below.insert(key, value);
        }
    }

    fn value<'a>(&mut self, kind: Option<Kind>, below: Option<Node<'a>>, mut above: Node<'a>, name: &str) -> Node<'a> {
        match (kind, above.get_mut()) {
            (Some(Kind::Table(spec)), DeValue::Table(table)) => {
                let mut under = match below.map(Node::into_inner) {
                    Some(DeValue::Table(under)) => under,
                    _ => DeTable::new(),
                };
                self.table(spec, &mut under, std::mem::take(table));
                *table = under;
            }
            (Some(Kind::Pipelines), DeValue::Table(table)) => {
                let mut under = match below.map(Node::into_inner) {
                    Some(DeValue::Table(under)) => under,
                    _ => DeTable::new(),
                };
                for (key, value) in std::mem::take(table) {
                    let key: Key<'a> = key;
                    let inherited = under.remove_entry(key.get_ref().as_ref()).map(|(_, value)| value);
                    let value = self.value(Some(Kind::Pipeline), inherited, value, key.get_ref());
                    under.insert(key, value);
                }
                *table = under;
            }
            (Some(kind @ (Kind::Tables(_) | Kind::Prompts | Kind::Models | Kind::Pipeline)), DeValue::Array(array)) => {
                let entries = std::mem::replace(array, DeArray::new());
                *array = self.entries(kind, below, entries, name);
            }
            _ => {}
        }
        above
    }

    /// Returns an array's entries, with those below it if it asks for them.
    fn entries<'a>(&mut self, kind: Kind, below: Option<Node<'a>>, above: DeArray<'a>, name: &str) -> DeArray<'a> {
        let mut inherited = inherited(kind, below);
        let mut own: Vec<Node<'a>> = Vec::new();
        let mut place = None;
        for entry in above {
            if entry.get_ref().as_str() != Some(INHERITED) {
                own.push(entry);
            } else if place.is_some() {
                let message = "\"...\" stands for the inherited entries and may be used only once";
                self.diagnostics.push(Diagnostic::error(self.sources.source_span(&entry.span()), message));
            } else {
                place = Some(own.len());
                if inherited.is_none() {
                    self.nothing_inherited(name, &entry);
                }
            }
        }
        // Without the mark the array replaces the one below.
        let mut below = inherited.take().filter(|_| place.is_some()).unwrap_or_default();
        let mut kept: Vec<Option<Node<'a>>> = Vec::new();
        for mut entry in own {
            if let (Kind::Tables(spec), DeValue::Table(table)) = (kind, entry.get_mut()) {
                let own = std::mem::take(table);
                let named = name_of(&own).and_then(|name| below.iter().position(|below| named(below, name)));
                match named.and_then(|index| below.get_mut(index)).map(|below| below.get_mut()) {
                    // An entry with the name of an inherited one changes that one.
                    Some(DeValue::Table(under)) => {
                        self.table(spec, under, own);
                        kept.push(None);
                        continue;
                    }
                    _ => self.table(spec, table, own),
                }
            }
            kept.push(Some(entry));
        }
        let before = kept.iter().take(place.unwrap_or(0)).flatten().count();
        let mut kept: Vec<Node<'a>> = kept.into_iter().flatten().collect();
        let after = kept.split_off(before);
        let mut entries = DeArray::new();
        for entry in kept.into_iter().chain(below).chain(after) {
            entries.push(entry);
        }
        entries
    }

    fn nothing_inherited(&mut self, name: &str, mark: &Node<'_>) {
        let message = format!("\"...\" stands for the inherited entries, and `{name}` inherits none");
        let hint = match (self.extends, name) {
            (false, _) => "name the recipe to build on at the top: extends = \"base.toml\"",
            (true, "prompts") => {
                "to inherit a target's entries, keep the inherited targets and give its name: \
                 detail = [\"...\", { name = \"sky\", prompts = [\"...\", \"sword\"] }]"
            }
            _ => "leave it out",
        };
        self.diagnostics.push(Diagnostic::error(self.sources.source_span(&mark.span()), message).hint(hint));
    }
}

/// Returns the entries that an array can inherit.
fn inherited(kind: Kind, below: Option<Node<'_>>) -> Option<Vec<Node<'_>>> {
    let below = below?;
    match below.get_ref() {
        DeValue::Array(_) => {}
        // A pipeline that is only a name for another one begins with that one.
        DeValue::String(_) if matches!(kind, Kind::Pipeline) => return Some(vec![below]),
        _ => return None,
    }
    match below.into_inner() {
        DeValue::Array(array) => Some(array.into_iter().collect()),
        _ => None,
    }
}

fn name_of<'t>(table: &'t DeTable<'_>) -> Option<&'t str> {
    table.get("name")?.get_ref().as_str()
}

/// Whether an entry has this name.
fn named(entry: &Node<'_>, name: &str) -> bool {
    entry.get_ref().as_table().and_then(name_of) == Some(name)
}
