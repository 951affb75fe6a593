//! Lowers operators that others can express. They are rewritten on reading, so neither gradient rules nor older
//! runtimes need to know them.
//!
//! A form that is not covered stays unchanged. Runtimes may support it, and the gradient's error names it.

mod attention;
mod elementwise;
mod microsoft;
mod normalization;
mod rotary;
mod sequence;

use super::builder::Builder;
use super::graph::Node;

/// Appends other operators that compute the same as `node`; its outputs keep their names. Returns `None` if it gives
/// up. Values appended until then do not count, because unused values are pruned.
type Lowering = fn(&mut Builder, &Node) -> Option<()>;

/// ONNX's own operators.
const STANDARD: &[(&str, Lowering)] = &[
    ("Attention", attention::standard),
    ("Celu", elementwise::celu),
    ("ConcatFromSequence", sequence::concat),
    ("LpNormalization", normalization::lp),
    ("MeanVarianceNormalization", normalization::mean_variance),
    ("Mish", elementwise::mish),
    ("PRelu", elementwise::prelu),
    ("ReduceLogSum", elementwise::reduce_log_sum),
    ("RMSNormalization", normalization::root_mean_square),
    ("RotaryEmbedding", rotary::standard),
    ("Selu", elementwise::selu),
    ("SequenceAt", sequence::at),
    ("Shrink", elementwise::shrink),
    ("SimplifiedLayerNormalization", normalization::root_mean_square),
    ("Swish", elementwise::swish),
    ("ThresholdedRelu", elementwise::thresholded_relu),
];

/// onnxruntime's fused operators, as optimised exports contain them.
const MICROSOFT: &[(&str, Lowering)] = &[
    ("Attention", attention::packed),
    ("BiasGelu", microsoft::bias_gelu),
    ("FastGelu", microsoft::fast_gelu),
    ("FusedConv", microsoft::fused_conv),
    ("FusedGemm", microsoft::fused_gemm),
    ("FusedMatMul", microsoft::fused_matmul),
    ("Gelu", microsoft::gelu),
    ("MultiHeadAttention", attention::multi_head),
    ("QuickGelu", microsoft::quick_gelu),
    ("RotaryEmbedding", rotary::microsoft),
    ("SkipLayerNormalization", normalization::skip),
    ("SkipSimplifiedLayerNormalization", normalization::skip_root_mean_square),
    ("TransposeMatMul", microsoft::fused_matmul),
];

/// The domain of onnxruntime's own operators.
pub(super) const DOMAIN: &str = "com.microsoft";

/// Appends `node` expressed in other operators, if possible. Returns whether it was.
pub(super) fn lower(b: &mut Builder, node: &Node) -> bool {
    let build = match node.domain.as_str() {
        "" => STANDARD.iter().find(|(name, _)| *name == node.operator).map(|(_, build)| *build),
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

/// Returns the names of the lowered operators: ONNX's own, and onnxruntime's.
pub(super) fn lowered_operators() -> [Vec<&'static str>; 2] {
    [STANDARD, MICROSOFT].map(|table| table.iter().map(|(name, _)| *name).collect())
}

/// Returns the number of a value's dimensions, if known.
fn rank(b: &mut Builder, value: &str) -> Option<usize> {
    let graph = b.graph();
    match graph.constants.get(value) {
        Some(tensor) => Some(tensor.dims.len()),
        None => graph.types.get(value)?.dims.as_ref().map(Vec::len),
    }
}

/// Whether the node has the optional output at this position.
fn wants(node: &Node, position: usize) -> bool {
    node.output(position).is_some()
}

#[cfg(test)]
mod tests;
