//! Checkpoints of CLIP vision transformers to graphs: weights as PyTorch projects publish them (`.safetensors`) become the
//! two encoders, without PyTorch.
//!
//! ```text
//! file(s) ─ Checkpoint ─┐
//!                       ├─ hugging_face / open_clip ─▶ towers (names gone) ─ image, text ─▶ Graph, Graph
//! configuration ────────┘
//! ```

// what is there
mod config;
mod file;
mod wanted;

// two layouts of names and settings to one description
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

/// What a checkpoint became.
#[derive(Debug, Clone)]
pub struct Converted {
    /// [`IMAGE`] `[N, 3, S, S]` f32 -> [`EMBEDDING`] `[N, D]` f32; N is free.
    pub image: Graph,
    /// [`INPUT_IDS`] `[N, T]` i64 -> [`EMBEDDING`] `[N, D]` f32; N is free. `None` where the checkpoint has no text encoder.
    pub text: Option<Graph>,
    /// The side S of the picture that the image encoder takes, in pixels.
    pub size: u32,
    /// The number D of values of an embedding.
    pub width: usize,
    /// What is subtracted from pixels in 0..1, a channel; where the configuration says so (OpenCLIP's).
    pub mean: Option<[f32; 3]>,
    /// What they are then divided by.
    pub deviation: Option<[f32; 3]>,
    /// The number T of tokens that the text encoder takes; 0 where there is none.
    pub context: usize,
    /// How many tokens the text encoder knows: ids lie below. 0 where there is none.
    pub vocabulary: usize,
    /// The id that pads texts, where the configuration says so.
    pub padding: Option<i64>,
    /// The tokenizer that the configuration names, where it is another than CLIP's own.
    pub tokenizer: Option<String>,
    /// How pictures are scaled, in the configuration's own words (OpenCLIP: `bicubic`, `bilinear`, `random`).
    pub interpolation: Option<String>,
    /// How pictures are brought to a square (OpenCLIP: `shortest` and a crop, `longest` and a border, `squash`).
    pub resize: Option<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Pixels as OpenAI's models take them, and most that came after.
pub const OPENAI_MEAN: [f32; 3] = [0.48145466, 0.4578275, 0.40821073];
/// What they are then divided by.
pub const OPENAI_DEVIATION: [f32; 3] = [0.26862954, 0.2613026, 0.2757771];
