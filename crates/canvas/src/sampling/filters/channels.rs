//! One matrix on the three channels of every pixel: what saturation and hue come to.

/// y = matrix x, x a pixel's red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channels(pub [[f64; 3]; 3]);

impl Channels {
    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        mix(self.0, window, side);
    }

    /// Applies the adjoint in place, which is the transposed matrix.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize) {
        mix([0, 1, 2].map(|i| [0, 1, 2].map(|j| self.0[j][i])), gradient, side);
    }
}

fn mix(matrix: [[f64; 3]; 3], values: &mut [f32], side: usize) {
    let matrix = matrix.map(|row| row.map(|value| value as f32));
    let (red, rest) = values.split_at_mut(side * side);
    let (green, blue) = rest.split_at_mut(side * side);
    for (red, (green, blue)) in red.iter_mut().zip(green.iter_mut().zip(blue)) {
        let [r, g, b] = matrix.map(|row| row[0] * *red + row[1] * *green + row[2] * *blue);
        (*red, *green, *blue) = (r, g, b);
    }
}
