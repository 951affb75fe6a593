//! `recipe-render models list`: lists the models that can be used by name.

use serde_json::json;

use crate::cli::args::models::ListArgs;
use crate::cli::failure::{Exit, Outcome};
use crate::cli::terminal::voice;
use crate::clip::ModelFolder;
use crate::units;

/// A model that can be used by name.
struct Row {
    name: String,
    /// Where it is.
    place: String,
    /// Bytes on disk.
    bytes: Option<u64>,
    /// The side of its windows, in pixels.
    size: Option<u32>,
    about: String,
    licence: String,
}

/// Prints one model per line: its name, its window's side, its size on disk, where it is, and what it is good for.
pub(super) fn run(args: &ListArgs) -> Outcome {
    // One damaged folder must not hide the others.
    let rows: Vec<Row> = ModelFolder::names().into_iter().map(row).collect();
    let text = if args.json { as_json(&rows) } else { as_table(&rows) };
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

fn row(name: String) -> Row {
    match ModelFolder::named(&name) {
        Ok(model) => {
            let embedded = || "part of the program".to_owned();
            let place = model.folder().map_or_else(embedded, |folder| folder.display().to_string());
            let bytes = model.folder().map(|_| {
                model.files().iter().filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum()
            });
            let description = model.description;
            Row {
                name,
                place,
                bytes,
                size: Some(description.image.size),
                about: description.about,
                licence: description.licence,
            }
        }
        Err(error) => Row {
            name,
            place: "damaged".to_owned(),
            bytes: None,
            size: None,
            about: error.to_string(),
            licence: String::new(),
        },
    }
}

fn as_json(rows: &[Row]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name, "place": row.place, "bytes": row.bytes, "size": row.size, "about": row.about,
                "licence": row.licence,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(rows))
}

fn as_table(rows: &[Row]) -> String {
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let size = row.size.map(|size| format!("{size}px")).unwrap_or_default();
            let bytes = row.bytes.map(units::bytes).unwrap_or_default();
            [row.name.clone(), size, bytes, row.place.clone(), row.about.clone()]
        })
        .collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, sizes, bytes, places) = (width(0), width(1), width(2), width(3));
    let line = |row: &[String; 5]| {
        let [name, size, disk, place, about] = row;
        format!("{name:names$}  {size:>sizes$}  {disk:>bytes$}  {place:places$}  {about}").trim_end().to_owned() + "\n"
    };
    cells.iter().map(line).collect()
}
