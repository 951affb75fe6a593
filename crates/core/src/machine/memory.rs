//! How much memory is available to this process.

use std::fmt;
use std::path::{Path, PathBuf};

use super::groups;
use crate::units;

/// The memory that this process can still allocate, and what limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub bytes: u64,
    pub bound: Bound,
}

/// What limits the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The machine's own memory.
    Machine,
    /// The limit of a control group (a container, a systemd unit), with its bytes.
    Group { name: PathBuf, limit: u64 },
    /// The limit of the process's address space (`ulimit -v`), with its bytes.
    Addresses { limit: u64 },
    /// The limit of the process's data segment (`ulimit -d`), with its bytes.
    Data { limit: u64 },
}

impl fmt::Display for Room {
    /// `250.0 MB are available of the 314.6 MB that the control group /user.slice/a.scope allows`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} are available", units::bytes(self.bytes))?;
        match &self.bound {
            Bound::Machine => Ok(()),
            Bound::Group { name, limit } => {
                write!(f, " of the {} that the control group {} allows", units::bytes(*limit), name.display())
            }
            Bound::Addresses { limit } => write!(f, " of the {} that `ulimit -v` sets", units::bytes(*limit)),
            Bound::Data { limit } => write!(f, " of the {} that `ulimit -d` sets", units::bytes(*limit)),
        }
    }
}

impl Room {
    /// Says how to help when the room is too small: how to raise its limit, and `less`, a hint on how to need less.
    pub fn hint(&self, less: &str) -> String {
        match self.bound.raise() {
            Some(raise) => format!("{raise}; {less}"),
            None => less.to_owned(),
        }
    }
}

impl Bound {
    /// Says how to raise the limit. Returns `None` for the machine's own memory.
    fn raise(&self) -> Option<&'static str> {
        match self {
            Bound::Machine => None,
            Bound::Group { .. } => Some(
                "raise the limit where the process is started (systemd's MemoryMax, docker's --memory, the memory of a job)",
            ),
            Bound::Addresses { .. } => Some("raise the limit: `ulimit -v unlimited`"),
            Bound::Data { .. } => Some("raise the limit: `ulimit -d unlimited`"),
        }
    }
}

/// Returns the smallest of all rooms, or `None` where the system reports nothing.
pub fn room() -> Option<Room> {
    let machine = machine().map(|bytes| Room { bytes, bound: Bound::Machine });
    let groups = if cfg!(target_os = "linux") { groups::rooms(Path::new("/")) } else { Vec::new() };
    machine.into_iter().chain(groups).chain(own_limits()).min_by_key(|room| room.bytes)
}

/// Returns the machine's available memory.
#[cfg(target_os = "linux")]
fn machine() -> Option<u64> {
    // Not with sysinfo, which parses everything else in the file, too.
    available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<u64> {
    use sysinfo::{MemoryRefreshKind, RefreshKind, System};
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let bytes = System::new_with_specifics(memory).available_memory();
    (bytes > 0).then_some(bytes)
}

/// Returns the memory that `/proc/meminfo` reports as available: free, or reclaimable.
#[cfg(any(target_os = "linux", test))]
fn available(meminfo: &str) -> Option<u64> {
    kilobytes(meminfo, "MemAvailable:").or_else(|| {
        // Kernels before 3.14.
        let [free, cached] = ["MemFree:", "Cached:"].map(|name| kilobytes(meminfo, name));
        free?.checked_add(cached.unwrap_or(0))
    })
}

/// Reads a line like `VmSize:  1234 kB` and returns its bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Returns the room that the process's own limits leave.
#[cfg(unix)]
fn own_limits() -> Vec<Room> {
    use rustix::process::{Resource, getrlimit};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = [
        (getrlimit(Resource::As).current, "VmSize:", (|limit| Bound::Addresses { limit }) as fn(u64) -> Bound),
        (getrlimit(Resource::Data).current, "VmData:", |limit| Bound::Data { limit }),
    ];
    let room = |(limit, used, bound): (Option<u64>, &str, fn(u64) -> Bound)| {
        let limit = limit?;
        // Where the usage is not reported, it counts as zero.
        Some(Room { bytes: limit.saturating_sub(kilobytes(&status, used).unwrap_or(0)), bound: bound(limit) })
    };
    limits.into_iter().filter_map(room).collect()
}

#[cfg(not(unix))]
fn own_limits() -> Vec<Room> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read() {
        let text = "MemTotal: 100 kB\nMemFree:  10 kB\nMemAvailable:     50 kB\nCached:   30 kB\n";
        assert_eq!(available(text), Some(50 << 10));
        assert_eq!(available("MemFree: 10 kB\nCached: 30 kB\n"), Some(40 << 10));
        for wrong in ["", "MemAvailable:", "MemAvailable: x kB", "MemAvailable: 99999999999999999999 kB"] {
            assert_eq!(available(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_room_says_what_bounds_it() {
        let room = |bound| Room { bytes: 250_000_000, bound }.to_string();
        assert_eq!(room(Bound::Machine), "250.0 MB are available");
        assert_eq!(
            room(Bound::Group { name: "/a.scope".into(), limit: 300 << 20 }),
            "250.0 MB are available of the 314.6 MB that the control group /a.scope allows"
        );
        assert!(room(Bound::Addresses { limit: 1 << 30 }).contains("ulimit -v"));
    }
}
