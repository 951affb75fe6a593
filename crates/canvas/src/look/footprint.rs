//! How much of the canvas a window pixel stands for: which levels to read and how many probes to average.
//!
//! A window pixel's circle becomes an ellipse on the canvas. Its short axis says the level, so that nothing is blurred
//! that the window could show; up to four probes along its long axis fill it, so that nothing aliases. (The idea of
//! McCormack et al., "Feline: fast elliptical lines for anisotropic texture mapping", 1999.)

use super::homography::{Homography, ellipse};

/// Probes along the long axis at most.
const MOST_PROBES: f64 = 4.0;
/// One more probe as soon as the ellipse's axes differ by this much more than a whole number.
const SLACK: f64 = 0.2;

/// What a window pixel reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Footprint {
    /// Samples to average, 1 to 4.
    pub probes: u32,
    /// From one sample to the next, in canvas pixels.
    pub step: [f64; 2],
    /// The finer of the two levels.
    pub level: usize,
    /// The share of the next coarser level, 0 to 1; at 0 it is not read.
    pub blend: f32,
}

/// The level of detail at a point, the number of probes and the ellipse's half axis.
fn detail(map: &Homography, point: [f64; 2]) -> (f64, f64, [f64; 2]) {
    let (major, minor, axis) = ellipse(map.jacobian(point));
    let probes = if major > 1.0 { (major / minor.max(1.0) - SLACK).ceil().clamp(1.0, MOST_PROBES) } else { 1.0 };
    let scale = minor.max(major / probes);
    (scale.log2(), probes, axis)
}

/// The levels of detail that a window may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Detail {
    pub least: f64,
    pub most: f64,
    /// No probe lies further than this from its window pixel's centre, in canvas pixels.
    pub reach: f64,
}

impl Detail {
    /// From what the map needs at the window's corners: a map of positive depth has its extremes there, nearly.
    pub fn of(map: &Homography, side: u32) -> Detail {
        let far = f64::from(side);
        let corners = [[0.0, 0.0], [far, 0.0], [far, far], [0.0, far]];
        let details = corners.map(|corner| detail(map, corner));
        let levels = details.map(|(level, ..)| level.max(0.0));
        // Probes reach to 3/8 of the long axis; twice that also covers what the corners do not tell.
        let reach = if map.is_affine() && details[0].1 == 1.0 { 0.0 } else { 0.75 };
        Detail {
            least: levels.into_iter().fold(f64::INFINITY, f64::min),
            most: levels.into_iter().fold(0.0, f64::max),
            reach: details.into_iter().map(|(.., [x, y])| reach * x.hypot(y)).fold(0.0, f64::max),
        }
    }
}

impl Footprint {
    /// The footprint at a point in window pixels; `last` is the coarsest level there is.
    pub fn at(map: &Homography, point: [f64; 2], range: Detail, last: usize) -> Footprint {
        let (level, probes, axis) = detail(map, point);
        // Whoever asks which levels a window reads is told the truth.
        let level = level.clamp(range.least, range.most).min(last as f64);
        let whole = level.floor();
        let blend = (level - whole) as f32;
        // A share that no pixel could show costs as much as any other.
        let (whole, blend) = match blend {
            ..0.004 => (whole, 0.0),
            0.996.. => (whole + 1.0, 0.0),
            _ => (whole, blend),
        };
        let step = axis.map(|part| part / probes);
        Footprint { probes: probes as u32, step, level: whole as usize, blend }
    }

    /// The levels read, and the share of each sample in the window pixel.
    pub fn shares(&self) -> impl Iterator<Item = (usize, f32)> + use<> {
        let each = 1.0 / self.probes as f32;
        let finer = (self.level, (1.0 - self.blend) * each);
        let coarser = (self.blend > 0.0).then_some((self.level + 1, self.blend * each));
        std::iter::once(finer).chain(coarser)
    }
}
