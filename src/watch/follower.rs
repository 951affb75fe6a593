//! The thread that checks the files after something has happened to them.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::arms::Arms;
use super::content::{Content, Contents};
use super::home::Home;
use super::parts::Glance;
use super::{Means, News, Version};

/// A save is considered unfinished as long as events follow each other within this time.
const QUIET: Duration = Duration::from_millis(100);
/// The longest wait for quiet.
const LONGEST: Duration = Duration::from_secs(1);
/// How often the parts of paths are checked, even without an event.
const CLOCK: Duration = Duration::from_millis(1500);

/// A message to the follower.
pub(super) enum Message {
    /// Something happened to a file.
    Look,
    /// Follow a recipe, last seen in this version. `found`: because its folder is followed.
    Recipe {
        recipe: PathBuf,
        version: Version,
        found: bool,
    },
    /// Follow the recipes of a folder.
    Folder(PathBuf),
    /// Follow these files, with this content, along with a recipe.
    Follow {
        recipe: PathBuf,
        files: Vec<(PathBuf, Content)>,
    },
    End,
}

pub(super) struct Follower {
    means: Means,
    home: Home,
    arms: Option<Weak<Mutex<Arms>>>,
    contents: Contents,
    recipes: Vec<Followed>,
    folders: Vec<PathBuf>,
    /// The parts of all paths when their files were last checked.
    glance: Glance,
}

/// A recipe that is followed.
struct Followed {
    recipe: PathBuf,
    /// The other files that it needs.
    files: Vec<(PathBuf, Content)>,
    last: Version,
    /// Whether its file was missing at the last check.
    gone: bool,
    /// Whether it is followed only because its folder is.
    found: bool,
}

impl Follower {
    pub(super) fn new(means: Means, home: Home, arms: Option<Weak<Mutex<Arms>>>) -> Self {
        Follower {
            means,
            home,
            arms,
            contents: Contents::default(),
            recipes: Vec::new(),
            folders: Vec::new(),
            glance: Glance::default(),
        }
    }

    /// Runs until it is told to end, or until the other side is gone.
    pub(super) fn run(mut self, messages: &Receiver<Message>, news: &Sender<News>) {
        let mut last = Vec::new();
        loop {
            let clock = match self.means {
                Means::Events => CLOCK,
                Means::Poll(every) => every,
            };
            let on = match messages.recv_timeout(clock) {
                Ok(Message::Look) => self.settle(messages).is_ok() && self.look(news, false),
                Ok(message) => self.heed(message),
                Err(RecvTimeoutError::Timeout) => {
                    self.home.back();
                    match self.means {
                        Means::Events if self.glimpse() == self.glance => true,
                        Means::Events => self.settle(messages).is_ok() && self.look(news, true),
                        Means::Poll(_) => {
                            let seen = self.seen();
                            seen == last || {
                                last = self.settled(seen);
                                self.look(news, true)
                            }
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => false,
            };
            if !on {
                return;
            }
        }
    }

    /// Handles a message, except for looking; returns false if it is to end.
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
        self.recipes.iter().any(|followed| same(&self.home, &followed.recipe, recipe))
    }

    /// Waits until a save is over.
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

    /// Waits until a save is over without events to tell: until two looks in a row find the same.
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

    /// Returns the files that are followed.
    fn files(&self) -> impl Iterator<Item = &Path> {
        self.recipes.iter().flat_map(|followed| {
            followed.files.iter().map(|(file, _)| file.as_path()).chain([followed.recipe.as_path()])
        })
    }

    /// Reads the content of everything that is followed.
    fn seen(&mut self) -> Vec<(PathBuf, Content)> {
        self.contents.renew(true);
        let found = self.folders.iter().flat_map(|folder| recipes(&self.home, folder));
        let paths: Vec<PathBuf> = self.files().map(Path::to_path_buf).chain(found).collect();
        paths.into_iter().map(|path| (path.clone(), self.contents.of(&self.home.absolute(&path)))).collect()
    }

    /// Looks at the parts of the paths of everything that is followed.
    fn glimpse(&self) -> Glance {
        let mut glance = Glance::default();
        for file in self.files() {
            glance.follow(&self.home.absolute(file));
        }
        for folder in &self.folders {
            glance.entries(&self.home.absolute(folder));
        }
        glance
    }

    /// Renews the system's watches for the folders that the paths lead through now. If the system refuses, the clock makes up for it.
    fn rearm(&self) {
        if let Some(arms) = self.arms.as_ref().and_then(Weak::upgrade) {
            let mut arms = arms.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = arms.follow(self.files(), self.folders.iter().map(PathBuf::as_path));
        }
    }

    /// Reports what has changed since the last look; returns false if nobody listens any more. With `sparing`, longer files are read only
    /// if the system reports a change.
    fn look(&mut self, news: &Sender<News>, sparing: bool) -> bool {
        // Watches and parts first, then the contents, so that a change in between is noticed.
        self.home.back();
        self.rearm();
        self.glance = self.glimpse();
        self.contents.renew(sparing);
        let mut told = Vec::new();
        for followed in &mut self.recipes {
            told.extend(followed.look(&self.home, &mut self.contents));
        }
        self.recipes.retain(|followed| !(followed.found && followed.gone));
        let found: Vec<PathBuf> = self.folders.iter().flat_map(|folder| recipes(&self.home, folder)).collect();
        for recipe in found {
            if self.knows(&recipe) {
                continue;
            }
            let Ok(bytes) = std::fs::read(self.home.absolute(&recipe)) else { continue };
            let last = Version { recipe: bytes, files: 0 };
            told.push(News::Saved { recipe: recipe.clone(), version: last.clone(), files: vec![recipe.clone()] });
            self.recipes.push(Followed { recipe, files: Vec::new(), last, gone: false, found: true });
        }
        told.into_iter().all(|told| news.send(told).is_ok())
    }
}

impl Followed {
    /// Sets the files to follow. A file that is already followed keeps the content it was last seen with.
    fn follow(&mut self, files: Vec<(PathBuf, Content)>) {
        let old = std::mem::take(&mut self.files);
        for (path, content) in files {
            let known = old.iter().find(|(known, _)| *known == path).map(|(_, content)| *content);
            self.files.push((path, known.unwrap_or(content)));
        }
    }

    /// Returns what has changed. A needed file that is missing for the moment changes nothing.
    fn look(&mut self, home: &Home, contents: &mut Contents) -> Option<News> {
        let mut version = self.last.clone();
        let mut files = Vec::new();
        for (path, last) in &mut self.files {
            let now = contents.of(&home.absolute(path));
            if now.is_some() && now != *last {
                *last = now;
                version.files += 1;
                files.push(path.clone());
            }
        }
        let was_gone = self.gone;
        match std::fs::read(home.absolute(&self.recipe)) {
            Ok(bytes) => {
                self.gone = false;
                if bytes != version.recipe {
                    version.recipe = bytes;
                    files.insert(0, self.recipe.clone());
                }
            }
            // If a file has taken a folder's place, the recipe is missing too.
            Err(error) => self.gone = [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()),
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

/// Returns the recipes of a folder, sorted by name.
pub(super) fn recipes(home: &Home, folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.absolute(folder)).into_iter().flatten().flatten();
    // Names in the current folder are shorter without it.
    let path = |name: std::ffi::OsString| match folder == Path::new(".") {
        true => PathBuf::from(name),
        false => folder.join(name),
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| path(entry.file_name())).collect();
    found.retain(|path| is_recipe(path) && home.absolute(path).is_file());
    found.sort();
    found
}

/// Whether a path has a recipe's name. Hidden files are excluded, because editors keep them beside a recipe.
pub(super) fn is_recipe(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension() == Some(OsStr::new("toml"))
}

/// Whether two paths lead to the same file.
fn same(home: &Home, one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(home.absolute(path)).ok();
    one == other || real(one).is_some_and(|path| real(other) == Some(path))
}
