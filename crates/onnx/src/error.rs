//! The errors of reading and transforming a graph.

/// An error when reading, folding, or differentiating a graph.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The model's file cannot be read.
    #[error("cannot read `{}`: {reason}", .path.display())]
    File { path: std::path::PathBuf, reason: String },
    /// The bytes are not an ONNX model.
    #[error("not an ONNX model: {0}")]
    Decode(#[from] prost::DecodeError),
    /// The file is only a pointer of Git LFS in place of the model.
    #[error("this is a pointer of Git LFS, not the file itself")]
    Pointer,
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The graph is complete, but it breaks ONNX's own rules.
    #[error("invalid ONNX graph: {0}")]
    Invalid(String),
    /// The bytes decode, but their content makes no sense.
    #[error("malformed ONNX model: {0}")]
    Malformed(String),
    /// A file of external weights is missing, too short, or outside the model's folder.
    #[error("external weights `{location}`: {reason}")]
    External { location: String, reason: String },
    /// The model is valid, but uses something unsupported.
    #[error("unsupported ONNX model: {0}")]
    Unsupported(String),
    /// An operator on the path between the requested input and output has no derivative here.
    #[error("operator `{operator}` (node `{node}`) has no gradient rule")]
    NoRule { operator: String, node: String },
    /// A rule exists but does not cover this use of the operator.
    #[error("the gradient rule of operator `{operator}` (node `{node}`) does not cover {what}")]
    NotCovered { operator: String, node: String, what: String },
    /// A gradient needs the sizes of a value, and these are not fixed numbers.
    #[error("value `{value}` has no static shape{}", .node.as_ref().map(|n| format!(" (computed by {n})")).unwrap_or_default())]
    NoShape { value: String, node: Option<String> },
    /// The graph has no value of this name.
    #[error("the graph has no value named `{0}`")]
    NoValue(String),
    /// The requested input has no influence on the given output.
    #[error("value `{input}` does not influence any of the outputs differentiated")]
    NoPath { input: String },
    /// The folding function failed.
    #[error("folding failed: {0}")]
    Fold(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OnnxError {
    /// Says what the user can do about the error.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            OnnxError::NoRule { operator, .. } if operator.starts_with("com.microsoft.") => {
                Some("onnxruntime's optimiser put that operator in; take the export that was not optimised")
            }
            OnnxError::NoRule { operator, .. } if ["If", "Loop", "Scan"].contains(&operator.as_str()) => Some(
                "control flow has no gradient here; export the model with fixed sizes of the image, or with torch.onnx.export(..., dynamo=True)",
            ),
            OnnxError::NoRule { operator, .. } if operator.ends_with("Linear") || operator.ends_with("Integer") => {
                Some("the model is quantised; take the float export (often `model.onnx` beside it)")
            }
            OnnxError::NoRule { .. } => Some("docs/adding-an-operator.md says how to add one"),
            OnnxError::NotCovered { .. } => Some("docs/adding-an-operator.md says how to extend a rule"),
            OnnxError::Pointer => Some("`git lfs pull` fetches the file itself"),
            OnnxError::Invalid(_) => Some(
                "its exporter wrote it that way, and no runtime accepts it: export it again (torch.onnx.export without \
                 output_names, or with another name for each output, or with dynamo=False), or take another export",
            ),
            OnnxError::Decode(_) | OnnxError::Malformed(_) | OnnxError::Empty => {
                Some("is the file complete? compare its size and hash with the page it came from")
            }
            _ => None,
        }
    }
}

/// A shorthand for [`OnnxError::Invalid`].
pub(crate) fn invalid(what: impl Into<String>) -> OnnxError {
    OnnxError::Invalid(what.into())
}

/// A shorthand for [`OnnxError::Malformed`].
pub(crate) fn malformed(what: impl Into<String>) -> OnnxError {
    OnnxError::Malformed(what.into())
}
