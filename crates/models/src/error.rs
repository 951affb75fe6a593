//! What can go wrong on the way from what people have to a model folder.

use std::fmt::Display;
use std::path::Path;

use crate::clip::ClipError;

/// Why a model cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// What was given is not what it should be; the user can mend it.
    #[error("{message}")]
    Wrong { message: String, hint: Option<String> },
    /// The file system or the network failed.
    #[error("{message}")]
    Failed { message: String, hint: Option<String> },
    /// A model folder's own error.
    #[error(transparent)]
    Clip(#[from] ClipError),
}

impl ModelsError {
    /// What was given is wrong.
    pub fn wrong(message: impl Display) -> Self {
        ModelsError::Wrong { message: message.to_string(), hint: None }
    }

    /// Something failed that is nobody's mistake.
    pub fn failed(message: impl Display) -> Self {
        ModelsError::Failed { message: message.to_string(), hint: None }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: std::io::Error) -> Self {
        ModelsError::failed(format!("{}: {error}", path.display()))
    }

    /// The error with a hint at what to do.
    #[must_use]
    pub fn hinted(self, hint: impl Display) -> Self {
        let hint = Some(hint.to_string());
        match self {
            ModelsError::Wrong { message, .. } => ModelsError::Wrong { message, hint },
            ModelsError::Failed { message, .. } => ModelsError::Failed { message, hint },
            other => other,
        }
    }

    /// What the user may do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ModelsError::Wrong { hint, .. } | ModelsError::Failed { hint, .. } => hint.clone(),
            ModelsError::Clip(error) => error.hint(),
        }
    }
}
