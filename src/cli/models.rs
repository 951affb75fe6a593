//! `recipe-render models`: what models there are, and a model's gradient as a file of its own.

use std::path::Path;

use super::compose::{from_clip, from_runtime};
use super::job::failure;
use super::{Exit, Failure, GradientArgs, ModelsArgs, ModelsCommand, Outcome, Voice, voice};
use crate::clip::{ClipError, ModelFolder, fold_encoder, map_file};
use crate::onnx::{Graph, OnnxError, gradient_graph};
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
    let here = Path::new("");
    let mut rows = Vec::new();
    for name in ModelFolder::names() {
        let model = ModelFolder::find(&name, here).map_err(from_clip)?;
        let place = model.folder().map_or_else(|| "part of the program".to_owned(), |f| f.display().to_string());
        rows.push((name, place, model.description.about));
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
    if args.output.as_os_str() == std::ffi::OsStr::new(&args.model) {
        return Err(Failure::wrong(format!("--output {}: is the model itself", args.output.display())));
    }
    check_writable(&args.output).map_err(failure)?;
    let onnx = |error: OnnxError| {
        let hint = error.hint();
        Failure::failed(format!("{}: {error}", args.model)).hinted(hint)
    };
    let graph = encoder(&args.model, onnx)?;
    let runtime = runtime::open(&options, &mut |line| voice.note(line)).map_err(from_runtime)?;
    let folded = fold_encoder(&runtime, &graph, args.windows.get() as usize).map_err(onnx)?;
    let bytes = gradient_graph(folded).map_err(onnx)?.write();
    write_whole(&args.output, |file| file.write_all(&bytes)).map_err(failure)?;
    voice.note(&format!("{}: {} windows, {:.1} MB", args.output.display(), args.windows, bytes.len() as f64 / 1e6));
    Ok(Exit::Done)
}

/// The image encoder of a model, or of a bare `.onnx` file, reduced to its picture and its embedding.
fn encoder(model: &str, onnx: impl Fn(OnnxError) -> Failure) -> Result<Graph, Failure> {
    let path = Path::new(model);
    let (mut graph, input, output) = if path.extension().is_some_and(|extension| extension == "onnx") {
        let bytes = map_file(path).map_err(from_clip)?;
        (Graph::read(bytes, path.parent()).map_err(&onnx)?, None, None)
    } else {
        let folder = ModelFolder::find(model, Path::new("")).map_err(from_clip)?;
        let image = &folder.description.image;
        let bytes = folder.bytes(&image.file).map_err(from_clip)?;
        let graph = Graph::read(bytes, folder.folder()).map_err(&onnx)?;
        (graph, image.input.clone(), image.output.clone())
    };
    let missing = |what: &str| {
        from_clip(ClipError::Encoder { model: model.to_owned(), message: format!("has no such {what}"), hint: None })
    };
    let input = input.or_else(|| graph.inputs.first().cloned()).ok_or_else(|| missing("input"))?;
    let output = output.or_else(|| graph.outputs.first().cloned()).ok_or_else(|| missing("output"))?;
    graph.inputs.retain(|name| *name == input);
    graph.outputs.retain(|name| *name == output);
    if graph.inputs.is_empty() || graph.outputs.is_empty() {
        return Err(missing(if graph.inputs.is_empty() { "input" } else { "output" }));
    }
    graph.prune();
    Ok(graph)
}
