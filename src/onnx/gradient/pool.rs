//! Pooling.

use super::convolution;
use super::rule::{Derivative, Gradients, Rule};
use crate::onnx::error::OnnxError;
use crate::onnx::graph::Attribute;
use crate::onnx::tensor::Tensor;
use crate::onnx::window::Window;

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
        // Every cell of a window gets the same: an enlargement.
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
    let ones = Tensor::f32(&dims, &vec![1.0; dims.iter().product()]);
    let dx = convolution::backward(r, &share, &ones, None, channels, &window)?;
    r.only(dx)
}

/// How many cells each window counts.
fn counts(r: &mut Rule, window: &Window) -> Vec<f64> {
    let with_pads = r.node.int("count_include_pad").unwrap_or(0) != 0;
    let mut counts = vec![1.0];
    for axis in 0..window.rank() {
        let along: Vec<f64> = (0..window.output[axis])
            .map(|o| {
                let start = window.start(axis, o);
                let size = window.input[axis] as i64;
                // What ceil_mode reaches beyond the pads never counts.
                let (low, high) =
                    if with_pads { (-(window.before[axis] as i64), size + window.after[axis] as i64) } else { (0, size) };
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

/// y is the greatest of each channel: dx = dy where x = y, else 0, shared among equals.
fn global_max_pool(r: &mut Rule) -> Gradients {
    let x = r.x(0)?;
    let axes: Vec<usize> = (2..r.shape(x)?.len()).collect();
    let (dy, y) = (r.dy()?, r.y(0));
    let dx = super::reduce::to_extremes(r, x, &y, &dy, &axes)?;
    r.only(dx)
}

/// y[o] = x[i(o)], the greatest in o's window: dx[i] is the sum of dy[o] over the o with i(o) = i. The operator's second
/// output gives i(o) as a position in all of x.
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
    let dx = r.op_with("ScatterElements", &[&zeros, &positions, &flat], &[("axis", 0.into()), ("reduction", "add".into())]);
    let dx = r.b.reshape(&dx, &shape);
    r.only(dx)
}
