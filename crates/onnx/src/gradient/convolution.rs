//! Convolutions.

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;
use crate::graph::Attribute;
use crate::tensor::Tensor;
use crate::window::Window;

pub(super) const RULES: &[(&str, Derivative)] = &[("Conv", conv), ("ConvTranspose", conv_transpose)];

/// Up to this many channels of X, a transposed convolution is the fastest backward pass. Measured with onnxruntime
/// 1.32, with 3x3 kernels from 16, 32 and 64 channels at 64x64 and the stems of ResNets: 3 times as fast at 3 channels,
/// equally fast at 8 to 16.
const THIN: usize = 4;

/// Y[o] = Σ_t X[s o + d t - p] W[t]: dX[i] = Σ_t dY[(i + p - d t) / s] W[t], over the t for which that index is valid.
fn conv(r: &mut Rule) -> Gradients {
    let (x, w, dy) = (r.x(0)?, r.x(1)?, r.dy()?);
    let (x_shape, w_shape) = (r.shape(x)?, r.shape(w)?);
    let window = Window::of(r.node, &x_shape, w_shape.get(2..).unwrap_or(&[]))
        .ok_or_else(|| r.not_covered("sizes that do not fit together"))?;
    let group =
        usize::try_from(r.node.int("group").unwrap_or(1)).ok().filter(|g| *g > 0 && w_shape[0].is_multiple_of(*g));
    let group = group.ok_or_else(|| r.not_covered("that number of groups"))?;
    let dx = match r.constant(w) {
        Some(weight) => backward(r, &dy, &weight, Some(w), group, &window)?,
        None => transposed(r, &dy, w, group, &window)?,
    };
    r.only(dx)
}

/// Computes the gradient of a convolution with constant weights `[M, C/group, kernel...]` in the fastest way. `name` is
/// the name of the weights, if they have one.
pub(super) fn backward(
    r: &mut Rule,
    dy: &str,
    weight: &Tensor,
    name: Option<&str>,
    group: usize,
    window: &Window,
) -> Result<String, OnnxError> {
    if group == 1
        && window.rank() == 2
        && window.is_grid()
        && window.kernel.iter().product::<usize>() > 1
        && let Some(name) = name
    {
        return patches(r, dy, weight, name, window);
    }
    // For the few channels of an image, onnxruntime's transposed convolution is three times as fast as its convolution.
    let thin = group == 1 && weight.dims[1] <= THIN;
    // Kernels with more taps than there are places for them mostly meet padding when they are a convolution: a
    // transposed one of 16x16 taps at 3x3 places is four times as fast.
    let few = group == 1 && window.output.iter().product::<usize>() < window.kernel.iter().product();
    if !thin
        && !few
        && let Some(result) = phases(r, dy, weight, group, window)?
    {
        return Ok(result);
    }
    let name = match name {
        Some(name) => name.to_string(),
        None => r.b.constant("kernel", weight.clone()),
    };
    transposed(r, dy, &name, group, window)
}

/// Handles adjacent windows (a patch embedding): each patch's gradient is its row of dY times the weights, so one
/// matrix product computes all of them.
fn patches(r: &mut Rule, dy: &str, weight: &Tensor, name: &str, window: &Window) -> Result<String, OnnxError> {
    let dy_shape = r.shape(dy)?;
    let [n, m, rows, columns] = dy_shape[..] else { return Err(r.not_covered("gradients of that rank")) };
    let (c, kh, kw) = (weight.dims[1], window.kernel[0], window.kernel[1]);
    let last = r.b.transpose(dy, &[0, 2, 3, 1]);
    let last = r.b.reshape(&last, &[n * rows * columns, m]);
    let flat = r.b.reshape(name, &[m, c * kh * kw]);
    let product = r.op("MatMul", &[&last, &flat]);
    let product = r.b.reshape(&product, &[n, rows, columns, c, kh, kw]);
    let image = r.b.transpose(&product, &[0, 3, 1, 4, 2, 5]);
    let image = r.b.reshape(&image, &[n, c, rows * kh, columns * kw]);
    fit(r, &image, &window.input)
}

/// Pads the end of each spatial axis with zeros, or crops it, to the given sizes.
fn fit(r: &mut Rule, value: &str, sizes: &[usize]) -> Result<String, OnnxError> {
    let shape = r.shape(value)?;
    if &shape[2..] == sizes {
        return Ok(value.into());
    }
    let mut amounts = vec![0; 2 * shape.len()];
    for (axis, size) in sizes.iter().enumerate() {
        amounts[shape.len() + 2 + axis] = *size as i64 - shape[2 + axis] as i64;
    }
    let amounts = r.b.ints(&amounts);
    Ok(r.op("Pad", &[value, &amounts]))
}

/// The split of one axis of the gradient into the phases of its stride.
struct Phases {
    /// The number of taps of the kernel that serves all phases.
    taps: usize,
    before: usize,
    after: usize,
    /// For each phase and each of these taps, the tap of the convolution's own kernel, if any.
    source: Vec<Vec<Option<usize>>>,
}

/// Splits an axis. The gradient at i = s a + r (phase r) is Σ_j dY[a + u - j] W[v + s j], where r + p = s u + v: for
/// each phase a convolution at stride 1 with every s-th tap, flipped. Returns `None` where that would need a negative
/// pad.
fn axis_phases(window: &Window, axis: usize) -> Option<Phases> {
    let (k, s, p) = (window.kernel[axis] as i64, window.strides[axis] as i64, window.before[axis] as i64);
    let d = window.dilations[axis] as i64;
    if d > 1 {
        // At stride 1 the dilated kernel is only flipped.
        let before = d * (k - 1) - p;
        let after = window.input[axis] as i64 - window.output[axis] as i64 + p;
        let source = vec![(0..k).map(|t| usize::try_from(k - 1 - t).ok()).collect()];
        return (s == 1 && before >= 0 && after >= 0).then_some(Phases {
            taps: k as usize,
            before: before as usize,
            after: after as usize,
            source,
        });
    }
    let split = |r: i64| ((r + p) / s, (r + p) % s);
    // Windows shorter than the stride leave phases that no window reaches.
    let count = |v: i64| if v < k { (k - v + s - 1) / s } else { 0 };
    let reached: Vec<(i64, i64)> = (0..s).map(split).filter(|(_, v)| count(*v) > 0).collect();
    let low = reached.iter().map(|(u, v)| u - (count(*v) - 1)).min()?;
    let high = reached.iter().map(|(u, _)| *u).max()?;
    let taps = high - low + 1;
    let length = (window.input[axis] as i64 + s - 1) / s;
    let before = -low;
    let after = length - window.output[axis] as i64 - before + taps - 1;
    let source = (0..s)
        .map(|r| {
            let (u, v) = split(r);
            (0..taps)
                .map(|tap| {
                    let j = u - low - tap;
                    (0..count(v)).contains(&j).then(|| (v + s * j) as usize)
                })
                .collect()
        })
        .collect();
    (before >= 0 && after >= 0).then_some(Phases {
        taps: taps as usize,
        before: before as usize,
        after: after as usize,
        source,
    })
}

/// Computes all phases of the gradient as channels of one convolution at stride 1, then applies `DepthToSpace`. At
/// stride 1 there is one phase and nothing to rearrange. The weights are computed here, as a constant. Returns `None`
/// where this method does not apply.
fn phases(r: &mut Rule, dy: &str, weight: &Tensor, group: usize, window: &Window) -> Result<Option<String>, OnnxError> {
    let rank = window.rank();
    let stride = window.strides[0];
    if window.strides.iter().any(|s| *s != stride) || (stride > 1 && rank != 2) {
        return Ok(None);
    }
    let Some(axes) = (0..rank).map(|a| axis_phases(window, a)).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let Some(values) = weight.to_f64() else { return Ok(None) };
    let (m, c) = (weight.dims[0] / group, weight.dims[1]);
    let kernel_size: usize = window.kernel.iter().product();
    let taps: Vec<usize> = axes.iter().map(|a| a.taps).collect();
    let tap_count: usize = taps.iter().product();
    let phase_count = stride.pow(rank as u32);
    // [group · c · phases, m, taps...]
    let mut new = vec![0.0; group * c * phase_count * m * tap_count];
    for phase in 0..phase_count {
        for tap in 0..tap_count {
            let (mut phase_rest, mut tap_rest, mut source, mut step) = (phase, tap, Some(0), 1);
            for axis in (0..rank).rev() {
                let from = axes[axis].source[phase_rest % stride][tap_rest % taps[axis]];
                source = source.zip(from).map(|(sum, t)| sum + t * step);
                step *= window.kernel[axis];
                phase_rest /= stride;
                tap_rest /= taps[axis];
            }
            let Some(source) = source else { continue };
            for g in 0..group {
                for (i, j) in (0..c).flat_map(|i| (0..m).map(move |j| (i, j))) {
                    let to = (((g * c + i) * phase_count + phase) * m + j) * tap_count + tap;
                    new[to] = values[((g * m + j) * c + i) * kernel_size + source];
                }
            }
        }
    }
    let dims = [&[group * c * phase_count, m], taps.as_slice()].concat();
    let new = r.b.floats("kernel", &dims, &new, dy);
    let pads: Vec<usize> = axes.iter().map(|a| a.before).chain(axes.iter().map(|a| a.after)).collect();
    let mut attributes: Vec<(&str, Attribute)> = vec![
        ("group", (group as i64).into()),
        ("kernel_shape", taps.as_slice().into()),
        ("pads", pads.as_slice().into()),
    ];
    if window.dilations.iter().any(|d| *d > 1) {
        attributes.push(("dilations", window.dilations.as_slice().into()));
    }
    let mut dx = r.op_with("Conv", &[dy, &new], &attributes);
    if stride > 1 {
        dx = r.op_with("DepthToSpace", &[&dx], &[("blocksize", (stride as i64).into()), ("mode", "CRD".into())]);
    }
    Ok(Some(fit(r, &dx, &window.input)?))
}

/// Computes the gradient as a transposed convolution with the same weights. This works for every case, but is slow on
/// CPUs.
fn transposed(r: &mut Rule, dy: &str, w: &str, group: usize, window: &Window) -> Result<String, OnnxError> {
    let mut pads = window.before.clone();
    let mut extra = Vec::new();
    // Cells at the end that no forward window reaches are padded; what the windows reach beyond the end is cropped.
    for axis in 0..window.rank() {
        let full = window.strides[axis] * (window.output[axis] - 1) + window.reach(axis);
        let wanted = window.input[axis] + window.before[axis];
        pads.push(full.saturating_sub(wanted));
        extra.push(wanted.saturating_sub(full));
    }
    // `output_padding` must be smaller than the stride or the dilation; longer rests are padded afterwards.
    let small = (0..window.rank()).all(|a| extra[a] < window.strides[a].max(window.dilations[a]));
    let attributes: Vec<(&str, Attribute)> = vec![
        ("group", (group as i64).into()),
        ("kernel_shape", window.kernel.as_slice().into()),
        ("strides", window.strides.as_slice().into()),
        ("dilations", window.dilations.as_slice().into()),
        ("pads", pads.as_slice().into()),
        ("output_padding", if small { extra.as_slice() } else { &[0; 8][..extra.len().min(8)] }.into()),
    ];
    let dx = r.op_with("ConvTranspose", &[dy, w], &attributes);
    fit(r, &dx, &window.input)
}

/// The gradient of a transposed convolution is that convolution.
fn conv_transpose(r: &mut Rule) -> Gradients {
    let (x, w, dy) = (r.x(0)?, r.x(1)?, r.dy()?);
    let shape = r.shape(x)?;
    let rank = shape.len() - 2;
    let automatic = r.node.text("auto_pad").unwrap_or("NOTSET");
    if automatic != "NOTSET" || r.node.ints("output_shape").is_some() {
        return Err(r.not_covered("automatic pads"));
    }
    let mut attributes: Vec<(&str, Attribute)> = Vec::new();
    for name in ["strides", "dilations", "pads", "kernel_shape", "group"] {
        if let Some(value) = r.node.attributes.get(name) {
            attributes.push((name, value.clone()));
        }
    }
    let dx = r.op_with("Conv", &[&dy, w], &attributes);
    // Output padding leaves cells that no window starts at.
    let got = r.shape(&dx)?;
    if got[2..] != shape[2..] {
        let axes: Vec<i64> = (2..2 + rank as i64).collect();
        let (starts, ends, axes) = (r.b.ints(&vec![0; rank]), r.b.sizes(&shape[2..]), r.b.ints(&axes));
        let dx = r.op("Slice", &[&dx, &starts, &ends, &axes]);
        return r.only(dx);
    }
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal};

    fn conv(x: &[usize], w: &[usize], ints: &[(&str, &[i64])], group: i64) -> Check {
        let mut check = Check::new("Conv", 1).input(normal(1, x)).constant(normal(2, w)).attribute("group", group);
        for (name, values) in ints {
            check = check.attribute(name, values.to_vec());
        }
        check
    }

    #[test]
    fn stride_one_is_a_convolution() {
        let kinds = conv(&[2, 5, 6, 5], &[4, 5, 3, 3], &[("pads", &[1, 1, 1, 1])], 1).passes();
        assert_eq!(kinds, ["Conv"]);
        conv(&[2, 5, 6, 5], &[4, 5, 3, 2], &[("pads", &[0, 1, 2, 0])], 1).passes();
        conv(&[1, 4, 6, 5], &[6, 2, 3, 3], &[("pads", &[1, 1, 1, 1])], 2).passes();
        conv(&[1, 4, 6, 5], &[4, 1, 3, 3], &[("pads", &[1, 1, 1, 1])], 4).passes();
        conv(&[1, 5, 9, 9], &[3, 5, 3, 3], &[("dilations", &[2, 2]), ("pads", &[1, 2, 2, 0])], 1).passes();
        conv(&[2, 5, 6, 5], &[4, 5, 1, 1], &[], 1).passes();
        conv(&[2, 5, 7], &[4, 5, 3], &[("pads", &[1, 1])], 1).passes();
    }

    #[test]
    fn strides_go_back_in_phases() {
        let kinds = conv(&[2, 5, 8, 8], &[4, 5, 3, 3], &[("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])], 1).passes();
        assert_eq!(kinds, ["Conv", "DepthToSpace"]);
        conv(&[1, 5, 9, 7], &[3, 5, 3, 3], &[("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])], 1).passes();
        conv(&[1, 5, 11, 11], &[3, 5, 5, 5], &[("strides", &[3, 3]), ("pads", &[2, 1, 0, 2])], 1).passes();
        conv(&[1, 4, 8, 8], &[6, 2, 3, 3], &[("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])], 2).passes();
        conv(&[1, 5, 9, 9], &[3, 5, 1, 1], &[("strides", &[2, 2])], 1).passes();
        conv(&[1, 5, 10, 10], &[3, 5, 2, 2], &[("strides", &[3, 3])], 1).passes();
    }

    #[test]
    fn patches_are_one_matrix_product() {
        let kinds = conv(&[2, 3, 8, 8], &[5, 3, 4, 4], &[("strides", &[4, 4])], 1).passes();
        assert!(kinds.contains(&"MatMul".to_string()) && !kinds.contains(&"Conv".to_string()), "{kinds:?}");
        conv(&[2, 3, 9, 11], &[5, 3, 4, 4], &[("strides", &[4, 4])], 1).passes();
    }

    #[test]
    fn images_and_what_is_left_are_transposed_convolutions() {
        let kinds = conv(&[2, 3, 6, 5], &[4, 3, 3, 3], &[("pads", &[1, 1, 1, 1])], 1).passes();
        assert_eq!(kinds, ["ConvTranspose"]);
        conv(&[1, 3, 9, 8], &[4, 3, 3, 3], &[("pads", &[1, 1, 1, 1]), ("strides", &[2, 2])], 1).passes();
        let kinds = conv(&[1, 2, 9, 9], &[3, 2, 3, 3], &[("strides", &[2, 1]), ("pads", &[1, 0, 0, 1])], 1).passes();
        assert!(kinds.contains(&"ConvTranspose".to_string()), "{kinds:?}");
        conv(&[1, 2, 11, 11], &[3, 2, 3, 3], &[("strides", &[2, 2]), ("dilations", &[2, 2])], 1).passes();
        // A pad wider than the kernel: the outermost windows see no cell.
        conv(&[1, 2, 4, 4], &[3, 2, 2, 2], &[("pads", &[3, 2, 2, 3])], 1).passes();
        // More taps than places.
        let kinds = conv(&[2, 6, 9, 8], &[5, 6, 7, 7], &[], 1).passes();
        assert_eq!(kinds, ["ConvTranspose"]);
        conv(&[1, 2, 9], &[3, 2, 3], &[("strides", &[2])], 1).passes();
    }

    #[test]
    fn automatic_pads() {
        for mode in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
            conv(&[1, 5, 7, 8], &[3, 5, 3, 3], &[("strides", &[2, 2])], 1).attribute("auto_pad", mode).passes();
        }
    }

    #[test]
    fn transposed_convolutions() {
        let base = |ints: &[(&str, &[i64])]| {
            let mut check =
                Check::new("ConvTranspose", 1).input(normal(1, &[1, 3, 4, 5])).constant(normal(2, &[3, 2, 3, 3]));
            for (name, values) in ints {
                check = check.attribute(name, values.to_vec());
            }
            check
        };
        base(&[]).passes();
        base(&[("strides", &[2, 2]), ("pads", &[1, 1, 1, 1]), ("output_padding", &[1, 1])]).passes();
        base(&[("dilations", &[2, 2])]).passes();
    }
}
