//! `recipe-render models list`: the models that a name finds.

use crate::cli::{Exit, Outcome, voice};
use crate::clip::ModelFolder;

/// One model a line: its name, where it is, what it is good for.
pub(super) fn run() -> Outcome {
    let mut rows = Vec::new();
    for name in ModelFolder::names() {
        // One damaged folder must not hide the others.
        rows.push(match ModelFolder::named(&name) {
            Ok(model) => {
                let embedded = || "part of the program".to_owned();
                let place = model.folder().map_or_else(embedded, |folder| folder.display().to_string());
                (name, place, model.description.about)
            }
            Err(error) => (name, "damaged".to_owned(), error.to_string()),
        });
    }
    let width = |column: fn(&(String, String, String)) -> &str| {
        rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    };
    let (names, places) = (width(|row| &row.0), width(|row| &row.1));
    let lines = rows.iter().map(|(name, place, about)| format!("{name:names$}  {place:places$}  {about}\n"));
    voice::result(lines.collect::<String>().as_bytes())?;
    Ok(Exit::Done)
}
