//! Prepares a model for differentiation: fixes sizes, computes constants, removes unused nodes.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::builder::Builder;
use super::error::OnnxError;
use super::graph::{Dim, Graph, Node};
use super::tensor::{DataType, Tensor};
use super::{constant, fuse, narrow, repeat};

/// Float constants of at least this many bytes do not go through the folding function. Smaller ones may be part of
/// shape arithmetic or of constant subexpressions worth computing.
const LARGE: usize = 4096;

/// Fixes the first dimension of every input to `batch`, turns 16-bit floats into f32 ([`Graph::widen`]), computes
/// everything that does not depend on the inputs, and gives every value static sizes. Other free dimensions of inputs
/// (channels, height, width) must have been fixed before with [`Graph::set_input_shape`].
///
/// A model exported for another fixed number of pictures is repeated as often as needed.
///
/// The arithmetic itself is done by `run`, which takes a serialised model and returns an equivalent one with constant
/// subgraphs computed and all sizes in its `value_info` (onnxruntime's *basic* optimisation does that). It does not see
/// large weights: they are passed as further inputs and put back afterwards.
///
/// # Errors
/// Inputs of different fixed batch sizes; any error of `run`; a float value whose sizes are not fixed afterwards.
pub fn fold<F, E>(mut graph: Graph, batch: usize, mut run: F) -> Result<Graph, OnnxError>
where
    F: FnMut(&[u8]) -> Result<Vec<u8>, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let fixed = fixed_batch(&graph).unwrap_or(batch);
    fix_batch(&mut graph, fixed)?;
    prepare(&mut graph);
    let left = |graph: &Graph| graph.nodes.iter().filter(|node| constant::is_left(node)).count();
    let mut before = left(&graph);
    loop {
        graph = computed(graph, &mut run)?;
        // Nodes that only `constant` computes may determine further sizes.
        let now = left(&graph);
        if now == before {
            break;
        }
        before = now;
    }
    check_static(&graph)?;
    narrow::narrow(&mut graph);
    if fixed == batch { Ok(graph) } else { repeat::repeat(graph, fixed, batch) }
}

/// Runs the folding function once.
fn computed<F, E>(mut graph: Graph, run: &mut F) -> Result<Graph, OnnxError>
where
    F: FnMut(&[u8]) -> Result<Vec<u8>, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (inputs, outputs) = (graph.inputs.clone(), graph.outputs.clone());
    give_work(&mut graph)?;
    let weights = set_aside(&mut graph);
    let known: HashSet<String> =
        graph.nodes.iter().flat_map(|n| &n.outputs).chain(graph.constants.keys()).cloned().collect();
    let folded = run(&graph.write_to_complete()).map_err(|error| OnnxError::Fold(error.into()))?;
    let mut graph = Graph::read(folded.into(), None)?;
    graph.inputs.retain(|name| inputs.contains(name));
    for (name, tensor) in weights {
        graph.types.remove(&name);
        graph.constants.insert(name, tensor);
    }
    if graph.inputs != inputs || graph.outputs != outputs {
        return Err(OnnxError::Malformed("folding changed the model's inputs or outputs".into()));
    }
    name_constants(&mut graph, &known);
    constant::propagate(&mut graph);
    graph.prune();
    Ok(graph)
}

/// Renames the constants that folding inserted. onnxruntime assumes that its own names are free: a session that
/// rewrites the graph once more may insert another constant under the same name.
fn name_constants(graph: &mut Graph, known: &HashSet<String>) {
    let captured: HashSet<String> =
        graph.nodes.iter().filter(|n| n.has_subgraph()).flat_map(|n| n.uses()).map(String::from).collect();
    let kept = |name: &String| known.contains(name) || captured.contains(name) || graph.outputs.contains(name);
    let new: Vec<String> = graph.constants.keys().filter(|name| !kept(name)).cloned().collect();
    let mut builder = Builder::new(graph, "folded");
    let names: HashMap<String, String> = new.into_iter().map(|name| (name, builder.fresh("constant"))).collect();
    for input in graph.nodes.iter_mut().flat_map(|node| &mut node.inputs) {
        if let Some(name) = names.get(input.as_str()) {
            input.clone_from(name);
        }
    }
    for (old, name) in names {
        if let Some(tensor) = graph.constants.remove(&old) {
            graph.types.remove(&old);
            graph.constants.insert(name, tensor);
        }
    }
}

/// Runs the first steps of [`fold`], which do not depend on sizes: turns halves into f32 ([`Graph::widen`]), computes
/// constants, and makes normalisations and factors after products part of their weights. A graph that is folded for
/// several batch sizes needs this only once, and the folded graphs then share the weights.
pub fn prepare(graph: &mut Graph) {
    graph.widen();
    constant::propagate(graph);
    graph.prune();
    fuse::batch_normalization(graph);
    fuse::scales(graph);
}

/// Puts an `Identity` behind every output that a node computes. onnxruntime saves a graph in which it finds nothing to
/// rewrite unchanged, without the inferred sizes; it always rewrites this one.
fn give_work(graph: &mut Graph) -> Result<(), OnnxError> {
    for output in graph.outputs.iter().cloned().collect::<BTreeSet<_>>() {
        if !graph.nodes.iter().any(|n| n.outputs.contains(&output)) {
            continue;
        }
        let result = Builder::new(graph, "fold").fresh("result");
        for name in graph.nodes.iter_mut().flat_map(|n| n.inputs.iter_mut().chain(&mut n.outputs)) {
            if *name == output {
                *name = result.clone();
            }
        }
        let name = Builder::new(graph, "fold").fresh("identity");
        graph.nodes.push(Node { name, ..Node::new("Identity", &[&result], &[&output]) });
    }
    // Values that subgraphs capture keep their name, so these nodes must come after the `Identity`.
    graph.sort()
}

/// Turns the large float constants of the graph into inputs.
fn set_aside(graph: &mut Graph) -> Vec<(String, Tensor)> {
    let large: Vec<String> = graph
        .constants
        .iter()
        .filter(|(_, t)| t.data_type.is_float() && t.data.len() >= LARGE)
        .map(|(name, _)| name.clone())
        .collect();
    let mut weights = Vec::with_capacity(large.len());
    for name in large {
        if let Some(tensor) = graph.constants.remove(&name) {
            graph.types.insert(name.clone(), super::ValueType::fixed(tensor.data_type, &tensor.dims));
            graph.inputs.push(name.clone());
            weights.push((name, tensor));
        }
    }
    weights
}

/// Returns the number of pictures that the model was exported for, if it is fixed.
fn fixed_batch(graph: &Graph) -> Option<usize> {
    match graph.types.get(graph.inputs.first()?)?.dims.as_ref()?.first()? {
        Dim::Known(size) => Some(*size),
        _ => None,
    }
}

fn fix_batch(graph: &mut Graph, batch: usize) -> Result<(), OnnxError> {
    for input in &graph.inputs {
        let dims = graph.types.get_mut(input).and_then(|t| t.dims.as_mut());
        let Some(first) = dims.and_then(|d| d.first_mut()) else {
            return Err(OnnxError::NoShape { value: input.clone(), node: None });
        };
        match first {
            Dim::Known(size) if *size != batch => {
                return Err(OnnxError::Unsupported(format!(
                    "its inputs were exported for batches of {batch} and of {size} (`{input}`); export it with a dynamic batch dimension"
                )));
            }
            _ => *first = Dim::Known(batch),
        }
    }
    // Shapes that the exporter noted for free sizes now conflict with those that follow from the fixed ones.
    let inputs = &graph.inputs;
    let outputs = &graph.outputs;
    for (name, known) in &mut graph.types {
        if outputs.contains(name) && !inputs.contains(name) {
            let fixed = |d: &Dim| if matches!(d, Dim::Known(_)) { d.clone() } else { Dim::Unknown };
            known.dims = known.dims.as_ref().map(|dims| dims.iter().map(fixed).collect());
        }
    }
    let keep = |name: &String| inputs.contains(name) || outputs.contains(name);
    graph.types.retain(|name, _| keep(name));
    Ok(())
}

/// Checks that every float value has fixed sizes. The error names the first value without.
fn check_static(graph: &Graph) -> Result<(), OnnxError> {
    for node in &graph.nodes {
        for output in node.outputs.iter().filter(|o| !o.is_empty()) {
            let is_float = graph.data_type(output).is_none_or(DataType::is_float);
            if is_float && graph.shape(output).is_none() && node.domain.is_empty() {
                graph.static_shape(output)?;
            }
        }
    }
    Ok(())
}
