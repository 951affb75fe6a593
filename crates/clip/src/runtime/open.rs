//! The entry point: finds onnxruntime, installs it if needed, loads it, chooses the device.

use std::path::PathBuf;

use super::{
    Candidate, Device, DeviceChoice, Runtime, RuntimeError, cuda, install, library_file,
    locate::{self, Outcome, Search, Source, Surroundings, Want},
    probe,
    trial::Trial,
};

/// Options for finding onnxruntime.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The library, or a folder that holds it. If set, nothing else is searched.
    pub onnxruntime: Option<PathBuf>,
    /// Whether downloads are forbidden.
    pub offline: bool,
    /// Whether onnxruntime prints its warnings to stderr.
    pub verbose: bool,
    /// The device to be used, which decides between a library for the CPU and one for CUDA.
    pub device: DeviceChoice,
    /// A program that tries libraries in a separate process: `PROGRAM runtime try PATH` prints the result of
    /// `try_library`. Without one, libraries are tried in this process, which a damaged library can end.
    pub trial: Option<PathBuf>,
}

impl Options {
    pub(super) fn want(&self) -> Want {
        match self.device {
            DeviceChoice::Only(Device::Cpu) => Want::Cpu,
            DeviceChoice::Only(Device::Cuda(_)) => Want::Cuda,
            DeviceChoice::Auto if cuda::driver_seems_present() => Want::CudaIfAny,
            DeviceChoice::Auto => Want::Cpu,
        }
    }
}

/// Finds onnxruntime and loads it. If no usable one is found, installs it unless that is forbidden, and reports this to
/// `progress` in a line. Once a library is loaded, later calls return it.
pub fn open(options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Runtime, RuntimeError> {
    let runtime = match (Runtime::loaded(), &options.onnxruntime) {
        (Some(runtime), None) => runtime,
        _ => find_and_load(options, progress)?,
    };
    runtime.set_verbose(options.verbose);
    Ok(runtime)
}

fn find_and_load(options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Runtime, RuntimeError> {
    let want = options.want();
    let trial = Trial::of_process(options.trial.as_deref());
    let surroundings = Surroundings::of_process(options.onnxruntime.as_deref(), trial.clone());
    let Search { found, places } = locate::search(&surroundings, want)?;
    if let Some((_, probed)) = found {
        let runtime = Runtime::load_probed(probed)?;
        return runtime.runs().map(|()| runtime);
    }
    if want == Want::Cuda || options.offline {
        return Err(not_found(want, &places));
    }
    let library = install::install(options, false, progress).map_err(|error| with_places(error, &places))?;
    let probed = trial.of(&library).map_err(|refusal| {
        let message = format!("the installed {} {}", library.display(), refusal.reason());
        RuntimeError::library(message, "name another onnxruntime with --onnxruntime PATH")
    })?;
    Runtime::load_probed(probed)
}

/// Returns the error for the case that no library is usable and none may be installed.
pub(super) fn not_found(want: Want, places: &[Candidate]) -> RuntimeError {
    RuntimeError::library(format!("{}{}", none_found(want), list(places)), way_out(want, places))
}

/// Returns the line that says that no library is usable.
pub(super) fn none_found(want: Want) -> String {
    let what = if want == Want::Cuda { "onnxruntime for CUDA" } else { "onnxruntime" };
    format!("no {what} was found")
}

/// Returns the hint for the case that no library in these places is usable.
pub(super) fn way_out(want: Want, places: &[Candidate]) -> String {
    let in_vain = |place: &Candidate| {
        place.source == Source::Cache && place.outcome == Outcome::Unusable(library_file::NOT_EXECUTED.to_owned())
    };
    if places.iter().any(in_vain) {
        return install::elsewhere();
    }
    let cuda = if want == Want::Cuda { " --cuda" } else { "" };
    format!("`recipe-render runtime install{cuda}` installs it; or name its library with --onnxruntime PATH")
}

fn with_places(error: RuntimeError, places: &[Candidate]) -> RuntimeError {
    match error {
        RuntimeError::Install { message, hint } => RuntimeError::Install {
            message: format!("{message}\nno onnxruntime was found before:{}", list(places)),
            hint,
        },
        error => error,
    }
}

/// Lists the places, each on a new line.
fn list(places: &[Candidate]) -> String {
    places.iter().map(|place| format!("\n  {place}")).collect()
}

impl Runtime {
    /// Checks that a session runs. The library may not have been tried in another process, and the result of a trial
    /// may be outdated.
    fn runs(&self) -> Result<(), RuntimeError> {
        self.try_device(Device::Cpu).map_err(|error| {
            let (path, version) = (self.path().display(), self.version());
            let message = format!("{path} is onnxruntime {version}, but nothing runs on it: {}", error.message());
            RuntimeError::library(message, "name another onnxruntime with --onnxruntime PATH")
        })
    }

    /// Chooses the device. A device asked for by name must work, else the error says why it does not. For `auto` it is
    /// the first CUDA device if that works, else the CPU, and `progress` is told which (and why CUDA does not work).
    pub fn device(&self, choice: DeviceChoice, progress: &mut dyn FnMut(&str)) -> Result<Device, RuntimeError> {
        match choice {
            DeviceChoice::Only(Device::Cpu) => Ok(Device::Cpu),
            DeviceChoice::Only(Device::Cuda(number)) => self.try_cuda(number).map(|()| Device::Cuda(number)),
            DeviceChoice::Auto => {
                if !probe::has_cuda(self.path()) {
                    progress("device: cpu");
                    return Ok(Device::Cpu);
                }
                match self.try_cuda(0) {
                    Ok(()) => {
                        progress("device: cuda:0");
                        Ok(Device::Cuda(0))
                    }
                    Err(error) => {
                        progress(&format!("device: cpu ({})", error.message()));
                        Ok(Device::Cpu)
                    }
                }
            }
        }
    }

    /// Returns the library that the usual search finds, installed if needed and loaded once per process. For tests.
    #[doc(hidden)]
    pub fn for_tests() -> &'static Runtime {
        static RUNTIME: std::sync::OnceLock<Runtime> = std::sync::OnceLock::new();
        RUNTIME.get_or_init(|| {
            let options = Options { device: DeviceChoice::Only(Device::Cpu), ..Options::default() };
            match open(&options, &mut |line| eprintln!("{line}")) {
                Ok(runtime) => runtime,
                Err(error) => panic!("tests need onnxruntime: {error}"),
            }
        })
    }
}
