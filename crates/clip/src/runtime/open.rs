//! The way in: finds onnxruntime, installs it where it must, loads it, chooses the device.

use std::path::PathBuf;

use super::{
    Device, DeviceChoice, Place, Runtime, RuntimeError, cuda, install, library_file,
    locate::{self, Outcome, Search, Source, Surroundings, Want},
    probe,
    trial::Trial,
};

/// How onnxruntime is to be found.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The library, or a folder that holds it; nothing else is looked at.
    pub onnxruntime: Option<PathBuf>,
    /// Nothing may be downloaded.
    pub offline: bool,
    /// onnxruntime's warnings go to stderr.
    pub verbose: bool,
    /// The device that will be used; decides between a library for the CPU and one for CUDA.
    pub device: DeviceChoice,
    /// A program that tries libraries in a process of its own: `PROGRAM runtime try PATH` prints what `try_library` gives. Without one
    /// they are tried in this process, where one that is damaged can end it.
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

/// Finds onnxruntime and loads it. If none serves, installs it, unless that is forbidden; `progress` is told so in a
/// line. Once a library is loaded, it is what later calls get.
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

/// Nothing serves, and nothing may be installed.
pub(super) fn not_found(want: Want, places: &[Place]) -> RuntimeError {
    RuntimeError::library(format!("{}{}", none_found(want), list(places)), way_out(want, places))
}

/// That nothing serves, in a line.
pub(super) fn none_found(want: Want) -> String {
    let what = if want == Want::Cuda { "onnxruntime for CUDA" } else { "onnxruntime" };
    format!("no {what} was found")
}

/// What helps where nothing in these places serves.
pub(super) fn way_out(want: Want, places: &[Place]) -> String {
    let in_vain = |place: &Place| {
        place.source == Source::Cache && place.outcome == Outcome::Unusable(library_file::NOT_EXECUTED.to_owned())
    };
    if places.iter().any(in_vain) {
        return install::elsewhere();
    }
    let cuda = if want == Want::Cuda { " --cuda" } else { "" };
    format!("`recipe-render runtime install{cuda}` installs it; or name its library with --onnxruntime PATH")
}

fn with_places(error: RuntimeError, places: &[Place]) -> RuntimeError {
    match error {
        RuntimeError::Install { message, hint } => RuntimeError::Install {
            message: format!("{message}\nno onnxruntime was found before:{}", list(places)),
            hint,
        },
        error => error,
    }
}

/// The places, each on a new line.
fn list(places: &[Place]) -> String {
    places.iter().map(|place| format!("\n  {place}")).collect()
}

impl Runtime {
    /// Runs a session: there may have been no trial of it in another process, and what such a trial found may be so no longer.
    fn runs(&self) -> Result<(), RuntimeError> {
        self.try_device(Device::Cpu).map_err(|error| {
            let (path, version) = (self.path().display(), self.version());
            let message = format!("{path} is onnxruntime {version}, but nothing runs on it: {}", error.message());
            RuntimeError::library(message, "name another onnxruntime with --onnxruntime PATH")
        })
    }

    /// Settles the device. One asked for by name works or is an error that says why; for `auto` it is CUDA's first
    /// device where that works, else the CPU, and `progress` is told which (and why not the other).
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

    /// For tests: the library that the usual search finds, installed if need be, loaded once a process.
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
