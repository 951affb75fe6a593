//! Narrows a graph to the values that are selected in the end.
//!
//! A vision transformer's embedding is that of one token in fifty, picked by a `Gather` after the last block. In this
//! block, everything after the keys and values works on each token alone. Moving the selection up, past every operator
//! that treats rows alike, leaves one row to compute instead of fifty, forward and backward.
//!
//! A selection is a cut through the flat index of a value, which `Reshape` does not change. A walk from the outputs to
//! the inputs finds the values of which only cuts are wanted. The nodes that compute these are inserted again, on cuts
//! of their inputs, and unused nodes are pruned.

mod cut;
mod through;

use std::collections::{HashMap, HashSet};

use super::builder::Builder;
use super::graph::{Graph, Node};
use cut::Cut;

/// The most passes. No model nests selections this deeply.
const PASSES: usize = 8;

/// The parts of a value that later nodes need.
#[derive(Debug, Clone)]
enum Demand {
    All,
    /// These cuts. `nested` means that only a part of one of them is wanted in turn. Cutting then pays even where the
    /// cuts together cover the whole value (queries, keys, and values of one projection).
    Cuts {
        cuts: Vec<Cut>,
        nested: bool,
    },
}

/// Rewrites a folded graph to compute only the selected parts.
pub(super) fn narrow(graph: &mut Graph) {
    for _ in 0..PASSES {
        let demands = demands(graph);
        if !demands.values().any(|d| matches!(d, Demand::Cuts { .. })) {
            return;
        }
        rewrite(graph, &demands);
        graph.prune();
    }
}

/// Returns the demand for every value that a node computes.
fn demands(graph: &Graph) -> HashMap<String, Demand> {
    let mut demands: HashMap<String, Demand> = HashMap::new();
    for output in &graph.outputs {
        demands.insert(output.clone(), Demand::All);
    }
    for node in graph.nodes.iter().rev() {
        let [output] = node.outputs.as_slice() else {
            node.uses().into_iter().for_each(|name| want_all(&mut demands, name));
            continue;
        };
        let demand = settle(graph, node, demands.remove(output));
        if let Some(demand) = &demand {
            demands.insert(output.clone(), demand.clone());
        }
        let Some(demand) = demand else { continue };
        if let Some(cut) = cut::selected(graph, node) {
            let nested = matches!(demand, Demand::Cuts { .. });
            // A selection counts as wanted in full; the next pass moves cuts of it further up.
            demands.insert(output.clone(), Demand::All);
            want_cut(&mut demands, &node.inputs[0], cut, nested);
            node.inputs[1..].iter().for_each(|name| want_all(&mut demands, name));
            continue;
        }
        match demand {
            Demand::All => node.uses().into_iter().for_each(|name| want_all(&mut demands, name)),
            Demand::Cuts { cuts, nested } => {
                for cut in &cuts {
                    let inputs = through::inputs(graph, node, *cut).unwrap_or_default();
                    for (name, part) in node.inputs.iter().zip(inputs) {
                        match part {
                            Some(part) => want_cut(&mut demands, name, part, nested),
                            None => want_all(&mut demands, name),
                        }
                    }
                }
            }
        }
    }
    // Only nodes of one output were settled; inputs of the graph and outputs of other nodes stay whole.
    let settled: HashSet<&String> =
        graph.nodes.iter().filter(|n| n.outputs.len() == 1).flat_map(|n| &n.outputs).collect();
    demands.retain(|name, _| settled.contains(name));
    demands
}

/// Keeps cuts only where the node can be narrowed to each of them and they are less than the whole.
fn settle(graph: &Graph, node: &Node, demand: Option<Demand>) -> Option<Demand> {
    let Demand::Cuts { cuts, nested } = demand? else { return Some(Demand::All) };
    let share: f64 = cuts.iter().map(|c| 1.0 / c.count as f64).sum();
    let possible = cut::selected(graph, node).is_some()
        || (!node.has_subgraph() && cuts.iter().all(|cut| through::inputs(graph, node, *cut).is_some()));
    Some(if possible && (nested || share < 0.999) { Demand::Cuts { cuts, nested } } else { Demand::All })
}

fn want_all(demands: &mut HashMap<String, Demand>, name: &str) {
    demands.insert(name.into(), Demand::All);
}

fn want_cut(demands: &mut HashMap<String, Demand>, name: &str, cut: Cut, also_nested: bool) {
    match demands.get_mut(name) {
        Some(Demand::All) => {}
        Some(Demand::Cuts { cuts, nested }) => {
            *nested |= also_nested;
            if !cuts.contains(&cut) {
                cuts.push(cut);
            }
        }
        None => {
            demands.insert(name.into(), Demand::Cuts { cuts: vec![cut], nested: also_nested });
        }
    }
}

fn rewrite(graph: &mut Graph, demands: &HashMap<String, Demand>) {
    let originals = graph.clone();
    let mut builder = Builder::new(graph, "narrow");
    let nodes = std::mem::take(&mut builder.graph().nodes);
    let mut parts = Parts { originals: &originals, known: HashMap::new() };
    for node in nodes {
        let is_cut = |name: &str| matches!(demands.get(name), Some(Demand::Cuts { .. }));
        let selected = cut::selected(&originals, &node).filter(|_| is_cut(&node.inputs[0]));
        if let (Some(cut), Some(shape)) = (selected, originals.shape(&node.outputs[0])) {
            let part = parts.of(&mut builder, &node.inputs[0], cut);
            let sizes = builder.sizes(&shape);
            builder.op_into("Reshape", &[&part, &sizes], &[], &node.outputs[0]);
            continue;
        }
        if let ([output], Some(Demand::Cuts { cuts, .. })) =
            (node.outputs.as_slice(), node.outputs.first().and_then(|o| demands.get(o)))
        {
            for cut in cuts {
                parts.narrowed(&mut builder, &node, output, *cut);
            }
            continue;
        }
        builder.node(node);
    }
}

/// The parts computed so far.
struct Parts<'a> {
    originals: &'a Graph,
    known: HashMap<(String, Cut), String>,
}

impl Parts<'_> {
    /// Returns a part of a value: one that a narrowed node computes already, or else a slice.
    fn of(&mut self, b: &mut Builder, value: &str, cut: Cut) -> String {
        if let Some(part) = self.known.get(&(value.to_string(), cut)) {
            return part.clone();
        }
        let part = match self.originals.constants.get(value) {
            Some(tensor) => match cut.of(tensor) {
                Some(tensor) => b.constant("part", tensor),
                None => value.to_string(),
            },
            None => {
                let shape = self.originals.shape(value).unwrap_or_default();
                cut.slice(b, value, &shape)
            }
        };
        self.known.insert((value.to_string(), cut), part.clone());
        part
    }

    /// Inserts a node again for a part of its output.
    fn narrowed(&mut self, b: &mut Builder, node: &Node, output: &str, cut: Cut) {
        let inputs = through::inputs(self.originals, node, cut).unwrap_or_default();
        let names: Vec<String> = node
            .inputs
            .iter()
            .zip(inputs)
            .map(|(name, part)| part.map_or_else(|| name.clone(), |part| self.of(b, name, part)))
            .collect();
        let shape = self.originals.shape(output).unwrap_or_default();
        let part = if through::is_reshape(node) {
            let shape = cut.narrow(&shape).unwrap_or_default();
            b.reshape(&names[0], &shape)
        } else {
            let name = b.fresh(&node.operator);
            let again = Node { name: name.clone(), inputs: names, outputs: vec![name.clone()], ..node.clone() };
            b.node(again);
            name
        };
        self.known.insert((output.to_string(), cut), part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{normal, run};
    use crate::{Attribute, DataType, Tensor};

    /// Compares the results before and after narrowing, and returns the narrowed graph.
    fn same(mut graph: Graph, x: &Tensor) -> Graph {
        let before = run(&graph, &[("x", x)]);
        narrow(&mut graph);
        let after = run(&graph, &[("x", x)]);
        for (a, b) in before.iter().zip(&after) {
            assert_eq!(a.dims, b.dims);
            let far =
                a.to_f32().unwrap().iter().zip(b.to_f32().unwrap()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{far}");
        }
        graph
    }

    fn axis(axis: i64) -> [(&'static str, Attribute); 1] {
        [("axis", axis.into())]
    }

    #[test]
    fn a_token_is_selected_before_the_products() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[2, 5, 4]);
        let weights = b.constant("w", normal(1, &[4, 6]));
        let (scale, bias) = (b.constant("s", normal(2, &[4])), b.constant("c", normal(3, &[5, 6])));
        let normal = b.op("LayerNormalization", &[&x, &scale]);
        let flat = b.reshape(&normal, &[10, 4]);
        let product = b.op("Gemm", &[&flat, &weights]);
        let deep = b.reshape(&product, &[2, 5, 6]);
        let shifted = b.op("Add", &[&deep, &bias]);
        let turned = b.transpose(&shifted, &[1, 0, 2]);
        let soft = b.op("Softmax", &[&turned]);
        let index = b.constant("index", Tensor::i64(&[], &[-2]));
        let y = b.op_with("Gather", &[&soft, &index], &axis(0));
        graph.outputs.push(y);
        let graph = same(graph, &crate::test_support::normal(9, &[2, 5, 4]));
        let gemm = graph.nodes.iter().find(|n| n.is("Gemm")).unwrap();
        assert_eq!(graph.shape(&gemm.outputs[0]).unwrap(), [2, 6]);
        assert!(graph.nodes.iter().all(|n| !n.is("Gather")));
    }

    /// Attention whose queries, keys, and values come from one projection, and of whose result one token is wanted.
    #[test]
    fn queries_part_from_keys_and_values() {
        let (n, tokens, width) = (2, 5, 4);
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[n, tokens, width]);
        let weights = b.constant("w", normal(1, &[width, 3 * width]));
        let bias = b.constant("c", normal(2, &[3 * width]));
        let flat = b.reshape(&x, &[n * tokens, width]);
        let all = b.op("Gemm", &[&flat, &weights, &bias]);
        let all = b.reshape(&all, &[n, tokens, 3, width]);
        let all = b.transpose(&all, &[2, 0, 1, 3]);
        let part = |b: &mut Builder, i: i64| {
            let index = b.constant("index", Tensor::i64(&[], &[i]));
            b.op_with("Gather", &[&all, &index], &axis(0))
        };
        let (q, k, v) = (part(&mut b, 0), part(&mut b, 1), part(&mut b, 2));
        let k = b.transpose(&k, &[0, 2, 1]);
        let scores = b.op("MatMul", &[&q, &k]);
        let soft = b.op("Softmax", &[&scores]);
        let mixed = b.op("MatMul", &[&soft, &v]);
        let sum = b.op("Add", &[&mixed, &x]);
        let (starts, ends, axes) = (b.ints(&[3]), b.ints(&[4]), b.ints(&[1]));
        let y = b.op("Slice", &[&sum, &starts, &ends, &axes]);
        graph.outputs.push(y);
        let graph = same(graph, &normal(9, &[n, tokens, width]));
        let mut rows: Vec<Vec<usize>> =
            graph.nodes.iter().filter(|n| n.is("Gemm")).map(|n| graph.shape(&n.outputs[0]).unwrap()).collect();
        rows.sort();
        assert_eq!(rows, [[n, width], [n * tokens, width], [n * tokens, width]]);
    }

    #[test]
    fn selections_from_an_input_stay() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[2, 3]);
        let index = b.ints(&[1]);
        let y = b.op_with("Gather", &[&x, &index], &axis(1));
        graph.outputs.push(y);
        let before = graph.clone();
        assert_eq!(same(graph, &normal(1, &[2, 3])).nodes, before.nodes);
    }

    #[test]
    fn what_is_wanted_in_full_stays_one() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[2, 3]);
        let e = b.op("Exp", &[&x]);
        let halves: Vec<String> = (0..3)
            .map(|i| {
                let index = b.ints(&[i]);
                b.op_with("Gather", &[&e, &index], &axis(1))
            })
            .collect();
        graph.outputs.extend(halves);
        let before = graph.clone();
        assert_eq!(same(graph, &normal(1, &[2, 3])).nodes, before.nodes);
    }
}
