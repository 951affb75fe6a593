//! From what people have (exports, checkpoints, downloads) to model folders.

mod checkpoint;
mod error;
mod vocabulary;

pub use checkpoint::{
    Activation, Checkpoint, Converted, EMBEDDING, IMAGE, INPUT_IDS, Layout, OPENAI_DEVIATION, OPENAI_MEAN,
    hugging_face, infer_open_clip, open_clip,
};
pub use error::ModelsError;
pub use vocabulary::{Vocabulary, clip_vocabulary, vocabulary};
