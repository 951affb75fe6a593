//! onnxruntime: found or installed, sessions, execution providers. The only module that names `ort`.

mod device;
mod error;
mod outputs;
mod session;
mod weights;

pub use device::{Device, DeviceChoice};
pub use error::RuntimeError;
pub use outputs::Outputs;
pub use session::{Input, Level, Runtime, Session, SessionPlan};
pub use weights::Weights;
