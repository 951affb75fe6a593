//! What a step asks of the encoder: views of places, and what each view is trained for.

use crate::{
    chance::Draws,
    look::{Frame, Window},
    plan::{Loss, Plan, Pull, Select, Target, Time},
};

/// One view that is to be trained, or one of several that compete for it.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub window: Window,
    /// Index into the plan's targets.
    pub target: usize,
    /// The place's number within its target.
    pub place: u64,
    /// Weights in the loss that do not depend on selection, by prompt.
    pub pull: Vec<(usize, f32)>,
    /// Weights of the prompts that compete for this window, by prompt; the most similar one alone counts.
    pub best: Vec<(usize, f32)>,
    pub spherical: bool,
}

/// A place whose view has yet to be chosen among several pipelines.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub target: usize,
    pub place: u64,
    /// One view a pipeline in use.
    pub windows: Vec<Window>,
    /// (view, prompt, weight) in written order.
    pub candidates: Vec<(usize, usize, f32)>,
    /// Weights of the prompts to avoid.
    pub avoided: Vec<(usize, f32)>,
    pub spherical: bool,
}

/// All that one step looks at.
#[derive(Debug, Default)]
pub(super) struct Asks {
    pub settled: Vec<Ask>,
    pub contests: Vec<Contest>,
    /// Places of each target.
    pub places: Vec<u64>,
}

/// Draws the places and views of one step.
///
/// `weights` holds each target's weight at this moment; those of weight 0 are left out. A target's weight is shared
/// evenly among its places, so that more windows mean less noise and not more pull.
pub(super) fn draw(plan: &Plan, frame: &Frame, weights: &[f64], time: &Time) -> Asks {
    let draws = Draws::new(plan.seed).at(time.step);
    let mut asks = Asks { places: vec![0; plan.targets.len()], ..Asks::default() };
    for (index, (target, weight)) in plan.targets.iter().zip(weights).enumerate() {
        let share = weight / f64::from(target.windows);
        let wanted: Vec<(&Pull, f32)> = weighted(&target.wanted, share, time);
        if wanted.is_empty() || share == 0.0 {
            continue;
        }
        let avoided = weighted(&target.avoided, share, time);
        asks.places[index] = u64::from(target.windows);
        for place in 0..u64::from(target.windows) {
            let draws = draws.at(target.key).at(place);
            let view = |pipeline: usize| Window::draw(frame, target.sight, &target.pipelines[pipeline], draws, time);
            place_asks((index, place), target, &wanted, &avoided, &view, &mut asks);
        }
    }
    asks
}

/// The pulls that act at this moment, with their weights times `share`.
fn weighted<'a>(pulls: &'a [Pull], share: f64, time: &Time) -> Vec<(&'a Pull, f32)> {
    let weights = pulls.iter().map(|pull| (pull, (pull.weight.at(time) * share) as f32));
    weights.filter(|(_, weight)| *weight != 0.0).collect()
}

fn place_asks(
    (index, place): (usize, u64),
    target: &Target,
    wanted: &[(&Pull, f32)],
    avoided: &[(&Pull, f32)],
    view: &dyn Fn(usize) -> Window,
    asks: &mut Asks,
) {
    let mut pipelines: Vec<usize> = Vec::new();
    for (pull, _) in wanted {
        if !pipelines.contains(&pull.pipeline) {
            pipelines.push(pull.pipeline);
        }
    }
    let spherical = target.loss == Loss::Spherical;
    let by_prompt = |pulls: &[(&Pull, f32)], scale: f32| -> Vec<(usize, f32)> {
        pulls.iter().map(|(pull, weight)| (pull.prompt, weight * scale)).collect()
    };
    match target.select {
        Select::Best if pipelines.len() == 1 => asks.settled.push(Ask {
            window: view(pipelines[0]),
            target: index,
            place,
            pull: by_prompt(avoided, 1.0),
            best: by_prompt(wanted, 1.0),
            spherical,
        }),
        Select::Best => asks.contests.push(Contest {
            target: index,
            place,
            candidates: wanted
                .iter()
                .filter_map(|(pull, weight)| {
                    let view = pipelines.iter().position(|p| *p == pull.pipeline)?;
                    Some((view, pull.prompt, *weight))
                })
                .collect(),
            windows: pipelines.iter().map(|p| view(*p)).collect(),
            avoided: by_prompt(avoided, 1.0),
            spherical,
        }),
        // Without selection every view wins, and shares what its place is to avoid.
        Select::All => {
            for pipeline in &pipelines {
                let own: Vec<_> = wanted.iter().filter(|(pull, _)| pull.pipeline == *pipeline).copied().collect();
                let mut pull = by_prompt(&own, 1.0 / wanted.len() as f32);
                pull.extend(by_prompt(avoided, 1.0 / pipelines.len() as f32));
                asks.settled.push(Ask {
                    window: view(*pipeline),
                    target: index,
                    place,
                    pull,
                    best: Vec::new(),
                    spherical,
                });
            }
        }
    }
}

impl Contest {
    /// Chooses the most similar candidate, the first one of equals: its view is to be trained for it alone.
    /// `similarities` are the views' by prompt. Returns the view and the ask.
    pub fn settle(self, similarities: &[&[f32]]) -> (usize, Ask) {
        let mut winner = self.candidates[0];
        let mut highest = f32::NEG_INFINITY;
        for candidate in &self.candidates {
            let similarity = similarities[candidate.0][candidate.1];
            if similarity > highest {
                (winner, highest) = (*candidate, similarity);
            }
        }
        let (view, prompt, weight) = winner;
        let mut windows = self.windows;
        let mut pull = self.avoided;
        pull.push((prompt, weight));
        let ask = Ask {
            window: windows.swap_remove(view),
            target: self.target,
            place: self.place,
            pull,
            best: Vec::new(),
            spherical: self.spherical,
        };
        (view, ask)
    }
}
