//! Recipes: TOML text to a [`Plan`]. Nothing past this module knows TOML.
//!
//! ```text
//! text ─▶ syntax ─▶ document ─▶ read ─▶ written::Recipe ─▶ resolve ─▶ Plan
//!                      ▲         │ by keys: what a recipe can say
//!                   sources      │ and keys::defaults: the values that it does not give
//!                                └─▶ report: diagnostics of all files at once
//! ```
//!
//! `sources::extends` finds the recipes that a recipe builds on, `sources::merge` lays them over one another, and `sources::set` writes
//! the command line's settings into the merged document. `texts` joins all these texts into one, so every place in them still
//! knows its file. Values that a recipe does not give come from its models' advice (`sources::counsel`), which the caller looks up, and
//! otherwise from the defaults. `resolve::over_time` checks schedules over all their steps.
//!
//! The JSON schema and the reference page (`schema`) are made from the same table of keys.

use recipe_render_core::{chance, given, picture_file, plan};

// Each knows only those above it.
mod texts;

mod report;

mod keys;

mod syntax;

mod sources;

mod read;

mod resolve;

mod schema;

use std::path::{Path, PathBuf};

pub use self::given::{Base, Bases, Overrides, Setting};
pub use self::keys::parse::{parse_seed, parse_size, parse_steps};
pub use self::read::expression;
pub use self::read::written::ModelReference;
pub use self::report::diagnostic::{Diagnostic, Severity, render_diagnostics};
pub use self::report::finding::Finding;
pub use self::report::paths::{missing_hint, path_hint};
pub use self::resolve::advice::check_advice;
pub use self::schema::json::{schema, schema_text};
pub use self::schema::reference::reference;
pub use self::sources::advisers::{Advise, no_advice};
pub use self::sources::changes::changes;
pub use self::sources::origin::{Origin, Origins, Whence};
pub use self::syntax::text::{LONGEST, Open, RecipeText, Trouble, decode, open, read};
pub use self::texts::{SourceFile, SourceSpan};

use self::read::reader::Reader;
use self::report::diagnostic::in_order;
use self::sources::counsel::{Adviser, Counsel};
use self::sources::extends::Family;
use crate::plan::Plan;

/// A recipe ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub plan: Plan,
    /// The models of its targets, indexed by [`Target::model`](crate::plan::Target::model); each is used by at least one target.
    pub models: Vec<ModelReference>,
    /// Where each of the plan's prompts first occurs, parallel to [`Plan::prompts`].
    pub prompt_spans: Vec<SourceSpan>,
    /// Where the plan's values come from.
    pub whence: Whence,
    /// Warnings about what is legal but surely unintended.
    pub warnings: Vec<Diagnostic>,
    /// The files that the picture depends on besides the recipe and the model: the recipes it builds on, and images.
    pub files: Vec<PathBuf>,
    /// The recipes that it builds on, to be stored in the picture.
    pub bases: Bases,
}

/// A recipe that cannot be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// All errors and warnings, at least one of them an error. Those of the recipe's own text come first, in text order.
    pub diagnostics: Vec<Diagnostic>,
    /// The files it depends on besides itself, as far as they are known; they need not exist.
    pub files: Vec<PathBuf>,
}

/// What a recipe takes from outside itself.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Opens the recipes that it builds on, unless they were read together with it.
    pub open: Open<'a>,
    /// Returns its models' advice.
    pub advise: Advise<'a>,
}

impl Default for Around<'_> {
    /// Reads files from disk, and gives no advice.
    fn default() -> Self {
        Around { open: &open, advise: &no_advice }
    }
}

/// Compiles a recipe by itself. `path` is its file, for messages and for the paths in it; `text` is its text. The recipes that it builds
/// on are read from files; no model gives advice.
///
/// # Errors
/// See [`compile_text`].
pub fn compile(path: &Path, text: &str, overrides: &Overrides) -> Result<Compiled, Invalid> {
    let recipe = RecipeText { path: path.to_path_buf(), text: text.to_owned(), bases: None };
    compile_text(&recipe, Around::default(), overrides)
}

/// Compiles a recipe together with its surroundings. For models on disk, pass `Around { advise: &ModelFolder::text_of,
/// ..Around::default() }`, with `ModelFolder` of the crate `recipe-render-clip`.
///
/// # Errors
/// All errors and warnings of all the recipe's texts, at least one of them an error.
pub fn compile_text(recipe: &RecipeText, around: Around<'_>, overrides: &Overrides) -> Result<Compiled, Invalid> {
    let mut family = Family::of(recipe, around.open, read::extends::extends);
    let settings = family.sources.end();
    let starts: Vec<usize> = overrides
        .set
        .iter()
        .map(|setting| family.sources.add(sources::setting::source(setting), PathBuf::new()))
        .collect();
    let settings = settings..family.sources.end();
    let mut files = std::mem::take(&mut family.files);
    let mut found = std::mem::take(&mut family.diagnostics);
    if !family.is_sound() {
        return Err(Invalid { diagnostics: in_order(found, &family.sources), files });
    }
    let advisers = sources::advisers::look_up(&mut family, overrides, &starts, around.advise);
    let counsel = Counsel::read(&advisers);
    let mut document = family.merged(&mut found);
    let partial = !found.is_empty();
    if !partial {
        found.extend(sources::set::apply(&mut document, &overrides.set, &starts, &family.sources, &counsel));
    }
    let mut reader = Reader::new(&family.sources);
    reader.diagnostics = found;
    reader.partial = partial;
    reader.settings = settings;
    reader.advise(&counsel);
    let mut recipe = reader.recipe(&document);
    // The phases' own step counts, before the command line changes them.
    let counted: Vec<u64> = recipe.phases.iter().map(|phase| u64::from(phase.steps)).collect();
    let models = resolve::overrides::apply(&mut reader, &mut recipe, overrides);
    if let Some(start) = &recipe.start {
        reader.check_start(start, recipe.size);
    }
    let timeline = recipe.timeline();
    resolve::over_time::check(&mut reader, &timeline, |phase| recipe.phases[phase].called());
    files.append(&mut reader.files);
    files.sort();
    files.dedup();
    // Names can only be looked up in a complete recipe.
    let resolved = (!partial).then(|| resolve::plan::resolve(&mut reader, &recipe, &timeline, &counted, models));
    let diagnostics = in_order(reader.diagnostics, &family.sources);
    let sound = diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning);
    match resolved {
        Some(resolved) if sound => {
            // The recipe's own model gives advice even if no target uses it.
            let own =
                advisers.first().filter(|own| !resolved.models.iter().any(|model| own.is(&model.name, &model.base)));
            files.extend(own.and_then(Adviser::file));
            Ok(Compiled {
                plan: resolved.plan,
                models: resolved.models,
                prompt_spans: resolved.prompt_spans.iter().map(|span| family.sources.source_span(span)).collect(),
                whence: resolved.whence,
                warnings: diagnostics,
                files,
                bases: family.bases(),
            })
        }
        _ => {
            // The error may lie in a model's advice.
            files.extend(advisers.iter().filter_map(|adviser| adviser.file()));
            Err(Invalid { diagnostics, files })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::{Key, Kind, Table, With};

    /// A recipe that gives one key of one table its example value, or no key at all.
    fn example(spec: &Table, key: Option<&Key>) -> String {
        let line = key.map_or(String::new(), |key| format!("{} = {}", key.name, key.example));
        let inner = if line.is_empty() { String::new() } else { format!(", {line}") };
        let is = |name: &str| key.is_some_and(|key| key.name == name);
        let prompts = if is("prompts") { "" } else { "prompts = ['x']" };
        let detail = "[[detail]]\nname = 'sky'\nprompts = ['x']\n";
        let stages = "[stages]\nslanted = [{ rotate = 3 }]\n";
        match spec.name {
            "recipe" if is("stages") => format!("{line}\n{detail}"),
            "recipe" => format!("{line}\n{detail}{stages}"),
            "canvas" => format!("{detail}[canvas]\n{line}\n"),
            "init" => format!("{detail}[canvas.init]\n{line}\n"),
            "render" => format!("{detail}[render]\n{line}\n"),
            "adam" | "adamw" | "sgd" | "rmsprop" | "sign" => {
                format!("{detail}[render.optimiser.{}]\n{line}\n", spec.name)
            }
            "fourier" | "pyramid" => format!("{detail}[canvas.basis.{}]\n{line}\n", spec.name),
            "region" if is("mask") || is("rectangle") => format!("[[detail]]\n{prompts}\nregion = {{ {line} }}\n"),
            "region" => format!("[[detail]]\n{prompts}\nregion = {{ rectangle = [0, 0, 0.5, 0.5]{inner} }}\n"),
            "composition" | "detail" => format!("{stages}[[{}]]\n{prompts}\n{line}\n", spec.name),
            "prompt" if is("text") => format!("{stages}[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("texts") => format!("[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("image") => format!("[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("direction") => format!("[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("class") || is("above") || is("below") => {
                let weight = if is("below") { -1 } else { 1 };
                format!(
                    "[[detail]]\nprompts = ['x', {{ direction = 'letters.safetensors', weight = {weight}{inner} }}]\n"
                )
            }
            "model" if is("name") => format!("[[detail]]\nprompts = ['x']\nmodels = ['a', {{ {line} }}]\n"),
            "model" => format!("[[detail]]\nprompts = ['x']\nmodels = ['a', {{ name = 'b'{inner} }}]\n"),
            "prompt" => format!("{stages}[[detail]]\nprompts = ['x', {{ text = 'y'{inner} }}]\n"),
            "stage" if is("spectrum") => format!("{detail}stages = [{{ noise = 0.1{inner} }}]\n"),
            "stage" if is("chance") => format!("{detail}stages = [{{ rotate = 3{inner} }}]\n"),
            "stage" => format!("{detail}stages = [{{ rotate = 3 }}, {{ {line} }}]\n").replace(", {  }", ""),
            "phase" if is("share") => format!("{detail}[render]\nsteps = 100\n[[phase]]\n[[phase]]\n{line}\n"),
            "phase" if is("gain") => format!("{detail}[[phase]]\npatience = 20\n{line}\n"),
            "phase" => format!("{detail}[[composition]]\nprompts = ['y']\n[[phase]]\n{line}\n"),
            "keyframes" if is("keys") => format!("{detail}weight = {{ {line} }}\n"),
            "keyframes" => format!("{detail}weight = {{ keys = [[0, 1], [1, 0]]{inner} }}\n"),
            name => panic!("no recipe for the examples of {name}"),
        }
    }

    fn effect(text: &str) -> (Plan, String, usize, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["start.png", "reference.jpg"] {
            image::RgbImage::new(20, 20).save(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("letters.safetensors"), "").unwrap();
        let mask = image::GrayImage::from_fn(20, 20, |x, _| image::Luma([12 * x as u8]));
        mask.save(folder.path().join("mask.png")).unwrap();
        std::fs::write(folder.path().join("base.toml"), "title = \"Base\"\n").unwrap();
        let path = folder.path().join("a.toml");
        let compiled = compile(&path, text, &Overrides::default());
        let compiled = compiled.unwrap_or_else(|wrong| panic!("{}", render_diagnostics(&wrong.diagnostics)));
        (compiled.plan, compiled.models[0].name.clone(), compiled.warnings.len(), compiled.files)
    }

    /// Returns the plan's word for what the recipe chose.
    fn chosen(plan: &Plan, key: &str) -> &'static str {
        let (target, phase) = (&plan.targets[0], &plan.phases[0]);
        let pipeline = &target.pipelines[0];
        let axis = |stage: &plan::Stage| match stage.kind {
            plan::StageKind::Flip(axis) => Some(axis.name()),
            _ => None,
        };
        let spectrum = |stage: &plan::Stage| match &stage.kind {
            plan::StageKind::Noise(_, spectrum) => Some(spectrum.name()),
            _ => None,
        };
        match key {
            "basis" => plan.canvas.basis.name(),
            "select" => target.select.name(),
            "calibration" => target.calibration.name(),
            "loss" => target.loss.name(),
            "fit" => match target.sight {
                plan::Sight::Whole { fit } => fit.name(),
                plan::Sight::Places => panic!("a detail has no fit"),
            },
            "flip" => pipeline.stages.iter().find_map(axis).unwrap(),
            "edge" => pipeline.edge.name(),
            "spectrum" => pipeline.stages.iter().find_map(spectrum).unwrap(),
            "optimiser" => phase.optimiser.name(),
            "gradient" => phase.gradient.name(),
            "ease" => match &phase.weights[0] {
                crate::plan::Schedule::Keys { ease, .. } => ease.name(),
                other => panic!("{other:?}"),
            },
            key => panic!("which part of a plan does {key} choose?"),
        }
    }

    /// Each word that the table of keys lists is read as the plan's choice of that name.
    #[test]
    fn every_word_of_the_table_reads_back() {
        let mut words = 0;
        for spec in keys::ALL {
            for key in spec.keys {
                let Kind::Choice(variants) = key.kind else { continue };
                for variant in variants {
                    let written = match variant.with {
                        With::Nothing | With::Settings(_) => format!("'{}'", variant.name),
                        With::Value(Kind::Colour) => format!("{{ {} = [0, 0.5, 1] }}", variant.name),
                        With::Value(_) => format!("{{ {} = 1 }}", variant.name),
                    };
                    let text = example(spec, Some(&Key { example: written.leak(), ..*key }));
                    assert_eq!(chosen(&effect(&text).0, key.name), variant.name, "{text}");
                    words += 1;
                }
            }
        }
        assert!(words > 40, "{words}");
    }

    /// Each word that a plan knows is one that a recipe can write.
    #[test]
    fn the_table_has_every_word() {
        fn listed<W: plan::Word>(table: &str, key: &str) {
            let spec = keys::ALL.iter().find(|spec| spec.name == table).unwrap();
            let Kind::Choice(variants) = spec.key(key).unwrap().kind else { panic!("{key} is no choice") };
            assert_eq!(variants.len(), W::ALL.len(), "{key}");
            assert!(W::ALL.iter().all(|word| variants.iter().any(|variant| variant.name == word.name())), "{key}");
        }
        listed::<plan::BasisKind>("canvas", "basis");
        listed::<plan::Select>("detail", "select");
        listed::<plan::Calibration>("detail", "calibration");
        listed::<plan::Loss>("detail", "loss");
        listed::<plan::Fit>("composition", "fit");
        listed::<plan::Axis>("stage", "flip");
        listed::<plan::EdgeKind>("stage", "edge");
        listed::<plan::SpectrumKind>("stage", "spectrum");
        listed::<plan::OptimiserKind>("phase", "optimiser");
        listed::<plan::GradientKind>("phase", "gradient");
        listed::<plan::Ease>("keyframes", "ease");
    }

    /// A key in the table that nothing reads would change nothing.
    #[test]
    fn every_key_of_the_table_has_an_effect() {
        for spec in keys::ALL {
            let without = effect(&example(spec, None));
            for key in spec.keys.iter().filter(|key| !key.example.is_empty()) {
                let text = example(spec, Some(key));
                assert!(effect(&text) != without, "{}.{} changes nothing:\n{text}", spec.name, key.name);
            }
        }
    }

    #[test]
    fn the_defaults_are_a_sound_recipe() {
        for text in ["[[detail]]\nprompts = ['x']", "[[composition]]\nprompts = ['x']\n[canvas]\nbasis = 'pyramid'"] {
            let file = SourceFile::new(Path::new("a.toml"), text);
            let sources = texts::Sources::of(file.clone());
            let mut reader = Reader::new(&sources);
            let document = syntax::text::parse(&file).unwrap();
            let recipe = reader.recipe(&document);
            let timeline = recipe.timeline();
            resolve::over_time::check(&mut reader, &timeline, |phase| recipe.phases[phase].called());
            assert_eq!(reader.diagnostics, []);
        }
    }
}
