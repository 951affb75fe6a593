//! One render of one recipe: the loop's observer, and what is written and printed at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::carry::{CanvasCopy, Carried, Carry, Course};
use super::jobs::{Job, beside, identity, snapshots};
use super::live::{Live, Page};
use super::recording::{Recording, complain};
use super::timings::{Seconds, Timings, peak_rss_bytes};
use super::written::write_picture;
use crate::cli::args::RenderArgs;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure};
use crate::cli::prompts;
use crate::cli::source::Source;
use crate::cli::source::picture;
use crate::cli::terminal::progress::Display;
use crate::cli::terminal::{Voice, interrupt, voice};
use crate::clip::ModelFolder;
use crate::output::{Facts, Origin, TallyLine, UsedModel, Writer, is_snapshot_of, phase_path, step_path};
use crate::plan::Plan;
use crate::preview::Gate;
use crate::recipe::{Compiled, Overrides};
use crate::render::{
    Control, Observer, Progress, RenderError, Rendered, Standing, Tally, carry_on, conclude, render, resume,
};
use crate::store::{Conditions, Found, Keeper, StateInMemory, Store};

/// The time between two pictures of a growing canvas in watch mode.
const GROWTH: Duration = Duration::from_secs(2);

/// How a render ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With its picture; `Exit::Failed` if something else could not be written.
    Done(Exit),
    /// By a signal, with the picture so far.
    Interrupted,
    /// Because the caller wanted it to stop; with its state if there was a step.
    Superseded(Option<StateInMemory>),
}

/// Where a render begins.
enum Begin<'a> {
    /// At the plan's own start.
    First,
    /// At a stored state of this same render.
    Found(Box<Found<'a>>),
    /// At a canvas that the render of an earlier version left.
    Carried(&'a Carried, Course),
}

/// The inputs of a render besides its recipe.
pub(crate) struct Run<'a> {
    pub args: &'a RenderArgs,
    /// The values that override the recipe's.
    pub overrides: &'a Overrides,
    pub voice: &'a Voice,
    pub job: &'a Job,
    pub live: &'a Live,
    /// Whether messages name the recipe.
    pub several: bool,
    /// Whether the recipe was edited: the start is then reported even if it is the first step.
    pub edited: bool,
    /// When start-up began.
    pub started: Instant,
    /// Further states to resume from, which may not be in the store.
    pub memory: &'a [StateInMemory],
    /// With `--watch=continue`: the canvas that an earlier render left, and the place for the one that this render leaves.
    pub carry: Option<Carry<'a>>,
    /// Asked after every step whether the render is still wanted.
    pub unwanted: &'a mut dyn FnMut() -> bool,
    /// Called with the finished render once its picture is written.
    pub report: &'a mut dyn FnMut(&Report<'_>) -> Result<(), Failure>,
}

/// The facts to report about a render whose picture is written.
pub(crate) struct Report<'a> {
    pub job: &'a Job,
    pub rendered: &'a Rendered,
    /// The number of planned steps.
    pub planned: u64,
    /// Seconds from its start to the written picture.
    pub seconds: f64,
    /// Mean similarity of the winning prompts in the last step, by target.
    pub similarities: &'a [(String, f32)],
}

impl Run<'_> {
    /// Renders, writes the picture, and reports the result.
    pub(crate) fn render(self, bench: &mut Workbench, source: &Source, compiled: &Compiled) -> Result<Ended, Failure> {
        let Run { args, overrides, voice, job, live, several, edited, started, memory, carry, unwanted, report } = self;
        let plan = &compiled.plan;
        let folders = prompts::models(source, compiled)?;
        let needed: Vec<PathBuf> =
            compiled.files.iter().cloned().chain(folders.iter().flat_map(ModelFolder::files)).collect();
        refuse_overwriting(&needed, args, job)?;
        let (device, conditions) = bench.conditions(source, compiled, &folders)?;
        let store = bench.store();
        let before = carry.as_ref().and_then(|carry| carry.before);
        let begin = Begin::of(&store, args, memory, plan, &conditions, before, &source.text);
        let keeper = begin.keeper(&store, plan, &conditions, &called(plan, job));
        let models = used(&folders, &conditions);
        let device = device.to_string();
        let facts = facts(plan, &models, overrides, &device, &begin)?;
        note_differences(source, overrides, &facts, voice);
        let recording = Recording::new(&args.record, job, plan, args.watches(), voice)?;
        let _graceful = interrupt::graceful();
        let mut eyes = Eyes {
            args,
            voice,
            output: &job.output,
            display: Display::new(voice, &job.name(), several),
            keeper,
            carries: carry.is_some(),
            kept: None,
            page: live.begin(plan, job, &facts),
            writer: Writer::new(source.text.clone(), compiled.bases.clone()),
            recording,
            similarities: begin.similarities(),
            facts,
            unwritten: 0,
            started,
            startup: None,
            // The first step after an edit is shown at once.
            grown: Instant::now().checked_sub(GROWTH).unwrap_or_else(Instant::now),
            waited: Duration::ZERO,
            held: Duration::ZERO,
            unwanted,
            superseded: false,
        };
        let ready = Ready { compiled, folders: &folders, conditions: &conditions };
        let rendered = begin.steps(&ready, bench, &job.name(), edited, &mut eyes);
        let Eyes {
            display,
            page,
            writer,
            recording,
            keeper,
            kept,
            similarities,
            facts,
            startup,
            mut waited,
            held,
            superseded,
            mut unwritten,
            ..
        } = eyes;
        let before = Instant::now();
        // This also covers a render cancelled before its first step.
        let cancelled = matches!(&rendered, Ok(rendered) if rendered.stopped) && bench.cancel().is_cancelled();
        let superseded = (superseded || cancelled) && !interrupt::requested();
        let failures = match &rendered {
            Ok(rendered) if !superseded => recording.finish(rendered),
            _ => {
                recording.discard();
                Vec::new()
            }
        };
        drop(display);
        unwritten += complain(voice, failures);
        unwritten += complain(voice, writer.finish());
        let rendered = rendered?;
        let asked = carry.is_some() && !superseded;
        let kept = kept.or_else(|| if asked { begin.kept(&rendered) } else { None });
        if let (Some(carry), Some(canvas)) = (carry, kept) {
            leave(carry, canvas, &ready, source, keeper.as_ref(), &facts);
        }
        if superseded {
            return Ok(Ended::Superseded(keeper.and_then(Keeper::into_memory)));
        }
        let facts =
            Facts { steps: rendered.steps, steps_spared: rendered.spared, tally: lines(&rendered.tally), ..facts };
        let startup = startup.unwrap_or_default();
        let stepping = before.duration_since(started).saturating_sub(startup + held).as_secs_f64();
        let origin = Origin { recipe: source.text.clone(), bases: compiled.bases.clone(), facts };
        write_picture(&job.output, &rendered, &origin)?;
        page.end(&rendered, &job.output);
        waited += before.elapsed();
        let total = started.elapsed().as_secs_f64();
        if let Some(path) = &args.timings {
            let seconds = Seconds {
                startup: startup.as_secs_f64(),
                look: rendered.seconds.gather,
                encode: rendered.seconds.encode,
                push: rendered.seconds.scatter,
                optimize: rendered.seconds.optimize,
                output: waited.as_secs_f64(),
                total,
            };
            timings(&rendered, stepping, seconds, &origin.facts, device, bench.threads()).write(path)?;
        }
        report(&Report {
            job,
            rendered: &rendered,
            planned: plan.steps(),
            seconds: total,
            similarities: &similarities,
        })?;
        match (interrupt::requested(), unwritten) {
            (true, _) => Ok(Ended::Interrupted),
            (false, 0) => Ok(Ended::Done(Exit::Done)),
            (false, _) => Ok(Ended::Done(Exit::Failed)),
        }
    }
}

/// What a render works with once its models are known.
struct Ready<'a> {
    compiled: &'a Compiled,
    folders: &'a [ModelFolder],
    conditions: &'a Conditions,
}

impl<'a> Begin<'a> {
    /// Finds where a render begins. `before` is the canvas that an earlier render left, `text` the recipe's.
    fn of(
        store: &Store,
        args: &RenderArgs,
        memory: &[StateInMemory],
        plan: &'a Plan,
        conditions: &'a Conditions,
        before: Option<&'a Carried>,
        text: &str,
    ) -> Self {
        // Recordings cover all steps, so a recorded render does not resume. In watch mode snapshots cover only the steps that an
        // edit repeats.
        let record = &args.record;
        let filmed = args.timings.is_some() || record.video.is_some() || record.sheet;
        let recorded = filmed || !args.watches() && (args.every.is_some() || args.phases);
        let ordinary = before.is_none_or(|before| before.is_on_the_way_of(plan, conditions));
        let find = ordinary && !recorded && !(args.fresh && before.is_none());
        let found = if find { store.find(plan, conditions, memory) } else { None };
        let done = before.map_or(0, |before| before.canvas.standing.steps);
        match (found, before) {
            (Some(found), _) if found.standing.steps >= done => Begin::Found(Box::new(found)),
            (_, Some(before)) => Begin::Carried(before, before.course(plan, conditions, text)),
            _ => Begin::First,
        }
    }

    /// Returns the keeper of the states to come; none if they are not those of an ordinary render. `called` is the recipe's name.
    fn keeper(&self, store: &'a Store, plan: &'a Plan, conditions: &'a Conditions, called: &str) -> Option<Keeper<'a>> {
        match self {
            Begin::First => Some(store.keeper(plan, conditions, None, called)),
            Begin::Found(found) => Some(store.keeper(plan, conditions, Some(&**found), called)),
            Begin::Carried(..) => None,
        }
    }

    /// Returns the similarities of the last step so far, as far as they are known.
    fn similarities(&self) -> Vec<(String, f32)> {
        match self {
            Begin::Found(found) => found.similarities.clone(),
            Begin::First | Begin::Carried(..) => Vec::new(),
        }
    }

    /// Says where the render begins, and does the steps that are left.
    fn steps(
        &self,
        ready: &Ready<'_>,
        bench: &mut Workbench,
        name: &str,
        edited: bool,
        eyes: &mut Eyes<'_>,
    ) -> Result<Rendered, Failure> {
        let Ready { compiled, folders, conditions } = ready;
        let (plan, voice) = (&compiled.plan, eyes.voice);
        let total = plan.steps();
        match self {
            Begin::Found(found) if found.standing.is_end_of(plan) => {
                voice.note(&format!("{name}: rendered before; the picture is made from the checkpoint"));
                conclude(plan, &found.arrays.state(found.standing.clone())).map_err(wrong)
            }
            Begin::Found(found) => {
                let mut lenses = bench.equipped(compiled, folders, conditions)?;
                let (steps, phase) = (found.standing.steps, next_phase(plan, &found.standing));
                voice.note(&format!("{name}: resuming at step {steps} of {total}: {phase}"));
                let state = found.arrays.state(found.standing.clone());
                resume(plan, &mut lenses, &state, eyes).map_err(wrong)
            }
            Begin::Carried(before, course) => {
                let standing = &course.standing;
                voice.note(&format!("{name}: {}", going_on(plan, course)));
                let state = before.state(standing);
                if course.fits && standing.is_end_of(plan) {
                    conclude(plan, &state).map_err(wrong)
                } else {
                    let mut lenses = bench.equipped(compiled, folders, conditions)?;
                    carry_on(plan, &mut lenses, standing, &before.left(&state, course), eyes).map_err(wrong)
                }
            }
            Begin::First => {
                if edited {
                    voice.note(&format!("{name}: from the first step of {total}"));
                }
                let mut lenses = bench.equipped(compiled, folders, conditions)?;
                render(plan, &mut lenses, eyes).map_err(wrong)
            }
        }
    }

    /// Returns the canvas of a picture that was made from a stored state, of which no step was observed.
    fn kept(self, rendered: &Rendered) -> Option<CanvasCopy> {
        let Begin::Found(found) = self else { return None };
        let found = *found;
        Some(CanvasCopy { standing: found.standing, arrays: found.arrays, picture: rendered.picture() })
    }
}

/// Returns the models that work on the picture.
fn used(folders: &[ModelFolder], conditions: &Conditions) -> Vec<UsedModel> {
    let used = folders.iter().zip(&conditions.models);
    used.map(|(model, hash)| UsedModel { name: model.description.name.clone(), hash: model.whole_hash(hash) }).collect()
}

/// Returns the facts that are known before the first step.
fn facts(
    plan: &Plan,
    models: &[UsedModel],
    overrides: &Overrides,
    device: &str,
    begin: &Begin<'_>,
) -> Result<Facts, Failure> {
    let UsedModel { name, hash } = models.first().cloned().ok_or_else(|| Failure::failed("no model"))?;
    Ok(Facts {
        version: env!("CARGO_PKG_VERSION").into(),
        title: plan.title.clone(),
        model: name,
        model_hash: hash,
        models: if models.len() > 1 { models.to_vec() } else { Vec::new() },
        seed: plan.seed,
        size: [plan.size.width, plan.size.height],
        steps_planned: plan.steps(),
        overrides: overrides.clone(),
        device: device.split(':').next().unwrap_or_default().to_owned(),
        continued: match begin {
            Begin::Carried(_, course) => course.edits.clone(),
            Begin::First | Begin::Found(_) => Vec::new(),
        },
        ..Facts::default()
    })
}

/// Says how the render differs from the one that made the picture which its recipe was read from, if it was.
fn note_differences(source: &Source, overrides: &Overrides, facts: &Facts, voice: &Voice) {
    let Some(first) = &source.facts else { return };
    let same_model = first.overrides.model == overrides.model;
    for difference in picture::differences(first, same_model, facts) {
        voice.note(&format!("note: {difference}"));
    }
}

/// Leaves the canvas to a later version of the recipe.
fn leave(
    carry: Carry<'_>,
    canvas: CanvasCopy,
    ready: &Ready<'_>,
    source: &Source,
    keeper: Option<&Keeper<'_>>,
    facts: &Facts,
) {
    *carry.left = Some(Carried {
        plan: ready.compiled.plan.clone(),
        conditions: ready.conditions.clone(),
        text: source.text.clone(),
        canvas,
        mark: keeper.map(Keeper::mark),
        edits: facts.continued.clone(),
    });
}

/// Returns the measurements of a render whose picture is written. `stepping` is the time from the first step to the last, in seconds.
fn timings(
    rendered: &Rendered,
    stepping: f64,
    seconds: Seconds,
    facts: &Facts,
    device: String,
    threads: usize,
) -> Timings {
    Timings {
        steps: rendered.steps,
        spared: rendered.spared,
        windows: rendered.views,
        windows_per_second: if stepping > 0.0 { rendered.views as f64 / stepping } else { 0.0 },
        peak_rss_bytes: peak_rss_bytes(),
        seconds,
        device,
        threads,
        model: facts.model.clone(),
        model_hash: facts.model_hash.clone(),
        models: facts.models.clone(),
    }
}

fn wrong(error: RenderError) -> Failure {
    Failure::failed(&error).hinted(error.hint())
}

/// Describes how a render continues from what another one left.
fn going_on(plan: &Plan, course: &Course) -> String {
    let Course { standing, fits, edited, .. } = course;
    let (steps, total) = (standing.steps, plan.steps());
    if !edited {
        return format!("resuming at step {steps} of {total}: {}", next_phase(plan, standing));
    }
    let canvas = match fits {
        true => "continuing from the canvas as it is",
        false => "continuing from the picture as it is, since the canvas now has another size or basis",
    };
    match standing.is_end_of(plan) {
        true => format!("{canvas}; none of {total} steps is left"),
        false => format!("{canvas}, at step {steps} of {total}: {}", next_phase(plan, standing)),
    }
}

/// Returns the name of the phase of the next step.
fn next_phase<'a>(plan: &'a Plan, standing: &Standing) -> &'a str {
    let phase = standing.phase + usize::from(standing.phase_over);
    plan.phases.get(phase).map_or("", |phase| &phase.name)
}

/// Returns the recipe's name in the list of checkpoints.
fn called(plan: &Plan, job: &Job) -> String {
    plan.title.clone().unwrap_or_else(|| job.name())
}

/// Fails if a picture, the timings or a video would overwrite a file that the recipe needs.
fn refuse_overwriting(files: &[PathBuf], args: &RenderArgs, job: &Job) -> Result<(), Failure> {
    let output = identity(&job.output);
    let beside: Vec<_> = beside(args).into_iter().map(|(path, option)| (identity(path), option)).collect();
    let snapshots = snapshots(args);
    for file in files {
        let needed = identity(file);
        let shown = file.display();
        if needed == output || snapshots && is_snapshot_of(&output, &needed) {
            let message = format!("{shown}: a picture would overwrite this file, which the recipe needs");
            return Err(Failure::wrong(message).hint("name another picture with --output"));
        }
        if let Some((_, option)) = beside.iter().find(|(path, _)| *path == needed) {
            let message = format!("{shown}: {option} would overwrite this file, which the recipe needs");
            return Err(Failure::wrong(message).hint("name another file"));
        }
    }
    Ok(())
}

/// Prints the tally on stdout, and the picture's path, its steps and seconds on stderr.
pub(crate) fn tell(voice: &Voice, report: &Report<'_>, several: bool) -> Result<(), Failure> {
    let Report { job, rendered, planned, seconds, .. } = report;
    let mut tally = rendered.tally.to_string();
    if several {
        tally = format!("{}\n{}\n", job.name(), tally.trim_end());
    } else if !tally.ends_with('\n') {
        tally.push('\n');
    }
    voice::result(tally.as_bytes())?;
    let steps = match (rendered.steps, rendered.spared) {
        (steps, spared) if steps + spared < *planned => format!("stopped after {steps} of {planned} steps"),
        (1, 0) => "1 step".to_owned(),
        (steps, 0) => format!("{steps} steps"),
        (steps, _) => format!("{steps} of {planned} steps, the others were not needed"),
    };
    voice.note(&format!("{}: {steps}, {seconds:.1} s", job.output.display()));
    Ok(())
}

/// Converts a tally to the form kept in pictures.
pub(crate) fn lines(tally: &Tally) -> Vec<TallyLine> {
    let line = |entry: &crate::render::TallyEntry| TallyLine {
        prompt: entry.prompt.clone(),
        target: entry.target.clone(),
        won: entry.won,
        probability: None,
    };
    let direction = |entry: &crate::render::DirectionEntry| TallyLine {
        prompt: entry.prompt.clone(),
        target: entry.target.clone(),
        won: entry.mean.windows,
        probability: entry.mean.value(),
    };
    tally.entries.iter().map(line).chain(tally.directions.iter().map(direction)).collect()
}

/// The observer of a render: it shows every step, takes snapshots and decides whether to go on.
struct Eyes<'a> {
    args: &'a RenderArgs,
    voice: &'a Voice,
    output: &'a Path,
    /// The facts of the whole render; a snapshot has its own steps and tally.
    facts: Facts,
    display: Display,
    /// None if no states are to be kept.
    keeper: Option<Keeper<'a>>,
    /// Whether to leave the canvas to a later version of the recipe.
    carries: bool,
    kept: Option<CanvasCopy>,
    page: Page,
    writer: Writer,
    recording: Recording,
    /// The similarities of the last step.
    similarities: Vec<(String, f32)>,
    /// The number of snapshots that failed.
    unwritten: usize,
    started: Instant,
    startup: Option<Duration>,
    /// When the growing picture was last offered.
    grown: Instant,
    /// How long the render has waited for the writer.
    waited: Duration,
    /// How long the render was paused.
    held: Duration,
    unwanted: &'a mut dyn FnMut() -> bool,
    superseded: bool,
}

impl Eyes<'_> {
    /// Returns the facts of a picture of this step.
    fn facts_at(&self, progress: &Progress<'_>) -> Facts {
        let spared = progress.step - progress.done;
        Facts { steps: progress.done, steps_spared: spared, tally: lines(progress.tally), ..self.facts.clone() }
    }

    fn snapshots(&mut self, progress: &mut Progress<'_>) {
        let due = |every: std::num::NonZeroU32| progress.step.is_multiple_of(every.get().into());
        let step = self.args.every.is_some_and(due).then(|| step_path(self.output, progress.step));
        let phase = (self.args.phases && progress.ends_phase())
            .then(|| phase_path(self.output, progress.phase + 1, progress.phase_name));
        let growing = self.args.watches() && self.grown.elapsed() >= GROWTH;
        if step.is_none() && phase.is_none() && !growing {
            return;
        }
        let before = Instant::now();
        let facts = self.facts_at(progress);
        let mut picture = Some(progress.picture());
        let both = step.is_some() && phase.is_some();
        for path in step.into_iter().chain(phase) {
            let kept = if both { picture.clone() } else { picture.take() };
            if let Some(picture) = kept.or_else(|| Some(progress.picture())) {
                self.writer.write(path, picture, facts.clone());
            }
        }
        if growing {
            let picture = picture.unwrap_or_else(|| progress.picture());
            self.writer.offer(self.output.to_path_buf(), picture, facts);
            self.grown = Instant::now();
        }
        self.waited += before.elapsed();
    }

    /// Does what the pages ask for: saves the picture, shows it, or pauses. Returns when the render may go on, or must stop.
    fn hold(&mut self, progress: &mut Progress<'_>) {
        let before = Instant::now();
        loop {
            match self.page.gate() {
                Gate::Go => break,
                Gate::Show => self.page.show(progress),
                Gate::Save => {
                    let path = step_path(self.output, progress.step);
                    let facts = self.facts_at(progress);
                    let told = self.page.saved(progress.step);
                    self.writer.write_then(path, progress.picture(), facts, told);
                }
                Gate::Held => {
                    self.unwritten += complain(self.voice, self.writer.failures());
                    self.superseded = (self.unwanted)();
                    if self.superseded || interrupt::requested() {
                        break;
                    }
                }
            }
        }
        self.held += before.elapsed();
    }
}

impl Observer for Eyes<'_> {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        // `progress.seconds` counts from the start of the first step.
        let stepping = Duration::try_from_secs_f64(progress.seconds).unwrap_or_default();
        self.startup.get_or_insert_with(|| self.started.elapsed().saturating_sub(stepping));
        self.display.step(progress, self.held);
        self.similarities.clear();
        self.similarities.extend_from_slice(progress.similarities);
        self.snapshots(progress);
        let before = Instant::now();
        self.recording.step(progress);
        self.waited += before.elapsed();
        self.page.step(progress, |progress| self.display.speed(progress));
        self.hold(progress);
        self.unwritten += complain(self.voice, self.writer.failures());
        self.superseded = self.superseded || (self.unwanted)();
        let stops = self.superseded || interrupt::requested();
        if self.carries && (stops || progress.ends_run()) {
            self.kept = Some(CanvasCopy::of(progress));
        }
        match &mut self.keeper {
            Some(keeper) if stops => keeper.stop(progress),
            Some(keeper) => keeper.step(progress),
            None => {}
        }
        if stops { Control::Stop } else { Control::Continue }
    }

    fn cancelled(&mut self, progress: &mut Progress<'_>) {
        self.superseded = true;
        if self.carries {
            self.kept = Some(CanvasCopy::of(progress));
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.cancelled(progress);
        }
    }
}
