//! Recipes as the user gives them: files, pictures of ours with a recipe inside, standard input; and the command line's
//! overrides.

mod draft;
pub mod picture;

use std::fmt::Display;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::args::InsteadArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::terminal::Voice;
use crate::clip::ModelFolder;
use crate::output::{self, Facts};
use crate::recipe::{self, Around, Bases, Compiled, Diagnostic, Invalid, RecipeText, SourceSpan, Trouble};

/// A recipe as it was read.
pub(crate) struct Source {
    /// As the user wrote it; `<stdin>` for standard input.
    pub path: PathBuf,
    pub text: String,
    /// The recipes it builds on, if it was inside a picture that keeps them.
    pub bases: Option<Bases>,
    /// The facts of the picture at `path`, if the recipe was inside one.
    pub facts: Option<Box<Facts>>,
}

impl Source {
    /// Reads a recipe, or the one inside a picture; `-` is standard input.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            // One byte more than a recipe may have, so that compiling refuses a longer input.
            std::io::stdin()
                .take(recipe::LONGEST + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::failed(format!("standard input: {error}")))?;
            if bytes.starts_with(&picture::SIGNATURE) {
                return Err(Failure::wrong("standard input is a picture, not a recipe")
                    .hint("name the picture's file to render the recipe inside it again"));
            }
            return Source::from_bytes(Path::new("<stdin>"), bytes);
        }
        if picture::is_picture(path) {
            let origin = picture::origin(path).map_err(|failure| Failure { exit: Exit::Wrong, ..failure })?;
            let bases = Some(origin.bases);
            let facts = Some(Box::new(origin.facts));
            return Ok(Source { path: path.to_path_buf(), text: origin.recipe, bases, facts });
        }
        if picture::is_foreign(path) {
            return Err(Failure::wrong(format!("{}: this is a picture, not a recipe", path.display()))
                .hint("only the PNG files that recipe-render writes have their recipe inside"));
        }
        recipe::read(path).map(|text| Source::of(path, text)).map_err(unreadable)
    }

    /// Decodes a recipe's bytes, read from `path`.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        recipe::decode(path, bytes).map(|text| Source::of(path, text)).map_err(unreadable)
    }

    /// Wraps a recipe's text that does not come from a picture.
    pub(crate) fn of(path: &Path, text: String) -> Self {
        Source { path: path.to_path_buf(), text, bases: None, facts: None }
    }

    /// Returns a failure caused by the text at a place; without a place, by the command line or a default.
    pub(crate) fn failure(&self, place: Option<SourceSpan>, message: impl Display, hint: Option<&str>) -> Failure {
        let Some(place) = place else { return Failure::wrong(message).hinted(hint) };
        let diagnostic = Diagnostic::error(place, message.to_string());
        self.diagnosed(&[diagnostic.maybe_hint(hint.map(str::to_owned))])
    }

    /// Returns a failure that consists of diagnostics.
    pub(crate) fn diagnosed(&self, diagnostics: &[Diagnostic]) -> Failure {
        let failure = Failure::diagnostics(diagnostics);
        failure.hinted(self.facts.is_some().then(|| picture::whereabouts(&self.path)))
    }

    /// Compiles the recipe. Shows warnings, returns errors.
    pub(crate) fn compile(&self, overrides: &recipe::Overrides, voice: &Voice) -> Result<Compiled, Failure> {
        let compiled = self.compile_silently(overrides)?;
        voice.rendered(&recipe::render_diagnostics(&compiled.warnings));
        let steps = compiled.plan.steps();
        if overrides.steps.is_some_and(|wanted| wanted < steps) {
            voice.note(&format!("every phase has at least one step: {steps} steps"));
        }
        Ok(compiled)
    }

    /// Compiles the recipe. Leaves warnings to the caller.
    pub(crate) fn compile_silently(&self, overrides: &recipe::Overrides) -> Result<Compiled, Failure> {
        let recipe = RecipeText { path: self.path.clone(), text: self.text.clone(), bases: self.bases.clone() };
        let around = Around { open: &open, advise: &ModelFolder::text_of };
        recipe::compile_text(&recipe, around, overrides)
            .map_err(|Invalid { diagnostics, files }| Failure { files, ..self.diagnosed(&diagnostics) })
    }

    /// Returns the overrides that the picture was rendered with; none for a recipe that is a file.
    pub(crate) fn kept(&self) -> recipe::Overrides {
        self.facts.as_ref().map(|facts| facts.overrides.clone()).unwrap_or_default()
    }
}

/// Returns the failure of a recipe that cannot be read.
fn unreadable(diagnostic: Diagnostic) -> Failure {
    Failure::diagnostics(&[diagnostic])
}

/// Opens a recipe that another builds on: a file, or the one inside a picture.
fn open(path: &Path) -> Result<RecipeText, Trouble> {
    if picture::is_picture(path) && path.is_file() {
        let origin = output::recover(path)
            .map_err(|error| Trouble { what: format!("it {error}"), hint: error.hint().map(str::to_owned) })?;
        let bases = Some(origin.bases);
        return Ok(RecipeText { path: path.to_path_buf(), text: origin.recipe, bases });
    }
    if picture::is_foreign(path) {
        let hint = "only the PNG files that recipe-render writes have their recipe inside".to_owned();
        return Err(Trouble { what: "it is a picture, not a recipe".to_owned(), hint: Some(hint) });
    }
    recipe::open(path)
}

/// Returns the overrides of the recipe: the command line's or, where it gives none, those that the picture was rendered with;
/// scaled to a draft if one is wanted.
pub(crate) fn overrides(args: &InsteadArgs, source: &Source) -> Result<recipe::Overrides, Failure> {
    let kept = source.kept();
    let overrides = recipe::Overrides {
        size: args.size.or(kept.size),
        steps: args.steps.or(kept.steps),
        seed: args.seed.or(kept.seed),
        model: args.model.clone().or(kept.model),
        set: kept.set.into_iter().chain(args.set.iter().cloned()).collect(),
    };
    if !args.draft {
        return Ok(overrides);
    }
    // Warnings are shown later, when the draft is compiled.
    let plan = source.compile_silently(&overrides)?.plan;
    Ok(draft::of(&plan, overrides))
}
