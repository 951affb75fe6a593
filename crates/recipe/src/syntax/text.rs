//! A recipe's text: read from a file and parsed into a TOML document.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use crate::given::Bases;
use crate::report::diagnostic::Diagnostic;
use crate::report::paths::missing_hint;
use crate::syntax::repair;
use crate::texts::{SourceFile, SourceSpan};

/// The maximum size of a recipe, in bytes.
pub const LONGEST: u64 = 1 << 20;

/// A recipe as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeText {
    /// The path of its file, for messages and for the paths in it.
    pub path: PathBuf,
    pub text: String,
    /// The recipes that it builds on, if they were stored with it in a picture; otherwise they are files.
    pub bases: Option<Bases>,
}

/// Why a recipe cannot be read from a file, in words that follow "cannot read this recipe:", and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub what: String,
    pub hint: Option<String>,
}

/// Opens a recipe that others build on.
pub type Open<'a> = &'a dyn Fn(&Path) -> Result<RecipeText, Trouble>;

/// Reads a recipe from its file.
///
/// # Errors
/// When the file cannot be read, is larger than [`LONGEST`], or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Diagnostic> {
    let bytes = read_bytes(path).map_err(|Trouble { what, hint }| {
        let hint = missing_hint(&path.to_string_lossy(), path).or(hint);
        Diagnostic::whole(SourceFile::new(path, ""), format!("cannot read this recipe: {what}")).maybe_hint(hint)
    })?;
    decode(path, bytes)
}

/// Decodes a recipe's bytes as text.
///
/// # Errors
/// If they are not UTF-8.
pub fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        // Lossy decoding keeps everything before the first wrong byte in place.
        let file = SourceFile::new(path, String::from_utf8_lossy(error.as_bytes()));
        Diagnostic::error(SourceSpan { file, span: start..start + 1 }, "this is not UTF-8 text")
            .hint("save the recipe as UTF-8")
    })
}

/// Reads the file of a recipe that others build on.
///
/// # Errors
/// If it is not a file, cannot be read, is larger than [`LONGEST`], or is not UTF-8.
pub fn open(path: &Path) -> Result<RecipeText, Trouble> {
    let not_a_file = || Trouble { what: "it is not a file".into(), hint: None };
    let metadata = std::fs::metadata(path).map_err(trouble)?;
    // Reading a pipe, for example, would block.
    let bytes = if metadata.is_file() { read_bytes(path)? } else { return Err(not_a_file()) };
    let text = String::from_utf8(bytes)
        .map_err(|_| Trouble { what: "it is not UTF-8 text".into(), hint: Some("save it as UTF-8".into()) })?;
    Ok(RecipeText { path: path.to_path_buf(), text, bases: None })
}

/// Reads at most one byte more than [`LONGEST`], so neither a huge file nor an endless one fills the memory.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(trouble)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(trouble)?;
    if bytes.len() as u64 > LONGEST {
        let what = format!("it is larger than {LONGEST} bytes");
        return Err(Trouble { what, hint: Some("is it really a recipe?".into()) });
    }
    Ok(bytes)
}

fn trouble(error: std::io::Error) -> Trouble {
    let (what, hint) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file".to_owned(), Some("check the name and the folder")),
        ErrorKind::IsADirectory => (error.to_string(), Some("a recipe is a file, usually NAME.toml")),
        _ => (error.to_string(), None),
    };
    Trouble { what, hint: hint.map(str::to_owned) }
}

/// Parses TOML and reports all syntax errors at once. After a syntax error the rest of the file may be misread, so nothing further is
/// checked.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<DeTable<'_>, Vec<Diagnostic>> {
    if file.text.len() as u64 > LONGEST {
        return Err(vec![Diagnostic::whole(file.clone(), format!("this recipe is longer than {LONGEST} bytes"))]);
    }
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    if errors.is_empty() { Ok(document.into_inner()) } else { Err(repair::diagnostics(file, &errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(bytes: &[u8]) -> Diagnostic {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        assert!(open(file.path()).is_err());
        read(file.path()).unwrap_err()
    }

    #[test]
    fn bytes_that_are_no_text_are_pointed_at() {
        assert_eq!(unreadable(b"title = 'a'\nx = '\xe9'\n").position(), Some((2, 6)));
    }

    #[test]
    fn huge_files_are_refused() {
        let wrong = unreadable(&vec![b'#'; LONGEST as usize + 1]);
        assert!(wrong.message.contains("larger than 1048576 bytes"));
        let text = "#".repeat(LONGEST as usize + 1);
        let parsed = |text: &str| parse(&SourceFile::new(Path::new("a.toml"), text)).map(drop);
        assert!(parsed(&text).unwrap_err()[0].message.contains("longer"));
        assert!(parsed(&text[..LONGEST as usize]).is_ok());
    }

    #[test]
    fn what_is_not_there_is_said_so() {
        let wrong = read(Path::new("no/such/recipe.toml")).unwrap_err();
        assert!(wrong.message.starts_with("cannot read this recipe"));
        assert!(read(&std::env::temp_dir()).is_err());
        assert_eq!(open(&std::env::temp_dir()).unwrap_err().what, "it is not a file");
    }
}
