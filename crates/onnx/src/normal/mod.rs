//! Normal form. Whatever operator set a model was written in, after reading it is in [`OPSET`](super::graph::OPSET),
//! `Constant` nodes have become constants, and nodes that do nothing are gone.

mod alias;
mod subgraph;
mod upgrade;

use std::collections::HashSet;

use super::builder::Builder;
use super::error::{OnnxError, malformed};
use super::graph::{Attribute, Graph, Node, OPSET, ValueType};
use super::tensor::Tensor;
use super::{lower, shapes};

/// Brings a sorted graph of operator set `opset` to normal form. Its nodes may need sorting again afterwards.
pub(super) fn normalise(graph: &mut Graph, opset: i64) -> Result<(), OnnxError> {
    normalise_scope(graph, opset, "normal", 0)
}

/// Normalises a subgraph `depth` levels down. `scope` is the prefix of the names of new values.
fn normalise_scope(graph: &mut Graph, opset: i64, scope: &str, depth: usize) -> Result<(), OnnxError> {
    let noted: HashSet<String> = graph.types.keys().cloned().collect();
    let mut builder = Builder::new(graph, scope);
    let nodes = std::mem::take(&mut builder.graph().nodes);
    for (index, mut node) in nodes.into_iter().enumerate() {
        if node.is("Constant") {
            let (name, value) = constant(&node)?;
            builder.graph().constants.insert(name, value);
            continue;
        }
        if node.has_subgraph() && opset != OPSET {
            subgraph::upgrade(&mut node, opset, &format!("{scope}/{index}"), depth)?;
        }
        let before = builder.graph().nodes.len();
        if !lower::lower(&mut builder, &node) {
            upgrade::upgrade(&mut builder, node, opset)?;
        }
        note_types(builder.graph(), before);
    }
    // Element types were noted to give constants the right type. Entries without dimensions are of no use later.
    graph.types.retain(|name, known| known.dims.is_some() || noted.contains(name));
    alias::remove(graph);
    Ok(())
}

/// Notes the element types of the outputs of the nodes from `first` on, where they follow from those of the inputs.
fn note_types(graph: &mut Graph, first: usize) {
    for index in first..graph.nodes.len() {
        let types = shapes::data_types(graph, &graph.nodes[index]);
        for (output, data_type) in graph.nodes[index].outputs.clone().into_iter().zip(types) {
            if let Some(data_type) = data_type.filter(|_| !output.is_empty()) {
                graph.types.entry(output).or_insert(ValueType { data_type, dims: None });
            }
        }
    }
}

/// Returns a `Constant` node's output and value.
fn constant(node: &Node) -> Result<(String, Tensor), OnnxError> {
    let name = node.output(0).ok_or_else(|| malformed("a Constant gives nothing"))?;
    let value = node.attributes.iter().find_map(|(key, value)| match (key.as_str(), value) {
        ("value", Attribute::Tensor(tensor)) => Some(tensor.clone()),
        ("value_float", Attribute::Float(v)) => Some(Tensor::f32(&[], &[*v])),
        ("value_floats", Attribute::Floats(v)) => Some(Tensor::f32(&[v.len()], v)),
        ("value_int", Attribute::Int(v)) => Some(Tensor::i64(&[], &[*v])),
        ("value_ints", Attribute::Ints(v)) => Some(Tensor::i64(&[v.len()], v)),
        _ => None,
    });
    let value = value.ok_or_else(|| OnnxError::Unsupported(format!("Constant `{name}` holds texts or no value")))?;
    Ok((name.into(), value))
}
