//! Whether a canvas fits.

use super::CanvasError;
use crate::machine;
use crate::plan::Size;

/// Refuses what this machine, or whoever confines the process, has no memory for.
pub(super) fn check(needed: u64, size: Size) -> Result<(), CanvasError> {
    // Where the system tells nothing, nothing is refused.
    match machine::room() {
        Some(room) if needed > room.bytes => {
            Err(CanvasError::Memory { width: size.width, height: size.height, needed, room })
        }
        _ => Ok(()),
    }
}
