//! Pooling.

use super::convolution;
use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;
use crate::graph::Attribute;
use crate::tensor::{DataType, Tensor};
use crate::window::Window;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("AveragePool", average_pool),
    ("GlobalAveragePool", global_average_pool),
    ("GlobalMaxPool", global_max_pool),
    ("MaxPool", max_pool),
];

fn window(r: &mut Rule) -> Result<(Vec<usize>, Window), OnnxError> {
    let shape = r.shape(r.x(0)?)?;
    let kernel: Option<Vec<usize>> =
        r.node.ints("kernel_shape").and_then(|k| k.iter().map(|v| usize::try_from(*v).ok()).collect());
    let window = kernel.and_then(|kernel| Window::of(r.node, &shape, &kernel));
    window.map(|w| (shape, w)).ok_or_else(|| r.not_covered("sizes that do not fit together"))
}

/// y[o] is the mean of x over o's window: dx[i] is the sum of dy[o] / count[o] over the windows that i lies in, where
/// count[o] is the number of cells, pads counted or not.
fn average_pool(r: &mut Rule) -> Gradients {
    let (shape, window) = window(r)?;
    let dy = r.dy()?;
    let counts = counts(r, &window);
    let same = counts.iter().all(|c| *c == counts[0]);
    let share = if same {
        r.b.scale(&dy, 1.0 / counts[0])
    } else {
        let inverse: Vec<f64> = counts.iter().map(|c| 1.0 / c).collect();
        let dims = [&[1, 1], window.output.as_slice()].concat();
        let inverse = r.b.floats("share", &dims, &inverse, &dy);
        r.op("Mul", &[&dy, &inverse])
    };
    if window.is_exact_grid() {
        // Every cell of a window gets the same gradient, so this is an upscaling.
        let scales: Vec<f32> = [1, 1].iter().chain(&window.kernel).map(|k| *k as f32).collect();
        let scales = r.b.constant("scales", Tensor::f32(&[scales.len()], &scales));
        let attributes: [(&str, Attribute); 3] = [
            ("mode", "nearest".into()),
            ("coordinate_transformation_mode", "asymmetric".into()),
            ("nearest_mode", "floor".into()),
        ];
        let dx = r.op_with("Resize", &[&share, "", &scales], &attributes);
        return r.only(dx);
    }
    let channels = shape[1];
    let dims = [&[channels, 1], window.kernel.as_slice()].concat();
    let ones = vec![1.0; dims.iter().product()];
    let data_type = r.b.graph().data_type(&dy).unwrap_or(DataType::F32);
    let ones = Tensor::floats(data_type, &dims, &ones).ok_or_else(|| r.not_covered("integers"))?;
    let dx = convolution::backward(r, &share, &ones, None, channels, &window)?;
    r.only(dx)
}

/// Returns the number of cells that each window counts.
fn counts(r: &mut Rule, window: &Window) -> Vec<f64> {
    let with_pads = r.node.int("count_include_pad").unwrap_or(0) != 0;
    let mut counts = vec![1.0];
    for axis in 0..window.rank() {
        let along: Vec<f64> = (0..window.output[axis])
            .map(|o| {
                let start = window.start(axis, o);
                let size = window.input[axis] as i64;
                // Cells beyond the pads, which ceil_mode may reach, never count.
                let (low, high) = if with_pads {
                    (-(window.before[axis] as i64), size + window.after[axis] as i64)
                } else {
                    (0, size)
                };
                let taps = (0..window.kernel[axis] as i64).map(|t| start + t * window.dilations[axis] as i64);
                taps.filter(|i| (low..high).contains(i)).count() as f64
            })
            .collect();
        counts = counts.iter().flat_map(|c| along.iter().map(move |a| c * a)).collect();
    }
    counts
}

/// y is the mean of each channel: dx = dy / cells everywhere.
fn global_average_pool(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    let dy = r.dy()?;
    let share = r.b.scale(&dy, 1.0 / shape[2..].iter().product::<usize>() as f64);
    let sizes = r.b.sizes(&shape);
    let dx = r.op("Expand", &[&share, &sizes]);
    r.only(dx)
}

/// y is the greatest value of each channel: dx = dy where x = y, else 0, shared among equals.
fn global_max_pool(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    let axes: Vec<usize> = (2..r.shape(x)?.len()).collect();
    let (dy, y) = (r.dy()?, r.y(0));
    let dx = super::reduce::to_extremes(r, x, &y, &dy, &axes)?;
    r.only(dx)
}

/// y[o] = x[i(o)], the greatest value in o's window: dx[i] is the sum of dy[o] over the o with i(o) = i. The operator's
/// second output is i(o), as a position in all of x.
fn max_pool(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    if r.node.int("storage_order").unwrap_or(0) != 0 {
        return Err(r.not_covered("column-major positions"));
    }
    let dy = r.dy()?;
    let positions = r.y(1);
    let count: usize = r.shape(&dy)?.iter().product();
    let zeros = r.b.filled(0.0, &[1], &dy);
    let total = r.b.sizes(&[shape.iter().product()]);
    let zeros = r.op("Expand", &[&zeros, &total]);
    let flat = r.b.reshape(&dy, &[count]);
    let positions = r.b.reshape(&positions, &[count]);
    let dx =
        r.op_with("ScatterElements", &[&zeros, &positions, &flat], &[("axis", 0.into()), ("reduction", "add".into())]);
    let dx = r.b.reshape(&dx, &shape);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal, spread};

    fn average(x: &[usize], ints: &[(&str, &[i64])], flags: &[(&str, i64)]) -> Vec<String> {
        let mut check = Check::new("AveragePool", 1).input(normal(1, x));
        for (name, values) in ints {
            check = check.attribute(name, values.to_vec());
        }
        for (name, value) in flags {
            check = check.attribute(name, *value);
        }
        check.passes()
    }

    #[test]
    fn averages_side_by_side_are_enlarged() {
        let kinds = average(&[2, 3, 4, 6], &[("kernel_shape", &[2, 2]), ("strides", &[2, 2])], &[]);
        assert_eq!(kinds, ["Mul", "Resize"]);
    }

    #[test]
    fn averages_that_overlap_or_reach_into_pads() {
        average(&[2, 3, 5, 7], &[("kernel_shape", &[2, 2]), ("strides", &[2, 2])], &[]);
        for counted in [0, 1] {
            let flags = [("count_include_pad", counted)];
            average(&[1, 2, 6, 6], &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1])], &flags);
            let strided: [(&str, &[i64]); 3] =
                [("kernel_shape", &[3, 3]), ("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])];
            average(&[1, 2, 7, 8], &strided, &flags);
            average(&[1, 2, 8, 8], &strided, &[("count_include_pad", counted), ("ceil_mode", 1)]);
        }
    }

    #[test]
    fn over_whole_channels() {
        Check::new("GlobalAveragePool", 1).input(normal(1, &[2, 3, 4, 5])).passes();
        Check::new("GlobalMaxPool", 1).input(spread(1, &[2, 3, 4, 5])).passes();
    }

    #[test]
    fn greatest_of_windows() {
        let max = |ints: &[(&str, &[i64])]| {
            let mut check = Check::new("MaxPool", 1).input(spread(1, &[2, 2, 6, 7]));
            for (name, values) in ints {
                check = check.attribute(name, values.to_vec());
            }
            check.passes()
        };
        max(&[("kernel_shape", &[2, 2]), ("strides", &[2, 2])]);
        max(&[("kernel_shape", &[3, 3]), ("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])]);
        max(&[("kernel_shape", &[3, 2]), ("dilations", &[2, 1])]);
    }
}
