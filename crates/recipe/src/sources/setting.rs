//! `--set PATH=VALUE`: one value of a recipe, given on the command line.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::sources::texts::SourceFile;

/// A value that replaces one of the recipe. `PATH` leads to it through keys, positions from 0, and names, separated by points
/// (`detail.sky.weight`, `stages.roam.1.rotate`). A segment that contains a point or a blank is written in quotes. `VALUE` is TOML, or
/// otherwise a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Setting {
    pub path: String,
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    /// Splits at the first `=` outside quotes.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut quote = None;
        for (at, c) in text.char_indices() {
            match (quote, c) {
                (None, '=') => {
                    let (path, value) = (text[..at].trim(), text[at + 1..].trim());
                    return match path.is_empty() {
                        true => Err("the path before = is missing, as in detail.0.weight=0.5".into()),
                        false => Ok(Setting { path: path.into(), value: value.into() }),
                    };
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                _ => {}
            }
        }
        Err("a setting is written PATH=VALUE, for example detail.0.weight=0.5".into())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// A segment of a path, and its place in the setting's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub text: String,
    pub span: Range<usize>,
}

impl Setting {
    /// Returns the setting as a text that diagnostics can point at.
    pub(crate) fn source(&self) -> std::sync::Arc<SourceFile> {
        let text = self.to_string();
        SourceFile::new(format!("--set {text}").as_ref(), text)
    }

    /// Returns where the value begins in the setting's text.
    pub(crate) fn value_start(&self) -> usize {
        self.path.len() + 1
    }

    /// Returns the path's segments. Fails with the place of an empty one.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, Range<usize>> {
        let mut segments = Vec::new();
        let mut start = 0;
        loop {
            let end = segment_end(&self.path, start);
            let word = self.path[start..end].trim();
            let quoted =
                ['"', '\''].iter().any(|quote| word.len() > 1 && word.starts_with(*quote) && word.ends_with(*quote));
            let text = if quoted { &word[1..word.len() - 1] } else { word };
            let from = start + self.path[start..end].len() - self.path[start..end].trim_start().len();
            let span = from..from + word.len();
            if text.is_empty() {
                return Err(start..end.max(start + 1));
            }
            segments.push(Segment { text: text.to_owned(), span });
            if end == self.path.len() {
                return Ok(segments);
            }
            start = end + 1;
        }
    }
}

/// Returns the end of the segment that begins at `start`: the next point outside quotes.
fn segment_end(path: &str, start: usize) -> usize {
    let mut quote = None;
    for (at, c) in path[start..].char_indices() {
        match (quote, c) {
            (None, '.') => return start + at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    path.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, Range<usize>)> {
        let segments = text.parse::<Setting>().unwrap().segments().unwrap();
        segments.into_iter().map(|segment| (segment.text, segment.span)).collect()
    }

    #[test]
    fn settings_are_split_at_their_first_equals_sign() {
        let setting: Setting = " detail.0.weight = if(t == 1, 2, 3) ".parse().unwrap();
        assert_eq!((setting.path.as_str(), setting.value.as_str()), ("detail.0.weight", "if(t == 1, 2, 3)"));
        assert_eq!(setting.to_string(), "detail.0.weight=if(t == 1, 2, 3)");
        assert_eq!("detail.'a=b'.weight=1".parse::<Setting>().unwrap().path, "detail.'a=b'.weight");
        for wrong in ["seed", "=4", " = 4", "'a=4"] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_are_words_with_points_between() {
        assert_eq!(words("a.0.b=1"), [("a".into(), 0..1), ("0".into(), 2..3), ("b".into(), 4..5)]);
        assert_eq!(words("a.\"x.y\" . 'z'=1"), [("a".into(), 0..1), ("x.y".into(), 2..7), ("z".into(), 10..13)]);
        for wrong in ["a..b=1", ".a=1", "a.=1", "a.''=1"] {
            assert!(wrong.parse::<Setting>().unwrap().segments().is_err(), "{wrong}");
        }
    }
}
