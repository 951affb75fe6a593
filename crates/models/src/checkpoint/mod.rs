//! Converts checkpoints of CLIP vision transformers to graphs: weights as PyTorch projects publish them (`.safetensors`) become
//! the two encoders, without PyTorch.
//!
//! ```text
//! file(s) ─ Checkpoint ─┐
//!                       ├─ hugging_face / open_clip ─▶ towers (names gone) ─ image, text ─▶ Graph, Graph
//! configuration ────────┘
//! ```

// input
mod config;
mod file;
mod tensor_reader;

// two layouts of names and settings, converted to one description
mod hugging_face;
mod infer;
mod open_clip;
mod supported;
mod towers;

// the description to operators
mod block;
mod image;
mod text;

#[cfg(test)]
mod full_size;
#[cfg(test)]
mod tests;

use crate::onnx::Graph;

pub use file::{Checkpoint, Layout};
pub use hugging_face::hugging_face;
pub use infer::infer_open_clip;
pub use open_clip::open_clip;
pub use towers::Activation;

/// The name of the image encoder's input, `[N, 3, S, S]` f32: pixels, normalised as the model wants them.
pub const IMAGE: &str = "image";
/// The name of the text encoder's input, `[N, T]` i64: token ids.
pub const INPUT_IDS: &str = "input_ids";
/// The name of both encoders' output, `[N, D]` f32, not normalised.
pub const EMBEDDING: &str = "embedding";

/// The result of a conversion.
#[derive(Debug, Clone)]
pub struct Converted {
    /// [`IMAGE`] `[N, 3, S, S]` f32 -> [`EMBEDDING`] `[N, D]` f32; N is open.
    pub image: Graph,
    /// [`INPUT_IDS`] `[N, T]` i64 -> [`EMBEDDING`] `[N, D]` f32; N is open. `None` if the checkpoint has no text encoder.
    pub text: Option<Graph>,
    /// The side S of the picture that the image encoder takes, in pixels.
    pub size: u32,
    /// The number D of values of an embedding.
    pub width: usize,
    /// Subtracted from pixels in 0..1, per channel; if the configuration gives it (OpenCLIP's).
    pub mean: Option<[f32; 3]>,
    /// Divides the pixels after that.
    pub deviation: Option<[f32; 3]>,
    /// The number T of tokens that the text encoder takes; 0 without a text encoder.
    pub context: usize,
    /// The number of tokens that the text encoder knows, greater than every id; 0 without a text encoder.
    pub vocabulary: usize,
    /// The token id used for padding, if the configuration gives it.
    pub padding: Option<i64>,
    /// The tokenizer that the configuration names, if it is not CLIP's own.
    pub tokenizer: Option<String>,
    /// The interpolation of pictures, as named in the configuration (OpenCLIP: `bicubic`, `bilinear`, `random`).
    pub interpolation: Option<String>,
    /// How pictures are made square (OpenCLIP: `shortest` and a crop, `longest` and a border, `squash`).
    pub resize: Option<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// The mean of pixels for OpenAI's models and most later ones.
pub const OPENAI_MEAN: [f32; 3] = [0.48145466, 0.4578275, 0.40821073];
/// The deviation that pixels are then divided by.
pub const OPENAI_DEVIATION: [f32; 3] = [0.26862954, 0.2613026, 0.2757771];
