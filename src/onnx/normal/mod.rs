//! One form for every operator: whatever operator set a model was written in, after reading it is in that of
//! [`OPSET`](super::graph::OPSET), constants are constants and not nodes, and nodes that do nothing are gone.

mod alias;
mod upgrade;

use super::builder::Builder;
use super::error::{OnnxError, malformed};
use super::graph::{Attribute, Graph, Node};
use super::tensor::Tensor;

/// Brings a sorted graph of operator set `opset` to normal form. Its nodes may then need sorting again.
pub(super) fn normalise(graph: &mut Graph, opset: i64) -> Result<(), OnnxError> {
    let mut builder = Builder::new(graph, "normal");
    let nodes = std::mem::take(&mut builder.graph().nodes);
    for node in nodes {
        if node.is("Constant") {
            let (name, value) = constant(&node)?;
            builder.graph().constants.insert(name, value);
            continue;
        }
        if node.has_subgraph() && opset < 18 {
            return Err(OnnxError::Unsupported(format!(
                "{} `{}` in operator set {opset}; control flow is read from operator set 18 on",
                node.operator,
                node.label()
            )));
        }
        upgrade::upgrade(&mut builder, node, opset)?;
    }
    alias::remove(graph);
    Ok(())
}

/// A `Constant` node's output and value.
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
    let value = value.ok_or_else(|| OnnxError::Unsupported(format!("Constant `{name}` of texts or of no value")))?;
    Ok((name.into(), value))
}
