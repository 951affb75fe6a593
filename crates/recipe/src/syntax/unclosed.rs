//! Quotes and brackets that are never closed. The parser's errors for them point at the end of what they swallow.

use std::ops::Range;

use crate::syntax::marks::{Crossed, Marks, Quoted, is_heading, line_end, line_start, start};

/// A quote or bracket that is never closed. Everything after some byte may then be misread.
pub(crate) struct Unclosed {
    pub span: Range<usize>,
    /// What it begins: a text, an array or a table.
    pub what: &'static str,
    pub hint: String,
    pub from: usize,
}

impl Unclosed {
    fn bracket(text: &str, at: usize, hint: String, from: usize) -> Self {
        let what = if text[at..].starts_with('[') { "array" } else { "table" };
        Unclosed { span: at..at + 1, what, hint, from }
    }
}

/// Returns the first quote or bracket that is never closed and swallows what follows, if it caused one of the parser's errors.
pub(crate) fn unclosed(text: &str, marks: &Marks, errors: &[&toml::de::Error]) -> Option<Unclosed> {
    let quotes = errors.iter().filter_map(|error| {
        let quoted = unclosed_quote(text, marks, error)?;
        let start = quoted.range.start;
        quoted.within.then(|| Unclosed {
            span: quoted.range.clone(),
            what: "text",
            hint: quote_hint(text, quoted),
            from: start,
        })
    });
    let crossed = errors.iter().filter_map(|error| {
        let crossed = marks.crossed.binary_search_by_key(&start(error), |crossed| crossed.close).ok()?;
        let crossed = marks.crossed[crossed];
        let known = ["missing inline table opening", "missing array opening", "invalid inline table element"];
        known.iter().any(|known| error.message().starts_with(known)).then(|| crossing(text, crossed))
    });
    let entries = errors.iter().find(|error| error.message().starts_with("unexpected `=` in array"));
    let swallowed = entries.and_then(|error| swallowing(text, line_start(text, start(error))));
    let last = errors.iter().find(|error| {
        ["unclosed array,", "unclosed inline table,"].iter().any(|known| error.message().starts_with(known))
    });
    let last = last.and_then(|error| {
        let open = *Marks::of(text.get(..start(error))?).open.last()?;
        let closing = closing(text, open);
        let hint = guess(text, open, line_end(text, open)).unwrap_or_else(|| format!("a `{closing}` is missing"));
        // The pairs on further lines may or may not be meant to be in the table.
        let from = if closing == '}' { line_end(text, open) } else { start(error) };
        Some(Unclosed::bracket(text, open, hint, from))
    });
    // If several begin at the same byte, the first one tells most. Errors come in text order, so the first of each kind is enough.
    let (mut quotes, mut crossed) = (quotes, crossed);
    quotes.next().into_iter().chain(crossed.next()).chain(swallowed).chain(last).min_by_key(|unclosed| unclosed.from)
}

/// Returns the quoted text that lacks its closing quote. Such a text takes the opening quote of the next one as its end, so the error
/// appears at the last text of the line.
pub(crate) fn unclosed_quote<'m>(text: &str, marks: &'m Marks, error: &toml::de::Error) -> Option<&'m Quoted> {
    let says = |known: &[&str]| known.iter().any(|known| error.message().starts_with(known));
    let no_end = says(&["invalid basic string", "invalid literal string"]);
    if !no_end && !says(&["missing opening quote"]) {
        return None;
    }
    let line = line_start(text, start(error));
    let end = line_end(text, line);
    let first = marks.quoted.partition_point(|quoted| quoted.range.start < line);
    let mut of_line = marks.quoted[first..].iter().take_while(|quoted| quoted.range.start < end);
    let left = of_line.clone().find(|quoted| !quoted.closed)?;
    let quote = text.as_bytes()[left.range.start];
    let runs_on = |quoted: &&Quoted| {
        let rest = text[quoted.range.end..].trim_start_matches([' ', '\t']);
        text.as_bytes()[quoted.range.start] == quote
            && !(rest.is_empty() || rest.starts_with([',', ']', '}', '=', '.', '#', '\r', '\n', '"', '\'']))
    };
    let early = of_line.find(|quoted| quoted.range.start < left.range.start && runs_on(quoted));
    // A missing opening quote leaves no unfinished text.
    early.or(no_end.then_some(left))
}

/// Returns a hint where the quote may be missing.
pub(crate) fn quote_hint(text: &str, quoted: &Quoted) -> String {
    let quote = &text[quoted.range.start..quoted.range.start + 1];
    if quote == "'" && quoted.closed && text[quoted.range.end..].starts_with(char::is_alphanumeric) {
        return "a text with an apostrophe needs double quotes".into();
    }
    let content = text[quoted.range.start + 1..quoted.range.end].trim_end_matches(quote);
    let content = content.split(" #").next().unwrap_or("");
    let content = content.trim_end_matches(|c: char| c.is_whitespace() || "]},".contains(c));
    // A comma or = may belong to the text or follow it.
    if content.is_empty() || content.contains([',', '=']) || content.ends_with('\\') || content.chars().count() > 60 {
        format!("a {quote} is missing on this line")
    } else {
        format!("write {quote}{content}{quote}")
    }
}

fn crossing(text: &str, Crossed { open, close }: Crossed) -> Unclosed {
    let closing = closing(text, open);
    let before = &text[close..close + 1];
    let hint = guess(text, open, close).unwrap_or_else(|| format!("a `{closing}` is missing before this `{before}`"));
    let same_line = line_start(text, open) == line_start(text, close);
    Unclosed::bracket(text, open, hint, if same_line { open } else { close })
}

/// Finds an array that continues over the `key =` of the line at `line`. It should have ended before that line, or before the heading
/// above it.
fn swallowing(text: &str, line: usize) -> Option<Unclosed> {
    let open = Marks::of(&text[..line]).open;
    let open = *open.iter().rev().find(|open| text[**open..].starts_with('['))?;
    let mut from = line;
    let mut begin = line_end(text, open);
    for following in text[begin..line].split_inclusive('\n') {
        if is_heading(following) {
            from = begin;
            break;
        }
        begin += following.len();
    }
    let hint = format!("a `]` is missing before line {}", text[..from].lines().count() + 1);
    Some(Unclosed::bracket(text, open, hint, from))
}

fn closing(text: &str, open: usize) -> char {
    if text[open..].starts_with('[') { ']' } else { '}' }
}

/// Guesses what was meant by a bracket that should have been closed before `end`.
fn guess(text: &str, open: usize, end: usize) -> Option<String> {
    let written = text[open..end].trim_end().trim_end_matches(',').trim_end();
    let plain = !written[1..].contains(['[', ']', '{', '}', '#', '\n', '"', '\'']) && written.chars().count() <= 60;
    let space = if text[open..].starts_with('{') { " " } else { "" };
    (plain && written.len() > 1).then(|| format!("write {written}{space}{}", closing(text, open)))
}
