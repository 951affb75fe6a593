//! `recipe-render models fetch`: downloads a model of the table, checks it and imports it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::models::FetchArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::transfer::Transfer;
use crate::cli::terminal::{Voice, voice};
use crate::clip::ModelFolder;
use crate::models::fetch::{Entry, Fetched, Folders, Options, Role, Source, Table, fetch};
use crate::models::{self, Card, Request};
use crate::runtime;
use crate::units;

/// Fetches the model, or lists what can be fetched.
pub(super) fn run(args: &FetchArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    let table = Table::load()?;
    match &args.name {
        Some(name) => one(table.find(name)?, args, options, voice),
        None => list(&table, args.json),
    }
}

fn one(entry: &Entry, args: &FetchArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    let source = Source::choose(args.from.as_deref())?;
    let folders = Folders::of_user()?;
    let target = folders.model(&entry.name);
    if let Some(place) = already_there(entry, args) {
        return there(entry, &place, args, voice);
    }
    let waiting = || voice.note(&format!("waiting for another recipe-render that is fetching {}", entry.name));
    let _lock = folders.lock(&entry.name, waiting)?;
    // The other process may have fetched it meanwhile.
    if let Some(place) = already_there(entry, args) {
        return there(entry, &place, args, voice);
    }
    voice.note(&announcement(entry, &source));
    let how = Options { source, offline: options.offline, patience: args.timeout };
    let mut transfer = Transfer::new(voice);
    let fetched = fetch(entry, &how, &folders, &mut |event| transfer.event(event))?;
    drop(transfer);
    take_in(&fetched, args.force, options, voice)?;
    let files: Vec<Value> = fetched.files.iter().map(|(role, path)| json!({ "role": role, "path": path })).collect();
    let result = json!({ "name": entry.name, "status": "fetched", "folder": target, "source": fetched.source });
    if args.keep_downloads {
        voice.note(&format!("the downloads stay in {}", fetched.downloads().display()));
    } else if let Some(left) = fetched.remove_downloads() {
        voice.note(&left);
    }
    let mut result = result;
    if args.keep_downloads {
        result["files"] = files.into();
    }
    report(&result, args.json, &format!("{}: ready, in {}", entry.name, target.display()), voice)
}

/// Returns where a model of this name is; none if there is none or if `--force` fetches it anyway.
fn already_there(entry: &Entry, args: &FetchArgs) -> Option<String> {
    let model = ModelFolder::named(&entry.name).ok().filter(|_| !args.force)?;
    Some(model.folder().map_or("the program itself".to_owned(), |folder| folder.display().to_string()))
}

fn there(entry: &Entry, place: &str, args: &FetchArgs, voice: &Voice) -> Outcome {
    let result = json!({ "name": entry.name, "status": "already there", "folder": place });
    let line = format!("{}: already there, in {place} (--force fetches it again)", entry.name);
    report(&result, args.json, &line, voice)
}

/// Prints the result as JSON on stdout, or notes it as a line for people.
fn report(result: &Value, as_json: bool, line: &str, voice: &Voice) -> Outcome {
    if as_json {
        print(result)?;
    } else {
        voice.note(line);
    }
    Ok(Exit::Done)
}

fn print(value: &Value) -> Result<(), Failure> {
    voice::result(format!("{value:#}\n").as_bytes())
}

fn announcement(entry: &Entry, source: &Source) -> String {
    let licence = if entry.licence.is_empty() { String::new() } else { format!(", licence: {}", entry.licence) };
    format!("fetching {} ({}{licence}) from {}", entry.name, size(entry), source.title())
}

fn size(entry: &Entry) -> String {
    let (bytes, exact) = entry.bytes();
    match (bytes, exact) {
        (0, false) => "of unknown size".to_owned(),
        (_, true) => units::bytes(bytes),
        (_, false) => format!("about {}", units::bytes(bytes)),
    }
}

/// Prints the table: name, size, licence, whether the model is on this machine, and what it is good for.
fn list(table: &Table, as_json: bool) -> Outcome {
    let here = |entry: &Entry| ModelFolder::named(&entry.name).ok();
    if as_json {
        let entry = |entry: &Entry| {
            let (bytes, exact) = entry.bytes();
            let model = here(entry);
            json!({
                "name": entry.name,
                "about": entry.about,
                "licence": entry.licence,
                "family": entry.family,
                "bytes": bytes,
                "bytes_exact": exact,
                "here": model.is_some(),
                "folder": model.as_ref().and_then(|model| model.folder()),
                "tried": entry.tried,
                "files": entry.files.iter().map(|file| json!({
                    "role": file.role,
                    "repository": file.repository,
                    "revision": file.revision,
                    "path": file.path,
                    "name": file.name(),
                    "bytes": file.bytes,
                    "sha256": file.sha256,
                })).collect::<Vec<_>>(),
            })
        };
        print(&table.models.iter().map(entry).collect())?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 5]> = table
        .models
        .iter()
        .map(|entry| {
            let state = if here(entry).is_some() { "here" } else { "" };
            [entry.name.clone(), size(entry), entry.licence.clone(), state.to_owned(), entry.about.clone()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [names, sizes, licences, states] = [0, 1, 2, 3].map(width);
    let lines = rows.iter().map(|[name, size, licence, state, about]| {
        let states = if states > 0 { format!("{state:states$}  ") } else { String::new() };
        format!("{name:names$}  {size:>sizes$}  {licence:licences$}  {states}{about}").trim_end().to_owned() + "\n"
    });
    voice::result(lines.collect::<String>().as_bytes())?;
    Ok(Exit::Done)
}

/// Makes a model folder from the fetched files.
fn take_in(
    fetched: &Fetched<'_>,
    force: bool,
    options: &runtime::Options,
    voice: &Voice,
) -> Result<ModelFolder, Failure> {
    let entry = fetched.entry;
    let of = |role| fetched.file(role).cloned();
    let near = fetched.files.iter().filter_map(|(_, path)| path.parent().map(Path::to_path_buf)).collect();
    let said = &entry.settings;
    let places: BTreeSet<String> =
        entry.files.iter().map(|file| format!("{} at {}", file.repository, file.revision)).collect();
    let request = Request {
        source: of(Role::Joint).or_else(|| of(Role::Checkpoint)),
        image: of(Role::Image),
        text: of(Role::Text),
        tokenizer: of(Role::Tokenizer),
        labels: None,
        name: Some(entry.name.clone()),
        settings: models::Settings {
            size: said.size,
            mean: said.mean,
            deviation: said.deviation,
            context: said.context,
            padding: said.padding,
            ..models::Settings::default()
        },
        near,
        activation: None,
        force,
        card: Card {
            about: Some(entry.about.clone()),
            licence: Some(entry.licence.clone()),
            from: Some(places.into_iter().collect::<Vec<_>>().join(", ")),
            references: entry.reference.clone(),
            advice: None,
        },
    };
    let runtime = runtime::open(options, &mut |line| voice.note(line))?;
    models::import(&request, &runtime, &mut |line| voice.note(line)).map_err(Failure::from)
}
