//! `recipe-render models fetch`: a model from the table, downloaded, checked and taken in.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::transfer::Transfer;
use crate::cli::{Exit, Failure, FetchArgs, Outcome, Voice, voice};
use crate::clip::ModelFolder;
use crate::models::ModelsError;
use crate::models::fetch::{Entry, Fetched, Folders, Options, Role, Source, Table, fetch, megabytes};

/// Fetches the model, or lists what can be fetched.
pub(super) fn run(args: &FetchArgs, offline: bool, voice: &Voice) -> Outcome {
    let table = Table::load().map_err(from_models)?;
    match &args.name {
        Some(name) => one(table.find(name).map_err(from_models)?, args, offline, voice),
        None => list(&table, args.json),
    }
}

fn one(entry: &Entry, args: &FetchArgs, offline: bool, voice: &Voice) -> Outcome {
    let source = Source::choose(args.from.as_deref()).map_err(from_models)?;
    let folders = Folders::of_user().map_err(from_models)?;
    let target = folders.model(&entry.name);
    if let Some(place) = already_there(entry, args) {
        return there(entry, &place, args, voice);
    }
    let waiting = || voice.note(&format!("waiting for another recipe-render that fetches {}", entry.name));
    let _lock = folders.lock(&entry.name, waiting).map_err(from_models)?;
    // The other one may have done it.
    if let Some(place) = already_there(entry, args) {
        return there(entry, &place, args, voice);
    }
    voice.note(&announcement(entry, &source));
    let options = Options { source, offline, patience: args.timeout };
    let mut transfer = Transfer::new(voice);
    let fetched = fetch(entry, &options, &folders, &mut |event| transfer.event(event)).map_err(from_models)?;
    drop(transfer);
    take_in(&fetched, &target).map_err(from_models)?;
    let files: Vec<Value> = fetched.files.iter().map(|(role, path)| json!({ "role": role, "path": path })).collect();
    let result = json!({ "name": entry.name, "status": "fetched", "folder": target, "source": fetched.source });
    if args.keep_downloads {
        voice.note(&format!("the downloads stay in {}", fetched.downloads().display()));
    } else {
        fetched.remove_downloads();
    }
    let mut result = result;
    if args.keep_downloads {
        result["files"] = files.into();
    }
    report(&result, args.json, &format!("{}: ready, in {}", entry.name, target.display()), voice)
}

/// Where a model of this name is, unless it is to be fetched all the same.
fn already_there(entry: &Entry, args: &FetchArgs) -> Option<String> {
    let model = ModelFolder::named(&entry.name).ok().filter(|_| !args.force)?;
    Some(model.folder().map_or("the program itself".to_owned(), |folder| folder.display().to_string()))
}

fn there(entry: &Entry, place: &str, args: &FetchArgs, voice: &Voice) -> Outcome {
    let result = json!({ "name": entry.name, "status": "already there", "folder": place });
    let line = format!("{}: already there, in {place} (--force fetches it anew)", entry.name);
    report(&result, args.json, &line, voice)
}

/// The result: as JSON on stdout, or as a line for people.
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
        (_, true) => megabytes(bytes),
        (_, false) => format!("about {}", megabytes(bytes)),
    }
}

/// The table: name, size, licence, whether it is here, what it is good for.
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

/// What the user can mend is wrong, all else has failed.
fn from_models(error: ModelsError) -> Failure {
    match error {
        ModelsError::Clip(error) => crate::cli::compose::from_clip(error),
        ModelsError::Wrong { .. } => Failure::wrong(&error).hinted(error.hint()),
        ModelsError::Failed { .. } => Failure::failed(&error).hinted(error.hint()),
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// TO BE CONNECTED: everything below gives way to one call of `crate::models::import`, which takes in every family.
// ---------------------------------------------------------------------------------------------------------------------

/// Makes the model folder of the fetched files.
fn take_in(fetched: &Fetched<'_>, target: &Path) -> Result<(), ModelsError> {
    // crate::models::import(fetched, target)
    two_graphs(fetched, target)
}

/// A model folder of two ONNX files and a tokenizer that need no work. In place at once or not at all.
fn two_graphs(fetched: &Fetched<'_>, target: &Path) -> Result<(), ModelsError> {
    let entry = fetched.entry;
    let of = |role| {
        let kind = || ModelsError::failed(format!("{}: its files need to be imported", entry.name));
        fetched.file(role).ok_or_else(kind)
    };
    let files =
        [(of(Role::Image)?, "image.onnx"), (of(Role::Text)?, "text.onnx"), (of(Role::Tokenizer)?, "tokenizer.json")];
    let failed = |error| ModelsError::file(target, error);
    let parent = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let work = tempfile::Builder::new().prefix(".fetching-").tempdir_in(parent).map_err(failed)?;
    let new = work.path().join("new");
    std::fs::create_dir(&new).map_err(failed)?;
    for (path, name) in files {
        std::fs::copy(path, new.join(name)).map_err(|error| ModelsError::file(path, error))?;
    }
    let mut image = toml::Table::new();
    let mut tokenizer = toml::Table::new();
    let settings = &entry.settings;
    image.insert("file".into(), "image.onnx".into());
    image.insert("size".into(), settings.size.unwrap_or(224).into());
    for (key, values) in [("mean", settings.mean), ("deviation", settings.deviation)] {
        if let Some(values) = values {
            image.insert(key.into(), values.map(f64::from).to_vec().into());
        }
    }
    tokenizer.insert("file".into(), "tokenizer.json".into());
    if let Some(context) = settings.context {
        tokenizer.insert("context".into(), (context as i64).into());
    }
    if let Some(padding) = settings.padding {
        tokenizer.insert("padding".into(), padding.into());
    }
    let mut text = toml::Table::new();
    text.insert("file".into(), "text.onnx".into());
    let graph = crate::onnx::Graph::read(crate::clip::map_file(&new.join("text.onnx"))?, Some(&new));
    let inputs = graph.map(|graph| graph.inputs).unwrap_or_default();
    if inputs.iter().any(|input| input == "attention_mask") {
        text.insert("mask".into(), "attention_mask".into());
    }
    let mut model = toml::Table::new();
    for (key, value) in [("name", &entry.name), ("about", &entry.about), ("licence", &entry.licence)] {
        model.insert(key.into(), value.as_str().into());
    }
    for (key, table) in [("image", image), ("text", text), ("tokenizer", tokenizer)] {
        model.insert(key.into(), table.into());
    }
    let description = toml::to_string(&model).map_err(ModelsError::failed)?;
    std::fs::write(new.join("model.toml"), description).map_err(failed)?;
    if target.exists() {
        std::fs::rename(target, work.path().join("old")).map_err(failed)?;
    }
    std::fs::rename(&new, target).map_err(failed)
}
