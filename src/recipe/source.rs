//! A recipe's text: from the file, and into a TOML document.

use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use super::diagnostic::{Diagnostic, in_order};

/// The longest recipe, in bytes.
pub const LONGEST: u64 = 1 << 20;

/// A recipe that cannot be read, and as much of its text as its messages need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub text: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a recipe's file.
///
/// # Errors
/// When the file cannot be read, is larger than [`LONGEST`], or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Unreadable> {
    let whole = |diagnostic: Diagnostic| Unreadable { text: String::new(), diagnostics: vec![diagnostic] };
    let bytes = read_bytes(path).map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => Some("check the name and the folder".to_owned()),
            std::io::ErrorKind::IsADirectory => Some("a recipe is a file, usually NAME.toml".to_owned()),
            _ => None,
        };
        whole(Diagnostic::whole(path, format!("cannot read this recipe: {error}")).maybe_hint(hint))
    })?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("this file is larger than {LONGEST} bytes");
        return Err(whole(Diagnostic::whole(path, message).hint("is it really a recipe?")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        // Lossy text keeps all before the first wrong byte where it was.
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let diagnostic = Diagnostic::error(path, start..start + 1, "this is not UTF-8 text")
            .hint("save the recipe in the encoding UTF-8");
        Unreadable { text, diagnostics: vec![diagnostic] }
    })
}

/// At most one byte more than [`LONGEST`], so that neither a huge file nor an endless one fills the memory.
fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses TOML; several syntax errors at once. After one the rest of the file may mean something else than was written,
/// so nothing further is looked at.
pub(super) fn parse<'a>(path: &Path, text: &'a str) -> Result<DeTable<'a>, Vec<Diagnostic>> {
    if text.len() as u64 > LONGEST {
        return Err(vec![Diagnostic::whole(path, format!("this recipe is longer than {LONGEST} bytes"))]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(document.into_inner());
    }
    let diagnostics = errors.iter().map(|error| syntax(path, text, error)).collect();
    Err(in_order(diagnostics))
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let (message, expected) = match error.message().split_once(", expected ") {
        Some((message, expected)) => (message, Some(expected)),
        None => (error.message(), None),
    };
    let mut diagnostic = Diagnostic::error(path, span.clone(), message);
    diagnostic.expected = expected.map(str::to_owned);
    let _ = text;
    diagnostic
}
