//! recipe-render: a declarative picture renderer.
//!
//! ```text
//! recipe text ─▶ recipe ─▶ plan ─▶ render ─▶ picture
//!                           │        │
//!                     model (text)   ├─ canvas   parameters ⇄ pixels
//!                                    ├─ sampling windows ⇄ canvas, the stages and their adjoints
//!                                    └─ encoder  windows ⇄ scores and window gradients (clip, on onnx + runtime)
//! ```
//!
//! Rendering a recipe to a picture (`examples/` has more: a call after every step, the gradient of an ONNX graph):
//!
//! ```no_run
#![doc = include_str!("../examples/render.rs")]
//! ```

// what all stands on
pub use recipe_render_core::{chance, given, machine, ours, picture, picture_file, plan, underway, units};

// text to plan
pub use recipe_render_recipe as recipe;

// the model
pub use recipe_render_clip::{clip, runtime};
pub use recipe_render_direction as direction;
pub use recipe_render_models as models;
pub use recipe_render_onnx as onnx;

// the picture
pub use recipe_render_canvas::{canvas, sampling};
pub use recipe_render_render::{perceptor, render, store};

// what the user sees
pub mod cli;
pub use recipe_render_output::{output, terminal};
pub mod preview;
pub mod watch;
