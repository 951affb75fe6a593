//! The report that `recipe-render runtime` shows.

use std::path::PathBuf;

use super::{
    Candidate, Device, Options, Runtime, RuntimeError, Source,
    locate::{self, Search, Surroundings},
    open,
    trial::Trial,
};

/// The onnxruntime that would be used, and the places searched for it.
#[derive(Debug)]
pub struct Report {
    /// The library that would be used, or why there is none.
    pub library: Result<Library, RuntimeError>,
    /// Every place looked at, in order.
    pub places: Vec<Candidate>,
}

/// A usable library.
#[derive(Debug)]
pub struct Library {
    pub source: Source,
    pub path: PathBuf,
    pub version: String,
    /// The names of the execution providers that it was built with, and whether sessions with them work here.
    pub providers: Vec<(String, ProviderState)>,
}

/// The state of an execution provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderState {
    /// A session with it was created and run.
    Registers,
    /// It is present but does not work; the reason.
    Fails(String),
    /// We never use it.
    Unused,
}

/// Searches for onnxruntime as a render would, but installs nothing.
pub fn report(options: &Options) -> Report {
    let trial = Trial::of_process(options.trial.as_deref());
    let surroundings = Surroundings::of_process(options.onnxruntime.as_deref(), trial);
    let want = options.want();
    let Search { found, places } = match locate::search(&surroundings, want) {
        Ok(search) => search,
        Err(error) => return Report { library: Err(error), places: Vec::new() },
    };
    let library = match found {
        // Without the places, which the report shows anyway.
        None => Err(RuntimeError::library(open::none_found(want), open::way_out(want, &places))),
        Some((source, probed)) => Runtime::load_probed(probed).map(|runtime| Library {
            source,
            path: runtime.path().to_owned(),
            version: runtime.version().to_owned(),
            providers: runtime.providers().into_iter().map(|name| runtime.provider_state(name)).collect(),
        }),
    };
    Report { library, places }
}

impl Runtime {
    fn provider_state(&self, name: String) -> (String, ProviderState) {
        let tried = match name.as_str() {
            "CPUExecutionProvider" => self.try_device(Device::Cpu),
            "CUDAExecutionProvider" => self.try_cuda(0),
            _ => return (name, ProviderState::Unused),
        };
        let state = match tried {
            Ok(()) => ProviderState::Registers,
            Err(error) => ProviderState::Fails(error.message()),
        };
        (name, state)
    }
}
