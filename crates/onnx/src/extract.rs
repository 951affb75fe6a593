//! Parts of a graph: the dependencies of values, and the reduction of a graph to some of its outputs.

use std::collections::{BTreeSet, HashMap};

use super::graph::{Graph, Node};

impl Graph {
    /// Returns for each value the graph inputs it depends on, constants aside, as positions in [`Graph::inputs`]. A
    /// value that only needs an input's sizes (`Shape`) counts as depending on it.
    pub fn sources(&self) -> HashMap<&str, BTreeSet<usize>> {
        let mut sources: HashMap<&str, BTreeSet<usize>> = HashMap::new();
        for (position, input) in self.inputs.iter().enumerate() {
            sources.insert(input, BTreeSet::from([position]));
        }
        for node in &self.nodes {
            let mut all = BTreeSet::new();
            for name in node.uses() {
                all.extend(sources.get(name).into_iter().flatten());
            }
            for output in &node.outputs {
                sources.insert(output, all.clone());
            }
        }
        sources
    }

    /// Returns the node that computes a value.
    pub fn giver(&self, value: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.outputs.iter().any(|output| output == value))
    }

    /// Reduces the graph to one value, which becomes the only output, and removes inputs that it does not need.
    pub fn reduce_to(&mut self, output: &str) {
        self.outputs = vec![output.to_owned()];
        self.prune();
        let needed: BTreeSet<&str> = self.nodes.iter().flat_map(Node::uses).chain([output]).collect();
        self.inputs.retain(|input| needed.contains(input.as_str()));
        let known: BTreeSet<&String> = self.nodes.iter().flat_map(|node| &node.outputs).chain(&self.inputs).collect();
        self.types.retain(|name, _| known.contains(name));
    }
}

#[cfg(test)]
mod tests {
    use crate::{DataType, Graph, Node, ValueType};

    fn two_towers() -> Graph {
        let mut graph = Graph {
            inputs: vec!["ids".into(), "picture".into()],
            outputs: vec!["logits".into(), "a".into()],
            nodes: vec![
                Node::new("Neg", &["ids"], &["a"]),
                Node::new("Abs", &["picture"], &["b"]),
                Node::new("Add", &["a", "b"], &["logits"]),
            ],
            ..Graph::default()
        };
        for name in ["ids", "picture", "a", "b", "logits"] {
            graph.types.insert(name.into(), ValueType::fixed(DataType::F32, &[2]));
        }
        graph
    }

    #[test]
    fn values_know_what_they_come_from() {
        let graph = two_towers();
        let sources = graph.sources();
        assert_eq!(sources["a"].iter().collect::<Vec<_>>(), [&0]);
        assert_eq!(sources["b"].iter().collect::<Vec<_>>(), [&1]);
        assert_eq!(sources["logits"].len(), 2);
    }

    #[test]
    fn a_part_keeps_what_it_needs_and_nothing_else() {
        let mut graph = two_towers();
        graph.reduce_to("b");
        assert_eq!((graph.inputs.as_slice(), graph.nodes.len()), (["picture".to_owned()].as_slice(), 1));
        assert_eq!(graph.types.keys().collect::<Vec<_>>(), ["b", "picture"]);
        graph.reduce_to("b");
        assert_eq!(graph.outputs, ["b"]);
    }
}
