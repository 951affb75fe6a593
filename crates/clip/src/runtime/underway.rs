//! Tracks the processes (pip, trials) and temporary files and folders in use while getting a library.
//!
//! A process that is terminated runs no destructors and stops no children; [`abandon`] does what the destructors would
//! have done.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

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

/// A temporary file or folder, which removes itself when dropped.
pub(super) struct Temporary<T> {
    // Fields are dropped in this order, so the path stays registered until the file is gone.
    it: T,
    _known: Known,
}

/// A registered path, for as long as this lives.
struct Known(PathBuf);

impl<T: AsRef<Path>> Temporary<T> {
    /// Creates a temporary file or folder with `make` and registers it.
    pub(super) fn new(make: impl FnOnce() -> io::Result<T>) -> io::Result<Self> {
        let mut underway = underway();
        let it = make()?;
        let path = it.as_ref().to_path_buf();
        underway.temporary.insert(path.clone());
        Ok(Temporary { it, _known: Known(path) })
    }
}

impl<T> Deref for Temporary<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.it
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        underway().temporary.remove(&self.0);
    }
}

/// A child process. It is killed if it is dropped before it has ended.
pub(super) struct Process(u64);

impl Process {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let mut underway = underway();
        let child = command.spawn()?;
        let number = underway.started;
        underway.started += 1;
        underway.children.insert(number, child);
        Ok(Process(number))
    }

    /// Takes its output, if it is piped and was not taken before.
    pub(super) fn output(&self) -> Option<ChildStdout> {
        underway().children.get_mut(&self.0)?.stdout.take()
    }

    /// Returns its exit status, if it has ended.
    pub(super) fn ended(&self) -> io::Result<Option<ExitStatus>> {
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

/// Stops the processes that installations have started, and removes their temporary files. For use right before the
/// process ends: as long as the result lives, nothing new can be started.
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
