//! What the machine, and whoever confines the process, allow.

mod groups;
mod memory;

pub use memory::{Bound, Room, gigabytes, room};
