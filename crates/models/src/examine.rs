//! The requirements that every model must meet before it is used: its two encoders fit together, or its labels match its
//! outputs; and the image encoder can be differentiated.

use crate::clip::{self, ClipError, FEWEST, ImageGraph, Labels, Language, ModelFolder};
use crate::onnx::{OnnxError, gradient_graph};
use crate::runtime::Runtime;

/// The result of the examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examined {
    /// The embeddings' length D.
    pub width: usize,
    /// The number of nodes of the image encoder together with its gradient, for one window.
    pub nodes: usize,
}

/// Examines a model. Both encoders must load and give embeddings of the same length, or a classifier must have a label for each
/// output. Every operator between picture and embedding must have a gradient rule.
pub fn examine(model: &ModelFolder, runtime: &Runtime) -> Result<Examined, ClipError> {
    let description = &model.description;
    let failed = |source| ClipError::Graph { model: description.name.clone(), source };
    let graph = model.graph(&description.image.file)?;
    let image = ImageGraph::new(graph, Some(&description.image), &description.name)?;
    let folded = image.fold(runtime, 1).map_err(|error| match error {
        ClipError::Graph { model, source: OnnxError::Fold(source) } => {
            let side = description.image.size;
            let message =
                format!("its image encoder cannot be made ready for windows of {side} x {side} pixels: {source}");
            let hint = "is that the size it takes? `--size` sets it on import, `image.size` in model.toml";
            ClipError::Encoder { model, message, hint: Some(hint.to_owned()) }
        }
        error => error,
    })?;
    let width = image.check(&folded, 1, description.image.size)?;
    let nodes = gradient_graph(folded).map_err(failed)?.nodes.len();
    match description.language() {
        Some(Language::Labels(list)) => labelled(model, &Labels::open(model, list)?, width)?,
        _ => speaks(model, runtime, width)?,
    }
    Ok(Examined { width, nodes })
}

/// Checks that there is a label for each output, and that there are enough.
fn labelled(model: &ModelFolder, labels: &Labels, width: usize) -> Result<(), ClipError> {
    let wrong = |message: String, hint: &str| {
        let model = model.description.name.clone();
        Err(ClipError::Encoder { model, message, hint: Some(hint.to_owned()) })
    };
    let count = labels.count();
    if count != width {
        let message = format!("the network has {width} outputs, but {count} labels are given");
        return wrong(message, "each output needs its label, in order; a class for the background counts");
    }
    if count < FEWEST {
        let message = format!("a classifier of {count} classes cannot guide a picture");
        return wrong(message, "less their mean, so few logits have only a sign: there is no gradient");
    }
    Ok(())
}

/// Texts to try on a model. It need not know them all.
const TEXTS: [&str; 3] = ["a picture", "a red house", "a dog"];

/// Checks that the text encoder takes the tokenizer's output and gives embeddings of the right length.
fn speaks(model: &ModelFolder, runtime: &Runtime, width: usize) -> Result<(), ClipError> {
    let description = &model.description;
    let feature = |text: &str| clip::features(runtime, model, "", &[text.to_owned()], None);
    let first = feature(TEXTS[0]);
    let others = || TEXTS[1..].iter().find_map(|text| feature(text).ok());
    // The first text may consist of words that the model does not know.
    let known = if matches!(first, Err(ClipError::Encoder { .. })) { others().map_or(first, Ok) } else { first };
    let text = known.map_err(|error| match error {
        ClipError::Runtime(error) => ClipError::Encoder {
            model: description.name.clone(),
            message: format!("the text encoder cannot take the tokens of \"a picture\": {}", error.message()),
            hint: Some("do tokenizer and text encoder belong together? is the padding one of its tokens?".to_owned()),
        },
        error => error,
    })?;
    let length = text.first().map_or(0, Vec::len);
    if length != width {
        return Err(ClipError::Encoder {
            model: description.name.clone(),
            message: format!("the image encoder's embeddings have {width} numbers, the text encoder's {length}"),
            hint: Some("do both belong to the same model? are the outputs those behind the projection?".to_owned()),
        });
    }
    Ok(())
}
