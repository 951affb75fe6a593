//! Directions.
pub mod contrast;
