//! `--timings FILE`: the time that each part of a render took, as JSON.

use std::path::Path;

use serde::Serialize;

use crate::output::{UsedModel, WriteError, write_whole};

/// The measurements of one render.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Timings {
    /// Steps done.
    pub steps: u64,
    /// Steps that were planned but not needed: their phases ended early.
    pub spared: u64,
    /// Views that the encoder has seen.
    pub windows: u64,
    /// The mean over the time from the first step to the last.
    pub windows_per_second: f64,
    /// The peak resident memory of the process so far; null where the system does not report it.
    pub peak_rss_bytes: Option<u64>,
    pub seconds: Seconds,
    /// `cpu` or `cuda:N`.
    pub device: String,
    pub threads: usize,
    /// The model's name.
    pub model: String,
    pub model_hash: String,
    /// All models if several were used, else empty; `model` is the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<UsedModel>,
}

/// Wall-clock seconds. `look` to `optimize` are parts of the steps. Where threads work on several parts at once, they are the
/// shares that the render attributes to each.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seconds {
    /// From the start of the process (in watch mode: of this render) to the first step.
    pub startup: f64,
    pub look: f64,
    pub encode: f64,
    pub push: f64,
    pub optimize: f64,
    /// Writing the picture, and waiting for snapshots.
    pub output: f64,
    /// From the start of the process (in watch mode: of this render) to the written picture.
    pub total: f64,
}

impl Timings {
    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_whole(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }
}

/// Returns the peak resident memory of this process so far in bytes, if the system reports it.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    // Only Linux has this file.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    high_water_mark(&status)
}

/// Reads the line `VmHWM:     1234 kB`, where kB are 1024 bytes (proc_pid_status(5)).
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read() {
        assert_eq!(high_water_mark("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(high_water_mark("Name:\tx\n"), None);
        #[cfg(target_os = "linux")]
        assert!(peak_rss_bytes().unwrap() > 1 << 20);
    }
}
