//! Normalises the branches and bodies of `If`, `Loop` and `Scan` in place.

use crate::error::OnnxError;
use crate::external::ExternalFiles;
use crate::graph::{Attribute, Node};
use crate::proto::GraphProto;

/// The deepest nesting of subgraphs; anything deeper is taken for nonsense.
const DEEPEST: usize = 8;

/// Brings every subgraph of a node from operator set `opset` to normal form. `scope` differs from that of any other
/// node, because values inside may not have the names of values outside.
pub(super) fn upgrade(node: &mut Node, opset: i64, scope: &str, depth: usize) -> Result<(), OnnxError> {
    if depth > DEEPEST {
        return Err(OnnxError::Unsupported(format!("{} `{}` inside too many others", node.operator, node.label())));
    }
    for (name, value) in &mut node.attributes {
        if let Attribute::Graph(proto) = value {
            let upgraded = upgraded(std::mem::take(&mut **proto), opset, &format!("{scope}/{name}"), depth)?;
            **proto = upgraded;
        }
    }
    Ok(())
}

fn upgraded(proto: GraphProto, opset: i64, scope: &str, depth: usize) -> Result<GraphProto, OnnxError> {
    let (input, output) = (proto.input.clone(), proto.output.clone());
    let mut graph = crate::read::convert(proto, &mut ExternalFiles::new(None))?;
    super::normalise_scope(&mut graph, opset, scope, depth + 1)?;
    let mut proto = graph.to_proto(usize::MAX, "").graph.unwrap_or_default();
    // Kept unchanged, because types other than tensors would be lost.
    (proto.input, proto.output) = (input, output);
    Ok(proto)
}
