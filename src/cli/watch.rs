//! `recipe-render RECIPE --watch`: renders, and again whenever the recipe is saved.

use std::time::Instant;

use super::compose::{Source, Workbench, overrides};
use super::job::{Job, identity, jobs};
use super::live::Live;
use super::run::{Ended, Report, Run, tell};
use super::{Exit, Failure, Outcome, RenderArgs, Voice, picture};
use crate::output::is_snapshot_of;
use crate::recipe::{Compiled, Overrides};
use crate::runtime;
use crate::watch::{Version, Watch, WatchError};

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
    loop {
        watch.follow(&edition.compiled.files).map_err(from_watch)?;
        let mut newer = None;
        let mut unwanted = || {
            let Some(version) = watch.newest().filter(|version| *version != edition.version) else { return false };
            // A mistake is shown, and the render goes on.
            match self::edition(version, desk) {
                Ok(edition) => newer = Some(edition),
                Err(failure) => {
                    voice.failure(&failure);
                    let files = [&edition.compiled.files[..], &failure.files].concat();
                    if let Err(error) = watch.follow(&files) {
                        voice.failure(&from_watch(error));
                    }
                }
            }
            newer.is_some()
        };
        let mut report = |report: &Report<'_>| tell(voice, report, false);
        let overrides = &edition.overrides;
        let run = Run { args, overrides, voice, job, live, started, unwanted: &mut unwanted, report: &mut report };
        match run.render(bench, &edition.source, &edition.compiled)? {
            Ended::Interrupted => return Ok(None),
            Ended::Done(_) => return Ok(Some(edition.version)),
            Ended::Superseded => {}
        }
        let Some(next) = newer else { return Ok(Some(edition.version)) };
        voice.note("the recipe was saved; starting again");
        edition = next;
        started = Instant::now();
    }
}

fn from_watch(error: WatchError) -> Failure {
    let wrong = matches!(error, WatchError::Unreadable { .. });
    let failure = if wrong { Failure::wrong(&error) } else { Failure::failed(&error) };
    failure.hinted(error.hint())
}
