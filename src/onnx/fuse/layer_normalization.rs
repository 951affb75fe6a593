//! `LayerNormalization`, which exporters spell out before operator set 17.

use super::Lookup;
use crate::onnx::builder::Builder;
use crate::onnx::graph::{Graph, Node};
use crate::onnx::shapes;
use crate::onnx::tensor::{DataType, Tensor};

/// (x - mean x) / √(mean (x - mean x)² + ε) · γ + β over the last axis, as one operator.
pub(in crate::onnx) fn layer_normalization(graph: &mut Graph) {
    let found: Vec<Found> = {
        let lookup = Lookup::new(graph);
        graph.nodes.iter().filter(|node| node.is("Div")).filter_map(|node| find(&lookup, node)).collect()
    };
    if found.is_empty() {
        return;
    }
    for Found { x, epsilon, scale, shift, last, y } in found {
        let name = Builder::new(graph, "layer").fresh("normal");
        let dims = graph.shape(&x).and_then(|shape| shape.last().copied()).unwrap_or(0);
        let mut b = Builder::new(graph, "layer");
        let scale = match scale {
            Some(scale) => b.constant("scale", scale),
            None => b.constant("scale", Tensor::f32(&[dims], &vec![1.0; dims])),
        };
        let mut inputs = vec![x, scale];
        inputs.extend(shift.map(|shift| b.constant("shift", shift)));
        let mut node = Node { name, inputs, outputs: vec![y], ..Node::new("LayerNormalization", &[], &[]) };
        node = node.with("axis", -1).with("epsilon", epsilon as f32);
        // In the place of the last node that it replaces: what it takes is there, and what takes it is not yet.
        graph.nodes[last] = node;
    }
    graph.prune();
}

struct Found {
    x: String,
    epsilon: f64,
    scale: Option<Tensor>,
    shift: Option<Tensor>,
    /// The index of the last node of the pattern, and what it gives.
    last: usize,
    y: String,
}

/// The normalisation that a division ends, with the scale and shift behind it.
fn find(lookup: &Lookup, div: &Node) -> Option<Found> {
    let (centred, deviation) = (div.input(0)?, div.input(1)?);
    let (_, sub) = lookup.giver(centred, "Sub")?;
    let (x, mean) = (sub.input(0)?, sub.input(1)?);
    let shape = lookup.graph.shape(x)?;
    (lookup.graph.data_type(x) == Some(DataType::F32)).then_some(())?;
    let over_last = |node: &Node| {
        let axes = shapes::reduction_axes(lookup.graph, node, shape.len());
        node.int("keepdims").unwrap_or(1) != 0 && axes.as_deref() == Some(&[shape.len() - 1][..])
    };
    let (_, of_x) = lookup.giver(mean, "ReduceMean").filter(|(_, node)| over_last(node))?;
    (of_x.input(0)? == x).then_some(())?;
    let (_, root) = lookup.giver(deviation, "Sqrt")?;
    let (_, sum) = lookup.giver(root.input(0)?, "Add")?;
    let (variance, epsilon) = lookup.with_constant(sum)?;
    let epsilon = lookup.number(epsilon)?;
    let (_, of_square) = lookup.giver(variance, "ReduceMean").filter(|(_, node)| over_last(node))?;
    let square = of_square.input(0)?;
    let same = |value: &str| {
        // Some exporters subtract twice.
        let again = lookup.giver(value, "Sub").map(|(_, node)| (node.input(0), node.input(1)));
        value == centred || again == Some((Some(x), Some(mean)))
    };
    let squared = match (lookup.giver(square, "Pow"), lookup.giver(square, "Mul")) {
        (Some((_, pow)), _) => {
            let two = pow.input(1)?;
            let exponent = lookup.number(two).or_else(|| {
                lookup.graph.constants.get(two).filter(|t| t.len() == 1)?.to_i64()?.first().map(|v| *v as f64)
            });
            exponent == Some(2.0) && same(pow.input(0)?)
        }
        (None, Some((_, mul))) => mul.input(0) == mul.input(1) && same(mul.input(0)?),
        _ => false,
    };
    squared.then_some(())?;

    let width = *shape.last()?;
    let along = |name: &str| {
        let tensor = lookup.graph.constants.get(name)?;
        let fits = tensor.len() == width && tensor.dims.last() == Some(&width) && tensor.data_type == DataType::F32;
        fits.then(|| tensor.with_dims(&[width]))
    };
    // The next node, where it alone takes the value and is an operation with a vector along the last axis.
    let next = |value: &str, operator: &str| {
        let index = lookup.once(value).then(|| lookup.users.get(value).copied()).flatten()?;
        let node = &lookup.graph.nodes[index];
        let (_, constant) = Some(node).filter(|node| node.is(operator)).and_then(|node| lookup.with_constant(node))?;
        Some((index, node.output(0)?.to_owned(), along(constant)?))
    };
    let y = div.output(0)?;
    let mut found =
        Found { x: x.to_owned(), epsilon, scale: None, shift: None, last: *lookup.givers.get(y)?, y: y.to_owned() };
    if let Some((index, y, scale)) = next(&found.y, "Mul") {
        (found.last, found.y, found.scale) = (index, y, Some(scale));
    }
    if let Some((index, y, shift)) = next(&found.y, "Add") {
        (found.last, found.y, found.shift) = (index, y, Some(shift));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::test_support::{distance, normal, run};

    fn spelt_out(power: bool, twice: bool, affine: bool) -> Graph {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[2, 3, 8]);
        let axes = b.ints(&[-1]);
        let mean = b.op("ReduceMean", &[&x, &axes]);
        let centred = b.op("Sub", &[&x, &mean]);
        let other = if twice { b.op("Sub", &[&x, &mean]) } else { centred.clone() };
        let square = if power {
            let two = b.scalar(2.0, &x);
            b.op("Pow", &[&other, &two])
        } else {
            b.op("Mul", &[&other, &other])
        };
        let variance = b.op("ReduceMean", &[&square, &axes]);
        let epsilon = b.scalar(0.1, &x);
        let sum = b.op("Add", &[&epsilon, &variance]);
        let root = b.op("Sqrt", &[&sum]);
        let mut y = b.op("Div", &[&centred, &root]);
        if affine {
            let (scale, shift) = (b.constant("g", normal(2, &[8])), b.constant("b", normal(3, &[8])));
            y = b.op("Mul", &[&scale, &y]);
            y = b.op("Add", &[&y, &shift]);
        }
        graph.outputs.push(y);
        graph
    }

    #[test]
    fn every_spelling_is_one_operator() {
        let x = normal(1, &[2, 3, 8]);
        for (power, twice, affine) in [(true, false, true), (false, true, true), (true, true, false)] {
            let mut graph = spelt_out(power, twice, affine);
            let expected = run(&graph, &[("x", &x)]).remove(0);
            layer_normalization(&mut graph);
            let operators: Vec<&str> = graph.nodes.iter().map(|n| n.operator.as_str()).collect();
            assert_eq!(operators, ["LayerNormalization"]);
            assert!(distance(&run(&graph, &[("x", &x)])[0], &expected) < 1e-6);
        }
    }

    #[test]
    fn other_axes_stay() {
        let mut graph = spelt_out(true, false, true);
        let axes = graph.constants.iter().find(|(_, t)| t.data_type == DataType::I64).map(|(n, _)| n.clone()).unwrap();
        graph.constants.insert(axes, Tensor::i64(&[1], &[1]));
        for known in graph.types.values_mut().filter(|t| t.shape() == Some(vec![2, 3, 1])) {
            *known = crate::onnx::ValueType::fixed(DataType::F32, &[2, 1, 8]);
        }
        let before = graph.nodes.clone();
        layer_normalization(&mut graph);
        assert_eq!(graph.nodes, before);
    }
}
