//! Noise whose values hang together over several pixels: coarse, pink and brown.

use super::noise::Noise;
use crate::chance::Draws;

/// The coarsest octave of pink and brown noise is the window itself.
const FINEST: f64 = 1.0;

/// y = x + a sum of octaves, each with its grain: the distance in window pixels over which its values change.
#[derive(Debug, Clone, PartialEq)]
pub struct Grained {
    octaves: Vec<Octave>,
    key: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Octave {
    grain: f64,
    deviation: f64,
}

impl Grained {
    /// Noise of one grain in window pixels. A grain of 1 is white noise.
    pub fn coarse(deviation: f64, grain: f64, key: u64) -> Grained {
        Grained { octaves: vec![Octave { grain: grain.clamp(FINEST, 1e6), deviation }], key }
    }

    /// Noise in octaves, whose variances grow by a factor from each octave to the next coarser one, for windows of a side. With a factor
    /// of 1, every octave counts as much, which is pink noise: in two dimensions its power falls as 1/f^2. With a factor of 2 it is brown,
    /// and falls as 1/f^3.
    pub fn octaves(deviation: f64, factor: f64, side: u32, key: u64) -> Grained {
        let grains: Vec<f64> = std::iter::successors(Some(FINEST), |grain| Some(2.0 * grain))
            .take_while(|g| *g <= f64::from(side))
            .collect();
        let variances: Vec<f64> = (0..grains.len() as i32).map(|octave| factor.powi(octave)).collect();
        let all: f64 = variances.iter().sum();
        let octaves = grains.into_iter().zip(variances);
        let octaves = octaves.map(|(grain, own)| Octave { grain, deviation: deviation * (own / all).sqrt() });
        Grained { octaves: octaves.collect(), key }
    }

    /// Adds the noise to a window `[3, S, S]`.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        for (index, octave) in self.octaves.iter().enumerate() {
            let draws = Draws::new(self.key).at(index as u64);
            if octave.grain <= FINEST {
                Noise::new(octave.deviation, draws.bits(0)).apply(window);
            } else {
                octave.add(window, side, draws);
            }
        }
    }
}

impl Octave {
    /// Adds normal numbers on a lattice of the grain's spacing, with a random offset, interpolated in between.
    fn add(&self, window: &mut [f32], side: usize, draws: Draws) {
        let [columns, rows] = [1, 2].map(|axis| self.between(side, draws.unit(axis)));
        let nodes = columns.iter().chain(&rows).map(|tap| tap.node).max().unwrap_or(0) + 2;
        let mut lattice = vec![0.0; 3 * nodes * nodes];
        Noise::new(self.deviation, draws.bits(0)).apply(&mut lattice);
        for (plane, lattice) in window.chunks_exact_mut(side * side).zip(lattice.chunks_exact(nodes * nodes)) {
            for (values, row) in plane.chunks_exact_mut(side).zip(&rows) {
                let (upper, lower) = lattice[row.node * nodes..].split_at(nodes);
                for (value, column) in values.iter_mut().zip(&columns) {
                    let along = |line: &[f32]| {
                        column.weights[0] * line[column.node] + column.weights[1] * line[column.node + 1]
                    };
                    *value += row.weights[0] * along(upper) + row.weights[1] * along(lower);
                }
            }
        }
    }

    /// Returns for every pixel of a row the lattice's nodes beside it. The squares of the weights sum to 1, so that the variance is the
    /// same at nodes and between them.
    fn between(&self, side: usize, offset: f64) -> Vec<Tap> {
        let tap = |i: usize| {
            let at = i as f64 / self.grain + offset;
            let part = at.fract();
            let length = (part * part + (1.0 - part) * (1.0 - part)).sqrt();
            Tap { node: at as usize, weights: [((1.0 - part) / length) as f32, (part / length) as f32] }
        };
        (0..side).map(tap).collect()
    }
}

/// The first of two neighbouring nodes, and the weights of both.
struct Tap {
    node: usize,
    weights: [f32; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 64;

    fn field(noise: &Grained) -> Vec<f32> {
        let mut values = vec![0.0; 3 * SIDE * SIDE];
        noise.apply(&mut values, SIDE);
        values
    }

    /// Returns the mean power of waves along x of `waves` periods, over many fields.
    fn power(make: impl Fn(u64) -> Grained, waves: usize) -> f64 {
        let one = |plane: &[f32]| {
            let (mut even, mut odd) = (0.0, 0.0);
            for (i, value) in plane.iter().enumerate() {
                let (sin, cos) = ((i % SIDE * waves) as f64 / SIDE as f64 * std::f64::consts::TAU).sin_cos();
                // Hann's window, as what lies beyond the sides does not continue the field.
                let hann = ((i % SIDE) as f64 + 0.5) / SIDE as f64 * std::f64::consts::PI;
                even += f64::from(*value) * hann.sin().powi(2) * cos;
                odd += f64::from(*value) * hann.sin().powi(2) * sin;
            }
            even * even + odd * odd
        };
        (0..100).map(|key| field(&make(key)).chunks_exact(SIDE * SIDE).map(one).sum::<f64>()).sum()
    }

    #[test]
    fn power_falls_with_frequency_as_the_name_says() {
        // From 2 to 16 periods, three octaves.
        let slope = |make: &dyn Fn(u64) -> Grained| (power(make, 2) / power(make, 16)).log2() / 3.0;
        let pink = slope(&|key| Grained::octaves(0.1, 1.0, SIDE as u32, key));
        let brown = slope(&|key| Grained::octaves(0.1, 2.0, SIDE as u32, key));
        assert!((1.6..2.4).contains(&pink) && (2.5..3.5).contains(&brown), "{pink} {brown}");
        let white = slope(&|key| Grained::coarse(0.1, 1.0, key));
        assert!(white.abs() < 0.25, "{white}");
    }

    #[test]
    fn the_deviation_is_the_same_for_all_and_everywhere() {
        let kinds: [&dyn Fn(u64) -> Grained; 3] = [
            &|key| Grained::octaves(0.1, 1.0, SIDE as u32, key),
            &|key| Grained::octaves(0.1, 2.0, SIDE as u32, key),
            &|key| Grained::coarse(0.1, 7.5, key),
        ];
        for make in kinds {
            let fields: Vec<Vec<f32>> = (0..400).map(|key| field(&make(key))).collect();
            for at in [0, 1, 5, 70, 2048, 4095] {
                let square = fields.iter().flat_map(|field| [field[at], field[4096 + at], field[8192 + at]]);
                let variance = square.map(|x| f64::from(x).powi(2)).sum::<f64>() / 1200.0;
                assert!((variance.sqrt() - 0.1).abs() < 0.01, "{at}: {}", variance.sqrt());
            }
        }
    }

    #[test]
    fn coarse_noise_hangs_together_over_its_grain_and_no_further() {
        let product = |lag: usize| -> f64 {
            let of = |key| -> f64 {
                let field = field(&Grained::coarse(1.0, 8.0, key));
                field[..64 - lag].iter().zip(&field[lag..64]).map(|(a, b)| f64::from(a * b)).sum()
            };
            (0..300).map(of).sum::<f64>() / (300 * (64 - lag)) as f64
        };
        assert!(product(1) > 0.9, "{}", product(1));
        assert!(product(16).abs() < 0.1, "{}", product(16));
    }

    #[test]
    fn a_grain_wider_than_the_window() {
        let field = field(&Grained::coarse(0.1, 1e9, 4));
        assert!(field.iter().all(|x| x.is_finite()));
        let white = Grained::octaves(0.1, 2.0, 1, 4);
        let mut one = [0.0; 3];
        white.apply(&mut one, 1);
        assert!(one.iter().all(|x| x.is_finite() && *x != 0.0));
    }
}
