//! Decides which files on the user's disk are ours. Only those are ever removed.
//!
//! Our folders may contain other files as well, because an environment variable may name any folder. So a file is only
//! removed if its name and the names of the folders above it match our patterns, a folder only once it is empty, and a
//! link or its target never. Caches that we create carry `CACHEDIR.TAG`, the mark by which backups and other programs
//! recognise caches.

mod layout;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

pub use layout::{Cleared, File, Layout};

/// The mark's standard name.
const TAG: &str = "CACHEDIR.TAG";

/// The standard's first line, and a line that names us, which tells our mark from another program's.
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                        # This folder is a cache of recipe-render: what is in it can be made or had again.\n";

/// The most files that are counted.
pub const MOST_COUNTED: u64 = 10_000;

/// Creates a cache, and the folders above it. Marks it only if it did not exist before, because a folder that the user
/// created may hold other things.
///
/// # Errors
/// A folder that cannot be created.
pub fn make_cache(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => mark(folder),
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Marks a folder that we have just created.
///
/// # Errors
/// A mark that cannot be written.
pub fn mark(folder: &Path) -> io::Result<()> {
    fs::write(folder.join(TAG), TAG_TEXT)
}

/// Whether the folder is a cache that we created.
pub fn is_cache(folder: &Path) -> bool {
    let tag = folder.join(TAG);
    is_file(&tag) && fs::read(tag).is_ok_and(|text| text == TAG_TEXT.as_bytes())
}

/// Whether the path is a folder, and not a link to one.
pub fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether the path is an ordinary file, and not a link to one.
pub fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// Whether nothing exists at the path, not even a dangling link.
pub fn is_free(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether a file can be written at a path without following a link: its parent is a real folder, and the path is free
/// or an ordinary file.
pub fn takes_file(path: &Path) -> bool {
    path.parent().is_some_and(is_folder) && (is_free(path) || is_file(path))
}

/// Writes a cache file atomically and without following links. Until it is complete, it has a temporary name that
/// [`temporary_of`] recognises.
///
/// # Errors
/// A file that cannot be written, or a folder that does not exist.
pub fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    if !takes_file(path) {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut file = tempfile::Builder::new().prefix(&prefix).suffix(".tmp").tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

/// Removes a file whose name is ours, if it is an ordinary file. Returns whether it was removed.
pub fn remove_file(path: &Path) -> bool {
    is_file(path) && fs::remove_file(path).is_ok()
}

/// Removes a folder of ours and its mark, if it contains nothing else.
pub fn remove_empty(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let alone = entries.flatten().all(|entry| entry.file_name() == TAG);
    if !is_folder(folder) || !alone {
        return;
    }
    if is_cache(folder) {
        remove_file(&folder.join(TAG));
    }
    // This fails if something was added meanwhile, or the mark is another program's.
    let _ = fs::remove_dir(folder);
}

/// Counts the files below a folder, including links but not our marks, up to [`MOST_COUNTED`]. Follows no links.
pub fn count(folder: &Path) -> u64 {
    let mut count = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let marked = is_cache(&folder);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ if marked && entry.file_name() == TAG => {}
                _ => count += 1,
            }
            if count >= MOST_COUNTED {
                return count;
            }
        }
    }
    count
}

/// Returns a line on how many files of others are left in a folder, or `None` if there are none.
pub fn left_in(folder: &Path) -> Option<String> {
    let others = match count(folder) {
        0 => return None,
        1 => "1 other file".to_owned(),
        MOST_COUNTED.. => format!("more than {} other files", MOST_COUNTED - 1),
        count => format!("{count} other files"),
    };
    Some(format!("{others} left in {}: not written by this program", folder.display()))
}

/// Whether the text consists of this many lower-case hexadecimal digits.
pub fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns the stem of the file that a temporary file of ours becomes: `.STEM.`, six letters or digits, `.tmp`.
pub fn temporary_of(name: &str) -> Option<&str> {
    let (stem, random) = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    (random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_that_was_made_is_marked_and_goes_when_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("a/ours"), folder.path().join("theirs"));
        make_cache(&ours).unwrap();
        make_cache(&ours).unwrap();
        assert!(
            fs::read_to_string(ours.join(TAG)).unwrap().starts_with("Signature: 8a477f597d28d172789f06886806bc55\n")
        );
        assert!(is_cache(&ours) && count(&ours) == 0);
        fs::create_dir(&theirs).unwrap();
        make_cache(&theirs).unwrap();
        assert!(!is_cache(&theirs) && fs::read_dir(&theirs).unwrap().next().is_none());
        // Another program's mark does not make the folder ours, and must stay.
        fs::write(theirs.join(TAG), "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
        remove_empty(&theirs);
        assert!(!is_cache(&theirs) && theirs.join(TAG).exists());
        fs::write(ours.join("note"), "").unwrap();
        remove_empty(&ours);
        assert!(is_cache(&ours) && left_in(&ours).unwrap().starts_with("1 other file left in "));
        fs::remove_file(ours.join("note")).unwrap();
        remove_empty(&ours);
        assert!(is_free(&ours));
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(make_cache(&folder.path().join("file")).is_err());
    }

    #[test]
    fn temporary_files_are_known_by_their_whole_name() {
        assert_eq!(temporary_of(".00000004-ab.x1Y2z3.tmp"), Some("00000004-ab"));
        for other in ["00000004-ab.x1Y2z3.tmp", ".x1Y2z3.tmp", ".a.x1Y2z.tmp", ".a.x1Y2z3.tmp.bak", ".a.x1-2z3.tmp"] {
            assert_eq!(temporary_of(other), None, "{other}");
        }
        assert!(is_hexadecimal("09af", 4) && !is_hexadecimal("09AF", 4) && !is_hexadecimal("09a", 4));
    }
}
