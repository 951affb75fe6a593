//! The thread that writes checkpoints, so a render need not wait for the disk.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::checkpoint;
use super::shelf::{Shelf, remove};
use crate::output::write_whole;

/// A checkpoint to be written.
pub(super) struct Task {
    pub path: PathBuf,
    pub bytes: Arc<Vec<u8>>,
    /// A file that is obsolete once this one exists.
    pub replaces: Option<PathBuf>,
}

/// Writes at most one checkpoint at a time. A caller with another one waits, or skips it.
pub(super) struct Writer {
    tasks: Option<SyncSender<Task>>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Progress {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of tasks accepted and not yet done.
    under_way: u64,
    /// The time that the last one took.
    last: Duration,
}

impl Writer {
    pub fn new(shelf: Shelf, limit: u64) -> Self {
        let (tasks, incoming) = sync_channel(0);
        let progress = Arc::new(Progress::default());
        let told = progress.clone();
        let thread = std::thread::spawn(move || work(&incoming, &shelf, limit, &told));
        Writer { tasks: Some(tasks), progress, thread: Some(thread) }
    }

    /// Hands over a checkpoint to be written. With `patience` it waits for the one before; otherwise, if that one is still being written,
    /// it does nothing and returns false.
    pub fn write(&self, task: Task, patience: bool) -> bool {
        let Some(tasks) = &self.tasks else { return false };
        self.progress.add();
        let taken = match patience {
            true => tasks.send(task).is_ok(),
            false => !matches!(tasks.try_send(task), Err(TrySendError::Full(_) | TrySendError::Disconnected(_))),
        };
        if !taken {
            self.progress.done(None);
        }
        taken
    }

    /// Whether a checkpoint is being written.
    pub fn is_busy(&self) -> bool {
        self.progress.lock().under_way > 0
    }

    /// Returns the time that writing the last one took.
    pub fn last(&self) -> Duration {
        self.progress.lock().last
    }

    /// Waits until everything is written.
    pub fn settle(&self) {
        let mut state = self.progress.lock();
        while state.under_way > 0 {
            state = self.progress.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

impl Progress {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) {
        self.lock().under_way += 1;
    }

    fn done(&self, took: Option<Duration>) {
        let mut state = self.lock();
        state.under_way -= 1;
        state.last = took.unwrap_or(state.last);
        self.settled.notify_all();
    }
}

fn work(tasks: &Receiver<Task>, shelf: &Shelf, limit: u64, progress: &Progress) {
    for Task { path, bytes, replaces } in tasks {
        let start = Instant::now();
        // A checkpoint that cannot be written may cost time later, but not the picture.
        if write(shelf, &path, &bytes).is_some() {
            if let Some(old) = replaces.filter(|old| *old != path) {
                remove(&old);
            }
            shelf.evict(limit, &path);
        }
        progress.done(Some(start.elapsed()));
    }
}

fn write(shelf: &Shelf, path: &Path, bytes: &[u8]) -> Option<()> {
    let (at, hash) = checkpoint::hash(bytes)?;
    shelf.prepare(path)?;
    write_whole(path, |file| {
        file.write_all(&bytes[..at])?;
        file.write_all(hash.as_bytes())?;
        file.write_all(&bytes[at + hash.len()..])
    })
    .ok()
}
