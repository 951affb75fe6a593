//! The loaded models of a plan: each with its encoder and the features of its prompts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::clip::{self, Cancel, ClipError, Encoder, Features, ModelFolder, Probe, TextSession};
use crate::direction::{DirectionError, Directions, Model};
use crate::plan::{Plan, Prompt};
use crate::recipe::Compiled;
use crate::render::Lens;
use crate::runtime::{self, Device, Runtime, RuntimeError};

/// An error that keeps a plan's models from being used.
#[derive(Debug, thiserror::Error)]
pub enum PerceptorError {
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error(transparent)]
    Direction(#[from] DirectionError),
    /// A directions file has changed since the recipe was compiled.
    #[error("{}: the class no longer exists", file.display())]
    NoClass { file: PathBuf },
    #[error("model `{model}`: its features differ in length")]
    Lengths { model: String },
}

/// The runtime and device that models run on.
#[derive(Clone)]
pub struct Engine {
    pub runtime: Arc<Runtime>,
    pub device: Device,
    /// Stops encoders within a step.
    pub cancel: Cancel,
    /// The folder that caches the features of texts and images between processes, if any.
    pub cache: Option<PathBuf>,
}

impl Engine {
    /// Opens the onnxruntime and the device of `options`, with our cache. `progress` receives messages about what is installed
    /// and chosen.
    ///
    /// # Errors
    /// Fails if no usable onnxruntime is found, or if the requested device cannot be used.
    pub fn open(options: &runtime::Options, progress: &mut dyn FnMut(&str)) -> Result<Self, RuntimeError> {
        let runtime = runtime::open(options, progress)?;
        let device = runtime.device(options.device, progress)?;
        Ok(Engine::new(Arc::new(runtime), device))
    }

    /// Creates an engine with our cache.
    pub fn new(runtime: Arc<Runtime>, device: Device) -> Self {
        Engine { runtime, device, cancel: Cancel::default(), cache: runtime::cache_folder().ok() }
    }
}

/// Returns the models that a recipe names, indexed by [`Target::model`](crate::plan::Target::model), each with its hash.
///
/// # Errors
/// Fails if a model is missing or cannot be read.
pub fn models(compiled: &Compiled) -> Result<Vec<(ModelFolder, String)>, ClipError> {
    let found = compiled.models.iter().map(|model| {
        let folder = ModelFolder::find(&model.name, &model.base)?;
        let hash = folder.hash()?;
        Ok((folder, hash))
    });
    found.collect()
}

/// The loaded models of successive plans. Consecutive plans share encoders and the features of texts.
#[derive(Default)]
pub struct Perceptors {
    perceptors: Vec<Perceptor>,
    /// Whether text encoders stay in memory, for prompts that will be edited.
    pub keeps_text: bool,
}

/// One loaded model.
struct Perceptor {
    encoder: Encoder,
    /// The features of the texts seen so far.
    features: BTreeMap<String, Vec<f32>>,
    /// Opened for the first text without known features.
    text: Option<TextSession>,
}

impl Perceptors {
    /// Returns the lenses for a render of `plan`, one for each of its models. `models` are those of [`models`].
    ///
    /// # Errors
    /// Fails if a model, an image or a direction cannot be used.
    pub fn lenses(
        &mut self,
        engine: &Engine,
        plan: &Plan,
        models: &[(ModelFolder, String)],
    ) -> Result<Vec<Lens<'_>>, PerceptorError> {
        let mut before = std::mem::take(&mut self.perceptors);
        let mut features = Vec::new();
        for (index, (model, hash)) in models.iter().enumerate() {
            let mut perceptor = match before.iter().position(|known| known.encoder.hash() == *hash) {
                Some(known) => before.swap_remove(known),
                None => Perceptor::open(engine, model, hash)?,
            };
            let prompts: Vec<&Prompt> = plan.prompts_of(index).into_iter().map(|row| &plan.prompts[row]).collect();
            features.push(perceptor.features(engine, model, &prompts)?);
            if !self.keeps_text {
                perceptor.text = None;
            }
            self.perceptors.push(perceptor);
        }
        let lenses = self.perceptors.iter_mut().zip(features).enumerate();
        Ok(lenses.map(|(model, (perceptor, rows))| Lens::new(plan, model, &mut perceptor.encoder, rows)).collect())
    }
}

impl Perceptor {
    fn open(engine: &Engine, model: &ModelFolder, hash: &str) -> Result<Self, ClipError> {
        let encoder = Encoder::open(engine.runtime.clone(), model.clone(), hash.to_owned(), engine.device)?;
        let encoder = encoder.cancelled_by(engine.cancel.clone());
        Ok(Perceptor { encoder, features: BTreeMap::new(), text: None })
    }

    /// Returns the features of prompts, in order, with the probes that turn similarities to directions into log-odds. Text
    /// features are cached; images and directions are always read again, as their files may have changed.
    fn features(
        &mut self,
        engine: &Engine,
        model: &ModelFolder,
        prompts: &[&Prompt],
    ) -> Result<Features, PerceptorError> {
        let hash = self.encoder.hash().to_owned();
        self.encode_texts(engine, model, &hash, prompts)?;
        let pictures: Vec<PathBuf> = prompts
            .iter()
            .filter_map(|prompt| match prompt {
                Prompt::Image(path) => Some(path.clone()),
                _ => None,
            })
            .collect();
        let mut of_pictures = match pictures.is_empty() {
            true => Vec::new(),
            false => clip::image_features(&engine.runtime, model, &hash, &pictures, engine.cache.clone())?,
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
                    let opposed = || ClipError::Opposed { prompt: prompt.called() };
                    Some(clip::mean(&own).ok_or_else(opposed)?)
                }
                Prompt::Image(_) => of_pictures.next(),
                Prompt::Direction { file, class } => {
                    let directions = Directions::open(file)?;
                    directions.belong_to(&Model { name: model.description.name.clone(), hash: hash.clone() }, file)?;
                    let direction = directions.choose(class.as_deref());
                    let direction = direction.ok_or_else(|| PerceptorError::NoClass { file: file.clone() })?;
                    let (unit, odds, quadric) = direction.unit();
                    *probe = Some(Probe { odds, quadric: quadric.map(Arc::new) });
                    Some(unit)
                }
            };
            rows.extend(row);
        }
        let lengths = || PerceptorError::Lengths { model: model.description.name.clone() };
        Ok(Features::new(&rows).ok_or_else(lengths)?.with_directions(&probes))
    }

    /// Encodes the texts whose features are not known yet.
    fn encode_texts(
        &mut self,
        engine: &Engine,
        model: &ModelFolder,
        hash: &str,
        prompts: &[&Prompt],
    ) -> Result<(), ClipError> {
        let texts = prompts.iter().flat_map(|prompt| match prompt {
            Prompt::Text(text) => vec![text.clone()],
            Prompt::Ensemble(ensemble) => ensemble.filled(),
            Prompt::Image(_) | Prompt::Direction { .. } => Vec::new(),
        });
        let fresh: BTreeSet<String> = texts.filter(|text| !self.features.contains_key(text)).collect();
        let fresh: Vec<String> = fresh.into_iter().collect();
        let rows = clip::features_with(&mut self.text, &engine.runtime, model, hash, &fresh, engine.cache.clone())?;
        self.features.extend(fresh.into_iter().zip(rows));
        Ok(())
    }
}
