//! A model made ready for differentiation: sizes fixed, constants computed, nothing superfluous.

use std::collections::BTreeSet;

use super::builder::Builder;
use super::error::OnnxError;
use super::graph::{Dim, Graph, Node};
use super::tensor::{DataType, Tensor};
use super::{constant, fuse, narrow};

/// Float constants from this many bytes on do not travel through the folding function. What is smaller may be part of
/// shape arithmetic or of constant subexpressions worth computing.
const LARGE: usize = 4096;

/// Fixes the first dimension of every input to `batch`, turns 16-bit floats into f32 ([`Graph::widen`]), computes whatever does not depend on the inputs, and gives every
/// value static sizes. Other free dimensions of inputs (channels, height, width) must have been fixed before, by
/// [`Graph::set_input_shape`].
///
/// The arithmetic itself is done by `run`, which gets a serialised model and gives back an equivalent one with constant
/// subgraphs computed and all sizes in its `value_info` (onnxruntime's *basic* optimisation does that). Large weights are
/// not part of what it sees: they stand in as further inputs and are put back afterwards.
///
/// # Errors
/// An input of another fixed batch size; whatever `run` says; a float value whose sizes are not fixed afterwards.
pub fn fold<F, E>(mut graph: Graph, batch: usize, mut run: F) -> Result<Graph, OnnxError>
where
    F: FnMut(&[u8]) -> Result<Vec<u8>, E>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fix_batch(&mut graph, batch)?;
    graph.widen();
    constant::propagate(&mut graph);
    graph.prune();
    fuse::batch_normalization(&mut graph);
    let (inputs, outputs) = (graph.inputs.clone(), graph.outputs.clone());
    give_work(&mut graph)?;
    let weights = set_aside(&mut graph);
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
    constant::propagate(&mut graph);
    graph.prune();
    check_static(&graph)?;
    narrow::narrow(&mut graph);
    Ok(graph)
}

/// Puts an `Identity` behind every output that a node gives. onnxruntime saves a graph in which it finds nothing to rewrite
/// as it came, without the sizes it worked out; this it always rewrites.
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
    // What subgraphs take from outside keeps its name, so must follow.
    graph.sort()
}

/// Takes the large float constants out of the graph and makes them inputs.
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

fn fix_batch(graph: &mut Graph, batch: usize) -> Result<(), OnnxError> {
    for input in &graph.inputs {
        let dims = graph.types.get_mut(input).and_then(|t| t.dims.as_mut());
        let Some(first) = dims.and_then(|d| d.first_mut()) else {
            return Err(OnnxError::NoShape { value: input.clone(), node: None });
        };
        match first {
            Dim::Known(size) if *size != batch => {
                return Err(OnnxError::Unsupported(format!(
                    "input `{input}` was exported for batches of {size}, and {batch} are wanted; export it with a dynamic batch dimension"
                )));
            }
            _ => *first = Dim::Known(batch),
        }
    }
    // What the exporter noted for free sizes is now in the way of what follows from the fixed ones.
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

/// Every float value must have fixed sizes; the error names the first that has not.
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

#[cfg(test)]
mod tests {
    use crate::onnx::test_support::{fold, normal, run};
    use crate::onnx::{Attribute, Builder, DataType, Dim, Graph, Tensor, ValueType, gradient_graph};

    /// `image` `[batch, 3, 2, 2]` flattened, times weights, bent by `bend`, times weights: `embedding` `[batch, 4]`.
    fn encoder(bend: (&str, &[(&str, Attribute)])) -> Graph {
        let free = |sizes: &[usize]| {
            let fixed = sizes.iter().map(|s| Dim::Known(*s));
            let dims = std::iter::once(Dim::Named("batch".into())).chain(fixed).collect();
            ValueType { data_type: DataType::F32, dims: Some(dims) }
        };
        let mut graph = Graph::default();
        graph.inputs.push("image".into());
        graph.outputs.push("embedding".into());
        graph.types.insert("image".into(), free(&[3, 2, 2]));
        graph.types.insert("embedding".into(), free(&[4]));
        let mut b = Builder::new(&mut graph, "t");
        let flat = b.op("Flatten", &["image"]);
        let (first, second) = (b.constant("w", normal(1, &[12, 6])), b.constant("w", normal(2, &[6, 4])));
        let hidden = b.op("MatMul", &[&flat, &first]);
        let bent = b.op_with(bend.0, &[&hidden], bend.1);
        b.op_into("MatMul", &[&bent, &second], &[], "embedding");
        graph
    }

    /// onnxruntime finds nothing to rewrite in it.
    #[test]
    fn an_encoder_with_nothing_to_fold() {
        let graph = fold(encoder(("Relu", &[])), 5);
        assert_eq!(graph.shape("embedding").unwrap(), [5, 4]);
        let operators: Vec<&str> = graph.nodes.iter().map(|n| n.operator.as_str()).collect();
        assert_eq!(operators, ["Flatten", "MatMul", "Relu", "MatMul"]);
        gradient_graph(graph).unwrap();
    }

    /// Whose sizes only onnxruntime knows.
    #[test]
    fn nothing_to_fold_around_an_operator_unknown_here() {
        let graph = fold(encoder(("Hardmax", &[("axis", Attribute::Int(1))])), 5);
        assert_eq!(graph.shape("embedding").unwrap(), [5, 4]);
        let bent = graph.nodes.iter().find(|n| n.is("Hardmax")).unwrap();
        assert_eq!(graph.shape(&bent.outputs[0]).unwrap(), [5, 6]);
    }

    #[test]
    fn outputs_that_are_used_inside_or_given_twice() {
        let mut graph = encoder(("Relu", &[]));
        let mut b = Builder::new(&mut graph, "more");
        b.op_into("Tanh", &["embedding"], &[], "bounded");
        graph.outputs = vec!["bounded".into(), "embedding".into()];
        let graph = fold(graph, 2);
        let image = normal(3, &[2, 3, 2, 2]);
        let got: Vec<Vec<f32>> = run(&graph, &[("image", &image)]).iter().map(|t| t.to_f32().unwrap()).collect();
        let far = got[0].iter().zip(&got[1]).map(|(bounded, y)| (bounded - y.tanh()).abs()).fold(0.0, f32::max);
        assert!(far < 1e-5 && got[1].len() == 8, "{far}");
    }

    /// An export in which all of the image's sizes are free: they are set first, and stay.
    #[test]
    fn sizes_that_were_set_before() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
        let model = |name: &str| Graph::open(&folder.join(name)).unwrap();
        let image = normal(4, &[2, 3, 16, 16]);
        for name in ["transformers-ts14.onnx", "vit-gelu-ts17.onnx", "resnet-ts17.onnx"] {
            let expected_graph = fold(model(name), 2);
            let sizes = expected_graph.shape("image").unwrap();
            let mut open = model(name);
            let free = ["batch", "num_channels", "height", "width"].map(|n| Dim::Named(n.into()));
            open.types.retain(|value, _| value == "image" || value == "embedding");
            open.types.get_mut("image").unwrap().dims = Some(free.to_vec());
            open.types.get_mut("embedding").unwrap().dims = Some(vec![Dim::Unknown, Dim::Named("width".into())]);
            open.set_input_shape("image", &sizes).unwrap();
            let got = fold(open, 2);
            assert_eq!(got.shape("image").unwrap(), sizes, "{name}");
            assert_eq!(got.shape("embedding").unwrap(), expected_graph.shape("embedding").unwrap(), "{name}");
            gradient_graph(got.clone()).unwrap();
            if sizes == image.dims {
                let same = |graph: &Graph| -> Tensor { run(graph, &[("image", &image)]).remove(0) };
                assert_eq!(same(&got), same(&expected_graph), "{name}");
            }
        }
    }

    #[test]
    fn sizes_that_stay_free_are_named() {
        let mut graph = encoder(("Relu", &[]));
        graph.types.get_mut("image").unwrap().dims.as_mut().unwrap()[2] = Dim::Named("height".into());
        let error = crate::onnx::fold(graph, 2, |bytes| Ok::<_, std::io::Error>(bytes.to_vec())).unwrap_err();
        assert!(error.to_string().contains("no static shape"), "{error}");
    }
}
