//! CLIP models as ONNX: onnxruntime (`runtime`, the only module that names `ort`), and on it model folders, tokenizers, features of texts
//! and images, and the image encoder with its gradient (`clip`).

pub mod clip;
pub mod runtime;

#[cfg(test)]
use recipe_render_core::chance;
use recipe_render_core::{machine, ours, picture_file, plan, underway, units};
use recipe_render_onnx as onnx;
