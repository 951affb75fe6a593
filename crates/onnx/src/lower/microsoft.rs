//! onnxruntime's fusions of an operator with its predecessor or successor.

use super::elementwise::gated;
use super::rank;
use crate::builder::Builder;
use crate::graph::{Attribute, Node};

/// x Φ(x).
pub(super) fn gelu(b: &mut Builder, node: &Node) -> Option<()> {
    b.op_into("Gelu", &[node.input(0)?], &[], node.output(0)?);
    Some(())
}

/// x Φ(x) of a sum.
pub(super) fn bias_gelu(b: &mut Builder, node: &Node) -> Option<()> {
    let sum = b.op("Add", &[node.input(0)?, node.input(1)?]);
    b.op_into("Gelu", &[&sum], &[], node.output(0)?);
    Some(())
}

/// The tanh approximation of x Φ(x), of a sum if there is a bias.
pub(super) fn fast_gelu(b: &mut Builder, node: &Node) -> Option<()> {
    let x = node.input(0)?.to_owned();
    let x = match node.input(1) {
        Some(bias) => b.op("Add", &[&x, bias]),
        None => x,
    };
    b.op_into("Gelu", &[&x], &[("approximate", "tanh".into())], node.output(0)?);
    Some(())
}

/// x σ(α x).
pub(super) fn quick_gelu(b: &mut Builder, node: &Node) -> Option<()> {
    gated(b, node.input(0)?, f64::from(node.float("alpha").unwrap_or(1.702)), node.output(0)?)
}

/// α A' B', where A' and B' are A and B, with the last two axes swapped or the first axis moved to after the batch if a
/// flag says so.
pub(super) fn fused_matmul(b: &mut Builder, node: &Node) -> Option<()> {
    let operand = |b: &mut Builder, position: usize, flags: [&str; 2]| {
        let x = node.input(position)?;
        let [turned, batch] = flags.map(|flag| node.int(flag).unwrap_or(0) != 0);
        if !turned && !batch {
            return Some(x.to_owned());
        }
        let rank = rank(b, x).filter(|rank| *rank >= 2)?;
        let mut order: Vec<usize> = (0..rank).collect();
        if batch {
            // The rows come first, before the batch.
            order[..rank - 1].rotate_left(1);
        }
        if turned {
            order.swap(rank - 1, rank - 2);
        }
        Some(b.transpose(x, &order))
    };
    let (left, right) = (operand(b, 0, ["transA", "transBatchA"])?, operand(b, 1, ["transB", "transBatchB"])?);
    let alpha = f64::from(node.float("alpha").unwrap_or(1.0));
    if alpha == 1.0 {
        b.op_into("MatMul", &[&left, &right], &[], node.output(0)?);
        return Some(());
    }
    let product = b.op("MatMul", &[&left, &right]);
    let factor = b.scalar(alpha, node.input(0)?);
    b.op_into("Mul", &[&product, &factor], &[], node.output(0)?);
    Some(())
}

/// `Gemm` and an activation.
pub(super) fn fused_gemm(b: &mut Builder, node: &Node) -> Option<()> {
    let inputs: Vec<&str> = node.inputs.iter().map(String::as_str).collect();
    let product = b.op_with("Gemm", &inputs, &without_activation(node));
    activation(b, node, &product)
}

/// `Conv`, plus the optional fourth input, and an activation.
pub(super) fn fused_conv(b: &mut Builder, node: &Node) -> Option<()> {
    let inputs: Vec<&str> = node.inputs.iter().take(3).map(String::as_str).collect();
    let mut result = b.op_with("Conv", &inputs, &without_activation(node));
    if let Some(skip) = node.input(3) {
        result = b.op("Add", &[&result, skip]);
    }
    activation(b, node, &result)
}

fn without_activation(node: &Node) -> Vec<(&str, Attribute)> {
    let own = node.attributes.iter().filter(|(name, _)| !name.starts_with("activation"));
    own.map(|(name, value)| (name.as_str(), value.clone())).collect()
}

/// Appends the activation that a fused operator ends with, if any. Its parameters are in one list, for `Gemm` under
/// names.
fn activation(b: &mut Builder, node: &Node, x: &str) -> Option<()> {
    let y = node.output(0)?;
    let listed = match node.attributes.get("activation_params") {
        Some(Attribute::Floats(values)) => values.clone(),
        _ => Vec::new(),
    };
    let parameter = |position: usize, name: &str| {
        listed.get(position).copied().or_else(|| node.float(&format!("activation_{name}")))
    };
    let named = |names: &[&'static str]| -> Vec<(&str, Attribute)> {
        let given = names.iter().enumerate().filter_map(|(i, name)| Some((*name, parameter(i, name)?.into())));
        given.collect()
    };
    match node.text("activation").unwrap_or_default() {
        "" => b.op_into("Identity", &[x], &[], y),
        operator @ ("Relu" | "Sigmoid" | "Tanh" | "Softplus" | "Softsign" | "HardSwish") => {
            b.op_into(operator, &[x], &[], y);
        }
        operator @ ("LeakyRelu" | "Elu") => b.op_into(operator, &[x], &named(&["alpha"]), y),
        "HardSigmoid" => b.op_into("HardSigmoid", &[x], &named(&["alpha", "beta"]), y),
        "Clip" => {
            let (low, high) = (parameter(0, "min")?, parameter(1, "max")?);
            let like = node.input(0)?;
            let (low, high) = (b.scalar(f64::from(low), like), b.scalar(f64::from(high), like));
            b.op_into("Clip", &[x, &low, &high], &[], y);
        }
        _ => return None,
    }
    Some(())
}
