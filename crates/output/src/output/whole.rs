//! Writes files whole or not at all: to a temporary file in the same folder, which is then renamed.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::underway::{Temporary, TemporaryFile};

/// Why a file cannot be, or was not, written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{path}: the folder {folder} does not exist")]
    NoFolder { path: String, folder: String },
    #[error("{path}: {folder} is not a folder")]
    NotAFolder { path: String, folder: String },
    #[error("{path}: is a folder")]
    IsAFolder { path: String },
    #[error("{path}: cannot write in the folder {folder}: {error}")]
    FolderClosed { path: String, folder: String, error: io::Error },
    #[error("{path}: already exists, and this program did not write it")]
    Foreign { path: String },
    #[error("{path}: not written: {error}")]
    Failed { path: String, error: io::Error },
}

impl WriteError {
    /// Returns a hint, if one would help.
    pub fn hint(&self) -> Option<String> {
        match self {
            WriteError::NoFolder { folder, .. } => Some(format!("make it first: mkdir -p {folder}")),
            WriteError::FolderClosed { .. } | WriteError::NotAFolder { .. } => {
                Some("name another place with --output".into())
            }
            WriteError::Foreign { .. } => Some("move it away, or name another place with --output".into()),
            WriteError::IsAFolder { .. } => Some("name a file in it".into()),
            WriteError::Failed { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or name another place".into())
            }
            WriteError::Failed { .. } => None,
        }
    }
}

/// The destination of a file, checked before anything is computed or written.
struct Destination {
    /// The path with symbolic links followed, so that a link is kept and its target replaced.
    path: PathBuf,
    folder: PathBuf,
    /// The metadata of an existing file there.
    present: Option<Metadata>,
    /// The open file of this process that the path names, of whatever kind. Its target must not be replaced, because the user has
    /// redirected output into it.
    open: Option<Open>,
}

/// An open file of this process that has a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Stdout,
    Stderr,
    Other,
}

impl Open {
    /// Recognises paths of open files: `/dev/stdout`, `/dev/stderr`, `/dev/fd/N`, and `/proc/self/fd/N`.
    fn named(path: &Path) -> Option<Self> {
        if !cfg!(unix) {
            return None;
        }
        let number = |folder: &str| path.strip_prefix(folder).ok()?.to_str()?.parse::<u32>().ok();
        let number = match path.to_str()? {
            "/dev/stdout" => 1,
            "/dev/stderr" => 2,
            _ => number("/dev/fd").or_else(|| number("/proc/self/fd"))?,
        };
        Some(match number {
            1 => Open::Stdout,
            2 => Open::Stderr,
            _ => Open::Other,
        })
    }
}

/// Returns the path with symbolic links followed, including links to files that do not exist.
pub fn resolve(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    // As many as Linux follows. More are a cycle, which cannot be written.
    for _ in 0..40 {
        if let Ok(path) = fs::canonicalize(&path) {
            return path;
        }
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

impl Destination {
    fn of(path: &Path) -> Result<Self, WriteError> {
        let shown = || path.display().to_string();
        let open = Open::named(path);
        let resolved = if open.is_some() { path.to_path_buf() } else { resolve(path) };
        let present = fs::metadata(&resolved).ok();
        if present.as_ref().is_some_and(Metadata::is_dir) || path.file_name().is_none() {
            return Err(WriteError::IsAFolder { path: shown() });
        }
        let folder = match resolved.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        match fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => Ok(Destination { path: resolved, folder, present, open }),
            Ok(_) => Err(WriteError::NotAFolder { path: shown(), folder: folder.display().to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(WriteError::NoFolder { path: shown(), folder: folder.display().to_string() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(WriteError::NotAFolder { path: shown(), folder: folder.display().to_string() })
            }
            Err(error) => Err(WriteError::FolderClosed { path: shown(), folder: folder.display().to_string(), error }),
        }
    }

    /// Whether it is a device, a pipe or an open file (`/dev/null`, `/dev/stdout`), which is written into, never replaced.
    fn is_special(&self) -> bool {
        self.open.is_some() || self.present.as_ref().is_some_and(|present| !present.is_file())
    }

    /// Creates an empty temporary file beside the path.
    fn temporary(&self) -> io::Result<TemporaryFile> {
        let mut prefix = OsString::from(".");
        // A name at the file system's length limit leaves no room for a prefix.
        prefix.push(self.path.file_stem().filter(|stem| stem.len() < 100).unwrap_or_default());
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        // Use the permissions that any program would give a new file: all bits that the umask allows. Temporary files are private by
        // default.
        #[cfg(unix)]
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        #[cfg(unix)]
        builder.permissions(all);
        Temporary::new(|| builder.tempfile_in(&self.folder))
    }
}

/// Checks that a file can be written at `path`: its folder exists and accepts a new file. Leaves nothing behind.
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    let destination = Destination::of(path)?;
    if destination.is_special() {
        return Ok(());
    }
    destination.temporary().map(drop).map_err(|error| WriteError::FolderClosed {
        path: path.display().to_string(),
        folder: destination.folder.display().to_string(),
        error,
    })
}

/// Writes a file by `write`, whole or not at all. An existing file at `path` stays until the very end, or for good if anything fails, and
/// its permissions are kept. Anything but an ordinary file is written into directly.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), WriteError> {
    let destination = Destination::of(path)?;
    let written = if destination.is_special() { write_into(&destination, write) } else { replace(&destination, write) };
    written.map_err(|error| WriteError::Failed { path: path.display().to_string(), error })
}

/// Lets `make` write a file under a temporary name beside `path`, then moves it to `path`, whole or not at all. This serves programs that
/// write files by name, and formats whose beginning is written last.
pub fn make_whole(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), WriteError> {
    let destination = Destination::of(path)?;
    let made = || {
        if destination.is_special() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this can only be written to a file"));
        }
        let temporary = destination.temporary()?;
        make(temporary.path())?;
        temporary.persist(&destination.path, destination.present.as_ref().map(Metadata::permissions))
    };
    made().map_err(|error| WriteError::Failed { path: path.display().to_string(), error })
}

fn write_into(destination: &Destination, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let into: Box<dyn Write> = match destination.open {
        // If they were opened again, writing would start at their beginning, over what is there.
        Some(Open::Stdout) => Box::new(io::stdout()),
        Some(Open::Stderr) => Box::new(io::stderr()),
        Some(Open::Other) => Box::new(File::options().append(true).open(&destination.path)?),
        None => Box::new(File::options().write(true).open(&destination.path)?),
    };
    let mut file = BufWriter::new(into);
    write(&mut file)?;
    file.flush()
}

fn replace(destination: &Destination, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut buffered = BufWriter::with_capacity(1 << 16, destination.temporary()?);
    write(&mut buffered)?;
    let temporary = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    temporary.persist(&destination.path, destination.present.as_ref().map(Metadata::permissions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        fs::write(&path, "old").unwrap();
        let error = write_whole(&path, |file| {
            file.write_all(&[0; 100_000])?;
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("no space") && error.hint().is_some(), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["picture.png"]);
        write_whole(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["picture.png"]);
    }

    #[test]
    fn impossible_places_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = |path: &Path| check_writable(path).unwrap_err();
        assert!(matches!(error(&folder.path().join("no/picture.png")), WriteError::NoFolder { .. }));
        assert!(matches!(error(&file.join("picture.png")), WriteError::NotAFolder { .. }));
        assert!(matches!(error(folder.path()), WriteError::IsAFolder { .. }));
        // Not even root can create a file here.
        #[cfg(target_os = "linux")]
        assert!(matches!(error(Path::new("/proc/picture.png")), WriteError::FolderClosed { .. }));
        check_writable(&folder.path().join("picture.png")).unwrap();
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_any_new_file_or_of_the_old_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let ordinary = folder.path().join("ordinary");
        fs::write(&ordinary, "").unwrap();
        let ours = folder.path().join("ours");
        write_whole(&ours, |_| Ok(())).unwrap();
        assert_eq!(mode(&ours), mode(&ordinary));
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o640)).unwrap();
        write_whole(&ours, |_| Ok(())).unwrap();
        assert_eq!(mode(&ours), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn open_files_are_told_by_their_paths() {
        for (path, open) in [
            ("/dev/stdout", Some(Open::Stdout)),
            ("/dev/fd/1", Some(Open::Stdout)),
            ("/proc/self/fd/2", Some(Open::Stderr)),
            ("/dev/fd/7", Some(Open::Other)),
            ("/dev/fd", None),
            ("/dev/fd/x", None),
            ("/dev/null", None),
            ("stdout", None),
        ] {
            assert_eq!(Open::named(Path::new(path)), open, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_devices_devices() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_whole(&link, |file| file.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        let (later, dangling) = (folder.path().join("later"), folder.path().join("dangling"));
        std::os::unix::fs::symlink("later", &dangling).unwrap();
        write_whole(&dangling, |file| file.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&dangling).unwrap().is_symlink());
        assert_eq!(fs::read(&later).unwrap(), b"new");
        let circle = folder.path().join("circle");
        std::os::unix::fs::symlink("circle", &circle).unwrap();
        check_writable(&circle).unwrap();
        write_whole(Path::new("/dev/null"), |file| file.write_all(b"new")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
