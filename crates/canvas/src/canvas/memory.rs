//! Checks that a canvas fits in memory.

use super::CanvasError;
use crate::machine;
use crate::plan::Size;

/// Returns an error if the canvas needs more memory than the machine has, or than the process's limits allow.
pub(super) fn check(needed: u64, size: Size) -> Result<(), CanvasError> {
    // If the system reports no limit, nothing is refused.
    match machine::room() {
        Some(room) if needed > room.bytes => {
            Err(CanvasError::Memory { width: size.width, height: size.height, needed, room })
        }
        _ => Ok(()),
    }
}
