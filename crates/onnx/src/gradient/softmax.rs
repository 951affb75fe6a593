//! Softmax and its logarithm.

use super::rule::{Derivative, Gradients, Rule};

pub(super) const RULES: &[(&str, Derivative)] = &[("LogSoftmax", log_softmax), ("Softmax", softmax)];

fn axes(r: &mut Rule) -> Result<[usize; 1], crate::OnnxError> {
    let rank = r.shape(r.x(0)?)?.len();
    Ok([r.axis(-1, rank)?])
}

/// y = eˣ / Σ eˣ along an axis: dx = y (dy - Σ dy y).
fn softmax(r: &mut Rule) -> Gradients {
    let (dy, y, axes) = (r.dy()?, r.y(0), axes(r)?);
    let product = r.op("Mul", &[&dy, &y]);
    let sum = r.b.reduce("ReduceSum", &product, &axes, true);
    let rest = r.op("Sub", &[&dy, &sum]);
    let dx = r.op("Mul", &[&y, &rest]);
    r.only(dx)
}

/// y = x - ln Σ eˣ along an axis: dx = dy - eʸ Σ dy.
fn log_softmax(r: &mut Rule) -> Gradients {
    let (dy, y, axes) = (r.dy()?, r.y(0), axes(r)?);
    let soft = r.op("Exp", &[&y]);
    let sum = r.b.reduce("ReduceSum", &dy, &axes, true);
    let share = r.op("Mul", &[&soft, &sum]);
    let dx = r.op("Sub", &[&dy, &share]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal};

    #[test]
    fn along_any_axis() {
        for operator in ["Softmax", "LogSoftmax"] {
            for axis in [-1, 0, 1] {
                Check::new(operator, 1).attribute("axis", axis).input(normal(1, &[2, 3, 4])).passes();
            }
        }
    }
}
