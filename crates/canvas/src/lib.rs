//! The canvas of recipe-render and the windows sampled from it: parameters to pixels to windows, and gradients all the way back, each
//! linear stage with its exact adjoint.

pub mod canvas;
pub mod sampling;
pub mod spans;

use recipe_render_core::{chance, machine, picture, picture_file, plan, units};
