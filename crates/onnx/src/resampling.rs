//! The weights with which `Resize` computes a row of cells from another.

/// How a position in the result maps to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

/// How a position between two cells is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
}

/// How the cells around a position are weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kernel {
    Nearest(Rounding),
    Linear,
    /// Keys' cubic convolution with this coefficient.
    Cubic(f64),
}

/// Everything that determines the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampling {
    pub coordinates: Coordinates,
    pub kernel: Kernel,
    /// When shrinking, the kernel is widened by the scale.
    pub antialias: bool,
    /// Cells outside get weight 0 and the others are normalised, instead of repeating the edge.
    pub exclude_outside: bool,
}

impl Sampling {
    /// Returns the weights as a row-major matrix of `to` rows and `from` columns.
    pub fn matrix(&self, from: usize, to: usize, scale: f64) -> Vec<f64> {
        let mut matrix = vec![0.0; to * from];
        for (position, row) in matrix.chunks_exact_mut(from).enumerate() {
            self.row(row, self.source(position, from, to, scale), scale);
        }
        matrix
    }

    fn source(&self, position: usize, from: usize, to: usize, scale: f64) -> f64 {
        let i = position as f64;
        match self.coordinates {
            Coordinates::HalfPixel => (i + 0.5) / scale - 0.5,
            Coordinates::PytorchHalfPixel if to > 1 => (i + 0.5) / scale - 0.5,
            Coordinates::PytorchHalfPixel => 0.0,
            Coordinates::Asymmetric => i / scale,
            Coordinates::AlignCorners if to > 1 => i * (from as f64 - 1.0) / (to as f64 - 1.0),
            Coordinates::AlignCorners => 0.0,
            Coordinates::HalfPixelSymmetric => {
                // The result's true length may not be an integer; its centre stays that of the source.
                let adjustment = to as f64 / (scale * from as f64);
                let centre = from as f64 / 2.0;
                centre * (1.0 - adjustment) + (i + 0.5) / scale - 0.5
            }
        }
    }

    fn row(&self, row: &mut [f64], x: f64, scale: f64) {
        let last = row.len() as i64 - 1;
        if let Kernel::Nearest(rounding) = self.kernel {
            let nearest = match rounding {
                Rounding::PreferFloor => (x - 0.5).ceil(),
                Rounding::PreferCeil => (x + 0.5).floor(),
                Rounding::Floor => x.floor(),
                Rounding::Ceil => x.ceil(),
            };
            row[(nearest as i64).clamp(0, last) as usize] = 1.0;
            return;
        }
        let shrink = if self.antialias { scale.min(1.0) } else { 1.0 };
        let radius = if matches!(self.kernel, Kernel::Linear) { 1.0 } else { 2.0 } / shrink;
        let cut = self.exclude_outside;
        let x = if matches!(self.kernel, Kernel::Linear) && !self.antialias { x.clamp(0.0, last as f64) } else { x };
        let (first, end) = ((x - radius).floor() as i64, (x + radius).ceil() as i64);
        let mut sum = 0.0;
        for cell in first..=end {
            if cut && !(0..=last).contains(&cell) {
                continue;
            }
            let weight = self.weight((cell as f64 - x) * shrink);
            row[cell.clamp(0, last) as usize] += weight;
            sum += weight;
        }
        // A truncated or widened kernel no longer sums to 1 by itself.
        if (cut || self.antialias) && sum != 0.0 {
            row.iter_mut().for_each(|w| *w /= sum);
        }
    }

    fn weight(&self, distance: f64) -> f64 {
        let d = distance.abs();
        match self.kernel {
            Kernel::Linear => (1.0 - d).max(0.0),
            Kernel::Cubic(a) if d <= 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
            Kernel::Cubic(a) if d < 2.0 => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
            _ => 0.0,
        }
    }
}
