//! CUDA: loads its libraries and checks whether it works.
//!
//! onnxruntime's CUDA provider asks the system's loader for NVIDIA's libraries by name. The loader does not search the
//! folders of those that we install or that came as Python packages. But it uses a library that is already loaded under
//! the name, so we load them first.

use std::path::{Path, PathBuf};

use super::{Device, Runtime, RuntimeError, probe};

/// The command that installs the libraries CUDA needs.
const INSTALL: &str = "recipe-render runtime install --cuda";

/// Whether NVIDIA's driver seems to be present. This only decides where to look first.
pub(super) fn driver_seems_present() -> bool {
    let signs: &[&str] = if cfg!(windows) {
        &[r"C:\Windows\System32\nvcuda.dll"]
    } else {
        // The last one is the device in the Windows Subsystem for Linux.
        &["/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg"]
    };
    signs.iter().any(|sign| Path::new(sign).exists())
}

/// Loads those of NVIDIA's libraries that are beside onnxruntime or in the Python packages around it. Libraries
/// elsewhere are left to the system's loader. Returns the failures.
fn preload(library: &Path) -> Vec<String> {
    let folders = library_folders(library);
    let mut failures = Vec::new();
    // In this order, each library finds its dependencies loaded.
    for name in ort::ep::cuda::CUDA_DYLIBS.iter().chain(ort::ep::cuda::CUDNN_DYLIBS) {
        let Some(path) = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()) else { continue };
        if let Err(error) = ort::util::preload_dylib(&path) {
            failures.push(error.to_string());
        }
    }
    failures
}

/// Returns the folders that may hold NVIDIA's libraries: onnxruntime's own, and, if that is the folder `capi` of the
/// Python package `onnxruntime`, those of the `nvidia` packages beside it.
fn library_folders(library: &Path) -> Vec<PathBuf> {
    let Some(folder) = library.parent() else { return Vec::new() };
    let mut folders = vec![folder.to_owned()];
    if folder.ends_with("onnxruntime/capi")
        && let Some(packages) = folder.ancestors().nth(2)
    {
        let nvidia = std::fs::read_dir(packages.join("nvidia")).into_iter().flatten().flatten();
        let mut parts: Vec<PathBuf> = nvidia.map(|entry| entry.path()).collect();
        parts.sort();
        for part in parts {
            folders.extend([part.join("lib"), part.join("bin")]);
        }
    }
    folders
}

impl Runtime {
    /// Prepares the CUDA device of this number, and runs a small graph on it to check that it works.
    pub(super) fn try_cuda(&self, number: i32) -> Result<(), RuntimeError> {
        if !self.providers().iter().any(|provider| provider == "CUDAExecutionProvider") || !probe::has_cuda(self.path())
        {
            return Err(RuntimeError::device(
                format!("CUDA cannot be used: {} has no CUDA provider", self.path().display()),
                format!("`{INSTALL}` installs one with it"),
            ));
        }
        let failures = preload(self.path());
        match self.try_device(Device::Cuda(number)) {
            Ok(()) => Ok(()),
            Err(error) => {
                let mut message = format!("CUDA device {number} cannot be used: {}", error.message());
                for failure in failures {
                    message.push_str("\n  ");
                    message.push_str(&failure);
                }
                let hint = if driver_seems_present() {
                    format!("`{INSTALL}` installs the CUDA and cuDNN libraries that this onnxruntime was built for")
                } else {
                    "no NVIDIA driver was found; without a GPU use --device cpu".to_owned()
                };
                Err(RuntimeError::device(message, hint))
            }
        }
    }
}
