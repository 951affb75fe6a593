//! Random colours.

use super::raster::{Colour, lightness};
use crate::chance::Draws;

/// Converts hue, saturation and value, each 0..1, to a colour (Smith, "Color gamut transform pairs", 1978).
pub(super) fn of_hue(hue: f64, saturation: f64, value: f64) -> Colour {
    // The offset of each channel's hexagon side: red at 0, green at 1/3, blue at 2/3 of the circle.
    [0.0, 4.0, 2.0].map(|offset| {
        let side = (offset + hue * 6.0).rem_euclid(6.0);
        let fall = (side - 3.0).abs() - 1.0;
        (value * (1.0 - saturation * (1.0 - fall.clamp(0.0, 1.0)))) as f32
    })
}

/// Draws any colour: grey, muted or strong.
pub(super) fn any(draws: Draws) -> Colour {
    let saturation = match draws.unit(0) {
        kind if kind < 0.2 => draws.uniform(1, 0.0, 0.1),
        kind if kind < 0.7 => draws.uniform(1, 0.1, 0.6),
        _ => draws.uniform(1, 0.6, 1.0),
    };
    of_hue(draws.unit(2), saturation, draws.uniform(3, 0.03, 1.0))
}

/// Draws an ink colour: often nearly black or white, otherwise any colour. It is at least `apart` lighter or darker than
/// `ground`, as far as such a colour exists.
pub(super) fn ink(draws: Draws, ground: f32, apart: f32) -> Colour {
    const TRIES: u64 = 8;
    let tried = (0..TRIES).map(|attempt| {
        let draws = draws.at(attempt);
        match draws.unit(9) {
            kind if kind < 0.2 => of_hue(draws.unit(2), draws.uniform(1, 0.0, 0.2), draws.uniform(3, 0.0, 0.15)),
            kind if kind < 0.4 => of_hue(draws.unit(2), draws.uniform(1, 0.0, 0.15), draws.uniform(3, 0.85, 1.0)),
            _ => any(draws),
        }
    });
    let far = |colour: &Colour| (lightness(*colour) - ground).abs() >= apart;
    tried.into_iter().find(far).unwrap_or(if ground > 0.5 { [0.0; 3] } else { [1.0; 3] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_go_round() {
        assert_eq!(of_hue(0.0, 1.0, 1.0), [1.0, 0.0, 0.0]);
        assert_eq!(of_hue(1.0 / 3.0, 1.0, 1.0).map(|value| (value * 1e6).round() / 1e6), [0.0, 1.0, 0.0]);
        assert_eq!(of_hue(2.0 / 3.0, 1.0, 0.5).map(|value| (value * 1e6).round() / 1e6), [0.0, 0.0, 0.5]);
        assert_eq!(of_hue(0.7, 0.0, 0.25), [0.25; 3]);
    }

    #[test]
    fn ink_stands_out() {
        for index in 0..200 {
            let draws = Draws::new(index);
            let ground = draws.unit(0) as f32;
            assert!((lightness(ink(draws, ground, 0.3)) - ground).abs() >= 0.3);
        }
    }
}
