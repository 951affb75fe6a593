//! Rotary position embeddings: pairs of elements rotated by an angle that depends on the position.
//!
//! (a, b) becomes (a cos - b sin, a sin + b cos). A pair is an element of the first half and its counterpart in the
//! second, or two neighbours ("interleaved").

use super::rank;
use crate::builder::Builder;
use crate::graph::Node;

/// ONNX's operator: X, cos, sin, optional position ids.
pub(super) fn standard(b: &mut Builder, node: &Node) -> Option<()> {
    let ids = node.input(3);
    turn(b, node, node.input(1)?, node.input(2)?, ids)
}

/// onnxruntime's operator: X, position ids `[batch, sequence]`, cos, sin. A single id is an offset, which is not
/// covered.
pub(super) fn microsoft(b: &mut Builder, node: &Node) -> Option<()> {
    let ids = node.input(1)?;
    if rank(b, ids)? != 2
        || node.int("is_packed_batching").unwrap_or(0) != 0
        || node.float("scale").unwrap_or(1.0) != 1.0
    {
        return None;
    }
    turn(b, node, node.input(2)?, node.input(3)?, Some(ids))
}

fn turn(b: &mut Builder, node: &Node, cos: &str, sin: &str, ids: Option<&str>) -> Option<()> {
    let (x, y) = (node.input(0)?, node.output(0)?);
    let heads = node.int("num_heads").unwrap_or(0);
    let flat = match rank(b, x) {
        Some(rank @ (3 | 4)) => rank == 3,
        // Only the flat form needs the number of heads.
        _ => heads > 0,
    };
    // The heads come after the sequence in the flat form, before it in the other.
    let (x, axis) = if flat {
        (heads > 0).then_some(())?;
        let sizes = b.ints(&[0, 0, heads, -1]);
        (b.op("Reshape", &[x, &sizes]), 2)
    } else {
        (x.to_owned(), 1)
    };
    let rotated = node.int("rotary_embedding_dim").unwrap_or(0);
    let (turned, rest) = if rotated > 0 {
        let (zero, to, end, last) = (b.ints(&[0]), b.ints(&[rotated]), b.ints(&[i64::MAX]), b.ints(&[-1]));
        (b.op("Slice", &[&x, &zero, &to, &last]), Some(b.op("Slice", &[&x, &to, &end, &last])))
    } else {
        (x, None)
    };
    let axis = b.ints(&[axis]);
    let angle = |b: &mut Builder, table: &str| {
        let rows = match ids {
            Some(ids) => b.op_with("Gather", &[table, ids], &[("axis", 0.into())]),
            None => table.to_owned(),
        };
        b.op("Unsqueeze", &[&rows, &axis])
    };
    let (cos, sin) = (angle(b, cos), angle(b, sin));
    let interleaved = node.int("interleaved").unwrap_or(0) != 0;
    let (left, right) = if interleaved {
        let pairs = b.ints(&[0, 0, 0, -1, 2]);
        let pairs = b.op("Reshape", &[&turned, &pairs]);
        let part = |b: &mut Builder, index: i64| {
            let index = b.constant("index", crate::Tensor::i64(&[], &[index]));
            b.op_with("Gather", &[&pairs, &index], &[("axis", (-1).into())])
        };
        (part(b, 0), part(b, 1))
    } else {
        let halves = b.op_many("Split", &[&turned], &[("axis", (-1).into()), ("num_outputs", 2.into())], 2);
        (halves[0].clone(), halves[1].clone())
    };
    let product = |b: &mut Builder, operator: &str, first: &str, second: &str| {
        let one = b.op("Mul", &[&left, first]);
        let other = b.op("Mul", &[&right, second]);
        b.op(operator, &[&one, &other])
    };
    let (real, imaginary) = (product(b, "Sub", &cos, &sin), product(b, "Add", &sin, &cos));
    let joined = if interleaved {
        let last = b.ints(&[-1]);
        let (real, imaginary) = (b.op("Unsqueeze", &[&real, &last]), b.op("Unsqueeze", &[&imaginary, &last]));
        let pairs = b.op_with("Concat", &[&real, &imaginary], &[("axis", (-1).into())]);
        let sizes = b.ints(&[0, 0, 0, -1]);
        b.op("Reshape", &[&pairs, &sizes])
    } else {
        b.op_with("Concat", &[&real, &imaginary], &[("axis", (-1).into())])
    };
    let whole = match rest {
        Some(rest) => b.op_with("Concat", &[&joined, &rest], &[("axis", (-1).into())]),
        None => joined,
    };
    if flat {
        let sizes = b.ints(&[0, 0, -1]);
        b.op_into("Reshape", &[&whole, &sizes], &[], y);
    } else {
        b.op_into("Identity", &[&whole], &[], y);
    }
    Some(())
}
