//! From what people have (exports, checkpoints, downloads) to model folders.

mod check;
mod error;
mod examine;
pub mod fetch;
mod import;

pub use check::{Colours, Findings, Gradient, References, Speed, check};
pub use error::ModelsError;
pub use examine::{Examined, examine};
pub use import::{Card, Request, Settings, import, models_folder};
