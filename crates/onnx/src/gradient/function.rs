//! Functions of one number, applied to each element.

use std::f64::consts::PI;

use super::rule::{Derivative, Gradients, Rule};

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("Abs", abs),
    ("Acos", acos),
    ("Acosh", acosh),
    ("Asin", asin),
    ("Asinh", asinh),
    ("Atan", atan),
    ("Atanh", atanh),
    ("Cast", cast),
    ("CastLike", cast),
    ("Ceil", flat),
    ("Cos", cos),
    ("Cosh", cosh),
    ("Erf", erf),
    ("Exp", exp),
    ("Floor", flat),
    ("Identity", identity),
    ("Log", log),
    ("Reciprocal", reciprocal),
    ("Round", flat),
    ("Sign", flat),
    ("Sin", sin),
    ("Sinh", sinh),
    ("Sqrt", sqrt),
    ("Tan", tan),
];

/// dx = dy · slope.
fn times(r: &mut Rule, slope: &str) -> Gradients {
    let dy = r.dy()?;
    let dx = r.op("Mul", &[&dy, slope]);
    r.only(dx)
}

/// y = |x|: dx = dy sign(x), 0 at 0.
fn abs(r: &mut Rule) -> Gradients {
    let sign = r.op("Sign", &[r.x(0)?]);
    times(r, &sign)
}

/// Computes sqrt(1 - x²), which the gradients of both arc functions need.
fn arc(r: &mut Rule) -> Result<String, crate::OnnxError> {
    let x = r.x(0)?;
    let square = r.op("Mul", &[x, x]);
    let one = r.b.scalar(1.0, x);
    let rest = r.op("Sub", &[&one, &square]);
    Ok(r.op("Sqrt", &[&rest]))
}

/// y = acos(x): dx = -dy / sqrt(1 - x²).
fn acos(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let root = arc(r)?;
    let quotient = r.op("Div", &[&dy, &root]);
    let dx = r.op("Neg", &[&quotient]);
    r.only(dx)
}

/// y = asin(x): dx = dy / sqrt(1 - x²).
fn asin(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let root = arc(r)?;
    let dx = r.op("Div", &[&dy, &root]);
    r.only(dx)
}

/// y = atan(x): dx = dy / (1 + x²).
fn atan(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let square = r.op("Mul", &[x, x]);
    let sum = r.with_number("Add", &square, 1.0);
    let dx = r.op("Div", &[&dy, &sum]);
    r.only(dx)
}

/// y = cosh(x): dx = dy sinh(x).
fn cosh(r: &mut Rule) -> Gradients {
    let slope = r.op("Sinh", &[r.x(0)?]);
    times(r, &slope)
}

/// y = sinh(x): dx = dy cosh(x).
fn sinh(r: &mut Rule) -> Gradients {
    let slope = r.op("Cosh", &[r.x(0)?]);
    times(r, &slope)
}

/// y = acosh(x): dx = dy / sqrt(x² - 1) = dy / sinh(y).
fn acosh(r: &mut Rule) -> Gradients {
    let (dy, y) = (r.dy()?, r.y(0));
    let slope = r.op("Sinh", &[&y]);
    let dx = r.op("Div", &[&dy, &slope]);
    r.only(dx)
}

/// y = asinh(x): dx = dy / sqrt(x² + 1) = dy / cosh(y).
fn asinh(r: &mut Rule) -> Gradients {
    let (dy, y) = (r.dy()?, r.y(0));
    let slope = r.op("Cosh", &[&y]);
    let dx = r.op("Div", &[&dy, &slope]);
    r.only(dx)
}

/// y = atanh(x): dx = dy / (1 - x²).
fn atanh(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let square = r.op("Mul", &[x, x]);
    let one = r.b.scalar(1.0, x);
    let rest = r.op("Sub", &[&one, &square]);
    let dx = r.op("Div", &[&dy, &rest]);
    r.only(dx)
}

/// y = x in another float type: dx = dy in x's type. `CastLike` takes the type from a value.
fn cast(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let to = r.b.graph().data_type(x).ok_or_else(|| r.not_covered("a value of unknown type"))?;
    let dx = r.op_with("Cast", &[&dy], &[("to", (to as i64).into())]);
    let mut gradients = vec![None; r.node.inputs.len()];
    gradients[0] = Some(dx);
    Ok(gradients)
}

/// Steps: dx = 0 wherever there is a derivative.
fn flat(r: &mut Rule) -> Gradients {
    Ok(vec![None; r.node.inputs.len()])
}

/// y = cos(x): dx = -dy sin(x).
fn cos(r: &mut Rule) -> Gradients {
    let sine = r.op("Sin", &[r.x(0)?]);
    let minus = r.op("Neg", &[&sine]);
    times(r, &minus)
}

/// y = sin(x): dx = dy cos(x).
fn sin(r: &mut Rule) -> Gradients {
    let cosine = r.op("Cos", &[r.x(0)?]);
    times(r, &cosine)
}

/// y = tan(x): dx = dy (1 + y²).
fn tan(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    let square = r.op("Mul", &[&y, &y]);
    let slope = r.with_number("Add", &square, 1.0);
    times(r, &slope)
}

/// y = erf(x): dx = dy 2/√π exp(-x²).
fn erf(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    let square = r.op("Mul", &[x, x]);
    let minus = r.op("Neg", &[&square]);
    let bell = r.op("Exp", &[&minus]);
    let slope = r.with_number("Mul", &bell, 2.0 / PI.sqrt());
    times(r, &slope)
}

/// y = exp(x): dx = dy y.
fn exp(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    times(r, &y)
}

/// y = x: dx = dy.
fn identity(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    r.only(dy)
}

/// y = ln(x): dx = dy / x.
fn log(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let dx = r.op("Div", &[&dy, x]);
    r.only(dx)
}

/// y = 1/x: dx = -dy y².
fn reciprocal(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    let square = r.op("Mul", &[&y, &y]);
    let minus = r.op("Neg", &[&square]);
    times(r, &minus)
}

/// y = √x: dx = dy / (2 y).
fn sqrt(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let half = r.b.scale(&dy, 0.5);
    let y = r.y(0);
    let dx = r.op("Div", &[&half, &y]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal, spread, uniform};

    #[test]
    fn functions_of_one_number() {
        for operator in ["Sin", "Cos", "Sinh", "Cosh", "Asinh", "Atan", "Erf", "Exp", "Identity"] {
            Check::new(operator, 1).input(normal(1, &[3, 4])).passes();
        }
        for operator in ["Sqrt", "Log", "Reciprocal"] {
            Check::new(operator, 1).input(uniform(1, &[3, 4], 0.5, 2.0)).passes();
        }
        for operator in ["Acos", "Asin", "Atanh", "Tan"] {
            Check::new(operator, 1).input(uniform(1, &[3, 4], -0.8, 0.8)).passes();
        }
        Check::new("Acosh", 1).input(uniform(1, &[3, 4], 1.5, 3.0)).passes();
        Check::new("Abs", 1).input(spread(1, &[3, 4])).passes();
    }

    #[test]
    fn conversions_go_back_to_the_type_they_came_from() {
        Check::new("Cast", 1).attribute("to", 1).input(normal(1, &[4])).passes();
        Check::new("CastLike", 1).input(normal(1, &[4])).constant(normal(2, &[1])).passes();
    }

    #[test]
    fn steps_have_no_gradient() {
        for operator in ["Ceil", "Floor", "Round", "Sign"] {
            let mut graph = crate::Graph::default();
            let mut b = crate::Builder::new(&mut graph, "t");
            let x = b.input("x", crate::DataType::F32, &[3]);
            let y = b.op(operator, &[&x]);
            let error = crate::differentiate(&mut graph, &[(&y, &y)], &["x"]).unwrap_err();
            assert!(matches!(error, crate::OnnxError::NoPath { .. }), "{operator}: {error}");
        }
    }
}
