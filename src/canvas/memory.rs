//! Whether a canvas fits.

use super::CanvasError;
use crate::plan::Size;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Refuses what this machine, or the group that the process is confined to, has no memory for.
pub(super) fn check(needed: u64, size: Size) -> Result<(), CanvasError> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory);
    let confined = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    let available = system.available_memory().min(confined);
    // Where the system tells nothing, nothing is refused.
    if available > 0 && needed > available {
        return Err(CanvasError::Memory { width: size.width, height: size.height, needed, available });
    }
    Ok(())
}
