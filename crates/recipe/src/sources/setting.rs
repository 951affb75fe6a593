//! The text of a setting, `PATH=VALUE`, and the segments of its path, with their places.

use std::ops::Range;
use std::sync::Arc;

use crate::given::{Setting, outside_quotes};
use crate::texts::SourceFile;

/// A segment of a path, and its place in the setting's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub text: String,
    pub span: Range<usize>,
}

/// Returns a setting as a text that diagnostics can point at.
pub(crate) fn source(setting: &Setting) -> Arc<SourceFile> {
    let text = setting.to_string();
    SourceFile::new(format!("--set {text}").as_ref(), text)
}

/// Returns where the value begins in a setting's text.
pub(crate) fn value_start(setting: &Setting) -> usize {
    setting.path.len() + 1
}

/// Returns the segments of a setting's path. Fails with the place of an empty one.
pub(crate) fn segments(setting: &Setting) -> Result<Vec<Segment>, Range<usize>> {
    let path = setting.path.as_str();
    let mut segments = Vec::new();
    let mut start = 0;
    loop {
        let end = segment_end(path, start);
        let word = path[start..end].trim();
        let quoted =
            ['"', '\''].iter().any(|quote| word.len() > 1 && word.starts_with(*quote) && word.ends_with(*quote));
        let text = if quoted { &word[1..word.len() - 1] } else { word };
        let from = start + path[start..end].len() - path[start..end].trim_start().len();
        let span = from..from + word.len();
        if text.is_empty() {
            return Err(start..end.max(start + 1));
        }
        segments.push(Segment { text: text.to_owned(), span });
        if end == path.len() {
            return Ok(segments);
        }
        start = end + 1;
    }
}

/// Returns the end of the segment that begins at `start`: the next point outside quotes.
fn segment_end(path: &str, start: usize) -> usize {
    outside_quotes(&path[start..], '.').map_or(path.len(), |at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, Range<usize>)> {
        let segments = segments(&text.parse().unwrap()).unwrap();
        segments.into_iter().map(|segment| (segment.text, segment.span)).collect()
    }

    #[test]
    fn paths_are_words_with_points_between() {
        assert_eq!(words("a.0.b=1"), [("a".into(), 0..1), ("0".into(), 2..3), ("b".into(), 4..5)]);
        assert_eq!(words("a.\"x.y\" . 'z'=1"), [("a".into(), 0..1), ("x.y".into(), 2..7), ("z".into(), 10..13)]);
        for wrong in ["a..b=1", ".a=1", "a.=1", "a.''=1"] {
            assert!(segments(&wrong.parse().unwrap()).is_err(), "{wrong}");
        }
    }
}
