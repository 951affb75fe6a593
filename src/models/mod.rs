//! From what people have (exports, checkpoints, downloads) to model folders.

mod error;

pub use error::ModelsError;
