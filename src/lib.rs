//! recipe-render: a declarative picture renderer.
//!
//! ```text
//! recipe text ─▶ recipe ─▶ plan ─▶ render ─▶ picture
//!                           │        │
//!                     model (text)   ├─ canvas   parameters ⇄ pixels
//!                                    ├─ look     windows ⇄ canvas, the stages and their adjoints
//!                                    └─ encoder  windows ⇄ scores and window gradients (clip, on onnx + runtime)
//! ```
//!
//! A recipe becomes a picture so (`examples/` has more: a call after every step, the gradient of an ONNX graph):
//!
//! ```no_run
#![doc = include_str!("../examples/render.rs")]
//! ```

pub mod chance;
pub mod machine;
pub mod ours;
pub mod picture;
pub mod picture_file;
pub mod plan;

// text to plan
pub mod recipe;

// the model
pub mod clip;
pub mod direction;
pub mod models;
pub mod onnx;
pub mod runtime;

// the picture
pub mod canvas;
pub mod look;
pub mod perceptor;
pub mod render;
pub mod store;

// what the user sees
pub mod cli;
pub mod output;
pub mod preview;
pub mod terminal;
pub mod watch;
