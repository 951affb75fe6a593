//! Rewriting what exporters spell out into the one operator it is, before differentiating: fewer nodes forward, and far
//! fewer backward. onnxruntime does the like only where nobody else needs what is computed in between, and the gradient
//! needs all of it. (Common subexpressions it does find, in any graph.)

mod batch_normalization;
mod layer_normalization;
mod scale;

use std::collections::HashMap;

use super::graph::{Graph, Node};

pub(super) use batch_normalization::batch_normalization;
pub(super) use layer_normalization::layer_normalization;
pub(super) use scale::scales;

/// A graph with what a search for patterns asks all the time.
struct Lookup<'a> {
    graph: &'a Graph,
    givers: HashMap<&'a str, usize>,
    /// One of the nodes that take each value.
    users: HashMap<&'a str, usize>,
    uses: HashMap<String, usize>,
}

impl<'a> Lookup<'a> {
    fn new(graph: &'a Graph) -> Self {
        let outputs = graph.nodes.iter().enumerate().flat_map(|(i, n)| n.outputs.iter().map(move |o| (o.as_str(), i)));
        let inputs = graph.nodes.iter().enumerate().flat_map(|(i, n)| n.inputs.iter().map(move |o| (o.as_str(), i)));
        Lookup { graph, givers: outputs.collect(), users: inputs.collect(), uses: graph.use_counts() }
    }

    /// The node of that operator that gives a value.
    fn giver(&self, value: &str, operator: &str) -> Option<(usize, &'a Node)> {
        let index = *self.givers.get(value)?;
        let node = &self.graph.nodes[index];
        node.is(operator).then_some((index, node))
    }

    /// Whether one node alone uses the value.
    fn once(&self, value: &str) -> bool {
        self.uses.get(value) == Some(&1)
    }

    /// A binary node's constant operand and its other one, in either order.
    fn with_constant(&self, node: &'a Node) -> Option<(&'a str, &'a str)> {
        let (a, b) = (node.input(0)?, node.input(1)?);
        match (self.graph.constants.contains_key(a), self.graph.constants.contains_key(b)) {
            (false, true) => Some((a, b)),
            (true, false) => Some((b, a)),
            _ => None,
        }
    }

    /// A constant of one element.
    fn number(&self, value: &str) -> Option<f64> {
        let tensor = self.graph.constants.get(value)?;
        if tensor.len() == 1 { tensor.to_f64()?.first().copied() } else { None }
    }
}
