//! Turns exports, checkpoints and downloads into model folders.

use recipe_render_clip::{clip, runtime};
use recipe_render_core::{chance, ours, underway, units};
use recipe_render_onnx as onnx;
use recipe_render_output::output;

// graphs from weights
mod checkpoint;
mod vocabulary;

// model folders
mod advice;
mod check;
mod examine;
mod explain;
pub mod fetch;
mod import;
mod own;

mod error;

pub use advice::{Family, classifier_advice};
pub use check::{Colours, Findings, Gradient, References, Speed, check};
pub use checkpoint::{
    Activation, Checkpoint, Converted, EMBEDDING, IMAGE, INPUT_IDS, Layout, OPENAI_DEVIATION, OPENAI_MEAN,
    hugging_face, infer_open_clip, open_clip,
};
pub use error::ModelsError;
pub use examine::{Examined, examine};
pub use explain::{By, Explained, Near, explain, explain_labels};
pub use import::{Card, Request, Settings, import, models_folder};
pub use own::{check_own, remove_own};
pub use vocabulary::{Vocabulary, clip_vocabulary, vocabulary};
