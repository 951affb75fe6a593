//! What a step asks of the encoder: views of places, and what each view is trained for.

use super::scene::Scene;
use crate::{
    chance::{Draws, key_of},
    clip::NEVER,
    plan::{Loss, Plan, Pull, Select, Time},
    sampling::{Spot, Window},
};

/// A prompt's part in a view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
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

impl Part {
    /// Returns the part with its weight multiplied by `factor`.
    fn times(self, factor: f32) -> Self {
        Part { weight: self.weight * factor, ..self }
    }

    /// Returns the value it is compared by. `row`: a view's similarities by prompt.
    fn rank(self, row: &[f32]) -> f32 {
        self.scale * row[self.prompt] + self.offset
    }
}

/// One view that is to be trained, or one of several that compete for it.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub window: Window,
    /// Index into the plan's targets.
    pub target: usize,
    /// The place's number within its target.
    pub place: u64,
    /// The prompts that act without selection.
    pub pull: Vec<Part>,
    /// The prompts that compete for this window.
    pub best: Vec<Part>,
    /// The directions that act.
    pub directions: Vec<Part>,
    /// 0 where the winner takes all, otherwise the inverse of the temperature at which prompts share the window.
    pub sharpness: f32,
    pub loss: Loss,
}

impl Ask {
    /// Returns the winning wanted prompt (the first one on a tie) and the value it won by, see [`Part::offset`]. `row`: the
    /// view's similarities by prompt.
    pub fn winner(&self, row: &[f32]) -> Option<(usize, f32)> {
        let candidates = if self.best.is_empty() { &self.pull } else { &self.best };
        let mut winner: Option<(usize, f32)> = None;
        for part in candidates.iter().filter(|part| part.weight > 0.0) {
            let value = part.rank(row);
            if winner.is_none_or(|(_, highest)| value > highest) {
                winner = Some((part.prompt, value));
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
    pub candidates: Vec<(usize, Part)>,
    /// The prompts to avoid.
    pub avoided: Vec<Part>,
    /// The directions.
    pub directions: Vec<Part>,
    /// See [`Ask::sharpness`].
    pub sharpness: f32,
    pub loss: Loss,
}

/// Everything that one step looks at.
#[derive(Debug, Default)]
pub(super) struct Asks {
    pub settled: Vec<Ask>,
    pub contests: Vec<Contest>,
    /// The number of places of each target.
    pub places: Vec<u64>,
}

/// Draws the places and views of one step.
///
/// `weights` holds each target's weight at this moment. Targets of weight 0 and targets that do not act at this step are left
/// out. A target's weight is shared evenly among its places, so more windows mean less noise, not more pull.
///
/// `round` 0 draws the step's own places; each further round draws as many additional places, as if they belonged to the step.
pub(super) fn draw(plan: &Plan, scene: &Scene, weights: &[f64], time: &Time, round: u64) -> Asks {
    let draws = Draws::new(plan.seed).at(time.step);
    let mut asks = Asks { places: vec![0; plan.targets.len()], ..Asks::default() };
    for (index, (target, weight)) in plan.targets.iter().zip(weights).enumerate() {
        if !target.acts_at(time.step) {
            continue;
        }
        let share = weight / f64::from(target.windows);
        let sign = if target.select == Select::Worst { -1.0 } else { 1.0 };
        let wanted = parts(&target.wanted, share, (sign, NEVER), time);
        let others = |pulls: &[Pull]| -> Vec<Part> {
            parts(pulls, share, (1.0, 0.0), time).into_iter().map(|(_, part)| part).collect()
        };
        let (avoided, directions) = (others(&target.avoided), others(&target.directions));
        if (wanted.is_empty() && directions.is_empty()) || share == 0.0 {
            continue;
        }
        let sharpness = match target.select {
            Select::Mix => 1.0 / target.temperature.at(time).max(1e-3) as f32,
            _ => 0.0,
        };
        asks.places[index] = u64::from(target.windows);
        let frame = scene.frame(index);
        let first = round.wrapping_mul(u64::from(target.windows));
        for place in first..first.wrapping_add(u64::from(target.windows)) {
            let draws = draws.at(target.key).at(place);
            // Windows are numbered through all steps and cycle through the fixed places.
            let number = time.step.wrapping_mul(u64::from(target.windows)).wrapping_add(place);
            let turn = target.places.map_or(number, |places| number % u64::from(places.max(1)));
            let spot = target.places.map(|_| Spot::new(turn, Draws::new(plan.seed).at(target.key)));
            let view = |pipeline: usize| {
                let pipeline = &target.pipelines[pipeline];
                Window::draw_within(frame, scene.region(index), target.sight, pipeline, (draws, spot.as_ref()), time)
            };
            let place = Place {
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
                    turned = parts(std::slice::from_ref(own), share, (sign, NEVER), time);
                    &turned
                }
                _ => &wanted,
            };
            if !own.is_empty() || !directions.is_empty() {
                place.asks(own, &view, &mut asks);
            }
        }
    }
    asks
}

/// Returns the prompts of a model's targets that act at this moment, each once, in the order of the active targets.
pub(super) fn acting_prompts(plan: &Plan, model: usize, weights: &[f64], time: &Time) -> Vec<usize> {
    let mut prompts = Vec::new();
    for (target, weight) in plan.targets.iter().zip(weights) {
        if target.model != model || !target.acts_at(time.step) {
            continue;
        }
        let share = weight / f64::from(target.windows);
        let wanted = parts(&target.wanted, share, (1.0, NEVER), time);
        let directions = parts(&target.directions, share, (1.0, NEVER), time);
        if wanted.is_empty() && directions.is_empty() {
            continue;
        }
        let avoided = parts(&target.avoided, share, (1.0, NEVER), time);
        for (_, part) in wanted.into_iter().chain(avoided).chain(directions) {
            if !prompts.contains(&part.prompt) {
                prompts.push(part.prompt);
            }
        }
    }
    prompts
}

/// Returns the pulls that act at this moment, with their pipelines. Weights are multiplied by `share`, scales by `sign`; `stop`
/// is the default where a pull sets none.
fn parts(pulls: &[Pull], share: f64, (sign, stop): (f64, f32), time: &Time) -> Vec<(usize, Part)> {
    let part = |pull: &Pull| {
        let part = Part {
            prompt: pull.prompt,
            weight: (pull.weight.at(time) * share) as f32,
            scale: (sign * pull.scale.at(time)) as f32,
            offset: 0.0,
            stop: pull.stop.as_ref().map_or(stop, |stop| stop.at(time) as f32),
        };
        (pull.pipeline, part)
    };
    pulls.iter().map(part).filter(|(_, part)| part.weight != 0.0).collect()
}

/// One place of a target, at one step.
struct Place<'a> {
    target: usize,
    place: u64,
    select: Select,
    draws: Draws,
    avoided: &'a [Part],
    directions: &'a [Part],
    sharpness: f32,
    loss: Loss,
}

impl Place<'_> {
    /// Adds this place's asks. `wanted`: pipelines and prompts, at least one unless there are directions.
    fn asks(&self, wanted: &[(usize, Part)], view: &dyn Fn(usize) -> Window, asks: &mut Asks) {
        let mut pipelines: Vec<usize> = Vec::new();
        for (pipeline, _) in wanted {
            if !pipelines.contains(pipeline) {
                pipelines.push(*pipeline);
            }
        }
        let avoided = || self.avoided.to_vec();
        if wanted.is_empty() {
            asks.settled.push(self.ask(view(0), avoided(), Vec::new()));
            return;
        }
        match self.select {
            Select::Best | Select::Worst | Select::Mix if pipelines.len() == 1 => {
                let best = wanted.iter().map(|(_, part)| *part).collect();
                asks.settled.push(self.ask(view(pipelines[0]), avoided(), best));
            }
            Select::Best | Select::Worst | Select::Mix => asks.contests.push(Contest {
                target: self.target,
                place: self.place,
                candidates: wanted
                    .iter()
                    .filter_map(|(pipeline, part)| Some((pipelines.iter().position(|p| p == pipeline)?, *part)))
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
                let (pipeline, part) = wanted[drawn.min(wanted.len() - 1)];
                let pull = avoided().into_iter().chain([part]).collect();
                asks.settled.push(self.ask(view(pipeline), pull, Vec::new()));
            }
            // Without selection every view is trained, and each takes an equal share of the prompts to avoid and the
            // directions.
            Select::All => {
                for pipeline in &pipelines {
                    let own = wanted.iter().filter(|(own, _)| own == pipeline);
                    let own = own.map(|(_, part)| part.times(1.0 / wanted.len() as f32));
                    let avoided = self.avoided.iter().map(|part| part.times(1.0 / pipelines.len() as f32));
                    let pull = own.chain(avoided).collect();
                    let directions = self.directions.iter().map(|part| part.times(1.0 / pipelines.len() as f32));
                    let ask = self.ask(view(*pipeline), pull, Vec::new());
                    asks.settled.push(Ask { directions: directions.collect(), ..ask });
                }
            }
        }
    }

    fn ask(&self, window: Window, pull: Vec<Part>, best: Vec<Part>) -> Ask {
        let directions = self.directions.to_vec();
        let Place { target, place, sharpness, loss, .. } = *self;
        Ask { window, target, place, pull, best, directions, sharpness, loss }
    }
}

impl Contest {
    /// Chooses the winning candidate (the first one on a tie). Its view is trained for that candidate alone. Where candidates
    /// share the place, all their views are trained, and only the winner's view is pushed away from what is to be avoided.
    ///
    /// `similarities` has a row per view, indexed by prompt.
    pub fn settle(self, similarities: &[&[f32]]) -> Vec<Ask> {
        let scaled: Vec<f32> = self.candidates.iter().map(|(view, part)| part.rank(similarities[*view])).collect();
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
        let mut asks = Vec::new();
        for (view, window) in self.windows.into_iter().enumerate() {
            let own = self.candidates.iter().zip(&powers).filter(|((of, _), power)| *of == view && **power > 0.0);
            let mut pull: Vec<Part> = own.map(|((_, part), power)| part.times(power / sum)).collect();
            if pull.is_empty() {
                continue;
            }
            let mut directions = Vec::new();
            if view == best_view {
                pull.extend(&self.avoided);
                directions.extend(&self.directions);
            }
            asks.push(Ask {
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
        asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::Size, sampling::Frame};

    fn part(prompt: usize, weight: f32, scale: f32) -> Part {
        Part { prompt, weight, scale, offset: 0.0, stop: NEVER }
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
            candidates: vec![(0, part(0, 1.0, 1.0)), (0, part(1, 1.0, 1.0)), (1, part(2, 1.0, 2.0))],
            avoided: vec![part(3, -0.5, 1.0)],
            directions: vec![part(4, -0.1, 1.0)],
            sharpness,
            loss: Loss::Cosine,
        }
    }

    const SIMILARITIES: [[f32; 4]; 2] = [[0.3, 0.5, 0.9, 0.0], [0.9, 0.9, 0.28, 0.0]];

    #[test]
    fn the_winner_by_scaled_similarity_takes_its_view() {
        let rows = SIMILARITIES.each_ref().map(|row| row.as_slice());
        let asks = contest(0.0).settle(&rows);
        assert_eq!(asks.len(), 1);
        assert_eq!(asks[0].pull, [part(2, 1.0, 2.0), part(3, -0.5, 1.0)]);
        assert_eq!(asks[0].directions, [part(4, -0.1, 1.0)]);
    }

    #[test]
    fn members_of_an_ensemble_see_the_same_at_their_own_sides() {
        let text = "size = [96, 64]\nmodels = ['a', 'b']\n[[detail]]\nprompts = ['x']\nwindows = 5\n\
                    stages = [{ zoom = [0.5, 2] }, { rotate = 30 }, { perspective = 0.3 }]\nplaces = 3\n\
                    [[composition]]\nprompts = ['x']\nfit = 'slide'\nstages = [{ shift = 0.1 }]";
        let plan = crate::recipe::compile("a.toml".as_ref(), text, &Default::default()).unwrap().plan;
        let frames = [64, 16].map(|side| Frame::new(plan.size, side));
        let scene = Scene::new(&plan, &frames).unwrap();
        let asks = draw(&plan, &scene, &[1.0; 4], &Time::new(3, 10, 0, 10), 0).settled;
        let of = |target: usize| asks.iter().filter(move |ask| ask.target == target);
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
        let asks = contest(10.0).settle(&rows);
        assert_eq!(asks.len(), 2);
        let weights: Vec<f32> = asks.iter().flat_map(|ask| &ask.pull).map(|part| part.weight).collect();
        let shares: f32 = weights.iter().filter(|weight| **weight > 0.0).sum();
        assert!((shares - 1.0).abs() < 1e-6, "{weights:?}");
        // exp(10 (0.5 - 0.56)) of the winner's weight.
        assert!((weights[1] / weights[2] - (-0.6f32).exp()).abs() < 1e-5, "{weights:?}");
        assert_eq!(asks[1].pull.last(), Some(&part(3, -0.5, 1.0)));
        assert_eq!((asks[0].directions.len(), asks[1].directions.len()), (0, 1));
    }
}
