//! What can go wrong with directions.

use std::path::PathBuf;

use crate::clip::ClipError;

/// An error of fitting, writing or reading directions.
#[derive(Debug, thiserror::Error)]
pub enum DirectionError {
    /// A class, or its complement, has fewer examples than [`super::FEWEST`].
    #[error("{of}: {found} readable pictures, at least {} are needed", super::FEWEST)]
    TooFew { of: String, found: usize },
    /// Too many examples are in the same group, so none are left to hold out or to learn from.
    #[error("class \"{class}\": {message}")]
    Groups { class: String, message: String },
    /// Newton's method did not converge.
    #[error("class \"{class}\": the fit does not converge")]
    Diverged { class: String },
    /// The texts give no direction.
    #[error("the texts of --more and of --less have the same mean: there is no direction from one to the other")]
    NoDifference,
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// Not a file of directions, or a damaged one.
    #[error("{}: {message}", path.display())]
    File { path: PathBuf, message: String },
    /// Made for another model.
    #[error("{}: made for another model: {}", path.display(), difference(of, used))]
    OtherModel { path: PathBuf, of: super::Model, used: super::Model },
    #[error(transparent)]
    Clip(#[from] ClipError),
}

/// Describes the difference between two models.
fn difference(of: &super::Model, used: &super::Model) -> String {
    if of.name == used.name {
        return format!("the files of `{}` have changed", of.name);
    }
    format!("it is for `{}`, not for `{}`", of.name, used.name)
}

impl DirectionError {
    /// Returns a hint about what the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            DirectionError::TooFew { .. } => {
                Some("the more examples, the better: a few hundred of each are a good start".into())
            }
            DirectionError::Groups { .. } => {
                Some("pictures of the same name, or the same pictures, stay together: add others".into())
            }
            DirectionError::Diverged { .. } | DirectionError::NoDifference => None,
            DirectionError::Read { .. } => None,
            DirectionError::File { .. } => {
                Some("`recipe-render direction fit -o FILE` makes files of directions".into())
            }
            DirectionError::OtherModel { used, path, .. } => Some(format!(
                "make it again from the same examples: recipe-render direction fit --model {} ... -o {}",
                used.name,
                path.display()
            )),
            DirectionError::Clip(error) => error.hint(),
        }
    }
}
