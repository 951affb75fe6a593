//! The temporary files and folders and the child processes of this process.
//!
//! A killed process runs no destructors and stops no children; [`abandon`] does what the destructors would have done. Files are created,
//! renamed and removed and children are started under one lock, so none ever exists without being registered.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Permissions},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tempfile::{NamedTempFile, TempDir};

static UNDERWAY: Mutex<Underway> =
    Mutex::new(Underway { children: BTreeMap::new(), temporary: BTreeSet::new(), started: 0 });

struct Underway {
    children: BTreeMap<u64, Child>,
    temporary: BTreeSet<PathBuf>,
    /// The number of children started so far.
    started: u64,
}

fn underway() -> MutexGuard<'static, Underway> {
    UNDERWAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary file or folder, removed when dropped or by [`abandon`].
#[derive(Debug)]
pub struct Temporary<T> {
    /// `None` once it has been moved to its final path.
    it: Option<T>,
    path: PathBuf,
}

/// A temporary file.
pub type TemporaryFile = Temporary<NamedTempFile>;
/// A temporary folder, removed with all its contents.
pub type TemporaryFolder = Temporary<TempDir>;

impl<T: AsRef<Path>> Temporary<T> {
    /// Registers the file or folder that `make` creates.
    pub fn new(make: impl FnOnce() -> io::Result<T>) -> io::Result<Self> {
        let mut underway = underway();
        let it = make()?;
        let path = it.as_ref().to_path_buf();
        underway.temporary.insert(path.clone());
        Ok(Temporary { it: Some(it), path })
    }
}

impl<T> Temporary<T> {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn get(&self) -> io::Result<&T> {
        self.it.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Temporary<NamedTempFile> {
    /// Moves the file atomically to `path`, replacing what is there, with these permissions if given.
    pub fn persist(mut self, path: &Path, permissions: Option<Permissions>) -> io::Result<()> {
        let file = self.get()?.as_file();
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        // Without the sync, a crash soon after the rename may leave an empty file under the final name.
        file.sync_all()?;
        let mut underway = underway();
        let Some(file) = self.it.take() else { return Ok(()) };
        file.persist(path).map_err(|error| error.error)?;
        underway.temporary.remove(&self.path);
        Ok(())
    }

    /// Opens the file a second time, from its beginning.
    pub fn reopen(&self) -> io::Result<fs::File> {
        self.get()?.reopen()
    }
}

impl Write for Temporary<NamedTempFile> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get()?.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.get()?.as_file().flush()
    }
}

impl Temporary<TempDir> {
    /// Calls `rename` to move the folder to its final path; the folder stays temporary if that fails.
    pub fn place(mut self, rename: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let mut underway = underway();
        rename(&self.path)?;
        underway.temporary.remove(&self.path);
        if let Some(folder) = self.it.take() {
            // The temporary path no longer exists, so there is nothing to remove.
            let _ = folder.keep();
        }
        Ok(())
    }
}

impl<T> Drop for Temporary<T> {
    fn drop(&mut self) {
        let mut underway = underway();
        self.it = None;
        underway.temporary.remove(&self.path);
    }
}

/// A child process. It is killed if it is dropped before it has ended.
#[derive(Debug)]
pub struct Process(u64);

impl Process {
    /// Starts the command and registers the child.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut underway = underway();
        let child = command.spawn()?;
        let number = underway.started;
        underway.started += 1;
        underway.children.insert(number, child);
        Ok(Process(number))
    }

    /// Takes its output, if it is piped and was not taken before.
    pub fn output(&self) -> Option<ChildStdout> {
        underway().children.get_mut(&self.0)?.stdout.take()
    }

    /// Returns its exit status, if it has ended.
    pub fn ended(&self) -> io::Result<Option<ExitStatus>> {
        underway().children.get_mut(&self.0).map_or(Ok(None), Child::try_wait)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = underway().children.remove(&self.0);
        if let Some(mut child) = child {
            stop(&mut child);
        }
    }
}

/// Kills a child unless it has ended, and waits for it.
fn stop(child: &mut Child) {
    // Fails if the child has ended, which does not matter.
    let _ = child.kill();
    let _ = child.wait();
}

/// Stops all registered children and removes all registered temporary files and folders. Use it right before the process ends: as long as
/// the returned value lives, nothing new can be started or created, and whoever tries to waits.
pub fn abandon() -> impl Sized {
    let mut underway = underway();
    underway.children.values_mut().for_each(stop);
    for path in &underway.temporary {
        remove(path);
    }
    underway
}

fn remove(path: &Path) {
    if !path.is_dir() {
        let _ = fs::remove_file(path);
        return;
    }
    // Another thread may still be writing into the folder.
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(Duration::from_millis(10)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let mut file = Temporary::new(|| NamedTempFile::new_in(&parent)).unwrap();
        file.write_all(b"text").unwrap();
        let folder = Temporary::new(|| TempDir::new_in(&parent)).unwrap();
        fs::write(folder.path().join("inside"), "text").unwrap();
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 2);
        drop((file, folder));
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 0);
    }

    #[test]
    fn what_is_in_its_place_stays() {
        let parent = tempfile::tempdir().unwrap();
        let (file_path, folder_path) = (parent.path().join("file"), parent.path().join("folder"));
        let mut file = Temporary::new(|| NamedTempFile::new_in(&parent)).unwrap();
        file.write_all(b"text").unwrap();
        file.persist(&file_path, None).unwrap();
        let folder = Temporary::new(|| TempDir::new_in(&parent)).unwrap();
        folder.place(|temporary| fs::rename(temporary, &folder_path)).unwrap();
        assert_eq!(fs::read(&file_path).unwrap(), b"text");
        assert!(folder_path.is_dir());
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_moved_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Temporary::new(|| TempDir::new_in(&parent)).unwrap();
        folder.place(|_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_dropped_process_is_stopped() {
        let child = Process::start(Command::new("sleep").arg("1000")).unwrap();
        assert!(child.ended().unwrap().is_none());
        let number = child.0;
        drop(child);
        assert!(!underway().children.contains_key(&number));
        let child = Process::start(Command::new("true").stdout(std::process::Stdio::piped())).unwrap();
        assert!(child.output().is_some() && child.output().is_none());
        while child.ended().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
