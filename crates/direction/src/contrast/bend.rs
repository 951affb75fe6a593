//! Maps places in the window to places on a flat sheet: slanted, in perspective, along an arc or a wave, molten.

use super::field::smooth;
use crate::chance::Draws;

/// A map from the window to the sheet. Both use window sides as units, relative to their centres.
pub(super) struct Bend {
    /// The position of the sheet's centre in the window.
    centre: [f64; 2],
    /// The inverse of rotation and shear.
    matrix: [f64; 4],
    /// How fast the scale changes across the window.
    perspective: [f64; 2],
    curve: Curve,
    melt: f64,
    draws: Draws,
}

/// The shape of the baselines.
#[derive(Debug, Clone, Copy)]
enum Curve {
    Straight,
    /// On a circle of this radius, in window sides; a negative one opens upwards.
    Arc(f64),
    Wave {
        height: f64,
        cycles: f64,
        phase: f64,
    },
}

impl Bend {
    /// Draws a random bend, with the sheet's centre where at least a part of the sheet is visible.
    pub fn any(draws: Draws, em: f64) -> Bend {
        let normal = |index| draws.normal_pair(index)[0];
        let (turn, shear) = match draws.unit(0) {
            kind if kind < 0.55 => (normal(1) * 3.0, 0.0),
            kind if kind < 0.92 => (draws.uniform(1, -30.0, 30.0), draws.uniform(2, -0.4, 0.4)),
            _ => (if draws.unit(1) < 0.5 { 90.0 } else { -90.0 }, 0.0),
        };
        let perspective = match draws.unit(3) {
            kind if kind < 0.75 => [0.0; 2],
            _ => [draws.uniform(4, -0.5, 0.5), draws.uniform(5, -0.5, 0.5)],
        };
        let curve = match draws.unit(6) {
            kind if kind < 0.74 => Curve::Straight,
            kind if kind < 0.88 => {
                // The circle is at most so tight that letters still have room.
                let radius = draws.log_uniform(7, 0.35f64.max(em), 1.5f64.max(2.0 * em));
                Curve::Arc(if draws.unit(8) < 0.7 { radius } else { -radius })
            }
            _ => Curve::Wave {
                height: draws.uniform(7, 0.02, 0.1),
                cycles: draws.uniform(8, 0.6, 2.0),
                phase: draws.unit(9) * std::f64::consts::TAU,
            },
        };
        let melt = if draws.unit(10) < 0.75 { 0.0 } else { draws.uniform(11, 0.03, 0.22) * em };
        let turn = turn.to_radians();
        let (sin, cos) = turn.sin_cos();
        Bend {
            centre: [0.5 + 0.1 * normal(12), 0.5 + 0.1 * normal(13)],
            // Rotated back, then sheared.
            matrix: [cos + shear * -sin, sin + shear * cos, -sin, cos],
            perspective,
            curve,
            melt: melt / em.max(1e-6),
            draws: draws.at(1),
        }
    }

    /// Returns the place on the sheet, relative to its centre, of a place in the window (0..1 from its corner).
    pub fn to_sheet(&self, x: f64, y: f64, em: f64) -> [f64; 2] {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let scale = 1.0 + self.perspective[0] * dx + self.perspective[1] * dy;
        // Nothing is visible behind the viewer.
        let (dx, dy) = if scale > 0.2 { (dx / scale, dy / scale) } else { (1e3, 1e3) };
        let [a, b, c, d] = self.matrix;
        let (u, v) = (a * dx + b * dy, c * dx + d * dy);
        let (mut u, mut v) = match self.curve {
            Curve::Straight => (u, v),
            Curve::Arc(radius) => {
                let from = v + radius;
                let angle = u.atan2(from * radius.signum());
                (angle * radius.abs(), radius.signum() * (u.hypot(from) - radius.abs()))
            }
            Curve::Wave { height, cycles, phase } => {
                (u, v + height * (std::f64::consts::TAU * cycles * u + phase).sin())
            }
        };
        if self.melt > 0.0 {
            // Distortions are about as large as the distance between strokes.
            let at = |index| smooth(self.draws.at(index), 2.2 * x / em, 2.2 * y / em);
            u += self.melt * em * at(0);
            v += self.melt * em * at(1);
        }
        [u, v]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight() -> Bend {
        Bend {
            centre: [0.5, 0.25],
            matrix: [1.0, 0.0, 0.0, 1.0],
            perspective: [0.0; 2],
            curve: Curve::Straight,
            melt: 0.0,
            draws: Draws::new(1),
        }
    }

    #[test]
    fn the_centre_lies_at_the_centre_however_it_is_bent() {
        for seed in 0..200 {
            let bend = Bend { melt: 0.0, ..Bend::any(Draws::new(seed), 0.2) };
            let bend = match bend.curve {
                Curve::Wave { .. } => Bend { curve: Curve::Straight, ..bend },
                _ => bend,
            };
            let [u, v] = bend.to_sheet(bend.centre[0], bend.centre[1], 0.2);
            assert!(u.abs() < 1e-9 && v.abs() < 1e-9, "{seed}: {u} {v}");
        }
        assert_eq!(straight().to_sheet(0.75, 0.5, 0.2), [0.25, 0.25]);
    }

    #[test]
    fn an_arc_keeps_lengths_along_its_baseline() {
        for radius in [0.5, -0.5] {
            let bend = Bend { curve: Curve::Arc(radius), ..straight() };
            // A quarter of the circle to the right, at the height of its centre.
            let [u, v] = bend.to_sheet(0.5 + 0.5, 0.25 - radius, 0.2);
            assert!((u - 0.5 * std::f64::consts::FRAC_PI_2).abs() < 1e-9 && v.abs() < 1e-9, "{u} {v}");
        }
    }
}
