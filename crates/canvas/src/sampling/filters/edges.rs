//! Edge detection: the length of the window's gradient, bright on black.

/// Rounds off the length where it is 0, so that it has a derivative there, in pixel values.
const ROUNDING: f32 = 0.01;

/// y = (1 - amount) x + amount (sqrt(u^2 + v^2 + r^2) - r), u and v the differences along x and y by Sobel's operator, scaled so that a
/// step from 0 to 1 has length 1; r rounds off. Each channel has its own edges; beyond the window its outermost pixels go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    amount: f32,
}

impl Edges {
    /// Creates an edge detection; an amount of 1 shows nothing but edges.
    pub fn new(amount: f64) -> Edges {
        Edges { amount: amount as f32 }
    }

    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        for plane in window.chunks_exact_mut(side * side) {
            let [u, v] = differences(plane, side);
            for (value, (u, v)) in plane.iter_mut().zip(u.iter().zip(&v)) {
                *value += self.amount * (length(*u, *v) - ROUNDING - *value);
            }
        }
    }

    /// Maps the gradient `[3, S, S]` to the one before the filter, in place, at `input`, what the filter was given.
    pub fn derivative(&self, input: &[f32], gradient: &mut [f32], side: usize) {
        let area = side * side;
        for (plane, gradient) in input.chunks_exact(area).zip(gradient.chunks_exact_mut(area)) {
            let [mut u, mut v] = differences(plane, side);
            for (gradient, (u, v)) in gradient.iter_mut().zip(u.iter_mut().zip(&mut v)) {
                let each = self.amount * *gradient / length(*u, *v);
                (*u, *v) = (*u * each, *v * each);
                *gradient *= 1.0 - self.amount;
            }
            add_differences_adjoint([&u, &v], gradient, side);
        }
    }
}

fn length(u: f32, v: f32) -> f32 {
    (u * u + v * v + ROUNDING * ROUNDING).sqrt()
}

/// The eight neighbours that Sobel's operator weighs: their places, and their weights along x and y.
const SOBEL: [([usize; 2], [f32; 2]); 8] = [
    ([0, 0], [-0.25, -0.25]),
    ([1, 0], [0.0, -0.5]),
    ([2, 0], [0.25, -0.25]),
    ([0, 1], [-0.5, 0.0]),
    ([2, 1], [0.5, 0.0]),
    ([0, 2], [-0.25, 0.25]),
    ([1, 2], [0.0, 0.5]),
    ([2, 2], [0.25, 0.25]),
];

/// Returns the positions of the eight neighbours of a pixel, in the order of [`SOBEL`].
fn neighbours(x: usize, y: usize, side: usize) -> [usize; 8] {
    let near = |at: usize| [at.saturating_sub(1), at, (at + 1).min(side - 1)];
    let (columns, rows) = (near(x), near(y));
    SOBEL.map(|([i, j], _)| rows[j] * side + columns[i])
}

fn differences(plane: &[f32], side: usize) -> [Vec<f32>; 2] {
    let mut both = [vec![0.0; plane.len()], vec![0.0; plane.len()]];
    for y in 0..side {
        for x in 0..side {
            for (from, (_, weights)) in neighbours(x, y, side).into_iter().zip(SOBEL) {
                both[0][y * side + x] += weights[0] * plane[from];
                both[1][y * side + x] += weights[1] * plane[from];
            }
        }
    }
    both
}

fn add_differences_adjoint([u, v]: [&[f32]; 2], gradient: &mut [f32], side: usize) {
    for y in 0..side {
        for x in 0..side {
            for (to, (_, weights)) in neighbours(x, y, side).into_iter().zip(SOBEL) {
                gradient[to] += weights[0] * u[y * side + x] + weights[1] * v[y * side + x];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_bright_and_grounds_are_black() {
        let side = 12;
        for down in [false, true] {
            let value = |i: usize| if (if down { i % 144 / side } else { i % side }) < 6 { 0.25 } else { 0.75 };
            let mut window: Vec<f32> = (0..3 * 144).map(value).collect();
            Edges::new(1.0).apply(&mut window, side);
            let at = |along: usize| if down { window[along * side + 3] } else { window[3 * side + along] };
            assert!((at(5) - 0.5).abs() < 0.02 && (at(6) - 0.5).abs() < 0.02, "{window:?}");
            assert!([0, 1, 4, 7, 10, 11].map(at).iter().all(|x| x.abs() < 1e-6));
        }
    }
}
