//! A recipe's text: from the file, and into a TOML document.

use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use super::diagnostic::Diagnostic;
use super::syntax;

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
    if errors.is_empty() { Ok(document.into_inner()) } else { Err(syntax::diagnostics(path, text, &errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(bytes: &[u8]) -> Unreadable {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read(file.path()).unwrap_err()
    }

    #[test]
    fn bytes_that_are_no_text_are_pointed_at() {
        let wrong = unreadable(b"title = 'a'\nx = '\xe9'\n");
        assert_eq!(wrong.diagnostics[0].position(&wrong.text), Some((2, 6)));
    }

    #[test]
    fn huge_files_are_refused() {
        let wrong = unreadable(&vec![b'#'; LONGEST as usize + 1]);
        assert!(wrong.diagnostics[0].message.contains("larger than 1048576 bytes"));
        let text = "#".repeat(LONGEST as usize + 1);
        assert!(parse(Path::new("a.toml"), &text).unwrap_err()[0].message.contains("longer"));
        assert!(parse(Path::new("a.toml"), &text[..LONGEST as usize]).is_ok());
    }

    #[test]
    fn what_is_not_there_is_said_so() {
        let wrong = read(Path::new("no/such/recipe.toml")).unwrap_err();
        assert!(wrong.diagnostics[0].message.starts_with("cannot read this recipe"));
        assert!(read(&std::env::temp_dir()).is_err());
    }
}
