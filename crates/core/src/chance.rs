//! Counter-based randomness: every draw is a pure function of its coordinates. Neither the number of threads nor an
//! unrelated change of the recipe affects it.
//!
//! The mixing is SplitMix64's finaliser (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014)
//! applied to a running key.

/// A position in the tree of draws, such as `Draws::new(seed).at(step).at(target.key).at(place).at(stage.key)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    key: u64,
}

/// SplitMix64's output function: a bijection that spreads every bit.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draws {
    /// Returns the root of all draws of a render.
    pub fn new(seed: u64) -> Self {
        Draws { key: mix(seed.wrapping_add(GOLDEN)) }
    }

    /// Returns the branch with one more coordinate.
    #[must_use]
    pub fn at(self, coordinate: u64) -> Self {
        Draws { key: mix(self.key.wrapping_mul(3).wrapping_add(mix(coordinate.wrapping_add(GOLDEN)))) }
    }

    /// Returns 64 uniform bits: draw number `index` of this branch.
    pub fn bits(self, index: u64) -> u64 {
        mix(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// Returns a number uniform in [0, 1), with 53 random bits.
    pub fn unit(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Returns a number uniform in [low, high).
    pub fn uniform(self, index: u64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit(index)
    }

    /// Returns a number log-uniform in [low, high), both positive.
    pub fn log_uniform(self, index: u64, low: f64, high: f64) -> f64 {
        if low == high { low } else { (self.uniform(index, low.ln(), high.ln())).exp() }
    }

    /// Returns a pair of independent standard normal numbers (Box and Muller, 1958).
    pub fn normal_pair(self, index: u64) -> [f64; 2] {
        let bits = self.bits(index);
        // In (0, 1], which keeps the logarithm finite.
        let u = ((bits >> 32) as f64 + 1.0) * (1.0 / 4_294_967_296.0);
        let v = (bits & 0xffff_ffff) as f64 * (std::f64::consts::TAU / 4_294_967_296.0);
        let radius = (-2.0 * u.ln()).sqrt();
        [radius * v.cos(), radius * v.sin()]
    }
}

/// Returns a key for a name, the same on every machine and in every version.
pub fn key_of(name: &str) -> u64 {
    let hash = blake3::hash(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_uniform_and_normal() {
        let draws = Draws::new(7).at(3);
        let n = 20_000;
        let mean: f64 = (0..n).map(|i| draws.unit(i)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let normals: Vec<f64> = (0..n).flat_map(|i| draws.normal_pair(i)).collect();
        let mean = normals.iter().sum::<f64>() / normals.len() as f64;
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / normals.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn a_branch_depends_on_every_coordinate_and_their_order() {
        let root = Draws::new(1);
        assert_ne!(root.at(1).at(2), root.at(2).at(1));
        assert_ne!(root.at(0), root);
        assert_ne!(Draws::new(1).at(5).unit(0), Draws::new(2).at(5).unit(0));
    }
}
