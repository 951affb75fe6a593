//! ONNX graphs as data: read, fold, prune, differentiate, write. Knows nothing of CLIP, recipes or onnxruntime.

mod tensor;

pub use tensor::{DataType, Tensor};
