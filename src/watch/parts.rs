//! What a path leads through: every folder and every link between the root and the file.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// No path leads through more links than this: systems give up earlier.
const LINKS: usize = 40;

/// Tells a file or folder from another one that takes its place under the same name. A folder made anew may have its
/// predecessor's number, hence the time.
pub(super) type Identity = (u64, u64, Option<SystemTime>);

/// What the system says of a part of a path, without its being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stamp {
    /// It is not there, or cannot be looked at.
    Missing,
    /// A link that leads there.
    Link(PathBuf),
    Folder(Identity),
    /// A folder whose entries count, with the time at which one of them last came or went.
    Entries(Identity, Option<SystemTime>),
    /// A file, its length and the time of its last change.
    File(Identity, u64, Option<SystemTime>),
}

/// What was seen of all parts of some paths at one time. Two of them are equal where nothing has happened in between, but for
/// changes that leave a file's length and time as they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Glance {
    seen: HashMap<PathBuf, Stamp>,
}

/// A path's way.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The parts that are there and the first that is not: each with the folder that it is in. No folder on it is a link.
    pub parts: Vec<(PathBuf, PathBuf)>,
    /// What it leads to, if that is there.
    pub end: Option<PathBuf>,
}

impl Glance {
    /// Looks at a path's parts, each once.
    pub fn follow(&mut self, path: &Path) -> Way {
        let mut way = Way::default();
        let mut at = PathBuf::new();
        let mut rest: VecDeque<Step> = steps(path);
        let mut links = 0;
        while let Some(step) = rest.pop_front() {
            let name = match step {
                Step::Root(root) => {
                    at.push(root);
                    continue;
                }
                Step::Up => {
                    at.pop();
                    continue;
                }
                Step::Down(name) => name,
            };
            let here = at.join(name);
            let stamp = self.seen.entry(here.clone()).or_insert_with(|| stamp(&here)).clone();
            way.parts.push((at.clone(), here.clone()));
            match stamp {
                Stamp::Missing => return way,
                Stamp::Link(_) if links == LINKS => return way,
                Stamp::Link(target) => {
                    links += 1;
                    for step in steps(&target).into_iter().rev() {
                        rest.push_front(step);
                    }
                }
                _ => at = here,
            }
        }
        way.end = Some(at);
        way
    }

    /// Looks at every part, and at whether entries of the folder at its end have come or gone.
    pub fn entries(&mut self, path: &Path) -> Way {
        let way = self.follow(path);
        if let Some(end) = &way.end
            && let Ok(metadata) = std::fs::metadata(end)
        {
            self.seen.insert(end.clone(), Stamp::Entries(identity(&metadata), metadata.modified().ok()));
        }
        way
    }
}

/// A step of a way.
enum Step {
    /// A root, or what comes before it on Windows.
    Root(OsString),
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> VecDeque<Step> {
    let step = |component: Component<'_>| match component {
        Component::Prefix(_) | Component::RootDir => Some(Step::Root(component.as_os_str().to_owned())),
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    };
    path.components().filter_map(step).collect()
}

fn stamp(path: &Path) -> Stamp {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Stamp::Missing };
    if metadata.is_symlink() {
        return std::fs::read_link(path).map_or(Stamp::Missing, Stamp::Link);
    }
    match metadata.is_dir() {
        true => Stamp::Folder(identity(&metadata)),
        false => Stamp::File(identity(&metadata), metadata.len(), metadata.modified().ok()),
    }
}

/// What is at a path now, links followed.
pub(super) fn identity_at(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|metadata| identity(&metadata))
}

fn identity(metadata: &Metadata) -> Identity {
    #[cfg(unix)]
    let (device, number) = {
        use std::os::unix::fs::MetadataExt;
        (metadata.dev(), metadata.ino())
    };
    #[cfg(not(unix))]
    let (device, number) = (0, 0);
    (device, number, metadata.created().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What is seen of a path now.
    fn glance(path: &Path) -> Glance {
        let mut glance = Glance::default();
        glance.follow(path);
        glance
    }

    #[test]
    fn every_part_of_a_path_counts() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/file"), "1").unwrap();
        let path = at("a/./b/../b/file");
        let before = glance(&path);
        assert_eq!(before, glance(&path));
        // A file beside it is none of its parts.
        fs::write(at("a/b/other"), "1").unwrap();
        assert_eq!(before, glance(&path));
        fs::rename(at("a"), at("old")).unwrap();
        let without = glance(&path);
        assert_ne!(before, without);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::rename(at("old/b/file"), at("a/b/file")).unwrap();
        // The same file under the same name, in another folder.
        assert_ne!(before, glance(&path));
        assert_ne!(without, glance(&path));
    }

    #[test]
    fn what_is_missing_ends_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let way = Glance::default().follow(&real.join("no/such/file"));
        assert_eq!(way.end, None);
        assert_eq!(way.parts.last(), Some(&(real.clone(), real.join("no"))));
        assert_eq!(Glance::default().follow(&real).end, Some(real));
    }

    #[test]
    fn entries_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let look = || {
            let mut glance = Glance::default();
            glance.entries(folder.path());
            glance
        };
        let before = look();
        assert_eq!(before, look());
        // The clock of a file system may be coarse.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(folder.path().join("new"), "").unwrap();
        assert_ne!(before, look());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_parts_too() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        for name in ["one", "two"] {
            fs::create_dir(real.join(name)).unwrap();
            fs::write(real.join(name).join("file"), name).unwrap();
        }
        symlink("one", real.join("now")).unwrap();
        symlink(real.join("now/file"), real.join("link")).unwrap();
        let path = real.join("link");
        let before = glance(&path);
        assert_eq!(Glance::default().follow(&path).end, Some(real.join("one/file")));
        fs::remove_file(real.join("now")).unwrap();
        symlink("two", real.join("now")).unwrap();
        assert_ne!(before, glance(&path));
        assert_eq!(Glance::default().follow(&path).end, Some(real.join("two/file")));
        // A circle leads nowhere.
        symlink("circle", real.join("circle")).unwrap();
        assert_eq!(Glance::default().follow(&real.join("circle")).end, None);
    }
}
