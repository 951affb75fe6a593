//! The contents of files, compared by hash.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file's content; `None` if it cannot be read now.
pub(super) type Content = Option<blake3::Hash>;

/// Files longer than this, such as models, are compared by length and modification time.
const LONG: u64 = 16 << 20;
/// While polling, files longer than this are read again only if their length or modification time has changed.
const SHORT: u64 = 256 << 10;

/// A file's length and modification time, known without reading it.
type Stamp = (u64, Option<SystemTime>);

/// Reads files' content, each once.
#[derive(Default)]
pub(super) struct Contents {
    seen: HashMap<PathBuf, Content>,
    /// The last stamp and content of files that are not short.
    before: HashMap<PathBuf, (Stamp, Content)>,
}

impl Contents {
    /// Returns a file's content, read at most once after [`Contents::renew`].
    pub fn of(&mut self, path: &Path) -> Content {
        if let Some(seen) = self.seen.get(path) {
            return *seen;
        }
        let content = self.read(path);
        self.seen.insert(path.to_path_buf(), content);
        content
    }

    /// Discards everything read so far. With `sparing`, longer files are kept as long as their length and modification time stay the
    /// same.
    pub fn renew(&mut self, sparing: bool) {
        self.seen.clear();
        if !sparing {
            self.before.clear();
        }
    }

    fn read(&mut self, path: &Path) -> Content {
        let metadata = std::fs::metadata(path).ok()?;
        let stamp: Stamp = (metadata.len(), metadata.modified().ok());
        if stamp.0 > LONG {
            return Some(blake3::hash(format!("{stamp:?}").as_bytes()));
        }
        if let Some((_, content)) = self.before.get(path).filter(|(before, _)| *before == stamp) {
            return *content;
        }
        let content = std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes));
        if stamp.0 > SHORT {
            self.before.insert(path.to_path_buf(), (stamp, content));
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_what_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut contents = Contents::default();
        assert_eq!(contents.of(&path), None);
        std::fs::write(&path, "1").unwrap();
        // The content stays the same until it is renewed.
        assert_eq!(contents.of(&path), None);
        contents.renew(true);
        let one = contents.of(&path);
        assert!(one.is_some());
        std::fs::write(&path, "1").unwrap();
        contents.renew(true);
        assert_eq!(contents.of(&path), one);
        std::fs::write(&path, "2").unwrap();
        contents.renew(true);
        assert_ne!(contents.of(&path), one);
    }
}
