//! Matrix products.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;
use crate::tensor::Tensor;

pub(super) const RULES: &[(&str, Derivative)] = &[("Gemm", gemm), ("MatMul", matmul)];

/// Y = A B, both stacks of matrices that broadcast to each other: dA = dY Bᵀ, dB = Aᵀ dY, summed over broadcast axes.
fn matmul(r: &mut Rule) -> Gradients {
    let (a, b) = (r.x(0)?, r.x(1)?);
    let (a_shape, b_shape) = (r.shape(a)?, r.shape(b)?);
    if a_shape.is_empty() || b_shape.is_empty() {
        return Err(r.not_covered("operands without dimensions"));
    }
    // A vector is a row as the first operand, a column as the second.
    let a_full = if a_shape.len() == 1 { vec![1, a_shape[0]] } else { a_shape.clone() };
    let b_full = if b_shape.len() == 1 { vec![b_shape[0], 1] } else { b_shape.clone() };
    let dy = r.dy()?;
    let batch = crate::shapes::broadcast(&a_full[..a_full.len() - 2], &b_full[..b_full.len() - 2])
        .ok_or_else(|| r.not_covered("operands that do not fit"))?;
    let (rows, columns) = (a_full[a_full.len() - 2], b_full[b_full.len() - 1]);
    let dy = r.b.reshape(&dy, &[batch.as_slice(), &[rows, columns]].concat());
    let mut gradients = vec![None, None];
    if r.wanted(0) {
        let da = times_transposed(r, &dy, b, &b_full)?;
        let da = r.reduce_to(&da, &a_full)?;
        gradients[0] = Some(r.b.reshape(&da, &a_shape));
    }
    if r.wanted(1) {
        let db = transposed_times(r, a, &a_full, &dy, &b_full)?;
        let db = r.reduce_to(&db, &b_full)?;
        gradients[1] = Some(r.b.reshape(&db, &b_shape));
    }
    Ok(gradients)
}

/// Computes dY Bᵀ. A single matrix B is not transposed but used by one `Gemm` on all rows, which needs no second copy
/// of the weights.
fn times_transposed(r: &mut Rule, dy: &str, b: &str, b_full: &[usize]) -> Result<String, OnnxError> {
    let (inner, columns) = (b_full[b_full.len() - 2], b_full[b_full.len() - 1]);
    if b_full.len() == 2 {
        let dy_shape = r.shape(dy)?;
        let rows = dy_shape[..dy_shape.len() - 1].iter().product();
        let flat = r.b.reshape(dy, &[rows, columns]);
        let b = r.b.reshape(b, b_full);
        let product = r.op_with("Gemm", &[&flat, &b], &[("transB", 1.into())]);
        return Ok(r.b.reshape(&product, &[&dy_shape[..dy_shape.len() - 1], &[inner]].concat()));
    }
    let turned = turned(r, b, b_full)?;
    Ok(r.op("MatMul", &[dy, &turned]))
}

/// Computes Aᵀ dY, summed over all rows at once where B is a single matrix.
fn transposed_times(r: &mut Rule, a: &str, a_full: &[usize], dy: &str, b_full: &[usize]) -> Result<String, OnnxError> {
    let dy_shape = r.shape(dy)?;
    let single = b_full.len() == 2 && a_full[..a_full.len() - 2] == dy_shape[..dy_shape.len() - 2];
    if single {
        let rows = a_full[..a_full.len() - 1].iter().product();
        let flat_a = r.b.reshape(a, &[rows, b_full[0]]);
        let flat_dy = r.b.reshape(dy, &[rows, b_full[1]]);
        return Ok(r.op_with("Gemm", &[&flat_a, &flat_dy], &[("transA", 1.into())]));
    }
    let turned = turned(r, a, a_full)?;
    Ok(r.op("MatMul", &[&turned, dy]))
}

/// Swaps the value's last two axes. `full` are its sizes, at least two of them. A constant is transposed right away.
fn turned(r: &mut Rule, value: &str, full: &[usize]) -> Result<String, OnnxError> {
    let mut order: Vec<usize> = (0..full.len()).collect();
    order.swap(full.len() - 2, full.len() - 1);
    if let Some(constant) = r.constant(value).and_then(|t: Tensor| t.with_dims(full).transpose(&order)) {
        return Ok(r.b.constant("turned", constant));
    }
    let value = r.b.reshape(value, full);
    Ok(r.b.transpose(&value, &order))
}

/// Y = α A' B' + β C, where A' and B' are A and B or their transposes:
/// dA' = α dY B'ᵀ, dB' = α A'ᵀ dY, dC = β dY summed over broadcast axes.
fn gemm(r: &mut Rule) -> Gradients {
    let (a, b, dy) = (r.x(0)?, r.x(1)?, r.dy()?);
    let alpha = r.node.float("alpha").unwrap_or(1.0);
    let turned = |name: &str| i64::from(r.node.int(name).unwrap_or(0) != 0);
    let (ta, tb) = (turned("transA"), turned("transB"));
    let product = |r: &mut Rule, left: &str, tl: i64, right: &str, tr: i64| {
        r.op_with("Gemm", &[left, right], &[("alpha", alpha.into()), ("transA", tl.into()), ("transB", tr.into())])
    };
    let mut gradients = vec![None; r.node.inputs.len()];
    if r.wanted(0) {
        gradients[0] = Some(match ta {
            0 => product(r, &dy, 0, b, 1 - tb),
            _ => product(r, b, tb, &dy, 1),
        });
    }
    if r.wanted(1) {
        gradients[1] = Some(match tb {
            0 => product(r, a, 1 - ta, &dy, 0),
            _ => product(r, &dy, 1, a, ta),
        });
    }
    if r.wanted(2) {
        let scaled = r.b.scale(&dy, f64::from(r.node.float("beta").unwrap_or(1.0)));
        let c = r.x(2)?;
        gradients[2] = Some(r.unbroadcast(&scaled, c)?);
    }
    Ok(gradients)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal};

    #[test]
    fn stacks_of_matrices_stretch() {
        let pairs: [(&[usize], &[usize]); 8] = [
            (&[3, 4], &[4, 5]),
            (&[2, 3, 4], &[4, 5]),
            (&[2, 3, 4], &[2, 4, 5]),
            (&[2, 1, 3, 4], &[6, 4, 5]),
            (&[3, 4], &[2, 4, 5]),
            (&[4], &[4, 5]),
            (&[2, 3, 4], &[4]),
            (&[4], &[4]),
        ];
        for (a, b) in pairs {
            Check::new("MatMul", 1).input(normal(1, a)).input(normal(2, b)).passes();
            Check::new("MatMul", 1).input(normal(1, a)).constant(normal(2, b)).passes();
            Check::new("MatMul", 1).constant(normal(1, a)).input(normal(2, b)).passes();
        }
    }

    #[test]
    fn constant_weights_are_not_copied() {
        let kinds = Check::new("MatMul", 1).input(normal(1, &[2, 3, 4])).constant(normal(2, &[4, 5])).passes();
        assert_eq!(kinds, ["Reshape", "Gemm", "Reshape"]);
    }

    #[test]
    fn gemm_in_all_orientations() {
        for (ta, tb) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let a: &[usize] = if ta == 0 { &[3, 4] } else { &[4, 3] };
            let b: &[usize] = if tb == 0 { &[4, 5] } else { &[5, 4] };
            Check::new("Gemm", 1)
                .attribute("transA", ta)
                .attribute("transB", tb)
                .attribute("alpha", 0.7f32)
                .attribute("beta", 1.3f32)
                .input(normal(1, a))
                .input(normal(2, b))
                .input(normal(3, &[5]))
                .passes();
        }
        Check::new("Gemm", 1).input(normal(1, &[3, 4])).input(normal(2, &[4, 5])).input(normal(3, &[3, 1])).passes();
        Check::new("Gemm", 1).input(normal(1, &[3, 4])).constant(normal(2, &[4, 5])).passes();
    }
}
