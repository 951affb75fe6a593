//! One view of a place, with all its random numbers drawn.

use super::filters::Filter;
use super::footprint::{Detail, Footprint};
use super::geometry;
use super::homography::Homography;
use super::region::Region;
use crate::chance::Draws;
use crate::plan::{Edge, Pipeline, Sight, Size, Time};

/// What windows are cut from, and how large they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The canvas.
    pub size: Size,
    /// The encoder's window side S in pixels.
    pub side: u32,
    /// The side of what a `zoom` of 1 shows, in canvas pixels: S, or that of another encoder that sees the same windows.
    pub life_size: u32,
}

impl Frame {
    /// Creates the frame of an encoder whose windows have this side.
    pub fn new(size: Size, side: u32) -> Frame {
        Frame { size, side, life_size: side }
    }

    /// Returns the frame for windows that show the same as another frame's.
    #[must_use]
    pub fn beside(self, other: &Frame) -> Frame {
        Frame { life_size: other.life_size, ..self }
    }
}

/// A place that stays fixed for a whole render: windows look at it again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedPlace {
    /// Its position within the room for a window's centre, x and y in [0, 1).
    pub(super) at: [f64; 2],
    /// Draws its size.
    pub(super) draws: Draws,
}

impl FixedPlace {
    /// Returns fixed place `number` of a target: `draws` stands at (seed, target).
    ///
    /// However many places there are, they are evenly spread: along each axis by steps of 1/g and 1/g^2, where g^3 = g + 1, from
    /// a random start (Roberts: "The unreasonable effectiveness of quasirandom sequences", 2018).
    pub fn new(number: u64, draws: Draws) -> FixedPlace {
        const PLASTIC: f64 = 1.324_717_957_244_746;
        let steps = [1.0 / PLASTIC, 1.0 / (PLASTIC * PLASTIC)];
        // A float holds no large numbers exactly, so the number wraps around.
        let number = (number % (1 << 32)) as f64;
        let at = [0, 1].map(|axis| (draws.unit(axis as u64) + steps[axis] * number).fract());
        FixedPlace { at, draws: draws.at(number as u64) }
    }
}

/// One view of a place through one pipeline, with all its random numbers drawn: the input of `gather` and `scatter`.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The map from window pixels to canvas pixels.
    pub(super) map: Homography,
    pub(super) side: u32,
    pub(super) edge: Edge,
    /// In written order.
    pub(super) filters: Vec<Filter>,
    detail: Detail,
}

impl Window {
    /// Draws one view of a place through one pipeline.
    ///
    /// `draws` stands at (seed, step, target, place); the view is a pure function of it, the plan and the time. The place's
    /// centre is the same for all pipelines that give the same size; a stage's draws depend only on its key.
    pub fn draw(frame: &Frame, sight: Sight, pipeline: &Pipeline, draws: Draws, time: &Time) -> Window {
        Window::draw_within(frame, None, sight, pipeline, (draws, None), time)
    }

    /// Draws a view on a part of the canvas: a place's centre lies in it, and a composition's window fits it. If a fixed place is
    /// given, it sets the place's position and size, and `draws` is used for the rest.
    pub fn draw_within(
        frame: &Frame,
        region: Option<&Region>,
        sight: Sight,
        pipeline: &Pipeline,
        (draws, fixed): (Draws, Option<&FixedPlace>),
        time: &Time,
    ) -> Window {
        let map = geometry::window_map(frame, region, sight, pipeline, (draws, fixed), time);
        let filters = pipeline
            .stages
            .iter()
            .filter(|stage| geometry::acts(stage, draws.at(stage.key), time))
            .filter_map(|stage| Filter::draw(&stage.kind, frame.side, draws.at(stage.key), time))
            .collect();
        Window::new(map, frame.side, pipeline.edge, filters)
    }

    /// Returns the same view of a canvas whose sides are multiplied by `by`, x and y separately: it shows the same part of the
    /// picture.
    #[must_use]
    pub fn scaled(&self, by: [f64; 2]) -> Window {
        let map = Homography::scale(by[0], by[1]).after(&self.map);
        Window::new(map, self.side, self.edge, self.filters.clone())
    }

    pub(super) fn new(map: Homography, side: u32, edge: Edge, filters: Vec<Filter>) -> Window {
        Window { map, side, edge, filters, detail: Detail::of(&map, side) }
    }

    /// Returns the window's four corners on the canvas in pixels: top left, top right, bottom right, bottom left as the window
    /// shows them. They may lie beyond the canvas.
    pub fn corners(&self) -> [[f64; 2]; 4] {
        let far = f64::from(self.side);
        [[0.0, 0.0], [far, 0.0], [far, far], [0.0, far]].map(|corner| self.map.apply(corner))
    }

    /// Returns what the pixel at a point reads from a chain of levels that ends at `last`.
    pub(super) fn footprint(&self, point: [f64; 2], last: usize) -> Footprint {
        Footprint::at(&self.map, point, self.detail, last)
    }

    /// Returns the upper bound on the distance of a sample from its window pixel's centre, in canvas pixels.
    pub(super) fn reach(&self) -> f64 {
        self.detail.reach
    }

    /// Returns the finest and coarsest level that is read from a chain that ends at `last`.
    pub(super) fn levels(&self, last: usize) -> (usize, usize) {
        let clip = |level: f64| (level as usize).min(last);
        (clip(self.detail.least.floor()), clip(self.detail.most.ceil()))
    }
}
