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
        rgb8(&self.pixels)
    }
}

/// Converts planes `[3, A]`, nominally 0..1, to interleaved 8-bit RGB, with values rounded and clamped to 0..=255.
pub fn rgb8(planes: &[f32]) -> Vec<u8> {
    let area = planes.len() / 3;
    let mut bytes = vec![0; area * 3];
    for (i, pixel) in bytes.chunks_exact_mut(3).enumerate() {
        for (channel, byte) in pixel.iter_mut().enumerate() {
            // The cast saturates and maps NaN to 0.
            *byte = (planes[channel * area + i] * 255.0 + 0.5) as u8;
        }
    }
    bytes
}
