//! Convolutions of channels-last arrays with constant weights, and their adjoints, for one thread of a CPU: the parts of
//! networks that general runtimes compute far below what the processor can do.
//!
//! Values are `f32`. The same processor gives the same bits; another set of [`Instructions`] may round otherwise.

mod bottleneck;
mod depthwise;
mod epilogue;
mod instructions;
mod product;

pub use bottleneck::{Axis, Bottleneck, BottleneckGradient, Layers, Shape};
pub use instructions::Instructions;
