//! Inverted bottlenecks, which MobileNetV2 and EfficientNet consist of: a product that widens, a convolution of each
//! channel, and a product that narrows, with bounds after the first two (Sandler et al., "MobileNetV2: Inverted
//! Residuals and Linear Bottlenecks", 2018).
//!
//! A general runtime writes the wide values to memory after each of these, and reads them again; in the backward pass it
//! reads all of them once more, for the derivatives of the bounds. Here they stay in caches, and one byte for each is
//! kept.

pub use crate::depthwise::Axis;
use crate::depthwise::{Depthwise, LANES};
use crate::epilogue::{Clipped, Masked, Plain};
use crate::instructions::Instructions;
use crate::product::Packed;

/// The sizes of a bottleneck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Channels of the input, in the middle (a multiple of [`Shape::LANES`]), of the output. Without a product that
    /// widens, the first two are equal.
    pub channels: [usize; 3],
    /// Height and width of the convolution.
    pub axes: [Axis; 2],
}

/// The weights of a bottleneck, in the order of ONNX.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The product that widens: weights [middle, input] and bias [middle].
    pub expand: Option<(&'a [f32], &'a [f32])>,
    /// The convolution: weights [middle, kernel rows, kernel columns] and bias [middle].
    pub filter: (&'a [f32], &'a [f32]),
    /// The product that narrows: weights [output, middle] and bias [output].
    pub project: (&'a [f32], &'a [f32]),
}

impl Shape {
    /// The number of channels in the middle is a multiple of this.
    pub const LANES: usize = LANES;

    /// Returns the pixels of an image of the input, and of one of the output.
    #[must_use]
    pub fn pixels(&self) -> [usize; 2] {
        let [rows, columns] = self.axes;
        [rows.input * columns.input, rows.output * columns.output]
    }

    /// Whether the weights have these sizes, and the sizes are possible.
    fn fits(&self, layers: &Layers) -> bool {
        let [narrow, wide, out] = self.channels;
        let taps = self.axes[0].kernel * self.axes[1].kernel;
        let possible = |axis: Axis| {
            let numbers = [axis.kernel, axis.stride, axis.input, axis.output];
            numbers.iter().all(|n| *n > 0) && axis.stride * (axis.output - 1) < axis.input + axis.before
        };
        let expand = layers.expand.map_or(narrow == wide, |(w, b)| w.len() == narrow * wide && b.len() == wide);
        expand
            && wide.is_multiple_of(LANES)
            && [narrow, wide, out].iter().all(|n| *n > 0)
            && self.axes.into_iter().all(possible)
            && (layers.filter.0.len(), layers.filter.1.len()) == (wide * taps, wide)
            && (layers.project.0.len(), layers.project.1.len()) == (out * wide, out)
    }
}

/// Pixels that are taken through all three layers together: images below that are computed several at once, so that the
/// products have rows enough.
const TOGETHER: usize = 96;

/// Images that are computed together.
fn group(shape: &Shape, images: usize) -> usize {
    (TOGETHER / shape.pixels()[0]).clamp(1, images.max(1))
}

/// An inverted bottleneck.
pub struct Bottleneck {
    shape: Shape,
    /// The bounds after the first two layers.
    bounds: [[f32; 2]; 2],
    expand: Option<Packed>,
    filter: Depthwise,
    project: Packed,
}

impl Bottleneck {
    /// Prepares a bottleneck. `bounds` are the lowest and highest values after the first two layers; those of a missing
    /// first layer do not count. Returns `None` where sizes do not fit together.
    #[must_use]
    pub fn new(instructions: Instructions, shape: Shape, bounds: [[f32; 2]; 2], layers: &Layers) -> Option<Self> {
        let [narrow, wide, out] = shape.channels;
        shape.fits(layers).then(|| Bottleneck {
            shape,
            bounds,
            expand: layers
                .expand
                .map(|(w, b)| Packed::new(instructions, narrow, wide, Some(b), |i, o| w[o * narrow + i])),
            filter: Depthwise::new(instructions, wide, shape.axes, layers.filter.0, Some(layers.filter.1)),
            project: Packed::new(instructions, wide, out, Some(layers.project.1), |i, o| {
                layers.project.0[o * wide + i]
            }),
        })
    }

    /// Computes the output `z` [N, rows, columns, channels] of the input `x`, likewise, and the derivatives of the
    /// bounds, 0 or 1: `marks` after the first layer [N, rows, columns, middle], empty without that layer, and after the
    /// second. `scratch` is memory that grows as needed.
    ///
    /// # Panics
    /// Panics if the arrays do not have these sizes.
    pub fn run(&self, x: &[f32], z: &mut [f32], marks: [&mut [u8]; 2], scratch: &mut Vec<f32>) {
        let [narrow, wide, out] = self.shape.channels;
        let [inside, outside] = self.shape.pixels();
        let images = x.len() / (inside * narrow);
        assert_eq!((x.len(), z.len()), (images * inside * narrow, images * outside * out));
        let [marks_wide, marks_filtered] = marks;
        assert_eq!(marks_wide.len(), if self.expand.is_some() { images * inside * wide } else { 0 });
        assert_eq!(marks_filtered.len(), images * outside * wide);
        let group = group(&self.shape, images);
        let (widened, filtered) = divided(scratch, group * inside * wide, group * outside * wide);
        let groups = x.chunks(group * inside * narrow).zip(z.chunks_mut(group * outside * out));
        for (number, (x, z)) in groups.enumerate() {
            let (first, count) = (number * group, x.len() / (inside * narrow));
            let widened = match &self.expand {
                Some(expand) => {
                    let widened = &mut widened[..count * inside * wide];
                    let [low, high] = self.bounds[0];
                    expand.multiply(x, widened, first * inside * wide, &mut Clipped { low, high, marks: marks_wide });
                    widened
                }
                None => x,
            };
            let filtered = &mut filtered[..count * outside * wide];
            let [low, high] = self.bounds[1];
            let mut clipped = Clipped { low, high, marks: marks_filtered };
            let images = widened.chunks_exact(inside * wide).zip(filtered.chunks_exact_mut(outside * wide));
            for (image, (x, y)) in images.enumerate() {
                self.filter.image(x, y, (first + image) * outside * wide, &mut clipped);
            }
            self.project.multiply(filtered, z, 0, &mut Plain);
        }
    }
}

/// The vector-Jacobian product of a [`Bottleneck`].
pub struct BottleneckGradient {
    shape: Shape,
    expand: Option<Packed>,
    filter: Depthwise,
    project: Packed,
}

impl BottleneckGradient {
    /// Prepares the gradient. The biases do not count. Returns `None` where sizes do not fit together.
    #[must_use]
    pub fn new(instructions: Instructions, shape: Shape, layers: &Layers) -> Option<Self> {
        let [narrow, wide, out] = shape.channels;
        shape.fits(layers).then(|| BottleneckGradient {
            shape,
            expand: layers.expand.map(|(w, _)| Packed::new(instructions, wide, narrow, None, |i, o| w[i * narrow + o])),
            filter: Depthwise::adjoint(instructions, wide, shape.axes, layers.filter.0),
            project: Packed::new(instructions, out, wide, None, |i, o| layers.project.0[i * wide + o]),
        })
    }

    /// Computes the gradient `dx` by the input, given the gradient `dz` by the output and the marks of
    /// [`Bottleneck::run`].
    ///
    /// # Panics
    /// Panics if the arrays do not have these sizes.
    pub fn run(&self, dz: &[f32], dx: &mut [f32], marks: [&[u8]; 2], scratch: &mut Vec<f32>) {
        let [narrow, wide, out] = self.shape.channels;
        let [inside, outside] = self.shape.pixels();
        let images = dz.len() / (outside * out);
        assert_eq!((dx.len(), dz.len()), (images * inside * narrow, images * outside * out));
        let [marks_wide, marks_filtered] = marks;
        assert_eq!(marks_wide.len(), if self.expand.is_some() { images * inside * wide } else { 0 });
        assert_eq!(marks_filtered.len(), images * outside * wide);
        let group = group(&self.shape, images);
        let (widened, filtered) = divided(scratch, group * inside * wide, group * outside * wide);
        let groups = dx.chunks_mut(group * inside * narrow).zip(dz.chunks(group * outside * out));
        for (number, (dx, dz)) in groups.enumerate() {
            let (first, count) = (number * group, dz.len() / (outside * out));
            let filtered = &mut filtered[..count * outside * wide];
            self.project.multiply(dz, filtered, first * outside * wide, &mut Masked { marks: marks_filtered });
            let images = filtered.chunks_exact(outside * wide);
            let Some(expand) = &self.expand else {
                for (dy, dx) in images.zip(dx.chunks_exact_mut(inside * wide)) {
                    self.filter.image(dy, dx, 0, &mut Plain);
                }
                continue;
            };
            let widened = &mut widened[..count * inside * wide];
            let mut masked = Masked { marks: marks_wide };
            for (image, (dy, dx)) in images.zip(widened.chunks_exact_mut(inside * wide)).enumerate() {
                self.filter.image(dy, dx, (first + image) * inside * wide, &mut masked);
            }
            expand.multiply(widened, dx, 0, &mut Plain);
        }
    }
}

/// Returns two arrays of the given lengths in `scratch`.
fn divided(scratch: &mut Vec<f32>, first: usize, second: usize) -> (&mut [f32], &mut [f32]) {
    if scratch.len() < first + second {
        scratch.resize(first + second, 0.0);
    }
    scratch[..first + second].split_at_mut(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 1009.0 - 0.5).collect()
    }

    struct Case {
        shape: Shape,
        expand: Option<(Vec<f32>, Vec<f32>)>,
        filter: (Vec<f32>, Vec<f32>),
        project: (Vec<f32>, Vec<f32>),
    }

    impl Case {
        fn new(channels: [usize; 3], axes: [Axis; 2], expands: bool) -> Self {
            let [narrow, wide, out] = channels;
            let taps = axes[0].kernel * axes[1].kernel;
            Case {
                shape: Shape { channels, axes },
                expand: expands.then(|| (values(narrow * wide, 1), values(wide, 2))),
                filter: (values(wide * taps, 3), values(wide, 4)),
                project: (values(wide * out, 5), values(out, 6)),
            }
        }

        fn layers(&self) -> Layers<'_> {
            Layers {
                expand: self.expand.as_ref().map(|(w, b)| (w.as_slice(), b.as_slice())),
                filter: (&self.filter.0, &self.filter.1),
                project: (&self.project.0, &self.project.1),
            }
        }
    }

    fn cases() -> [Case; 4] {
        let same = |size: usize| Axis { kernel: 3, stride: 1, before: 1, input: size, output: size };
        let half = |size: usize| Axis { kernel: 5, stride: 2, before: 1, input: size, output: size / 2 };
        [
            Case::new([8, 48, 8], [same(5), same(6)], true),
            Case::new([5, 32, 9], [half(8), half(10)], true),
            Case::new([32, 32, 16], [same(7), same(4)], false),
            Case::new([4, 16, 40], [same(11), same(12)], true),
        ]
    }

    const BOUNDS: [[f32; 2]; 2] = [[0.0, 0.6], [-0.1, 0.4]];

    fn run(case: &Case, instructions: Instructions, x: &[f32]) -> (Vec<f32>, [Vec<u8>; 2]) {
        let [narrow, wide, out] = case.shape.channels;
        let [inside, outside] = case.shape.pixels();
        let images = x.len() / inside / narrow;
        let forward = Bottleneck::new(instructions, case.shape, BOUNDS, &case.layers()).unwrap();
        let mut z = vec![f32::NAN; images * outside * out];
        let first = if case.expand.is_some() { images * inside * wide } else { 0 };
        let mut marks = [vec![7; first], vec![7; images * outside * wide]];
        let [a, b] = &mut marks;
        forward.run(x, &mut z, [a, b], &mut Vec::new());
        (z, marks)
    }

    #[test]
    fn gradients_agree_with_differences() {
        for instructions in Instructions::all() {
            for (number, case) in cases().iter().enumerate() {
                let [narrow, _, _] = case.shape.channels;
                let [inside, _] = case.shape.pixels();
                let images = 5;
                let x = values(images * inside * narrow, 10 + number);
                let (z, marks) = run(case, instructions, &x);
                assert!(marks[1].contains(&0) && marks[1].contains(&1));
                let dz = values(z.len(), 20);
                let mut dx = vec![f32::NAN; x.len()];
                let gradient = BottleneckGradient::new(instructions, case.shape, &case.layers()).unwrap();
                gradient.run(&dz, &mut dx, [&marks[0], &marks[1]], &mut Vec::new());
                let dot =
                    |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
                let along = values(x.len(), 30);
                let loss = |step: f32| {
                    let moved: Vec<f32> = x.iter().zip(&along).map(|(x, a)| x + step * a).collect();
                    dot(&run(case, instructions, &moved).0, &dz)
                };
                let step = 1e-3;
                let numeric = (loss(step) - loss(-step)) / (2.0 * f64::from(step));
                let analytic = dot(&dx, &along);
                let size = dot(&dx, &dx).sqrt();
                // A few values cross their bounds on the way.
                assert!((numeric - analytic).abs() < 0.03 * size, "{instructions:?} {number}: {numeric}, {analytic}");
            }
        }
    }

    #[test]
    fn images_do_not_depend_on_what_is_beside_them() {
        for case in cases() {
            let [narrow, _, out] = case.shape.channels;
            let [inside, outside] = case.shape.pixels();
            let x = values(4 * inside * narrow, 1);
            let (together, _) = run(&case, Instructions::best(), &x);
            for (image, x) in x.chunks_exact(inside * narrow).enumerate() {
                let (alone, _) = run(&case, Instructions::best(), x);
                assert_eq!(alone, together[image * outside * out..][..outside * out]);
            }
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let case = &cases()[0];
        let refused = |shape: Shape| Bottleneck::new(Instructions::best(), shape, BOUNDS, &case.layers()).is_none();
        assert!(!refused(case.shape));
        assert!(refused(Shape { channels: [8, 40, 8], ..case.shape }));
        assert!(refused(Shape { channels: [8, 48, 9], ..case.shape }));
        let beyond = Axis { output: 9, ..case.shape.axes[0] };
        assert!(refused(Shape { axes: [beyond, case.shape.axes[1]], ..case.shape }));
        let still = Axis { stride: 0, ..case.shape.axes[0] };
        assert!(refused(Shape { axes: [still, case.shape.axes[1]], ..case.shape }));
    }
}
