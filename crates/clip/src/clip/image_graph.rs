//! The two ends of an image encoder: whatever else an export contains, one picture goes in and one embedding comes out.

use super::{ClipError, description::ImageEncoder};
use crate::{
    onnx::{Dim, Graph, dequantise, fold, prepare},
    runtime::{Runtime, Weights},
};

/// A graph reduced to the path from the picture to the embedding.
#[derive(Debug, Clone)]
pub struct ImageGraph {
    pub graph: Graph,
    /// The name of the picture, `[N, 3, S, S]`.
    pub input: String,
    /// The name of the embedding, `[N, D]` or `[N, D, 1, 1]`.
    pub output: String,
    model: String,
}

impl ImageGraph {
    /// Reduces a graph to the picture and the embedding that `image` names, by default its first input and output. The
    /// embedding must not need other inputs. Quantised values become floats, and 16-bit floats become f32, ends included.
    pub fn new(mut graph: Graph, image: Option<&ImageEncoder>, model: &str) -> Result<Self, ClipError> {
        let input = choose(image.and_then(|i| i.input.as_ref()), &graph.inputs, "input", model)?;
        let output = choose(image.and_then(|i| i.output.as_ref()), &graph.outputs, "output", model)?;
        graph.outputs.retain(|name| *name == output);
        graph.prune();
        let needed = |name: &str| graph.nodes.iter().any(|node| node.uses().contains(&name));
        if let Some(other) = graph.inputs.iter().find(|name| **name != input && needed(name)) {
            let message = format!("the embedding `{output}` needs the input `{other}` besides the picture `{input}`");
            return Err(broken(model, message, "name the picture and the image embedding in [image] of model.toml"));
        }
        graph.inputs.retain(|name| *name == input);
        // Exports often leave height and width open.
        let wanted = image.map(|i| i.size as usize);
        if let Some(dims) = graph.types.get_mut(&input).and_then(|t| t.dims.as_mut()).filter(|dims| dims.len() == 4) {
            for (dim, size) in dims.iter_mut().skip(1).zip([Some(3), wanted, wanted]) {
                if let (Some(size), false) = (size, matches!(dim, Dim::Known(_))) {
                    *dim = Dim::Known(size);
                }
            }
        }
        let broken = |source| ClipError::Graph { model: model.to_owned(), source };
        dequantise(&mut graph).map_err(broken)?;
        prepare(&mut graph);
        Ok(ImageGraph { graph, input, output, model: model.to_owned() })
    }

    /// Returns how many windows the graph takes at once, if that is fixed.
    pub fn batch(&self) -> Option<usize> {
        match self.graph.types.get(&self.input)?.dims.as_ref()?.first()? {
            Dim::Known(windows) => Some(*windows),
            _ => None,
        }
    }

    /// Returns the graph for a fixed number of windows with all sizes known; onnxruntime does the shape arithmetic.
    pub fn fold(&self, runtime: &Runtime, windows: usize) -> Result<Graph, ClipError> {
        let run = |bytes: &[u8]| runtime.fold(bytes, &Weights::default(), &[]);
        fold(self.graph.clone(), windows, run).map_err(|source| ClipError::Graph { model: self.model.clone(), source })
    }

    /// Checks a folded graph's picture against `[N, 3, side, side]`; returns the embedding's length D.
    pub fn check(&self, folded: &Graph, windows: usize, side: u32) -> Result<usize, ClipError> {
        let shape = |name: &str| {
            folded.static_shape(name).map_err(|source| ClipError::Graph { model: self.model.clone(), source })
        };
        let (picture, embedding) = (shape(&self.input)?, shape(&self.output)?);
        let expected = [windows, 3, side as usize, side as usize];
        if picture != expected {
            let message = format!("the image encoder takes {picture:?}, not {expected:?}");
            return Err(broken(&self.model, message, "image.size in model.toml is the side that the encoder takes"));
        }
        match embedding.as_slice() {
            [n, width, ones @ ..] if *n == windows && *width > 0 && ones.iter().all(|d| *d == 1) => Ok(*width),
            other => {
                let message = format!("output `{}` is {other:?}, not an embedding of {windows} windows", self.output);
                Err(broken(&self.model, message, "name the embedding as `output` in [image] of model.toml"))
            }
        }
    }
}

fn choose(named: Option<&String>, there: &[String], what: &str, model: &str) -> Result<String, ClipError> {
    let chosen = match named {
        Some(name) => there.iter().find(|n| *n == name),
        None => there.first(),
    };
    chosen.cloned().ok_or_else(|| {
        let named = named.map(String::as_str).unwrap_or_default();
        let message = format!("the image encoder has no {what} `{named}`; there are: {}", there.join(", "));
        broken(model, message, &format!("name it as `{what}` in the [image] table of model.toml"))
    })
}

fn broken(model: &str, message: String, hint: &str) -> ClipError {
    ClipError::Encoder { model: model.to_owned(), message, hint: Some(hint.to_owned()) }
}
