//! Where a window lies on the canvas, and what the geometric stages do to it.
//!
//! All of them together are one map, so none has an adjoint of its own: `gather` samples through the map, and `scatter` is the adjoint of
//! that.
//!
//! **Spaces.** Canvas pixels: x right, y down, the canvas is `[0, width] x [0, height]`, pixel (i, j) has its centre at
//! (i + 0.5, j + 0.5). Window space: the square `[-0.5, 0.5]^2`, x right, y down. The place maps window space to canvas
//! pixels: `centre + extent * q`.
//!
//! **Order.** `cover` and `zoom` set the place's size, so they act before the others wherever they are written: `cover` sets
//! it, `zoom` divides it. Shift, rotate, shear, stretch, crop, perspective and flip then act on what is seen, in written order, each in the window
//! space left by the previous ones. With maps A, B, C written in this order, the window shows at q what lies at
//! `place(A(B(C(q))))`. A shift after a rotation thus moves along the rotated window's own axes.

use super::homography::{Homography, ellipse};
use super::region::{Area, Region};
use super::window::{FixedPlace, Frame};
use crate::chance::Draws;
use crate::plan::{Axis, Fit, Pipeline, Range, Sight, Stage, StageKind, Time};

/// A detail's window may extend beyond the canvas's edge by this fraction of its side, so that borders are seen as well as the
/// middle ...
const OVERHANG: f64 = 1.0 / 8.0;
/// ... but by no more than this fraction of the canvas, so that a window as large as the canvas stays on it.
const OVERHANG_OF_CANVAS: f64 = 1.0 / 16.0;
/// The smallest allowed ratio between the depth at a window's corner and at its centre; stronger tilts are weakened.
const LEAST_DEPTH: f64 = 0.25;

/// Windows move by at most this many of their sides, which keeps all later numbers finite.
const MOST_SHIFT: f64 = 100.0;

/// Shears, stretches and crops together change a window's lengths by at most this factor, which keeps all later numbers finite.
const MOST_CHANGE: f64 = 1000.0;
/// The steepest shear in degrees; a recipe cannot ask for more than 75.
const MOST_SHEAR: f64 = 80.0;

/// Returns whether a stage acts on this view; uses draw number 0 of the stage.
pub(super) fn acts(stage: &Stage, draws: Draws, time: &Time) -> bool {
    let chance = stage.chance.at(time);
    chance >= 1.0 || draws.unit(0) < chance
}

/// Returns a uniform draw from a range whose ends are evaluated at a time; 0 if it is not finite.
pub(super) fn uniform(range: &Range, draws: Draws, index: u64, time: &Time) -> f64 {
    let (low, high) = (range.low.at(time), range.high.at(time));
    let value = if low == high { low } else { draws.uniform(index, low, high) };
    if value.is_finite() { value } else { 0.0 }
}

/// Returns a log-uniform draw from a range of positive numbers.
pub(super) fn log_uniform(range: &Range, draws: Draws, time: &Time) -> f64 {
    let end = |value: f64| if value.is_finite() { value.clamp(1e-6, 1e6) } else { 1.0 };
    draws.log_uniform(1, end(range.low.at(time)), end(range.high.at(time)))
}

/// A placement: the window space's centre and extent in canvas pixels, before the stages that act on what is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placement {
    centre: [f64; 2],
    extent: [f64; 2],
}

/// Returns the window's extent in canvas pixels along x and y, after the stages that set it. `area` is what a composition fits.
fn extent(frame: &Frame, area: &Area, sight: Sight, pipeline: &Pipeline, draws: Draws, time: &Time) -> [f64; 2] {
    let canvas = f64::from(frame.size.shorter());
    let [width, height] = area.sides;
    let shorter = width.min(height);
    // What `cover = 1` and `zoom = 1` mean, and the extent without either.
    let (whole, life_size) = match sight {
        Sight::Whole { fit: Fit::Stretch } => ([width, height], [width, height]),
        Sight::Whole { fit: Fit::Contain } => ([width.max(height); 2], [width.max(height); 2]),
        Sight::Whole { fit: Fit::Slide } => ([shorter; 2], [shorter; 2]),
        Sight::Places => ([canvas; 2], [f64::from(frame.life_size); 2]),
    };
    let mut extent = life_size;
    let mut said = false;
    for stage in &pipeline.stages {
        let draws = draws.at(stage.key);
        match &stage.kind {
            StageKind::Cover(range) if acts(stage, draws, time) => {
                let cover = log_uniform(range, draws, time);
                extent = whole.map(|side| side * cover);
                said = true;
            }
            StageKind::Zoom(range) if acts(stage, draws, time) => {
                let zoom = log_uniform(range, draws, time);
                extent = extent.map(|side| side / zoom);
                said = true;
            }
            _ => {}
        }
    }
    if !said && sight == Sight::Places {
        extent = extent.map(|side| side.min(canvas));
    }
    // From one pixel to far more than the canvas, which keeps all later numbers finite.
    extent.map(|side| side.clamp(1.0, 16.0 * f64::from(frame.size.width.max(frame.size.height))))
}

/// Draws a place. Draws number 0 and 1 of the place itself are the centre, which is the same for every pipeline. A fixed place, if
/// given, sets the centre and the size instead.
///
/// On a rectangle, windows lie as they do on a whole canvas. On a mask, their centres are drawn from it, then moved only as far
/// as needed to keep the overhang beyond the canvas within its usual limit.
fn placement(
    frame: &Frame,
    region: Option<&Region>,
    sight: Sight,
    pipeline: &Pipeline,
    (draws, fixed): (Draws, Option<&FixedPlace>),
    time: &Time,
) -> Placement {
    let whole = Area::of(frame.size);
    let area = region.map_or(whole, |region| region.area);
    let extent = extent(frame, &area, sight, pipeline, fixed.map_or(draws, |fixed| fixed.draws), time);
    let at = fixed.map_or_else(|| [draws.unit(0), draws.unit(1)], |fixed| fixed.at);
    let point = region.filter(|_| sight == Sight::Places).and_then(|region| region.point(at));
    let centre = [0, 1].map(|axis| {
        let Area { start, sides } = if point.is_some() { whole } else { area };
        let (start, side) = (start[axis], sides[axis]);
        let overhang = match sight {
            Sight::Whole { fit: Fit::Stretch | Fit::Contain } => return start + 0.5 * side,
            Sight::Whole { fit: Fit::Slide } if side <= sides[1 - axis] => return start + 0.5 * side,
            Sight::Whole { fit: Fit::Slide } => 0.0,
            Sight::Places => (OVERHANG * extent[axis]).min(OVERHANG_OF_CANVAS * side),
        };
        let room = (side - extent[axis] + 2.0 * overhang).max(0.0);
        match point {
            Some(point) => point[axis].clamp(0.5 * (side - room), 0.5 * (side + room)),
            None => start + (0.5 * side + room * (at[axis] - 0.5)),
        }
    });
    Placement { centre, extent }
}

/// Returns the tilt of strength p (0..1) whose far edge lies in direction `angle`.
///
/// q -> k q / (1 - 2 a (d . q)), d the direction's unit vector. Where d . q = 1/2, lengths across d are 1 / (1 - a) of those at
/// the centre; where it is -1/2, they are 1 / (1 + a). Their ratio is 1 + p for a = p / (2 + p). k = 1 - a^2 preserves the
/// visible area when d is an axis.
fn tilt(strength: f64, angle: f64) -> Homography {
    let strength = strength.clamp(0.0, 1.0);
    let a = strength / (2.0 + strength);
    let k = 1.0 - a * a;
    Homography([[k, 0.0, 0.0], [0.0, k, 0.0], [-2.0 * a * angle.cos(), -2.0 * a * angle.sin(), 1.0]])
}

/// Returns the map of one geometric stage in window space, with tilts multiplied by `tilted`.
fn stage_map(kind: &StageKind, draws: Draws, time: &Time, tilted: f64) -> Option<Homography> {
    Some(match kind {
        StageKind::Shift(range) => {
            let by = |index| uniform(range, draws, index, time).clamp(-MOST_SHIFT, MOST_SHIFT);
            Homography::translation(by(1), by(2))
        }
        StageKind::Rotate(range) => {
            let (sin, cos) = exact_sin_cos(uniform(range, draws, 1, time));
            // y points down: this shows at (1, 0) what lay at (cos, sin), which is below it, and so turns the view upwards.
            Homography([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        }
        StageKind::Shear(range) => {
            let by = |index| uniform(range, draws, index, time).clamp(-MOST_SHEAR, MOST_SHEAR).to_radians().tan();
            // First along y, then along x: either alone keeps areas, and so both do.
            let along_y = Homography([[1.0, 0.0, 0.0], [by(2), 1.0, 0.0], [0.0, 0.0, 1.0]]);
            Homography([[1.0, by(1), 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).after(&along_y)
        }
        StageKind::Stretch(range) => {
            let root = log_uniform(range, draws, time).sqrt();
            Homography::scale(1.0 / root, root)
        }
        StageKind::Crop(range) => {
            let side = uniform(range, draws, 1, time).clamp(1e-3, 1e3);
            // Anywhere in the window if it is smaller, anywhere around the window if it is larger.
            let centre = |index| (1.0 - side) * (draws.unit(index) - 0.5);
            Homography::translation(centre(2), centre(3)).after(&Homography::scale(side, side))
        }
        StageKind::Perspective(range) => {
            tilt(tilted * uniform(range, draws, 1, time), draws.uniform(2, 0.0, std::f64::consts::TAU))
        }
        StageKind::Flip(Axis::Horizontal) => Homography::scale(-1.0, 1.0),
        StageKind::Flip(Axis::Vertical) => Homography::scale(1.0, -1.0),
        StageKind::Zoom(_) | StageKind::Cover(_) => return None,
        // The stages that filter pixels.
        StageKind::Blur(_)
        | StageKind::Noise(..)
        | StageKind::Colour(_)
        | StageKind::Brightness(_)
        | StageKind::Contrast(_)
        | StageKind::Saturation(_)
        | StageKind::Hue(_)
        | StageKind::Sharpen(_)
        | StageKind::Erase(_)
        | StageKind::Pixelate(_)
        | StageKind::Quantise(_)
        | StageKind::Gamma(_)
        | StageKind::Edges(_)
        | StageKind::Clamp(_) => return None,
    })
}

/// Returns the factor by which a stage changes lengths at most, up or down; 1 for the stages that keep them well within bounds.
fn change(kind: &StageKind, map: &Homography) -> f64 {
    if !matches!(kind, StageKind::Shear(_) | StageKind::Stretch(_) | StageKind::Crop(_)) {
        return 1.0;
    }
    let (major, minor, _) = ellipse(map.jacobian([0.0, 0.0]));
    major.max(1.0 / minor)
}

/// Composes the geometric stages of a view in written order, with tilts multiplied by `tilted`. A stage that would take lengths beyond
/// [`MOST_CHANGE`] is left out.
fn stages_map(pipeline: &Pipeline, draws: Draws, time: &Time, tilted: f64) -> Homography {
    let (mut composed, mut changed) = (Homography::IDENTITY, 1.0);
    for stage in pipeline.stages.iter().filter(|stage| acts(stage, draws.at(stage.key), time)) {
        let Some(map) = stage_map(&stage.kind, draws.at(stage.key), time, tilted) else { continue };
        let more = changed * change(&stage.kind, &map);
        if more <= MOST_CHANGE {
            (composed, changed) = (composed.after(&map), more);
        }
    }
    composed
}

/// Returns sine and cosine of degrees, without rounding for multiples of a right angle.
fn exact_sin_cos(degrees: f64) -> (f64, f64) {
    match degrees.rem_euclid(360.0) {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        other => other.to_radians().sin_cos(),
    }
}

/// Returns the map from window pixels (u right, v down, pixel (i, j) has its centre at (i + 0.5, j + 0.5)) to canvas pixels.
pub(super) fn window_map(
    frame: &Frame,
    region: Option<&Region>,
    sight: Sight,
    pipeline: &Pipeline,
    (draws, fixed): (Draws, Option<&FixedPlace>),
    time: &Time,
) -> Homography {
    let side = frame.side;
    let placement = placement(frame, region, sight, pipeline, (draws, fixed), time);
    let to_canvas = Homography::translation(placement.centre[0], placement.centre[1])
        .after(&Homography::scale(placement.extent[0], placement.extent[1]));
    let from_pixels =
        Homography([[1.0 / f64::from(side), 0.0, -0.5], [0.0, 1.0 / f64::from(side), -0.5], [0.0, 0.0, 1.0]]);
    let far = f64::from(side);
    // A single tilt of up to 1 always passes. Several tilts, or one far off the centre, may have to be weakened so that no part
    // of the window lies at or behind the horizon.
    for tilted in [1.0, 0.7, 0.5, 0.35, 0.25, 0.12, 0.0] {
        let stages = stages_map(pipeline, draws, time, tilted);
        let mut map = to_canvas.after(&stages).after(&from_pixels);
        let centre = map.depth([0.5 * far, 0.5 * far]);
        let least = [[0.0, 0.0], [far, 0.0], [far, far], [0.0, far]]
            .into_iter()
            .map(|corner| map.depth(corner))
            .fold(f64::INFINITY, f64::min);
        if tilted == 0.0 {
            map.0[2] = [0.0, 0.0, 1.0];
            return map;
        }
        if centre > 0.0 && least >= LEAST_DEPTH * centre {
            return map;
        }
    }
    unreachable!("the last round returns")
}
