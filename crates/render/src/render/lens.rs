//! A model at work on a picture.

use crate::{
    clip::{Encoder, Features, Odds},
    direction::probability,
    plan::Plan,
    sampling::Frame,
};

/// One of a run's models: its encoder, and the features of its targets' prompts.
pub struct Lens<'a> {
    pub(super) encoder: &'a mut Encoder,
    features: Features,
    /// The features of the prompts that act in the step.
    pub(super) acting: Features,
    /// The rows of `acting` as indices into [`Plan::prompts`], in the order given to `choose`.
    actors: Vec<usize>,
    /// The canvas size and the side of the model's windows.
    pub(super) frame: Frame,
    /// The features' rows as indices into [`Plan::prompts`], ascending.
    rows: Vec<usize>,
    /// The number of prompts in the plan.
    prompts: usize,
}

impl<'a> Lens<'a> {
    /// Creates the lens of the plan's model number `model`. `features` has a row for each of [`Plan::prompts_of`] that model.
    pub fn new(plan: &Plan, model: usize, encoder: &'a mut Encoder, features: Features) -> Self {
        let frame = Frame::new(plan.size, encoder.side());
        let acting = features.of(&[]);
        let rows = plan.prompts_of(model);
        Lens { encoder, features, acting, actors: Vec::new(), frame, rows, prompts: plan.prompts.len() }
    }

    /// The model's encoder.
    pub fn encoder(&self) -> &Encoder {
        self.encoder
    }

    /// Selects the prompts that act in the coming step. The encoder is given no others, so inactive prompts cannot change a
    /// single bit of the result. Prompts of other models are ignored.
    pub(super) fn choose(&mut self, acting: &[usize]) {
        let known = |prompt: &usize| self.rows.binary_search(prompt).is_ok();
        let actors: Vec<usize> = acting.iter().copied().filter(known).collect();
        if actors != self.actors {
            let rows: Vec<usize> = actors.iter().filter_map(|prompt| self.rows.binary_search(prompt).ok()).collect();
            self.acting = self.features.of(&rows);
            self.actors = actors;
        }
    }

    /// Returns the row of one of the plan's prompts among the acting features, or `None` if it does not act.
    pub(super) fn row(&self, prompt: usize) -> Option<usize> {
        self.actors.iter().position(|actor| *actor == prompt)
    }

    /// Expands similarities `[N, rows]` to `[N, K]`, one column for each of the plan's prompts. Prompts that do not act get
    /// NaN; directions get the probability.
    pub(super) fn of_all_prompts(&self, similarities: Vec<f32>) -> Vec<f32> {
        let rows = similarities.chunks_exact(self.actors.len().max(1));
        let mut all = vec![f32::NAN; rows.len() * self.prompts];
        for (to, from) in all.chunks_exact_mut(self.prompts).zip(rows) {
            for (row, (prompt, similarity)) in self.actors.iter().zip(from).enumerate() {
                let of_direction = |odds: Odds| probability(odds.of(f64::from(*similarity))) as f32;
                to[*prompt] = self.acting.odds(row).map_or(*similarity, of_direction);
            }
        }
        all
    }
}
