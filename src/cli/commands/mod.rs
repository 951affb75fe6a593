//! The commands, one file or folder each. No command uses another.

pub mod cache;
pub mod check;
pub mod direction;
pub mod models;
pub mod new;
pub mod plan;
pub mod recover;
pub mod render;
pub mod runtime;
pub mod schema;
pub mod score;
pub mod shell;
pub mod sweep;
pub mod watch;
