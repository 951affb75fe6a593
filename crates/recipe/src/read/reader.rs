//! Reads tables by the table of keys: the written value or else the default, with a diagnostic for whatever does not fit.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::keys::defaults;
use crate::keys::{Kind, Table};
use crate::read::timeline::Check;
use crate::report::diagnostic::{Diagnostic, Severity};
use crate::report::nearest::{did_you_mean, meant, nearest};
use crate::report::numbers::with_point;
use crate::sources::counsel;
use crate::sources::counsel::{Advice, Counsel};
use crate::sources::origin::{Origin, Origins};
use crate::texts::Sources;

/// Collects diagnostics while a recipe is read, and the checks that need its phases and so come later.
pub(crate) struct Reader<'a> {
    pub sources: &'a Sources,
    pub diagnostics: Vec<Diagnostic>,
    pub checks: Vec<Check>,
    /// The phase being read; schedules in it run over its time only.
    pub phase: Option<usize>,
    /// The images that the recipe names.
    pub files: Vec<PathBuf>,
    /// Whether some of the recipe's texts could not be read. What seems to be missing may then be in them.
    pub partial: bool,
    /// The advice of the recipe's models, once it has been checked.
    pub counsel: Option<&'a Counsel<'a>>,
    /// The advice that applies to the part being read.
    pub advice: Option<Advice<'a>>,
    /// The span among the sources of the command line's settings.
    pub settings: Range<usize>,
}

/// A table of a recipe whose keys have been checked.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    pub spec: &'static Table,
    table: &'a DeTable<'a>,
    /// The table's heading, or the whole of an inline table.
    pub span: Range<usize>,
    /// The origin of the table itself.
    origin: Origin,
    /// The advice for the keys it does not give.
    advice: Option<Advice<'a>>,
}

/// A value of a recipe, of a model's advice, or of the defaults.
#[derive(Clone)]
pub(crate) struct Value<'a> {
    pub node: &'a DeValue<'a>,
    /// Its place; for one of the program's defaults, that of its table.
    pub span: Range<usize>,
    pub origin: Origin,
    /// The name of its key.
    pub name: &'a str,
    pub kind: Kind,
}

impl<'a> Fields<'a> {
    /// Returns the value of a key, or else the advised one, or else the default.
    pub fn get(&self, name: &'static str) -> Option<Value<'a>> {
        self.written(name).or_else(|| self.unsaid(name))
    }

    /// Returns the value of a key that is not given: the advised one, or else the default.
    pub fn unsaid(&self, name: &'static str) -> Option<Value<'a>> {
        self.advised(name).or_else(|| self.default(name))
    }

    /// Returns the advised value of a key.
    pub fn advised(&self, name: &'static str) -> Option<Value<'a>> {
        let node = counsel::entry(self.advice, self.spec.name, name)?;
        Some(Value { node: node.get_ref(), span: node.span(), origin: Origin::Model, name, kind: self.kind(name)? })
    }

    /// Returns the program's default for a key.
    pub fn default(&self, name: &'static str) -> Option<Value<'a>> {
        let node = defaults::value(self.spec.name, name)?;
        Some(Value { node, span: self.span.clone(), origin: Origin::Program, name, kind: self.kind(name)? })
    }

    /// Returns the value of a key if the table gives it.
    pub fn written(&self, name: &'static str) -> Option<Value<'a>> {
        let node = self.table.get(name)?;
        let span = if self.origin.is_written() { node.span() } else { self.span.clone() };
        Some(Value { node: node.get_ref(), span, origin: self.origin, name, kind: self.kind(name)? })
    }

    /// Returns the table with another model's advice.
    #[must_use]
    pub fn advised_by(&self, advice: Option<Advice<'a>>) -> Self {
        Fields { advice, ..self.clone() }
    }

    /// Returns the advice of a target's model.
    pub fn advice_of_target(&self, counsel: &'a Counsel<'a>, sources: &Sources) -> Option<Advice<'a>> {
        counsel.of_target(self.table, sources)
    }

    /// Whether every key is known. An unknown key may be a misspelling of one that seems to be missing.
    pub fn knows_all_its_keys(&self) -> bool {
        self.table.keys().all(|key| self.spec.key(key.get_ref()).is_some())
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        debug_assert!(self.spec.key(name).is_some(), "{} has no key {name}", self.spec.name);
        Some(self.spec.key(name)?.kind)
    }
}

/// Returns a table's keys and values in written order.
pub(crate) fn entries<'a>(
    table: &'a DeTable<'a>,
) -> Vec<(&'a Spanned<toml::de::DeString<'a>>, &'a Spanned<DeValue<'a>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

impl<'a> Value<'a> {
    /// Makes a value from a model's advice for a key.
    pub fn advised(node: &'a Spanned<DeValue<'a>>, key: &'static keys::Key) -> Value<'a> {
        Value { node: node.get_ref(), span: node.span(), origin: Origin::Model, name: key.name, kind: key.kind }
    }

    /// Returns the same value, to be read as another kind.
    pub fn with_kind(&self, kind: Kind) -> Value<'a> {
        Value { kind, ..self.clone() }
    }

    /// Returns an entry of this value.
    pub fn inner(&self, node: &'a Spanned<DeValue<'a>>, kind: Kind) -> Value<'a> {
        let span = if self.origin.is_written() { node.span() } else { self.span.clone() };
        Value { node: node.get_ref(), span, kind, ..self.clone() }
    }

    /// Returns the entries if it is an array.
    pub fn items(&self, kind: Kind) -> Option<Vec<Value<'a>>> {
        let items = self.node.as_array()?;
        Some(items.iter().map(|item| self.inner(item, kind)).collect())
    }
}

impl<'a> Reader<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        Reader {
            sources,
            diagnostics: Vec::new(),
            checks: Vec::new(),
            phase: None,
            files: Vec::new(),
            partial: false,
            counsel: None,
            advice: None,
            settings: 0..0,
        }
    }

    /// Reports an error and returns its diagnostic, to be added to.
    pub fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::error(self.sources.source_span(&span), message));
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// Reports what is legal but surely unintended, and returns its diagnostic, to be added to.
    pub fn warning(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let diagnostic = self.error(span, message);
        diagnostic.severity = Severity::Warning;
        diagnostic
    }

    /// Reports an error of the recipe as a whole.
    pub fn about_all(&mut self, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::whole(self.sources.main().clone(), message));
    }

    /// Reports an error in a value; its kind describes what was expected.
    pub fn unfit(&mut self, value: &Value<'a>, message: impl Into<String>) -> &mut Diagnostic {
        let expected = value.kind.words();
        let diagnostic = self.error(value.span.clone(), message);
        diagnostic.expected = Some(expected);
        diagnostic
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type(&mut self, value: &Value<'a>) -> &mut Diagnostic {
        let name = value.name;
        let written = self
            .sources
            .text(&value.span)
            .filter(|text| value.origin.is_written() && text.len() <= 80)
            .unwrap_or("...");
        let hint = match (value.node, value.kind) {
            (DeValue::String(text), Kind::Whole(..) | Kind::Number(_)) if text.trim().parse::<f64>().is_ok() => {
                Some("numbers are written without quotes".to_owned())
            }
            (DeValue::String(text), Kind::Whole(..) | Kind::Number(_)) => {
                with_point(text).map(|number| format!("write {number}"))
            }
            (DeValue::Float(float), Kind::Whole(..)) => whole(float.as_str()).map(|number| format!("write {number}")),
            (DeValue::Boolean(false), Kind::Switchable(_)) => Some("write \"off\"".to_owned()),
            (DeValue::Integer(_), Kind::Steps) => Some(format!("{name} = [{written}, \"end\"]")),
            (DeValue::String(_), Kind::Region) => Some(format!("a mask is written {{ mask = {written} }}")),
            (DeValue::String(_), Kind::Prompts | Kind::Models | Kind::Texts | Kind::Templates)
                if written.starts_with(['"', '\'']) =>
            {
                Some(format!("{name} = [{written}]"))
            }
            (DeValue::String(text), Kind::Prompts | Kind::Models | Kind::Texts | Kind::Templates) => {
                Some(format!("{name} = [\"{text}\"]"))
            }
            (DeValue::String(text), Kind::Table(_)) if is_dots(text) => {
                Some("write \"...\" for the inherited entries".to_owned())
            }
            (DeValue::Array(_), Kind::Text) if name == "model" => {
                Some(format!("for several models, write models = {written}"))
            }
            (DeValue::Table(_), Kind::Pipeline) => Some(format!("a pipeline is an array: [{written}]")),
            (DeValue::Array(_), Kind::Schedule(_) | Kind::Switchable(_) | Kind::Weights(_)) => {
                Some("a value that changes is written { keys = [[0, ...], [1, ...]] }".to_owned())
            }
            _ => None,
        };
        let diagnostic = self.unfit(value, format!("`{name}` cannot be {}", found(value.node)));
        diagnostic.hint = hint;
        diagnostic
    }

    /// Opens a table and reports unknown and missing keys.
    pub fn fields(&mut self, spec: &'static Table, table: &'a DeTable<'a>, span: Range<usize>) -> Fields<'a> {
        let mut meant = Vec::new();
        for (key, _) in entries(table) {
            if spec.key(key.get_ref()).is_none() {
                meant.extend(nearest(key.get_ref(), spec.names()));
                let hint = unknown_key_hint(spec, key.get_ref());
                let place =
                    if spec.name == keys::RECIPE.name { String::new() } else { format!(" in `{}`", spec.heading) };
                self.error(key.span(), format!("unknown key `{}`{place}", key.get_ref())).hint = hint;
            }
        }
        let partial = self.partial;
        let missing = spec.keys.iter().filter(|key| key.required && !partial && !table.contains_key(key.name));
        // A misspelt key is not missing.
        for key in missing.filter(|key| !meant.contains(&key.name)) {
            self.error(span.clone(), format!("`{}` is missing", key.name)).hint =
                Some(format!("{} = {}", key.name, key.example));
        }
        let mut given: Vec<_> = entries(table);
        given.retain(|(key, _)| spec.exclusive.contains(&key.get_ref().as_ref()));
        if let [(first, _), (second, _), ..] = given.as_slice() {
            let message = format!("`{}` and `{}` cannot be used together", first.get_ref(), second.get_ref());
            self.error(second.span(), message).hint = Some("give one of them".into());
        }
        let misspelt = spec.exclusive.iter().any(|name| meant.contains(name));
        if spec.one_needed && !self.partial && given.is_empty() && !misspelt {
            let names: Vec<String> = spec.exclusive.iter().map(|name| format!("`{name}`")).collect();
            let examples = spec.exclusive.iter().filter_map(|name| spec.key(name));
            let examples: Vec<String> = examples.map(|key| format!("{} = {}", key.name, key.example)).collect();
            self.error(span.clone(), format!("{} is missing", names.join(" or "))).hint = Some(examples.join(", or "));
        }
        Fields { spec, table, span, origin: Origin::Recipe, advice: self.advice }
    }

    /// Returns a table that is not written at all: every value is a default.
    pub fn fields_of_nothing(&self, spec: &'static Table, span: Range<usize>) -> Fields<'a> {
        Fields { spec, table: &defaults::EMPTY, span, origin: Origin::Program, advice: self.advice }
    }

    /// Returns the folder that a path written at this byte is relative to.
    pub fn folder(&self, at: usize) -> &'a Path {
        self.sources.folder(at)
    }

    /// Opens a value as a table.
    pub fn table(&mut self, spec: &'static Table, value: &Value<'a>) -> Option<Fields<'a>> {
        match value.node {
            DeValue::Table(table) => {
                Some(Fields { origin: value.origin, ..self.fields(spec, table, value.span.clone()) })
            }
            _ => {
                self.wrong_type(value);
                None
            }
        }
    }

    /// Opens an optional table.
    pub fn section(&mut self, parent: &Fields<'a>, name: &'static str, spec: &'static Table) -> Fields<'a> {
        let fields = parent.written(name).and_then(|value| self.table(spec, &value));
        fields.unwrap_or_else(|| self.fields_of_nothing(spec, parent.span.clone()))
    }

    /// Returns where a value comes from.
    pub fn origin(&self, value: &Value<'_>) -> Origin {
        match value.origin {
            Origin::Recipe if self.settings.contains(&value.span.start) => Origin::CommandLine,
            origin => origin,
        }
    }

    /// Returns where those values of a table come from that have a default. `prefix` is put before their keys.
    pub fn origins(&self, fields: &Fields<'a>, prefix: &str) -> Origins {
        let keys = fields.spec.names().filter(|name| defaults::value(fields.spec.name, name).is_some());
        keys.filter_map(|name| Some((format!("{prefix}{name}"), self.origin(&fields.get(name)?)))).collect()
    }

    /// Opens an array of tables.
    pub fn tables(&mut self, parent: &Fields<'a>, name: &'static str, spec: &'static Table) -> Vec<Fields<'a>> {
        let Some(value) = parent.written(name) else { return Vec::new() };
        let Some(items) = value.items(value.kind) else {
            let diagnostic = self.wrong_type(&value);
            if !value.node.is_table() {
                return Vec::new();
            }
            diagnostic.hint = Some(format!("write {} with two brackets: there can be several", spec.heading));
            // A single table is reported, but its contents are still read.
            return self.table(spec, &value).into_iter().collect();
        };
        items.iter().filter_map(|item| self.table(spec, &item.with_kind(Kind::Table(spec)))).collect()
    }
}

/// Whether a text is only dots, and so was probably meant as `"..."`.
pub(crate) fn is_dots(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c == '.' || c == '…')
}

/// Returns a whole number written with a decimal point without the point.
fn whole(float: &str) -> Option<String> {
    let number: f64 = float.parse().ok()?;
    // Up to 2^53 every whole number is exact.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then(|| format!("{}", number as i64))
}

/// Describes a value in words that follow "cannot be".
fn found(node: &DeValue<'_>) -> String {
    match node {
        DeValue::String(_) => "a text".into(),
        DeValue::Integer(_) => "a number".into(),
        DeValue::Float(float) => format!("the number {}", float.as_str()),
        DeValue::Boolean(value) => format!("{value}"),
        DeValue::Datetime(_) => "a date or time".into(),
        DeValue::Array(_) => "an array".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// Returns a hint for an unknown key: a similar key of this table, or the table that has this key.
fn unknown_key_hint(spec: &'static Table, key: &str) -> Option<String> {
    if let Some(hint) = meant(key, spec.names()) {
        return Some(hint);
    }
    let owners: Vec<&Table> = keys::ALL.iter().filter(|table| table.key(key).is_some()).copied().collect();
    match owners.as_slice() {
        [owner, ..] if owner.name == keys::RECIPE.name => Some(format!(
            "`{key}` belongs to the recipe itself: write it at the top of the file, before the first [table]"
        )),
        [owner, ..] if owner.name == keys::STAGE.name && key == "chance" => {
            Some("`chance` goes beside the key of a stage: stages = [{ rotate = 15, chance = 0.5 }]".into())
        }
        [owner, ..] if owner.name == keys::STAGE.name && key == "spectrum" => {
            Some("`spectrum` goes beside a `noise`: stages = [{ noise = 0.1, spectrum = \"pink\" }]".into())
        }
        [owner, ..] if owner.name == keys::STAGE.name => {
            Some(format!("`{key}` is a stage: stages = [{{ {key} = ... }}]"))
        }
        [_, ..] => {
            let headings: Vec<&str> = owners.iter().map(|owner| owner.heading).collect();
            Some(format!("`{key}` belongs to {}", headings.join(" or ")))
        }
        [] => did_you_mean(key, spec.names(), "its keys"),
    }
}
