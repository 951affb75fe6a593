//! `recipe-render models gradient`: writes a model's gradient as a file of its own.

use std::path::{Path, PathBuf};

use crate::cli::args::models::GradientArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::job::identity;
use crate::cli::terminal::Voice;
use crate::clip::{ClipError, ImageGraph, ModelFolder, files_beside, map_file};
use crate::onnx::{Graph, gradient_graph};
use crate::output::{check_writable, write_whole};
use crate::{runtime, units};

/// Writes the differentiated encoder as one self-contained file, with the inputs `image` and `embedding_gradient` and the outputs
/// `embedding` and `image_gradient`.
pub(super) fn run(args: &GradientArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    check_writable(&args.output)?;
    let image = encoder(&args.model, &args.output)?;
    let runtime = runtime::open(&options, &mut |line| voice.note(line))?;
    let folded = image.fold(&runtime, args.windows.get() as usize)?;
    let failed = |source| Failure::from(ClipError::Graph { model: args.model.clone(), source });
    let bytes = gradient_graph(folded).map_err(failed)?.write();
    write_whole(&args.output, |file| file.write_all(&bytes))?;
    voice.note(&format!("{}: {} windows, {}", args.output.display(), args.windows, units::bytes(bytes.len() as u64)));
    Ok(Exit::Done)
}

/// Opens the image encoder of a model, or of a bare `.onnx` file. Fails if `output` is one of its files.
fn encoder(model: &str, output: &Path) -> Result<ImageGraph, Failure> {
    let keep = |files: &[PathBuf]| {
        let ours = identity(output);
        match files.iter().find(|file| identity(file) == ours) {
            Some(file) => Err(Failure::wrong(format!("--output {}: this file is part of the model", file.display()))),
            None => Ok(()),
        }
    };
    let failed = |source| Failure::from(ClipError::Graph { model: model.to_owned(), source });
    let path = Path::new(model);
    if path.extension().is_some_and(|extension| extension == "onnx") {
        let bytes = map_file(path)?;
        keep(&[path.to_owned()])?;
        keep(&files_beside(path.parent().unwrap_or(Path::new("")), &bytes))?;
        let graph = Graph::read(bytes, path.parent()).map_err(failed)?;
        return ImageGraph::new(graph, None, model).map_err(Failure::from);
    }
    let folder = ModelFolder::find(model, Path::new(""))?;
    keep(&folder.files())?;
    let description = &folder.description;
    let graph = folder.graph(&description.image.file)?;
    ImageGraph::new(graph, Some(&description.image), model).map_err(Failure::from)
}
