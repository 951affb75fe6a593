//! Finds the quotes, brackets, lines and headings of a TOML text without the grammar, to tell which quote or bracket was never closed.

use std::ops::Range;

/// A text in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// The range including the quotes. An unclosed text ends with its line, or with the file if it may span lines.
    pub range: Range<usize>,
    pub closed: bool,
    /// Whether it is within brackets or braces.
    pub within: bool,
}

/// A closing bracket that does not match the open one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crossed {
    pub open: usize,
    pub close: usize,
}

/// The quotes and brackets of a text outside comments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub quoted: Vec<Quoted>,
    pub crossed: Vec<Crossed>,
    /// The `[` and `{` that are open at the end, the innermost last.
    pub open: Vec<usize>,
}

impl Marks {
    pub fn of(text: &str) -> Marks {
        let bytes = text.as_bytes();
        let mut marks = Marks::default();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'[' | b'{' => marks.open.push(at),
                b']' | b'}' => marks.close(bytes, at),
                b'#' => at = line_end(text, at),
                b'"' | b'\'' => {
                    let (end, closed) = quoted_end(text, at);
                    marks.quoted.push(Quoted { range: at..end, closed, within: !marks.open.is_empty() });
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        marks
    }

    fn close(&mut self, bytes: &[u8], close: usize) {
        let partner = if bytes[close] == b']' { b'[' } else { b'{' };
        match self.open.last() {
            Some(&open) if bytes[open] != partner => {
                self.crossed.push(Crossed { open, close });
                if let Some(own) = self.open.iter().rev().take(100).position(|open| bytes[*open] == partner) {
                    self.open.truncate(self.open.len() - 1 - own);
                }
            }
            _ => {
                self.open.pop();
            }
        }
    }
}

/// Returns the end of the line that contains a byte, without its newline.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    let end = text.as_bytes()[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| at + newline);
    if end > at && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
}

/// Returns where a quoted text that begins at `start` ends, and whether it is closed.
fn quoted_end(text: &str, start: usize) -> (usize, bool) {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let three = [quote; 3];
    let several_lines = bytes[start..].starts_with(&three);
    let (length, limit) = if several_lines { (3, text.len()) } else { (1, line_end(text, start)) };
    let mut at = start + length;
    while at < limit {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            _ if bytes[at..limit].starts_with(&three[..length]) => {
                // Up to two more quotes belong to a text of several lines.
                let more = bytes[at + length..limit].iter().take_while(|byte| several_lines && **byte == quote);
                return (at + length + more.take(2).count(), true);
            }
            _ => {}
        }
        at += 1;
    }
    (limit, false)
}

/// Whether a line is `[word]` or `[[word]]`, which no array of values looks like.
pub(crate) fn is_heading(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or("").trim();
    let word = line.trim_start_matches('[').trim_end_matches(']').trim();
    line.starts_with('[')
        && line.ends_with(']')
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !["true", "false", "inf", "nan"].contains(&word)
}

/// Returns where the parser found an error.
pub(crate) fn start(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// Returns the beginning of the line that contains a byte.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_paired() {
        let quoted = |text: &str| {
            let all = Marks::of(text).quoted.into_iter();
            all.map(|quoted| (text[quoted.range].to_owned(), quoted.closed)).collect::<Vec<_>>()
        };
        let closed = |text: &str| (text.to_owned(), true);
        assert_eq!(quoted(r#"a = "b\"]" # 'c'"#), [closed(r#""b\"]""#)]);
        assert_eq!(quoted("a = ['\\', \"\"]"), [closed("'\\'"), closed("\"\"")]);
        assert_eq!(quoted("a = \"b]\r\nc = 'd'"), [("\"b]".into(), false), closed("'d'")]);
        assert_eq!(quoted("a = \"\"\"b\n\"c\"\"\"\"\nd = 1"), [closed("\"\"\"b\n\"c\"\"\"\"")]);
        assert_eq!(quoted("a = '''b\n'c"), [("'''b\n'c".into(), false)]);
        assert_eq!(quoted("a = \"b\\"), [("\"b\\".into(), false)]);
    }

    #[test]
    fn brackets_are_paired() {
        let marks = Marks::of("[[a]]\nb = [{ c = [1, 2 }, '[', { d = 3 }] # ]\ne = [");
        assert_eq!(marks.crossed, [Crossed { open: 17, close: 23 }]);
        assert_eq!(marks.open.len(), 1);
        assert!(Marks::of("]]}").open.is_empty());
    }
}
