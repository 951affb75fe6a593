//! Errors of models.

use std::path::PathBuf;

use crate::{machine::Room, onnx::OnnxError, runtime::RuntimeError, units};

/// An error of a model folder or its encoders.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("no model `{name}`")]
    Unknown { name: String, hint: String },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {message}", path.display())]
    Picture { path: PathBuf, message: String },
    #[error("{}: {message}", path.display())]
    Description { path: PathBuf, message: String },
    #[error("model `{model}`: tokenizer: {message}")]
    Tokenizer { model: String, message: String },
    #[error("model `{model}`: {message}")]
    Encoder { model: String, message: String, hint: Option<String> },
    #[error("the texts of \"{prompt}\" cancel each other out: they have no mean")]
    Opposed { prompt: String },
    #[error("model `{model}`: {source}")]
    Graph { model: String, source: OnnxError },
    /// There is no memory for the sessions.
    #[error(
        "model `{model}` needs about {} of memory to look at {sessions} times {windows} windows at once, {room}", units::bytes(*needed)
    )]
    Memory { model: String, windows: usize, sessions: usize, needed: u64, room: Room },
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
}

impl ClipError {
    /// Returns a hint about what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ClipError::Unknown { hint, .. } => Some(hint.clone()),
            ClipError::Description { .. } => Some("docs/models.md describes model.toml".into()),
            ClipError::Encoder { hint, .. } => hint.clone(),
            ClipError::Graph { source, .. } => source.hint().map(str::to_owned),
            ClipError::Runtime(error) => error.hint().map(str::to_owned),
            ClipError::Memory { sessions, room, .. } => {
                let fewer =
                    if *sessions > 1 { "fewer threads (--threads 1) need less" } else { "a smaller model needs less" };
                Some(room.hint(fewer))
            }
            _ => None,
        }
    }
}
