//! onnxruntime: found or installed, sessions, execution providers. The only module that names `ort`.

mod session;

pub use session::{Device, Input, Level, Outputs, Runtime, RuntimeError, Session, SessionPlan, Weights};
