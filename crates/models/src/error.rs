//! Errors in turning files into a model folder.

use std::fmt::Display;
use std::path::Path;

use crate::clip::ClipError;

/// The reason why a model cannot be used or imported.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The input is not what it should be; the user can fix it.
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
    /// Creates an error for wrong input.
    pub fn wrong(message: impl Display) -> Self {
        ModelsError::Wrong { message: message.to_string(), hint: None }
    }

    /// Creates an error for a failure that is nobody's mistake.
    pub fn failed(message: impl Display) -> Self {
        ModelsError::Failed { message: message.to_string(), hint: None }
    }

    /// Creates an error for a file that cannot be read or written.
    pub fn file(path: &Path, error: std::io::Error) -> Self {
        ModelsError::failed(format!("{}: {error}", path.display()))
    }

    /// Adds a hint about what to do.
    #[must_use]
    pub fn hinted(self, hint: impl Display) -> Self {
        let hint = Some(hint.to_string());
        match self {
            ModelsError::Wrong { message, .. } => ModelsError::Wrong { message, hint },
            ModelsError::Failed { message, .. } => ModelsError::Failed { message, hint },
            other => other,
        }
    }

    /// Returns a hint about what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            ModelsError::Wrong { hint, .. } | ModelsError::Failed { hint, .. } => hint.clone(),
            ModelsError::Clip(error) => error.hint(),
        }
    }
}
