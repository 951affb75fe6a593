//! Adding rows to where they came from.

use super::rule::Rule;
use crate::onnx::error::OnnxError;

/// Zeros of the given sizes, to which slices of `value` are added along `axis`: the slices lie along `value`'s axes from
/// `axis` on, as many axes as the `indices` have, and `indices` says where each belongs (negative ones count from the end).
pub(super) fn add(r: &mut Rule, value: &str, axis: usize, indices: &str, to: &[usize]) -> Result<String, OnnxError> {
    let index_shape = r.shape(indices)?;
    let shape = r.shape(value)?;
    let middle = index_shape.len();
    let count: usize = index_shape.iter().product();
    let rank = shape.len();
    // Index axes to the front, since ScatterND counts from there.
    let order: Vec<usize> = (axis..axis + middle).chain(0..axis).chain(axis + middle..rank).collect();
    let front = r.b.transpose(value, &order);
    let rest: Vec<usize> = to[..axis].iter().chain(&to[axis + 1..]).copied().collect();
    let front = r.b.reshape(&front, &[&[count], rest.as_slice()].concat());
    let indices = r.b.reshape(indices, &[count, 1]);
    let turned = [&[to[axis]], rest.as_slice()].concat();
    let zero = r.b.filled(0.0, &vec![1; turned.len()], value);
    let sizes = r.b.sizes(&turned);
    let zeros = r.op("Expand", &[&zero, &sizes]);
    let sum = r.op_with("ScatterND", &[&zeros, &indices, &front], &[("reduction", "add".into())]);
    let back: Vec<usize> = (1..=axis).chain([0]).chain(axis + 1..to.len()).collect();
    Ok(r.b.transpose(&sum, &back))
}
