//! Checks a library before `ort` gets it.
//!
//! `ort` loads any file it is given and asserts the rest: a library that is too old, or not onnxruntime at all, would
//! cause a panic.

use std::{
    ffi::{CStr, c_char, c_void},
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use super::{library_file, trial::Refusal};

/// A usable library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probed {
    pub path: PathBuf,
    /// The version that the library reports: `1.32.0`.
    pub version: String,
}

/// The start of onnxruntime's C interface, the only part with the same layout in every version.
#[repr(C)]
struct ApiBase {
    get_api: unsafe extern "system" fn(u32) -> *const c_void,
    get_version_string: unsafe extern "system" fn() -> *const c_char,
}

/// The file name of the library with onnxruntime's CUDA provider.
pub(super) const CUDA_PROVIDER: &str =
    if cfg!(windows) { "onnxruntime_providers_cuda.dll" } else { "libonnxruntime_providers_cuda.so" };

/// Whether the library's CUDA provider is beside it.
pub(super) fn has_cuda(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.join(CUDA_PROVIDER).is_file())
}

/// Loads the library at `path` and checks that it is onnxruntime and has the interface that we use.
pub(super) fn probe(path: &Path) -> Result<Probed, Refusal> {
    // A bare file name would make the system's loader look elsewhere.
    let path = &std::path::absolute(path).map_err(|error| Refusal::Here(format!("cannot be read: {error}")))?;
    library_file::check(path).map_err(Refusal::Damaged)?;
    disable_telemetry();
    // SAFETY: loading runs the library's constructors. The headers say that it is complete and exports onnxruntime's
    // entry point; whether it really is onnxruntime cannot be known before.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| {
        // The loader's message is the source of the error, and repeats the path.
        let error = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        let reason = error.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&error);
        Refusal::Here(format!("cannot be loaded: {reason}"))
    })?;
    // Never unloaded: either it will be used, or its destructors had better not run.
    let library = ManuallyDrop::new(library);
    // SAFETY: this is the entry point's type in every version of onnxruntime; pointers are checked before use, and
    // what they point to lives as long as the library, which is never unloaded.
    let (version, api) = unsafe {
        let entry = library
            .get::<unsafe extern "system" fn() -> *const ApiBase>(library_file::ENTRY)
            .map_err(|_| Refusal::Unfit(format!("is not onnxruntime (it has no {})", library_file::ENTRY)))?;
        let unfit = |reason: &str| Refusal::Unfit(reason.to_owned());
        let base = entry().as_ref().ok_or_else(|| unfit("is an onnxruntime that does not start"))?;
        let version = (base.get_version_string)();
        if version.is_null() {
            return Err(unfit("is an onnxruntime without a version"));
        }
        let version = CStr::from_ptr(version).to_string_lossy().into_owned();
        // onnxruntime prints an error to stderr when asked for an interface that it does not have.
        let api = if new_enough(&version) { (base.get_api)(ort::MINOR_VERSION) } else { std::ptr::null() };
        (version, api)
    };
    if api.is_null() {
        let needed = format!("is onnxruntime {version}; 1.{} or newer is needed", ort::MINOR_VERSION);
        return Err(Refusal::Unfit(needed));
    }
    Ok(Probed { path: path.to_owned(), version })
}

/// Whether a version has the interface that we use.
fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(1), Some(minor)) => minor >= ort::MINOR_VERSION,
        _ => false,
    }
}

/// Keeps onnxruntime's telemetry from starting. `DisableTelemetryEvents`, which `ort` calls, comes too late: by then
/// the official builds have stored an identifier in the user's cache and started an upload thread.
pub(super) fn disable_telemetry() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: no C code in another thread may read the environment meanwhile. Rust's own reads are synchronised
        // with this write, and before onnxruntime is loaded nothing else in the program reads it.
        unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(new_enough("1.32.0"));
        assert!(new_enough("1.100.0-dev"));
        assert!(!new_enough("1.9.0"));
        assert!(!new_enough("2.0.0"));
        assert!(!new_enough(""));
    }

    #[test]
    fn a_serving_library_is_told_from_an_old_and_a_broken_one() {
        let real = crate::runtime::Runtime::for_tests();
        assert_eq!(probe(real.path()).unwrap().version, real.version());

        let bytes = std::fs::read(real.path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let truncated = folder.path().join("truncated.so");
        std::fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(probe(&truncated).unwrap_err(), Refusal::Damaged(reason) if reason.contains("cut short")));

        // Makes an old library from the real one by changing the version that it reports.
        let version = format!("{}\0", real.version()).into_bytes();
        let mut old_version = version.clone();
        // 1.32.0 becomes 1.02.0.
        old_version[2] = b'0';
        let mut old_bytes = bytes;
        let places: Vec<usize> =
            old_bytes.windows(version.len()).enumerate().filter(|(_, w)| *w == version).map(|(i, _)| i).collect();
        assert!(!places.is_empty(), "the version is not in the library");
        for place in places {
            old_bytes[place..place + version.len()].copy_from_slice(&old_version);
        }
        let old = folder.path().join("old.so");
        std::fs::write(&old, old_bytes).unwrap();
        let reason = probe(&old).unwrap_err();
        assert!(reason.reason().contains("or newer is needed"), "{reason:?}");
    }
}
