//! A picture, finished or in progress.

use crate::plan::Size;

/// Pixels as `[3, height, width]` f32, nominally 0..1 sRGB.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub size: Size,
    pub pixels: Vec<f32>,
}

impl Picture {
    /// Converts to interleaved 8-bit RGB rows, with values rounded and clamped to 0..=255.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let area = self.size.area();
        let mut bytes = vec![0; area * 3];
        for (i, pixel) in bytes.chunks_exact_mut(3).enumerate() {
            for (channel, byte) in pixel.iter_mut().enumerate() {
                // The cast saturates and maps NaN to 0.
                *byte = (self.pixels[channel * area + i] * 255.0 + 0.5) as u8;
            }
        }
        bytes
    }
}
