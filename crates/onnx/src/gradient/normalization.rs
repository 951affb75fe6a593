//! Normalisations.

use super::rule::{Derivative, Gradients, Rule};

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("BatchNormalization", batch_normalization),
    ("InstanceNormalization", instance_normalization),
    ("LayerNormalization", layer_normalization),
];

/// y = γ (x - m) / √(v + ε) + β with constants for each channel: dx = dy γ / √(v + ε).
fn batch_normalization(r: &mut Rule) -> Gradients {
    let (dy, scale, variance) = (r.dy()?, r.x(1)?, r.x(4)?);
    let epsilon = f64::from(r.node.float("epsilon").unwrap_or(1e-5));
    let rank = r.shape(r.x(0)?)?.len();
    let channels = r.shape(scale)?.iter().product::<usize>();
    let mut dims = vec![1; rank];
    dims[1] = channels;
    let known = r.constant(scale).and_then(|s| s.to_f64()).zip(r.constant(variance).and_then(|v| v.to_f64()));
    let gain = match known {
        Some((scale, variance)) => {
            let gain: Vec<f64> = scale.iter().zip(variance).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
            r.b.floats("gain", &dims, &gain, &dy)
        }
        None => {
            let sum = r.with_number("Add", variance, epsilon);
            let root = r.op("Sqrt", &[&sum]);
            let gain = r.op("Div", &[scale, &root]);
            r.b.reshape(&gain, &dims)
        }
    };
    let dx = r.op("Mul", &[&dy, &gain]);
    r.only(dx)
}

/// Differentiates x̂ = (x - mean) · r over some axes, where r is the inverse deviation and g the gradient of x̂:
/// dx = r (g - mean g - x̂ mean(g x̂)), here with x - mean in place of x̂, which saves an array because r² moves to the
/// small factor. The statistics may have another type than x: they are f32 for halves, too.
fn normalized(r: &mut Rule, x: &str, mean: &str, inverse: &str, g: &str, axes: &[usize]) -> String {
    let (mean, inverse) = (&r.of_type(mean, x), &r.of_type(inverse, x));
    let centred = r.op("Sub", &[x, mean]);
    let product = r.op("Mul", &[g, &centred]);
    let along = r.b.reduce("ReduceMean", &product, axes, true);
    // One multiplication at a time, because r² alone may be too large for halves.
    let along = r.op("Mul", &[&along, inverse]);
    let along = r.op("Mul", &[&along, inverse]);
    let along = r.op("Mul", &[&centred, &along]);
    let level = r.b.reduce("ReduceMean", g, axes, true);
    let rest = r.op("Sub", &[g, &along]);
    let rest = r.op("Sub", &[&rest, &level]);
    r.op("Mul", &[&rest, inverse])
}

/// y = γ x̂ + β, x̂ normalised over the axes from `axis` on; the operator outputs mean and inverse deviation.
fn layer_normalization(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let rank = r.shape(x)?.len();
    let axes: Vec<usize> = (r.axis(-1, rank)?..rank).collect();
    let scale = r.x(1)?;
    let (mean, inverse) = (r.y(1), r.y(2));
    let g = r.op("Mul", &[&dy, scale]);
    let dx = normalized(r, x, &mean, &inverse, &g, &axes);
    r.only(dx)
}

/// y = γ x̂ + β, x̂ normalised over the spatial axes of each channel, with γ and β for each channel. A
/// `LayerNormalization` computes the statistics again, since the operator does not output them.
fn instance_normalization(r: &mut Rule) -> Gradients {
    let (dy, x, scale) = (r.dy()?, r.x(0)?, r.x(1)?);
    let shape = r.shape(x)?;
    let (channels, cells) = (shape[1], shape[2..].iter().product::<usize>());
    let flat_dims = [shape[0], channels, cells];
    let flat = r.b.reshape(x, &flat_dims);
    let ones = r.b.filled(1.0, &[cells], x);
    let epsilon = r.node.float("epsilon").unwrap_or(1e-5);
    let statistics =
        r.b.op_many("LayerNormalization", &[&flat, &ones], &[("epsilon", epsilon.into()), ("axis", (-1).into())], 3);
    let dy = r.b.reshape(&dy, &flat_dims);
    let scale = r.b.reshape(scale, &[channels, 1]);
    let g = r.op("Mul", &[&dy, &scale]);
    let dx = normalized(r, &flat, &statistics[1], &statistics[2], &g, &[2]);
    let dx = r.b.reshape(&dx, &shape);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal, uniform};

    #[test]
    fn layers() {
        Check::new("LayerNormalization", 1)
            .input(normal(1, &[2, 3, 8]))
            .constant(normal(2, &[8]))
            .constant(normal(3, &[8]))
            .passes();
        Check::new("LayerNormalization", 1)
            .attribute("axis", 1)
            .attribute("epsilon", 0.1f32)
            .input(normal(1, &[2, 3, 4]))
            .constant(normal(2, &[3, 4]))
            .passes();
    }

    #[test]
    fn instances() {
        Check::new("InstanceNormalization", 1)
            .input(normal(1, &[2, 3, 4, 5]))
            .constant(normal(2, &[3]))
            .constant(normal(3, &[3]))
            .passes();
    }

    #[test]
    fn batches() {
        Check::new("BatchNormalization", 1)
            .input(normal(1, &[2, 3, 4, 5]))
            .constant(normal(2, &[3]))
            .constant(normal(3, &[3]))
            .constant(normal(4, &[3]))
            .constant(uniform(5, &[3], 0.5, 2.0))
            .passes();
    }
}
