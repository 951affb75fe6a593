//! Scatter-add, the scatter operators, and running sums.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;

pub(super) const RULES: &[(&str, Derivative)] =
    &[("CumSum", running_sum), ("ScatterElements", scatter_elements), ("ScatterND", scatter_nd), ("TopK", greatest)];

/// Adds slices of `value` to zeros of the given sizes along `axis`. The slices lie along `value`'s axes from `axis` on,
/// as many axes as `indices` has, and `indices` gives the position of each (negative ones count from the end).
pub(super) fn add(r: &mut Rule, value: &str, axis: usize, indices: &str, to: &[usize]) -> Result<String, OnnxError> {
    let index_shape = r.shape(indices)?;
    let shape = r.shape(value)?;
    let middle = index_shape.len();
    let count: usize = index_shape.iter().product();
    let rank = shape.len();
    // Moves the index axes to the front, where ScatterND expects them.
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

/// y is x with the elements at some places replaced by updates, or with updates added to them. dx is dy, with zeros at
/// the replaced places; the updates' gradients are dy at these places.
fn scattered(r: &mut Rule, scatter: &str, gather: &str) -> Gradients {
    let added = match r.node.text("reduction").unwrap_or("none") {
        "none" => false,
        "add" => true,
        other => return Err(r.not_covered(&format!("the reduction `{other}`"))),
    };
    let axis: Vec<_> = r.node.int("axis").into_iter().map(|axis| ("axis", axis.into())).collect();
    let (dy, indices) = (r.dy()?, r.x(1)?);
    let mut gradients = vec![None; 3];
    if r.wanted(0) {
        gradients[0] = Some(if added {
            dy.clone()
        } else {
            let shape = r.shape(r.x(2)?)?;
            let zero = r.b.filled(0.0, &vec![1; shape.len()], &dy);
            let sizes = r.b.sizes(&shape);
            let zeros = r.op("Expand", &[&zero, &sizes]);
            r.op_with(scatter, &[&dy, indices, &zeros], &axis)
        });
    }
    if r.wanted(2) {
        gradients[2] = Some(r.op_with(gather, &[&dy, indices], &axis));
    }
    Ok(gradients)
}

/// The places are tuples of indices.
fn scatter_nd(r: &mut Rule) -> Gradients {
    scattered(r, "ScatterND", "GatherND")
}

/// The places are indices along one axis.
fn scatter_elements(r: &mut Rule) -> Gradients {
    scattered(r, "ScatterElements", "GatherElements")
}

/// y_i = Σ x_j over j ≤ i (or < i; or from the end): dx_j sums dy over i ≥ j, a running sum from the other end.
fn running_sum(r: &mut Rule) -> Gradients {
    let (dy, axis) = (r.dy()?, r.x(1)?);
    let exclusive = r.node.int("exclusive").unwrap_or(0);
    let reverse = 1 - r.node.int("reverse").unwrap_or(0);
    let dx = r.op_with("CumSum", &[&dy, axis], &[("exclusive", exclusive.into()), ("reverse", reverse.into())]);
    r.only(dx)
}

/// y holds the greatest (or least) elements along an axis, and the second output their places: dx is dy at these
/// places.
fn greatest(r: &mut Rule) -> Gradients {
    let (dy, x, places) = (r.dy()?, r.x(0)?, r.y(1));
    let shape = r.shape(x)?;
    let axis = r.axis(-1, shape.len())?;
    let zero = r.b.filled(0.0, &vec![1; shape.len()], x);
    let sizes = r.b.sizes(&shape);
    let zeros = r.op("Expand", &[&zero, &sizes]);
    let dx = r.op_with("ScatterElements", &[&zeros, &places, &dy], &[("axis", (axis as i64).into())]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, normal, spread};

    #[test]
    fn updates_that_replace_or_add() {
        for reduction in ["none", "add"] {
            Check::new("ScatterND", 1)
                .attribute("reduction", reduction)
                .input(normal(1, &[3, 4, 2]))
                .constant(Tensor::i64(&[2, 2], &[0, 1, 2, 3]))
                .input(normal(2, &[2, 2]))
                .passes();
            Check::new("ScatterElements", 1)
                .attribute("reduction", reduction)
                .attribute("axis", 1)
                .input(normal(1, &[2, 4]))
                .constant(Tensor::i64(&[2, 2], &[0, 3, 1, 2]))
                .input(normal(2, &[2, 2]))
                .passes();
        }
    }

    #[test]
    fn running_sums_from_both_ends() {
        for (exclusive, reverse) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            Check::new("CumSum", 1)
                .attribute("exclusive", exclusive)
                .attribute("reverse", reverse)
                .input(normal(1, &[2, 4, 3]))
                .constant(Tensor::i64(&[], &[1]))
                .passes();
        }
    }

    #[test]
    fn the_greatest_and_the_least() {
        for largest in [0, 1] {
            Check::new("TopK", 2)
                .attribute("largest", largest)
                .attribute("axis", 1)
                .input(spread(1, &[3, 5, 2]))
                .constant(Tensor::i64(&[1], &[2]))
                .passes();
        }
    }
}
