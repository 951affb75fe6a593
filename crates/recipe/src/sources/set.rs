//! Puts the command line's settings into a recipe's document, so that they are read and checked as if written there.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeArray, DeTable, DeValue};

use crate::given::Setting;
use crate::keys::defaults;
use crate::keys::{COMPOSITION, DETAIL, KEYFRAMES, Kind, MODEL, PROMPT, RECIPE, STAGE, Table, Variant, With};
use crate::report::diagnostic::Diagnostic;
use crate::report::nearest::{did_you_mean, nearest};
use crate::sources::counsel;
use crate::sources::counsel::Counsel;
use crate::sources::setting::{Segment, segments, value_start};
use crate::syntax::repair;
use crate::syntax::tree::{Node, key, node_moved, placed, text};
use crate::texts::{SourceFile, Sources};

/// The maximum number of segments of a path: more than any place of a recipe needs.
const DEEPEST: usize = 16;

/// The value of a setting: parsed if it is TOML, and as the text that was given.
struct Given<'c, 'a> {
    toml: Option<Node<'a>>,
    raw: &'a str,
    span: Range<usize>,
    /// The values that apply where nothing is given.
    unsaid: Unsaid<'c, 'a>,
}

/// The values that apply where nothing is given: a model's advice, or else the program's defaults.
#[derive(Clone, Copy)]
struct Unsaid<'c, 'a> {
    sources: &'a Sources,
    counsel: &'c Counsel<'a>,
    advice: Option<&'c DeTable<'a>>,
}

impl<'a> Unsaid<'_, 'a> {
    /// Returns the same within a table, which may be that of a target with its own model.
    fn within(self, spec: &Table, table: &DeTable<'_>) -> Self {
        match [COMPOSITION.name, DETAIL.name].contains(&spec.name) {
            true => Unsaid { advice: self.counsel.of_target(table, self.sources), ..self },
            false => self,
        }
    }

    fn value(self, table: &str, key: &str) -> Option<DeValue<'a>> {
        let advised = counsel::entry(self.advice, table, key).map(|node| node.get_ref().clone());
        advised.or_else(|| defaults::value(table, key).cloned())
    }
}

impl<'a> Given<'_, 'a> {
    /// Returns the value where this kind is expected: 7 may also be a text.
    fn value(self, kind: Option<Kind>) -> Node<'a> {
        let wants_text = matches!(kind, Some(Kind::Text | Kind::File));
        match self.toml {
            Some(node) if !wants_text || node.get_ref().is_str() => node,
            _ => Node::new(self.span, DeValue::String(self.raw.into())),
        }
    }
}

/// An error in a path: where it is, and how to fix it.
struct Wrong {
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

/// Puts settings into a document, later ones over earlier ones. Their texts begin at `starts` among the sources. A setting that changes
/// part of a value that is not given changes that part of the model's advice, or else of the default.
pub(crate) fn apply<'s>(
    document: &mut DeTable<'s>,
    settings: &[Setting],
    starts: &[usize],
    sources: &'s Sources,
    counsel: &Counsel<'s>,
) -> Vec<Diagnostic> {
    let unsaid = Unsaid { sources, counsel, advice: counsel.own() };
    let mut diagnostics = Vec::new();
    for (setting, start) in settings.iter().zip(starts) {
        let file = sources.file(*start);
        if let Err(wrong) = one(document, setting, *start, file, unsaid) {
            diagnostics.extend(wrong.into_iter().map(|wrong| match wrong {
                Reported::Diagnostic(diagnostic) => diagnostic,
                Reported::Wrong(Wrong { span, message, hint }) => {
                    Diagnostic::error(sources.source_span(&span), message).maybe_hint(hint)
                }
            }));
        }
    }
    diagnostics
}

enum Reported {
    Diagnostic(Diagnostic),
    Wrong(Wrong),
}

fn one<'s>(
    document: &mut DeTable<'s>,
    setting: &Setting,
    start: usize,
    file: &'s Arc<SourceFile>,
    unsaid: Unsaid<'_, 's>,
) -> Result<(), Vec<Reported>> {
    let moved = |span: Range<usize>| span.start + start..span.end + start;
    let wrong = |span, message: &str, hint: Option<&str>| {
        vec![Reported::Wrong(Wrong { span, message: message.into(), hint: hint.map(str::to_owned) })]
    };
    let mut path = segments(setting).map_err(|span| wrong(moved(span), "a word of this path is missing", None))?;
    for segment in &mut path {
        segment.span = moved(segment.span.clone());
    }
    if let Some(segment) = path.get(DEEPEST) {
        return Err(wrong(segment.span.clone(), "no path in a recipe is this long", None));
    }
    let raw = &file.text[value_start(setting)..];
    let span = moved(value_start(setting)..file.text.len());
    if raw.is_empty() {
        return Err(wrong(span, "the value is missing", Some("an empty text is written '\"\"'")));
    }
    let toml = match DeValue::parse(raw) {
        Ok(node) => Some(node_moved(node, start + value_start(setting))),
        // A value that begins like TOML is meant to be TOML.
        Err(error) if raw.starts_with(['[', '{', '"', '\'']) => {
            let errors = DeTable::parse_recoverable(&file.text).1;
            let found = repair::diagnostics(file, &errors);
            return Err(match found.is_empty() {
                true => wrong(span, error.message(), None),
                false => found.into_iter().map(Reported::Diagnostic).collect(),
            });
        }
        Err(_) => None,
    };
    if path.first().is_some_and(|first| first.text == "extends") {
        let hint = "write it in a recipe";
        return Err(wrong(
            path[0].span.clone(),
            "`extends` cannot be set: it is not a value of the picture",
            Some(hint),
        ));
    }
    in_table(&RECIPE, document, &path, Given { toml, raw, span, unsaid }).map_err(|wrong| vec![Reported::Wrong(wrong)])
}

/// Follows a path of at least one segment into a table. An unknown key is inserted too, for the reader to report.
fn in_table<'a>(
    spec: &'static Table,
    table: &mut DeTable<'a>,
    path: &[Segment],
    given: Given<'_, 'a>,
) -> Result<(), Wrong> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let given = Given { unsaid: given.unsaid.within(spec, table), ..given };
    let kind = spec.key(&first.text).map(|key| key.kind);
    let known = table.remove_entry(first.text.as_str());
    let (name, node) = match (rest.is_empty(), kind) {
        (true, kind) => {
            // Of mutually exclusive keys, the one being set wins.
            if spec.exclusive.contains(&first.text.as_str()) {
                for key in spec.exclusive {
                    table.remove(*key);
                }
            }
            (key(first.span.clone(), &first.text), given.value(kind))
        }
        (false, None) => (key(first.span.clone(), &first.text), given.value(None)),
        (false, Some(kind)) => {
            let unsaid = given.unsaid.value(spec.name, &first.text);
            let (name, mut node) = match known {
                Some(known) => known,
                None => {
                    (key(first.span.clone(), &first.text), placed(unsaid.unwrap_or_else(|| empty(kind)), &first.span))
                }
            };
            let done = in_value(kind, &mut node, first, rest, given);
            table.insert(name, node);
            return done;
        }
    };
    table.insert(name, node);
    Ok(())
}

/// Returns the empty value for a key that is not given and has no default.
fn empty<'a>(kind: Kind) -> DeValue<'a> {
    match kind {
        Kind::Tables(_) | Kind::Prompts | Kind::Models | Kind::Pipeline => DeValue::Array(DeArray::new()),
        _ => DeValue::Table(DeTable::new()),
    }
}

/// Follows a path of at least one segment into a value; `at` is the segment that led to it.
fn in_value<'a>(
    kind: Kind,
    node: &mut Node<'a>,
    at: &Segment,
    path: &[Segment],
    given: Given<'_, 'a>,
) -> Result<(), Wrong> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    match (kind, node.get_mut()) {
        (Kind::Table(spec), DeValue::Table(table)) => in_table(spec, table, path, given),
        (Kind::Pipelines, DeValue::Table(table)) => in_pipelines(table, first, rest, given),
        (Kind::Tables(spec), DeValue::Array(array)) => {
            let entry = entry(array, Kind::Table(spec), at, first)?;
            in_entry(spec, entry, first, rest, given)
        }
        (Kind::Pipeline, DeValue::Array(array)) => {
            let entry = entry(array, Kind::Table(&STAGE), at, first)?;
            in_entry(&STAGE, entry, first, rest, given)
        }
        (Kind::Pipeline, DeValue::String(name)) => Err(Wrong {
            span: first.span.clone(),
            message: format!("`{}` is the pipeline \"{name}\" and has no entries of its own", at.text),
            hint: Some(format!("stages.{name}.{} sets it in the pipeline itself", words(path))),
        }),
        (Kind::Prompts | Kind::Models, DeValue::Array(array)) => {
            let (spec, name) = if matches!(kind, Kind::Models) { (&MODEL, "name") } else { (&PROMPT, "text") };
            let entry = entry(array, kind, at, first)?;
            // A plain text becomes a table, which can hold more keys.
            if let (false, DeValue::String(alone)) = (rest.is_empty(), entry.get_ref()) {
                let mut table = DeTable::new();
                table.insert(key(entry.span(), name), Node::new(entry.span(), text(alone)));
                *entry = Node::new(entry.span(), DeValue::Table(table));
            }
            in_entry(spec, entry, first, rest, given)
        }
        (Kind::Choice(variants), _) => in_choice(variants, node, at, path, given),
        (Kind::Schedule(_) | Kind::Switchable(_) | Kind::Weights(_) | Kind::Range(..), value)
            if KEYFRAMES.key(&first.text).is_some() =>
        {
            if !value.is_table() {
                *value = DeValue::Table(DeTable::new());
            }
            match value {
                DeValue::Table(table) => in_table(&KEYFRAMES, table, path, given),
                _ => Ok(()),
            }
        }
        (Kind::Weights(bounds), DeValue::Table(table)) => {
            if rest.is_empty() {
                table.remove(first.text.as_str());
                let value = given.value(Some(Kind::Schedule(bounds)));
                table.insert(key(first.span.clone(), &first.text), value);
                return Ok(());
            }
            match table.get_mut(first.text.as_str()) {
                Some(node) => in_value(Kind::Schedule(bounds), node, first, rest, given),
                None => Err(nothing_below(first, rest)),
            }
        }
        (Kind::Weights(_), _) => Err(Wrong {
            span: first.span.clone(),
            message: format!("`{}` is one weight for all", at.text),
            hint: Some(format!("set them by name: {} = {{ {} = ... }}", at.text, first.text)),
        }),
        (_, DeValue::Array(array)) => {
            let length = array.len();
            let entry = entry(array, kind, at, first)?;
            if rest.is_empty() {
                *entry = given.value(None);
                return Ok(());
            }
            // Within keyframes, or within a range's ends.
            match entry.get_ref() {
                DeValue::Array(_) => in_value(kind, entry, first, rest, given),
                _ if length == 2 && matches!(kind, Kind::Range(..)) => match kind {
                    Kind::Range(_, bounds) => in_value(Kind::Schedule(bounds), entry, first, rest, given),
                    _ => Ok(()),
                },
                _ => Err(nothing_below(first, rest)),
            }
        }
        _ => Err(nothing_below(at, path)),
    }
}

/// Sets something in an entry of an array, or the entry itself.
fn in_entry<'a>(
    spec: &'static Table,
    entry: &mut Node<'a>,
    at: &Segment,
    rest: &[Segment],
    given: Given<'_, 'a>,
) -> Result<(), Wrong> {
    if rest.is_empty() {
        *entry = given.value(None);
        return Ok(());
    }
    match entry.get_mut() {
        DeValue::Table(table) => in_table(spec, table, rest, given),
        DeValue::String(name) if spec.name == STAGE.name => Err(Wrong {
            span: at.span.clone(),
            message: format!("entry {} is the name of the pipeline `{name}`, not a stage", at.text),
            hint: Some(format!("stages.{name} is that pipeline")),
        }),
        _ => Err(nothing_below(at, rest)),
    }
}

fn in_pipelines<'a>(
    table: &mut DeTable<'a>,
    name: &Segment,
    rest: &[Segment],
    given: Given<'_, 'a>,
) -> Result<(), Wrong> {
    if rest.is_empty() {
        table.remove(name.text.as_str());
        table.insert(key(name.span.clone(), &name.text), given.value(Some(Kind::Pipeline)));
        return Ok(());
    }
    if !table.contains_key(name.text.as_str()) {
        let known = table.keys().map(|key| key.get_ref().as_ref());
        if let Some(near) = nearest(&name.text, known) {
            let message = format!("there is no pipeline `{}`", name.text);
            return Err(Wrong { span: name.span.clone(), message, hint: Some(format!("did you mean `{near}`?")) });
        }
        table.insert(key(name.span.clone(), &name.text), placed(empty(Kind::Pipeline), &name.span));
    }
    match table.get_mut(name.text.as_str()) {
        Some(node) => in_value(Kind::Pipeline, node, name, rest, given),
        None => Ok(()),
    }
}

/// Follows `basis.fourier.decay`: a setting of a name, which is thereby chosen.
fn in_choice<'a>(
    variants: &'static [Variant],
    node: &mut Node<'a>,
    at: &Segment,
    path: &[Segment],
    given: Given<'_, 'a>,
) -> Result<(), Wrong> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let Some(variant) = variants.iter().find(|variant| variant.name == first.text) else {
        let names = variants.iter().map(|variant| variant.name);
        let message = format!("`{}` cannot be \"{}\"", at.text, first.text);
        return Err(Wrong { span: first.span.clone(), message, hint: did_you_mean(&first.text, names, "its names") });
    };
    let inner = match variant.with {
        With::Nothing => return Err(nothing_below(first, rest)),
        With::Settings(spec) => Kind::Table(spec),
        With::Value(kind) => *kind,
    };
    let chosen = match node.get_mut() {
        DeValue::Table(table) => table.remove_entry(variant.name),
        _ => None,
    };
    let (name, mut value) =
        chosen.unwrap_or_else(|| (key(first.span.clone(), variant.name), placed(empty(inner), &first.span)));
    if rest.is_empty() {
        value = given.value(Some(inner));
    } else {
        in_value(inner, &mut value, first, rest, given)?;
    }
    let mut table = DeTable::new();
    table.insert(name, value);
    *node = Node::new(node.span(), DeValue::Table(table));
    Ok(())
}

/// Finds an array's entry by its position or its name. The position after the last one makes a new entry.
fn entry<'t, 'a>(
    array: &'t mut DeArray<'a>,
    kind: Kind,
    at: &Segment,
    word: &Segment,
) -> Result<&'t mut Node<'a>, Wrong> {
    let length = array.len();
    let wrong = |message: String, hint| Wrong { span: word.span.clone(), message, hint };
    let index = match word.text.parse::<usize>() {
        Ok(index) if index < length => index,
        Ok(index) if index == length => {
            array.push(placed(DeValue::Table(DeTable::new()), &word.span));
            index
        }
        Ok(index) => {
            let entries = match length {
                0 => "no entry".to_owned(),
                1 => "one entry, at position 0".to_owned(),
                _ => format!("{length} entries, at positions 0 to {}", length - 1),
            };
            let message = format!("there is no position {index}: `{}` has {entries}", at.text);
            return Err(wrong(message, Some(format!("position {length} adds an entry"))));
        }
        Err(_) => {
            let found = array.iter().position(|entry| name_of(entry, kind) == Some(word.text.as_str()));
            found.ok_or_else(|| {
                let names: Vec<&str> = array.iter().filter_map(|entry| name_of(entry, kind)).collect();
                let hint = did_you_mean(&word.text, names.iter().copied(), "there are")
                    .unwrap_or_else(|| format!("give the position of an entry without a name, from 0: {}.0", at.text));
                wrong(format!("no entry of `{}` is called \"{}\"", at.text, word.text), Some(hint))
            })?
        }
    };
    array.get_mut(index).ok_or_else(|| wrong(format!("there is no position {index}"), None))
}

/// Returns what identifies an entry: a target's, a phase's or a model's name, or a prompt's text.
fn name_of<'t>(entry: &'t Node<'_>, kind: Kind) -> Option<&'t str> {
    match (kind, entry.get_ref()) {
        (Kind::Prompts | Kind::Models, DeValue::String(text)) => Some(text),
        (Kind::Prompts, DeValue::Table(table)) => {
            ["text", "image"].iter().find_map(|key| table.get(*key)?.get_ref().as_str())
        }
        (_, DeValue::Table(table)) => table.get("name")?.get_ref().as_str(),
        _ => None,
    }
}

fn nothing_below(at: &Segment, path: &[Segment]) -> Wrong {
    let span = path.first().map_or(at.span.clone(), |first| first.span.clone());
    let word = path.first().map_or("", |first| first.text.as_str());
    Wrong {
        span,
        message: format!("`{}` has nothing called `{word}` in it", at.text),
        hint: Some(format!("the path ends with `{}`", at.text)),
    }
}

/// Joins segments of a path as they are written.
fn words(path: &[Segment]) -> String {
    path.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(".")
}
