//! Attention: Softmax(scale Q Kᵀ + mask) V for every head.

use super::{rank, wants};
use crate::builder::Builder;
use crate::graph::Node;
use crate::tensor::{DataType, Tensor};

/// Queries, keys and values, `[batch, heads, sequence, size]`.
struct Heads {
    queries: String,
    keys: String,
    values: String,
}

/// The scale of the products, and the masks added to them.
struct Scores<'a> {
    /// The default is 1/√size.
    scale: Option<f64>,
    /// Booleans (true keeps the position), or numbers to be added.
    mask: Option<&'a str>,
    /// Whether a position attends only to itself and those before it.
    causal: bool,
    /// A value whose element type the constants get.
    like: &'a str,
}

/// Lowers ONNX's operator: Q, K, V, mask. Caches and further outputs are not covered.
pub(super) fn standard(b: &mut Builder, node: &Node) -> Option<()> {
    let covered = (4..7).all(|i| node.input(i).is_none())
        && (1..4).all(|i| !wants(node, i))
        && node.float("softcap").unwrap_or(0.0) == 0.0;
    covered.then_some(())?;
    let (q, k, v) = (node.input(0)?, node.input(1)?, node.input(2)?);
    let (of_queries, of_keys) = (node.int("q_num_heads").unwrap_or(0), node.int("kv_num_heads").unwrap_or(0));
    // The attributes are present if and only if heads and sizes share one axis.
    let flat = of_queries > 0 && of_keys > 0 && rank(b, q).is_none_or(|rank| rank == 3);
    let mut heads = if flat {
        Heads { queries: split(b, q, of_queries), keys: split(b, k, of_keys), values: split(b, v, of_keys) }
    } else {
        Heads { queries: q.into(), keys: k.into(), values: v.into() }
    };
    let counts = if flat { Some((of_queries, of_keys)) } else { count(b, q).zip(count(b, k)) };
    if let Some((queries, keys)) = counts.filter(|(queries, keys)| queries != keys) {
        (keys > 0 && queries % keys == 0).then_some(())?;
        heads.keys = repeated(b, &heads.keys, queries, queries / keys);
        heads.values = repeated(b, &heads.values, queries, queries / keys);
    }
    let scores = Scores {
        scale: node.float("scale").map(f64::from),
        mask: node.input(3),
        causal: node.int("is_causal").unwrap_or(0) != 0,
        like: q,
    };
    mixed(b, &heads, &scores, flat, node.output(0)?)
}

/// Lowers onnxruntime's operator with separate inputs: query, key, value `[batch, sequence, width]` with their biases
/// in one vector; or key and value with heads already split; or everything in the query, `[batch, sequence, heads, 3,
/// size]`.
pub(super) fn multi_head(b: &mut Builder, node: &Node) -> Option<()> {
    // A padding mask, caches, and their outputs are not covered.
    if [4, 6, 7, 8, 9].iter().any(|i| node.input(*i).is_some()) || (1..4).any(|i| wants(node, i)) {
        return None;
    }
    let count = node.int("num_heads").filter(|count| *count > 0)?;
    let q = node.input(0)?;
    let heads = match (node.input(1), node.input(2)) {
        (None, None) => {
            if node.input(3).is_some() {
                return None;
            }
            // [batch, sequence, heads, 3, size] -> [3, batch, heads, sequence, size]
            let turned = b.transpose(q, &[3, 0, 2, 1, 4]);
            let mut part = |index: i64| gathered(b, &turned, index);
            Heads { queries: part(0), keys: part(1), values: part(2) }
        }
        (Some(k), None) => {
            if node.input(3).is_some() {
                return None;
            }
            // [batch, sequence, heads, 2, size] -> [2, batch, heads, sequence, size]
            let turned = b.transpose(k, &[3, 0, 2, 1, 4]);
            let (keys, values) = (gathered(b, &turned, 0), gathered(b, &turned, 1));
            Heads { queries: split(b, q, count), keys, values }
        }
        (Some(k), Some(v)) => {
            let [q, k, v] = biased(b, [q, k, v], node.input(3))?;
            let mut apart = |value: String| match rank(b, &value) {
                Some(4) => value,
                _ => split(b, &value, count),
            };
            Heads { queries: apart(q), keys: apart(k), values: apart(v) }
        }
        (None, Some(_)) => return None,
    };
    let scores = Scores {
        scale: node.float("scale").filter(|s| *s != 0.0).map(f64::from),
        mask: node.input(5),
        causal: node.int("unidirectional").unwrap_or(0) != 0,
        like: q,
    };
    mixed(b, &heads, &scores, true, node.output(0)?)
}

/// Lowers onnxruntime's operator that includes the projections: input, weights `[width, 3 width]`, bias, and a mask,
/// which is not covered.
pub(super) fn packed(b: &mut Builder, node: &Node) -> Option<()> {
    let rotary = node.int("do_rotary").unwrap_or(0) != 0;
    if rotary || [3, 4, 6].iter().any(|i| node.input(*i).is_some()) || wants(node, 1) {
        return None;
    }
    let (x, weights) = (node.input(0)?, node.input(1)?);
    let count = node.int("num_heads").filter(|count| *count > 0)?;
    let mut all = b.op("MatMul", &[x, weights]);
    if let Some(bias) = node.input(2) {
        all = b.op("Add", &[&all, bias]);
    }
    let axis = ("axis", (-1).into());
    let parts = match node.ints("qkv_hidden_sizes").map(<[i64]>::to_vec).filter(|sizes| sizes.len() == 3) {
        Some(sizes) => {
            let sizes = b.ints(&sizes);
            b.op_many("Split", &[&all, &sizes], &[axis], 3)
        }
        None => b.op_many("Split", &[&all], &[axis, ("num_outputs", 3.into())], 3),
    };
    let mut part = |i: usize| split(b, &parts[i], count);
    let heads = Heads { queries: part(0), keys: part(1), values: part(2) };
    let scores = Scores {
        scale: node.float("scale").filter(|s| *s != 0.0).map(f64::from),
        mask: node.input(5),
        causal: node.int("unidirectional").unwrap_or(0) != 0,
        like: x,
    };
    mixed(b, &heads, &scores, true, node.output(0)?)
}

/// Returns the number of heads of a value of four dimensions.
fn count(b: &mut Builder, value: &str) -> Option<i64> {
    match b.graph().types.get(value)?.dims.as_ref()?.get(1)? {
        crate::Dim::Known(size) => i64::try_from(*size).ok(),
        _ => None,
    }
}

/// Splits `[batch, sequence, heads * size]` into `[batch, heads, sequence, size]`.
fn split(b: &mut Builder, value: &str, heads: i64) -> String {
    let sizes = b.ints(&[0, 0, heads, -1]);
    let apart = b.op("Reshape", &[value, &sizes]);
    b.transpose(&apart, &[0, 2, 1, 3])
}

fn gathered(b: &mut Builder, value: &str, index: i64) -> String {
    let index = b.constant("index", Tensor::i64(&[], &[index]));
    b.op_with("Gather", &[value, &index], &[("axis", 0.into())])
}

/// Repeats every head of keys or values `times` times in a row, which gives `heads` heads.
fn repeated(b: &mut Builder, value: &str, heads: i64, times: i64) -> String {
    let axis = b.ints(&[2]);
    let open = b.op("Unsqueeze", &[value, &axis]);
    let to = b.ints(&[1, 1, times, 1, 1]);
    let many = b.op("Expand", &[&open, &to]);
    let shape = b.op("Shape", &[value]);
    let part = |b: &mut Builder, from: i64, to: i64| {
        let (from, to) = (b.ints(&[from]), b.ints(&[to]));
        b.op("Slice", &[&shape, &from, &to])
    };
    let (batch, rest) = (part(b, 0, 1), part(b, 2, 4));
    let heads = b.ints(&[heads]);
    let sizes = b.op_with("Concat", &[&batch, &heads, &rest], &[("axis", 0.into())]);
    b.op("Reshape", &[&many, &sizes])
}

/// Adds to queries, keys and values their parts of the bias, a constant of three equal parts.
fn biased(b: &mut Builder, values: [&str; 3], bias: Option<&str>) -> Option<[String; 3]> {
    let Some(bias) = bias else { return Some(values.map(str::to_owned)) };
    let length = b.graph().constants.get(bias)?.len();
    if !length.is_multiple_of(3) || values[1..].iter().any(|value| rank(b, value) == Some(4)) {
        return None;
    }
    let parts = b.op_many("Split", &[bias], &[("axis", 0.into()), ("num_outputs", 3.into())], 3);
    let mut sums = values.iter().zip(&parts).map(|(value, part)| b.op("Add", &[value, part]));
    Some([sums.next()?, sums.next()?, sums.next()?])
}

/// Appends the attention itself. With `flat`, heads and sizes become one axis again.
fn mixed(b: &mut Builder, heads: &Heads, scores: &Scores, flat: bool, y: &str) -> Option<()> {
    let Scores { scale, mask, causal, like } = *scores;
    // The queries are scaled, not the scores, because they are smaller.
    let queries = match scale {
        Some(scale) => {
            let scale = b.scalar(scale, like);
            b.op("Mul", &[&heads.queries, &scale])
        }
        None => {
            let root = root_of_size(b, &heads.queries, like);
            b.op("Div", &[&heads.queries, &root])
        }
    };
    let turned = b.transpose(&heads.keys, &[0, 1, 3, 2]);
    let mut products = b.op("MatMul", &[&queries, &turned]);
    if let Some(mask) = mask {
        let bias = match b.graph().data_type(mask) {
            Some(DataType::Bool) => hidden(b, mask, like),
            Some(_) => mask.to_owned(),
            None => return None,
        };
        products = b.op("Add", &[&products, &bias]);
    }
    if causal {
        let (rows, columns) = (positions(b, &heads.queries, 1), positions(b, &heads.keys, 0));
        let seen = b.op("LessOrEqual", &[&columns, &rows]);
        let bias = hidden(b, &seen, like);
        products = b.op("Add", &[&products, &bias]);
    }
    let soft = b.op_with("Softmax", &[&products], &[("axis", (-1).into())]);
    if !flat {
        b.op_into("MatMul", &[&soft, &heads.values], &[], y);
        return Some(());
    }
    let mixed = b.op("MatMul", &[&soft, &heads.values]);
    let mixed = b.transpose(&mixed, &[0, 2, 1, 3]);
    let sizes = b.ints(&[0, 0, -1]);
    b.op_into("Reshape", &[&mixed, &sizes], &[], y);
    Some(())
}

/// Appends √size of the last axis, which folds to a constant once sizes are fixed.
fn root_of_size(b: &mut Builder, value: &str, like: &str) -> String {
    let size = size_of(b, value, -1);
    let data_type = b.graph().data_type(like).unwrap_or(DataType::F32);
    let size = b.op_with("Cast", &[&size], &[("to", (data_type as i64).into())]);
    b.op("Sqrt", &[&size])
}

/// Appends the size of an axis, a scalar.
fn size_of(b: &mut Builder, value: &str, axis: i64) -> String {
    let shape = b.op("Shape", &[value]);
    gathered(b, &shape, axis)
}

/// Appends 0, 1, 2, ... along the sequence, with a further axis at `open`.
fn positions(b: &mut Builder, value: &str, open: i64) -> String {
    let size = size_of(b, value, 2);
    let (zero, one) = (b.constant("zero", Tensor::i64(&[], &[0])), b.constant("one", Tensor::i64(&[], &[1])));
    let range = b.op("Range", &[&zero, &size, &one]);
    let open = b.ints(&[open]);
    b.op("Unsqueeze", &[&range, &open])
}

/// Appends 0 where the mask holds, and the lowest number elsewhere.
fn hidden(b: &mut Builder, mask: &str, like: &str) -> String {
    let half = b.graph().data_type(like) == Some(DataType::F16);
    let (zero, least) = (b.scalar(0.0, like), b.scalar(if half { -65504.0 } else { f64::from(f32::MIN) }, like));
    b.op("Where", &[mask, &zero, &least])
}
