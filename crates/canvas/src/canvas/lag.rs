//! Updates that parts of the pixels have still to follow.
//!
//! A pixel that no window sees has no gradient, but an optimiser moves it all the same: by its memory, or by weight decay. Those updates
//! need nothing but their constants, so they are done when the pixel is needed next, one after another with the same arithmetic. Whatever
//! is seen when, every value is the same to the bit as if all pixels had been moved in every step.

use rayon::prelude::*;

use super::optimiser::{self, Moments, Update};
use crate::spans::{Place, ROWS, Spans, TILE};

/// Numbers that are looked at together for memory.
const BLOCK: usize = 32;

/// One update of all pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub update: Update,
    /// What weight decay leaves of the distance from the ground.
    pub left: Option<f32>,
}

/// The updates that each tile has still to follow.
#[derive(Debug)]
pub(super) struct Lags {
    /// Tiles in a row.
    across: usize,
    /// The number of updates in `past` that each tile has followed.
    followed: Vec<usize>,
    /// Whether each tile has ever had a gradient: if not, only weight decay moves it.
    moving: Vec<bool>,
    /// The updates that some tile has still to follow, and later ones.
    past: Vec<Past>,
}

/// What updates move, `[3, H, W]` each.
pub(super) struct Moved<'a> {
    pub parameters: &'a mut [f32],
    pub moments: &'a mut Moments,
    /// What weight decay leads to, for each plane.
    pub ground: [f32; 3],
    /// Whether parameters are projected to 0..1 after each update.
    pub projected: bool,
}

/// A piece of a row, within one tile.
struct Piece<'a> {
    parameters: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
    ground: f32,
    projected: bool,
}

impl Lags {
    /// For pixels of these sides. `moving`: whether some of them may have memory.
    pub fn new(width: usize, height: usize, moving: bool) -> Lags {
        let (across, down) = (width.div_ceil(TILE), height.div_ceil(TILE));
        Lags { across, followed: vec![0; across * down], moving: vec![moving; across * down], past: Vec::new() }
    }

    /// Brings a part, which consists of whole tiles, up to date.
    pub fn catch_up(&mut self, spans: &Spans, moved: Moved<'_>) {
        if self.past.is_empty() {
            return;
        }
        let decays = self.past.iter().any(|past| past.left.is_some());
        moved.each(spans, |Place { y, x, .. }, piece| {
            let tile = self.tile(x, y);
            if self.moving[tile] || decays {
                piece.idle(&self.past[self.followed[tile]..], decays);
            }
        });
        self.mark(spans, false);
    }

    /// Moves a part, which consists of whole tiles and is up to date, by its gradient `[3, A]`. The rest follows later.
    pub fn follow(&mut self, past: Past, spans: &Spans, gradient: &[f32], moved: Moved<'_>) {
        moved.each(spans, |Place { at, .. }, mut piece| piece.follow(&past, &gradient[at..]));
        self.past.push(past);
        self.mark(spans, true);
    }

    /// The number of the tile of a pixel.
    fn tile(&self, x: usize, y: usize) -> usize {
        y / TILE * self.across + x / TILE
    }

    /// Notes that a part has followed all updates. `moving`: whether it had a gradient.
    fn mark(&mut self, spans: &Spans, moving: bool) {
        if spans.is_whole() {
            self.past.clear();
            self.followed.fill(0);
            self.moving.iter_mut().for_each(|tile| *tile |= moving);
            return;
        }
        for rect in spans.rects() {
            // Rectangles may begin and end within tiles where others end and begin.
            for y in rect.rows.start / TILE..rect.rows.end.div_ceil(TILE) {
                for x in rect.columns.start / TILE..rect.columns.end.div_ceil(TILE) {
                    let tile = y * self.across + x;
                    self.followed[tile] = self.past.len();
                    self.moving[tile] |= moving;
                }
            }
        }
    }
}

impl Moved<'_> {
    /// Calls `each` for all pieces of a part, with the place of their first pixels.
    fn each(self, spans: &Spans, each: impl Fn(Place, Piece<'_>) + Sync) {
        let (width, height) = (spans.width(), spans.height());
        let Moved { parameters, moments: Moments { mean, square }, ground, projected } = self;
        let rows = parameters.par_chunks_exact_mut(width);
        let rows = rows.zip(mean.par_chunks_exact_mut(width).zip(square.par_chunks_exact_mut(width)));
        rows.enumerate().with_min_len(ROWS).for_each(|(row, (parameters, (mean, square)))| {
            let (plane, y) = (row / height, row % height);
            for (island, here) in spans.row(y) {
                let columns = &here.rect.columns;
                for x in columns.clone().step_by(TILE) {
                    let place = Place { plane, island, y, x, at: plane * spans.area() + here.at(x, y) };
                    let at = x..(x + TILE).min(columns.end);
                    let (parameters, mean, square) =
                        (&mut parameters[at.clone()], &mut mean[at.clone()], &mut square[at]);
                    each(place, Piece { parameters, mean, square, ground: ground[plane], projected });
                }
            }
        });
    }
}

impl Piece<'_> {
    /// Does several updates without a gradient. `decays`: whether one of them moves what has no memory, too.
    fn idle(self, past: &[Past], decays: bool) {
        let Piece { parameters, mean, square, ground, projected } = self;
        let memory = mean.chunks_mut(BLOCK).zip(square.chunks_mut(BLOCK));
        for (parameters, (mean, square)) in parameters.chunks_mut(BLOCK).zip(memory) {
            // The corners of tiles have often never been seen.
            if decays || mean.iter().chain(square.iter()).any(|value| *value != 0.0) {
                let mut block = Piece { parameters, mean, square, ground, projected };
                past.iter().for_each(|past| block.follow(past, &[0.0; BLOCK]));
            }
        }
    }

    /// Does one update. The gradient begins with that of the piece.
    fn follow(&mut self, past: &Past, gradient: &[f32]) {
        if let Some(left) = past.left {
            optimiser::decay(self.parameters, left, self.ground);
        }
        past.update.apply(self.parameters, &gradient[..self.parameters.len()], self.mean, self.square);
        if self.projected {
            self.parameters.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
        }
    }
}
