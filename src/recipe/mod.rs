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
mod keys;
mod nearest;
mod over_time;
mod overrides;
mod pipelines;
mod reader;
mod reference;
mod resolve;
mod scalars;
mod schema;
mod sections;
mod source;
mod syntax;
mod targets;
mod tokens;
mod values;
mod written;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use diagnostic::{Diagnostic, Severity, render_diagnostics};
pub use overrides::{Overrides, parse_size};
pub use reference::reference;
pub use schema::{schema, schema_text};
pub use source::{LONGEST, Unreadable, read};

use crate::plan::{Ground, Plan};
use over_time::Timeline;
use reader::Reader;

/// A recipe ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub plan: Plan,
    pub model: ModelReference,
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
    let model = apply(&mut reader, &mut recipe, overrides);
    let timeline = Timeline::new(recipe.phases.iter().map(|phase| u64::from(phase.steps)));
    over_time::check(&mut reader, &timeline, |phase| recipe.phases[phase].called());
    let resolved = resolve::resolve(&mut reader, &recipe, &timeline);
    let diagnostics = diagnostic::in_order(reader.diagnostics);
    match model {
        Some(model) if diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning) => Ok(Compiled {
            files: match &resolved.plan.canvas.init.ground {
                Ground::Image(path) => vec![path.clone()],
                Ground::Colour(_) => Vec::new(),
            },
            plan: resolved.plan,
            model,
            prompt_spans: resolved.prompt_spans,
            warnings: diagnostics,
        }),
        _ => Err(diagnostics),
    }
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
