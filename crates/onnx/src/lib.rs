//! ONNX graphs as data: read, fold, prune, differentiate, write. Knows nothing of CLIP, recipes or onnxruntime.
//!
//! ```text
//! bytes ─ read ─▶ Graph in normal form ─ fold ─▶ static sizes ─ differentiate ─▶ forward and backward ─ write ─▶ bytes
//! ```

// the graph and its builder
mod builder;
mod error;
mod graph;
mod shapes;
mod tensor;

// bytes to graph and back
mod external;
mod functions;
mod lower;
mod normal;
mod proto;
mod read;
mod signature;
mod write;

// graph to graph
mod bottleneck;
mod constant;
mod dequantise;
mod extract;
mod fold;
mod fuse;
mod gradient;
mod narrow;
mod repeat;
mod widen;
mod working;

// semantics of operators
mod resampling;
mod support;
mod window;

pub use bottleneck::{BOTTLENECK, DOMAIN, GRADIENT, Sizes as BottleneckSizes, fuse_bottlenecks};
pub use builder::Builder;
pub use dequantise::{Dequantised, dequantise};
pub use error::OnnxError;
pub use external::{external_files, map_file};
pub use fold::{fold, prepare};
pub use gradient::{differentiate, gradient_graph};
pub use graph::{Attribute, Dim, Graph, Node, OPSET, ValueType};
pub use signature::Signature;
pub use support::{Support, supported_operators};
pub use tensor::{DataType, Tensor};
pub use write::ALIGNED;

#[cfg(test)]
mod fold_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod test_support;
