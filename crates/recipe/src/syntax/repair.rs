//! Rewords syntax errors in a recipe's terms, with what to write instead.
//!
//! The parser continues after an error and also reports errors that follow from it. Only the first error of a line is kept. If a quote or
//! a bracket is never closed, the text after it is read as part of it, so only the missing quote or bracket is reported.

use std::ops::Range;
use std::sync::Arc;

use crate::keys;
use crate::keys::Kind;
use crate::keys::parse::parse_size;
use crate::report::diagnostic::Diagnostic;
use crate::report::numbers::with_point;
use crate::syntax::marks::{Marks, is_heading, line_end, line_start, start};
use crate::syntax::unclosed::{Unclosed, quote_hint, unclosed, unclosed_quote};
use crate::texts::{SourceFile, SourceSpan};

/// Converts the parser's errors to diagnostics, in text order.
pub(crate) fn diagnostics(file: &Arc<SourceFile>, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let text = file.text.as_str();
    let mut errors: Vec<&toml::de::Error> = errors.iter().collect();
    errors.sort_by_key(|error| start(error));
    let marks = Marks::of(text);
    let unclosed = unclosed(text, &marks, &errors);
    if let Some(Unclosed { from, .. }) = &unclosed {
        errors.retain(|error| start(error) < *from && !error.message().starts_with("unclosed array,"));
    }
    let mut lines = std::collections::HashSet::new();
    errors.retain(|error| lines.insert(line_start(text, start(error))));
    let unclosed = unclosed.map(|Unclosed { span, what, hint, .. }| {
        Diagnostic::error(SourceSpan { file: file.clone(), span }, format!("this {what} is never closed")).hint(hint)
    });
    let errors = errors.into_iter().map(|error| diagnostic(file, &marks, error));
    let mut diagnostics: Vec<Diagnostic> = errors.chain(unclosed).collect();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| (span.start, span.end)));
    diagnostics
}

fn diagnostic(file: &Arc<SourceFile>, marks: &Marks, error: &toml::de::Error) -> Diagnostic {
    let text = file.text.as_str();
    let at = |span: Range<usize>| SourceSpan { file: file.clone(), span };
    let span = error.span().unwrap_or(0..0);
    if let Some(quoted) = unclosed_quote(text, marks, error) {
        return Diagnostic::error(at(quoted.range.clone()), "this text is never closed").hint(quote_hint(text, quoted));
    }
    let (said, expected) = match error.message().split_once(", expected ") {
        Some((said, expected)) => (said, Some(expected)),
        None => (error.message(), None),
    };
    let (message, hint) = reword(said, text, &span);
    let mut diagnostic = Diagnostic::error(at(span), message.unwrap_or(said));
    // If there is a hint in a recipe's terms, the grammar's terms add nothing.
    diagnostic.expected = expected.filter(|_| hint.is_none()).map(str::to_owned);
    diagnostic.hint = hint;
    diagnostic
}

/// Returns a reworded message and a hint; either may be absent.
fn reword(said: &str, text: &str, span: &Range<usize>) -> (Option<&'static str>, Option<String>) {
    let word = text.get(span.clone()).unwrap_or("");
    match said {
        "string values must be quoted" | "invalid literal string" | "extra comma in inline table"
            if is_value_missing(text, span.start) =>
        {
            (Some("the value is missing"), example(text, span.start))
        }
        "string values must be quoted" if is_key(text, span.end) && !word.is_empty() => (
            Some("a key is not allowed here"),
            Some(format!("keys belong in a table: {{ text = \"...\", {word} = ... }}")),
        ),
        "string values must be quoted" => unquoted(word),
        "duplicate key" => duplicate(text, span, word),
        "invalid basic string" | "invalid literal string" => (Some("this text is never closed"), None),
        "unexpected key or value" if decimal_comma(text, span.start).is_some() => (
            Some("numbers use a decimal point"),
            decimal_comma(text, span.start).map(|number| format!("write {number}")),
        ),
        "invalid mantissa" => (Some("a digit is missing before the point"), Some("write 0.5, not .5".into())),
        "invalid fraction" if dots(text, span.start).is_some() => {
            (Some("a range is written as an array"), dots(text, span.start))
        }
        "invalid fraction" => (Some("a digit is missing after the point"), Some("write 1.0, not 1.".into())),
        "invalid boolean" => (None, Some("true and false are written in lower case".into())),
        "invalid unquoted key" if word == ":" => {
            (Some("a key and its value are joined by ="), Some("write key = value".into()))
        }
        "unclosed array table" | "unclosed table" => (Some("this heading is never closed"), None),
        // Most often this is a Windows path.
        escape if escape.contains("escape") || escape.contains("unicode") => (
            Some("a backslash in double quotes begins an escape, and this is not a valid one"),
            Some("single quotes keep backslashes: 'C:\\photos\\sea.png'".into()),
        ),
        "cannot recurse further; max recursion depth met" => (Some("this is nested too deeply"), None),
        _ => (None, None),
    }
}

/// Returns the value with a point if the comma before `at` is a decimal comma between two numbers.
fn decimal_comma(text: &str, at: usize) -> Option<String> {
    let line = text.get(line_start(text, at)..line_end(text, at))?;
    let value = line.split_once('=')?.1.split('#').next()?;
    with_point(value)
}

/// Whether an equals sign follows on the line.
fn is_key(text: &str, at: usize) -> bool {
    text.get(at..line_end(text, at)).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Returns what to write instead of a range such as `8..24` around a byte.
fn dots(text: &str, at: usize) -> Option<String> {
    let line = text.get(line_start(text, at)..line_end(text, at))?;
    let value = line.split_once('=')?.1.split('#').next()?;
    let (low, high) = value.trim().split_once("..")?;
    let number = |text: &str| text.trim().parse::<f64>().is_ok();
    let (low, high) = (low.trim(), high.trim_start_matches(['.', '=']).trim());
    (number(low) && number(high))
        .then(|| format!("a range is [{low}, {high}], a change over time {{ keys = [[0, {low}], [1, {high}]] }}"))
}

/// Whether there is nothing between an equals sign and the place where a value was expected, nor after that place.
fn is_value_missing(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return false };
    let after = after.trim_start_matches([' ', '\t']);
    before.trim_end_matches([' ', '\t']).ends_with('=')
        && (after.is_empty() || after.starts_with(['\r', '\n', '#', ',', '}', ']']))
}

/// Returns the key whose value is missing together with an example value, if all keys of that name have the same example.
fn example(text: &str, at: usize) -> Option<String> {
    let before = text[line_start(text, at)..at].trim_end().strip_suffix('=')?.trim_end();
    let name = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    let mut examples = keys::ALL.iter().filter_map(|table| table.key(name)).map(|key| key.example);
    let first = examples.next().filter(|example| !example.is_empty())?;
    examples.all(|other| other == first).then(|| format!("for example {name} = {first}"))
}

/// Returns a message and a hint for a key or a heading that was already given.
fn duplicate(text: &str, span: &Range<usize>, word: &str) -> (Option<&'static str>, Option<String>) {
    let line = text[line_start(text, span.start)..line_end(text, span.start)].trim();
    let known = keys::RECIPE.key(word).map(|key| key.kind);
    // The heading as written on its line, without a comment.
    let heading = line.split('#').next().unwrap_or("").trim();
    if !is_heading(line) || !heading.trim_end_matches(']').trim_end().ends_with(word) {
        return (Some("this key was given before"), Some("keep one of the two".into()));
    }
    let name = heading.trim_matches(['[', ']']).trim();
    let hint = match known {
        Some(Kind::Tables(table)) if name == word => {
            format!("to have several, write each as {}", table.heading)
        }
        _ => {
            // Limited, because a long recipe may be full of duplicates.
            let mut before = text[..line_start(text, span.start)].lines().enumerate().take(200);
            let same = |line: &str| is_heading(line) && line.split(['[', ']']).any(|part| part.trim() == name);
            match before.find(|(_, line)| same(line)) {
                Some((first, _)) => {
                    format!("there is only one [{name}]: write its keys below the one on line {}", first + 1)
                }
                None => format!("there is only one `{name}`: write all its keys in one place"),
            }
        }
    };
    (Some("this table was given before"), Some(hint))
}

/// Returns a message and a hint for a value that is not valid TOML.
fn unquoted(word: &str) -> (Option<&'static str>, Option<String>) {
    if word.strip_prefix(['.', '-', '+']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    {
        return (Some("this is not a number"), Some("a number needs a digit before its point: 0.5".into()));
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
    (Some(if curly { "texts must be in straight quotes" } else { "a text must be in quotes" }), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use toml::de::DeTable;

    fn file(text: &str) -> Arc<SourceFile> {
        SourceFile::new(Path::new("a.toml"), text)
    }

    /// Returns each diagnostic's line, message and hint.
    fn said(text: &str) -> Vec<(usize, String, String)> {
        let errors = DeTable::parse_recoverable(text).1;
        let diagnostics = diagnostics(&file(text), &errors);
        let said = diagnostics.into_iter().map(|diagnostic| {
            (diagnostic.position().unwrap().0, diagnostic.message, diagnostic.hint.unwrap_or_default())
        });
        said.collect()
    }

    /// The parser's own messages that [`reword`] and `unclosed` look for, each with a text that brings it about. They are not part of
    /// the parser's interface, so its version is pinned; where one changes, change what looks for it, too.
    #[test]
    fn the_parser_says_what_is_looked_for() {
        let deep = format!("a = {}", "[".repeat(200));
        let mut missing = Vec::new();
        for (text, message) in [
            ("a = b", "string values must be quoted"),
            ("a = 'b", "invalid literal string"),
            ("a = \"b", "invalid basic string"),
            ("a = { , }", "extra comma in inline table"),
            ("a = 1\na = 2", "duplicate key"),
            ("a = 0,5", "unexpected key or value"),
            ("a = .5", "invalid mantissa"),
            ("a = 1.", "invalid fraction"),
            ("a = trUe", "invalid boolean"),
            ("a = { b: 1 }", "invalid unquoted key"),
            ("[[a]", "unclosed array table"),
            ("[a", "unclosed table"),
            ("a = \"\\p\"", "escape"),
            ("a = \"\\uD800\"", "unicode"),
            (&deep, "cannot recurse further; max recursion depth met"),
            ("a = [1", "unclosed array,"),
            ("a = { b = 1", "unclosed inline table,"),
            ("a = [ b = 1 ]", "unexpected `=` in array"),
            ("a = { b = [1 }", "missing inline table opening"),
            ("a = ]", "missing array opening"),
            ("a = [{ b = 1 ]", "invalid inline table element"),
            ("a = b\"", "missing opening quote"),
        ] {
            let errors = DeTable::parse_recoverable(text).1;
            let said: Vec<&str> = errors.iter().map(toml::de::Error::message).collect();
            if !said.iter().any(|said| said.contains(message)) {
                missing.push(format!("{text}: {said:?} and not {message:?}"));
            }
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
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
    fn a_quote_without_its_partner_is_the_one_error() {
        let hint = "write \"a castle\"";
        for (prompts, hint) in [
            ("[\"a castle]", hint),
            ("[\"a castle]]  # here", hint),
            ("[\"b\", \"a castle ]", hint),
            ("[{ text = \"a castle }]", hint),
            ("['a castle]", "write 'a castle'"),
            ("[{ text = \"a, weight = 2 }]", "a \" is missing on this line"),
            ("[\"a castle, \"b\"]", hint),
            ("['a', 'a knight's sword']", "a text with an apostrophe needs double quotes"),
            ("[\"b\\\"]", "write \"b\\\"\""),
            ("[\"b\\]", "a \" is missing on this line"),
        ] {
            let text = format!("seed = 1x\n[[detail]]\nprompts = {prompts}\n[[phase]]\nsteps = 3\n");
            let messages = said(&text);
            assert_eq!(messages.len(), 2, "{text}{messages:?}");
            assert_eq!((messages[1].0, messages[1].1.as_str()), (3, "this text is never closed"), "{text}");
            assert_eq!(messages[1].2, hint, "{text}");
        }
        // The mark begins at the unmatched quote.
        let text = "a = [\"b, \"c\"]\n";
        let errors = DeTable::parse_recoverable(text).1;
        assert_eq!(diagnostics(&file(text), &errors)[0].span.clone().unwrap().start, 5);
    }

    #[test]
    fn a_bracket_closed_by_another_is_the_one_error() {
        for (text, message, hint) in [
            ("a = [{ b = [0.2, 0.6 }, { c = 3 }]", "this array is never closed", "write [0.2, 0.6]"),
            ("a = [{ b = [0.2, 0.6, }]", "this array is never closed", "write [0.2, 0.6]"),
            ("a = [\n  { b = [1, 2 },\n  { c = 3 },\n]", "this array is never closed", "write [1, 2]"),
            ("a = [1, 2}", "this array is never closed", "write [1, 2]"),
            ("a = [{ b = 3 ]", "this table is never closed", "write { b = 3 }"),
            ("a = [{ b = 3, { c = 2 }]", "this table is never closed", "a `}` is missing before this `]`"),
            ("a = { b = 3", "this table is never closed", "write { b = 3 }"),
            ("a = [1, 2\n[phase]", "this array is never closed", "a `]` is missing before line 2"),
        ] {
            let messages = said(&format!("{text}\nd = 2\n"));
            assert_eq!(messages.len(), 1, "{text}: {messages:?}");
            assert_eq!((messages[0].1.as_str(), messages[0].2.as_str()), (message, hint), "{text}");
        }
        assert_eq!(said("a = [1, 2")[0].2, "write [1, 2]");
    }

    #[test]
    fn a_missing_value_is_said_to_be_missing() {
        for text in ["a =", "a = # 3", "a =\nb = 2", "a =\r\nb = 2", "a = { b = }", "a = { b = , c = 2 }"] {
            let messages = said(text);
            assert_eq!((messages.len(), messages[0].1.as_str()), (1, "the value is missing"), "{text}: {messages:?}");
        }
        assert_eq!(said("seed =")[0].2, "for example seed = 4");
    }

    #[test]
    fn what_is_given_twice_is_a_key_or_a_table() {
        for (text, message, hint) in [
            ("[[detail]]\n[detail]", "this table was given before", "to have several, write each as [[detail]]"),
            (
                "\n[canvas] # a\nb = 1\n[ canvas ]",
                "this table was given before",
                "there is only one [canvas]: write its keys below the one on line 2",
            ),
            (
                "[canvas.init]\n[canvas.init]",
                "this table was given before",
                "there is only one [canvas.init]: write its keys below the one on line 1",
            ),
            (
                "canvas = { a = 1 }\n[canvas]",
                "this table was given before",
                "there is only one `canvas`: write all its keys in one place",
            ),
            (
                "[canvas]\n[[canvas]]",
                "this table was given before",
                "there is only one [canvas]: write its keys below the one on line 1",
            ),
            ("a = 1\na = 2", "this key was given before", "keep one of the two"),
        ] {
            let messages = said(text);
            assert_eq!((messages[0].1.as_str(), messages[0].2.as_str()), (message, hint), "{text}");
        }
    }

    #[test]
    fn other_slips_are_named() {
        assert_eq!(said("a = 8..24")[0].2, "a range is [8, 24], a change over time { keys = [[0, 8], [1, 24]] }");
        for (text, message) in [
            ("a = ['b', weight = 2]", "a key is not allowed here"),
            ("a = 1\na = 2", "this key was given before"),
            ("a = \"x", "this text is never closed"),
            ("a = “x”", "texts must be in straight quotes"),
            ("a: 1", "a key and its value are joined by ="),
            ("a = 1.", "a digit is missing after the point"),
            ("a = -.5", "a digit is missing before the point"),
            ("a = 0,05", "numbers use a decimal point"),
        ] {
            assert_eq!(said(text)[0].1, message, "{text}");
        }
        let deep = format!("a = {}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(said(&deep)[0].1, "this is nested too deeply");
    }
}
