//! The footprint of a window pixel on the canvas: which levels to read and how many probes to average.
//!
//! A window pixel's circle becomes an ellipse on the canvas. Its short axis sets the level, so nothing is blurred that the
//! window could show. Up to four probes along its long axis cover the rest, so nothing aliases. (The idea of McCormack et al.,
//! "Feline: fast elliptical lines for anisotropic texture mapping", 1999.)

use super::homography::{Homography, ellipse};

/// The maximum number of probes along the long axis.
const MOST_PROBES: f64 = 4.0;
/// A probe is added as soon as the ratio of the ellipse's axes exceeds a whole number by this much.
const SLACK: f64 = 0.2;

/// What a window pixel reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Footprint {
    /// Samples to average, 1 to 4.
    pub probes: u32,
    /// The offset from one sample to the next, in canvas pixels.
    pub step: [f64; 2],
    /// The finer of the two levels.
    pub level: usize,
    /// The share of the next coarser level, 0 to 1; at 0 that level is not read.
    pub blend: f32,
}

/// Returns the level of detail at a point, the number of probes and the ellipse's half axis.
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
    /// The upper bound on the distance of a probe from its window pixel's centre, in canvas pixels.
    pub reach: f64,
}

impl Detail {
    /// Computes the range from the window's corners: a map of positive depth has its extremes there, approximately.
    pub fn of(map: &Homography, side: u32) -> Detail {
        let far = f64::from(side);
        let corners = [[0.0, 0.0], [far, 0.0], [far, far], [0.0, far]];
        let details = corners.map(|corner| detail(map, corner));
        let levels = details.map(|(level, ..)| level.max(0.0));
        // Probes reach up to 3/8 of the long axis; twice that also covers what the corners do not show.
        let reach = if map.is_affine() && details[0].1 == 1.0 { 0.0 } else { 0.75 };
        Detail {
            least: levels.into_iter().fold(f64::INFINITY, f64::min),
            most: levels.into_iter().fold(0.0, f64::max),
            reach: details.into_iter().map(|(.., [x, y])| reach * x.hypot(y)).fold(0.0, f64::max),
        }
    }
}

impl Footprint {
    /// Returns the footprint at a point in window pixels; `last` is the coarsest level.
    pub fn at(map: &Homography, point: [f64; 2], range: Detail, last: usize) -> Footprint {
        let (level, probes, axis) = detail(map, point);
        // Clamp to the range that `Window::levels` reports.
        let level = level.clamp(range.least, range.most).min(last as f64);
        let whole = level.floor();
        let blend = (level - whole) as f32;
        // Blending in an invisible share would cost as much as any other, so it is rounded to a single level.
        let (whole, blend) = match blend {
            ..0.004 => (whole, 0.0),
            0.996.. => (whole + 1.0, 0.0),
            _ => (whole, blend),
        };
        let step = axis.map(|part| part / probes);
        Footprint { probes: probes as u32, step, level: whole as usize, blend }
    }

    /// Returns the levels read, and the share of each sample in the window pixel.
    pub fn shares(&self) -> impl Iterator<Item = (usize, f32)> + use<> {
        let each = 1.0 / self.probes as f32;
        let finer = (self.level, (1.0 - self.blend) * each);
        let coarser = (self.blend > 0.0).then_some((self.level + 1, self.blend * each));
        std::iter::once(finer).chain(coarser)
    }
}
