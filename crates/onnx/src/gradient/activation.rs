//! Activations of neural networks, applied to each element.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::rule::{Derivative, Gradients, Rule};
use crate::tensor::DataType;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("Clip", clip),
    ("Elu", elu),
    ("Gelu", gelu),
    ("HardSigmoid", hard_sigmoid),
    ("HardSwish", hard_swish),
    ("LeakyRelu", leaky_relu),
    ("Relu", relu),
    ("Sigmoid", sigmoid),
    ("Softplus", softplus),
    ("Softsign", softsign),
    ("Tanh", tanh),
];

/// dx = dy · slope.
fn times(r: &mut Rule, slope: &str) -> Gradients {
    let dy = r.dy()?;
    let dx = r.op("Mul", &[&dy, slope]);
    r.only(dx)
}

/// dx = dy where the mask holds, else 0.
fn masked(r: &mut Rule, mask: &str) -> Gradients {
    let dy = r.dy()?;
    let dx = r.masked(&dy, mask)?;
    r.only(dx)
}

/// y = min(max(x, low), high): dx = dy where y = x, else 0.
fn clip(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    let inside = r.op("Equal", &[r.x(0)?, &y]);
    masked(r, &inside)
}

/// y = x for x > 0, else α (eˣ - 1): dx = dy, else dy (y + α).
fn elu(r: &mut Rule) -> Gradients {
    let (dy, x, y) = (r.dy()?, r.x(0)?, r.y(0));
    let alpha = f64::from(r.node.float("alpha").unwrap_or(1.0));
    let zero = r.b.scalar(0.0, x);
    let positive = r.op("Greater", &[x, &zero]);
    let slope = r.with_number("Add", &y, alpha);
    let below = r.op("Mul", &[&dy, &slope]);
    let dx = r.op("Where", &[&positive, &dy, &below]);
    r.only(dx)
}

/// y = x Φ(x), Φ the normal distribution function: dx = dy (Φ(x) + x φ(x)), with u = x/√2:
/// Φ = (1 + erf u) / 2 and x φ = u exp(-u²) / √π. With `approximate = "tanh"`, y = x (1 + tanh w) / 2 where
/// w = √(2/π) (x + 0.044715 x³): dx = dy ((1 + tanh w) / 2 + x (1 - tanh² w) / 2 · √(2/π) (1 + 0.134145 x²)).
fn gelu(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    if r.node.text("approximate") == Some("tanh") {
        let c = (2.0 / PI).sqrt();
        let square = r.op("Mul", &[x, x]);
        let cubic = r.with_number("Mul", &square, 0.044715 * c);
        let cubic = r.with_number("Add", &cubic, c);
        let w = r.op("Mul", &[x, &cubic]);
        let tanh = r.op("Tanh", &[&w]);
        let slope = r.with_number("Mul", &square, 0.5 * 0.134145 * c);
        let slope = r.with_number("Add", &slope, 0.5 * c);
        let slope = r.op("Mul", &[x, &slope]);
        let tanh2 = r.op("Mul", &[&tanh, &tanh]);
        let lost = r.op("Mul", &[&slope, &tanh2]);
        let right = r.op("Sub", &[&slope, &lost]);
        let left = r.with_number("Mul", &tanh, 0.5);
        let left = r.with_number("Add", &left, 0.5);
        let total = r.op("Add", &[&left, &right]);
        return times(r, &total);
    }
    let u = r.with_number("Mul", x, FRAC_1_SQRT_2);
    let erf = r.op("Erf", &[&u]);
    let half = r.with_number("Mul", &erf, 0.5);
    let phi = r.with_number("Add", &half, 0.5);
    // The factor 1/√π goes into the exponent, where the subtraction is needed anyway.
    let square = r.op("Mul", &[&u, &u]);
    let level = r.b.scalar(-0.5 * PI.ln(), x);
    let exponent = r.op("Sub", &[&level, &square]);
    let bell = r.op("Exp", &[&exponent]);
    let bell = r.op("Mul", &[&u, &bell]);
    let slope = r.op("Add", &[&phi, &bell]);
    times(r, &slope)
}

/// Returns the mask of the x for which y = α x + β lies in (0, 1).
fn ramp(r: &mut Rule, alpha: f64, beta: f64) -> Result<String, crate::OnnxError> {
    let x = r.x(0)?;
    let (mut low, mut high) = (-beta / alpha, (1.0 - beta) / alpha);
    if alpha < 0.0 {
        std::mem::swap(&mut low, &mut high);
    }
    let low = r.b.scalar(low, x);
    let high = r.b.scalar(high, x);
    let above = r.op("Greater", &[x, &low]);
    let below = r.op("Less", &[x, &high]);
    Ok(r.op("And", &[&above, &below]))
}

/// y = max(0, min(1, α x + β)): dx = α dy where 0 < y < 1, else 0.
fn hard_sigmoid(r: &mut Rule) -> Gradients {
    let alpha = f64::from(r.node.float("alpha").unwrap_or(0.2));
    let beta = f64::from(r.node.float("beta").unwrap_or(0.5));
    let dy = r.dy()?;
    if alpha == 0.0 {
        let dx = r.b.scale(&dy, 0.0);
        return r.only(dx);
    }
    let inside = ramp(r, alpha, beta)?;
    let scaled = r.b.scale(&dy, alpha);
    let dx = r.masked(&scaled, &inside)?;
    r.only(dx)
}

/// y = x h with h = max(0, min(1, x/6 + 1/2)): dx = dy (h + x/6 where 0 < h < 1).
fn hard_swish(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    let inside = ramp(r, 1.0 / 6.0, 0.5)?;
    let h = r.op_with("HardSigmoid", &[x], &[("alpha", (1.0f32 / 6.0).into()), ("beta", 0.5f32.into())]);
    let sixth = r.with_number("Mul", x, 1.0 / 6.0);
    let bend = r.masked(&sixth, &inside)?;
    let slope = r.op("Add", &[&h, &bend]);
    times(r, &slope)
}

/// y = x for x > 0, else α x: dx = dy, else α dy.
fn leaky_relu(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    let zero = r.b.scalar(0.0, x);
    let positive = r.op("Greater", &[x, &zero]);
    let alpha = f64::from(r.node.float("alpha").unwrap_or(0.01));
    let dy = r.dy()?;
    let rest = r.b.scale(&dy, alpha);
    let dx = r.op("Where", &[&positive, &dy, &rest]);
    r.only(dx)
}

/// y = max(x, 0): dx = dy where y > 0, else 0.
fn relu(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    if r.b.graph().data_type(&y) == Some(DataType::F32) {
        // A ramp so steep that it is a step: 1 for every positive normal number. This is faster than comparing and
        // converting.
        let step = r.op_with("HardSigmoid", &[&y], &[("alpha", 1e38f32.into()), ("beta", 0f32.into())]);
        return times(r, &step);
    }
    let zero = r.b.scalar(0.0, &y);
    let positive = r.op("Greater", &[&y, &zero]);
    masked(r, &positive)
}

/// y = σ(x) = 1 / (1 + e⁻ˣ): dx = dy (y - y²).
fn sigmoid(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    let square = r.op("Mul", &[&y, &y]);
    let slope = r.op("Sub", &[&y, &square]);
    times(r, &slope)
}

/// y = ln(1 + eˣ): dx = dy σ(x).
fn softplus(r: &mut Rule) -> Gradients {
    let slope = r.op("Sigmoid", &[r.x(0)?]);
    times(r, &slope)
}

/// y = x / (1 + |x|): dx = dy / (1 + |x|)².
fn softsign(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let size = r.op("Abs", &[x]);
    let sum = r.with_number("Add", &size, 1.0);
    let square = r.op("Mul", &[&sum, &sum]);
    let dx = r.op("Div", &[&dy, &square]);
    r.only(dx)
}

/// y = tanh(x): dx = dy (1 - y²).
fn tanh(r: &mut Rule) -> Gradients {
    let y = r.y(0);
    let square = r.op("Mul", &[&y, &y]);
    let one = r.b.scalar(1.0, &y);
    let slope = r.op("Sub", &[&one, &square]);
    times(r, &slope)
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, normal, spread};

    #[test]
    fn smooth_activations() {
        for operator in ["Sigmoid", "Tanh", "Gelu", "Softplus"] {
            Check::new(operator, 1).input(normal(1, &[3, 4])).passes();
        }
        Check::new("Gelu", 1).attribute("approximate", "tanh").input(normal(1, &[3, 4])).passes();
    }

    #[test]
    fn activations_with_kinks() {
        for operator in ["Relu", "LeakyRelu", "Elu", "HardSigmoid", "Softsign"] {
            Check::new(operator, 1).input(spread(1, &[5, 6])).passes();
        }
        Check::new("LeakyRelu", 1).attribute("alpha", 0.3f32).input(spread(1, &[5, 6])).passes();
        Check::new("Elu", 1).attribute("alpha", 0.7f32).input(spread(1, &[5, 6])).passes();
        Check::new("HardSigmoid", 1)
            .attribute("alpha", 0.4f32)
            .attribute("beta", 0.4f32)
            .input(spread(1, &[5, 6]))
            .passes();
        // Kinks at -3 and 3 lie between the values 0.1 apart.
        Check::new("HardSwish", 1).input(spread(1, &[8, 10])).passes();
    }

    #[test]
    fn clips_with_one_or_both_bounds() {
        let bound = |v: f32| Tensor::f32(&[], &[v]);
        Check::new("Clip", 1).input(spread(1, &[5, 4])).constant(bound(-0.5)).constant(bound(0.6)).passes();
        Check::new("Clip", 1).input(spread(1, &[5, 4])).without().constant(bound(0.2)).passes();
    }
}
