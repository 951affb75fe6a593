//! Describes an edit in a few words.

use std::path::{Path, PathBuf};

use super::edition::Edition;
use crate::recipe::changes;

/// The most paths to name.
const MOST: usize = 4;

/// Describes which files were edited and what changed in them: `castle.toml: phase.1.rate, seed`, `castle.toml: only comments`,
/// `start.png`.
pub(super) fn described(before: Option<&Edition>, after: &Edition, files: &[PathBuf]) -> String {
    let of = |file: &PathBuf| {
        let shown = file.display();
        let texts = before.and_then(|before| Some((text(before, file)?, text(after, file)?)));
        match texts.and_then(|(before, after)| changes(before, after)) {
            Some(changes) if changes.is_empty() => format!("{shown}: only comments"),
            Some(changes) => format!("{shown}: {}", shortened(&changes)),
            None => shown.to_string(),
        }
    };
    files.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// Returns the text of the edition's recipe, or of a recipe it builds on.
fn text<'a>(edition: &'a Edition, file: &Path) -> Option<&'a str> {
    if edition.source.path == file {
        return Some(&edition.source.text);
    }
    let folder = edition.source.path.parent().unwrap_or(Path::new(""));
    let base = edition.compiled.bases.recipes.iter().find(|base| folder.join(&base.path) == file)?;
    Some(&base.text)
}

fn shortened(changes: &[String]) -> String {
    match changes.len() {
        0..=MOST => changes.join(", "),
        many => format!("{} and {} more", changes[..MOST - 1].join(", "), many - (MOST - 1)),
    }
}
