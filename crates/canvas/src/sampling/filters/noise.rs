//! Gaussian noise, independent for every pixel and channel.

use crate::chance::Draws;
use std::sync::LazyLock;

/// Entries of each table; 10 bits address one.
const ENTRIES: usize = 1024;

/// The Box-Muller transform (1958) from tables of 1024 radii and 1024 angles: 20 random bits make two normal numbers of
/// variance 1, none beyond 3.9 deviations. Exact transcendental functions would cost more than sampling the window.
struct Tables {
    radius: [f32; ENTRIES],
    circle: [[f32; 2]; ENTRIES],
}

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let middle = |i: usize| (i as f64 + 0.5) / ENTRIES as f64;
    let radius: Vec<f64> = (0..ENTRIES).map(|i| (-2.0 * middle(i).ln()).sqrt()).collect();
    // The mean square of the radius would be 2, but a table cannot hold the tail.
    let square = radius.iter().map(|r| r * r).sum::<f64>() / ENTRIES as f64;
    let correction = (2.0 / square).sqrt();
    let mut tables = Box::new(Tables { radius: [0.0; ENTRIES], circle: [[0.0; 2]; ENTRIES] });
    for (i, r) in radius.iter().enumerate() {
        tables.radius[i] = (r * correction) as f32;
        let (sin, cos) = (middle(i) * std::f64::consts::TAU).sin_cos();
        tables.circle[i] = [cos as f32, sin as f32];
    }
    tables
});

/// y = x + deviation n.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    deviation: f32,
    key: u64,
}

impl Noise {
    pub fn new(deviation: f64, key: u64) -> Noise {
        Noise { deviation: deviation as f32, key }
    }

    /// Adds noise to all values; a value's noise depends only on the key and its position.
    pub fn apply(&self, values: &mut [f32]) {
        let tables = &**TABLES;
        let draws = Draws::new(self.key);
        let mask = ENTRIES - 1;
        let six = |index: usize| {
            let bits = draws.bits(index as u64);
            let mut normals = [0.0; 6];
            for (pair, out) in normals.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let part = (bits >> (4 + 20 * pair)) as usize;
                let radius = tables.radius[part & mask] * self.deviation;
                let [cos, sin] = tables.circle[(part >> 10) & mask];
                *out = [radius * cos, radius * sin];
            }
            normals
        };
        let (sixes, rest) = values.as_chunks_mut::<6>();
        for (index, values) in sixes.iter_mut().enumerate() {
            for (value, normal) in values.iter_mut().zip(six(index)) {
                *value += normal;
            }
        }
        for (value, normal) in rest.iter_mut().zip(six(sixes.len())) {
            *value += normal;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_normal() {
        let n = 600_000;
        let mut values = vec![0.0f32; n];
        Noise::new(1.0, 9).apply(&mut values);
        let moment = |k: i32| values.iter().map(|&x| f64::from(x).powi(k)).sum::<f64>() / n as f64;
        assert!(moment(1).abs() < 0.005, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.005, "{}", moment(2));
        assert!(moment(3).abs() < 0.02, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.04, "{}", moment(4));
        for lag in [1, 2, 3, 5, 6, 64] {
            let product: f64 = values.iter().zip(&values[lag..]).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            assert!((product / n as f64).abs() < 0.006, "lag {lag}: {}", product / n as f64);
        }
    }

    #[test]
    fn keys_and_prefixes() {
        let field = |key, n| {
            let mut values = vec![0.0f32; n];
            Noise::new(0.1, key).apply(&mut values);
            values
        };
        assert_eq!(field(1, 20), field(1, 50)[..20]);
        assert_ne!(field(1, 20), field(2, 20));
    }
}
