//! The parts of a path: every folder and every link between the root and the file.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// The maximum number of links on a path: systems give up earlier.
const LINKS: usize = 40;

/// The identity of a file or folder, which distinguishes it from a replacement with the same name. A recreated folder may have the inode
/// number of its predecessor, hence the time.
pub(super) type Identity = (u64, u64, Option<SystemTime>);

/// What the system reports about a part of a path without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stamp {
    /// It does not exist or cannot be accessed.
    Missing,
    /// A link that leads there.
    Link(PathBuf),
    Folder(Identity),
    /// A folder whose entries matter, with the time when one of them was last added or removed.
    Entries(Identity, Option<SystemTime>),
    /// A file, its length and the time of its last change.
    File(Identity, u64, Option<SystemTime>),
}

/// A snapshot of all parts of some paths. Two snapshots are equal if nothing has happened in between, except changes that keep a file's
/// length and modification time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Glance {
    seen: HashMap<PathBuf, Stamp>,
}

/// The parts that a path leads through.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// The parts that exist and the first that does not, each with the folder that contains it. No such folder is a link.
    pub parts: Vec<(PathBuf, PathBuf)>,
    /// What the path leads to, if that exists.
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

    /// Looks at a path's parts, and at the entries of the folder at its end, to notice added or removed ones.
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

/// A component of a path still to be followed.
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

/// Returns the identity of what is at a path now, following links.
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

    /// Takes a snapshot of a path.
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
        // A file next to it is not part of its path.
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
        // A file system's timestamps may be coarse.
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
        // A cycle leads nowhere.
        symlink("circle", real.join("circle")).unwrap();
        assert_eq!(Glance::default().follow(&real.join("circle")).end, None);
    }
}
