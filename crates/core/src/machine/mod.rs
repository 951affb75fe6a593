//! The memory that the machine, and any limits set on the process, allow.

mod groups;
mod memory;

pub use memory::{Bound, Room, room};
