//! Convolutions of each channel by itself.

use crate::epilogue::Epilogue;
use crate::instructions::{FUSED_EVERYWHERE, Instructions};

/// Channels that are computed together: their number has to be a multiple of it.
pub(crate) const LANES: usize = 16;

/// One axis of a convolution: output o meets input s o + t - p with tap t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// The number of taps.
    pub kernel: usize,
    /// s
    pub stride: usize,
    /// p: how many zeros are before the input.
    pub before: usize,
    /// The length of the input.
    pub input: usize,
    /// The length of the output.
    pub output: usize,
}

impl Axis {
    /// Returns the taps of an element of the output, each with the element of the input that it meets.
    fn forward(self, o: usize) -> Vec<(usize, usize)> {
        let meets = |t: usize| (self.stride * o + t).checked_sub(self.before).filter(|i| *i < self.input);
        (0..self.kernel).filter_map(|t| Some((t, meets(t)?))).collect()
    }

    /// Returns the taps of an element of the input, each with the element of the output that it meets.
    fn adjoint(self, i: usize) -> Vec<(usize, usize)> {
        let meets = |t: usize| {
            let distance = (i + self.before).checked_sub(t).filter(|distance| distance.is_multiple_of(self.stride))?;
            Some(distance / self.stride).filter(|o| *o < self.output)
        };
        (0..self.kernel).filter_map(|t| Some((t, meets(t)?))).collect()
    }
}

/// A convolution of each channel by itself, or its adjoint, on images of fixed sizes.
pub(crate) struct Depthwise {
    channels: usize,
    instructions: Instructions,
    /// [taps, channels]
    weights: Vec<f32>,
    /// [channels]
    bias: Vec<f32>,
    /// The width of what is read and of what is written.
    widths: [usize; 2],
    /// The width of the kernel.
    columns: usize,
    /// For each row that is written, the kernel's rows, each with the row that is read.
    rows: Vec<Vec<(usize, usize)>>,
    runs: Vec<Run>,
}

/// Columns at equal distances that meet the same columns of the kernel, so that one loop computes them.
#[derive(Debug, PartialEq)]
struct Run {
    first: usize,
    step: usize,
    count: usize,
    /// The kernel's columns, each with the column that is read for the first of the run.
    taps: Vec<(usize, usize)>,
    /// The distance of the columns that are read.
    input_step: usize,
}

impl Depthwise {
    /// Returns the convolution y[o] = b + Σ_t x[s o + t - p] w[t]. `axes` are height and width, `weights` [channels,
    /// kernel rows, kernel columns], `bias` [channels].
    pub fn new(
        instructions: Instructions,
        channels: usize,
        axes: [Axis; 2],
        weights: &[f32],
        bias: Option<&[f32]>,
    ) -> Self {
        let [rows, columns] = axes;
        let runs = runs(columns.output, 1, columns.stride, |o| columns.forward(o));
        Depthwise {
            channels,
            instructions,
            weights: taps_first(channels, weights),
            bias: bias.map_or_else(|| vec![0.0; channels], <[f32]>::to_vec),
            widths: [columns.input, columns.output],
            columns: columns.kernel,
            rows: (0..rows.output).map(|o| rows.forward(o)).collect(),
            runs,
        }
    }

    /// Returns the adjoint of that convolution (without its bias): dx[s o + t - p] += dy[o] w[t].
    pub fn adjoint(instructions: Instructions, channels: usize, axes: [Axis; 2], weights: &[f32]) -> Self {
        let [rows, columns] = axes;
        let runs = runs(columns.input, columns.stride, 1, |i| columns.adjoint(i));
        Depthwise {
            channels,
            instructions,
            weights: taps_first(channels, weights),
            bias: vec![0.0; channels],
            widths: [columns.output, columns.input],
            columns: columns.kernel,
            rows: (0..rows.input).map(|i| rows.adjoint(i)).collect(),
            runs,
        }
    }

    /// Computes one image, [rows, columns, channels]. `at` is the index that the epilogue is told for the first value.
    pub fn image<E: Epilogue>(&self, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
        match self.instructions {
            // SAFETY: the processor has these instructions, as `Instructions` says.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512(self, x, out, at, epilogue) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise.
            Instructions::Avx2 => unsafe { avx2(self, x, out, at, epilogue) },
            Instructions::Plain => image::<4, FUSED_EVERYWHERE, E>(self, x, out, at, epilogue),
        }
    }
}

/// Turns weights [channels, taps] into [taps, channels].
fn taps_first(channels: usize, weights: &[f32]) -> Vec<f32> {
    let taps = weights.len() / channels;
    (0..taps * channels).map(|i| weights[i % channels * taps + i / channels]).collect()
}

/// Divides the columns that are written into runs.
fn runs(count: usize, step: usize, input_step: usize, taps: impl Fn(usize) -> Vec<(usize, usize)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for o in 0..count {
        let taps = taps(o);
        let follows = |run: &Run| {
            run.first + run.step * run.count == o
                && run.taps.len() == taps.len()
                && run.taps.iter().zip(&taps).all(|(a, b)| a.0 == b.0 && a.1 + run.count * run.input_step == b.1)
        };
        match runs.iter_mut().find(|run| follows(run)) {
            Some(run) => run.count += 1,
            None => runs.push(Run { first: o, step, count: 1, taps, input_step }),
        }
    }
    runs
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512<E: Epilogue>(d: &Depthwise, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
    image::<8, true, E>(d, x, out, at, epilogue);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<E: Epilogue>(d: &Depthwise, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
    image::<4, true, E>(d, x, out, at, epilogue);
}

#[inline(always)]
fn image<const STRIP: usize, const FUSED: bool, E: Epilogue>(
    d: &Depthwise,
    x: &[f32],
    out: &mut [f32],
    at: usize,
    epilogue: &mut E,
) {
    let mut taps: Vec<(usize, usize)> = Vec::with_capacity(d.weights.len() / d.channels);
    for (row, meets) in d.rows.iter().enumerate() {
        for run in &d.runs {
            taps.clear();
            for (kernel_row, input_row) in meets {
                taps.extend(run.taps.iter().map(|(kernel_column, input_column)| {
                    let input = (input_row * d.widths[0] + input_column) * d.channels;
                    ((kernel_row * d.columns + kernel_column) * d.channels, input)
                }));
            }
            let place = |i: usize| (row * d.widths[1] + run.first + i * run.step) * d.channels;
            let (step, input_step) = (run.step * d.channels, run.input_step * d.channels);
            for lane in (0..d.channels).step_by(LANES) {
                let mut i = 0;
                while i + STRIP <= run.count {
                    let sums = strip::<STRIP, FUSED>(d, x, &taps, lane, i * input_step, input_step);
                    for (p, sum) in sums.iter().enumerate() {
                        let to = place(i) + p * step + lane;
                        epilogue.store(at + to, sum, &mut out[to..]);
                    }
                    i += STRIP;
                }
                while i < run.count {
                    let [sum] = strip::<1, FUSED>(d, x, &taps, lane, i * input_step, input_step);
                    let to = place(i) + lane;
                    epilogue.store(at + to, &sum, &mut out[to..]);
                    i += 1;
                }
            }
        }
    }
}

/// Computes some columns of a run in some channels.
#[inline(always)]
fn strip<const STRIP: usize, const FUSED: bool>(
    d: &Depthwise,
    x: &[f32],
    taps: &[(usize, usize)],
    lane: usize,
    offset: usize,
    step: usize,
) -> [[f32; LANES]; STRIP] {
    let mut bias = [0.0; LANES];
    bias.copy_from_slice(&d.bias[lane..][..LANES]);
    let mut sums = [bias; STRIP];
    for (weight, input) in taps {
        let weights: &[f32] = &d.weights[weight + lane..][..LANES];
        let x = &x[input + offset + lane..][..(STRIP - 1) * step + LANES];
        for (p, sums) in sums.iter_mut().enumerate() {
            let x = &x[p * step..][..LANES];
            for j in 0..LANES {
                sums[j] = if FUSED { x[j].mul_add(weights[j], sums[j]) } else { sums[j] + x[j] * weights[j] };
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epilogue::Plain;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        // Eighths: their sums are exact, in any order.
        (0..count).map(|i| ((i * 29 + seed * 13) % 17) as f32 / 8.0 - 1.0).collect()
    }

    const CASES: [[Axis; 2]; 6] = [
        [
            Axis { kernel: 3, stride: 1, before: 1, input: 7, output: 7 },
            Axis { kernel: 3, stride: 1, before: 1, input: 12, output: 12 },
        ],
        [
            Axis { kernel: 5, stride: 1, before: 2, input: 5, output: 5 },
            Axis { kernel: 5, stride: 1, before: 2, input: 4, output: 4 },
        ],
        [
            Axis { kernel: 3, stride: 2, before: 0, input: 8, output: 4 },
            Axis { kernel: 3, stride: 2, before: 1, input: 21, output: 11 },
        ],
        [
            Axis { kernel: 5, stride: 2, before: 1, input: 10, output: 5 },
            Axis { kernel: 5, stride: 2, before: 2, input: 20, output: 10 },
        ],
        [
            Axis { kernel: 2, stride: 3, before: 0, input: 8, output: 3 },
            Axis { kernel: 1, stride: 2, before: 0, input: 9, output: 5 },
        ],
        [
            Axis { kernel: 7, stride: 1, before: 3, input: 2, output: 2 },
            Axis { kernel: 7, stride: 1, before: 0, input: 17, output: 11 },
        ],
    ];

    #[test]
    fn convolutions_are_those_of_the_definition() {
        let channels = 32;
        for instructions in Instructions::all() {
            for axes in CASES {
                let [rows, columns] = axes;
                let x = values(rows.input * columns.input * channels, 1);
                let weights = values(channels * rows.kernel * columns.kernel, 2);
                let bias = values(channels, 3);
                let mut y = vec![f32::NAN; rows.output * columns.output * channels];
                Depthwise::new(instructions, channels, axes, &weights, Some(&bias)).image(&x, &mut y, 0, &mut Plain);
                for (i, got) in y.iter().enumerate() {
                    let (c, column, row) = (i % channels, i / channels % columns.output, i / channels / columns.output);
                    let mut expected = bias[c];
                    for (t, u) in (0..rows.kernel).flat_map(|t| (0..columns.kernel).map(move |u| (t, u))) {
                        let place = |axis: Axis, o: usize, t: usize| {
                            (axis.stride * o + t).checked_sub(axis.before).filter(|i| *i < axis.input)
                        };
                        if let (Some(r), Some(s)) = (place(rows, row, t), place(columns, column, u)) {
                            let weight = weights[(c * rows.kernel + t) * columns.kernel + u];
                            expected += x[(r * columns.input + s) * channels + c] * weight;
                        }
                    }
                    assert_eq!(*got, expected, "{instructions:?} {axes:?} at {row}, {column}, {c}");
                }
            }
        }
    }

    /// ⟨A x, y⟩ = ⟨x, Aᵀ y⟩
    #[test]
    fn adjoints_are_adjoint() {
        let channels = 48;
        for instructions in Instructions::all() {
            for axes in CASES {
                let [rows, columns] = axes;
                let x = values(rows.input * columns.input * channels, 1);
                let dy = values(rows.output * columns.output * channels, 5);
                let weights = values(channels * rows.kernel * columns.kernel, 2);
                let mut y = vec![f32::NAN; dy.len()];
                let mut dx = vec![f32::NAN; x.len()];
                Depthwise::new(instructions, channels, axes, &weights, None).image(&x, &mut y, 0, &mut Plain);
                Depthwise::adjoint(instructions, channels, axes, &weights).image(&dy, &mut dx, 0, &mut Plain);
                let dot =
                    |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
                assert_eq!(dot(&y, &dy), dot(&x, &dx), "{instructions:?} {axes:?}");
            }
        }
    }

    #[test]
    fn columns_with_the_same_taps_are_one_run() {
        let columns = Axis { kernel: 3, stride: 2, before: 1, input: 80, output: 40 };
        let forward = runs(columns.output, 1, columns.stride, |o| columns.forward(o));
        assert_eq!(forward.iter().map(|run| run.count).collect::<Vec<_>>(), [1, 39]);
        let adjoint = runs(columns.input, columns.stride, 1, |i| columns.adjoint(i));
        assert_eq!(adjoint.iter().map(|run| run.count).collect::<Vec<_>>(), [40, 39, 1]);
    }
}
