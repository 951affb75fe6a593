//! Operators on quantised values, each replaced by its float operator.

use super::{Walk, output, required, unknown, weights};
use crate::error::OnnxError;
use crate::graph::{Attribute, Node};
use crate::lower::{self, DOMAIN};
use crate::tensor::Tensor;

/// Inserts the float operator. Its result stands for the quantised one, or is the node's own output where that is a
/// float.
pub(super) fn operator(walk: &mut Walk, node: &Node) -> Result<(), OnnxError> {
    if node.int("channels_last").unwrap_or(0) != 0 {
        return Err(unknown(node, "with channels behind"));
    }
    let binary = [(0, 1, 2), (3, 4, 5)];
    match (node.domain.as_str(), node.operator.as_str()) {
        ("" | DOMAIN, "QLinearMatMul") => simple(walk, node, "MatMul", &binary, 7),
        ("" | DOMAIN, "QLinearConv") => convolution(walk, node),
        (DOMAIN, "QLinearAdd") => simple(walk, node, "Add", &binary, 7),
        (DOMAIN, "QLinearMul") => simple(walk, node, "Mul", &binary, 7),
        (DOMAIN, "QLinearSigmoid") => simple(walk, node, "Sigmoid", &[(0, 1, 2)], 4),
        (DOMAIN, "QLinearLeakyRelu") => simple(walk, node, "LeakyRelu", &[(0, 1, 2)], 4),
        (DOMAIN, "QLinearSoftmax") => simple(walk, node, "Softmax", &[(0, 1, 2)], 4),
        (DOMAIN, "QLinearGlobalAveragePool") => simple(walk, node, "GlobalAveragePool", &[(0, 1, 2)], 4),
        (DOMAIN, "QLinearAveragePool") => simple(walk, node, "AveragePool", &[(0, 1, 2)], 4),
        (DOMAIN, "QLinearConcat") => {
            let operands: Vec<_> = (2..node.inputs.len()).step_by(3).map(|i| (i, i + 1, i + 2)).collect();
            simple(walk, node, "Concat", &operands, 1)
        }
        (DOMAIN, "QLinearWhere") => {
            let condition = required(node, 0)?.to_owned();
            let (x, y) = (walk.float(node, (1, 2, 3))?, walk.float(node, (4, 5, 6))?);
            let chosen = walk.b.op("Where", &[&condition, &x, &y]);
            give(walk, node, chosen, 8)
        }
        (DOMAIN, "QGemm") => gemm(walk, node),
        (DOMAIN, "MatMulIntegerToFloat") => {
            let (a, b) = (walk.float(node, (0, 2, 4))?, walk.float(node, (1, 3, 5))?);
            product(walk, node, &a, &b, 6)
        }
        (DOMAIN, "DynamicQuantizeMatMul") => {
            let (a, b) = (required(node, 0)?.to_owned(), walk.float(node, (1, 2, 3))?);
            product(walk, node, &a, &b, 4)
        }
        (DOMAIN, "QAttention") => attention(walk, node),
        _ => Err(unknown(node, "is not known here and")),
    }
}

/// Returns the attributes that the float operator also has.
fn attributes(node: &Node) -> Vec<(&str, Attribute)> {
    let foreign = ["channels_last", "opset"];
    let own = node.attributes.iter().filter(|(name, _)| !foreign.contains(&name.as_str()));
    own.map(|(name, value)| (name.as_str(), value.clone())).collect()
}

fn simple(
    walk: &mut Walk,
    node: &Node,
    operator: &str,
    operands: &[super::Operand],
    zero_point: usize,
) -> Result<(), OnnxError> {
    let floats: Vec<String> = operands.iter().map(|o| walk.float(node, *o)).collect::<Result<_, _>>()?;
    let inputs: Vec<&str> = floats.iter().map(String::as_str).collect();
    let result = walk.b.op_with(operator, &inputs, &attributes(node));
    give(walk, node, result, zero_point)
}

/// Lets the float stand for the node's quantised output from now on.
fn give(walk: &mut Walk, node: &Node, float: String, zero_point: usize) -> Result<(), OnnxError> {
    let float = walk.bounded(&float, node.input(zero_point), crate::DataType::U8);
    walk.alias.insert(output(node)?.into(), float);
    Ok(())
}

/// Converts an integer bias, whose unit is the product of both scales, to a float constant.
fn bias(walk: &mut Walk, node: &Node, position: usize, scales: [usize; 2]) -> Result<Option<String>, OnnxError> {
    let Some(name) = node.input(position) else { return Ok(None) };
    let graph = walk.b.graph();
    let constant = |position: usize| node.input(position).and_then(|name| graph.constants.get(name));
    let values = graph.constants.get(name).and_then(weights::whole);
    let (Some(values), Some(left), Some(right)) =
        (values, constant(scales[0]).and_then(Tensor::to_f64), constant(scales[1]).and_then(Tensor::to_f64))
    else {
        return Err(unknown(node, "with a bias that is not constant"));
    };
    if left.len() != 1 || (right.len() != 1 && right.len() != values.len()) {
        return Err(unknown(node, "with scales that do not fit its bias"));
    }
    let floats: Vec<f64> =
        values.iter().enumerate().map(|(i, v)| v * left[0] * right[if right.len() == 1 { 0 } else { i }]).collect();
    let bias = walk.b.floats("bias", &[floats.len()], &floats, node.input(scales[0]).unwrap_or_default());
    Ok(Some(bias))
}

/// Returns the node with `axis` as the axis of its scales.
fn along(node: &Node, axis: i64) -> Node {
    node.clone().with("axis", axis)
}

fn convolution(walk: &mut Walk, node: &Node) -> Result<(), OnnxError> {
    let (x, w) = (walk.float(node, (0, 1, 2))?, walk.float(&along(node, 0), (3, 4, 5))?);
    let mut inputs = vec![x, w];
    inputs.extend(bias(walk, node, 8, [1, 4])?);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let result = walk.b.op_with("Conv", &inputs, &attributes(node));
    give(walk, node, result, 7)
}

fn gemm(walk: &mut Walk, node: &Node) -> Result<(), OnnxError> {
    let turned = node.int("transB").unwrap_or(0) != 0;
    let (a, b) = (walk.float(node, (0, 1, 2))?, walk.float(&along(node, i64::from(!turned)), (3, 4, 5))?);
    let mut inputs = vec![a, b];
    inputs.extend(bias(walk, node, 6, [1, 4])?);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    if node.input(7).is_some() {
        let result = walk.b.op_with("Gemm", &inputs, &attributes(node));
        return give(walk, node, result, 8);
    }
    walk.b.op_into("Gemm", &inputs, &attributes(node), output(node)?);
    Ok(())
}

/// Inserts a product with a float result and an optional float bias.
fn product(walk: &mut Walk, node: &Node, a: &str, b: &str, bias: usize) -> Result<(), OnnxError> {
    match node.input(bias) {
        Some(bias) => {
            let product = walk.b.op("MatMul", &[a, b]);
            walk.b.op_into("Add", &[&product, bias], &[], output(node)?);
        }
        None => walk.b.op_into("MatMul", &[a, b], &[], output(node)?),
    }
    Ok(())
}

/// The node's inputs are: input, weight, bias, the scales of input and weight, a mask, the zero points of both, a
/// cache.
fn attention(walk: &mut Walk, node: &Node) -> Result<(), OnnxError> {
    let (x, weight) = (walk.float(node, (0, 3, 6))?, walk.float(node, (1, 4, 7))?);
    let mut float = Node { domain: DOMAIN.into(), ..Node::new("Attention", &[&x, &weight], &[output(node)?]) };
    float.inputs.extend(node.input(2).map(str::to_owned));
    float.attributes.clone_from(&node.attributes);
    let plain = node.input(5).is_none() && node.input(8).is_none();
    if plain && lower::lower(&mut walk.b, &float) { Ok(()) } else { Err(unknown(node, "with a mask or a cache")) }
}
