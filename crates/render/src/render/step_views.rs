//! What the encoder saw in a step and how it rated it, for observers. Everything here is computed on request.

use super::{objectives::ViewObjective, scene::Scene};
use crate::{
    plan::{Plan, Size},
    sampling::Levels,
};

/// The objectives of the last step and their similarities.
#[derive(Debug, Default)]
pub(super) struct Last {
    pub objectives: Vec<ViewObjective>,
    /// One row per objective, with a column for each of the plan's prompts.
    pub similarities: Vec<f32>,
}

/// One view of the last step.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its corners on the canvas as fractions of width and height: top left, top right, bottom right, bottom left as the window
    /// shows them. They may lie beyond the canvas.
    pub outline: [[f32; 2]; 4],
    /// Index into [`Plan::targets`].
    pub target: usize,
    /// Index into [`Plan::prompts`]: the wanted prompt of greatest scaled similarity.
    pub prompt: usize,
    /// The view's similarity to that prompt.
    pub similarity: f32,
}

/// How similar the views of one target were to one of its prompts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PromptSimilarity {
    /// Index into [`Plan::targets`].
    pub target: usize,
    /// Index into [`Plan::prompts`].
    pub prompt: usize,
    /// Mean over the target's trained views of the step.
    pub mean: f32,
}

/// Everything that the last step looked at.
#[derive(Clone, Copy)]
pub struct StepViews<'a> {
    pub(super) plan: &'a Plan,
    pub(super) scene: &'a Scene,
    pub(super) last: &'a Last,
    /// `[3, S, S]` of each view as it was shown, S the side of its model's windows.
    pub(super) pixels: &'a [f32],
    pub(super) levels: &'a Levels,
}

impl<'a> StepViews<'a> {
    /// Returns the views that were trained.
    pub fn views(&self) -> Vec<View> {
        let (width, height) = (f64::from(self.plan.size.width), f64::from(self.plan.size.height));
        let view = |(objective, row): (&ViewObjective, &[f32])| {
            let (winner, _) = objective.winner(row)?;
            Some(View {
                outline: objective.window.corners().map(|[x, y]| [(x / width) as f32, (y / height) as f32]),
                target: objective.target,
                prompt: winner,
                similarity: row[winner],
            })
        };
        self.rows().filter_map(view).collect()
    }

    /// Returns the pixels of a view, in the order of [`StepViews::views`]: `[3, S, S]`, nominally 0..1 sRGB, noise and colour
    /// included.
    pub fn pixels(&self, view: usize) -> Option<&'a [f32]> {
        let index = self.index(view)?;
        let length = |objective: &ViewObjective| 3 * (self.side_of(objective) as usize).pow(2);
        let start = self.last.objectives[..index].iter().map(length).sum::<usize>();
        self.pixels.get(start..start + length(&self.last.objectives[index]))
    }

    /// Returns the side S of a view in pixels, in the order of [`StepViews::views`]: that of its model's windows.
    pub fn side(&self, view: usize) -> Option<u32> {
        Some(self.side_of(self.last.objectives.get(self.index(view)?)?))
    }

    fn side_of(&self, objective: &ViewObjective) -> u32 {
        self.scene.frame(objective.target).side
    }

    /// Returns a view's index among all objectives.
    fn index(&self, view: usize) -> Option<usize> {
        let views = self.rows().enumerate().filter(|(_, (objective, row))| objective.winner(row).is_some());
        views.map(|(index, _)| index).nth(view)
    }

    /// Returns the mean similarity to each prompt, wanted and avoided, of each target that was looked at, in written order.
    pub fn similarities(&self) -> Vec<PromptSimilarity> {
        let mut means = Vec::new();
        for (index, target) in self.plan.targets.iter().enumerate() {
            let rows: Vec<&[f32]> =
                self.rows().filter(|(objective, _)| objective.target == index).map(|(_, row)| row).collect();
            if rows.is_empty() {
                continue;
            }
            for prompt in target.prompts() {
                let sum: f64 = rows.iter().map(|row| f64::from(row[prompt])).sum();
                means.push(PromptSimilarity { target: index, prompt, mean: (sum / rows.len() as f64) as f32 });
            }
        }
        means
    }

    /// Returns the size of the picture that was looked at: the plan's, or a smaller one where the phase has a lower resolution.
    pub fn size(&self) -> Size {
        self.levels.size()
    }

    /// Returns the picture that was looked at, which is the one before the step's update, as interleaved 8-bit RGB rows. Costs
    /// one pass over its pixels; the picture after the update would have to be decoded. `None` if the step looked at a part of it only.
    pub fn picture_rgb8(&self) -> Option<Vec<u8>> {
        self.levels.rgb8()
    }

    fn rows(&self) -> impl Iterator<Item = (&'a ViewObjective, &'a [f32])> + use<'a> {
        self.last.objectives.iter().zip(self.last.similarities.chunks_exact(self.plan.prompts.len().max(1)))
    }
}
