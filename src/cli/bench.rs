//! The workbench shared by several renders: the library, the models, the store.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::prompts::{self, KnownModels};
use crate::cli::source::Source;
use crate::cli::terminal::Voice;
use crate::clip::{Cancel, Encoder, ModelFolder};
use crate::perceptor::{Engine, Perceptors};
use crate::recipe::Compiled;
use crate::render::Lens;
use crate::runtime::{self, Device, DeviceChoice, Runtime};
use crate::store::{Conditions, DEFAULT_LIMIT, LIMIT_VARIABLE, Store, parse_bytes};

/// The resources kept from one render to the next: the library, the encoders as long as the models are the same, and the features
/// of prompts already seen.
pub(crate) struct Workbench {
    options: runtime::Options,
    threads: usize,
    voice: Voice,
    engine: Option<Engine>,
    perceptors: Perceptors,
    store: Arc<Store>,
    cancel: Cancel,
    /// The last warnings about each recipe, with its text at that time: resuming an unchanged recipe does not repeat them.
    warned: HashMap<PathBuf, (String, String)>,
    known: KnownModels,
}

impl Workbench {
    /// Creates a workbench. Nothing is loaded before it is needed.
    pub(crate) fn new(
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
            voice.warning(&format!("--threads {wanted}: too many for {of}; using {threads}"));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| Failure::failed(format!("--threads {threads}: {error}")))?;
        let options = runtime::Options { device, ..options };
        let (store, cancel) = (Arc::new(store(voice)), Cancel::default());
        Ok(Workbench {
            options,
            threads,
            voice: *voice,
            engine: None,
            perceptors: Perceptors::default(),
            store,
            cancel,
            warned: HashMap::new(),
            known: KnownModels::default(),
        })
    }

    /// Keeps text encoders in memory, for prompts that will be edited.
    pub(crate) fn keep_text_encoders(&mut self) {
        self.perceptors.keeps_text = true;
    }

    /// Returns the number of threads to compute with.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Returns the store with the states of earlier renders.
    pub(crate) fn store(&self) -> Arc<Store> {
        self.store.clone()
    }

    /// Returns the handle that stops the encoders within a step.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Returns the device, and what a picture depends on besides its plan. Checks the prompts; opens no encoder. `models` are the
    /// recipe's.
    pub(crate) fn conditions(
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
        let Engine { runtime, device, .. } = self.engine()?;
        for (model, hash) in models.iter().zip(&hashes) {
            self.voice.detail(&format!("model {} ({hash})", model.description.name));
        }
        let conditions = Conditions::of(&compiled.plan, hashes, &runtime, device);
        Ok((device, conditions.map_err(|error| Failure::failed(format!("a file that the recipe needs: {error}")))?))
    }

    /// Prepares a lens for each of the plan's models: its encoder and the features of its prompts. `models` are the recipe's.
    pub(crate) fn ready(
        &mut self,
        source: &Source,
        compiled: &Compiled,
        models: &[ModelFolder],
    ) -> Result<Vec<Lens<'_>>, Failure> {
        let (_, conditions) = self.conditions(source, compiled, models)?;
        self.equipped(compiled, models, &conditions)
    }

    /// Prepares the lenses when the conditions are already known.
    pub(crate) fn equipped(
        &mut self,
        compiled: &Compiled,
        models: &[ModelFolder],
        conditions: &Conditions,
    ) -> Result<Vec<Lens<'_>>, Failure> {
        let engine = self.engine()?;
        let models: Vec<(ModelFolder, String)> =
            models.iter().cloned().zip(conditions.models.iter().cloned()).collect();
        Ok(self.perceptors.lenses(&engine, &compiled.plan, &models)?)
    }

    /// Returns onnxruntime, and opens it on first use.
    pub(crate) fn runtime(&mut self) -> Result<Arc<Runtime>, Failure> {
        Ok(self.engine()?.runtime)
    }

    /// Opens a model's encoder for pictures that are not rendered. `hash` is the model's.
    pub(crate) fn encoder(&mut self, model: &ModelFolder, hash: &str) -> Result<Encoder, Failure> {
        let Engine { runtime, device, .. } = self.engine()?;
        self.voice.detail(&format!("model {} ({hash})", model.description.name));
        Ok(Encoder::open(runtime, model.clone(), hash.to_owned(), device)?)
    }

    /// Returns the engine. The library is opened when it is first needed.
    fn engine(&mut self) -> Result<Engine, Failure> {
        if let Some(engine) = &self.engine {
            return Ok(engine.clone());
        }
        let runtime = runtime::open(&self.options, &mut |line| self.voice.note(line))?;
        let threads = if self.threads == 1 { "1 thread" } else { &format!("{} threads", self.threads) };
        let mut say = |line: &str| match self.voice.is_verbose() {
            true => self.voice.note(&format!("{line}, {threads}")),
            false => self.voice.note(line),
        };
        let device = runtime.device(self.options.device, &mut say)?;
        // The runtime has already reported a device of its own choice.
        if self.options.device != DeviceChoice::Auto {
            self.voice.detail(&format!("device: {device}, {threads}"));
        }
        self.voice.detail(&format!("onnxruntime {} ({})", runtime.version(), runtime.path().display()));
        let engine = Engine { cancel: self.cancel.clone(), ..Engine::new(Arc::new(runtime), device) };
        Ok(self.engine.insert(engine).clone())
    }
}

/// Opens the user's store. Without a home folder, or with a limit of 0, it holds nothing.
pub(crate) fn store(voice: &Voice) -> Store {
    let said = std::env::var(LIMIT_VARIABLE).ok().filter(|said| !said.trim().is_empty());
    let limit = match said.as_deref().map(|said| (said, parse_bytes(said))) {
        None => DEFAULT_LIMIT,
        Some((_, Some(limit))) => limit,
        Some((said, None)) => {
            voice.warning(&format!("{LIMIT_VARIABLE}={said}: expected a size such as 500MB or 2GiB; using 2GiB"));
            DEFAULT_LIMIT
        }
    };
    match Store::usual_folder() {
        Some(folder) => Store::new(folder, limit),
        None => Store::new(PathBuf::new(), 0),
    }
}

/// Limits the wanted threads to four per processor, as more would only contend with each other.
fn sensible(wanted: usize, processors: usize) -> usize {
    wanted.min(processors.saturating_mul(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_have_a_limit_that_depends_on_the_processors() {
        assert_eq!([sensible(1, 16), sensible(8, 2), sensible(9, 2), sensible(256, 128)], [1, 8, 8, 256]);
    }
}
