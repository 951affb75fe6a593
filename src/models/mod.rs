//! From what people have (exports, checkpoints, downloads) to model folders.

mod error;
pub mod fetch;

pub use error::ModelsError;
