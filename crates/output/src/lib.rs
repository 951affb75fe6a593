//! What recipe-render writes: pictures with their recipe inside, contact sheets and videos (`output`), and pictures as text for
//! terminals (`terminal`).

pub mod output;
pub mod terminal;

use recipe_render_core::{given, picture, plan, underway};
