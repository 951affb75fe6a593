//! Checks a library's headers before it is loaded.
//!
//! The system's loader trusts its input: a truncated library can end the process with a bus error, and an unrelated
//! library runs its constructors before we can ask what it is. So the headers are read first.

use std::{fs::File, path::Path};

use object::{
    Architecture, FileKind, Object, ObjectSegment, ReadCache, ReadRef,
    read::macho::{FatArch, MachOFatFile32, MachOFatFile64},
};

/// The function that identifies onnxruntime.
pub(super) const ENTRY: &str = "OrtGetApiBase";

/// Checks that `path` is a complete shared library for this system and processor that exports onnxruntime's entry
/// point. The error is the reason why not, to be printed after the path (`is cut short: ...`).
pub(super) fn check(path: &Path) -> Result<(), String> {
    // Reads the metadata before opening, because opening a pipe waits for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    if metadata.len() == 0 {
        return Err("is empty".to_owned());
    }
    let cache = ReadCache::new(file);
    let kind = FileKind::parse(&cache).map_err(|_| "is not a shared library".to_owned())?;
    let (expected, name) = expected_kinds();
    if !expected.contains(&kind) {
        return Err(format!("is not a shared library for this system ({name})"));
    }
    match kind {
        FileKind::MachOFat32 => {
            let fat = MachOFatFile32::parse(&cache).map_err(damaged)?;
            check_slice(&cache, fat.arches(), metadata.len())
        }
        FileKind::MachOFat64 => {
            let fat = MachOFatFile64::parse(&cache).map_err(damaged)?;
            check_slice(&cache, fat.arches(), metadata.len())
        }
        _ => check_object(&cache, metadata.len()),
    }
}

/// The reason why no library can be loaded from its file system, to be printed after the path.
pub(super) const NOT_EXECUTED: &str =
    "lies on a file system that is mounted `noexec`, from which no library can be loaded";

/// Whether the path is on a file system mounted `noexec`, from which the system's loader refuses libraries.
pub(super) fn lies_where_nothing_is_executed(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{StatVfsMountFlags, statvfs};
        statvfs(path).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::NOEXEC))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        false
    }
}

fn damaged(error: object::Error) -> String {
    format!("is cut short or damaged ({error})")
}

fn expected_kinds() -> (&'static [FileKind], &'static str) {
    if cfg!(windows) {
        (&[FileKind::Pe64, FileKind::Pe32], "PE")
    } else if cfg!(target_vendor = "apple") {
        (&[FileKind::MachO64, FileKind::MachOFat32, FileKind::MachOFat64], "Mach-O")
    } else {
        (&[FileKind::Elf64, FileKind::Elf32], "ELF")
    }
}

/// Returns this program's processor architecture, and its name.
fn processor() -> (Option<Architecture>, &'static str) {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => Some(Architecture::X86_64),
        "aarch64" => Some(Architecture::Aarch64),
        _ => None,
    };
    (architecture, std::env::consts::ARCH)
}

/// Checks the slice of a universal Mach-O file that this processor would load.
fn check_slice<A: FatArch>(cache: &ReadCache<File>, slices: &[A], length: u64) -> Result<(), String> {
    let (architecture, name) = processor();
    for slice in slices {
        if architecture.is_none_or(|a| a == slice.architecture()) {
            let (offset, size) = slice.file_range();
            if offset.checked_add(size).is_none_or(|end| end > length) {
                return Err("is cut short".to_owned());
            }
            return check_object(cache.range(offset, size), size);
        }
    }
    Err(format!("has no part for this processor ({name})"))
}

fn check_object<'data>(data: impl ReadRef<'data>, length: u64) -> Result<(), String> {
    let object = object::File::parse(data).map_err(damaged)?;
    let (architecture, name) = processor();
    if architecture.is_some_and(|a| a != object.architecture()) {
        return Err(format!("is for another processor ({:?}, this is {name})", object.architecture()));
    }
    for segment in object.segments() {
        let (offset, size) = segment.file_range();
        let end = offset.saturating_add(size);
        if end > length {
            return Err(format!("is cut short: it has {length} bytes, but its headers describe {end}"));
        }
    }
    // Without section headers an ELF file's symbols cannot be listed here; loading will tell.
    if object.sections().next().is_some() && !exports_entry(&object)? {
        return Err(format!("is a shared library, but not onnxruntime's (it has no {ENTRY})"));
    }
    Ok(())
}

fn exports_entry<'data>(object: &object::File<'data, impl ReadRef<'data>>) -> Result<bool, String> {
    for export in object.exports().map_err(damaged)? {
        let export = export.map_err(damaged)?;
        // Mach-O puts an underscore before C names.
        if export.name().name().is_some_and(|name| name.strip_prefix(b"_").unwrap_or(name) == ENTRY.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Returns the reason with which `check` refuses a file of these bytes.
    fn reason(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        check(file.path()).unwrap_err()
    }

    #[test]
    fn what_is_no_library_is_refused() {
        assert_eq!(reason(b""), "is empty");
        assert_eq!(reason(b"hello"), "is not a shared library");
        assert_eq!(reason(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01"), "is not a shared library");
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).is_err());
        assert!(check(&folder.path().join("missing")).unwrap_err().starts_with("cannot be read"));
    }

    #[test]
    fn a_library_of_another_kind_is_refused() {
        // This test is a complete binary for this system without onnxruntime's entry point.
        let own = std::env::current_exe().unwrap();
        assert!(check(&own).unwrap_err().contains("not onnxruntime's"), "{:?}", check(&own));
    }

    #[test]
    fn a_truncated_library_is_refused_wherever_it_ends() {
        let whole = fs::read(std::env::current_exe().unwrap()).unwrap();
        for tenths in 0..10 {
            let length = (whole.len() / 10 * tenths).max(100);
            let reason = reason(&whole[..length]);
            assert!(reason.contains("cut short"), "{length} of {} bytes: {reason}", whole.len());
        }
        assert!(reason(&whole[..whole.len() - 1]).contains("cut short"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_for_another_processor_is_refused() {
        let mut other = fs::read(std::env::current_exe().unwrap()).unwrap();
        // e_machine: S390.
        other[18] = 22;
        other[19] = 0;
        assert!(reason(&other).contains("another processor"), "{}", reason(&other));
    }
}
