//! Reports a render's steps to the hub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::facts::{Activity, Render, Step};
use super::frames::{RawFrame, fitted, shrunk};
use super::hub::{Hub, Kind};
use crate::picture::Picture;
use crate::plan::Plan;
use crate::render::{Progress, StepViews};

/// The maximum numbers of outlines and tiles sent to a page: with more, nobody could make anything out.
const MOST_OUTLINES: usize = 96;
const MOST_TILES: usize = 24;
/// Tiles are shrunk to at most this many pixels a side.
const TILE: u32 = 128;

/// The speed of a render.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Windows per second.
    pub windows: Option<f64>,
    /// Estimated seconds until the end.
    pub left: Option<f64>,
}

/// Reports one render to the hub.
pub struct Reporter {
    hub: Arc<Hub>,
    targets: Vec<Prompts>,
}

/// A target's prompts, as pages number them.
struct Prompts {
    /// Their indices in the plan, the wanted ones first.
    prompts: Vec<usize>,
    /// The number of wanted prompts, which have an entry in the tally.
    wanted: usize,
    /// The index of the first prompt's curve.
    curve: usize,
}

impl Reporter {
    /// Reports the beginning of a plan's render.
    pub fn begin(hub: Arc<Hub>, plan: &Plan, render: Render) -> Self {
        hub.begin(render);
        let mut curve = 0;
        let targets = plan.targets.iter().map(|target| {
            let prompts = target.prompts();
            let wanted =
                prompts.iter().filter(|&&prompt| target.wanted.iter().any(|pull| pull.prompt == prompt)).count();
            let first = curve;
            curve += prompts.len();
            Prompts { prompts, wanted, curve: first }
        });
        let targets = targets.collect();
        Reporter { hub, targets }
    }

    /// Reports a step. Pictures are taken only if a page waits for them.
    pub fn step(&self, progress: &mut Progress<'_>, speed: Speed) {
        let mut entries = progress.tally.entries.iter().map(|entry| entry.won);
        let tally = self.targets.iter().map(|target| {
            let mut won: Vec<u64> = entries.by_ref().take(target.wanted).collect();
            won.resize(target.prompts.len(), 0);
            won
        });
        let step = Step {
            step: progress.step,
            phase: progress.phase,
            phase_step: progress.phase_step,
            views: progress.views,
            rate: speed.windows,
            left: speed.left,
            tally: tally.collect(),
        };
        let similarities = progress.seen.similarities();
        let curves = similarities.iter().filter_map(|similarity| {
            Some((
                self.targets.get(similarity.target)?.curve + self.position(similarity.target, similarity.prompt)?,
                similarity.mean,
            ))
        });
        self.hub.step(step, curves);
        if let Some(kind) = self.hub.wants() {
            let clock = Instant::now();
            let shot = match kind {
                Kind::Canvas => self.canvas(progress),
                Kind::Views => self.views(progress),
            };
            self.hub.take(kind, shot, clock.elapsed());
        }
    }

    /// Shows the exact picture after the last step.
    pub fn show(&self, progress: &mut Progress<'_>) {
        let picture = progress.picture();
        let facts = Outlines { step: progress.step, windows: self.outlines(&progress.seen) };
        self.hub.show(RawFrame::new([picture.size.width, picture.size.height], picture.to_rgb8(), true, &facts));
        self.hub.take(Kind::Views, self.views(progress), Duration::ZERO);
    }

    /// Reports the end of the render, with its final picture.
    pub fn end(&self, picture: &Picture, step: u64, activity: Activity) {
        let facts = Outlines { step, windows: Vec::new() };
        self.hub.show(RawFrame::new([picture.size.width, picture.size.height], picture.to_rgb8(), true, &facts));
        self.hub.activity(activity);
    }

    /// Returns the picture that the step used, which need not be decoded again for pages; or the one after it, if it used only a part.
    fn canvas(&self, progress: &mut Progress<'_>) -> RawFrame {
        let facts = Outlines { step: progress.step, windows: self.outlines(&progress.seen) };
        let (size, rgb) = match progress.seen.picture_rgb8() {
            Some(rgb) => (progress.seen.size(), rgb),
            None => {
                let picture = progress.picture();
                (picture.size, picture.to_rgb8())
            }
        };
        RawFrame::new([size.width, size.height], rgb, false, &facts)
    }

    fn outlines(&self, seen: &StepViews<'_>) -> Vec<Outline> {
        let views = seen.views();
        let outline = |view: &crate::render::View| {
            Some(Outline(
                view.outline.map(|point| point.map(rounded)),
                view.target,
                self.position(view.target, view.prompt)?,
                rounded(view.similarity),
            ))
        };
        views.iter().take(MOST_OUTLINES).filter_map(outline).collect()
    }

    /// Returns the views side by side.
    fn views(&self, progress: &Progress<'_>) -> RawFrame {
        let seen = &progress.seen;
        let views = seen.views();
        // If there are too many, take every n-th, so that all targets are included.
        let every = views.len().div_ceil(MOST_TILES).max(1);
        let mut tiles = Vec::new();
        // Models have windows of different sizes; all tiles get the size of the first one.
        let first = views.first().and_then(|_| seen.side(0)).unwrap_or(1);
        let mut facts = Tiles { step: progress.step, side: first / first.div_ceil(TILE), tiles: Vec::new() };
        for (index, view) in views.iter().enumerate().step_by(every) {
            let (Some(side), Some(pixels), Some(prompt)) =
                (seen.side(index), seen.pixels(index), self.position(view.target, view.prompt))
            else {
                continue;
            };
            let (width, _, rgb) = shrunk(side, side, &interleaved(pixels), side.div_ceil(TILE));
            let rgb = if width == facts.side { rgb } else { fitted(width, &rgb, facts.side) };
            facts.tiles.push(Tile(view.target, prompt, rounded(view.similarity)));
            tiles.push(rgb);
        }
        if tiles.is_empty() {
            return RawFrame::new([1, 1], vec![0; 3], true, &facts);
        }
        let row = facts.side as usize * 3;
        let rows = (0..facts.side as usize).flat_map(|y| tiles.iter().map(move |tile| &tile[y * row..(y + 1) * row]));
        let rgb = rows.flatten().copied().collect();
        RawFrame::new([facts.side * tiles.len() as u32, facts.side], rgb, true, &facts)
    }

    /// Returns a prompt's position within its target.
    fn position(&self, target: usize, prompt: usize) -> Option<usize> {
        self.targets.get(target)?.prompts.iter().position(|own| *own == prompt)
    }
}

/// The facts sent with a picture of the canvas.
#[derive(Serialize)]
struct Outlines {
    step: u64,
    windows: Vec<Outline>,
}

/// Corners in fractions of the canvas, target, position of the winning prompt within the target, similarity to it.
#[derive(Serialize)]
struct Outline([[f32; 2]; 4], usize, usize, f32);

/// The facts sent with a strip of views side by side.
#[derive(Serialize)]
struct Tiles {
    step: u64,
    /// A tile's side in pixels.
    side: u32,
    tiles: Vec<Tile>,
}

/// Target, position of the winning prompt, similarity to it.
#[derive(Serialize)]
struct Tile(usize, usize, f32);

/// Rounds to four decimals, as many as a page shows.
fn rounded(value: f32) -> f32 {
    if value.is_finite() { (value * 1e4).round() / 1e4 } else { 0.0 }
}

/// Converts `[3, S, S]` to interleaved 8-bit RGB, with values rounded and clamped to 0..=255.
fn interleaved(pixels: &[f32]) -> Vec<u8> {
    let area = pixels.len() / 3;
    let value = |index: usize, channel: usize| (pixels[channel * area + index] * 255.0 + 0.5) as u8;
    (0..area).flat_map(|index| [value(index, 0), value(index, 1), value(index, 2)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        assert_eq!(interleaved(&[0.0, 1.0, 0.5, -1.0, 2.0, f32::NAN]), [0, 128, 255, 255, 0, 0]);
        assert_eq!(rounded(f32::NAN), 0.0);
        assert_eq!(rounded(0.123_456), 0.1235);
    }
}
