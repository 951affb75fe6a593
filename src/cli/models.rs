//! `recipe-render models`: what models there are, and a model's gradient as a file of its own.

use std::path::{Path, PathBuf};

use super::compose::{from_clip, from_runtime};
use super::job::{failure, identity};
use super::{Exit, Failure, GradientArgs, ModelsArgs, ModelsCommand, Outcome, Voice, voice};
use crate::clip::{ClipError, ImageGraph, ModelFolder, map_file};
use crate::onnx::{Graph, external_files, gradient_graph};
use crate::output::{check_writable, write_whole};
use crate::runtime;

/// Lists models, or writes a gradient.
pub fn run(args: &ModelsArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    match &args.command {
        ModelsCommand::List => list(),
        ModelsCommand::Gradient(args) => gradient(args, options, voice),
    }
}

/// One model a line: its name, where it is, what it is good for.
fn list() -> Outcome {
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

/// Writes the differentiated encoder, self-contained: `image` and `embedding_gradient` in, `embedding` and
/// `image_gradient` out.
fn gradient(args: &GradientArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    check_writable(&args.output).map_err(failure)?;
    let image = encoder(&args.model, &args.output)?;
    let runtime = runtime::open(&options, &mut |line| voice.note(line)).map_err(from_runtime)?;
    let folded = image.fold(&runtime, args.windows.get() as usize).map_err(from_clip)?;
    let failed = |source| from_clip(ClipError::Graph { model: args.model.clone(), source });
    let bytes = gradient_graph(folded).map_err(failed)?.write();
    write_whole(&args.output, |file| file.write_all(&bytes)).map_err(failure)?;
    voice.note(&format!("{}: {} windows, {:.1} MB", args.output.display(), args.windows, bytes.len() as f64 / 1e6));
    Ok(Exit::Done)
}

/// The image encoder of a model, or of a bare `.onnx` file. `output` must be none of its files.
fn encoder(model: &str, output: &Path) -> Result<ImageGraph, Failure> {
    let keep = |files: &[PathBuf]| {
        let ours = identity(output);
        match files.iter().find(|file| identity(file) == ours) {
            Some(file) => Err(Failure::wrong(format!("--output {}: is part of the model", file.display()))),
            None => Ok(()),
        }
    };
    let failed = |source| from_clip(ClipError::Graph { model: model.to_owned(), source });
    let path = Path::new(model);
    if path.extension().is_some_and(|extension| extension == "onnx") {
        let bytes = map_file(path).map_err(from_clip)?;
        keep(&[path.to_owned()])?;
        keep(&external(path.parent().unwrap_or(Path::new("")), &bytes))?;
        let graph = Graph::read(bytes, path.parent()).map_err(failed)?;
        return ImageGraph::new(graph, None, model).map_err(from_clip);
    }
    let folder = ModelFolder::find(model, Path::new("")).map_err(from_clip)?;
    keep(&files(&folder))?;
    let description = &folder.description;
    let bytes = folder.bytes(&description.image.file).map_err(from_clip)?;
    let graph = Graph::read(bytes, folder.folder()).map_err(failed)?;
    ImageGraph::new(graph, Some(&description.image), model).map_err(from_clip)
}

/// The files of a model that are on disk, those of external weights included.
pub(super) fn files(model: &ModelFolder) -> Vec<PathBuf> {
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
