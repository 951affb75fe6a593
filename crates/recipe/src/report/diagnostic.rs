//! Diagnostics: what is wrong with a recipe and where. Messages point at the word and say what to write.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::texts::{SourceFile, SourceSpan, Sources};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The recipe cannot be rendered.
    Error,
    /// The recipe can be rendered, but surely not as intended.
    Warning,
}

/// One message about a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The file that it concerns, with its text.
    pub file: Arc<SourceFile>,
    /// The bytes of the file's text that it concerns; none if it concerns the whole file.
    pub span: Option<Range<usize>>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What was expected in place of the marked text.
    pub expected: Option<String>,
    /// How to fix it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Returns an error about some bytes of a file.
    pub fn error(place: SourceSpan, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            file: place.file,
            span: Some(place.span),
            message: message.into(),
            expected: None,
            hint: None,
        }
    }

    /// Returns a warning about some bytes of a file.
    pub fn warning(place: SourceSpan, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Returns an error about a whole file.
    pub fn whole(file: Arc<SourceFile>, message: impl Into<String>) -> Self {
        Diagnostic { span: None, ..Self::error(SourceSpan { file, span: 0..0 }, message) }
    }

    /// Sets what was expected in place of the marked text.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Sets how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Like [`Diagnostic::hint`], for an optional hint.
    #[must_use]
    pub fn maybe_hint(self, hint: Option<String>) -> Self {
        Diagnostic { hint: hint.or(self.hint.clone()), ..self }
    }

    /// Returns the line and column where it begins, both counted from 1, columns in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        let place = Line::find(&self.file.text, self.span.as_ref()?);
        Some((place.number, place.line.get(..place.marked.start).unwrap_or("").chars().count() + 1))
    }
}

/// The maximum number of diagnostics shown. More would help nobody.
const MOST: usize = 50;

/// Sorts diagnostics by their place, the recipe's own text first, and drops repetitions. Errors and warnings stay mixed, because people
/// read the file from top to bottom.
pub(crate) fn in_order(mut diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let start = |diagnostic: &Diagnostic| diagnostic.span.as_ref().map(|span| (span.start, span.end));
    diagnostics.sort_by_cached_key(|diagnostic| (sources.position(&diagnostic.file), start(diagnostic)));
    let mut seen = HashSet::new();
    let known = |diagnostic: &Diagnostic| {
        let Diagnostic { severity, span, message, expected, hint, file } = diagnostic;
        (Arc::as_ptr(file), *severity, span.clone(), message.clone(), expected.clone(), hint.clone())
    };
    diagnostics.retain(|diagnostic| seen.insert(known(diagnostic)));
    diagnostics
}

/// Renders diagnostics for the terminal, each with the line of its own file and with colours as ANSI escapes. Print it with `anstream`,
/// which removes the escapes where they are unwanted (`NO_COLOR`, a pipe).
pub fn render_diagnostics(diagnostics: &[Diagnostic]) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MOST) {
        out.push_str(&renderer.render(&[report(diagnostic)]));
        out.push_str("\n\n");
    }
    if let Some(more) = diagnostics.len().checked_sub(MOST).filter(|more| *more > 0) {
        let title = Level::NOTE.primary_title(format!("{more} more not shown; fix the first ones first"));
        out.push_str(&renderer.render(&[Group::with_title(title)]));
        out.push('\n');
    }
    out
}

/// Prepares one diagnostic for the renderer.
fn report(diagnostic: &Diagnostic) -> Group<'_> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&diagnostic.message);
    let name = diagnostic.file.path.to_string_lossy().into_owned();
    let mut group = match &diagnostic.span {
        Some(span) => {
            let place = Line::find(&diagnostic.file.text, span);
            let annotation = AnnotationKind::Primary.span(place.marked.clone());
            let label = diagnostic.expected.as_ref().map(|expected| format!("expected {expected}"));
            let snippet = Snippet::source(place.line).line_start(place.number).path(name);
            title.element(snippet.annotation(annotation.label(label)))
        }
        None => title.element(annotate_snippets::Origin::path(name)),
    };
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    group
}

/// A span's first line.
struct Line<'a> {
    /// The line without its end.
    line: &'a str,
    /// Counted from 1.
    number: usize,
    /// The span within the line, in bytes, on character boundaries.
    marked: Range<usize>,
}

impl<'a> Line<'a> {
    /// Finds a span's first line. A byte order mark is ignored; a span that continues on further lines, or beyond the text, ends with the
    /// line.
    fn find(text: &'a str, span: &Range<usize>) -> Self {
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at.max(mark)
        };
        let start = floor(span.start);
        let begin = text[..start].rfind('\n').map_or(mark, |newline| newline + 1);
        let line = text[begin..].split('\n').next().unwrap_or("").trim_end_matches('\r');
        let within = |at: usize| (at - begin).min(line.len());
        let marked = within(start)..within(floor(span.end).max(start));
        Line { line, number: text[..begin].matches('\n').count() + 1, marked }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(text: &str) -> Arc<SourceFile> {
        SourceFile::new(Path::new("a.toml"), text)
    }

    fn at(file: &Arc<SourceFile>, span: Range<usize>) -> Diagnostic {
        Diagnostic::error(SourceSpan { file: file.clone(), span }, "wrong")
    }

    fn shown(text: &str, word: &str) -> String {
        let start = text.find(word).unwrap();
        let diagnostic = at(&file(text), start..start + word.len()).expected("right").hint("better");
        anstream::adapter::strip_str(&render_diagnostics(&[diagnostic])).to_string()
    }

    #[test]
    fn names_the_place_and_underlines_it() {
        let expected = "\
error: wrong
 --> a.toml:2:5
  |
2 | b = wörd
  |     ^^^^ expected right
  |
  = hint: better

";
        assert_eq!(shown("a = 1\nb = wörd\nc = 3\n", "wörd"), expected);
    }

    #[test]
    fn columns_count_characters_whatever_stands_before() {
        assert!(shown("\u{feff}größe = x", "x").contains("a.toml:1:9\n"), "{}", shown("\u{feff}größe = x", "x"));
        assert!(shown("\u{feff}größe = x", "größe").contains("a.toml:1:1\n"));
        assert!(shown("a = 1\r\nb = x\r\nc = 3", "x").contains("a.toml:2:5\n"));
        assert!(shown("\tb = x", "x").contains("a.toml:1:6\n"));
        assert!(shown("b = '日本' x", "x").contains("a.toml:1:10\n"));
    }

    #[test]
    fn spans_over_several_lines_or_outside_of_the_text_end_with_their_line() {
        assert!(shown("a = [\n1,\n2]\n", "[\n1,\n2]").contains("1 | a = [\n  |     ^"));
        for span in [0..99, 7..7, 50..60, 1..2] {
            let shown = render_diagnostics(&[at(&file("é = ö"), span)]);
            assert!(shown.contains("a.toml:1:"), "{shown}");
        }
        assert!(render_diagnostics(&[at(&file(""), 0..0)]).contains("a.toml:1:1"));
    }

    #[test]
    fn a_message_about_the_whole_file_names_it() {
        let shown = render_diagnostics(&[Diagnostic::whole(file(""), "too large")]);
        assert!(shown.contains("too large") && shown.contains("a.toml"));
    }

    #[test]
    fn order_is_that_of_the_texts_without_repetitions() {
        let (main, base) = (file("abcdefghi"), file("abcdefghi"));
        let mut sources = Sources::of(main.clone());
        sources.add(base.clone(), "".into());
        let span = |start: usize| start..start + 1;
        let all =
            vec![at(&base, span(0)), at(&main, span(5)), at(&main, span(2)), at(&main, span(5)), at(&base, span(5))];
        let starts = in_order(all, &sources).into_iter().map(|d| (Arc::ptr_eq(&d.file, &base), d.span.unwrap().start));
        assert_eq!(starts.collect::<Vec<_>>(), [(false, 2), (false, 5), (true, 0), (true, 5)]);
    }
}
