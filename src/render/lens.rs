//! A model at work on a picture.

use crate::{
    clip::{Encoder, Features},
    look::Frame,
    plan::Plan,
};

/// One of a run's models: its encoder, and the features of its targets' prompts.
pub struct Lens<'a> {
    pub(super) encoder: &'a mut Encoder,
    pub(super) features: Features,
    /// The canvas, and the side of the model's windows.
    pub(super) frame: Frame,
    /// The features' rows as indices into [`Plan::prompts`], ascending.
    rows: Vec<usize>,
    /// Prompts of the plan.
    prompts: usize,
}

impl<'a> Lens<'a> {
    /// The plan's model of a number. `features` has a row for each of the plan's [`Plan::prompts_of`] that model.
    pub fn new(plan: &Plan, model: usize, encoder: &'a mut Encoder, features: Features) -> Self {
        let frame = Frame { size: plan.size, side: encoder.side() };
        Lens { encoder, features, frame, rows: plan.prompts_of(model), prompts: plan.prompts.len() }
    }

    /// The model's encoder.
    pub fn encoder(&self) -> &Encoder {
        self.encoder
    }

    /// The row of one of the plan's prompts among the features; none if the model has no target with it.
    pub(super) fn row(&self, prompt: usize) -> Option<usize> {
        self.rows.binary_search(&prompt).ok()
    }

    /// Similarities `[N, rows]` as `[N, K]` of all the plan's prompts; those that the model does not know are no numbers.
    pub(super) fn of_all_prompts(&self, similarities: Vec<f32>) -> Vec<f32> {
        if self.rows.len() == self.prompts {
            return similarities;
        }
        let rows = similarities.chunks_exact(self.rows.len().max(1));
        let mut all = vec![f32::NAN; rows.len() * self.prompts];
        for (to, from) in all.chunks_exact_mut(self.prompts).zip(rows) {
            for (prompt, similarity) in self.rows.iter().zip(from) {
                to[*prompt] = *similarity;
            }
        }
        all
    }
}
