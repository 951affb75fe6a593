//! Rewriting what exporters spell out into the one operator it is, before differentiating: fewer nodes forward, and far
//! fewer backward.

mod batch_normalization;

pub(super) use batch_normalization::batch_normalization;
