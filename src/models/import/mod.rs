//! Exports and checkpoints to model folders.
//!
//! ```text
//! SOURCE ─ search ─▶ files ─ configs ─▶ settings
//!                      │                   │
//!                      └─ towers, ends ─▶ encoders ─ folder ─▶ model folder ─ examine ─▶ kept, or gone again
//! ```

mod configs;
mod ends;
mod folder;
mod gather;
mod search;
mod settings;
mod tokenizer;
mod towers;

use std::path::PathBuf;

pub use settings::Settings;

use super::{ModelsError, examine};
use crate::clip::{ModelFolder, Reference, data_folder};
use crate::runtime::Runtime;

/// What is to be imported, and how.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A folder as model hubs have them, or a file: a graph with both encoders, or a checkpoint.
    pub source: Option<PathBuf>,
    /// The image encoder's graph, or a folder that holds it.
    pub image: Option<PathBuf>,
    /// The text encoder's graph, or a folder that holds it.
    pub text: Option<PathBuf>,
    /// `tokenizer.json`, or a folder that holds it or `vocab.json` and `merges.txt`.
    pub tokenizer: Option<PathBuf>,
    /// What to call the model; by default what its folder is called.
    pub name: Option<String>,
    /// What is said of the model; the rest is looked for in its files.
    pub settings: Settings,
    /// Leave graphs in half precision as they are.
    pub keep_half: bool,
    /// Replace a model of that name.
    pub force: bool,
    /// What a table of models says besides.
    pub card: Card,
}

/// What is known of a model before its files are looked at.
#[derive(Debug, Clone, Default)]
pub struct Card {
    pub about: Option<String>,
    pub licence: Option<String>,
    /// Where it is from, if that is not the path it is read from.
    pub from: Option<String>,
    pub references: Vec<Reference>,
}

/// The folder that imported models are put into.
pub fn models_folder() -> Result<PathBuf, ModelsError> {
    let data = data_folder().ok_or_else(|| {
        ModelsError::failed("there is no home folder to keep models in").hinted("set HOME, or XDG_DATA_HOME")
    })?;
    Ok(data.join("models"))
}

/// Imports a model: finds its files, brings them into the program's form, and proves that it can be used. `say` is told what
/// was found and decided, a line at a time. Nothing is left behind where it fails, and an older model of that name stays.
pub fn import(request: &Request, runtime: &Runtime, say: &mut dyn FnMut(&str)) -> Result<ModelFolder, ModelsError> {
    let place = folder::Place::new(request)?;
    let gathered = gather::gather(request, say)?;
    let made = folder::make(&place, &gathered, request)?;
    let examined = examine(&made.model, runtime)?;
    say(&format!(
        "embeddings of {} numbers from windows of {} x {}; every operator of the image encoder has its gradient",
        examined.width, made.model.description.image.size, made.model.description.image.size
    ));
    place.keep(made)
}
