//! Fuses constant factors after products into the weights: the layer scale of ConvNeXt and FastViT, and the 1/√size of
//! attention where it directly follows its product.

use super::Lookup;
use crate::builder::Builder;
use crate::graph::{Graph, Node};
use crate::tensor::Tensor;

/// Fuses y = c (x w + b) into a product with weights w c and bias c b, where c is one number or one for each column or
/// channel.
pub(crate) fn scales(graph: &mut Graph) {
    // One at a time, because a product may have several factors after it.
    while let Some(found) = find(graph) {
        let Found { product, weight, bias, scale, value, output } = found;
        let mut b = Builder::new(graph, "scaled");
        let weight = b.constant("weight", weight);
        b.graph().nodes[product].inputs[1] = weight;
        if let Some((node, position, bias)) = bias {
            let bias = b.constant("bias", bias);
            b.graph().nodes[node].inputs[position] = bias;
        }
        graph.nodes.remove(scale);
        let outputs = graph.nodes.iter_mut().flat_map(|node| &mut node.outputs);
        outputs.filter(|name| **name == value).for_each(|name| name.clone_from(&output));
    }
    graph.prune();
}

struct Found {
    /// The index of the product's node.
    product: usize,
    weight: Tensor,
    /// The node and input position of the bias, and the new bias.
    bias: Option<(usize, usize, Tensor)>,
    /// The node to remove, its input, and its output.
    scale: usize,
    value: String,
    output: String,
}

fn find(graph: &Graph) -> Option<Found> {
    let lookup = Lookup::new(graph);
    let factors = graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Mul"));
    factors.filter_map(|(index, mul)| behind(&lookup, index, mul)).next()
}

/// Operators that do not change elements, so that a single factor can be moved to before them.
const MOVING: &[&str] = &["Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

fn behind(lookup: &Lookup, index: usize, mul: &Node) -> Option<Found> {
    let (value, factor) = lookup.with_constant(mul)?;
    let factor = lookup.graph.constants.get(factor)?;
    let output = mul.output(0)?;
    lookup.once(value).then_some(())?;
    // A single number of at most one dimension: more dimensions would add some to the result.
    let number = factor.len() == 1 && factor.dims.len() <= 1;
    let mut inner = value;
    let mut factor = factor.clone();
    while let Some(node) = lookup.givers.get(inner).map(|i| &lookup.graph.nodes[*i]) {
        let moves = MOVING.iter().any(|operator| node.is(operator));
        let Some(input) = node.input(0).filter(|input| moves && lookup.once(input)) else { break };
        if !number {
            // A factor for each channel follows its axis through a transposition.
            let Some(turned) = turned(&factor, node) else { break };
            factor = turned;
        }
        inner = input;
    }
    let added = lookup.giver(inner, "Add").and_then(|(at, add)| {
        let (sum, bias) = lookup.with_constant(add)?;
        lookup.once(sum).then_some((at, usize::from(add.input(1) == Some(bias)), sum, bias))
    });
    let of = added.map_or(inner, |(_, _, sum, _)| sum);
    let products = ["MatMul", "Gemm", "Conv"];
    let (product, node) = products.iter().find_map(|operator| lookup.giver(of, operator))?;
    let weight = lookup.graph.constants.get(node.input(1)?).filter(|_| lookup.once(node.inputs[1].as_str()))?;
    let channels = Channels::of(node, weight)?;
    let by = channels.factors(&factor, number)?;
    let own = node.input(2).map(|bias| (product, 2, bias));
    let bias = match (own, added) {
        // Both at once are too rare to support.
        (Some(_), Some(_)) => return None,
        (Some(own), None) => Some(own),
        (None, added) => added.map(|(at, position, _, bias)| (at, position, bias)),
    };
    let bias = match bias {
        Some((at, position, bias)) => {
            let bias = lookup.graph.constants.get(bias)?;
            Some((at, position, channels.scaled_bias(bias, &by, at == product)?))
        }
        None => None,
    };
    Some(Found {
        product,
        weight: channels.scaled(weight, &by)?,
        bias,
        scale: index,
        value: value.to_owned(),
        output: output.to_owned(),
    })
}

/// Moves a factor with one value for each index of an axis from after a `Transpose` to before it.
fn turned(factor: &Tensor, node: &Node) -> Option<Tensor> {
    let rank = factor.dims.len();
    let order = crate::shapes::permutation(node, rank).filter(|_| node.is("Transpose"))?;
    let axis = factor.dims.iter().position(|size| *size != 1)?;
    (factor.dims[axis] == factor.len()).then_some(())?;
    let mut dims = vec![1; rank];
    dims[order[axis]] = factor.len();
    // All axes before the last have size 1, so may be left out.
    let last = order[axis] + 1 == rank;
    Some(factor.with_dims(if last { &dims[rank - 1..] } else { &dims }))
}

/// The position of a product's columns or channels.
struct Channels {
    count: usize,
    /// Their axis in the weight.
    axis: usize,
    /// The number of axes after the channels in the result.
    behind: usize,
}

impl Channels {
    fn of(node: &Node, weight: &Tensor) -> Option<Self> {
        let rank = weight.dims.len();
        let (axis, behind) = match node.operator.as_str() {
            "Conv" => (0, rank.checked_sub(2)?),
            "Gemm" if node.int("transB").unwrap_or(0) != 0 => (0, 0),
            "MatMul" | "Gemm" if rank == 2 => (1, 0),
            _ => return None,
        };
        Some(Channels { count: *weight.dims.get(axis)?, axis, behind })
    }

    /// Returns the factor of each channel.
    fn factors(&self, factor: &Tensor, number: bool) -> Option<Vec<f64>> {
        let values = factor.to_f64()?;
        if number {
            return Some(vec![values[0]; self.count]);
        }
        (values.len() == self.count && self.lies_along(&factor.dims)).then_some(values)
    }

    /// Whether the sizes are those of one value for each channel: [C], followed by a 1 for each axis behind.
    fn lies_along(&self, dims: &[usize]) -> bool {
        let at = dims.len().checked_sub(self.behind + 1);
        // A convolution's result also has a batch axis in front.
        let in_front = usize::from(self.behind > 0);
        at.is_some_and(|at| at <= in_front && dims[at] == self.count) && dims.iter().product::<usize>() == self.count
    }

    fn scaled(&self, weight: &Tensor, by: &[f64]) -> Option<Tensor> {
        let step = crate::tensor::strides(&weight.dims)[self.axis];
        let values: Vec<f64> =
            weight.to_f64()?.iter().enumerate().map(|(i, v)| v * by[i / step % self.count]).collect();
        Tensor::floats(weight.data_type, &weight.dims, &values)
    }

    /// Scales a bias of one number for each channel: the product's own (`[C]`), or one added to its result.
    fn scaled_bias(&self, bias: &Tensor, by: &[f64], own: bool) -> Option<Tensor> {
        let values = bias.to_f64()?;
        if by.iter().all(|factor| *factor == by[0]) {
            let values: Vec<f64> = values.iter().map(|v| v * by[0]).collect();
            return Tensor::floats(bias.data_type, &bias.dims, &values);
        }
        let fits = if own { bias.dims == [self.count] } else { self.lies_along(&bias.dims) };
        fits.then_some(())?;
        let values: Vec<f64> = values.iter().zip(by).map(|(v, factor)| v * factor).collect();
        Tensor::floats(bias.data_type, &bias.dims, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataType;
    use crate::test_support::{distance, normal, run};

    /// Compares the results before and after fusing, and returns the remaining operators.
    fn same(mut graph: Graph, x: &Tensor) -> Vec<String> {
        let expected = run(&graph, &[("x", x)]).remove(0);
        scales(&mut graph);
        let got = run(&graph, &[("x", x)]).remove(0);
        assert_eq!(got.dims, expected.dims);
        assert!(distance(&got, &expected) < 1e-6);
        graph.nodes.iter().map(|node| node.operator.clone()).collect()
    }

    #[test]
    fn factors_behind_matrices() {
        for (scale, bias) in [(vec![5], true), (vec![], true), (vec![5], false), (vec![1], false)] {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            let x = b.input("x", DataType::F32, &[2, 3, 4]);
            let (weight, shift) = (b.constant("w", normal(1, &[4, 5])), b.constant("b", normal(2, &[5])));
            let mut y = b.op("MatMul", &[&x, &weight]);
            if bias {
                y = b.op("Add", &[&shift, &y]);
            }
            let scale = b.constant("c", normal(3, &scale));
            let y = b.op("Mul", &[&scale, &y]);
            graph.outputs.push(y);
            let left = same(graph, &normal(4, &[2, 3, 4]));
            assert_eq!(left, if bias { vec!["MatMul", "Add"] } else { vec!["MatMul"] });
        }
    }

    #[test]
    fn one_number_passes_through_moves() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[6, 4]);
        let (weight, shift) = (b.constant("w", normal(1, &[8, 4])), b.constant("b", normal(2, &[8])));
        let product = b.op_with("Gemm", &[&x, &weight, &shift], &[("transB", 1.into())]);
        let apart = b.reshape(&product, &[2, 3, 2, 4]);
        let turned = b.transpose(&apart, &[0, 2, 1, 3]);
        let y = b.scale(&turned, 0.5);
        graph.outputs.push(y);
        assert_eq!(same(graph, &normal(4, &[6, 4])), ["Gemm", "Reshape", "Transpose"]);
    }

    /// ConvNeXt's layer scale, after the change from channels last to channels first.
    #[test]
    fn factors_of_channels_pass_through_transpositions() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, &[2, 3, 3, 4]);
        let (weight, shift) = (b.constant("w", normal(1, &[4, 5])), b.constant("b", normal(2, &[5])));
        let product = b.op("MatMul", &[&x, &weight]);
        let sum = b.op("Add", &[&product, &shift]);
        let turned = b.transpose(&sum, &[0, 3, 1, 2]);
        let scale = b.constant("c", normal(3, &[1, 5, 1, 1]));
        let y = b.op("Mul", &[&turned, &scale]);
        graph.outputs.push(y);
        assert_eq!(same(graph, &normal(4, &[2, 3, 3, 4])), ["MatMul", "Add", "Transpose"]);
    }

    #[test]
    fn factors_behind_convolutions() {
        for (dims, own) in [(vec![3, 1, 1], true), (vec![1, 3, 1, 1], false), (vec![1], true)] {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            let x = b.input("x", DataType::F32, &[2, 2, 5, 5]);
            let weight = b.constant("w", normal(1, &[3, 2, 3, 3]));
            let y = if own {
                let bias = b.constant("b", normal(2, &[3]));
                b.op("Conv", &[&x, &weight, &bias])
            } else {
                let bias = b.constant("b", normal(2, &[1, 3, 1, 1]));
                let y = b.op("Conv", &[&x, &weight]);
                b.op("Add", &[&y, &bias])
            };
            let scale = b.constant("c", normal(3, &dims));
            let y = b.op("Mul", &[&y, &scale]);
            graph.outputs.push(y);
            let left = same(graph, &normal(4, &[2, 2, 5, 5]));
            assert_eq!(left, if own { vec!["Conv"] } else { vec!["Conv", "Add"] });
        }
    }

    #[test]
    fn what_is_used_elsewhere_stays() {
        let graph = |along_rows: bool| {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            let x = b.input("x", DataType::F32, &[5, 4]);
            let weight = b.constant("w", normal(1, &[4, 5]));
            let product = b.op("MatMul", &[&x, &weight]);
            let dims: &[usize] = if along_rows { &[5, 1] } else { &[5] };
            let scale = b.constant("c", normal(3, dims));
            let y = b.op("Mul", &[&product, &scale]);
            graph.outputs.push(y);
            if !along_rows {
                let other = b_neg(&mut graph, &product);
                graph.outputs.push(other);
            }
            graph
        };
        for along_rows in [true, false] {
            assert!(same(graph(along_rows), &normal(4, &[5, 4])).contains(&"Mul".to_owned()));
        }
    }

    fn b_neg(graph: &mut Graph, value: &str) -> String {
        Builder::new(graph, "u").op("Neg", &[value])
    }
}
