//! Gaussian blur, separable. Pixels beyond the window do not count: weights are renormalised at its border, so a flat window
//! stays flat.

/// The Gaussian is cut off at this many deviations.
const REACH: f64 = 3.0;
/// A blur with a smaller deviation than this makes no difference that 8 bits could show.
const LEAST: f64 = 0.15;

/// y[i] = sum_j k[|i - j|] x[j] / n[i] along both axes, n[i] the sum of the weights inside the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Blur {
    /// k[0..=reach].
    kernel: Vec<f32>,
    /// 1 / n[i].
    inverse: Vec<f32>,
}

impl Blur {
    /// Creates a blur for a deviation in window pixels and windows of a side; `None` if it would do nothing.
    pub fn new(deviation: f64, side: u32) -> Option<Blur> {
        if deviation < LEAST {
            return None;
        }
        let side = side as usize;
        let reach = ((REACH * deviation).ceil() as usize).min(side - 1);
        let kernel: Vec<f64> = (0..=reach).map(|d| (-0.5 * (d as f64 / deviation).powi(2)).exp()).collect();
        let inverse = (0..side).map(|i| {
            let from = i.saturating_sub(reach);
            let to = (i + reach).min(side - 1);
            (1.0 / (from..=to).map(|j| kernel[i.abs_diff(j)]).sum::<f64>()) as f32
        });
        let inverse = inverse.collect();
        Some(Blur { kernel: kernel.into_iter().map(|k| k as f32).collect(), inverse })
    }

    /// Blurs a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        scratch.resize(side * side, 0.0);
        for plane in window.chunks_exact_mut(side * side) {
            self.rows(plane, scratch, side);
            self.scale_rows(scratch, side);
            self.columns(scratch, plane, side);
            self.scale_columns(plane, side);
        }
    }

    /// Applies the adjoint in place: the kernel is symmetric, so only the scaling moves to the other side.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize, scratch: &mut Vec<f32>) {
        scratch.resize(side * side, 0.0);
        for plane in gradient.chunks_exact_mut(side * side) {
            self.scale_columns(plane, side);
            self.columns(plane, scratch, side);
            self.scale_rows(scratch, side);
            self.rows(scratch, plane, side);
        }
    }

    /// Sums along x.
    fn rows(&self, from: &[f32], to: &mut [f32], side: usize) {
        for (from, to) in from.chunks_exact(side).zip(to.chunks_exact_mut(side)) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = self.kernel[0] * from;
            }
            for (d, &k) in self.kernel.iter().enumerate().skip(1) {
                axpy(k, &from[d..], &mut to[..side - d]);
                axpy(k, &from[..side - d], &mut to[d..]);
            }
        }
    }

    /// Sums along y.
    fn columns(&self, from: &[f32], to: &mut [f32], side: usize) {
        for (i, to) in to.chunks_exact_mut(side).enumerate() {
            let row = |j: usize| &from[j * side..(j + 1) * side];
            for (to, from) in to.iter_mut().zip(row(i)) {
                *to = self.kernel[0] * from;
            }
            for (d, &k) in self.kernel.iter().enumerate().skip(1) {
                if i + d < side {
                    axpy(k, row(i + d), to);
                }
                if d <= i {
                    axpy(k, row(i - d), to);
                }
            }
        }
    }

    fn scale_rows(&self, plane: &mut [f32], side: usize) {
        for row in plane.chunks_exact_mut(side) {
            for (value, inverse) in row.iter_mut().zip(&self.inverse) {
                *value *= inverse;
            }
        }
    }

    fn scale_columns(&self, plane: &mut [f32], side: usize) {
        for (row, inverse) in plane.chunks_exact_mut(side).zip(&self.inverse) {
            for value in row {
                *value *= inverse;
            }
        }
    }
}

/// y += a x.
fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_window_stays_flat_and_a_point_spreads() {
        let side = 25;
        let blur = Blur::new(1.5, side as u32).unwrap();
        let mut window = vec![0.25f32; 3 * side * side];
        blur.apply(&mut window, side, &mut Vec::new());
        assert!(window.iter().all(|x| (x - 0.25).abs() < 1e-6));

        let mut window = vec![0.0f32; 3 * side * side];
        window[12 * side + 12] = 1.0;
        blur.apply(&mut window, side, &mut Vec::new());
        let plane = &window[..side * side];
        let moment = |f: fn(f64) -> f64| -> f64 {
            (0..side)
                .flat_map(|y| (0..side).map(move |x| (x, y)))
                .map(|(x, y)| f64::from(plane[y * side + x]) * f(x as f64 - 12.0))
                .sum()
        };
        assert!((moment(|_| 1.0) - 1.0).abs() < 1e-5);
        // The cut-off at three deviations loses a little variance.
        assert!((moment(|x| x * x) - 2.25).abs() < 0.1, "{}", moment(|x| x * x));
        assert!(window[side * side..].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn wider_than_the_window() {
        let side = 4;
        let blur = Blur::new(100.0, side as u32).unwrap();
        let mut window: Vec<f32> = (0..3 * 16).map(|i| (i % 16) as f32).collect();
        blur.apply(&mut window, side, &mut Vec::new());
        assert!(window.iter().all(|x| (x - 7.5).abs() < 0.01));
    }
}
