//! Resizing images.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;
use crate::resampling::{Coordinates, Kernel, Rounding, Sampling};
use crate::shapes;

pub(super) const RULES: &[(&str, Derivative)] = &[("Resize", resize)];

/// Along each axis, y = R x with a constant matrix R of the interpolation's weights: dx = Rᵀ dy, axis by axis.
fn resize(r: &mut Rule) -> Gradients {
    let policy = r.node.text("keep_aspect_ratio_policy").unwrap_or("stretch");
    if policy != "stretch" {
        return Err(r.not_covered(&format!("the policy `{policy}`, whose scales are not those of the sizes")));
    }
    let shape = r.shape(r.x(0)?)?;
    let y = r.y(0);
    let result = r.shape(&y)?;
    let sampling = sampling(r)?;
    let scales = scales(r, &shape, &result)?;
    let mut dx = r.dy()?;
    for axis in (0..shape.len()).filter(|a| shape[*a] != result[*a] || scales[*a] != 1.0) {
        let matrix = sampling.matrix(shape[axis], result[axis], scales[axis]);
        dx = r.contract(&dx, axis, &matrix, shape[axis])?;
    }
    r.only(dx)
}

/// Returns the scale of each axis: the given one, or else the quotient of the sizes.
fn scales(r: &mut Rule, shape: &[usize], result: &[usize]) -> Result<Vec<f64>, OnnxError> {
    let quotient = || shape.iter().zip(result).map(|(s, t)| *t as f64 / *s as f64).collect::<Vec<_>>();
    let Some(name) = r.node.input(2) else { return Ok(quotient()) };
    let Some(given) = r.constant(name).and_then(|t| t.to_f64()).filter(|v| !v.is_empty()) else {
        return Ok(quotient());
    };
    let mut scales = vec![1.0; shape.len()];
    match r.node.ints("axes") {
        Some(axes) => {
            for (a, scale) in axes.iter().zip(given) {
                let axis = shapes::axis(*a, shape.len()).ok_or_else(|| r.not_covered("axes out of range"))?;
                scales[axis] = scale;
            }
        }
        None if given.len() == shape.len() => scales = given,
        None => return Err(r.not_covered("that number of scales")),
    }
    Ok(scales)
}

fn sampling(r: &mut Rule) -> Result<Sampling, OnnxError> {
    let coordinates = match r.node.text("coordinate_transformation_mode").unwrap_or("half_pixel") {
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        other => return Err(r.not_covered(&format!("coordinates `{other}`"))),
    };
    let kernel = match r.node.text("mode").unwrap_or("nearest") {
        "nearest" => Kernel::Nearest(match r.node.text("nearest_mode").unwrap_or("round_prefer_floor") {
            "round_prefer_ceil" => Rounding::PreferCeil,
            "floor" => Rounding::Floor,
            "ceil" => Rounding::Ceil,
            _ => Rounding::PreferFloor,
        }),
        "linear" => Kernel::Linear,
        "cubic" => Kernel::Cubic(f64::from(r.node.float("cubic_coeff_a").unwrap_or(-0.75))),
        other => return Err(r.not_covered(&format!("mode `{other}`"))),
    };
    let flag = |name: &str| r.node.int(name).unwrap_or(0) != 0;
    Ok(Sampling { coordinates, kernel, antialias: flag("antialias"), exclude_outside: flag("exclude_outside") })
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal};
    use crate::{Builder, DataType, Graph, Tensor, ValueType, differentiate};

    fn check(attributes: &[(&str, &str)], height: usize, width: usize) -> Check {
        let sizes = [1, 2, height as i64, width as i64];
        let mut check = Check::new("Resize", 1)
            .input(normal(1, &[1, 2, 4, 6]))
            .without()
            .without()
            .constant(Tensor::i64(&[4], &sizes));
        for (name, value) in attributes {
            check = check.attribute(name, *value);
        }
        check
    }

    #[test]
    fn all_kernels_and_coordinates() {
        for mode in ["nearest", "linear", "cubic"] {
            for coordinates in
                ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]
            {
                for (height, width) in [(8, 9), (3, 4)] {
                    check(&[("mode", mode), ("coordinate_transformation_mode", coordinates)], height, width).passes();
                }
            }
        }
    }

    #[test]
    fn every_rounding() {
        for rounding in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] {
            check(&[("mode", "nearest"), ("nearest_mode", rounding)], 7, 5).passes();
        }
    }

    #[test]
    fn antialiased_and_without_the_outside() {
        for mode in ["linear", "cubic"] {
            check(&[("mode", mode)], 2, 3).attribute("antialias", 1).passes();
        }
        check(&[("mode", "cubic")], 7, 9).attribute("exclude_outside", 1).passes();
    }

    #[test]
    fn scales_in_place_of_sizes() {
        Check::new("Resize", 1)
            .attribute("mode", "linear")
            .input(normal(1, &[1, 2, 4, 6]))
            .without()
            .constant(Tensor::f32(&[4], &[1.0, 1.0, 1.7, 0.6]))
            .passes();
    }

    /// With these policies the given sizes are bounds, and the scales are not their quotients.
    #[test]
    fn kept_proportions_are_refused() {
        for (policy, width, covered) in [("not_larger", 12, false), ("not_smaller", 13, false), ("stretch", 13, true)] {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            b.input("x", DataType::F32, &[1, 2, 4, 6]);
            let dy = b.input("dy", DataType::F32, &[1, 2, 8, width]);
            let sizes = b.ints(&[1, 2, 8, 13]);
            let y = b.op_with("Resize", &["x", "", "", &sizes], &[("keep_aspect_ratio_policy", policy.into())]);
            graph.types.insert(y.clone(), ValueType::fixed(DataType::F32, &[1, 2, 8, width]));
            let result = differentiate(&mut graph, &[(&y, &dy)], &["x"]).map_err(|e| e.to_string());
            match result {
                Ok(_) => assert!(covered, "{policy}"),
                Err(error) => assert!(!covered && error.contains(policy), "{error}"),
            }
        }
    }
}
