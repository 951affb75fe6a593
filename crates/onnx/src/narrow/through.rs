//! Finds the part of its inputs that a node needs for a part of its output.

use super::cut::{AxisCut, Cut};
use crate::graph::{Graph, Node};
use crate::shapes;

/// Operators that treat every element alike, apart from broadcasting their operands.
const ELEMENTWISE: &[&str] = &[
    "Abs",
    "Add",
    "Cast",
    "Clip",
    "Div",
    "Elu",
    "Erf",
    "Exp",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Log",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Pow",
    "Reciprocal",
    "Relu",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Sub",
    "Sum",
    "Tanh",
];

/// Whether the node only changes the shape of its input.
pub(super) fn is_reshape(node: &Node) -> bool {
    ["Flatten", "Reshape", "Squeeze", "Unsqueeze"].iter().any(|operator| node.is(operator))
}

/// Returns for each input the part that the node needs for `cut` of its output, or `None` for all of it. Returns `None`
/// as a whole where the node cannot be narrowed to the cut.
pub(super) fn inputs(graph: &Graph, node: &Node, cut: Cut) -> Option<Vec<Option<Cut>>> {
    if !node.domain.is_empty() {
        return None;
    }
    let output = graph.shape(node.output(0)?)?;
    let along = cut.along_axis(&output)?;
    let mut parts = vec![None; node.inputs.len()];
    match node.operator.as_str() {
        operator if ELEMENTWISE.contains(&operator) => {
            for (input, part) in node.inputs.iter().zip(&mut parts) {
                if !input.is_empty() {
                    *part = stretched(&graph.shape(input)?, &output, along, cut)?;
                }
            }
        }
        "LayerNormalization" => {
            let axis = shapes::axis(node.int("axis").unwrap_or(-1), output.len())?;
            // Scale and bias lie along the normalised axes, which stay whole.
            (along.axis < axis).then_some(())?;
            parts[0] = Some(cut);
        }
        "Softmax" | "LogSoftmax" => {
            let axis = shapes::axis(node.int("axis").unwrap_or(-1), output.len())?;
            (along.axis != axis).then_some(())?;
            parts[0] = Some(cut);
        }
        "Transpose" => {
            let shape = graph.shape(node.input(0)?)?;
            let order = shapes::permutation(node, shape.len())?;
            parts[0] = Some(cut.at_axis(AxisCut { axis: order[along.axis], ..along }, &shape));
        }
        "MatMul" => {
            let (a, b) = (graph.shape(node.input(0)?)?, graph.shape(node.input(1)?)?);
            (a.len() >= 2 && b.len() >= 2).then_some(())?;
            // Rows come from the left operand, columns from the right one; the axes before them are shared.
            match output.len() - along.axis {
                1 => parts[1] = Some(cut.at_axis(AxisCut { axis: b.len() - 1, ..along }, &b)),
                2 => parts[0] = Some(cut.at_axis(AxisCut { axis: a.len() - 2, ..along }, &a)),
                _ => {
                    parts[0] = stretched(&a, &output, along, cut)?;
                    parts[1] = stretched(&b, &output, along, cut)?;
                }
            }
        }
        "Gemm" => {
            let turned = |name: &str| node.int(name).unwrap_or(0) != 0;
            let operand = along.axis;
            let axis = if operand == 0 { usize::from(turned("transA")) } else { usize::from(!turned("transB")) };
            let shape = graph.shape(node.input(operand)?)?;
            parts[operand] = Some(cut.at_axis(AxisCut { axis, ..along }, &shape));
            if let Some(bias) = node.input(2) {
                parts[2] = stretched(&graph.shape(bias)?, &output, along, cut)?;
            }
        }
        _ if is_reshape(node) => {
            cut.along_axis(&graph.shape(node.input(0)?)?)?;
            parts[0] = Some(cut);
        }
        _ => return None,
    }
    Some(parts)
}

/// Returns the part of an operand that broadcasts to the output, or `Some(None)` where it has size 1 along the cut
/// axis.
fn stretched(shape: &[usize], output: &[usize], along: AxisCut, cut: Cut) -> Option<Option<Cut>> {
    let missing = output.len() - shape.len();
    if along.axis < missing || shape[along.axis - missing] == 1 {
        return Some(None);
    }
    let axis = along.axis - missing;
    (shape[axis] == output[along.axis]).then(|| Some(cut.at_axis(AxisCut { axis, ..along }, shape)))
}
