//! Normalisations.

use super::{rank, wants};
use crate::builder::Builder;
use crate::graph::Node;

/// γ x / √(mean x² + ε) over the axes from `axis` on.
pub(super) fn root_mean_square(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, scale, y) = (node.input(0)?, node.input(1)?, node.output(0)?);
    if wants(node, 1) {
        return None;
    }
    let first = node.int("axis").unwrap_or(-1);
    let first = if first < 0 { first } else { first - i64::try_from(rank(b, x)?).ok()? };
    (-64..0).contains(&first).then_some(())?;
    let axes: Vec<i64> = (first..0).collect();
    scaled_by_root(b, x, &axes, f64::from(node.float("epsilon").unwrap_or(1e-5)), scale, y)
}

fn scaled_by_root(b: &mut Builder, x: &str, axes: &[i64], epsilon: f64, scale: &str, y: &str) -> Option<()> {
    let square = b.op("Mul", &[x, x]);
    let axes = b.ints(axes);
    let mean = b.op("ReduceMean", &[&square, &axes]);
    let epsilon = b.scalar(epsilon, x);
    let sum = b.op("Add", &[&mean, &epsilon]);
    let root = b.op("Sqrt", &[&sum]);
    let unit = b.op("Div", &[x, &root]);
    b.op_into("Mul", &[&unit, scale], &[], y);
    Some(())
}

/// Appends the sum of input, skip, and the bias at position `bias`. It is also the node's fourth output, if present.
fn summed(b: &mut Builder, node: &Node, bias: usize) -> Option<String> {
    if wants(node, 1) || wants(node, 2) {
        return None;
    }
    let sum = b.op("Add", &[node.input(0)?, node.input(1)?]);
    let sum = match node.input(bias) {
        Some(bias) => b.op("Add", &[&sum, bias]),
        None => sum,
    };
    if let Some(output) = node.output(3) {
        b.op_into("Identity", &[&sum], &[], output);
    }
    Some(sum)
}

/// The layer normalisation of a sum.
pub(super) fn skip(b: &mut Builder, node: &Node) -> Option<()> {
    let sum = summed(b, node, 4)?;
    let mut inputs = vec![sum.as_str(), node.input(2)?];
    inputs.extend(node.input(3));
    let epsilon = node.float("epsilon").unwrap_or(1e-12);
    b.op_into("LayerNormalization", &inputs, &[("axis", (-1).into()), ("epsilon", epsilon.into())], node.output(0)?);
    Some(())
}

/// The root mean square normalisation of a sum: no mean, no shift.
pub(super) fn skip_root_mean_square(b: &mut Builder, node: &Node) -> Option<()> {
    let sum = summed(b, node, 3)?;
    let epsilon = f64::from(node.float("epsilon").unwrap_or(1e-12));
    scaled_by_root(b, &sum, &[-1], epsilon, node.input(2)?, node.output(0)?)
}

/// x / |x| along an axis, where |x| is the sum of absolute values or the root of the sum of squares.
pub(super) fn lp(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let operator = if node.int("p").unwrap_or(2) == 1 { "ReduceL1" } else { "ReduceL2" };
    let axes = b.ints(&[node.int("axis").unwrap_or(-1)]);
    let length = b.op(operator, &[x, &axes]);
    b.op_into("Div", &[x, &length], &[], y);
    Some(())
}

/// (x - mean) / √(variance + 1e-9) over some axes.
pub(super) fn mean_variance(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let axes = b.ints(node.ints("axes").unwrap_or(&[0, 2, 3]));
    let mean = b.op("ReduceMean", &[x, &axes]);
    let centred = b.op("Sub", &[x, &mean]);
    let square = b.op("Mul", &[&centred, &centred]);
    let variance = b.op("ReduceMean", &[&square, &axes]);
    let least = b.scalar(1e-9, x);
    let variance = b.op("Add", &[&variance, &least]);
    let deviation = b.op("Sqrt", &[&variance]);
    b.op_into("Div", &[&centred, &deviation], &[], y);
    Some(())
}
