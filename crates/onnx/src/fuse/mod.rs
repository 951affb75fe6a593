//! Fuses constant operators into the weights before them, ahead of differentiation: fewer operators forward and
//! backward.
//!
//! onnxruntime's basic optimisation does more of this kind (common subexpressions, layer normalisations that are spelt
//! out), but not this, because large weights do not go through it.

mod batch_normalization;
mod scale;

use std::collections::HashMap;

use super::graph::{Graph, Node};

pub(super) use batch_normalization::batch_normalization;
pub(super) use scale::scales;

/// A graph with the lookup tables that a search for patterns needs.
struct Lookup<'a> {
    graph: &'a Graph,
    givers: HashMap<&'a str, usize>,
    uses: HashMap<String, usize>,
}

impl<'a> Lookup<'a> {
    fn new(graph: &'a Graph) -> Self {
        let outputs = graph.nodes.iter().enumerate().flat_map(|(i, n)| n.outputs.iter().map(move |o| (o.as_str(), i)));
        Lookup { graph, givers: outputs.collect(), uses: graph.use_counts() }
    }

    /// Returns the node that computes `value`, if its operator is `operator`.
    fn giver(&self, value: &str, operator: &str) -> Option<(usize, &'a Node)> {
        let index = *self.givers.get(value)?;
        let node = &self.graph.nodes[index];
        node.is(operator).then_some((index, node))
    }

    /// Whether the value has exactly one use.
    fn once(&self, value: &str) -> bool {
        self.uses.get(value) == Some(&1)
    }

    /// Returns a binary node's computed operand and its constant one, whichever comes first.
    fn with_constant(&self, node: &'a Node) -> Option<(&'a str, &'a str)> {
        let (a, b) = (node.input(0)?, node.input(1)?);
        match (self.graph.constants.contains_key(a), self.graph.constants.contains_key(b)) {
            (false, true) => Some((a, b)),
            (true, false) => Some((b, a)),
            _ => None,
        }
    }
}
