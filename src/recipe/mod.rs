//! Recipes: TOML text to a [`Plan`]. Nothing past this module knows TOML.
//!
//! ```text
//! text ─▶ source ─▶ document ─▶ sections, targets, pipelines, values ─▶ written::Recipe ─▶ resolve ─▶ Plan
//!                                 │ by keys (what there is)                  │
//!                                 │ and defaults (what is not said)          └─ chains (pipelines), over_time (schedules)
//!                                 └─▶ diagnostics, all of a file at once
//! ```
//!
//! The same table of keys makes the schema for editors and the reference page.

mod chains;
mod defaults;
mod diagnostic;
pub mod expression;
mod finding;
mod keys;
mod marks;
mod nearest;
mod over_time;
mod overrides;
mod pipelines;
mod prompts;
mod reader;
mod reference;
mod region;
mod resolve;
mod scalars;
mod schema;
mod sections;
mod source;
mod start;
mod syntax;
mod targets;
mod tokens;
mod unclosed;
mod values;
mod written;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use diagnostic::{Diagnostic, Severity, render_diagnostics};
pub use finding::Finding;
pub use overrides::{Overrides, parse_size};
pub use reference::reference;
pub use schema::{schema, schema_text};
pub use source::{LONGEST, Unreadable, read};

use crate::plan::{Ground, Plan, Prompt, Region};
use over_time::Timeline;
use reader::Reader;

/// A recipe ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub plan: Plan,
    /// The models that its targets look with, by [`Target::model`](crate::plan::Target::model); each is one target's at least.
    pub models: Vec<ModelReference>,
    /// Where each of the plan's prompts stands first, parallel to [`Plan::prompts`].
    pub prompt_spans: Vec<Range<usize>>,
    /// What is legal but surely not meant.
    pub warnings: Vec<Diagnostic>,
    /// The files that the picture depends on besides the recipe and the model.
    pub files: Vec<PathBuf>,
}

/// A model as the recipe or the command line says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReference {
    /// A name, or the path of a folder.
    pub name: String,
    /// Its place in the recipe; none if it is a default or the command line's.
    pub span: Option<Range<usize>>,
    /// The folder from which a path counts: the recipe's, or for one from the command line the current one.
    pub base: PathBuf,
}

/// Compiles a recipe. `path` is its file's, for messages and for the paths in it; `text` its text.
///
/// # Errors
/// All errors and warnings of the recipe in the order of its text, at least one of them an error.
pub fn compile(path: &Path, text: &str, overrides: &Overrides) -> Result<Compiled, Vec<Diagnostic>> {
    let document = source::parse(path, text)?;
    let mut reader = Reader::new(path, text);
    let mut recipe = reader.recipe(&document);
    // What the recipe itself counts steps by.
    let counted: Vec<u64> = recipe.phases.iter().map(|phase| u64::from(phase.steps)).collect();
    let model = apply(&mut reader, &mut recipe, overrides);
    if let Some(start) = &recipe.start {
        reader.check_start(start, recipe.size);
    }
    let timeline = Timeline::new(recipe.phases.iter().map(|phase| u64::from(phase.steps)));
    over_time::check(&mut reader, &timeline, |phase| recipe.phases[phase].called());
    let resolved = resolve::resolve(&mut reader, &recipe, &timeline, &counted, model);
    let diagnostics = diagnostic::in_order(reader.diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    Ok(Compiled {
        files: files(&resolved.plan),
        plan: resolved.plan,
        models: resolved.models,
        prompt_spans: resolved.prompt_spans,
        warnings: diagnostics,
    })
}

/// The image files that a plan names, each once.
fn files(plan: &Plan) -> Vec<PathBuf> {
    let start = match &plan.canvas.init.ground {
        Ground::Image(path) => Some(path),
        Ground::Colour(_) => None,
    };
    let prompts = plan.prompts.iter().filter_map(|prompt| match prompt {
        Prompt::Image(path) => Some(path),
        Prompt::Text(_) | Prompt::Ensemble(_) => None,
    });
    let masks = plan.targets.iter().filter_map(|target| match &target.region {
        Some(Region::Mask(path)) => Some(path),
        Some(Region::Rectangle(_)) | None => None,
    });
    let mut files: Vec<PathBuf> = start.into_iter().chain(prompts).chain(masks).cloned().collect();
    files.sort();
    files.dedup();
    files
}

/// Reads a recipe's file and compiles it; returns its text as well.
///
/// # Errors
/// When the file cannot be read or the recipe has an error; see [`read`] and [`compile`].
pub fn load(path: &Path, overrides: &Overrides) -> Result<(String, Compiled), Unreadable> {
    let text = read(path)?;
    match compile(path, &text, overrides) {
        Ok(compiled) => Ok((text, compiled)),
        Err(diagnostics) => Err(Unreadable { text, diagnostics }),
    }
}

/// Lets the command line have its way; returns the model, if there is one to use.
fn apply(reader: &mut Reader<'_>, recipe: &mut written::Recipe, overrides: &Overrides) -> Option<ModelReference> {
    if let Some(size) = overrides.size {
        match overrides::checked_size(size) {
            Ok(size) => recipe.size = size,
            Err(message) => reader.diagnostics.push(Diagnostic::whole(reader.file, message)),
        }
    }
    if let Some(seed) = overrides.seed {
        recipe.seed = seed;
    }
    if let Some(total) = overrides.steps {
        if total == 0 {
            reader.diagnostics.push(Diagnostic::whole(reader.file, "a render has at least one step"));
        }
        let steps: Vec<u32> = recipe.phases.iter().map(|phase| phase.steps).collect();
        for (phase, steps) in recipe.phases.iter_mut().zip(overrides::share_steps(&steps, total)) {
            phase.steps = steps;
        }
    }
    if let Some(name) = &overrides.model {
        return Some(ModelReference { name: name.clone(), span: None, base: PathBuf::new() });
    }
    let (name, span) = recipe.model.clone()?;
    Some(ModelReference { name, span, base: reader.folder().to_path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::{Key, Table};

    /// A recipe in which one key of one table says its example, or nothing.
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
            "fourier" | "pyramid" => format!("{detail}[canvas.basis.{}]\n{line}\n", spec.name),
            "region" => format!("[[detail]]\n{prompts}\nregion = {{ {line} }}\n").replace("region = {  }", ""),
            "composition" | "detail" => format!("{stages}[[{}]]\n{prompts}\n{line}\n", spec.name),
            "prompt" if is("text") => format!("{stages}[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("texts") => format!("[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" if is("image") => format!("[[detail]]\nprompts = ['x', {{ {line} }}]\n"),
            "prompt" => format!("{stages}[[detail]]\nprompts = ['x', {{ text = 'y'{inner} }}]\n"),
            "stage" if is("chance") => format!("{detail}stages = [{{ rotate = 3{inner} }}]\n"),
            "stage" => format!("{detail}stages = [{{ rotate = 3 }}, {{ {line} }}]\n").replace(", {  }", ""),
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
        let mask = image::GrayImage::from_fn(20, 20, |x, _| image::Luma([12 * x as u8]));
        mask.save(folder.path().join("mask.png")).unwrap();
        let path = folder.path().join("a.toml");
        let compiled = compile(&path, text, &Overrides::default());
        let compiled = compiled.unwrap_or_else(|wrong| panic!("{}", render_diagnostics(&wrong, &path, text)));
        (compiled.plan, compiled.models[0].name.clone(), compiled.warnings.len(), compiled.files)
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
            let mut reader = Reader::new(Path::new("a.toml"), text);
            let document = source::parse(Path::new("a.toml"), text).unwrap();
            let recipe = reader.recipe(&document);
            let timeline = Timeline::new(recipe.phases.iter().map(|phase| u64::from(phase.steps)));
            over_time::check(&mut reader, &timeline, |phase| recipe.phases[phase].called());
            assert_eq!(reader.diagnostics, []);
        }
    }
}
