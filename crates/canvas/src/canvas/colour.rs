//! Decorrelated colour axes and the sigmoid.
//!
//! In natural pictures red, green and blue rise and fall together. Their principal axes are close to those that Ohta, Kanade
//! and Sakai found ("Color information for region segmentation", 1980): luminance (1, 1, 1), blue-yellow (1, 0, -1) and
//! green-magenta (1, -2, 1), with deviations of about 1 : 0.27 : 0.1. A basis that keeps its parameters along these axes moves
//! brightness first and never finds rainbow noise.

/// The deviations of logits along the axes.
const DEVIATIONS: [f64; 3] = [2.2, 2.2 * 0.27, 2.2 * 0.1];
/// Unit vectors of the axes.
const AXES: [[f64; 3]; 3] = {
    const A: f64 = 0.577_350_269_189_625_8; // 1 / sqrt(3)
    const B: f64 = std::f64::consts::FRAC_1_SQRT_2;
    const C: f64 = 0.408_248_290_463_863; // 1 / sqrt(6)
    [[A, A, A], [B, 0.0, -B], [C, -2.0 * C, C]]
};
/// Start pixels are kept this far from black and white, whose logits are infinite.
const LEAST: f32 = 0.02;

/// The colour axes; pixels are the sigmoid of the mixed axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colours {
    /// Columns are the axes times their deviations: logits = matrix axes.
    matrix: [[f32; 3]; 3],
    /// axes = inverse logits; an axis without deviation stays 0.
    inverse: [[f32; 3]; 3],
}

impl Colours {
    /// Creates the axes, with the two chromatic ones scaled by `chroma`.
    pub fn new(chroma: f64) -> Colours {
        let deviations = [DEVIATIONS[0], DEVIATIONS[1] * chroma, DEVIATIONS[2] * chroma];
        let mut colours = Colours { matrix: [[0.0; 3]; 3], inverse: [[0.0; 3]; 3] };
        for (axis, (unit, deviation)) in AXES.iter().zip(deviations).enumerate() {
            for (channel, part) in unit.iter().enumerate() {
                colours.matrix[channel][axis] = (part * deviation) as f32;
                if deviation != 0.0 {
                    // The axes are orthogonal.
                    colours.inverse[axis][channel] = (part / deviation) as f32;
                }
            }
        }
        colours
    }

    /// Converts rows of axes to rows of pixels, in place.
    pub fn paint(&self, [a, b, c]: [&mut [f32]; 3]) {
        let m = &self.matrix;
        for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
            let axes = [*a, *b, *c];
            *a = sigmoid(m[0][0] * axes[0] + m[0][1] * axes[1] + m[0][2] * axes[2]);
            *b = sigmoid(m[1][0] * axes[0] + m[1][1] * axes[1] + m[1][2] * axes[2]);
            *c = sigmoid(m[2][0] * axes[0] + m[2][1] * axes[1] + m[2][2] * axes[2]);
        }
    }

    /// Computes the gradient along the axes from painted pixels and their gradient.
    pub fn adjoint(&self, pixels: [&[f32]; 3], gradient: [&[f32]; 3], axes: [&mut [f32]; 3]) {
        let m = &self.matrix;
        let [a, b, c] = axes;
        let n = a.len();
        let [red, green, blue] = pixels.map(|row| &row[..n]);
        let [by_red, by_green, by_blue] = gradient.map(|row| &row[..n]);
        let (b, c) = (&mut b[..n], &mut c[..n]);
        for i in 0..n {
            let logits = [
                by_red[i] * (red[i] * (1.0 - red[i])),
                by_green[i] * (green[i] * (1.0 - green[i])),
                by_blue[i] * (blue[i] * (1.0 - blue[i])),
            ];
            a[i] = m[0][0] * logits[0] + m[1][0] * logits[1] + m[2][0] * logits[2];
            b[i] = m[0][1] * logits[0] + m[1][1] * logits[1] + m[2][1] * logits[2];
            c[i] = m[0][2] * logits[0] + m[1][2] * logits[1] + m[2][2] * logits[2];
        }
    }

    /// Returns a pixel, 0..1, along the axes. The pixel is first clamped to 0.02..0.98.
    pub fn axes_of(&self, pixel: [f32; 3]) -> [f32; 3] {
        let logits = pixel.map(|value| {
            let value = value.clamp(LEAST, 1.0 - LEAST);
            (value / (1.0 - value)).ln()
        });
        self.inverse.map(|row| row[0] * logits[0] + row[1] * logits[1] + row[2] * logits[2])
    }
}

/// Returns 1 / (1 + e^-x) with a relative error of 1e-6, in plain arithmetic that vectorises and gives the same bits
/// everywhere.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Returns e^x with a relative error of 1e-6, x clamped to -80..80.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding this rounds to a whole number, which is then in the sum's low bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    // ln 2 in two parts, the first with few bits so that whole multiples of it are exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-80.0, 80.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    // e^rest for |rest| <= ln 2 / 2 by its series.
    let mut series = 1.0 / 720.0;
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * rest + factor;
    }
    let power = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_sigmoid_are_accurate() {
        for i in -79_000..=79_000 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 1e-6, "exp {x}");
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) / exact - 1.0).abs() < 1e-6, "sigmoid {x}");
        }
        assert!(sigmoid(f32::INFINITY) == 1.0 && sigmoid(f32::NEG_INFINITY) < 1e-30 && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn pixels_to_axes_and_back() {
        let colours = Colours::new(0.6);
        for pixel in [[0.1, 0.5, 0.9], [0.02, 0.98, 0.5], [0.7, 0.7, 0.7]] {
            let [mut a, mut b, mut c] = colours.axes_of(pixel).map(|x| [x]);
            colours.paint([&mut a, &mut b, &mut c]);
            for (painted, pixel) in [a[0], b[0], c[0]].into_iter().zip(pixel) {
                assert!((painted - pixel).abs() < 1e-5, "{painted} {pixel}");
            }
        }
        // Without chroma, everything is grey.
        let grey = Colours::new(0.0);
        let [mut a, mut b, mut c] = grey.axes_of([0.2, 0.4, 0.6]).map(|x| [x]);
        grey.paint([&mut a, &mut b, &mut c]);
        assert!(a == b && b == c);
    }
}
