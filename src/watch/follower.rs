//! The thread that looks at the files when something has happened to them.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::content::{Content, Contents};
use super::{Means, News, Version};

/// As long as events follow each other closer than this, a save is still going on.
const QUIET: Duration = Duration::from_millis(100);
/// But no longer than this is waited for quiet.
const LONGEST: Duration = Duration::from_secs(1);

/// What the follower is told.
pub(super) enum Message {
    /// Something happened to a file.
    Look,
    /// Follow a recipe, which was last seen so. `found`: because its folder is followed.
    Recipe {
        recipe: PathBuf,
        version: Version,
        found: bool,
    },
    /// Follow the recipes of a folder.
    Folder(PathBuf),
    /// Follow these files, with this content, besides a recipe.
    Follow {
        recipe: PathBuf,
        files: Vec<(PathBuf, Content)>,
    },
    End,
}

pub(super) struct Follower {
    means: Means,
    contents: Contents,
    recipes: Vec<Followed>,
    folders: Vec<PathBuf>,
}

/// A recipe that is followed.
struct Followed {
    recipe: PathBuf,
    /// What it needs besides.
    files: Vec<(PathBuf, Content)>,
    last: Version,
    /// Its file was not there when last looked for.
    gone: bool,
    /// It is followed because its folder is.
    found: bool,
}

impl Follower {
    pub(super) fn new(means: Means) -> Self {
        Follower { means, contents: Contents::default(), recipes: Vec::new(), folders: Vec::new() }
    }

    /// Until it is told to end, or the other side is gone.
    pub(super) fn run(mut self, messages: &Receiver<Message>, news: &Sender<News>) {
        let mut last = Vec::new();
        loop {
            let message = match self.means {
                Means::Events => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Means::Poll(every) => messages.recv_timeout(every),
            };
            match message {
                Ok(Message::Look) => {
                    if self.settle(messages).is_err() || !self.look(news) {
                        return;
                    }
                }
                Ok(message) => {
                    if !self.heed(message) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    let seen = self.seen();
                    if seen != last {
                        last = self.settled(seen);
                        if !self.look(news) {
                            return;
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does what it is told, but for looking; false where it is to end.
    fn heed(&mut self, message: Message) -> bool {
        match message {
            Message::Look => {}
            Message::Recipe { recipe, version, found } => {
                if !self.knows(&recipe) {
                    self.recipes.push(Followed { recipe, files: Vec::new(), last: version, gone: false, found });
                }
            }
            Message::Folder(folder) => self.folders.push(folder),
            Message::Follow { recipe, files } => {
                if let Some(followed) = self.recipes.iter_mut().find(|followed| followed.recipe == recipe) {
                    followed.follow(files);
                }
            }
            Message::End => return false,
        }
        true
    }

    fn knows(&self, recipe: &Path) -> bool {
        self.recipes.iter().any(|followed| same(&followed.recipe, recipe))
    }

    /// Waits until the save is over.
    fn settle(&mut self, messages: &Receiver<Message>) -> Result<(), ()> {
        let start = Instant::now();
        while start.elapsed() < LONGEST {
            match messages.recv_timeout(QUIET) {
                Ok(Message::Look) => {}
                Ok(message) => {
                    if !self.heed(message) {
                        return Err(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(()),
            }
        }
        Ok(())
    }

    /// The same where nobody tells when it is over: until all is twice the same.
    fn settled(&mut self, mut seen: Vec<(PathBuf, Content)>) -> Vec<(PathBuf, Content)> {
        let start = Instant::now();
        while start.elapsed() < LONGEST {
            std::thread::sleep(QUIET);
            let now = self.seen();
            if now == seen {
                break;
            }
            seen = now;
        }
        seen
    }

    /// The content of all that is followed.
    fn seen(&mut self) -> Vec<(PathBuf, Content)> {
        self.contents.renew(true);
        let known = self
            .recipes
            .iter()
            .flat_map(|followed| followed.files.iter().map(|(file, _)| file.clone()).chain([followed.recipe.clone()]));
        let paths: Vec<PathBuf> = known.chain(self.folders.iter().flat_map(|folder| recipes(folder))).collect();
        paths.into_iter().map(|path| (path.clone(), self.contents.of(&path))).collect()
    }

    /// Tells what is new since it last looked; false where nobody wants to know.
    fn look(&mut self, news: &Sender<News>) -> bool {
        self.contents.renew(self.means != Means::Events);
        let mut told = Vec::new();
        for followed in &mut self.recipes {
            told.extend(followed.look(&mut self.contents));
        }
        self.recipes.retain(|followed| !(followed.found && followed.gone));
        let found: Vec<PathBuf> = self.folders.iter().flat_map(|folder| recipes(folder)).collect();
        for recipe in found {
            if self.knows(&recipe) {
                continue;
            }
            let Ok(bytes) = std::fs::read(&recipe) else { continue };
            let last = Version { recipe: bytes, files: 0 };
            told.push(News::Saved { recipe: recipe.clone(), version: last.clone(), files: vec![recipe.clone()] });
            self.recipes.push(Followed { recipe, files: Vec::new(), last, gone: false, found: true });
        }
        told.into_iter().all(|told| news.send(told).is_ok())
    }
}

impl Followed {
    /// A file that is followed already keeps the content it was last seen with.
    fn follow(&mut self, files: Vec<(PathBuf, Content)>) {
        let old = std::mem::take(&mut self.files);
        for (path, content) in files {
            let known = old.iter().find(|(known, _)| *known == path).map(|(_, content)| *content);
            self.files.push((path, known.unwrap_or(content)));
        }
    }

    /// What is new. A needed file that is gone for the moment changes nothing.
    fn look(&mut self, contents: &mut Contents) -> Option<News> {
        let mut version = self.last.clone();
        let mut files = Vec::new();
        for (path, last) in &mut self.files {
            let now = contents.of(path);
            if now.is_some() && now != *last {
                *last = now;
                version.files += 1;
                files.push(path.clone());
            }
        }
        let was_gone = self.gone;
        match std::fs::read(&self.recipe) {
            Ok(bytes) => {
                self.gone = false;
                if bytes != version.recipe {
                    version.recipe = bytes;
                    files.insert(0, self.recipe.clone());
                }
            }
            Err(error) => self.gone = error.kind() == ErrorKind::NotFound,
        }
        if self.gone {
            self.last = version;
            return (!was_gone).then(|| News::Gone { recipe: self.recipe.clone() });
        }
        if version == self.last && !was_gone {
            return None;
        }
        self.last = version.clone();
        Some(News::Saved { recipe: self.recipe.clone(), version, files })
    }
}

/// The recipes of a folder, sorted by name.
pub(super) fn recipes(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // Of the current folder names are shorter without it.
    let path = |name: std::ffi::OsString| match folder == Path::new(".") {
        true => PathBuf::from(name),
        false => folder.join(name),
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| path(entry.file_name())).collect();
    found.retain(|path| is_recipe(path) && path.is_file());
    found.sort();
    found
}

/// A name that a recipe in a folder has; editors keep hidden files beside it.
pub(super) fn is_recipe(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension() == Some(OsStr::new("toml"))
}

/// Two paths lead to one file.
fn same(one: &Path, other: &Path) -> bool {
    one == other || std::fs::canonicalize(one).ok().is_some_and(|path| std::fs::canonicalize(other).ok() == Some(path))
}
