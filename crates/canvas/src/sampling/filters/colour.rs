//! Colour jitter: a gain for the whole window and an offset for each channel.

use crate::chance::Draws;

/// The offsets' deviation as a share of the gain's: offsets change more of what the encoder sees.
const OFFSET_SHARE: f64 = 0.5;

/// y = gain x + offset, with one offset per channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colour {
    gain: f32,
    offsets: [f32; 3],
}

impl Colour {
    /// Draws a gain of 1 + d n and offsets of d n / 2, each n standard normal, d the deviation.
    pub fn draw(deviation: f64, draws: Draws) -> Colour {
        let [gain, red] = draws.normal_pair(2);
        let [green, blue] = draws.normal_pair(3);
        Colour {
            gain: (1.0 + deviation * gain) as f32,
            offsets: [red, green, blue].map(|n| (OFFSET_SHARE * deviation * n) as f32),
        }
    }

    pub fn apply(&self, window: &mut [f32], side: usize) {
        for (plane, offset) in window.chunks_exact_mut(side * side).zip(self.offsets) {
            for value in plane {
                *value = self.gain * *value + offset;
            }
        }
    }

    pub fn adjoint(&self, gradient: &mut [f32]) {
        for value in gradient {
            *value *= self.gain;
        }
    }
}
