//! `recipe-render cache`: shows or removes what the program keeps on this machine.

use std::path::Path;

use serde_json::json;

use crate::cli::args::{CacheArgs, CacheCommand, ClearArgs, InfoArgs};
use crate::cli::bench::store;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::{Voice, voice};
use crate::clip::{FEATURES, features_folder};
use crate::ours::{Cleared, Layout};
use crate::{runtime, units};

/// A part of the cache.
struct Part {
    name: &'static str,
    folder: Option<std::path::PathBuf>,
    /// The files in it that `clear --all` removes; none if it removes nothing.
    layout: Option<Layout>,
}

impl Part {
    fn of(name: &'static str, layout: Option<Layout>, folder: impl FnOnce(&Path) -> std::path::PathBuf) -> Self {
        Part { name, folder: runtime::cache_folder().ok().map(|cache| folder(&cache)), layout }
    }

    fn size(&self) -> (u64, u64) {
        self.folder.as_deref().map_or((0, 0), size)
    }
}

/// Returns the parts of the cache other than checkpoints.
fn others() -> [Part; 3] {
    [
        Part::of("encoded prompts", Some(FEATURES), features_folder),
        Part::of("trials of libraries", Some(runtime::ANSWERS), runtime::answers_folder),
        Part::of("onnxruntime", None, |cache| cache.join("onnxruntime")),
    ]
}

/// `recipe-render cache [info|clear]`
pub fn run(args: &CacheArgs, voice: &Voice) -> Outcome {
    match &args.command {
        None => info(&InfoArgs { json: false }, voice),
        Some(CacheCommand::Info(args)) => info(args, voice),
        Some(CacheCommand::Clear(args)) => clear(args, voice),
    }
}

fn info(args: &InfoArgs, voice: &Voice) -> Outcome {
    let store = store(voice);
    let holdings = store.holdings();
    let (count, bytes) = holdings.iter().fold((0, 0), |(n, b), h| (n + h.checkpoints, b + h.bytes));
    let others = others();
    if args.json {
        let other = |part: &Part| {
            let (files, bytes) = part.size();
            json!({ "name": part.name, "folder": part.folder, "files": files, "bytes": bytes })
        };
        let value = json!({
            "checkpoints": {
                "folder": store.folder(), "limit": store.limit(), "checkpoints": count, "bytes": bytes,
                "recipes": holdings,
            },
            "others": others.iter().map(other).collect::<Vec<_>>(),
        });
        voice::result(format!("{value:#}\n").as_bytes())?;
        return Ok(Exit::Done);
    }
    let mut text = format!(
        "checkpoints: {count}, {} of {} ({})\n",
        units::bytes(bytes),
        units::bytes(store.limit()),
        store.folder().display()
    );
    for holding in &holdings {
        let recipe = if holding.recipe.is_empty() { "(not readable)" } else { &holding.recipe };
        text += &format!("  {recipe}: {}, {}\n", holding.checkpoints, units::bytes(holding.bytes));
    }
    for part in &others {
        let folder = part.folder.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default();
        let (files, bytes) = part.size();
        text += &format!("{}: {files} files, {} ({folder})\n", part.name, units::bytes(bytes));
    }
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

fn clear(args: &ClearArgs, voice: &Voice) -> Outcome {
    let store = store(voice);
    let failed = |folder: &Path, error| Failure::failed(format!("{}: {error}", folder.display()));
    let cleared = store.clear().map_err(|error| failed(store.folder(), error))?;
    told(&cleared, "checkpoints", voice);
    for part in others().into_iter().filter(|_| args.all) {
        let (Some(folder), Some(layout)) = (part.folder, part.layout) else { continue };
        let cleared = layout.clear(&folder).map_err(|error| failed(&folder, error))?;
        told(&cleared, part.name, voice);
    }
    Ok(Exit::Done)
}

fn told(cleared: &Cleared, what: &str, voice: &Voice) {
    voice.note(&format!("{} {what} removed, {}", cleared.files, units::bytes(cleared.bytes)));
    if let Some(left) = &cleared.left {
        voice.note(left);
    }
}

/// Returns the number of files below a folder and their bytes. Links are not followed.
fn size(folder: &Path) -> (u64, u64) {
    let mut sum = (0, 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let (files, bytes) = if metadata.is_dir() { size(&entry.path()) } else { (1, metadata.len()) };
        sum = (sum.0 + files, sum.1 + bytes);
    }
    sum
}
