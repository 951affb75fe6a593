//! Functions of one element, and a reduction.

use crate::builder::Builder;
use crate::graph::Node;

fn attribute(node: &Node, name: &str, default: f32) -> f64 {
    f64::from(node.float(name).unwrap_or(default))
}

/// x σ(α x).
pub(super) fn swish(b: &mut Builder, node: &Node) -> Option<()> {
    gated(b, node.input(0)?, attribute(node, "alpha", 1.0), node.output(0)?)
}

/// Appends x σ(α x), in the form that the gradient rule of `Mul` differentiates as a whole.
pub(super) fn gated(b: &mut Builder, x: &str, alpha: f64, y: &str) -> Option<()> {
    let scaled = b.scale(x, alpha);
    let gate = b.op("Sigmoid", &[&scaled]);
    b.op_into("Mul", &[x, &gate], &[], y);
    Some(())
}

/// x tanh(ln(1 + eˣ)).
pub(super) fn mish(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let soft = b.op("Softplus", &[x]);
    let bounded = b.op("Tanh", &[&soft]);
    b.op_into("Mul", &[x, &bounded], &[], y);
    Some(())
}

/// γ (x for x > 0, else α (eˣ - 1)).
pub(super) fn selu(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let alpha = attribute(node, "alpha", 1.673_263_2);
    let elu = b.op_with("Elu", &[x], &[("alpha", (alpha as f32).into())]);
    let gamma = b.scalar(attribute(node, "gamma", 1.050_701), x);
    b.op_into("Mul", &[&elu, &gamma], &[], y);
    Some(())
}

/// x for x > 0, else α (e^(x/α) - 1): α times `Elu` of x/α.
pub(super) fn celu(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let alpha = attribute(node, "alpha", 1.0);
    let scale = b.scalar(alpha, x);
    let inner = b.op("Div", &[x, &scale]);
    let elu = b.op("Elu", &[&inner]);
    b.op_into("Mul", &[&elu, &scale], &[], y);
    Some(())
}

/// x for x > 0, else s x: max(x, 0) - s max(-x, 0).
pub(super) fn prelu(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, slope, y) = (node.input(0)?, node.input(1)?, node.output(0)?);
    let above = b.op("Relu", &[x]);
    let turned = b.op("Neg", &[x]);
    let below = b.op("Relu", &[&turned]);
    let below = b.op("Mul", &[&below, slope]);
    b.op_into("Sub", &[&above, &below], &[], y);
    Some(())
}

/// x for x > α, else 0.
pub(super) fn thresholded_relu(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let (alpha, zero) = (b.scalar(attribute(node, "alpha", 1.0), x), b.scalar(0.0, x));
    let above = b.op("Greater", &[x, &alpha]);
    b.op_into("Where", &[&above, x, &zero], &[], y);
    Some(())
}

/// x + β for x < -λ, x - β for x > λ, else 0.
pub(super) fn shrink(b: &mut Builder, node: &Node) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let (limit, bias) = (attribute(node, "lambd", 0.5), attribute(node, "bias", 0.0));
    let (low, high, zero, bias) = (b.scalar(-limit, x), b.scalar(limit, x), b.scalar(0.0, x), b.scalar(bias, x));
    let (below, above) = (b.op("Less", &[x, &low]), b.op("Greater", &[x, &high]));
    let (more, less) = (b.op("Add", &[x, &bias]), b.op("Sub", &[x, &bias]));
    let rest = b.op("Where", &[&above, &less, &zero]);
    b.op_into("Where", &[&below, &more, &rest], &[], y);
    Some(())
}

/// ln Σ x.
pub(super) fn reduce_log_sum(b: &mut Builder, node: &Node) -> Option<()> {
    let y = node.output(0)?;
    let inputs: Vec<&str> = node.inputs.iter().map(String::as_str).collect();
    let attributes: Vec<_> = node.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let sum = b.op_with("ReduceSum", &inputs, &attributes);
    b.op_into("Log", &[&sum], &[], y);
    Some(())
}
