//! The weights of EfficientNet-lite2 in 8 bits, for the embedded model of recipe-render.

/// The weights, as the model's `image.onnx` points at them.
pub const WEIGHTS: &[u8] = include_bytes!("../lite2.weights");
