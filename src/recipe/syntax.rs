//! Syntax errors in the words of a recipe, with what to write instead.
//!
//! The parser goes on after an error and reports what follows from it, too. Only the first error of a line is kept, and
//! where the end of an array is missing, so that everything after it is read as its entries, only that is said.

use std::ops::Range;
use std::path::Path;

use super::diagnostic::{Diagnostic, in_order};
use super::overrides::parse_size;

/// The parser's errors as diagnostics, in the text's order.
pub(super) fn diagnostics(path: &Path, text: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut errors: Vec<&toml::de::Error> = errors.iter().collect();
    errors.sort_by_key(|error| start(error));
    // `key =` within an array: the array should have ended before that line.
    let mut unclosed = None;
    if let Some(first) = errors.iter().find(|error| error.message().starts_with("unexpected `=` in array")) {
        let line = line_start(text, start(first));
        if let Some(bracket) = open_bracket(&text[..line]) {
            errors.retain(|error| start(error) < line && !error.message().starts_with("unclosed array,"));
            let before = text[..line].lines().count() + 1;
            unclosed = Some(
                Diagnostic::error(path, bracket..bracket + 1, "this array is never closed")
                    .hint(format!("a `]` is missing before line {before}")),
            );
        }
    }
    let mut lines = std::collections::HashSet::new();
    errors.retain(|error| lines.insert(line_start(text, start(error))));
    in_order(errors.into_iter().map(|error| diagnostic(path, text, error)).chain(unclosed).collect())
}

fn start(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// The beginning of the line that a byte is in.
fn line_start(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

/// The innermost `[` that is still open at the end of a text, comments and strings left aside.
fn open_bracket(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'[' => open.push(at),
            b']' => {
                open.pop();
            }
            b'#' => {
                bytes.find(|(_, byte)| *byte == b'\n');
            }
            // A string of several quotes opens and closes an odd number of times: three are as good as one.
            b'"' | b'\'' => {
                let mut escaped = false;
                bytes.find(|(_, other)| {
                    let end = !escaped && (*other == byte || *other == b'\n');
                    escaped = byte == b'"' && *other == b'\\' && !escaped;
                    end
                });
            }
            _ => {}
        }
    }
    open.pop()
}

fn diagnostic(path: &Path, text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let (said, expected) = match error.message().split_once(", expected ") {
        Some((said, expected)) => (said, Some(expected)),
        None => (error.message(), None),
    };
    let (message, hint) = reword(said, text, &span);
    let mut diagnostic = Diagnostic::error(path, span, message.unwrap_or(said));
    // Where there is a hint in the recipe's words, the grammar's words add nothing.
    diagnostic.expected = expected.filter(|_| hint.is_none()).map(str::to_owned);
    diagnostic.hint = hint;
    diagnostic
}

/// A message in other words, and what to do; either may be lacking.
fn reword(said: &str, text: &str, span: &Range<usize>) -> (Option<&'static str>, Option<String>) {
    let word = text.get(span.clone()).unwrap_or("");
    match said {
        "string values must be quoted" => unquoted(word),
        "duplicate key" => {
            let hint = if text[..span.start].ends_with('[') && !text[..span.start].ends_with("[[") {
                format!("where there can be several, each is written [[{word}]]")
            } else {
                "keep one of the two".into()
            };
            (Some("this key was given before"), Some(hint))
        }
        "invalid basic string" | "invalid literal string" => (Some("this text is never closed"), None),
        "invalid mantissa" => (Some("a digit is missing before the point"), Some("write 0.5, not .5".into())),
        "invalid fraction" => (Some("a digit is missing behind the point"), Some("write 1.0, not 1.".into())),
        "invalid boolean" => (None, Some("true and false are written in small letters".into())),
        "invalid unquoted key" if word == ":" => {
            (Some("a key and its value are joined by ="), Some("write key = value".into()))
        }
        "unclosed array table" | "unclosed table" => (Some("this heading is never closed"), None),
        "cannot recurse further; max recursion depth met" => (Some("this is nested too deeply"), None),
        _ => (None, None),
    }
}

/// What to write in place of a value that is no TOML.
fn unquoted(word: &str) -> (Option<&'static str>, Option<String>) {
    if word.strip_prefix(['.', '-', '+']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    {
        return (Some("this is no number"), Some("a number has a digit before its point: 0.5".into()));
    }
    if let Ok(size) = parse_size(word) {
        return (Some("a size is written as an array"), Some(format!("write [{}, {}]", size.width, size.height)));
    }
    if ["True", "False", "TRUE", "FALSE"].contains(&word) {
        return (None, Some(format!("write {}", word.to_lowercase())));
    }
    let parts: Vec<&str> = word.split_whitespace().collect();
    if parts.len() > 1 && parts.iter().all(|part| part.parse::<f64>().is_ok()) {
        return (Some("a comma is missing between these"), Some(format!("write {}", parts.join(", "))));
    }
    let inner = word.trim_matches(|c: char| c.is_whitespace() || "\"'“”„‘’«»".contains(c));
    let hint = if inner.is_empty() || inner.chars().count() > 60 { None } else { Some(format!("write \"{inner}\"")) };
    let curly = word.starts_with(['“', '”', '„', '‘', '’', '«', '»']);
    (Some(if curly { "texts stand in straight quotes" } else { "a text stands in quotes" }), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeTable;

    /// Each diagnostic's line and message, and its hint.
    fn said(text: &str) -> Vec<(usize, String, String)> {
        let errors = DeTable::parse_recoverable(text).1;
        let diagnostics = diagnostics(Path::new("a.toml"), text, &errors);
        let said = diagnostics.into_iter().map(|diagnostic| {
            (diagnostic.position(text).unwrap().0, diagnostic.message, diagnostic.hint.unwrap_or_default())
        });
        said.collect()
    }

    #[test]
    fn several_errors_at_once_and_one_a_line() {
        let messages = said("size = 512x512\ntitle = Malazan\nx = .5\n[[detail]\nprompts = ['a' 'b']\nwindows 12\n");
        let lines: Vec<usize> = messages.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6], "{messages:?}");
        assert_eq!(messages[0].2, "write [512, 512]");
        assert_eq!(messages[1].2, "write \"Malazan\"");
    }

    #[test]
    fn an_array_without_its_end_is_one_error() {
        let text = "seed = 1x\n[[detail]]\nprompts = ['a]', # ]\n \"b\\\"]\",\nwindows = 3\nrate = .5\n";
        let messages = said(text);
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert_eq!(messages[1].1, "this array is never closed");
        assert_eq!((messages[1].0, messages[1].2.as_str()), (3, "a `]` is missing before line 5"));
    }

    #[test]
    fn other_slips_are_named() {
        for (text, message) in [
            ("a = 1\na = 2", "this key was given before"),
            ("a = \"x", "this text is never closed"),
            ("a = “x”", "texts stand in straight quotes"),
            ("a: 1", "a key and its value are joined by ="),
            ("a = 1.", "a digit is missing behind the point"),
            ("a = -.5", "a digit is missing before the point"),
        ] {
            assert_eq!(said(text)[0].1, message, "{text}");
        }
        assert_eq!(said("[[a]]\n[a]\n")[0].2, "where there can be several, each is written [[a]]");
        let deep = format!("a = {}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(said(&deep)[0].1, "this is nested too deeply");
    }
}
