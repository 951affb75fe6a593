//! The loop of recipe-render (`render`), the models of a plan at work in it (`perceptor`), and the states of renders on disk (`store`).

pub mod perceptor;
pub mod render;
pub mod store;

use recipe_render_canvas::{canvas, sampling, spans};
use recipe_render_clip::{clip, runtime};
use recipe_render_core::{chance, ours, picture, plan};
use recipe_render_direction as direction;
use recipe_render_onnx as onnx;
use recipe_render_output::output;
use recipe_render_recipe as recipe;
