//! The thread that looks at the files when something has happened to them.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::Version;

/// As long as events follow each other closer than this, a save is still going on.
const QUIET: Duration = Duration::from_millis(100);
/// But no longer than this is waited for quiet.
const LONGEST: Duration = Duration::from_secs(1);

/// What the follower is told.
pub(super) enum Message {
    /// Something happened to a file.
    Look,
    /// Follow these files, with this content, besides the recipe.
    Follow(Vec<(PathBuf, Content)>),
}

/// A file's content; `None` if it cannot be read now.
pub(super) type Content = Option<blake3::Hash>;

pub(super) struct Follower {
    recipe: PathBuf,
    files: Vec<(PathBuf, Content)>,
    last: Version,
}

impl Follower {
    pub(super) fn new(recipe: PathBuf, last: Version) -> Self {
        Follower { recipe, files: Vec::new(), last }
    }

    /// Until the other side is gone.
    pub(super) fn run(mut self, messages: &Receiver<Message>, versions: &Sender<Version>) {
        while let Ok(message) = messages.recv() {
            match message {
                Message::Follow(files) => self.follow(files),
                Message::Look => {
                    if self.settle(messages).is_err() {
                        return;
                    }
                    if let Some(version) = self.look()
                        && versions.send(version).is_err()
                    {
                        return;
                    }
                }
            }
        }
    }

    /// Waits until the save is over.
    fn settle(&mut self, messages: &Receiver<Message>) -> Result<(), ()> {
        let start = Instant::now();
        while start.elapsed() < LONGEST {
            match messages.recv_timeout(QUIET) {
                Ok(Message::Look) => {}
                Ok(Message::Follow(files)) => self.follow(files),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(()),
            }
        }
        Ok(())
    }

    /// A file that is followed already keeps the content it was last seen with.
    fn follow(&mut self, files: Vec<(PathBuf, Content)>) {
        let old = std::mem::take(&mut self.files);
        for (path, content) in files {
            let known = old.iter().find(|(known, _)| *known == path).map(|(_, content)| *content);
            self.files.push((path, known.unwrap_or(content)));
        }
    }

    /// The version now, if it is another one. A file that is gone for the moment changes nothing.
    fn look(&mut self) -> Option<Version> {
        let mut version = self.last.clone();
        for (path, last) in &mut self.files {
            let now = content(path);
            if now.is_some() && now != *last {
                *last = now;
                version.files += 1;
            }
        }
        if let Ok(bytes) = std::fs::read(&self.recipe) {
            version.recipe = bytes;
        }
        if version == self.last {
            return None;
        }
        self.last = version.clone();
        Some(version)
    }
}

/// Files longer than this, as models are, are told by their length and time.
const LONG: u64 = 16 << 20;

pub(super) fn content(path: &Path) -> Content {
    let metadata = std::fs::metadata(path).ok()?;
    if metadata.len() > LONG {
        return Some(blake3::hash(format!("{} {:?}", metadata.len(), metadata.modified().ok()?).as_bytes()));
    }
    std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes))
}
