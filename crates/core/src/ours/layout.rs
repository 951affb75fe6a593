//! Folders that hold our files at a fixed depth, under names of known patterns.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::{is_cache, is_folder, left_in, remove_empty};

/// The patterns of our names: those of the folders, outermost first, and of the files in the innermost.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub folders: &'static [fn(&str) -> bool],
    pub file: fn(&str) -> bool,
}

/// A file of ours.
#[derive(Debug)]
pub struct File {
    pub path: PathBuf,
    pub metadata: Metadata,
}

/// The result of clearing: what was removed, and what was left.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    pub files: u64,
    pub bytes: u64,
    /// A line on what is left, from [`left_in`].
    pub left: Option<String>,
}

impl Layout {
    /// Returns our files below `root`. `root` itself may be a link, because it is where we were told to write.
    pub fn files(&self, root: &Path) -> Vec<File> {
        let mut files = Vec::new();
        // Folders that cannot be read hold nothing that we could use.
        let _ = self.walk(root, self.folders, &mut |path, metadata| {
            files.push(File { path, metadata });
            Ok(())
        });
        files
    }

    /// Removes our files, and the folders that become empty.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn clear(&self, root: &Path) -> io::Result<Cleared> {
        let mut cleared = Cleared::default();
        self.walk(root, self.folders, &mut |path, metadata| {
            fs::remove_file(&path)?;
            cleared.files += 1;
            cleared.bytes += metadata.len();
            // Only as many of the folders above as have our names.
            for folder in path.ancestors().skip(1).take(self.folders.len()) {
                remove_empty(folder);
            }
            Ok(())
        })?;
        self.remove_marked(root, self.folders);
        cleared.left = left_in(root);
        Ok(cleared)
    }

    /// Removes empty folders with our mark, innermost first.
    fn remove_marked(&self, folder: &Path, below: &[fn(&str) -> bool]) {
        if let Some((name, rest)) = below.split_first() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_str().is_some_and(name) && is_folder(&entry.path()) {
                    self.remove_marked(&entry.path(), rest);
                }
            }
        }
        if is_cache(folder) {
            remove_empty(folder);
        }
    }

    fn walk(
        &self,
        folder: &Path,
        below: &[fn(&str) -> bool],
        found: &mut dyn FnMut(PathBuf, Metadata) -> io::Result<()>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // For a link this is the link's own metadata, which is neither a folder's nor a file's.
            let (Some(name), Ok(metadata)) = (name.to_str(), entry.metadata()) else { continue };
            match below.split_first() {
                Some((ours, rest)) if metadata.is_dir() && ours(name) => self.walk(&entry.path(), rest, found)?,
                None if metadata.is_file() && (self.file)(name) => found(entry.path(), metadata)?,
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ours::make_cache;

    const LAYOUT: Layout =
        Layout { folders: &[|name| name == "1", |name| name.len() == 2], file: |name| name.starts_with('f') };

    fn file(root: &Path, path: &str) {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), "123").unwrap();
    }

    #[test]
    fn only_files_of_ours_go_and_folders_that_are_empty_then() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        make_cache(&root).unwrap();
        for ours in ["1/ab/f1", "1/ab/f2", "1/cd/f1"] {
            file(&root, ours);
        }
        let theirs = ["f1", "1/f1", "1/cd/photo", "1/abc/f1", "2/ab/f1", "1/ab/deep/f1"];
        for theirs in theirs {
            file(&root, theirs);
        }
        fs::create_dir_all(root.join("1/xx")).unwrap();
        assert_eq!(LAYOUT.files(&root).len(), 3);
        let cleared = LAYOUT.clear(&root).unwrap();
        assert_eq!((cleared.files, cleared.bytes), (3, 9));
        assert!(cleared.left.unwrap().starts_with("6 other files left in "));
        for theirs in theirs {
            assert!(root.join(theirs).is_file(), "{theirs}");
        }
        assert!(root.join("1/xx").is_dir(), "nothing was removed from it");
        for theirs in theirs {
            fs::remove_file(root.join(theirs)).unwrap();
        }
        fs::remove_dir_all(root.join("1")).unwrap();
        fs::remove_dir_all(root.join("2")).unwrap();
        assert_eq!(LAYOUT.clear(&root).unwrap(), Cleared::default());
        assert!(!root.exists(), "it was made by us, and is empty");
        assert_eq!(LAYOUT.clear(&root).unwrap(), Cleared::default());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_what_is_behind_them_stay() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (root, away) = (folder.path().join("root"), folder.path().join("away"));
        file(&away, "ab/f1");
        file(&root, "1/cd/f1");
        symlink(&away, root.join("2")).unwrap();
        symlink(away.join("ab"), root.join("1/ab")).unwrap();
        symlink(away.join("ab/f1"), root.join("1/cd/f2")).unwrap();
        let cleared = LAYOUT.clear(&root).unwrap();
        assert_eq!(cleared.files, 1);
        assert!(away.join("ab/f1").is_file());
        for link in ["2", "1/ab", "1/cd/f2"] {
            assert!(fs::symlink_metadata(root.join(link)).unwrap().is_symlink(), "{link}");
        }
        // The folder itself may be a link: we were told to write there.
        file(&away, "1/ab/f1");
        let link = folder.path().join("link");
        symlink(&away, &link).unwrap();
        assert_eq!(LAYOUT.clear(&link).unwrap().files, 1);
    }
}
