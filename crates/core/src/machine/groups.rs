//! The memory that Linux control groups leave to this process: version 1, version 2, and machines with both.
//!
//! A limit applies to a group and to all groups below it, so every group from the process's own to the root is checked.
//! Inside a container the groups above may be invisible, and the process's own may be mounted as the root. Every part
//! of the path that exists is checked, and always the mount's root.

use std::fs;
use std::path::{Path, PathBuf};

use super::memory::{Bound, Room};

/// The names of the files that report a group's memory.
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The lines of `memory.stat` that count the reclaimable part of `used`: file pages.
    reclaimable: [&'static str; 2],
}

const FIRST: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    reclaimable: ["total_active_file", "total_inactive_file"],
};
const SECOND: Files =
    Files { limit: "memory.max", used: "memory.current", reclaimable: ["active_file", "inactive_file"] };

/// Returns the memory that each group with a limit leaves to the process. `root` is the root of the file system, other
/// than `/` only in tests.
pub(super) fn rooms(root: &Path) -> Vec<Room> {
    let mounted = root.join("sys/fs/cgroup");
    let own = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let path_of = |wanted: &dyn Fn(&str, &str) -> bool| {
        let lines = own.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            Some((parts.next()?, parts.next()?, parts.next()?))
        });
        let path = lines.into_iter().find(|(id, controllers, _)| wanted(id, controllers)).map(|(_, _, path)| path);
        path.unwrap_or("/").to_owned()
    };
    let first = path_of(&|_, controllers| controllers.split(',').any(|controller| controller == "memory"));
    let second = path_of(&|id, controllers| id == "0" && controllers.is_empty());
    let mut rooms = along(&mounted.join("memory"), &first, &FIRST);
    // On machines with both, version 2 is mounted in its own place.
    for mount in [mounted.join("unified"), mounted] {
        rooms.extend(along(&mount, &second, &SECOND));
    }
    rooms
}

/// Returns the room in a group and in every group above it.
fn along(mount: &Path, own: &str, files: &Files) -> Vec<Room> {
    // `..` leads out of the cgroup namespace: nothing above it is visible.
    let own = Path::new(own.trim_start_matches('/'));
    let own =
        if own.components().all(|part| matches!(part, std::path::Component::Normal(_))) { own } else { Path::new("") };
    own.ancestors().filter_map(|group| room(&mount.join(group), group, files)).collect()
}

/// Returns the memory that a group's limit leaves, or `None` without a limit.
fn room(folder: &Path, group: &Path, files: &Files) -> Option<Room> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    // Version 2 says `max` where there is no limit, version 1 a number beyond all memory.
    let limit = number(files.limit).filter(|limit| *limit < 1 << 62)?;
    let used = number(files.used).unwrap_or(0);
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable = stat.lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        if files.reclaimable.contains(&name) { value.trim().parse::<u64>().ok() } else { None }
    });
    let bytes = limit.saturating_sub(used.saturating_sub(reclaimable.fold(0, u64::saturating_add)));
    let name = PathBuf::from("/").join(group);
    Some(Room { bytes, bound: Bound::Group { name, limit } })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    /// A file system with these files.
    fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    /// Returns each group's name with its megabytes left and allowed.
    fn read(files: &[(&str, &str)]) -> Vec<(String, u64, u64)> {
        let rooms = rooms(system(files).path()).into_iter();
        let plain = |room: Room| match room.bound {
            Bound::Group { name, limit } => (name.display().to_string(), room.bytes / MB, limit / MB),
            other => panic!("{other:?}"),
        };
        rooms.map(plain).collect()
    }

    #[test]
    fn a_systemd_scope_s_limit_is_found() {
        let scope = "sys/fs/cgroup/user.slice/run-1.scope";
        let found = read(&[
            ("proc/self/cgroup", "0::/user.slice/run-1.scope\n"),
            (&format!("{scope}/memory.max"), "314572800\n"),
            (&format!("{scope}/memory.current"), "104857600\n"),
            (&format!("{scope}/memory.stat"), "anon 10\nfile 83886080\nactive_file 20971520\ninactive_file 62914560\n"),
            ("sys/fs/cgroup/user.slice/memory.max", "max\n"),
        ]);
        assert_eq!(found, [("/user.slice/run-1.scope".to_owned(), 280, 300)]);
    }

    #[test]
    fn a_limit_above_the_own_group_counts() {
        let found = read(&[
            ("proc/self/cgroup", "0::/a.slice/b.service\n"),
            ("sys/fs/cgroup/a.slice/b.service/memory.max", "max"),
            ("sys/fs/cgroup/a.slice/memory.max", "209715200"),
            ("sys/fs/cgroup/a.slice/memory.current", "52428800"),
        ]);
        assert_eq!(found, [("/a.slice".to_owned(), 150, 200)]);
    }

    #[test]
    fn version_1_is_read_alone_and_beside_version_2() {
        let group = "sys/fs/cgroup/memory/docker/abc";
        let mut files = vec![
            ("proc/self/cgroup".to_owned(), "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"),
            (format!("{group}/memory.limit_in_bytes"), "314572800\n"),
            (format!("{group}/memory.usage_in_bytes"), "314572800\n"),
            (format!("{group}/memory.stat"), "inactive_file 1\ntotal_inactive_file 209715200\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes".to_owned(), "9223372036854771712\n"),
        ];
        let expected = ("/docker/abc".to_owned(), 200, 300);
        let of = |files: &[(String, &'static str)]| {
            read(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>())
        };
        assert_eq!(of(&files), std::slice::from_ref(&expected));
        files.push(("sys/fs/cgroup/unified/memory.max".to_owned(), "104857600"));
        assert_eq!(of(&files), [expected, ("/".to_owned(), 100, 100)]);
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        // The path is that of the host, and not mounted here.
        let first = [
            ("proc/self/cgroup", "4:memory:/docker/abc\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600"),
        ];
        assert_eq!(read(&first), [("/".to_owned(), 100, 100)]);
        let second = [("proc/self/cgroup", "0::/../../outside\n"), ("sys/fs/cgroup/memory.max", "104857600")];
        assert_eq!(read(&second), [("/".to_owned(), 100, 100)]);
        // Without /proc only the root is known.
        assert_eq!(read(&second[1..]), [("/".to_owned(), 100, 100)]);
    }

    #[test]
    fn where_nothing_is_told_nothing_is_bounded() {
        assert_eq!(read(&[]), []);
        let odd = [("proc/self/cgroup", "what\n0:\n::::\n"), ("sys/fs/cgroup/memory.max", "-1")];
        assert_eq!(read(&odd), []);
    }
}
