//! `--timings FILE`: where the time went, as JSON.

use std::path::Path;

use serde::Serialize;

use crate::output::{UsedModel, WriteError, write_whole};

/// One render in figures.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Timings {
    /// Steps done.
    pub steps: u64,
    /// Steps that were planned but not needed: their phases ended early.
    pub spared: u64,
    /// Views that the encoder was shown.
    pub windows: u64,
    /// Of the time between the first step and the last.
    pub windows_per_second: f64,
    /// The process's greatest resident memory so far; null where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    pub seconds: Seconds,
    /// `cpu` or `cuda:N`.
    pub device: String,
    pub threads: usize,
    /// The model's name.
    pub model: String,
    pub model_hash: String,
    /// All of them, where several worked on the picture; `model` is the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<UsedModel>,
}

/// Wall-clock seconds. `look` to `optimize` are parts of the steps; where threads work on several at once they are what
/// the render attributes to each.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seconds {
    /// From the start of the process (in watch mode: of this render) to the first step.
    pub startup: f64,
    pub look: f64,
    pub encode: f64,
    pub push: f64,
    pub optimize: f64,
    /// Writing the picture, and what the render waited for snapshots.
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

/// The greatest resident memory of this process so far, in bytes, where the system tells.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    // Linux only: elsewhere there is no such file.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    high_water_mark(&status)
}

/// `VmHWM:     1234 kB`, where kB are 1024 bytes (proc_pid_status(5)).
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
