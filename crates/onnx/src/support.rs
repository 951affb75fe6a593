//! The table of supported operators, and how each is handled.

use super::read::{NEWEST, OLDEST};
use super::{dequantise, gradient, lower};

/// How an operator is handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    /// The name, with its domain where that is not ONNX's own.
    pub operator: String,
    /// The first and the last operator set in which it is read; `None` for onnxruntime's own operators.
    pub sets: Option<(i64, i64)>,
    /// How it is handled, in the words of the documentation.
    pub differentiable: &'static str,
    /// The source file of its test.
    pub test: String,
}

/// Operators that have no gradient and need none: exporters use them to compute sizes, masks and indices from constants
/// and from the sizes of values. They are computed when a model is folded.
const CONSTANT_ONLY: &[&str] = &[
    "And",
    "ArgMax",
    "ArgMin",
    "ConstantOfShape",
    "Equal",
    "EyeLike",
    "Greater",
    "GreaterOrEqual",
    "If",
    "IsInf",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "Mod",
    "NonZero",
    "Not",
    "OneHot",
    "Or",
    "Range",
    "ReduceProd",
    "Shape",
    "Size",
    "Xor",
];

/// Operators that are rewritten or removed on reading (`normal/upgrade.rs`, `normal/alias.rs`).
const REWRITTEN: &[(&str, &str)] = &[
    ("Constant", "becomes a constant"),
    ("Dropout", "goes away"),
    ("GroupNormalization", "lowered to others"),
    ("Scatter", "read as ScatterElements"),
    ("Upsample", "read as Resize"),
];

/// The operator set that introduced an operator, where that is newer than the oldest one read.
const SINCE: &[(&str, i64)] = &[
    ("Acosh", 9),
    ("Asinh", 9),
    ("Atanh", 9),
    ("Attention", 23),
    ("CastLike", 15),
    ("Celu", 12),
    ("ConcatFromSequence", 11),
    ("ConstantOfShape", 9),
    ("ConvInteger", 10),
    ("Cosh", 9),
    ("CumSum", 11),
    ("DequantizeLinear", 10),
    ("DynamicQuantizeLinear", 11),
    ("Einsum", 12),
    ("Erf", 9),
    ("Expand", 8),
    ("EyeLike", 9),
    ("GatherElements", 11),
    ("GatherND", 11),
    ("Gelu", 20),
    ("GreaterOrEqual", 12),
    ("GroupNormalization", 18),
    ("HardSwish", 14),
    ("IsInf", 10),
    ("IsNaN", 9),
    ("LayerNormalization", 17),
    ("LessOrEqual", 12),
    ("MatMulInteger", 10),
    ("MeanVarianceNormalization", 9),
    ("Mish", 18),
    ("Mod", 10),
    ("NonZero", 9),
    ("OneHot", 9),
    ("QLinearConv", 10),
    ("QLinearMatMul", 10),
    ("QuantizeLinear", 10),
    ("RMSNormalization", 23),
    ("Range", 11),
    ("Resize", 10),
    ("RotaryEmbedding", 23),
    ("Round", 11),
    ("Scatter", 9),
    ("ScatterElements", 11),
    ("ScatterND", 11),
    ("SequenceAt", 11),
    ("Shrink", 9),
    ("Sign", 9),
    ("Sinh", 9),
    ("Swish", 24),
    ("ThresholdedRelu", 10),
    ("Trilu", 14),
    ("Where", 9),
];

fn standard(name: &str, differentiable: &'static str, test: &str) -> Support {
    let since = SINCE.iter().find(|(operator, _)| *operator == name).map_or(OLDEST, |(_, set)| *set);
    let last = match name {
        "Upsample" => 9,
        "Scatter" => 10,
        _ => NEWEST,
    };
    Support {
        operator: name.into(),
        sets: Some((since, last)),
        differentiable,
        test: format!("crates/onnx/src/{test}.rs"),
    }
}

fn microsoft(name: &str, differentiable: &'static str, test: &str) -> Support {
    let operator = format!("{}.{name}", lower::DOMAIN);
    Support { operator, sets: None, differentiable, test: format!("crates/onnx/src/{test}.rs") }
}

/// Returns all supported operators in alphabetical order, onnxruntime's last. docs/operators.md shows this table.
pub fn supported_operators() -> Vec<Support> {
    let [own, foreign] = lower::lowered_operators();
    let [quantised, packed] = dequantise::OPERATORS;
    let rules = gradient::rules().map(|(name, file)| standard(name, "yes", &format!("gradient/{file}")));
    let constants = CONSTANT_ONLY.iter().map(|name| standard(name, "constant only", "fold_tests"));
    let rewritten = REWRITTEN.iter().map(|(name, what)| standard(name, what, "read_tests"));
    let lowered = own.into_iter().map(|name| standard(name, "lowered to others", "lower/tests"));
    let fused = foreign.into_iter().map(|name| microsoft(name, "lowered to others", "lower/tests"));
    let floats = quantised.iter().map(|name| standard(name, "made a float operator", "dequantise/tests"));
    let packed = packed.iter().map(|name| microsoft(name, "made a float operator", "dequantise/tests"));
    let mut all: Vec<Support> =
        rules.chain(constants).chain(rewritten).chain(lowered).chain(fused).chain(floats).chain(packed).collect();
    all.sort_by(|a, b| (a.sets.is_none(), &a.operator).cmp(&(b.sets.is_none(), &b.operator)));
    all
}
