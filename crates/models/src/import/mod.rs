//! Converts exports and checkpoints to model folders.
//!
//! ```text
//! SOURCE ─ search ─▶ files ─ configs ─▶ settings
//!                      │                   │
//!                      ├─ towers, ends ─▶ encoders ─ folder ─▶ model folder ─ examine ─▶ kept, or gone again
//!                      └─ classifier ─▶ one encoder, labels ─┘
//! ```

mod classifier;
mod configs;
mod endpoints;
mod folder;
mod gather;
mod search;
mod settings;
mod special_tokens;
mod tokenizer;
mod towers;

use std::path::PathBuf;

pub use settings::Settings;

use super::{Activation, ModelsError, examine};
use crate::clip::{Description, ModelFolder, Reference, data_folder};
use crate::runtime::Runtime;

/// An import request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A folder as found on model hubs, or a file: a graph with both encoders, or a checkpoint.
    pub source: Option<PathBuf>,
    /// The image encoder's graph, or a folder that contains it.
    pub image: Option<PathBuf>,
    /// The text encoder's graph, or a folder that contains it.
    pub text: Option<PathBuf>,
    /// `tokenizer.json`, or a folder that contains it or `vocab.json` and `merges.txt`.
    pub tokenizer: Option<PathBuf>,
    /// The labels of a classifier, which has neither text encoder nor tokenizer: a file, or `imagenet-1k` for the built-in
    /// list.
    pub labels: Option<PathBuf>,
    /// The model's name; by default its folder's.
    pub name: Option<String>,
    /// Settings given by the user; the rest is taken from the model's files.
    pub settings: Settings,
    /// Further folders that may contain configuration files.
    pub near: Vec<PathBuf>,
    /// The activation function of a checkpoint without configuration.
    pub activation: Option<Activation>,
    /// Whether to replace a model with that name.
    pub force: bool,
    /// Additional information from a table of models.
    pub card: Card,
}

/// Information about a model that does not come from its files.
#[derive(Debug, Clone, Default)]
pub struct Card {
    pub about: Option<String>,
    pub licence: Option<String>,
    /// Its origin, if that is not the path that it is read from.
    pub from: Option<String>,
    pub references: Vec<Reference>,
    /// Advice that replaces that of the model's family; an empty table means the program's defaults.
    pub advice: Option<toml::Table>,
}

/// Returns the folder for imported models.
pub fn models_folder() -> Result<PathBuf, ModelsError> {
    let data = data_folder().ok_or_else(|| {
        ModelsError::failed("there is no home folder to keep models in").hinted("set HOME, or XDG_DATA_HOME")
    })?;
    Ok(data.join("models"))
}

/// Imports a model: finds its files, converts them to the program's form, and verifies that it can be used. `say` is called
/// with what was found and decided, one line at a time. If the import fails, nothing is left behind, and an older model with
/// that name stays.
pub fn import(request: &Request, runtime: &Runtime, say: &mut dyn FnMut(&str)) -> Result<ModelFolder, ModelsError> {
    let own;
    let request = match own_folder(request)? {
        Some(same) => {
            own = same;
            &own
        }
        None => request,
    };
    let destination = folder::Destination::new(request)?;
    let gathered = gather::gather(request, say)?;
    let made = folder::make(&destination, &gathered, request)?;
    let examined = examine(&made.model, runtime)?;
    say(&format!(
        "embeddings of {} numbers from windows of {} x {}; every operator of the image encoder has its gradient",
        examined.width, made.model.description.image.size, made.model.description.image.size
    ));
    destination.keep(made, say)
}

/// Turns a model folder in the program's own form (from another user, for example) into a request that names all its files.
fn own_folder(request: &Request) -> Result<Option<Request>, ModelsError> {
    let Some(source) = request.source.as_ref().filter(|source| source.join("model.toml").is_file()) else {
        return Ok(None);
    };
    let description = ModelFolder::open(source.clone())?.description;
    let Description { name, about, licence, image, text, tokenizer, labels, advice, reference, source: origin, .. } =
        description;
    let file = |given: &Option<PathBuf>, own: Option<&str>| given.clone().or_else(|| Some(source.join(own?)));
    let described = Settings {
        size: Some(image.size),
        mean: Some(image.mean),
        deviation: Some(image.deviation),
        resize: Some(image.resize),
        interpolation: Some(image.interpolation),
        context: tokenizer.as_ref().map(|tokenizer| tokenizer.context.unwrap_or(0)),
        padding: tokenizer.as_ref().map(|tokenizer| tokenizer.padding),
        clean: tokenizer.as_ref().map(|tokenizer| tokenizer.clean),
        image_input: image.input,
        image_output: image.output,
        text_ids: text.as_ref().and_then(|text| text.ids.clone()),
        text_mask: text.as_ref().and_then(|text| text.mask.clone()),
        text_output: text.as_ref().and_then(|text| text.output.clone()),
    };
    Ok(Some(Request {
        source: None,
        image: file(&request.image, Some(&image.file)),
        text: file(&request.text, text.as_ref().map(|text| text.file.as_str())),
        tokenizer: file(&request.tokenizer, tokenizer.as_ref().map(|tokenizer| tokenizer.file.as_str())),
        labels: file(&request.labels, labels.as_ref().map(|labels| labels.file.as_str())),
        name: request.name.clone().or(Some(name)),
        settings: request.settings.clone().or(described),
        card: Card {
            about: Some(about),
            licence: Some(licence),
            from: origin.map(|origin| origin.from).or_else(|| Some(source.display().to_string())),
            references: reference,
            // A model folder without advice is meant for the program's defaults.
            advice: Some(advice.unwrap_or_default()),
        },
        ..request.clone()
    }))
}
