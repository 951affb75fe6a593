//! Defaults that belong to a model: the table `[advice]` of its `model.toml`, in the shape of `defaults.toml`.
//!
//! ```text
//! recipe ─ models it names ─▶ look up ─ their texts, among the sources ─▶ Counsel ─▶ Reader, for values a recipe does not give
//! ```
//!
//! Values that a target does not give come from the advice of its model, or of the first of several models. Those of the canvas and the
//! phases come from the recipe's own model. If no model gives advice, the program's defaults apply.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::given::Overrides;
use crate::keys;
use crate::keys::{COMPOSITION, DETAIL, Kind, MODEL, RECIPE, Table};
use crate::read::reader::{Reader, Value, entries};
use crate::read::written::{At, Pipeline, PipelineUse};
use crate::report::diagnostic::{Diagnostic, in_order};
use crate::report::nearest::did_you_mean;
use crate::resolve::over_time;
use crate::resolve::over_time::Timeline;
use crate::schema::defaults;
use crate::sources::extends::Family;
use crate::sources::set;
use crate::sources::texts::{SourceFile, Sources};
use crate::syntax::text;
use crate::syntax::tree::moved;

/// Returns the path and the text of a model's `model.toml`, given the model's name or folder and the folder that a path is relative to;
/// none if there is no such model, or nothing to read. Errors in the file outside its advice are reported elsewhere.
pub type Advise<'o> = &'o dyn Fn(&str, &Path) -> Option<(PathBuf, String)>;

/// Gives no advice for any model.
pub fn no_advice(_: &str, _: &Path) -> Option<(PathBuf, String)> {
    None
}

/// Returns diagnostics for the advice in a `model.toml`; `path` is for messages. Values that change over time are checked over the one
/// phase of a recipe without phases.
pub fn check_advice(path: &Path, text: &str) -> Vec<Diagnostic> {
    let sources = Sources::of(SourceFile::new(path, text));
    let adviser = Adviser { name: String::new(), base: PathBuf::new(), text: Some((sources.main().clone(), 0)) };
    let advisers = [adviser];
    let counsel = Counsel::read(&advisers);
    let mut reader = Reader::new(&sources);
    reader.advise(&counsel);
    let steps = defaults::value("phase", "steps").and_then(|value| match value {
        DeValue::Integer(integer) => integer.as_str().parse().ok(),
        _ => None,
    });
    over_time::check(&mut reader, &Timeline::new([(0, steps.unwrap_or(1))]), |_| "phase 1".to_owned());
    in_order(reader.diagnostics, &sources)
}

/// A model that a recipe names, and its `model.toml` among the sources.
pub(crate) struct Adviser {
    name: String,
    /// The folder that its path is relative to.
    base: PathBuf,
    /// The text, and its start among the sources.
    text: Option<(Arc<SourceFile>, usize)>,
}

/// Finds the models whose advice a recipe may need and adds their texts to the sources. `starts` are those of the settings' texts.
pub(crate) fn look_up(
    family: &mut Family,
    overrides: &Overrides,
    starts: &[usize],
    advise: Advise<'_>,
) -> Vec<Adviser> {
    let mut advisers: Vec<Adviser> = Vec::new();
    for (name, base) in named(family, overrides, starts) {
        if advisers.iter().any(|known| known.is(&name, &base)) {
            continue;
        }
        let found = advise(&name, &base).map(|(path, text)| {
            let mut texts = advisers.iter().filter_map(|other| other.text.clone());
            let same = texts.find(|(file, _)| file.path == path && file.text == text);
            same.unwrap_or_else(|| {
                let file = SourceFile::new(&path, text);
                let start = family.sources.add(file.clone(), path.parent().unwrap_or(Path::new("")).to_path_buf());
                (file, start)
            })
        });
        advisers.push(Adviser { name, base, text: found });
    }
    advisers
}

/// Returns the models that a recipe names, with the folders that their paths are relative to: its own model first; of an ensemble only
/// the first. Errors in the recipe are reported later.
fn named(family: &Family, overrides: &Overrides, starts: &[usize]) -> Vec<(String, PathBuf)> {
    let mut document = family.merged(&mut Vec::new());
    set::apply(&mut document, &overrides.set, starts, &family.sources, &Counsel::default());
    let said = |table: &DeTable<'_>| said(table, &family.sources).map(|(name, base)| (name, base.to_path_buf()));
    let own = overrides.model.clone().map(|name| (name, PathBuf::new())).or_else(|| said(&document));
    let default = || {
        let name = defaults::value(RECIPE.name, "model")?.as_str()?.to_owned();
        Some((name, family.sources.folder(0).to_path_buf()))
    };
    let targets =
        [COMPOSITION.name, DETAIL.name].into_iter().filter_map(|kind| document.get(kind)?.get_ref().as_array());
    let targets = targets.flat_map(|targets| targets.iter().filter_map(|target| said(target.get_ref().as_table()?)));
    own.or_else(default).into_iter().chain(targets).collect()
}

/// Returns the model that a table names, or the first of several, and the folder that its path is relative to.
fn said<'s>(table: &DeTable<'_>, sources: &'s Sources) -> Option<(String, &'s Path)> {
    let several = || table.get("models")?.get_ref().as_array()?.iter().next();
    let node = table.get("model").or_else(several)?;
    let name = node.get_ref().as_table().map_or(Some(node), |member| member.get("name"))?;
    Some((name.get_ref().as_str()?.to_owned(), sources.folder(name.span().start)))
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

    fn all(&self) -> impl Iterator<Item = &DeTable<'a>> {
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

/// Whether a model can advise a value for a key. It can for every key with a default, except the seed, the recipe's model, and the keys
/// of a model in an ensemble.
pub(crate) fn can_be_advised(table: &str, key: &str) -> bool {
    let own = table == RECIPE.name && ["seed", "model"].contains(&key) || table == MODEL.name;
    !own && defaults::value(table, key).is_some()
}

impl<'a> Reader<'a> {
    /// Sets the models' advice, which from here on supplies the values that the recipe does not give. Reports errors in the advice.
    pub fn advise(&mut self, counsel: &'a Counsel<'a>) {
        for advice in counsel.all() {
            for (name, table) in entries(advice) {
                let known = keys::ALL.iter().find(|spec| spec.name == name.get_ref());
                let Some(spec) = known.filter(|spec| advised_keys(spec).next().is_some()) else {
                    let names = keys::ALL.iter().filter(|spec| advised_keys(spec).next().is_some());
                    let hint = did_you_mean(name.get_ref(), names.map(|spec| spec.name), "there are");
                    self.error(name.span(), format!("nothing can be advised for `{}`", name.get_ref())).hint = hint;
                    continue;
                };
                match table.get_ref() {
                    DeValue::Table(values) => self.advised_table(spec, values),
                    _ => {
                        let message = format!("the advice for `{}` is not a table", spec.name);
                        self.error(table.span(), message).hint = Some(format!("[advice.{}]", spec.name));
                    }
                }
            }
        }
        self.counsel = Some(counsel);
        self.advice = counsel.own();
    }

    fn advised_table(&mut self, spec: &'static Table, values: &'a DeTable<'a>) {
        for (key, value) in entries(values) {
            let Some(known) = advised_keys(spec).find(|known| known.name == key.get_ref()) else {
                let hint = did_you_mean(key.get_ref(), advised_keys(spec).map(|key| key.name), "its keys");
                let message = format!("`{}` cannot be advised in `{}`", key.get_ref(), spec.name);
                self.error(key.span(), message).hint = hint;
                continue;
            };
            self.any(&Value::advised(value, known));
        }
    }
}

fn advised_keys(spec: &'static Table) -> impl Iterator<Item = &'static keys::Key> + Clone {
    spec.keys.iter().filter(|key| can_be_advised(spec.name, key.name))
}

/// Reads values of any kind only to report what is wrong with them.
impl<'a> Reader<'a> {
    fn any(&mut self, value: &Value<'a>) {
        match value.kind {
            Kind::Whole(..) => drop(self.whole(value)),
            Kind::Number(bounds) => drop(self.number(value, bounds)),
            Kind::Bool => drop(self.bool(value)),
            Kind::Switchable(_) if value.node.as_str() == Some("off") => {}
            Kind::Schedule(bounds) | Kind::Switchable(bounds) => drop(self.schedule(value, bounds)),
            Kind::Range(single, bounds) => drop(self.range(value, single, bounds)),
            Kind::Colour => drop(self.colour(value)),
            Kind::Size => drop(self.size(value)),
            Kind::Pipeline => self.any_pipeline(value),
            Kind::Choice(_) => {
                let chosen = self.choice(value).and_then(|chosen| chosen.value);
                match chosen.as_ref().map(|inner| (inner, inner.kind)) {
                    Some((inner, Kind::Table(spec))) => self.any_table(spec, inner),
                    Some((inner, _)) => self.any(inner),
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn any_table(&mut self, spec: &'static Table, value: &Value<'a>) {
        let Some(fields) = self.table(spec, value) else { return };
        for value in spec.names().filter_map(|name| fields.written(name)) {
            self.any(&value);
        }
    }

    fn any_pipeline(&mut self, value: &Value<'a>) {
        if let Some(
            PipelineUse::Named(name) | PipelineUse::Inline(At { value: Pipeline { base: Some(name), .. }, .. }),
        ) = self.pipeline_use(value)
        {
            let message = format!("a model's advice knows no pipeline of a recipe, as `{}`", name.value);
            self.error(name.span, message).hint = Some("write the stages themselves".into());
        }
    }
}
