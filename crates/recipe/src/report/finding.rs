//! Diagnostics for other programs: what is wrong, and exactly where.

use std::path::Path;

use serde::Serialize;

use crate::report::diagnostic::{Diagnostic, Severity};

/// One finding about a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file's path as it was given.
    pub file: String,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What was expected in place of the marked text.
    pub expected: Option<String>,
    /// How to fix it.
    pub hint: Option<String>,
    /// The line where it begins, counted from 1; null if the finding has no place in the text.
    pub line: Option<usize>,
    /// The column where it begins, counted from 1 in characters; a byte order mark is ignored.
    pub column: Option<usize>,
    /// The line where it ends.
    pub end_line: Option<usize>,
    /// The column after the last character.
    pub end_column: Option<usize>,
    /// The range of bytes in the text; the end is exclusive.
    pub span: Option<[usize; 2]>,
}

impl Finding {
    /// Converts a diagnostic to a finding.
    pub fn of(diagnostic: &Diagnostic) -> Finding {
        let text = &diagnostic.file.text;
        let span = diagnostic.span.clone();
        let start = span.as_ref().map(|span| place(text, span.start));
        let end = span.as_ref().map(|span| place(text, span.end.max(span.start)));
        Finding {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            line: start.map(|(line, _)| line),
            column: start.map(|(_, column)| column),
            end_line: end.map(|(line, _)| line),
            end_column: end.map(|(_, column)| column),
            span: span.map(|span| [span.start, span.end.max(span.start)]),
            expected: diagnostic.expected.clone(),
            ..Finding::whole(&diagnostic.file.path, &diagnostic.message, diagnostic.hint.as_deref())
        }
    }

    /// Returns an error about a whole file.
    pub fn whole(path: &Path, message: &str, hint: Option<&str>) -> Finding {
        Finding {
            file: path.display().to_string(),
            severity: "error",
            message: message.to_owned(),
            expected: None,
            hint: hint.map(str::to_owned),
            line: None,
            column: None,
            end_line: None,
            end_column: None,
            span: None,
        }
    }
}

/// Returns the line and column of a byte, both counted from 1. A byte beyond the text counts as the text's end, one within a character as
/// that character's start.
fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let characters = before[line..].chars().filter(|c| *c != '\u{feff}').count();
    (before.matches('\n').count() + 1, characters + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceFile, SourceSpan};

    #[test]
    fn places_count_characters_from_1() {
        let text = "\u{feff}größe = 1\nb = [\n]\n";
        assert_eq!(place(text, 3), (1, 1));
        assert_eq!(place(text, text.find(" = 1").unwrap()), (1, 6));
        assert_eq!(place(text, text.find('[').unwrap()), (2, 5));
        assert_eq!(place(text, text.find(']').unwrap() + 1), (3, 2));
        assert_eq!(place(text, 6), (1, 3));
        assert_eq!(place("a", 9), (1, 2));
    }

    #[test]
    fn findings_agree_with_what_people_are_shown() {
        let text = "seed = 4\n# é\nx = 'ß'; y\n";
        let file = SourceFile::new(Path::new("a.toml"), text);
        let at = text.find('y').unwrap();
        let diagnostic = Diagnostic::error(SourceSpan { file: file.clone(), span: at..at + 1 }, "wrong");
        let diagnostic = diagnostic.expected("right").hint("better");
        let finding = Finding::of(&diagnostic);
        assert_eq!((finding.line.unwrap(), finding.column.unwrap()), diagnostic.position().unwrap());
        assert_eq!((finding.end_line, finding.end_column), (Some(3), Some(11)));
        assert_eq!(finding.span, Some([at, at + 1]));
        assert_eq!(finding.expected.as_deref(), Some("right"));
        let whole = Finding::of(&Diagnostic::whole(file, "too large"));
        assert_eq!(whole, Finding::whole(Path::new("a.toml"), "too large", None));
    }
}
