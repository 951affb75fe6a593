//! Sampling of windows from the canvas: what the encoder is shown, and the backward pass.
//!
//! ```text
//! plan::Pipeline + draws ─▶ Window               geometry (one homography), filters, edge rule: all numbers drawn
//! pixels ─▶ Levels ─▶ gather ─▶ windows          [3, H, W] -> [N, 3, S, S]
//! window gradients ─▶ scatter ─▶ pixel gradient  [N, 3, S, S] -> [3, H, W], the exact adjoint (or derivative) of the two arrows above it
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `window` | one view with all its numbers drawn |
//! | `geometry` | where a window lies, and what the geometric stages do to it |
//! | `region` | parts of the canvas: where places lie, which part of a gradient counts |
//! | `homography` | 3 x 3 matrices and their local scale |
//! | `levels` | the chain of shrunk pictures, and its adjoint |
//! | `visible` | the part of every level that windows look at |
//! | `footprint` | which levels and how many probes a window pixel needs |
//! | `taps` | pixels that a run of samples touches, edges included |
//! | `gather` | `gather` |
//! | `scatter` | `scatter` |
//! | `filters` | what is done to a window's pixels: a file for each |

mod filters;
mod footprint;
mod gather;
mod geometry;
mod homography;
mod levels;
mod region;
mod scatter;
mod taps;
mod visible;
mod window;

#[cfg(test)]
mod tests;

pub use gather::gather;
pub use levels::Levels;
pub use region::{Region, RegionError};
pub use scatter::{ScatterScratch, scatter};
pub use visible::Visible;
pub use window::{FixedPlace, Frame, Window};

/// Returns the memory in bytes that sampling a canvas of this size takes: the levels, their gradients, and the pixel
/// gradient.
pub fn memory_needed(size: crate::plan::Size) -> u64 {
    2 * levels::memory_needed(size) + 12 * u64::from(size.width) * u64::from(size.height)
}
