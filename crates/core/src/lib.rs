//! What the parts of recipe-render stand on: what is given beside a recipe, the plan that a recipe becomes, pictures and picture files,
//! random draws, and what is known of the machine and of our own files on it.

pub mod chance;
pub mod given;
pub mod machine;
pub mod ours;
pub mod picture;
pub mod picture_file;
pub mod plan;
pub mod sha256;
pub mod underway;
pub mod units;
