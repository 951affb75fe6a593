//! The conditions that a picture depends on besides its plan.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::plan::{Ground, Plan, Prompt, Region};
use crate::runtime::{Device, Runtime};

/// The conditions that a picture depends on besides its plan. Two renders of one plan under equal conditions give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The hashes of the plan's models, in order, see [`ModelFolder::hash`](crate::clip::ModelFolder::hash).
    pub models: Vec<String>,
    /// onnxruntime's version and the hash of its file.
    pub library: String,
    /// The kind of device, and the processor, whose features decide which kernels are used.
    pub device: String,
    /// The files that the plan names: images and directions.
    pub files: Contents,
}

impl Conditions {
    /// Returns the conditions of a render of `plan` now.
    ///
    /// # Errors
    /// If a file that the plan names cannot be read.
    pub fn of(plan: &Plan, models: Vec<String>, runtime: &Runtime, device: Device) -> io::Result<Self> {
        let kind = match device {
            Device::Cpu => "cpu".to_owned(),
            Device::Cuda(number) => format!("cuda {}", graphics(number)),
        };
        Ok(Conditions {
            models,
            library: format!("{} {}", runtime.version(), runtime.hash()),
            device: format!("{kind}, {} {}", std::env::consts::ARCH, processor()),
            files: Contents::read(files(plan))?,
        })
    }
}

/// Returns the files that a plan names.
fn files(plan: &Plan) -> Vec<&Path> {
    let start = match &plan.canvas.init.ground {
        Ground::Image(path) => Some(path.as_path()),
        Ground::Colour(_) => None,
    };
    let prompts = plan.prompts.iter().filter_map(Prompt::file);
    let masks = plan.targets.iter().filter_map(|target| match &target.region {
        Some(Region::Mask(path)) => Some(path.as_path()),
        Some(Region::Rectangle { .. }) | None => None,
    });
    start.into_iter().chain(prompts).chain(masks).collect()
}

/// The hashes of files' contents.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    files: BTreeMap<PathBuf, (blake3::Hash, Option<Stamp>)>,
}

/// A file's length and modification time, known without reading it.
type Stamp = (u64, SystemTime);

impl PartialEq for Contents {
    /// Compares what the files contain, not when they were written.
    fn eq(&self, other: &Self) -> bool {
        let hashes = |contents: &Self| contents.files.iter().map(|(path, (hash, _))| (path.clone(), *hash)).collect();
        let (own, others): (Vec<_>, Vec<_>) = (hashes(self), hashes(other));
        own == others
    }
}

impl Eq for Contents {}

impl Contents {
    /// Reads files.
    pub fn read<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for path in paths {
            let stamp = stamp(path);
            files.insert(path.to_path_buf(), (blake3::hash(&std::fs::read(path)?), stamp));
        }
        Ok(Contents { files })
    }

    /// Returns a file's hash; for a file that was not read, a hash that no file has.
    pub(super) fn hash(&self, path: &Path) -> blake3::Hash {
        self.files.get(path).map_or(blake3::Hash::from_bytes([0; 32]), |(hash, _)| *hash)
    }

    /// Whether no file has been written since it was read.
    pub fn are_unchanged(&self) -> bool {
        self.files.iter().all(|(path, (_, then))| then.is_some() && stamp(path) == *then)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Returns the processor's name, as far as the system reports it.
fn processor() -> &'static str {
    use sysinfo::{CpuRefreshKind, RefreshKind, System};
    static BRAND: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BRAND.get_or_init(|| {
        let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
        system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default()
    })
}

/// Returns the GPU and its driver, as far as the system reports them (Linux).
fn graphics(number: i32) -> String {
    let driver = std::fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    let mut models: Vec<String> = Vec::new();
    for folder in std::fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(folder.path().join("information")).unwrap_or_default();
        models.extend(text.lines().find(|line| line.starts_with("Model:")).map(str::to_owned));
    }
    // Which GPU CUDA's number refers to depends on the environment, so all are included.
    models.sort();
    format!("{number} {} {driver}", models.join(" "))
}
