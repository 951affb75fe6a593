//! Estimates the working memory of a graph.

use std::collections::HashMap;

use super::graph::Graph;

impl Graph {
    /// Returns the peak of the bytes that are live at once when the nodes run in order and each value is dropped after
    /// its last use. Inputs, constants, and values of unknown size are not counted, so a runtime needs at least this
    /// much.
    pub fn working_bytes(&self) -> u64 {
        let end = self.nodes.len();
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            // An unused value is live while its node runs.
            last.extend(node.outputs.iter().map(|name| (name.as_str(), index)));
            last.extend(node.uses().into_iter().map(|name| (name, index)));
        }
        last.extend(self.outputs.iter().map(|name| (name.as_str(), end)));
        let mut dropped_at = vec![0u64; end + 1];
        let (mut held, mut most) = (0u64, 0);
        for (index, node) in self.nodes.iter().enumerate() {
            for output in &node.outputs {
                let bytes = self.bytes_of(output).unwrap_or(0);
                held = held.saturating_add(bytes);
                if let Some(at) = last.get(output.as_str()).and_then(|at| dropped_at.get_mut(*at)) {
                    *at = at.saturating_add(bytes);
                }
            }
            most = most.max(held);
            held = held.saturating_sub(dropped_at[index]);
        }
        most
    }

    /// Returns the bytes of a value, if its sizes are known.
    fn bytes_of(&self, value: &str) -> Option<u64> {
        let values = self.shape(value)?.into_iter().try_fold(1u64, |product, size| product.checked_mul(size as u64))?;
        values.checked_mul(self.data_type(value)?.size() as u64)
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataType, Graph, Node, ValueType};

    #[test]
    fn values_count_from_their_node_to_their_last_use() {
        let mut graph = Graph { inputs: vec!["x".to_owned()], outputs: vec!["y".to_owned()], ..Graph::default() };
        // `a` is kept to the end, like a value that the backward pass needs.
        for (operator, inputs, output, size) in [
            ("Relu", vec!["x"], "a", 100),
            ("Exp", vec!["a"], "b", 10),
            ("Exp", vec!["b"], "c", 1000),
            ("Exp", vec!["c"], "unknown", 0),
            ("Add", vec!["unknown", "a"], "y", 5),
        ] {
            graph.nodes.push(Node::new(operator, &inputs, &[output]));
            if size > 0 {
                graph.types.insert(output.to_owned(), ValueType::fixed(DataType::F32, &[size]));
            }
        }
        assert_eq!(graph.working_bytes(), 4 * (100 + 10 + 1000));
        assert_eq!(Graph::default().working_bytes(), 0);
    }
}
