//! The pieces put together: recipe text -> compile -> model folder -> runtime -> encoder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::direction::from_direction;
use super::kept::KnownModels;
use super::{Exit, Failure, InsteadArgs, Voice, draft, picture, prompts};
use crate::clip::{self, Cancel, ClipError, Encoder, Features, ModelFolder, Probe, TextSession};
use crate::direction::{Directions, Model};
use crate::models::fetch::Table;
use crate::output::{self, Facts};
use crate::plan::Prompt;
use crate::recipe::{self, Around, Bases, Compiled, Diagnostic, Invalid, Place, RecipeText, Trouble, path_hint};
use crate::render::Lens;
use crate::runtime::{self, Device, DeviceChoice, Runtime, RuntimeError};
use crate::store::{Conditions, Store};

/// A recipe as it was read.
pub(super) struct Source {
    /// As the user wrote it; `<stdin>` for standard input.
    pub path: PathBuf,
    pub text: String,
    /// The recipes that it builds on, if it was inside a picture that keeps them.
    pub bases: Option<Bases>,
    /// Of the picture at `path`, if the recipe was inside one.
    pub facts: Option<Box<Facts>>,
}

impl Source {
    /// Reads a recipe, or the one inside a picture; `-` is standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            // One byte more than a recipe may have, so that compiling refuses it.
            std::io::stdin()
                .take(recipe::LONGEST + 1)
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::failed(format!("standard input: {error}")))?;
            if bytes.starts_with(&picture::SIGNATURE) {
                return Err(Failure::wrong("standard input is a picture, not a recipe")
                    .hint("name the picture's file: the recipe inside it is then rendered again"));
            }
            return Source::from_bytes(Path::new("<stdin>"), bytes);
        }
        if picture::is_picture(path) {
            let origin = picture::origin(path).map_err(|failure| Failure { exit: Exit::Wrong, ..failure })?;
            let bases = Some(picture::bases(origin.bases));
            let facts = Some(Box::new(origin.facts));
            return Ok(Source { path: path.to_path_buf(), text: origin.recipe, bases, facts });
        }
        if picture::is_foreign(path) {
            return Err(Failure::wrong(format!("{}: is a picture, not a recipe", path.display()))
                .hint("only the PNG files that recipe-render writes have their recipe inside"));
        }
        recipe::read(path).map(|text| Source::of(path, text)).map_err(unreadable)
    }

    /// A recipe's bytes, read from `path`.
    pub(super) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        recipe::decode(path, bytes).map(|text| Source::of(path, text)).map_err(unreadable)
    }

    /// A recipe's text, which is no picture's.
    pub(super) fn of(path: &Path, text: String) -> Self {
        Source { path: path.to_path_buf(), text, bases: None, facts: None }
    }

    /// A failure that the text at a place is to blame for; without one the command line or a default is.
    pub(super) fn failure(&self, place: Option<Place>, message: impl Display, hint: Option<&str>) -> Failure {
        let Some(place) = place else { return Failure::wrong(message).hinted(hint) };
        let diagnostic = Diagnostic::error(place, message.to_string());
        self.diagnosed(&[diagnostic.maybe_hint(hint.map(str::to_owned))])
    }

    /// A failure that consists of diagnostics.
    pub(super) fn diagnosed(&self, diagnostics: &[Diagnostic]) -> Failure {
        let failure = Failure::diagnostics(diagnostics);
        failure.hinted(self.facts.is_some().then(|| picture::whereabouts(&self.path)))
    }

    /// The recipe as a plan. Warnings are shown, errors returned.
    pub(super) fn compile(&self, overrides: &recipe::Overrides, voice: &Voice) -> Result<Compiled, Failure> {
        let compiled = self.compile_silently(overrides)?;
        voice.rendered(&recipe::render_diagnostics(&compiled.warnings));
        let steps = compiled.plan.steps();
        if overrides.steps.is_some_and(|wanted| wanted < steps) {
            voice.note(&format!("every phase has at least one step: {steps} steps"));
        }
        Ok(compiled)
    }

    /// The same, warnings left to the caller.
    pub(super) fn compile_silently(&self, overrides: &recipe::Overrides) -> Result<Compiled, Failure> {
        let recipe = RecipeText { path: self.path.clone(), text: self.text.clone(), bases: self.bases.clone() };
        let around = Around { open: &open, advise: &ModelFolder::text_of };
        recipe::compile_text(&recipe, around, overrides)
            .map_err(|Invalid { diagnostics, files }| Failure { files, ..self.diagnosed(&diagnostics) })
    }

    /// What the picture was rendered with in place of its recipe; of a recipe's file nothing.
    pub(super) fn kept(&self) -> recipe::Overrides {
        self.facts.as_ref().map(|facts| picture::overrides(&facts.overrides)).unwrap_or_default()
    }
}

/// The failure of a recipe that cannot be read.
fn unreadable(diagnostic: Diagnostic) -> Failure {
    Failure::diagnostics(&[diagnostic])
}

/// Opens a recipe that another builds on: a file, or the one inside a picture.
fn open(path: &Path) -> Result<RecipeText, Trouble> {
    if picture::is_picture(path) && path.is_file() {
        let origin = output::recover(path)
            .map_err(|error| Trouble { what: format!("it {error}"), hint: error.hint().map(str::to_owned) })?;
        let bases = Some(picture::bases(origin.bases));
        return Ok(RecipeText { path: path.to_path_buf(), text: origin.recipe, bases });
    }
    if picture::is_foreign(path) {
        let hint = "only the PNG files that recipe-render writes have their recipe inside".to_owned();
        return Err(Trouble { what: "it is a picture, not a recipe".to_owned(), hint: Some(hint) });
    }
    recipe::open(path)
}

/// What stands in place of the recipe: what the command line says, or else what the picture was rendered with; and of all
/// that a draft, if one is wanted.
pub(super) fn overrides(args: &InsteadArgs, source: &Source) -> Result<recipe::Overrides, Failure> {
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
    // What is wrong with the recipe is told when it is compiled as a draft.
    let plan = source.compile_silently(&overrides)?.plan;
    Ok(draft::of(&plan, overrides))
}

/// What stays ready from one render to the next: the library, the encoders as long as the models are the same, and the
/// features of prompts already seen.
pub(super) struct Workbench {
    options: runtime::Options,
    threads: usize,
    voice: Voice,
    runtime: Option<(Arc<Runtime>, Device)>,
    ready: Vec<Ready>,
    store: Arc<Store>,
    cancel: Cancel,
    /// By recipe what was last warned of, and its text then: one that is taken up again is not warned of again.
    warned: HashMap<PathBuf, (String, String)>,
    known: KnownModels,
    /// Text encoders stay in memory.
    keeps_text: bool,
}

/// An encoder of one model, and the features of the texts it met.
struct Ready {
    encoder: Encoder,
    features: BTreeMap<String, Vec<f32>>,
    /// Opened with the first text that is not known.
    text: Option<TextSession>,
}

impl Ready {
    /// The features of prompts, in order, with what makes log-odds of similarities to directions. Those of texts are kept; a
    /// file may have changed, so images and directions are always looked at.
    fn rows(&mut self, runtime: &Runtime, model: &ModelFolder, prompts: &[&Prompt]) -> Result<Features, Failure> {
        let cache = || runtime::cache_folder().ok();
        let hash = self.encoder.hash().to_owned();
        let mut fresh = BTreeSet::new();
        let mut pictures = Vec::new();
        for prompt in prompts {
            let texts = match prompt {
                Prompt::Text(text) => vec![text.clone()],
                Prompt::Ensemble(ensemble) => ensemble.filled(),
                Prompt::Image(path) => {
                    pictures.push(path.clone());
                    Vec::new()
                }
                Prompt::Direction { .. } => Vec::new(),
            };
            fresh.extend(texts.into_iter().filter(|text| !self.features.contains_key(text)));
        }
        let fresh: Vec<String> = fresh.into_iter().collect();
        let rows = clip::features_with(&mut self.text, runtime, model, &hash, &fresh, cache()).map_err(from_clip)?;
        self.features.extend(fresh.into_iter().zip(rows));
        let mut seen = match pictures.is_empty() {
            true => Vec::new(),
            false => clip::image_features(runtime, model, &hash, &pictures, cache()).map_err(from_clip)?,
        }
        .into_iter();
        let mut rows = Vec::with_capacity(prompts.len());
        let mut probes: Vec<Option<Probe>> = vec![None; prompts.len()];
        for (prompt, probe) in prompts.iter().zip(&mut probes) {
            let row = match prompt {
                Prompt::Text(text) => self.features.get(text).cloned(),
                Prompt::Ensemble(ensemble) => {
                    let own: Vec<Vec<f32>> =
                        ensemble.filled().iter().filter_map(|text| self.features.get(text).cloned()).collect();
                    let opposed = || from_clip(ClipError::Opposed { prompt: prompt.called() });
                    Some(clip::mean(&own).ok_or_else(opposed)?)
                }
                Prompt::Image(_) => seen.next(),
                // Looked at before, see `prompts`: only a file that has changed since can be wrong.
                Prompt::Direction { file, class } => {
                    let directions = Directions::open(file).map_err(from_direction)?;
                    let of = Model { name: model.description.name.clone(), hash: hash.clone() };
                    directions.belong_to(&of, file).map_err(from_direction)?;
                    let direction = directions.choose(class.as_deref()).ok_or_else(|| {
                        Failure::wrong(format!("{}: the class is not there any more", file.display()))
                    })?;
                    let (unit, odds, quadric) = direction.unit();
                    *probe = Some(Probe { odds, quadric: quadric.map(Arc::new) });
                    Some(unit)
                }
            };
            rows.extend(row);
        }
        let features = Features::new(&rows).ok_or_else(|| {
            Failure::wrong(format!("model `{}`: its features differ in length", model.description.name))
        })?;
        Ok(features.with_directions(&probes))
    }
}

impl Workbench {
    /// Nothing is loaded before it is needed.
    pub(super) fn new(
        threads: Option<NonZeroUsize>,
        device: DeviceChoice,
        options: runtime::Options,
        voice: &Voice,
    ) -> Result<Self, Failure> {
        let processors = std::thread::available_parallelism().map_or(1, |threads| threads.get());
        let wanted = threads.map_or(processors, |threads| threads.get());
        let threads = sensible(wanted, processors);
        if threads < wanted {
            let of = if processors == 1 { "one processor" } else { &format!("{processors} processors") };
            voice.warning(&format!("--threads {wanted}: too many for {of}; {threads} are used"));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| Failure::failed(format!("--threads {threads}: {error}")))?;
        let options = runtime::Options { device, ..options };
        let (store, cancel) = (Arc::new(super::cache::store(voice)), Cancel::default());
        Ok(Workbench {
            options,
            threads,
            voice: *voice,
            runtime: None,
            ready: Vec::new(),
            store,
            cancel,
            warned: HashMap::new(),
            known: KnownModels::default(),
            keeps_text: false,
        })
    }

    /// Keeps text encoders in memory, as prompts will be edited.
    pub(super) fn keep_text_encoders(&mut self) {
        self.keeps_text = true;
    }

    /// Threads to compute with.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The states of earlier renders.
    pub(super) fn store(&self) -> Arc<Store> {
        self.store.clone()
    }

    /// What stops the encoders within a step.
    pub(super) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Where it computes, and what a picture depends on besides its plan; opens no encoder. The prompts are checked.
    /// `models` are the recipe's.
    pub(super) fn conditions(
        &mut self,
        source: &Source,
        compiled: &Compiled,
        models: &[ModelFolder],
    ) -> Result<(Device, Conditions), Failure> {
        let mut hashes = Vec::new();
        for model in models {
            hashes.push(self.known.hash(model)?);
        }
        let warnings = prompts::check(source, compiled, models, &mut |model| self.known.words(model))?;
        let told = (source.text.clone(), warnings);
        if self.warned.get(&source.path) != Some(&told) {
            self.voice.rendered(&told.1);
            self.warned.insert(source.path.clone(), told);
        }
        self.open_runtime()?;
        let (runtime, device) = self.runtime.as_ref().ok_or_else(|| Failure::failed("no onnxruntime"))?;
        for (model, hash) in models.iter().zip(&hashes) {
            self.voice.detail(&format!("model {} ({hash})", model.description.name));
        }
        let conditions = Conditions::of(&compiled.plan, hashes, runtime, *device);
        Ok((*device, conditions.map_err(|error| Failure::failed(format!("a file of the recipe: {error}")))?))
    }

    /// The plan's models at work: their encoders, and the features of their prompts. `models` are the recipe's.
    pub(super) fn ready(
        &mut self,
        source: &Source,
        compiled: &Compiled,
        models: &[ModelFolder],
    ) -> Result<Vec<Lens<'_>>, Failure> {
        let (_, conditions) = self.conditions(source, compiled, models)?;
        self.equipped(compiled, models, &conditions)
    }

    /// The same, where the conditions are known.
    pub(super) fn equipped(
        &mut self,
        compiled: &Compiled,
        models: &[ModelFolder],
        conditions: &Conditions,
    ) -> Result<Vec<Lens<'_>>, Failure> {
        let (runtime, device) = self.runtime.as_ref().ok_or_else(|| Failure::failed("no onnxruntime"))?;
        let mut before = std::mem::take(&mut self.ready);
        let mut features = Vec::new();
        for (index, (model, hash)) in models.iter().zip(&conditions.models).enumerate() {
            let mut ready = match before.iter().position(|ready| ready.encoder.hash() == hash) {
                Some(known) => before.swap_remove(known),
                None => Ready {
                    encoder: Encoder::open(runtime.clone(), model.clone(), hash.clone(), *device)
                        .map_err(from_clip)?
                        .cancelled_by(self.cancel.clone()),
                    features: BTreeMap::new(),
                    text: None,
                },
            };
            let plan = &compiled.plan;
            let prompts: Vec<&Prompt> = plan.prompts_of(index).into_iter().map(|row| &plan.prompts[row]).collect();
            features.push(ready.rows(runtime, model, &prompts)?);
            if !self.keeps_text {
                ready.text = None;
            }
            self.ready.push(ready);
        }
        let lenses = self.ready.iter_mut().zip(features).enumerate();
        Ok(lenses.map(|(model, (ready, rows))| Lens::new(&compiled.plan, model, &mut ready.encoder, rows)).collect())
    }

    /// The library.
    pub(super) fn runtime(&mut self) -> Result<Arc<Runtime>, Failure> {
        self.open_runtime()?;
        self.runtime.as_ref().map(|(runtime, _)| runtime.clone()).ok_or_else(|| Failure::failed("no onnxruntime"))
    }

    /// A model's encoder for pictures that are not rendered. `hash` is the model's.
    pub(super) fn encoder(&mut self, model: &ModelFolder, hash: &str) -> Result<Encoder, Failure> {
        self.open_runtime()?;
        let (runtime, device) = self.runtime.as_ref().ok_or_else(|| Failure::failed("no onnxruntime"))?;
        self.voice.detail(&format!("model {} ({hash})", model.description.name));
        Encoder::open(runtime.clone(), model.clone(), hash.to_owned(), *device).map_err(from_clip)
    }

    fn open_runtime(&mut self) -> Result<(), Failure> {
        if self.runtime.is_none() {
            let runtime = runtime::open(&self.options, &mut |line| self.voice.note(line)).map_err(from_runtime)?;
            let threads = if self.threads == 1 { "1 thread" } else { &format!("{} threads", self.threads) };
            let mut say = |line: &str| match self.voice.is_verbose() {
                true => self.voice.note(&format!("{line}, {threads}")),
                false => self.voice.note(line),
            };
            let device = runtime.device(self.options.device, &mut say).map_err(from_runtime)?;
            // Of its own choice the runtime has told.
            if self.options.device != DeviceChoice::Auto {
                self.voice.detail(&format!("device: {device}, {threads}"));
            }
            self.voice.detail(&format!("onnxruntime {} ({})", runtime.version(), runtime.path().display()));
            self.runtime = Some((Arc::new(runtime), device));
        }
        Ok(())
    }
}

/// As many threads as wanted, but not so many that they only stand in each other's way.
fn sensible(wanted: usize, processors: usize) -> usize {
    wanted.min(processors.saturating_mul(4))
}

/// The model or a prompt is named in the recipe or on the command line: those are wrong.
pub(super) fn from_clip(error: ClipError) -> Failure {
    match error {
        ClipError::Runtime(error) => from_runtime(error),
        error @ ClipError::Memory { .. } => Failure::failed(&error).hinted(hint(&error)),
        error => Failure::wrong(&error).hinted(hint(&error)),
    }
}

/// What would help; a model that can be had is not told by the models that are here.
pub(super) fn hint(error: &ClipError) -> Option<String> {
    let ClipError::Unknown { name, .. } = error else { return error.hint() };
    if let Some(hint) = path_hint(name) {
        return Some(hint);
    }
    // A table of one's own that cannot be read is told by the commands that are about it.
    let table = Table::load().ok()?;
    match table.models.iter().any(|entry| entry.name == *name) {
        true => Some(format!("it can be had: recipe-render models fetch {name}")),
        false => error.hint(),
    }
}

pub(super) fn from_runtime(error: RuntimeError) -> Failure {
    Failure::failed(error.message()).hinted(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_a_limit_that_depends_on_the_processors() {
        assert_eq!([sensible(1, 16), sensible(8, 2), sensible(9, 2), sensible(256, 128)], [1, 8, 8, 256]);
    }
}
