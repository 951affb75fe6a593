//! Models: folders, tokenizers, text features, and the image encoder with its similarity head.

mod description;
mod encoder;
mod error;
mod features;
mod folder;
mod head;
mod text;

pub use description::Description;
pub use encoder::{Encoder, Questions, fold_encoder};
pub use error::ClipError;
pub use features::Features;
pub use folder::{ModelFolder, map_file};
pub use text::{TextTokenizer, Tokens, features};
