//! Removes nodes whose output is their input: `Identity`, and `Dropout` outside training.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, Node};

/// Removes these nodes, except those that compute an output of the graph or a value that a subgraph captures.
pub(crate) fn remove(graph: &mut Graph) {
    let captured: HashSet<String> =
        graph.nodes.iter().filter(|n| n.has_subgraph()).flat_map(|n| n.uses()).map(String::from).collect();
    let mut alias: HashMap<String, String> = HashMap::new();
    let outputs: HashSet<String> = graph.outputs.iter().cloned().collect();
    let mut kept: Vec<Node> = Vec::with_capacity(graph.nodes.len());
    for mut node in std::mem::take(&mut graph.nodes) {
        for input in &mut node.inputs {
            if let Some(original) = alias.get(input.as_str()) {
                *input = original.clone();
            }
        }
        match (node.input(0), node.output(0)) {
            (Some(from), Some(to)) if passes(&node) && !outputs.contains(to) && !captured.contains(to) => {
                alias.insert(to.into(), from.into());
            }
            _ => kept.push(node),
        }
    }
    graph.nodes = kept;
}

/// Whether the node's only output is its first input. (Nodes come in topological order, so the mask that an old
/// `Dropout` also gives would be used by a later one; masks of inference are not used.)
fn passes(node: &Node) -> bool {
    (node.is("Identity") || node.is("Dropout")) && node.output(1).is_none()
}
