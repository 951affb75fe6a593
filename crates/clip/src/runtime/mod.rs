//! onnxruntime: finding or installing it, sessions, execution providers. The only module that uses `ort`.

// Getting the library: searching for it, checking it before loading, installing it if there is none.
mod answers;
mod cache;
mod install;
mod library_file;
mod locate;
mod open;
mod packages;
mod pip;
mod pip_settings;
mod probe;
mod python;
mod report;
mod system;
mod trial;
mod unpack;

// Using it.
mod cuda;
mod device;
mod error;
mod loaded;
mod operators;
mod outputs;
mod session;
mod tiny_graph;
mod weights;

pub use answers::{ANSWERS, answers_folder};
pub use cache::{CACHE_VARIABLE, cache_folder};
pub use device::{Device, DeviceChoice};
pub use error::RuntimeError;
pub use install::install;
pub use loaded::Runtime;
pub use locate::{Candidate, LIBRARY_VARIABLE, Outcome, Source};
pub use open::{Options, open};
pub use operators::{BOTTLENECK_LANES, Prepared};
pub use outputs::Outputs;
pub use packages::{PLATFORMS, Platform};
pub use report::{Library, ProviderState, Report, report};
pub use session::{Input, Level, Session, SessionPlan};
pub use trial::{answer as try_library, own_program};
pub use weights::{Weights, aligned};
