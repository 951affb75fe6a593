//! Smooth random fields: lattice noise (Perlin, "An image synthesizer", 1985, with values instead of gradients), and sums of
//! its octaves.

use crate::chance::Draws;

/// Returns smooth noise between -1 and 1 with a mean of about 0, on a lattice of random values one unit apart.
pub(super) fn smooth(draws: Draws, x: f64, y: f64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    // A curve with zero first and second derivative at both ends.
    let fade = |t: f64| t * t * t * (t * (6.0 * t - 15.0) + 10.0);
    let (u, v) = (fade(x - column), fade(y - row));
    // Negative numbers wrap around, so they remain distinct.
    let value = |dx: i64, dy: i64| {
        let here = draws.at((column as i64 + dx) as u64);
        2.0 * here.unit((row as i64 + dy) as u64) - 1.0
    };
    let along = |dy| value(0, dy) + (value(1, dy) - value(0, dy)) * u;
    along(0) + (along(1) - along(0)) * v
}

/// Returns a sum of octaves over the unit square, from `coarsest` cycles up to `finest`, with amplitudes falling as
/// 1/f^`decay`. The sum is divided by the root of the sum of squared amplitudes, so its deviation is about that of [`smooth`].
pub(super) fn spectrum(draws: Draws, [x, y]: [f64; 2], [coarsest, finest]: [f64; 2], decay: f64) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    let (mut frequency, mut octave) = (coarsest, 0);
    while frequency <= finest {
        let amplitude = (frequency / coarsest).powf(-decay);
        sum += amplitude * smooth(draws.at(octave), x * frequency, y * frequency);
        squares += amplitude * amplitude;
        frequency *= 2.0;
        octave += 1;
    }
    if squares == 0.0 { 0.0 } else { sum / f64::sqrt(squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_smooth_and_differ_by_their_draws() {
        let draws = Draws::new(3);
        let at = |x: f64| smooth(draws, x, 0.3);
        for step in 0..400 {
            let x = f64::from(step) * 0.01 - 2.0;
            assert!(at(x).abs() <= 1.0 && (at(x + 1e-4) - at(x)).abs() < 1e-3, "{x}");
        }
        assert_ne!(at(0.5), smooth(Draws::new(4), 0.5, 0.3));
        assert_ne!(at(0.5), at(-0.5));
    }

    #[test]
    fn a_slower_fall_is_rougher() {
        let rough = |decay: f64| {
            let value = |index: i32| spectrum(Draws::new(5), [f64::from(index) / 256.0, 0.4], [2.0, 64.0], decay);
            (0..256).map(|index| (value(index + 1) - value(index)).abs()).sum::<f64>()
        };
        assert!(rough(0.3) > 2.0 * rough(1.5));
        assert_eq!(spectrum(Draws::new(5), [0.5, 0.5], [4.0, 2.0], 1.0), 0.0);
    }
}
