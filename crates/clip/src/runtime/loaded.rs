//! The loaded library.

use std::{
    ffi::CStr,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use ort::{environment::Environment, logging::LogLevel};

use super::{
    Device, Input, Level, RuntimeError, SessionPlan, Weights,
    probe::{self, Probed},
    tiny_graph,
};

/// The loaded library. There is one per process: loading the same path again returns the same library.
#[derive(Clone)]
pub struct Runtime {
    pub(super) environment: Environment,
    library: Arc<LoadedLibrary>,
}

struct LoadedLibrary {
    path: PathBuf,
    version: String,
    hash: OnceLock<String>,
}

/// The runtime of the process. It is never released: `ort` allows no second environment, and sessions in other statics
/// may outlive `main`.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Returns the library loaded before, if any.
    pub(super) fn loaded() -> Option<Self> {
        LOADED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads the library at `path`, without a search.
    pub fn load(path: &Path) -> Result<Self, RuntimeError> {
        let probed = probe::probe(path).map_err(|refusal| {
            RuntimeError::library(
                format!("{} {}", path.display(), refusal.reason()),
                "give the path of onnxruntime's shared library",
            )
        })?;
        Self::load_probed(probed)
    }

    /// Loads a library that was found to be usable.
    pub(super) fn load_probed(probed: Probed) -> Result<Self, RuntimeError> {
        let path = probed.path.canonicalize().unwrap_or(probed.path);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            if runtime.library.path != path {
                return Err(RuntimeError::Library {
                    message: format!(
                        "onnxruntime is already loaded from {}; {} cannot be loaded beside it",
                        runtime.library.path.display(),
                        path.display()
                    ),
                    hint: None,
                });
            }
            return Ok(runtime.clone());
        }
        let environment = ort::init_from(&path)
            .map_err(|error| RuntimeError::Library { message: error.to_string(), hint: None })?
            .with_name("recipe-render")
            .with_telemetry(false)
            .build()?;
        // Errors are returned anyway; onnxruntime would print them to stderr as well.
        environment.set_log_level(LogLevel::Fatal);
        let library = LoadedLibrary { path, version: probed.version, hash: OnceLock::new() };
        let runtime = Runtime { environment, library: Arc::new(library) };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// Returns the library's version: `1.32.0`.
    pub fn version(&self) -> &str {
        &self.library.version
    }

    /// Returns the BLAKE3 hash of the library's file in hexadecimal, or its version if the file can no longer be read.
    /// Computed on first use.
    pub fn hash(&self) -> &str {
        self.library.hash.get_or_init(|| {
            let mut hasher = blake3::Hasher::new();
            match File::open(&self.library.path).and_then(|file| hasher.update_reader(file).map(|_| ())) {
                Ok(()) => hasher.finalize().to_hex().to_string(),
                Err(_) => self.library.version.clone(),
            }
        })
    }

    /// Returns the names of the execution providers that the library was built with, the preferred ones first. A
    /// provider listed here need not work.
    pub fn providers(&self) -> Vec<String> {
        let mut names = std::ptr::null_mut();
        let mut count = 0;
        // SAFETY: onnxruntime returns an array of `count` C strings, which are copied before they are released.
        unsafe {
            let status = (ort::api().GetAvailableProviders)(&mut names, &mut count);
            if ort::Error::result_from_status(status).is_err() || names.is_null() {
                return Vec::new();
            }
            let providers = (0..usize::try_from(count).unwrap_or(0))
                .map(|index| CStr::from_ptr(*names.add(index)).to_string_lossy().into_owned())
                .collect();
            // It can only fail with a null pointer.
            let _ = ort::Error::result_from_status((ort::api().ReleaseAvailableProviders)(names, count));
            providers
        }
    }

    /// Creates a session on the device and runs it.
    pub(super) fn try_device(&self, device: Device) -> Result<(), RuntimeError> {
        let plan = SessionPlan { device, threads: 1, level: Level::All, dimensions: Vec::new() };
        let mut session = self.session(&tiny_graph::relu(), &Weights::default(), &plan)?;
        let outputs = session.run(&[("x", Input::F32(&[2], &[-1.0, 3.0]))])?;
        match outputs.f32("y")? {
            ([2], [0.0, 3.0]) => Ok(()),
            _ => Err(RuntimeError::Ort(format!("{device} calculates wrongly"))),
        }
    }

    /// Returns the path that the library was loaded from.
    pub fn path(&self) -> &Path {
        &self.library.path
    }

    /// Sets whether onnxruntime prints its warnings to stderr. By default it prints nothing.
    pub fn set_verbose(&self, verbose: bool) {
        self.environment.set_log_level(if verbose { LogLevel::Warning } else { LogLevel::Fatal });
    }
}
