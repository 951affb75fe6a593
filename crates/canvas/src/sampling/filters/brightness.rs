//! Brightness: all values of the window times one factor.

/// y = factor x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brightness {
    factor: f32,
}

impl Brightness {
    /// Creates a brightness with a factor, 1 for the window as it is, 0 for black.
    pub fn new(factor: f64) -> Brightness {
        Brightness { factor: factor as f32 }
    }

    pub fn apply(&self, window: &mut [f32]) {
        for value in window {
            *value *= self.factor;
        }
    }

    /// Applies the adjoint in place: the map is symmetric.
    pub fn adjoint(&self, gradient: &mut [f32]) {
        self.apply(gradient);
    }
}
