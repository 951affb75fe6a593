//! The state of a canvas between two steps, so that it can be saved and restored without losing a bit.

use std::borrow::Cow;

/// Everything that the next steps of a canvas depend on: the parameters and the optimiser's moments. What follows from the plan
/// (amplitudes, colour axes, scratch) is not part of it.
///
/// Borrowed, not copied: a checkpoint may be written straight from it, and read back from a mapped file.
#[derive(Debug, Clone, PartialEq)]
pub struct State<'a> {
    /// The basis: `pixels`, `pyramid` or `fourier`.
    pub basis: Cow<'a, str>,
    /// The kind of optimiser that `mean` and `square` belong to.
    pub optimiser: Cow<'a, str>,
    /// The tensors under unique names, in an order that depends only on the basis.
    pub tensors: Vec<Tensor<'a>>,
}

/// One array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<'a> {
    /// `parameters`, `mean`, `square` or `ages`; for a pyramid's levels prefixed with `levels.N.`, N from 0 at the coarsest.
    pub name: Cow<'a, str>,
    /// Its sides; their product is the number of values.
    pub shape: Vec<usize>,
    pub values: Values<'a>,
}

/// The values of a tensor, the last side running fastest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values<'a> {
    F32(&'a [f32]),
    U16(&'a [u16]),
    U64(&'a [u64]),
}

/// The reason why a state does not belong to a canvas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error("a state of the basis `{found}` where the canvas's is `{expected}`")]
    Basis { expected: String, found: String },
    #[error("the state has an unknown optimiser, `{0}`")]
    Optimiser(String),
    #[error("the state has no `{0}`")]
    Missing(String),
    #[error("the state's `{0}` does not belong to this canvas")]
    Unknown(String),
    #[error("the state's `{name}` has the shape {found:?}, expected {expected}")]
    Shape { name: String, expected: String, found: Vec<usize> },
    #[error("the state's `{0}` has numbers of the wrong type")]
    Type(String),
}

/// A store's own array, to be overwritten by a restored tensor.
pub(super) enum Slot<'a> {
    F32(&'a mut [f32]),
    U16(&'a mut [u16]),
    U64(&'a mut [u64]),
}

impl<'a> Tensor<'a> {
    pub(super) fn f32(name: impl Into<Cow<'a, str>>, shape: &[usize], values: &'a [f32]) -> Self {
        Tensor { name: name.into(), shape: shape.to_vec(), values: Values::F32(values) }
    }

    pub(super) fn u16(name: impl Into<Cow<'a, str>>, shape: &[usize], values: &'a [u16]) -> Self {
        Tensor { name: name.into(), shape: shape.to_vec(), values: Values::U16(values) }
    }

    pub(super) fn u64(name: impl Into<Cow<'a, str>>, values: &'a [u64]) -> Self {
        Tensor { name: name.into(), shape: vec![values.len()], values: Values::U64(values) }
    }
}

impl State<'_> {
    /// Returns the tensor with a name.
    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor<'_>, StateError> {
        self.tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| StateError::Missing(name.to_owned()))
    }

    /// Copies every tensor to its slot. Each slot needs a tensor of its shape and type, and no tensor may be left over.
    pub(super) fn fill(&self, slots: Vec<(String, Vec<usize>, Slot<'_>)>) -> Result<(), StateError> {
        let known = |tensor: &&Tensor<'_>| slots.iter().all(|(name, ..)| tensor.name != name.as_str());
        if let Some(unknown) = self.tensors.iter().find(known) {
            return Err(StateError::Unknown(unknown.name.to_string()));
        }
        for (name, shape, slot) in slots {
            let tensor = self.tensor(&name)?;
            if tensor.shape != shape {
                let expected = format!("{shape:?}");
                return Err(StateError::Shape { name, expected, found: tensor.shape.clone() });
            }
            let fits = match (slot, tensor.values) {
                (Slot::F32(to), Values::F32(from)) => copy(to, from),
                (Slot::U16(to), Values::U16(from)) => copy(to, from),
                (Slot::U64(to), Values::U64(from)) => copy(to, from),
                _ => return Err(StateError::Type(name)),
            };
            if !fits {
                let expected = format!("{shape:?} with as many values");
                return Err(StateError::Shape { name, expected, found: tensor.shape.clone() });
            }
        }
        Ok(())
    }
}

fn copy<T: Copy>(to: &mut [T], from: &[T]) -> bool {
    let fits = to.len() == from.len();
    if fits {
        to.copy_from_slice(from);
    }
    fits
}
