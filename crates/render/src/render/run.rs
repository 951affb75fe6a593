//! The steps of a render.

use std::time::Instant;

use super::{
    Control, Left, Lens, Observer, Past, Progress, RenderError, Rendered, Seconds, Standing, State, StepViews, Tally,
    balance::Balance,
    calibration::Fields,
    objectives::{Contest, StepObjectives, ViewObjective, acting_prompts, draw},
    progress::Finished,
    scene::Scene,
    step_views::Last,
    tally::distinct_prompts,
    way::Way,
};
use crate::{
    canvas::Canvas,
    clip::{ClipError, Questions},
    direction::log_odds,
    plan::{Gradient, Loss, Plan, Size, Time},
    sampling::{Frame, Levels, Region, ScatterScratch, Visible, Window, gather, scatter},
    spans::{add, fill, fit},
};

/// Renders a plan: optimises the canvas step by step through all phases, and calls the observer after each step.
///
/// `lenses` are the plan's models, indexed by [`Target::model`](crate::plan::Target::model).
pub fn render(plan: &Plan, lenses: &mut [Lens<'_>], observer: &mut dyn Observer) -> Result<Rendered, RenderError> {
    go_on(plan, Run::new(plan, lenses)?, &Standing::default(), observer)
}

/// Resumes a render of the same plan, features and encoders from where it stood. The result is byte for byte that of an
/// uninterrupted render. If no steps are left, it returns the picture at once.
///
/// # Errors
/// As [`render`], and if the state does not belong to this plan.
pub fn resume(
    plan: &Plan,
    lenses: &mut [Lens<'_>],
    state: &State<'_>,
    observer: &mut dyn Observer,
) -> Result<Rendered, RenderError> {
    let mut run = Run::new(plan, lenses)?;
    run.take_up(state)?;
    go_on(plan, run, &state.standing, observer)
}

/// Continues with the canvas that a render of another plan left, from a place in this one: see [`Standing::carried`]. The
/// resulting picture depends on both plans.
pub fn carry_on(
    plan: &Plan,
    lenses: &mut [Lens<'_>],
    standing: &Standing,
    left: &Left<'_>,
    observer: &mut dyn Observer,
) -> Result<Rendered, RenderError> {
    let mut run = Run::new(plan, lenses)?;
    run.count_on(standing)?;
    if left.fits {
        run.canvas.restore(&left.state.canvas)?;
    } else {
        run.canvas = Canvas::showing(&plan.canvas, plan.size, plan.seed, left.picture)?;
    }
    go_on(plan, run, standing, observer)
}

/// Goes through the phases and does their steps that are left.
fn go_on(
    plan: &Plan,
    mut run: Run<'_, '_>,
    standing: &Standing,
    observer: &mut dyn Observer,
) -> Result<Rendered, RenderError> {
    let mut way = Way::new(plan, standing);
    let mut stopped = false;
    for index in 0..plan.phases.len() {
        way.enter(index, standing);
        if run.phase(&mut way, observer)? == Control::Stop {
            stopped = !way.is_at_end();
            break;
        }
    }
    Ok(run.rendered(&way, stopped))
}

/// How the parameter gradient is limited in one step.
#[derive(Debug, Clone, Copy)]
enum GradientLimit {
    Nothing,
    Normalise,
    /// Clipped to this norm.
    Clip(f64),
}

fn gradient_limit(gradient: &Gradient, time: &Time) -> GradientLimit {
    match gradient {
        Gradient::Plain => GradientLimit::Nothing,
        Gradient::Normalise => GradientLimit::Normalise,
        Gradient::Clip(norm) => GradientLimit::Clip(norm.at(time)),
    }
}

/// Maps a window of the canvas to the optimised size; `by` is the ratio of that size to the canvas.
fn on_canvas(window: &Window, by: Option<[f64; 2]>) -> Window {
    by.map_or_else(|| window.clone(), |by| window.scaled(by))
}

/// Yields the objectives of each model, which are adjacent.
fn by_model<'s>(plan: &'s Plan, objectives: &'s [ViewObjective]) -> impl Iterator<Item = &'s [ViewObjective]> {
    objectives.chunk_by(|a, b| plan.targets[a.target].model == plan.targets[b.target].model)
}

/// Returns where a view's gradient goes: to a region, if any, and within it to an ensemble (identified by its first member) or
/// the common sum.
fn place_of(plan: &Plan, scene: &Scene, objective: &ViewObjective) -> (Option<usize>, Option<usize>) {
    let member = plan.targets[objective.target].member.as_ref();
    (scene.region_of[objective.target], member.map(|_| plan.first_member(objective.target)))
}

/// Returns the result of a render whose state is at its end. Needs no encoder.
///
/// # Errors
/// If the state does not belong to this plan or is not at its end, or if the canvas cannot be created.
pub fn conclude(plan: &Plan, state: &State<'_>) -> Result<Rendered, RenderError> {
    let Standing { phase_step, steps, views, .. } = &state.standing;
    let mut tally = Tally::new(plan);
    if let Some(misfit) = state.standing.misfit(plan, &tally) {
        return Err(RenderError::State(misfit));
    }
    let phase = plan.phases.last().filter(|_| state.standing.is_end_of(plan) && *phase_step > 0);
    let phase = phase.ok_or_else(|| RenderError::State("the state is not at the render's end".into()))?;
    tally.take_up(&state.standing);
    let (total, length) = (plan.steps(), u64::from(phase.steps));
    let time = Time::new(phase_step - 1, length, total - length, total);
    let mut canvas = Canvas::new(&plan.canvas, plan.size, plan.seed)?;
    canvas.restore(&state.canvas)?;
    let finest = phase.finest.as_ref().map(|schedule| schedule.at(&time));
    Ok(Rendered {
        finished: Finished::new(canvas, finest, plan.size),
        tally,
        steps: *steps,
        position: total,
        spared: total - steps,
        views: *views,
        stopped: false,
        seconds: Seconds::default(),
    })
}

/// The data that persists from step to step.
struct Run<'a, 'e> {
    plan: &'a Plan,
    lenses: &'a mut [Lens<'e>],
    scene: Scene,
    /// The ratio of the optimised size to the canvas along x and y; `None` where they are the same.
    shrunk: Option<[f64; 2]>,
    /// The scene's regions at the optimised size; `None` where that is the canvas's.
    small_regions: Option<Vec<Region>>,
    /// How the gradient is limited in this step.
    gradient_limit: GradientLimit,
    canvas: Canvas,
    /// The part of the canvas that the step looks at.
    visible: Visible,
    levels: Levels,
    scatter_scratch: ScatterScratch,
    /// The step's windows, one model after another.
    pixels: Vec<f32>,
    gradients: Vec<f32>,
    /// Of the visible part, `[3, A]`.
    pixel_gradient: Vec<f32>,
    /// Scratch for some views' share in the pixel gradient, before it is added.
    partial_gradient: Vec<f32>,
    tally: Tally,
    tally_offsets: Vec<usize>,
    /// The statistics that competing prompts are measured against, in the order of the tally's entries.
    pasts: Vec<Past>,
    direction_offsets: Vec<usize>,
    views: u64,
    places: u64,
    similarities: Vec<(String, f32)>,
    last: Last,
    seconds: Seconds,
}

impl<'a, 'e> Run<'a, 'e> {
    fn new(plan: &'a Plan, lenses: &'a mut [Lens<'e>]) -> Result<Self, RenderError> {
        let frames: Vec<Frame> = lenses.iter().map(|lens| lens.frame).collect();
        let tally = Tally::new(plan);
        Ok(Run {
            plan,
            lenses,
            scene: Scene::new(plan, &frames)?,
            shrunk: None,
            small_regions: None,
            gradient_limit: GradientLimit::Nothing,
            canvas: Canvas::new(&plan.canvas, plan.size, plan.seed)?,
            visible: Visible::whole(plan.size),
            levels: Levels::new(plan.size),
            scatter_scratch: ScatterScratch::new(plan.size),
            pixels: Vec::new(),
            gradients: Vec::new(),
            pixel_gradient: Vec::new(),
            partial_gradient: Vec::new(),
            pasts: vec![Past::default(); tally.entries.len()],
            tally,
            tally_offsets: Tally::offsets(plan),
            direction_offsets: Tally::direction_offsets(plan),
            views: 0,
            places: 0,
            similarities: Vec::new(),
            last: Last::default(),
            seconds: Seconds::default(),
        })
    }

    /// Restores the state of a render of the same plan.
    fn take_up(&mut self, state: &State<'_>) -> Result<(), RenderError> {
        self.count_on(&state.standing)?;
        Ok(self.canvas.restore(&state.canvas)?)
    }

    /// Restores the counts of an earlier render.
    fn count_on(&mut self, standing: &Standing) -> Result<(), RenderError> {
        let Standing { views, places, .. } = standing;
        if let Some(misfit) = standing.misfit(self.plan, &self.tally) {
            return Err(RenderError::State(misfit));
        }
        (self.views, self.places) = (*views, *places);
        self.pasts.clone_from(&standing.pasts);
        self.tally.take_up(standing);
        Ok(())
    }

    /// Does the steps of a phase that are left, and tells the observer of each. Returns whether the render goes on after them.
    fn phase(&mut self, way: &mut Way<'_>, observer: &mut dyn Observer) -> Result<Control, RenderError> {
        let phase = way.phase();
        let first = way.phase_step;
        if !way.phase_over {
            self.canvas.follow(&phase.optimiser);
        }
        while !way.phase_over {
            let time = way.time();
            let before = std::mem::replace(&mut way.finest, phase.finest.as_ref().map(|schedule| schedule.at(&time)));
            let weights: Vec<f64> = phase.weights.iter().map(|schedule| schedule.at(&time)).collect();
            let size = self.canvas.size();
            self.resize(phase.canvas_size(self.plan.size, &time))?;
            // Whether the canvas is still as the previous step left it.
            let untouched = way.phase_step > first && self.canvas.size() == size;
            self.gradient_limit = gradient_limit(&phase.gradient, &time);
            match self.step(&time, way.finest, &weights, phase.rate.at(&time)) {
                Ok(()) => way.advance(|| self.by_target()),
                Err(RenderError::Clip(ClipError::Cancelled)) => {
                    way.finest = before;
                    if untouched {
                        self.last = Last::default();
                        observer.cancelled(&mut self.progress(way));
                    }
                    return Ok(Control::Stop);
                }
                Err(error) => return Err(error),
            }
            if observer.step(&mut self.progress(way)) == Control::Stop {
                return Ok(Control::Stop);
            }
        }
        Ok(Control::Continue)
    }

    /// Returns what the observer is told after a step.
    fn progress<'b>(&'b mut self, way: &'b Way<'_>) -> Progress<'b> {
        let plan = self.plan;
        Progress {
            step: way.position,
            done: way.done,
            steps: plan.steps(),
            phase: way.index,
            phase_name: &way.phase().name,
            phase_step: way.phase_step,
            phase_steps: u64::from(way.phase().steps),
            canvas_size: self.canvas.size(),
            views: self.views,
            places: self.places,
            similarities: &self.similarities,
            tally: &self.tally,
            seconds: way.seconds(),
            seen: StepViews { plan, scene: &self.scene, last: &self.last, pixels: &self.pixels, levels: &self.levels },
            canvas: &mut self.canvas,
            finest: way.finest,
            size: plan.size,
            phase_over: way.phase_over,
            rises: way.rises.as_ref(),
            pasts: &self.pasts,
            next_phase: plan.phases.get(way.index + 1),
        }
    }

    /// Returns the result.
    fn rendered(self, way: &Way<'_>, stopped: bool) -> Rendered {
        let steps = if stopped { way.position } else { self.plan.steps() };
        Rendered {
            finished: Finished::new(self.canvas, way.finest, self.plan.size),
            tally: self.tally,
            steps: way.done,
            position: way.position,
            spared: steps - way.done,
            views: self.views,
            stopped,
            seconds: self.seconds,
        }
    }

    /// Switches to optimising the canvas at another size.
    fn resize(&mut self, size: Size) -> Result<(), RenderError> {
        self.canvas.resize(size);
        let size = self.canvas.size();
        if self.levels.size() == size {
            return Ok(());
        }
        let whole = self.plan.size;
        let ratio = |shown: u32, whole: u32| f64::from(shown) / f64::from(whole);
        self.shrunk = (size != whole).then(|| [ratio(size.width, whole.width), ratio(size.height, whole.height)]);
        self.visible = Visible::whole(size);
        self.levels = Levels::new(size);
        self.scatter_scratch = ScatterScratch::new(size);
        self.small_regions = if size == whole { None } else { Some(Scene::regions(self.plan, size)?) };
        Ok(())
    }

    /// Returns each target's similarity in the last step, if it was looked at.
    fn by_target(&self) -> Vec<Option<f32>> {
        let of =
            |name: &str| self.similarities.iter().find(|(other, _)| other == name).map(|(_, similarity)| *similarity);
        self.plan.targets.iter().map(|target| of(&target.name)).collect()
    }

    /// Performs one optimiser update from all windows of all active targets.
    fn step(&mut self, time: &Time, finest: Option<f64>, weights: &[f64], rate: f64) -> Result<(), RenderError> {
        let plan = self.plan;
        let mut objectives = draw(plan, &self.scene, weights, time, 0);
        let places = objectives.places.iter().sum::<u64>();
        self.choose(weights, time);
        let mut fields = Fields::new(plan, &self.pasts, &objectives);
        let rounds: Vec<StepObjectives> =
            (1..=fields.rounds()).map(|round| draw(plan, &self.scene, weights, time, round)).collect();
        self.decode(finest, rounds.iter().chain([&objectives]));
        self.warm_up(&mut fields, rounds, time)?;
        fields.apply(&mut objectives);
        let (mut objectives, lost) = self.settle(objectives, &mut fields)?;
        if objectives.is_empty() {
            self.pasts = fields.end();
            self.similarities.clear();
            self.last = Last::default();
            return Ok(());
        }
        self.sort(&mut objectives);
        let similarities = self.pull(&objectives, time)?;
        self.update(rate);
        // Counted only now, because a cancelled step does not count.
        self.places += places;
        self.views += lost + objectives.len() as u64;
        note(&objectives, &similarities, plan.prompts.len(), &mut fields);
        self.pasts = fields.end();
        self.count(&objectives, &similarities);
        self.last = Last { objectives, similarities };
        Ok(())
    }

    /// Tells each model which prompts act in this step.
    fn choose(&mut self, weights: &[f64], time: &Time) {
        for (model, lens) in self.lenses.iter_mut().enumerate() {
            lens.choose(&acting_prompts(self.plan, model, weights, time));
        }
    }

    /// Decodes the part of the canvas that windows are gathered from, to gather these.
    fn decode<'o>(&mut self, finest: Option<f64>, objectives: impl Iterator<Item = &'o StepObjectives>) {
        let clock = Instant::now();
        let size = self.canvas.size();
        self.visible = if self.canvas.in_parts(finest) {
            let windows = objectives.flat_map(StepObjectives::windows);
            let windows: Vec<Window> = windows.map(|window| on_canvas(window, self.shrunk)).collect();
            Visible::of(size, &windows)
        } else {
            Visible::whole(size)
        };
        fit(&mut self.pixel_gradient, 3 * self.visible.canvas().area());
        self.levels.build(self.canvas.decode_part(finest, self.visible.canvas()), &self.visible);
        self.seconds.gather += clock.elapsed().as_secs_f64();
    }

    /// Shows all views to their models, one model after another, and collects the gradient of the pixels. Returns the similarities, a row
    /// for each view.
    fn pull(&mut self, objectives: &[ViewObjective], time: &Time) -> Result<Vec<f32>, RenderError> {
        let mut balance = Balance::default();
        let mut similarities = Vec::with_capacity(objectives.len() * self.plan.prompts.len());
        self.pixels.clear();
        for objectives in by_model(self.plan, objectives) {
            let first = self.pixels.is_empty();
            similarities.extend(self.train(objectives, time)?);
            self.scatter(objectives, first, time, &mut balance);
        }
        Ok(similarities)
    }

    /// Takes the gradient of the pixels back to the parameters, and moves these.
    fn update(&mut self, rate: f64) {
        let clock = Instant::now();
        self.canvas.backprop(&self.pixel_gradient);
        match self.gradient_limit {
            GradientLimit::Nothing => {}
            GradientLimit::Normalise => self.canvas.normalise_gradient(),
            GradientLimit::Clip(norm) => self.canvas.clip_gradient(norm),
        }
        self.canvas.step(rate);
        self.seconds.optimize += clock.elapsed().as_secs_f64();
    }

    /// Measures prompts that start to compete in this step in windows of the current canvas. The canvas does not change. The
    /// windows are shown in the same way as the step's own, so no additional session is needed.
    fn warm_up(
        &mut self,
        fields: &mut Fields<'_>,
        rounds: Vec<StepObjectives>,
        time: &Time,
    ) -> Result<(), RenderError> {
        let plan = self.plan;
        let any = !rounds.is_empty();
        for objectives in rounds {
            let (mut objectives, _) = self.settle(objectives, fields)?;
            self.sort(&mut objectives);
            self.pixels.clear();
            for objectives in by_model(plan, &objectives) {
                if objectives.iter().any(|objective| !objective.best.is_empty() && fields.is_new(objective.target)) {
                    let similarities = self.train(objectives, time)?;
                    note(objectives, &similarities, plan.prompts.len(), fields);
                }
            }
        }
        if any {
            fields.begin();
        }
        Ok(())
    }

    /// Sorts the objectives so that each model runs once, and the views of each region and of each ensemble are scattered together.
    fn sort(&self, objectives: &mut [ViewObjective]) {
        objectives.sort_by_key(|objective| {
            (self.plan.targets[objective.target].model, place_of(self.plan, &self.scene, objective))
        });
    }

    /// Shows views to their model. Their pixels are appended to `pixels`, their gradients are written to `gradients`. Returns
    /// the similarities `[N, K]`.
    fn train(&mut self, objectives: &[ViewObjective], time: &Time) -> Result<Vec<f32>, RenderError> {
        let lens = &mut self.lenses[self.plan.targets[objectives[0].target].model];
        let windows: Vec<Window> =
            objectives.iter().map(|objective| on_canvas(&objective.window, self.shrunk)).collect();
        let clock = Instant::now();
        let side = lens.frame.side;
        let length = objectives.len() * 3 * (side as usize).pow(2);
        let start = self.pixels.len();
        self.pixels.resize(start + length, 0.0);
        let pixels = &mut self.pixels[start..];
        gather(&self.levels, &windows, side, pixels);
        self.seconds.gather += clock.elapsed().as_secs_f64();

        let clock = Instant::now();
        let questions = questions(objectives, lens);
        self.gradients.resize(length, 0.0);
        let similarities = lens.encoder.train(pixels, &questions, &lens.acting, &mut self.gradients)?;
        self.seconds.encode += clock.elapsed().as_secs_f64();
        if !self.gradients.iter().all(|g| g.is_finite()) {
            return Err(RenderError::NotFinite { step: time.step + 1 });
        }
        Ok(lens.of_all_prompts(similarities))
    }

    /// Scatters the gradients of one model's views onto the canvas, separately for each region and ensemble. The first views of
    /// a step replace what is there, others add to it.
    fn scatter(&mut self, objectives: &[ViewObjective], mut first: bool, time: &Time, balance: &mut Balance) {
        let clock = Instant::now();
        let side = self.lenses[self.plan.targets[objectives[0].target].model].frame.side;
        let mut rest = self.gradients.as_slice();
        let (plan, scene, part) = (self.plan, &self.scene, self.visible.canvas());
        for objectives in objectives.chunk_by(|a, b| place_of(plan, scene, a) == place_of(plan, scene, b)) {
            let windows: Vec<Window> =
                objectives.iter().map(|objective| on_canvas(&objective.window, self.shrunk)).collect();
            let (gradients, after) = rest.split_at(objectives.len() * 3 * (side as usize).pow(2));
            rest = after;
            let regions = self.small_regions.as_ref().unwrap_or(&scene.regions);
            let (region, ensemble) = place_of(plan, scene, &objectives[0]);
            let region = region.and_then(|region| regions.get(region));
            if first && region.is_none() && ensemble.is_none() {
                let (scratch, visible) = (&mut self.scatter_scratch, &self.visible);
                scatter(&self.levels, &windows, side, gradients, scratch, visible, &mut self.pixel_gradient);
                first = false;
                continue;
            }
            if std::mem::take(&mut first) {
                fill(&mut self.pixel_gradient, 0.0);
            }
            fit(&mut self.partial_gradient, self.pixel_gradient.len());
            let (scratch, visible) = (&mut self.scatter_scratch, &self.visible);
            scatter(&self.levels, &windows, side, gradients, scratch, visible, &mut self.partial_gradient);
            match (ensemble.zip(plan.share(objectives[0].target, time)), region) {
                (Some((ensemble, share)), region) => {
                    if let Some(region) = region {
                        region.keep(part, &mut self.partial_gradient);
                    }
                    let factor = balance.factor(ensemble, share, self.canvas.gradient_norm(&self.partial_gradient));
                    add(&mut self.pixel_gradient, factor, &self.partial_gradient);
                }
                (None, Some(region)) => region.add(part, &self.partial_gradient, &mut self.pixel_gradient),
                (None, None) => add(&mut self.pixel_gradient, 1.0, &self.partial_gradient),
            }
        }
        self.seconds.scatter += clock.elapsed().as_secs_f64();
    }

    /// Scores the competing views, and adds the winners to the settled ones.
    ///
    /// Scoring all views with the forward graph and training only the winners costs no more than training two views, and less
    /// from three on. Also returns the number of views that lost, which count as looked at.
    fn settle(
        &mut self,
        objectives: StepObjectives,
        fields: &mut Fields<'_>,
    ) -> Result<(Vec<ViewObjective>, u64), RenderError> {
        let mut lost = 0;
        let StepObjectives { mut settled, mut contests, .. } = objectives;
        let by = self.shrunk;
        for (model, lens) in self.lenses.iter_mut().enumerate() {
            if contests.is_empty() {
                break;
            }
            let (own, others): (Vec<Contest>, Vec<Contest>) =
                contests.into_iter().partition(|contest| self.plan.targets[contest.target].model == model);
            contests = others;
            if own.is_empty() {
                continue;
            }
            let side = lens.frame.side;
            let windows = own.iter().flat_map(|contest| &contest.windows);
            let windows: Vec<Window> = windows.map(|window| on_canvas(window, by)).collect();
            let clock = Instant::now();
            self.pixels.resize(windows.len() * 3 * (side as usize).pow(2), 0.0);
            gather(&self.levels, &windows, side, &mut self.pixels);
            self.seconds.gather += clock.elapsed().as_secs_f64();
            let clock = Instant::now();
            let similarities = lens.encoder.score(&self.pixels, &lens.acting)?;
            let similarities = lens.of_all_prompts(similarities);
            self.seconds.encode += clock.elapsed().as_secs_f64();

            let mut rows = similarities.chunks_exact(self.plan.prompts.len());
            for contest in own {
                let views: Vec<&[f32]> = rows.by_ref().take(contest.windows.len()).collect();
                let looked_at = views.len() as u64;
                for (view, term) in &contest.candidates {
                    fields.see(contest.target, [term.prompt].into_iter(), views[*view]);
                }
                let objectives = contest.settle(&views);
                lost += looked_at - objectives.len() as u64;
                settled.extend(objectives);
            }
        }
        Ok((settled, lost))
    }

    /// Updates the tally: the winners, each target's mean similarity, and the probabilities of directions.
    fn count(&mut self, objectives: &[ViewObjective], similarities: &[f32]) {
        let mut sums = vec![(0.0f64, 0u32); self.plan.targets.len()];
        let rows: Vec<(&ViewObjective, &[f32])> =
            objectives.iter().zip(similarities.chunks_exact(self.plan.prompts.len())).collect();
        for (objective, row) in &rows {
            let directions = &self.plan.targets[objective.target].directions;
            for term in &objective.directions {
                let Some(at) = directions.iter().position(|pull| pull.prompt == term.prompt) else { continue };
                let mean = &mut self.tally.directions[self.direction_offsets[objective.target] + at].mean;
                mean.sum += f64::from(row[term.prompt]);
                mean.windows += 1;
            }
        }
        // Without selection a place has one view per pipeline; these are adjacent.
        for views in rows.chunk_by(|a, b| (a.0.target, a.0.place) == (b.0.target, b.0.place)) {
            // Prompt, scaled similarity, similarity.
            let mut winner: Option<(usize, f32, f32)> = None;
            for (objective, row) in views {
                let Some((prompt, value)) = objective.winner(row) else { continue };
                if winner.is_none_or(|(_, highest, _)| value > highest) {
                    winner = Some((prompt, value, row[prompt]));
                }
            }
            let Some((winner, _, similarity)) = winner else { continue };
            let target = views[0].0.target;
            let position = distinct_prompts(&self.plan.targets[target]).iter().position(|p| *p == winner);
            if let Some(position) = position {
                self.tally.entries[self.tally_offsets[target] + position].won += 1;
            }
            sums[target].0 += f64::from(similarity);
            sums[target].1 += 1;
        }
        let named = self.plan.targets.iter().zip(sums).filter(|(_, (_, n))| *n > 0);
        self.similarities = named.map(|(t, (sum, n))| (t.name.clone(), (sum / f64::from(n)) as f32)).collect();
    }
}

/// Records the similarities of views whose prompts competed in the graph. `similarities` `[N, prompts]`.
fn note(objectives: &[ViewObjective], similarities: &[f32], prompts: usize, fields: &mut Fields<'_>) {
    for (objective, row) in objectives.iter().zip(similarities.chunks_exact(prompts)) {
        fields.see(objective.target, objective.best.iter().map(|term| term.prompt), row);
    }
}

/// Returns the objectives as the encoder's matrices.
fn questions(objectives: &[ViewObjective], lens: &Lens<'_>) -> Questions {
    let prompts = lens.acting.count();
    let mut questions = Questions::new(objectives.len(), prompts);
    for (row, objective) in objectives.iter().enumerate() {
        for (terms, weights) in [(&objective.pull, &mut questions.pull), (&objective.best, &mut questions.best)] {
            for term in terms {
                let Some(column) = lens.row(term.prompt) else { continue };
                let at = row * prompts + column;
                weights[at] += term.weight;
                questions.scale[at] = term.scale;
                questions.offset[at] = term.offset;
                questions.stop[at] = term.stop;
            }
        }
        questions.sharpness[row] = objective.sharpness;
        questions.loss[row * prompts..(row + 1) * prompts].fill(objective.loss);
        for term in &objective.directions {
            let Some(column) = lens.row(term.prompt) else { continue };
            let Some(odds) = lens.acting.odds(column) else { continue };
            let at = row * prompts + column;
            // Log-odds rise with the similarity just as the cosine loss falls with it.
            questions.loss[at] = Loss::Cosine;
            questions.pull[at] += (f64::from(term.weight) * odds.length) as f32;
            questions.stop[at] = odds.similarity(log_odds(f64::from(term.stop))) as f32;
        }
    }
    questions
}
