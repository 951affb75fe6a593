//! Operators that others express: rewritten on reading, so that neither gradient rules nor older runtimes need to know
//! them.
//!
//! A form that is not covered stays as it is. Runtimes may know it; the gradient's error names it.

mod attention;
mod elementwise;
mod microsoft;
mod normalization;
mod rotary;

use super::builder::Builder;
use super::graph::Node;

/// Appends what `node` means in other operators; its outputs keep their names. `None` where `build` gave up, with nothing
/// appended that counts: values that nobody uses are pruned.
type Lowering = fn(&mut Builder, &Node) -> Option<()>;

/// ONNX's own operators: name, the operator set it came with, what it is lowered to.
const STANDARD: &[(&str, i64, Lowering)] = &[
    ("Attention", 23, attention::standard),
    ("Celu", 12, elementwise::celu),
    ("LpNormalization", 1, normalization::lp),
    ("MeanVarianceNormalization", 9, normalization::mean_variance),
    ("Mish", 18, elementwise::mish),
    ("PRelu", 7, elementwise::prelu),
    ("ReduceLogSum", 1, elementwise::reduce_log_sum),
    ("RMSNormalization", 23, normalization::root_mean_square),
    ("RotaryEmbedding", 23, rotary::standard),
    ("Selu", 6, elementwise::selu),
    ("Shrink", 9, elementwise::shrink),
    ("SimplifiedLayerNormalization", 1, normalization::root_mean_square),
    ("Swish", 24, elementwise::swish),
    ("ThresholdedRelu", 10, elementwise::thresholded_relu),
];

/// onnxruntime's fused operators, as optimised exports contain them.
const MICROSOFT: &[(&str, Lowering)] = &[
    ("Attention", attention::packed),
    ("BiasAdd", microsoft::bias_add),
    ("BiasGelu", microsoft::bias_gelu),
    ("BiasSplitGelu", microsoft::bias_split_gelu),
    ("FastGelu", microsoft::fast_gelu),
    ("FusedConv", microsoft::fused_conv),
    ("FusedGemm", microsoft::fused_gemm),
    ("FusedMatMul", microsoft::fused_matmul),
    ("Gelu", microsoft::gelu),
    ("MultiHeadAttention", attention::multi_head),
    ("QuickGelu", microsoft::quick_gelu),
    ("RotaryEmbedding", rotary::microsoft),
    ("SimplifiedLayerNormalization", normalization::root_mean_square),
    ("SkipLayerNormalization", normalization::skip),
    ("SkipSimplifiedLayerNormalization", normalization::skip_root_mean_square),
    ("TransposeMatMul", microsoft::fused_matmul),
];

/// The domain of onnxruntime's own operators.
pub(super) const DOMAIN: &str = "com.microsoft";

/// Appends `node` in other operators, if there is a way. Whether there was.
pub(super) fn lower(b: &mut Builder, node: &Node) -> bool {
    let build = match node.domain.as_str() {
        "" => STANDARD.iter().find(|(name, ..)| *name == node.operator).map(|(_, _, build)| *build),
        DOMAIN => MICROSOFT.iter().find(|(name, _)| *name == node.operator).map(|(_, build)| *build),
        _ => None,
    };
    let Some(build) = build else { return false };
    let before = b.graph().nodes.len();
    let done = build(b, node).is_some();
    if !done {
        b.graph().nodes.truncate(before);
    }
    done
}

/// What is lowered, in alphabetical order: name with its domain, and the first operator set of ONNX that has it.
pub(super) fn lowered_operators() -> Vec<(String, Option<i64>)> {
    let standard = STANDARD.iter().map(|(name, since, _)| (name.to_string(), Some(*since)));
    let microsoft = MICROSOFT.iter().map(|(name, _)| (format!("{DOMAIN}.{name}"), None));
    let mut names: Vec<_> = standard.chain(microsoft).collect();
    names.sort();
    names
}

/// The number of a value's dimensions, where it is known.
fn rank(b: &mut Builder, value: &str) -> Option<usize> {
    let graph = b.graph();
    match graph.constants.get(value) {
        Some(tensor) => Some(tensor.dims.len()),
        None => graph.types.get(value)?.dims.as_ref().map(Vec::len),
    }
}

/// An output that a node gives only where it is asked for.
fn wants(node: &Node, position: usize) -> bool {
    node.output(position).is_some()
}

#[cfg(test)]
mod tests;
