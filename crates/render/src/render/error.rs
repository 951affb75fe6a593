//! Errors of a render.

use crate::{
    canvas::{CanvasError, StateError},
    clip::ClipError,
    sampling::RegionError,
};

/// An error of a render.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(transparent)]
    Canvas(#[from] CanvasError),
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error(transparent)]
    Region(#[from] RegionError),
    #[error("cannot continue the render from this state: {0}")]
    State(String),
    #[error("the model's gradient at step {step} is not a finite number")]
    NotFinite { step: u64 },
}

impl RenderError {
    /// Returns a hint about what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            RenderError::Clip(error) => error.hint(),
            RenderError::NotFinite { .. } => {
                Some("try a lower rate or another model; f16 models overflow easily".into())
            }
            RenderError::Canvas(error) => error.hint(),
            RenderError::Region(_) | RenderError::State(_) => None,
        }
    }
}

impl From<StateError> for RenderError {
    fn from(error: StateError) -> Self {
        RenderError::State(error.to_string())
    }
}
