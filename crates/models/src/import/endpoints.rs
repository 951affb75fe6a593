//! The two ends of an encoder within a larger graph: which input is the picture or the tokens, and which value is the
//! embedding.

use std::collections::{BTreeSet, HashMap};

use super::search::{is_picture, is_tokens};
use crate::ModelsError;
use crate::onnx::{Dim, Graph, ValueType};

/// A value that may be an embedding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub value: String,
    /// Its length D, if the graph gives it.
    pub width: Option<usize>,
    /// 0 is the best.
    fitness: u32,
}

/// The graph's inputs by their role.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inputs {
    pub picture: Option<String>,
    pub ids: Option<String>,
    pub mask: Option<String>,
}

/// Returns the inputs of a graph.
pub(super) fn inputs(graph: &Graph) -> Inputs {
    let find = |test: &dyn Fn(&str, Option<&ValueType>) -> bool| {
        graph.inputs.iter().find(|name| test(name, graph.types.get(*name))).cloned()
    };
    Inputs {
        picture: find(&is_picture),
        ids: find(&is_tokens),
        mask: find(&|name, _| name.contains("mask") && !name.contains("pixel")),
    }
}

/// Returns the values that may be the embedding of what comes in through `inputs` only, the best first. These are outputs of
/// the graph or, if it only outputs the comparison of two embeddings, the compared values.
pub(super) fn candidates(graph: &Graph, inputs: &[&str]) -> Vec<Candidate> {
    let ours: BTreeSet<usize> =
        graph.inputs.iter().enumerate().filter(|(_, i)| inputs.contains(&i.as_str())).map(|(p, _)| p).collect();
    let sources = graph.sources();
    let alone = |value: &str| sources.get(value).is_some_and(|from| !from.is_empty() && from.is_subset(&ours));
    let candidate = |value: &str| {
        let width = width(graph, value)?;
        Some(Candidate { value: value.to_owned(), width, fitness: fitness(value) })
    };
    let mut found: Vec<Candidate> =
        graph.outputs.iter().filter(|output| alone(output)).filter_map(|output| candidate(output)).collect();
    if found.is_empty() {
        found = compared(graph, &alone).iter().filter_map(|value| candidate(value)).collect();
    }
    found.sort_by_key(|candidate| candidate.fitness);
    found
}

/// Returns the values on our side of the first operators where the two sides meet, without operators that only transpose or
/// scale them.
fn compared(graph: &Graph, alone: &dyn Fn(&str) -> bool) -> Vec<String> {
    let constant = |name: &str| graph.constants.contains_key(name);
    let givers: HashMap<&str, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .flat_map(|(index, node)| node.outputs.iter().map(move |output| (output.as_str(), index)))
        .collect();
    let mut found = Vec::new();
    for node in graph.nodes.iter().filter(|node| node.is("MatMul") || node.is("Gemm") || node.is("Einsum")) {
        if node.outputs.iter().any(|output| alone(output)) {
            continue;
        }
        for input in node.inputs.iter().filter(|input| alone(input)) {
            let mut value = input.as_str();
            // A transposed embedding [D, N], or one multiplied by the logit scale, which does not change cosines.
            while let Some(giver) = givers.get(value).map(|index| &graph.nodes[*index]) {
                let turned = giver.is("Transpose") || giver.is("Identity") || giver.is("Cast");
                let scaled = giver.is("Mul") && giver.inputs.iter().any(|factor| is_scalar(graph, factor));
                let inside = giver.inputs.iter().find(|inside| alone(inside) && !constant(inside));
                match inside {
                    Some(inside) if turned || scaled => value = inside,
                    _ => break,
                }
            }
            if !found.iter().any(|known| known == value) {
                found.push(value.to_owned());
            }
        }
    }
    found
}

fn is_scalar(graph: &Graph, value: &str) -> bool {
    graph.shape(value).is_some_and(|sizes| sizes.iter().product::<usize>() == 1)
}

/// Returns the length of an embedding `[N, D]` or `[N, D, 1, 1]`; `Some(None)` if sizes are not known, `None` if the value is
/// not an embedding.
fn width(graph: &Graph, value: &str) -> Option<Option<usize>> {
    let Some(known) = graph.types.get(value) else { return Some(None) };
    if !known.data_type.is_float() {
        return None;
    }
    match known.dims.as_deref() {
        None => Some(None),
        Some([_, width, ones @ ..]) if ones.len() != 1 && ones.iter().all(|one| *one == Dim::Known(1)) => {
            Some(match width {
                Dim::Known(width) => Some(*width),
                _ => None,
            })
        }
        Some(_) => None,
    }
}

/// Returns how well a name fits an embedding.
fn fitness(name: &str) -> u32 {
    let name = name.to_lowercase();
    let has = |part: &str| name.contains(part);
    match () {
        () if has("hidden") || has("logit") => 9,
        () if has("embeds") => 0,
        () if has("embed") => 1,
        () if has("feature") => 2,
        () if has("pool") => 3,
        () => 4,
    }
}

/// Returns the best pair of embeddings of equal length, one from each side.
pub(super) fn pair<'a>(
    image: &'a [Candidate],
    text: &'a [Candidate],
) -> Result<(&'a Candidate, &'a Candidate), ModelsError> {
    let fits = |a: &Candidate, b: &Candidate| match (a.width, b.width) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    let pairs = image.iter().flat_map(|a| text.iter().map(move |b| (a, b)));
    let best = pairs
        .filter(|(a, b)| fits(a, b) && a.fitness < 9 && b.fitness < 9)
        .min_by_key(|(a, b)| (a.fitness + b.fitness, a.width.is_none() || b.width.is_none()));
    best.ok_or_else(|| {
        let list = |candidates: &[Candidate]| {
            let shown = candidates.iter().map(|c| match c.width {
                Some(width) => format!("{} of {width} numbers", c.value),
                None => c.value.clone(),
            });
            let shown: Vec<String> = shown.collect();
            if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
        };
        let message = format!(
            "no image and text embedding of equal length: image outputs are {}; text outputs are {}",
            list(image),
            list(text)
        );
        ModelsError::wrong(message).hinted(
            "name them with --image-output and --text-output; an export without its projection (CLIPVisionModel rather \
             than CLIPVisionModelWithProjection) has none",
        )
    })
}

/// Returns the value that the user names, as the only candidate.
pub(super) fn named(graph: &Graph, value: &str, option: &str) -> Result<Vec<Candidate>, ModelsError> {
    if graph.giver(value).is_none() {
        let message = format!("{option} {value}: the graph has no value of that name");
        return Err(ModelsError::wrong(message).hinted(format!("its outputs are {}", graph.outputs.join(", "))));
    }
    let width = width(graph, value).flatten();
    Ok(vec![Candidate { value: value.to_owned(), width, fitness: 0 }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn joint() -> Graph {
        Graph::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/joint.onnx")).unwrap()
    }

    #[test]
    fn a_joint_graphs_inputs_and_outputs() {
        let graph = joint();
        let inputs = inputs(&graph);
        assert_eq!(inputs.picture.as_deref(), Some("pixel_values"));
        assert_eq!(inputs.ids.as_deref(), Some("input_ids"));
        assert_eq!(inputs.mask.as_deref(), Some("attention_mask"));
        let image = candidates(&graph, &["pixel_values"]);
        let text = candidates(&graph, &["input_ids", "attention_mask"]);
        assert_eq!((image[0].value.as_str(), image[0].width), ("image_embeds", Some(8)));
        assert_eq!((text[0].value.as_str(), text[0].width), ("text_embeds", Some(8)));
    }

    #[test]
    fn embeddings_are_found_behind_their_comparison() {
        let mut graph = joint();
        graph.outputs = vec!["logits_per_image".into()];
        graph.prune();
        let image = candidates(&graph, &["pixel_values"]);
        let text = candidates(&graph, &["input_ids", "attention_mask"]);
        assert_eq!(image.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["image_embeds"]);
        assert_eq!(text.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(), ["text_embeds"]);
    }

    #[test]
    fn lengths_decide_and_names_after_them() {
        let candidate =
            |value: &str, width: Option<usize>| Candidate { value: value.into(), width, fitness: fitness(value) };
        let image = [candidate("pooler_output", Some(512)), candidate("image_embeds", Some(768))];
        let text = [candidate("text_embeds", Some(512))];
        assert_eq!(pair(&image, &text).unwrap().0.value, "pooler_output");
        let error = pair(&image[1..], &text).unwrap_err();
        assert!(error.to_string().contains("image_embeds of 768 numbers"), "{error}");
        assert!(error.hint().unwrap().contains("WithProjection"));
        assert!(pair(&[candidate("last_hidden_state", None)], &text).is_err());
    }
}
