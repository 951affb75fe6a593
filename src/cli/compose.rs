//! The pieces put together: recipe text -> compile -> model folder -> runtime -> encoder.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Failure, RenderArgs, Voice};
use crate::clip::{ClipError, Encoder, ModelFolder};
use crate::plan::Plan;
use crate::recipe::{self, Compiled};
use crate::runtime::{self, Device, DeviceChoice, Runtime, RuntimeError};

/// A recipe as it was read.
pub(super) struct Source {
    /// As the user wrote it; `<stdin>` for standard input.
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// Reads a recipe; `-` is standard input.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| Failure::failed(format!("standard input: {error}")))?;
            return Source::from_bytes(Path::new("<stdin>"), bytes);
        }
        if path.is_dir() {
            return Err(Failure::wrong(format!("{}: is a folder, not a recipe", path.display())));
        }
        let bytes = std::fs::read(path).map_err(|error| {
            let failure = Failure::wrong(format!("{}: {error}", path.display()));
            match path.extension() {
                None => failure.hint("`recipe-render --help` lists the commands; a recipe is named with its extension"),
                Some(_) => failure,
            }
        })?;
        Source::from_bytes(path, bytes)
    }

    /// A recipe's bytes, read from `path`.
    pub(super) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = String::from_utf8_lossy(valid).rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            Failure::wrong(format!("{}:{line}:{column}: is not UTF-8 text", path.display()))
                .hint("save the recipe as UTF-8")
        })?;
        Ok(Source { path: path.to_path_buf(), text })
    }

    /// The recipe as a plan. Warnings are shown, errors returned.
    pub(super) fn compile(&self, overrides: &recipe::Overrides, voice: &Voice) -> Result<Compiled, Failure> {
        let rendered =
            |diagnostics: &[recipe::Diagnostic]| recipe::render_diagnostics(diagnostics, &self.path, &self.text);
        let compiled = recipe::compile(&self.path, &self.text, overrides)
            .map_err(|diagnostics| Failure::diagnostics(rendered(&diagnostics)))?;
        voice.rendered(&rendered(&compiled.warnings));
        Ok(compiled)
    }
}

/// What the command line says in place of the recipe.
pub(super) fn overrides(args: &RenderArgs) -> recipe::Overrides {
    recipe::Overrides {
        size: args.size,
        steps: args.steps.map(|steps| steps.get()),
        seed: args.seed,
        model: args.model.clone(),
    }
}

/// What stays ready from one render to the next: the library, and the encoder as long as the model is the same.
pub(super) struct Workbench {
    options: runtime::Options,
    device: DeviceChoice,
    threads: usize,
    voice: Voice,
    runtime: Option<(Runtime, Device)>,
    ready: Option<Ready>,
}

/// An encoder of one model.
pub(super) struct Ready {
    pub model: ModelFolder,
    pub device: Device,
    pub encoder: Encoder,
}

impl Workbench {
    /// Nothing is loaded before it is needed.
    pub(super) fn new(args: &RenderArgs, options: runtime::Options, voice: &Voice) -> Result<Self, Failure> {
        let available = || std::thread::available_parallelism().map_or(1, |threads| threads.get());
        let threads = args.threads.map_or_else(available, |threads| threads.get());
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| Failure::failed(format!("--threads {threads}: {error}")))?;
        Ok(Workbench { options, device: args.device, threads, voice: *voice, runtime: None, ready: None })
    }

    /// Threads to compute with.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// An encoder that knows the plan's prompts. `model` is a name or a path; a path from a recipe is relative to `base`.
    pub(super) fn ready(&mut self, plan: &Plan, model: &str, base: &Path) -> Result<&mut Ready, Failure> {
        let folder = ModelFolder::find(model, base).map_err(from_clip)?;
        self.voice.detail(&format!("model {} ({})", folder.name, folder.path.display()));
        if self.runtime.is_none() {
            let runtime = runtime::open(&self.options, &mut |line| self.voice.note(line)).map_err(from_runtime)?;
            let device = runtime.device(self.device).map_err(from_runtime)?;
            match self.device {
                DeviceChoice::Auto => self.voice.note(&format!("computing on {device}")),
                DeviceChoice::Only(_) => self.voice.detail(&format!("computing on {device}")),
            }
            self.runtime = Some((runtime, device));
        }
        let (runtime, device) = self.runtime.as_ref().ok_or_else(|| Failure::failed("no onnxruntime"))?;
        let mut ready = match self.ready.take().filter(|ready| ready.model.hash == folder.hash) {
            Some(ready) => Ready { model: folder, ..ready },
            None => {
                let encoder = Encoder::new(runtime, &folder, *device, self.threads).map_err(from_clip)?;
                Ready { model: folder, device: *device, encoder }
            }
        };
        let warnings = ready.encoder.set_prompts(runtime, &plan.prompts);
        let ready = self.ready.insert(ready);
        for warning in warnings.map_err(from_clip)? {
            self.voice.warning(&warning);
        }
        Ok(ready)
    }
}

/// The model or a prompt is named in the recipe or on the command line: those are wrong.
pub(super) fn from_clip(error: ClipError) -> Failure {
    Failure::wrong(&error).hinted(error.hint())
}

pub(super) fn from_runtime(error: RuntimeError) -> Failure {
    Failure::failed(error.message()).hinted(error.hint())
}
