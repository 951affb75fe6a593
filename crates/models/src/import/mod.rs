//! Exports and checkpoints to model folders.
//!
//! ```text
//! SOURCE ─ search ─▶ files ─ configs ─▶ settings
//!                      │                   │
//!                      ├─ towers, ends ─▶ encoders ─ folder ─▶ model folder ─ examine ─▶ kept, or gone again
//!                      └─ classifier ─▶ one encoder, labels ─┘
//! ```

mod classifier;
mod configs;
mod ends;
mod folder;
mod gather;
mod search;
mod settings;
mod text_ends;
mod tokenizer;
mod towers;

use std::path::PathBuf;

pub use settings::Settings;

use super::{Activation, ModelsError, examine};
use crate::clip::{Description, ModelFolder, Reference, data_folder};
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
    /// The labels of a classifier, which has neither text encoder nor tokenizer: a file, or `imagenet-1k` for the list that is part of
    /// the program.
    pub labels: Option<PathBuf>,
    /// What to call the model; by default what its folder is called.
    pub name: Option<String>,
    /// What is said of the model; the rest is looked for in its files.
    pub settings: Settings,
    /// Further folders in which configuration files may be.
    pub near: Vec<PathBuf>,
    /// What a checkpoint without configuration does between its layers.
    pub activation: Option<Activation>,
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
    /// What recipes are to mean where they are silent, in place of what fits the model's family; an empty table: the program's
    /// defaults.
    pub advice: Option<toml::Table>,
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
    let own;
    let request = match own_folder(request)? {
        Some(same) => {
            own = same;
            &own
        }
        None => request,
    };
    let place = folder::Place::new(request)?;
    let gathered = gather::gather(request, say)?;
    let made = folder::make(&place, &gathered, request)?;
    let examined = examine(&made.model, runtime)?;
    say(&format!(
        "embeddings of {} numbers from windows of {} x {}; every operator of the image encoder has its gradient",
        examined.width, made.model.description.image.size, made.model.description.image.size
    ));
    place.keep(made, say)
}

/// A model folder of the program's own form (somebody else's, say) as a request that names all its files.
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
            // One that has none wants the program's defaults.
            advice: Some(advice.unwrap_or_default()),
        },
        ..request.clone()
    }))
}
