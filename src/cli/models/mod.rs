//! `recipe-render models`: what models there are, and what can be done with them.

mod args;
mod check;
mod explain;
mod fetch;
mod gradient;
mod import;
mod list;
mod remove;

use std::path::{Path, PathBuf};

use super::compose::from_clip;
use super::{Failure, Outcome, Voice};
use crate::clip::ModelFolder;
use crate::models::ModelsError;
use crate::onnx::external_files;
use crate::runtime;

pub use args::{
    CheckModelArgs, ExplainArgs, FetchArgs, GradientArgs, ImportArgs, ListArgs, ModelsArgs, ModelsCommand, RemoveArgs,
};

/// Calls one of the commands.
pub fn run(args: &ModelsArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        ModelsCommand::List(args) => list::run(args),
        ModelsCommand::Import(args) => import::run(args, &options, voice),
        ModelsCommand::Check(args) => check::run(args, &options, voice),
        ModelsCommand::Explain(args) => explain::run(args, &options, voice),
        ModelsCommand::Remove(args) => remove::run(args, voice),
        ModelsCommand::Fetch(args) => fetch::run(args, &options, voice),
        ModelsCommand::Gradient(args) => gradient::run(args, options, voice),
    }
}

/// What was given is wrong, or something failed.
pub(in crate::cli) fn from_models(error: ModelsError) -> Failure {
    let hint = error.hint();
    match error {
        ModelsError::Clip(error) => from_clip(error),
        ModelsError::Wrong { message, .. } => Failure::wrong(message).hinted(hint),
        ModelsError::Failed { message, .. } => Failure::failed(message).hinted(hint),
    }
}

/// The files of a model that are on disk, those of external weights included.
pub(in crate::cli) fn files(model: &ModelFolder) -> Vec<PathBuf> {
    let Some(folder) = model.folder() else { return Vec::new() };
    let description = &model.description;
    let mut files = vec![folder.join("model.toml")];
    for file in description.files().into_iter().chain(description.names_file()) {
        files.push(folder.join(file));
        // What is no graph has none, and one that cannot be opened is reported by whoever opens it to use it.
        files.extend(model.bytes(file).map(|bytes| external(folder, &bytes)).unwrap_or_default());
    }
    files
}

/// The files of a serialised graph's external weights, which are in `folder`.
fn external(folder: &Path, bytes: &bytes::Bytes) -> Vec<PathBuf> {
    external_files(bytes).unwrap_or_default().iter().map(|file| folder.join(file)).collect()
}
