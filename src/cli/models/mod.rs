//! `recipe-render models`: what models there are, and what can be done with them.

mod gradient;
mod list;

use std::path::{Path, PathBuf};

use super::{ModelsArgs, ModelsCommand, Outcome, Voice};
use crate::clip::ModelFolder;
use crate::onnx::external_files;
use crate::runtime;

/// Calls one of the commands.
pub fn run(args: &ModelsArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        ModelsCommand::List => list::run(),
        ModelsCommand::Gradient(args) => gradient::run(args, options, voice),
    }
}

/// The files of a model that are on disk, those of external weights included.
pub(in crate::cli) fn files(model: &ModelFolder) -> Vec<PathBuf> {
    let Some(folder) = model.folder() else { return Vec::new() };
    let description = &model.description;
    let mut files = vec![folder.join("model.toml"), folder.join(&description.tokenizer.file)];
    for file in [&description.image.file, &description.text.file] {
        files.push(folder.join(file));
        // One that cannot be opened is reported by whoever opens it to use it.
        files.extend(model.bytes(file).map(|bytes| external(folder, &bytes)).unwrap_or_default());
    }
    files
}

/// The files of a serialised graph's external weights, which are in `folder`.
fn external(folder: &Path, bytes: &bytes::Bytes) -> Vec<PathBuf> {
    external_files(bytes).unwrap_or_default().iter().map(|file| folder.join(file)).collect()
}
