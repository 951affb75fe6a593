//! STAND-IN, dropped at merge. onnxruntime: found or installed, sessions, execution providers.

mod device;
mod error;
mod session;

pub use device::{Device, DeviceChoice};
pub use error::RuntimeError;
pub use session::{Input, Level, Outputs, Session, SessionPlan, Weights};

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub onnxruntime: Option<std::path::PathBuf>,
    pub offline: bool,
    pub verbose: bool,
}

/// In place of the loaded library.
pub struct Runtime;

pub fn open(options: &Options, say: &mut dyn FnMut(&str)) -> Result<Runtime, RuntimeError> {
    if options.verbose {
        say("onnxruntime: a stand-in");
    }
    if let Some(path) = options.onnxruntime.as_ref().filter(|path| !path.exists()) {
        return Err(RuntimeError::Library { message: format!("{}: no such file", path.display()), hint: None });
    }
    Ok(Runtime)
}

impl Runtime {
    pub fn device(&self, choice: DeviceChoice) -> Result<Device, RuntimeError> {
        match choice {
            DeviceChoice::Auto | DeviceChoice::Only(Device::Cpu) => Ok(Device::Cpu),
            DeviceChoice::Only(device) => Err(RuntimeError::Device {
                message: format!("{device} is not there"),
                hint: Some("recipe-render runtime install --cuda".into()),
            }),
        }
    }
}
