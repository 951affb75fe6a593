//! Reductions over axes.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;
use crate::tensor::DataType;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("ReduceL1", reduce_l1),
    ("ReduceL2", reduce_l2),
    ("ReduceLogSumExp", reduce_log_sum_exp),
    ("ReduceMax", reduce_extreme),
    ("ReduceMean", reduce_mean),
    ("ReduceMin", reduce_extreme),
    ("ReduceSum", reduce_sum),
    ("ReduceSumSquare", reduce_sum_square),
];

/// The parameters of a reduction: x's sizes, the axes, and x's sizes with 1 for the axes.
struct Reduction {
    shape: Vec<usize>,
    axes: Vec<usize>,
    kept: Vec<usize>,
}

fn reduction(r: &mut Rule) -> Result<Reduction, OnnxError> {
    let shape = r.shape(r.x(0)?)?;
    let axes = crate::shapes::reduction_axes(r.b.graph(), r.node, shape.len())
        .ok_or_else(|| r.not_covered("axes that are not constant"))?;
    let kept = shape.iter().enumerate().map(|(a, s)| if axes.contains(&a) { 1 } else { *s }).collect();
    Ok(Reduction { shape, axes, kept })
}

/// dx = dy · slope, where `slope` has x's sizes and dy is broadcast to them.
fn times(r: &mut Rule, slope: &str, kept: &[usize]) -> Gradients {
    let dy = r.dy()?;
    let dy = r.b.reshape(&dy, kept);
    let dx = r.op("Mul", &[slope, &dy]);
    r.only(dx)
}

/// y = Σ x: dx = dy everywhere.
fn reduce_sum(r: &mut Rule) -> Gradients {
    spread(r, |_| 1.0)
}

/// y = Σ x / n: dx = dy / n everywhere.
fn reduce_mean(r: &mut Rule) -> Gradients {
    spread(r, |n| 1.0 / n)
}

fn spread(r: &mut Rule, factor: fn(f64) -> f64) -> Gradients {
    let Reduction { shape, axes, kept } = reduction(r)?;
    let dy = r.dy()?;
    let count: usize = axes.iter().map(|a| shape[*a]).product();
    let share = r.b.scale(&dy, factor(count as f64));
    let share = r.b.reshape(&share, &kept);
    if kept == shape {
        return r.only(share);
    }
    let sizes = r.b.sizes(&shape);
    let dx = r.op("Expand", &[&share, &sizes]);
    r.only(dx)
}

/// y = Σ |x|: dx = dy sign(x).
fn reduce_l1(r: &mut Rule) -> Gradients {
    let kept = reduction(r)?.kept;
    let sign = r.op("Sign", &[r.x(0)?]);
    times(r, &sign, &kept)
}

/// y = √Σ x²: dx = x dy / y, 0 where y is 0.
fn reduce_l2(r: &mut Rule) -> Gradients {
    let kept = reduction(r)?.kept;
    let (dy, y, x) = (r.dy()?, r.y(0), r.x(0)?);
    // The smallest half is 6e-8, and the quotient must stay below 65504.
    let half = r.b.graph().data_type(&y) == Some(DataType::F16);
    let least = r.b.scalar(if half { 6.2e-5 } else { 1e-30 }, &y);
    let safe = r.op("Max", &[&y, &least]);
    let quotient = r.op("Div", &[&dy, &safe]);
    let quotient = r.b.reshape(&quotient, &kept);
    let dx = r.op("Mul", &[x, &quotient]);
    r.only(dx)
}

/// y = Σ x²: dx = 2 x dy.
fn reduce_sum_square(r: &mut Rule) -> Gradients {
    let kept = reduction(r)?.kept;
    let (dy, x) = (r.dy()?, r.x(0)?);
    let twice = r.b.scale(&dy, 2.0);
    let twice = r.b.reshape(&twice, &kept);
    let dx = r.op("Mul", &[x, &twice]);
    r.only(dx)
}

/// y = ln Σ eˣ: dx = dy e^(x - y).
fn reduce_log_sum_exp(r: &mut Rule) -> Gradients {
    let kept = reduction(r)?.kept;
    let (x, y) = (r.x(0)?, r.y(0));
    let y = r.b.reshape(&y, &kept);
    let less = r.op("Sub", &[x, &y]);
    let soft = r.op("Exp", &[&less]);
    times(r, &soft, &kept)
}

/// y = max x or min x: dx = dy where x = y, else 0, shared among equals.
fn reduce_extreme(r: &mut Rule) -> Gradients {
    let Reduction { axes, kept, .. } = reduction(r)?;
    let (dy, y, x) = (r.dy()?, r.y(0), r.x(0)?);
    let y = r.b.reshape(&y, &kept);
    let dy = r.b.reshape(&dy, &kept);
    let dx = to_extremes(r, x, &y, &dy, &axes)?;
    r.only(dx)
}

/// Returns dy where x equals y, shared among equals. y and dy have size 1 along the axes.
pub(super) fn to_extremes(r: &mut Rule, x: &str, y: &str, dy: &str, axes: &[usize]) -> Result<String, OnnxError> {
    let data_type = r.b.graph().data_type(x).ok_or_else(|| r.not_covered("a value of unknown type"))?;
    let equal = r.op("Equal", &[x, y]);
    let mask = r.op_with("Cast", &[&equal], &[("to", (data_type as i64).into())]);
    let count = r.b.reduce("ReduceSum", &mask, axes, true);
    let share = r.op("Div", &[dy, &count]);
    Ok(r.op("Mul", &[&mask, &share]))
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, spread};

    #[test]
    fn over_some_or_all_axes_kept_or_not() {
        for operator in super::RULES.iter().map(|(name, _)| *name) {
            for keep in [0, 1] {
                for axes in [&[1][..], &[-1, 0], &[0, 1, 2]] {
                    let axes = Tensor::i64(&[axes.len()], axes);
                    Check::new(operator, 1)
                        .attribute("keepdims", keep)
                        .input(spread(1, &[2, 3, 4]))
                        .constant(axes)
                        .passes();
                }
            }
            Check::new(operator, 1).input(spread(1, &[2, 3])).passes();
        }
    }
}
