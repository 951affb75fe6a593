//! The texts of a recipe, joined into one: its file, the files that it builds on, and the settings of the command line.
//!
//! Each text begins at its own offset, so a single range of bytes identifies both the text and the place in it. The recipe's own text
//! begins at 0.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// A text that can contain errors: a recipe's file, or an option of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The file's path, or the option as it was given.
    pub path: PathBuf,
    pub text: String,
}

impl SourceFile {
    pub fn new(path: &Path, text: impl Into<String>) -> Arc<Self> {
        Arc::new(SourceFile { path: path.to_path_buf(), text: text.into() })
    }
}

/// A range of one of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpan {
    pub file: Arc<SourceFile>,
    /// In bytes.
    pub span: Range<usize>,
}

impl SourceSpan {
    /// Returns the span of the first occurrence of a text within this one.
    pub fn part(&self, text: &str) -> Option<SourceSpan> {
        let start = self.span.start + self.file.text.get(self.span.clone())?.find(text)?;
        Some(SourceSpan { file: self.file.clone(), span: start..start + text.len() })
    }
}

/// All texts of a recipe.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    entries: Vec<JoinedText>,
}

#[derive(Debug)]
struct JoinedText {
    file: Arc<SourceFile>,
    /// The folder that paths in it are relative to.
    folder: PathBuf,
    start: usize,
}

impl Sources {
    /// Starts with a recipe's own text.
    pub fn of(file: Arc<SourceFile>) -> Self {
        let mut sources = Sources::default();
        let folder = file.path.parent().unwrap_or(Path::new("")).to_path_buf();
        sources.add(file, folder);
        sources
    }

    /// Adds a text and returns the offset at which it begins.
    pub fn add(&mut self, file: Arc<SourceFile>, folder: PathBuf) -> usize {
        // The byte between two texts belongs to the end of the first.
        let start = self.end();
        self.entries.push(JoinedText { file, folder, start });
        start
    }

    /// Returns the offset at which the next text will begin.
    pub fn end(&self) -> usize {
        self.entries.last().map_or(0, |last| last.start + last.file.text.len() + 1)
    }

    fn entry(&self, at: usize) -> Option<&JoinedText> {
        let after = self.entries.partition_point(|entry| entry.start <= at);
        self.entries.get(after.checked_sub(1)?)
    }

    /// Returns the recipe's own file.
    pub fn main(&self) -> &Arc<SourceFile> {
        self.file(0)
    }

    /// Returns the text that contains a byte.
    pub fn file(&self, at: usize) -> &Arc<SourceFile> {
        static NONE: LazyLock<Arc<SourceFile>> = LazyLock::new(|| SourceFile::new(Path::new(""), ""));
        self.entry(at).map_or(&NONE, |entry| &entry.file)
    }

    /// Returns the text and the span within it of a range of bytes.
    pub fn source_span(&self, span: &Range<usize>) -> SourceSpan {
        match self.entry(span.start) {
            Some(entry) => {
                let local = span.start - entry.start..span.end.max(span.start) - entry.start;
                SourceSpan { file: entry.file.clone(), span: local }
            }
            None => SourceSpan { file: self.main().clone(), span: span.clone() },
        }
    }

    /// Returns the text in a range of bytes.
    pub fn text(&self, span: &Range<usize>) -> Option<&str> {
        let entry = self.entry(span.start)?;
        entry.file.text.get(span.start - entry.start..span.end.checked_sub(entry.start)?)
    }

    /// Returns the folder that a path written at this byte is relative to.
    pub fn folder(&self, at: usize) -> &Path {
        self.entry(at).map_or(Path::new(""), |entry| &entry.folder)
    }

    /// Returns the index of a file among the texts; the recipe's own is first.
    pub fn position(&self, file: &Arc<SourceFile>) -> usize {
        self.entries.iter().position(|entry| Arc::ptr_eq(&entry.file, file)).unwrap_or(self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_which_text_is_meant() {
        let mut sources = Sources::of(SourceFile::new(Path::new("x/a.toml"), "abc"));
        let start = sources.add(SourceFile::new(Path::new("y/b.toml"), "def"), PathBuf::from("y"));
        assert_eq!(start, 4);
        for (span, path, local, text) in [
            (1..2, "x/a.toml", 1..2, Some("b")),
            (3..3, "x/a.toml", 3..3, Some("")),
            (4..7, "y/b.toml", 0..3, Some("def")),
            (6..9, "y/b.toml", 2..5, None),
        ] {
            let place = sources.source_span(&span);
            assert_eq!((place.file.path.to_str(), place.span), (Some(path), local));
            assert_eq!(sources.text(&span), text);
        }
        assert_eq!([sources.folder(0), sources.folder(5)], [Path::new("x"), Path::new("y")]);
        assert_eq!(sources.position(&sources.source_span(&(5..5)).file), 1);
    }
}
