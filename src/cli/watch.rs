//! `recipe-render RECIPE --watch`: renders, and again whenever the recipe is saved.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::compose::{Source, Workbench, overrides};
use super::job::{Job, identity, jobs};
use super::live::Live;
use super::run::{Ended, Report, Run, tell};
use super::{Exit, Failure, Outcome, RenderArgs, Voice, models, picture, prompts};
use crate::output::is_snapshot_of;
use crate::plan::Plan;
use crate::recipe::{Compiled, Overrides};
use crate::runtime;
use crate::store::Memory;
use crate::watch::{Version, Watch, WatchError};

/// How soon the thread that looks at edits notices that the render is over.
const GLANCE: Duration = Duration::from_millis(20);

/// A version of the recipe that can be rendered.
struct Edition {
    version: Version,
    source: Source,
    overrides: Overrides,
    compiled: Compiled,
}

/// What stays the same from edition to edition.
#[derive(Clone, Copy)]
struct Desk<'a> {
    args: &'a RenderArgs,
    voice: &'a Voice,
    job: &'a Job,
    live: &'a Live,
}

/// Follows the recipe until it is interrupted.
pub fn run(args: &RenderArgs, options: runtime::Options, voice: &Voice, started: Instant) -> Outcome {
    let [job] = &jobs(args)?[..] else { return Err(Failure::wrong("--watch follows one recipe")) };
    if picture::is_picture(&job.recipe) {
        let shown = job.recipe.display();
        return Err(Failure::wrong(format!("--watch follows a recipe while it is edited; {shown} is a picture"))
            .hint(format!("make its recipe a file first: recipe-render recover {shown} > NAME.toml")));
    }
    let live = Live::start(args, job, voice)?;
    let desk = Desk { args, voice, job, live: &live };
    let mut bench = Workbench::new(args.threads, args.device, options, voice)?;
    let output = identity(&job.output);
    let own = move |path: &std::path::Path| {
        let path = identity(path);
        path == output || is_snapshot_of(&output, &path)
    };
    let (mut watch, mut version) = Watch::new(&job.recipe, own).map_err(from_watch)?;
    let mut started = started;
    let mut shown = None;
    loop {
        match edition(version, desk) {
            Ok(edition) => match follow(edition, &mut watch, desk, &mut bench, started) {
                Ok(None) => return Ok(Exit::Interrupted),
                Ok(Some(version)) => shown = Some(version),
                Err(failure) => {
                    live.failed(&failure);
                    voice.failure(&failure);
                }
            },
            Err(failure) => {
                voice.failure(&failure);
                // What is missing or wrong in it may come right.
                if !failure.files.is_empty() {
                    watch.follow(&failure.files).map_err(from_watch)?;
                }
            }
        }
        voice.note(&format!("watching {}; Ctrl-C ends it", job.name()));
        version = loop {
            let version = watch.next().ok_or_else(|| Failure::failed(format!("{}: lost from sight", job.name())))?;
            // After a detour over a mistake back to what the picture shows.
            if Some(&version) != shown.as_ref() {
                break version;
            }
            voice.note("the recipe is again the one of the picture");
        };
        started = Instant::now();
    }
}

/// What is wrong with a version is also shown on the live page.
fn edition(version: Version, desk: Desk<'_>) -> Result<Edition, Failure> {
    let Desk { args, voice, job, live } = desk;
    let text = String::from_utf8_lossy(&version.recipe).into_owned();
    let compiled = || {
        let source = Source::from_bytes(&job.recipe, version.recipe.clone())?;
        let overrides = overrides(&args.instead, &source)?;
        let compiled = source.compile(&overrides, voice)?;
        live.recipe(&source, &compiled.warnings);
        Ok((source, overrides, compiled))
    };
    let (source, overrides, compiled) = compiled().inspect_err(|failure| live.wrong(job, text, failure))?;
    Ok(Edition { version, source, overrides, compiled })
}

/// Renders an edition, and those that come while it is being rendered. Returns the version that the picture then shows, or
/// none after an interrupt.
fn follow(
    mut edition: Edition,
    watch: &mut Watch,
    desk: Desk<'_>,
    bench: &mut Workbench,
    mut started: Instant,
) -> Result<Option<Version>, Failure> {
    let Desk { args, voice, job, live } = desk;
    let mut memory: Vec<Memory> = Vec::new();
    loop {
        let files = needed(&edition);
        watch.follow(&files).map_err(from_watch)?;
        let cancel = bench.cancel().clone();
        cancel.reset();
        let newer: Mutex<Option<Edition>> = Mutex::new(None);
        let over = AtomicBool::new(false);
        // Edits are looked at while the render runs: a good one stops it between two batches of windows.
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let Some(version) = watch.next_within(GLANCE).filter(|version| *version != edition.version) else {
                        continue;
                    };
                    match self::edition(version, desk) {
                        Ok(next) => {
                            // What changes no step to come need not interrupt the one that is being taken.
                            let same = next.compiled.plan == edition.compiled.plan;
                            *newer.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
                            if !same {
                                cancel.cancel();
                            }
                        }
                        // A mistake is shown, and the render goes on.
                        Err(failure) => {
                            voice.failure(&failure);
                            if let Err(error) = watch.follow(&[&files[..], &failure.files].concat()) {
                                voice.failure(&from_watch(error));
                            }
                        }
                    }
                }
            });
            let mut unwanted = || newer.lock().unwrap_or_else(PoisonError::into_inner).is_some();
            let (overrides, memory) = (&edition.overrides, &memory[..]);
            let mut report = |report: &Report<'_>| tell(voice, report, false);
            let (unwanted, report) = (&mut unwanted, &mut report);
            let run = Run { args, overrides, voice, job, live, started, memory, unwanted, report };
            let ended = run.render(bench, &edition.source, &edition.compiled);
            over.store(true, Ordering::SeqCst);
            ended
        });
        // However it ended, a better recipe is there.
        let Some(next) = newer.into_inner().unwrap_or_else(PoisonError::into_inner) else {
            return match ended? {
                Ended::Interrupted => Ok(None),
                Ended::Done(_) | Ended::Superseded(_) => Ok(Some(edition.version)),
            };
        };
        match ended {
            Ok(Ended::Interrupted) => return Ok(None),
            Ok(Ended::Superseded(state)) => memory.extend(state),
            Ok(Ended::Done(_)) => {}
            Err(failure) => voice.failure(&failure),
        }
        // The last two: an edit that is taken back finds its state.
        memory.drain(..memory.len().saturating_sub(2));
        tell_edit(desk, &edition, &next);
        edition = next;
        started = Instant::now();
    }
}

/// The files that an edition depends on besides its recipe.
fn needed(edition: &Edition) -> Vec<PathBuf> {
    // A model that is not there is told when it is to be used.
    let folders = prompts::models(&edition.source, &edition.compiled).unwrap_or_default();
    edition.compiled.files.iter().cloned().chain(folders.iter().flat_map(models::files)).collect()
}

/// Says when and what was edited.
fn tell_edit(desk: Desk<'_>, before: &Edition, after: &Edition) {
    let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    let what = changed(&before.compiled.plan, &after.compiled.plan);
    desk.voice.note(&format!("edit at {time}: {what}"));
}

/// What differs between two plans, in a few words.
fn changed(before: &Plan, after: &Plan) -> String {
    let mut what: Vec<String> = Vec::new();
    let mut note = |differs: bool, name: &str| {
        if differs {
            what.push(name.to_owned());
        }
    };
    note(before.title != after.title, "title");
    note(before.size != after.size, "size");
    note(before.seed != after.seed, "seed");
    note(before.canvas != after.canvas, "canvas");
    for target in &after.targets {
        let known = before.targets.iter().find(|known| known.name == target.name);
        note(known != Some(target), &format!("`{}`", target.name));
    }
    for target in before.targets.iter().filter(|old| after.targets.iter().all(|new| new.name != old.name)) {
        note(true, &format!("`{}` (gone)", target.name));
    }
    for (index, phase) in after.phases.iter().enumerate() {
        note(before.phases.get(index) != Some(phase), &format!("phase `{}`", phase.name));
    }
    note(before.phases.len() > after.phases.len(), "the number of phases");
    note(before.prompts != after.prompts && before.targets == after.targets, "prompts");
    if what.is_empty() && before == after {
        return "nothing that is seen".into();
    }
    let shown = if what.len() > 4 { [&what[..3], &["more".to_owned()]].concat() } else { what };
    format!("{} changed", shown.join(", "))
}

fn from_watch(error: WatchError) -> Failure {
    let wrong = matches!(error, WatchError::Unreadable { .. });
    let failure = if wrong { Failure::wrong(&error) } else { Failure::failed(&error) };
    failure.hinted(error.hint())
}
