//! The objectives of a step: views of places, and the terms of each one's loss.

use super::scene::Scene;
use crate::{
    chance::{Draws, key_of},
    clip::NEVER,
    plan::{Loss, Plan, Pull, Select, Time},
    sampling::{FixedPlace, Window},
};

/// A prompt's term in a view's loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PromptTerm {
    pub prompt: usize,
    /// Its weight in the loss.
    pub weight: f32,
    /// The factor on its similarity before prompts are compared; negative where the least similar prompt is to win.
    pub scale: f32,
    /// The offset added after scaling, see [`super::calibration`].
    pub offset: f32,
    /// The similarity at which it stops pulling; for a direction, the probability.
    pub stop: f32,
}

impl PromptTerm {
    /// Returns the term with its weight multiplied by `factor`.
    fn times(self, factor: f32) -> Self {
        PromptTerm { weight: self.weight * factor, ..self }
    }

    /// Returns the value it is compared by. `row`: a view's similarities by prompt.
    fn rank(self, row: &[f32]) -> f32 {
        self.scale * row[self.prompt] + self.offset
    }
}

/// One view that is to be trained, or one of several that compete for it.
#[derive(Debug, Clone)]
pub(super) struct ViewObjective {
    pub window: Window,
    /// Index into the plan's targets.
    pub target: usize,
    /// The place's number within its target.
    pub place: u64,
    /// The prompts that act without selection.
    pub pull: Vec<PromptTerm>,
    /// The prompts that compete for this window.
    pub best: Vec<PromptTerm>,
    /// The directions that act.
    pub directions: Vec<PromptTerm>,
    /// 0 where the winner takes all, otherwise the inverse of the temperature at which prompts share the window.
    pub sharpness: f32,
    pub loss: Loss,
}

impl ViewObjective {
    /// Returns the winning wanted prompt (the first one on a tie) and the value it won by, see [`PromptTerm::offset`]. `row`: the
    /// view's similarities by prompt.
    pub fn winner(&self, row: &[f32]) -> Option<(usize, f32)> {
        let candidates = if self.best.is_empty() { &self.pull } else { &self.best };
        let mut winner: Option<(usize, f32)> = None;
        for term in candidates.iter().filter(|term| term.weight > 0.0) {
            let value = term.rank(row);
            if winner.is_none_or(|(_, highest)| value > highest) {
                winner = Some((term.prompt, value));
            }
        }
        winner
    }
}

/// A place whose view has yet to be chosen among several pipelines.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub target: usize,
    pub place: u64,
    /// One view per pipeline in use.
    pub windows: Vec<Window>,
    /// Pairs of view and prompt, in written order.
    pub candidates: Vec<(usize, PromptTerm)>,
    /// The prompts to avoid.
    pub avoided: Vec<PromptTerm>,
    /// The directions.
    pub directions: Vec<PromptTerm>,
    /// See [`ViewObjective::sharpness`].
    pub sharpness: f32,
    pub loss: Loss,
}

/// Everything that one step looks at.
#[derive(Debug, Default)]
pub(super) struct StepObjectives {
    pub settled: Vec<ViewObjective>,
    pub contests: Vec<Contest>,
    /// The number of places of each target.
    pub places: Vec<u64>,
}

impl StepObjectives {
    /// All windows that are looked at, on the whole canvas.
    pub fn windows(&self) -> impl Iterator<Item = &Window> {
        let settled = self.settled.iter().map(|objective| &objective.window);
        settled.chain(self.contests.iter().flat_map(|contest| &contest.windows))
    }
}

/// Draws the places and views of one step.
///
/// `weights` holds each target's weight at this moment. Targets of weight 0 and targets that do not act at this step are left
/// out. A target's weight is shared evenly among its places, so more windows mean less noise, not more pull.
///
/// `round` 0 draws the step's own places; each further round draws as many additional places, as if they belonged to the step.
pub(super) fn draw(plan: &Plan, scene: &Scene, weights: &[f64], time: &Time, round: u64) -> StepObjectives {
    let draws = Draws::new(plan.seed).at(time.step);
    let mut objectives = StepObjectives { places: vec![0; plan.targets.len()], ..StepObjectives::default() };
    for (index, (target, weight)) in plan.targets.iter().zip(weights).enumerate() {
        if !target.acts_at(time.step) {
            continue;
        }
        let share = weight / f64::from(target.windows);
        let sign = if target.select == Select::Worst { -1.0 } else { 1.0 };
        let wanted = terms(&target.wanted, share, (sign, NEVER), time);
        let others = |pulls: &[Pull]| -> Vec<PromptTerm> {
            terms(pulls, share, (1.0, 0.0), time).into_iter().map(|(_, term)| term).collect()
        };
        let (avoided, directions) = (others(&target.avoided), others(&target.directions));
        if (wanted.is_empty() && directions.is_empty()) || share == 0.0 {
            continue;
        }
        let sharpness = match target.select {
            Select::Mix => 1.0 / target.temperature.at(time).max(1e-3) as f32,
            _ => 0.0,
        };
        objectives.places[index] = u64::from(target.windows);
        let frame = scene.frame(index);
        let first = round.wrapping_mul(u64::from(target.windows));
        for place in first..first.wrapping_add(u64::from(target.windows)) {
            let draws = draws.at(target.key).at(place);
            // Windows are numbered through all steps and cycle through the fixed places.
            let number = time.step.wrapping_mul(u64::from(target.windows)).wrapping_add(place);
            let turn = target.places.map_or(number, |places| number % u64::from(places.max(1)));
            let fixed = target.places.map(|_| FixedPlace::new(turn, Draws::new(plan.seed).at(target.key)));
            let view = |pipeline: usize| {
                let pipeline = &target.pipelines[pipeline];
                Window::draw_within(frame, scene.region(index), target.sight, pipeline, (draws, fixed.as_ref()), time)
            };
            let place = TargetPlace {
                target: index,
                place,
                select: target.select,
                draws,
                avoided: &avoided,
                directions: &directions,
                sharpness,
                loss: target.loss,
            };
            // The turn counts all prompts, active or not: the places of a prompt that is switched off for a while stay unused.
            let turned;
            let own = match target.wanted.as_slice() {
                all @ [_, ..] if target.select == Select::Turns => {
                    let own = &all[(turn % all.len() as u64) as usize];
                    turned = terms(std::slice::from_ref(own), share, (sign, NEVER), time);
                    &turned
                }
                _ => &wanted,
            };
            if !own.is_empty() || !directions.is_empty() {
                place.objectives(own, &view, &mut objectives);
            }
        }
    }
    objectives
}

/// Returns the prompts of a model's targets that act at this moment, each once, in the order of the active targets.
pub(super) fn acting_prompts(plan: &Plan, model: usize, weights: &[f64], time: &Time) -> Vec<usize> {
    let mut prompts = Vec::new();
    for (target, weight) in plan.targets.iter().zip(weights) {
        if target.model != model || !target.acts_at(time.step) {
            continue;
        }
        let share = weight / f64::from(target.windows);
        let wanted = terms(&target.wanted, share, (1.0, NEVER), time);
        let directions = terms(&target.directions, share, (1.0, NEVER), time);
        if wanted.is_empty() && directions.is_empty() {
            continue;
        }
        let avoided = terms(&target.avoided, share, (1.0, NEVER), time);
        for (_, term) in wanted.into_iter().chain(avoided).chain(directions) {
            if !prompts.contains(&term.prompt) {
                prompts.push(term.prompt);
            }
        }
    }
    prompts
}

/// Returns the pulls that act at this moment, with their pipelines. Weights are multiplied by `share`, scales by `sign`; `stop`
/// is the default where a pull sets none.
fn terms(pulls: &[Pull], share: f64, (sign, stop): (f64, f32), time: &Time) -> Vec<(usize, PromptTerm)> {
    let term = |pull: &Pull| {
        let term = PromptTerm {
            prompt: pull.prompt,
            weight: (pull.weight.at(time) * share) as f32,
            scale: (sign * pull.scale.at(time)) as f32,
            offset: 0.0,
            stop: pull.stop.as_ref().map_or(stop, |stop| stop.at(time) as f32),
        };
        (pull.pipeline, term)
    };
    pulls.iter().map(term).filter(|(_, term)| term.weight != 0.0).collect()
}

/// One place of a target, at one step.
struct TargetPlace<'a> {
    target: usize,
    place: u64,
    select: Select,
    draws: Draws,
    avoided: &'a [PromptTerm],
    directions: &'a [PromptTerm],
    sharpness: f32,
    loss: Loss,
}

impl TargetPlace<'_> {
    /// Adds this place's objectives. `wanted`: pipelines and prompts, at least one unless there are directions.
    fn objectives(
        &self,
        wanted: &[(usize, PromptTerm)],
        view: &dyn Fn(usize) -> Window,
        objectives: &mut StepObjectives,
    ) {
        let mut pipelines: Vec<usize> = Vec::new();
        for (pipeline, _) in wanted {
            if !pipelines.contains(pipeline) {
                pipelines.push(*pipeline);
            }
        }
        let avoided = || self.avoided.to_vec();
        if wanted.is_empty() {
            objectives.settled.push(self.objective(view(0), avoided(), Vec::new()));
            return;
        }
        match self.select {
            Select::Best | Select::Worst | Select::Mix if pipelines.len() == 1 => {
                let best = wanted.iter().map(|(_, term)| *term).collect();
                objectives.settled.push(self.objective(view(pipelines[0]), avoided(), best));
            }
            Select::Best | Select::Worst | Select::Mix => objectives.contests.push(Contest {
                target: self.target,
                place: self.place,
                candidates: wanted
                    .iter()
                    .filter_map(|(pipeline, term)| Some((pipelines.iter().position(|p| p == pipeline)?, *term)))
                    .collect(),
                windows: pipelines.iter().map(|p| view(*p)).collect(),
                avoided: avoided(),
                directions: self.directions.to_vec(),
                sharpness: self.sharpness,
                loss: self.loss,
            }),
            Select::Random | Select::Turns => {
                // With `turns`, `wanted` holds a single prompt.
                let drawn = (self.draws.at(key_of("select")).unit(0) * wanted.len() as f64) as usize;
                let (pipeline, term) = wanted[drawn.min(wanted.len() - 1)];
                let pull = avoided().into_iter().chain([term]).collect();
                objectives.settled.push(self.objective(view(pipeline), pull, Vec::new()));
            }
            // Without selection every view is trained, and each takes an equal share of the prompts to avoid and the
            // directions.
            Select::All => {
                for pipeline in &pipelines {
                    let own = wanted.iter().filter(|(own, _)| own == pipeline);
                    let own = own.map(|(_, term)| term.times(1.0 / wanted.len() as f32));
                    let avoided = self.avoided.iter().map(|term| term.times(1.0 / pipelines.len() as f32));
                    let pull = own.chain(avoided).collect();
                    let directions = self.directions.iter().map(|term| term.times(1.0 / pipelines.len() as f32));
                    let objective = self.objective(view(*pipeline), pull, Vec::new());
                    objectives.settled.push(ViewObjective { directions: directions.collect(), ..objective });
                }
            }
        }
    }

    fn objective(&self, window: Window, pull: Vec<PromptTerm>, best: Vec<PromptTerm>) -> ViewObjective {
        let directions = self.directions.to_vec();
        let TargetPlace { target, place, sharpness, loss, .. } = *self;
        ViewObjective { window, target, place, pull, best, directions, sharpness, loss }
    }
}

impl Contest {
    /// Chooses the winning candidate (the first one on a tie). Its view is trained for that candidate alone. Where candidates
    /// share the place, all their views are trained, and only the winner's view is pushed away from what is to be avoided.
    ///
    /// `similarities` has a row per view, indexed by prompt.
    pub fn settle(self, similarities: &[&[f32]]) -> Vec<ViewObjective> {
        let scaled: Vec<f32> = self.candidates.iter().map(|(view, term)| term.rank(similarities[*view])).collect();
        let mut winner = 0;
        for (index, value) in scaled.iter().enumerate() {
            if *value > scaled[winner] {
                winner = index;
            }
        }
        let powers: Vec<f32> = match self.sharpness {
            0.0 => (0..scaled.len()).map(|index| f32::from(u8::from(index == winner))).collect(),
            sharpness => scaled.iter().map(|value| ((value - scaled[winner]) * sharpness).exp()).collect(),
        };
        let sum: f32 = powers.iter().sum();
        let best_view = self.candidates[winner].0;
        let mut objectives = Vec::new();
        for (view, window) in self.windows.into_iter().enumerate() {
            let own = self.candidates.iter().zip(&powers).filter(|((of, _), power)| *of == view && **power > 0.0);
            let mut pull: Vec<PromptTerm> = own.map(|((_, term), power)| term.times(power / sum)).collect();
            if pull.is_empty() {
                continue;
            }
            let mut directions = Vec::new();
            if view == best_view {
                pull.extend(&self.avoided);
                directions.extend(&self.directions);
            }
            objectives.push(ViewObjective {
                window,
                target: self.target,
                place: self.place,
                pull,
                best: Vec::new(),
                directions,
                sharpness: 0.0,
                loss: self.loss,
            });
        }
        objectives
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::Size, sampling::Frame};

    fn term(prompt: usize, weight: f32, scale: f32) -> PromptTerm {
        PromptTerm { prompt, weight, scale, offset: 0.0, stop: NEVER }
    }

    /// Two views of a place, the first with the prompts 0 and 1, the second with 2.
    fn contest(sharpness: f32) -> Contest {
        let frame = Frame::new(Size { width: 64, height: 64 }, 16);
        let pipeline = crate::plan::Pipeline { stages: Vec::new(), edge: crate::plan::Edge::Clamp };
        let sight = crate::plan::Sight::Whole { fit: crate::plan::Fit::Stretch };
        let window = Window::draw(&frame, sight, &pipeline, Draws::new(0), &Time::new(0, 1, 0, 1));
        Contest {
            target: 0,
            place: 0,
            windows: vec![window.clone(), window],
            candidates: vec![(0, term(0, 1.0, 1.0)), (0, term(1, 1.0, 1.0)), (1, term(2, 1.0, 2.0))],
            avoided: vec![term(3, -0.5, 1.0)],
            directions: vec![term(4, -0.1, 1.0)],
            sharpness,
            loss: Loss::Cosine,
        }
    }

    const SIMILARITIES: [[f32; 4]; 2] = [[0.3, 0.5, 0.9, 0.0], [0.9, 0.9, 0.28, 0.0]];

    #[test]
    fn the_winner_by_scaled_similarity_takes_its_view() {
        let rows = SIMILARITIES.each_ref().map(|row| row.as_slice());
        let objectives = contest(0.0).settle(&rows);
        assert_eq!(objectives.len(), 1);
        assert_eq!(objectives[0].pull, [term(2, 1.0, 2.0), term(3, -0.5, 1.0)]);
        assert_eq!(objectives[0].directions, [term(4, -0.1, 1.0)]);
    }

    #[test]
    fn members_of_an_ensemble_see_the_same_at_their_own_sides() {
        let text = "size = [96, 64]\nmodels = ['a', 'b']\n[[detail]]\nprompts = ['x']\nwindows = 5\n\
                    stages = [{ zoom = [0.5, 2] }, { rotate = 30 }, { perspective = 0.3 }]\nplaces = 3\n\
                    [[composition]]\nprompts = ['x']\nfit = 'slide'\nstages = [{ shift = 0.1 }]";
        let plan = crate::recipe::compile("a.toml".as_ref(), text, &Default::default()).unwrap().plan;
        let frames = [64, 16].map(|side| Frame::new(plan.size, side));
        let scene = Scene::new(&plan, &frames).unwrap();
        let objectives = draw(&plan, &scene, &[1.0; 4], &Time::new(3, 10, 0, 10), 0).settled;
        let of = |target: usize| objectives.iter().filter(move |objective| objective.target == target);
        for (a, b, windows) in [(0, 1, 2), (2, 3, 5)] {
            assert_eq!((of(a).count(), of(b).count()), (windows, windows));
            for (a, b) in of(a).zip(of(b)) {
                let corners = a.window.corners().into_iter().zip(b.window.corners());
                let apart = corners.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).fold(0.0, f64::max);
                assert!(apart < 1e-9, "{apart}");
            }
        }
    }

    #[test]
    fn those_who_share_are_all_trained() {
        let rows = SIMILARITIES.each_ref().map(|row| row.as_slice());
        let objectives = contest(10.0).settle(&rows);
        assert_eq!(objectives.len(), 2);
        let weights: Vec<f32> =
            objectives.iter().flat_map(|objective| &objective.pull).map(|term| term.weight).collect();
        let shares: f32 = weights.iter().filter(|weight| **weight > 0.0).sum();
        assert!((shares - 1.0).abs() < 1e-6, "{weights:?}");
        // exp(10 (0.5 - 0.56)) of the winner's weight.
        assert!((weights[1] / weights[2] - (-0.6f32).exp()).abs() < 1e-5, "{weights:?}");
        assert_eq!(objectives[1].pull.last(), Some(&term(3, -0.5, 1.0)));
        assert_eq!((objectives[0].directions.len(), objectives[1].directions.len()), (0, 1));
    }
}
