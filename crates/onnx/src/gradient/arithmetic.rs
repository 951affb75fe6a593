//! Operators of two and more operands that broadcast to each other's sizes.
//!
//! Each gradient is summed over the axes along which its operand was broadcast.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("Add", add),
    ("Div", div),
    ("Max", extreme),
    ("Mean", mean),
    ("Min", extreme),
    ("Mul", mul),
    ("Neg", neg),
    ("Pow", pow),
    ("Sub", sub),
    ("Sum", add),
    ("Where", choose),
];

/// Computes the gradient of every wanted input with `each` and sums it to the input's sizes.
fn each(r: &mut Rule, mut each: impl FnMut(&mut Rule, usize) -> Result<String, OnnxError>) -> Gradients {
    let mut gradients = Vec::with_capacity(r.node.inputs.len());
    for position in 0..r.node.inputs.len() {
        gradients.push(if r.wanted(position) {
            let gradient = each(r, position)?;
            let x = r.x(position)?;
            Some(r.unbroadcast(&gradient, x)?)
        } else {
            None
        });
    }
    Ok(gradients)
}

/// y = Σ x_i: dx_i = dy. Also `Sum`.
fn add(r: &mut Rule) -> Gradients {
    each(r, |r, _| r.dy())
}

/// y = (Σ x_i) / n: dx_i = dy / n.
fn mean(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let share = r.b.scale(&dy, 1.0 / r.node.inputs.len() as f64);
    each(r, |_, _| Ok(share.clone()))
}

/// y = a - b: da = dy, db = -dy.
fn sub(r: &mut Rule) -> Gradients {
    // Negated after the sum over broadcast axes, because the sum is smaller.
    let dy = r.dy()?;
    let mut gradients = each(r, |_, _| Ok(dy.clone()))?;
    if let Some(b) = gradients[1].take() {
        gradients[1] = Some(r.op("Neg", &[&b]));
    }
    Ok(gradients)
}

/// y = -x: dx = -dy.
fn neg(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let dx = r.op("Neg", &[&dy]);
    r.only(dx)
}

/// y = a b: da = dy b, db = dy a.
///
/// x σ(k x), the SiLU (k = 1) and QuickGELU (k = 1.702) of image encoders, is differentiated as a whole:
/// dx = dy (σ + k (y - y σ)).
fn mul(r: &mut Rule) -> Gradients {
    for (x, gate) in [(0, 1), (1, 0)] {
        if let Some(slope) = gated_slope(r, x, gate)? {
            let dy = r.dy()?;
            let gate_name = r.x(gate)?;
            let y = r.y(0);
            let ys = r.op("Mul", &[&y, gate_name]);
            let rest = r.op("Sub", &[&y, &ys]);
            let rest = r.b.scale(&rest, slope);
            let total = r.op("Add", &[gate_name, &rest]);
            let mut gradients = vec![None, None];
            gradients[x] = Some(r.op("Mul", &[&dy, &total]));
            return Ok(gradients);
        }
    }
    let dy = r.dy()?;
    each(r, |r, position| {
        let other = r.x(1 - position)?;
        Ok(r.op("Mul", &[&dy, other]))
    })
}

/// Returns k if the input `gate` is σ(k x) of the input `x`.
fn gated_slope(r: &mut Rule, x: usize, gate: usize) -> Result<Option<f64>, OnnxError> {
    let (x, gate) = (r.x(x)?, r.x(gate)?);
    let Some(sigmoid) = r.giver(gate).filter(|n| n.is("Sigmoid")) else { return Ok(None) };
    let Some(inner) = sigmoid.input(0) else { return Ok(None) };
    if inner == x {
        return Ok(Some(1.0));
    }
    let Some(scaled) = r.giver(inner).filter(|n| n.is("Mul")) else { return Ok(None) };
    let (Some(a), Some(b)) = (scaled.input(0), scaled.input(1)) else { return Ok(None) };
    Ok(if a == x {
        r.number(b)
    } else if b == x {
        r.number(a)
    } else {
        None
    })
}

/// y = a / b: da = dy / b, db = -dy y / b.
fn div(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let b = r.x(1)?;
    // A constant's reciprocal is a constant: multiplying is faster than dividing.
    let quotient = match r.number(b) {
        Some(divisor) => r.b.scale(&dy, 1.0 / divisor),
        None => r.op("Div", &[&dy, b]),
    };
    each(r, |r, position| {
        if position == 0 {
            return Ok(quotient.clone());
        }
        let y = r.y(0);
        let product = r.op("Mul", &[&quotient, &y]);
        Ok(r.op("Neg", &[&product]))
    })
}

/// y = a^b: da = dy b a^(b-1), db = dy y ln a (meaningful for a > 0 only).
fn pow(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let (a, b) = (r.x(0)?, r.x(1)?);
    each(r, |r, position| {
        if position == 1 {
            let y = r.y(0);
            let log = r.op("Log", &[a]);
            let product = r.op("Mul", &[&y, &log]);
            return Ok(r.op("Mul", &[&dy, &product]));
        }
        let exponent = match r.number(b) {
            Some(value) => Some(value),
            None => r.constant(b).filter(|t| t.len() == 1).and_then(|t| t.to_i64()).map(|v| v[0] as f64),
        };
        let slope = match exponent {
            Some(2.0) => r.with_number("Mul", a, 2.0),
            Some(value) => {
                let power = r.with_number("Pow", a, value - 1.0);
                r.with_number("Mul", &power, value)
            }
            None => {
                let less = r.with_number("Sub", b, 1.0);
                let power = r.op("Pow", &[a, &less]);
                r.op("Mul", &[&power, b])
            }
        };
        Ok(r.op("Mul", &[&dy, &slope]))
    })
}

/// y = max(x_i) or min(x_i): dy goes to the first x_i that equals y.
fn extreme(r: &mut Rule) -> Gradients {
    let mut rest = r.dy()?;
    let y = r.y(0);
    let count = r.node.inputs.len();
    let mut gradients = vec![None; count];
    for (position, gradient) in gradients.iter_mut().enumerate() {
        let x = r.x(position)?;
        let share = if position + 1 == count {
            rest.clone()
        } else {
            let equal = r.op("Equal", &[x, &y]);
            let share = r.masked(&rest, &equal)?;
            rest = r.op("Sub", &[&rest, &share]);
            share
        };
        if r.wanted(position) {
            *gradient = Some(r.unbroadcast(&share, x)?);
        }
    }
    Ok(gradients)
}

/// y = a where c, else b: da = dy where c, else 0; db the other way round.
fn choose(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let condition = r.x(0)?;
    let zero = r.b.scalar(0.0, &dy);
    each(r, |r, position| match position {
        1 => Ok(r.op("Where", &[condition, &dy, &zero])),
        _ => Ok(r.op("Where", &[condition, &zero, &dy])),
    })
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, normal, spread, uniform};

    #[test]
    fn sums_and_products_of_stretched_operands() {
        for operator in ["Add", "Sub", "Mul", "Sum", "Mean"] {
            Check::new(operator, 1).input(normal(1, &[2, 3, 4])).input(normal(2, &[3, 1])).passes();
            Check::new(operator, 1).input(normal(1, &[4])).input(normal(2, &[2, 1, 4])).passes();
        }
        Check::new("Sum", 1).input(normal(1, &[3])).input(normal(2, &[2, 3])).input(normal(3, &[1])).passes();
        Check::new("Neg", 1).input(normal(1, &[3])).passes();
    }

    #[test]
    fn quotients() {
        Check::new("Div", 1).input(normal(1, &[2, 3])).input(uniform(2, &[3], 0.5, 2.0)).passes();
        let kinds = Check::new("Div", 1).input(normal(1, &[2, 3])).constant(Tensor::f32(&[], &[1.25])).passes();
        assert_eq!(kinds, ["Mul"]);
    }

    #[test]
    fn powers() {
        for exponent in [2.0, 3.0, 0.5] {
            Check::new("Pow", 1).input(uniform(1, &[2, 3], 0.5, 2.0)).constant(Tensor::f32(&[], &[exponent])).passes();
        }
        Check::new("Pow", 1).input(uniform(1, &[3], 0.5, 2.0)).constant(Tensor::i64(&[1], &[3])).passes();
        Check::new("Pow", 1).input(uniform(1, &[2, 3], 0.5, 2.0)).input(uniform(2, &[3], 0.5, 2.0)).passes();
    }

    #[test]
    fn extremes_and_choices() {
        for operator in ["Min", "Max"] {
            Check::new(operator, 1).input(spread(1, &[3, 4])).input(uniform(2, &[1, 4], -0.001, 0.001)).passes();
            // Each of the three wins somewhere.
            Check::new(operator, 1)
                .input(Tensor::f32(&[2, 3], &[0.0, 2.0, 1.0, 3.0, 4.0, 5.0]))
                .input(Tensor::f32(&[3], &[1.0, 0.0, 3.5]))
                .input(Tensor::f32(&[2, 1], &[2.5, 1.5]))
                .passes();
        }
        let mask = Tensor { data_type: crate::DataType::Bool, dims: vec![3, 1], data: vec![1, 0, 1].into() };
        Check::new("Where", 1).constant(mask).input(normal(1, &[3, 4])).input(normal(2, &[4])).passes();
    }
}
