//! `recipe-render watch RECIPE|FOLDER...`, or `RECIPE... --watch`: renders recipes, each again whenever it is saved.
//!
//! ```text
//! Watch ─news─▶ reader: compiles what is saved ─▶ Desk ─▶ this thread: renders, one recipe after the other
//!                                                  └─ interrupts the render that is under way
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `desk` | the queue of renders |
//! | `edition` | one saved version of a recipe, and the files it needs |
//! | `edit` | the description of an edit in a few words |
//! | `reader` | the thread that reads and compiles saved versions |

mod desk;
mod edit;
mod edition;
mod reader;

use std::path::PathBuf;
use std::time::Instant;

use crate::cli::args::RenderArgs;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::job::carry::Carry;
use crate::cli::job::live::Live;
use crate::cli::job::run::{Ended, Report, Run, tell};
use crate::cli::job::{identity, jobs_of};
use crate::cli::source::picture;
use crate::cli::terminal::Voice;
use crate::cli::terminal::progress::Rest;
use crate::runtime;
use crate::watch::{Means, Watch};
use desk::{Desk, Next, Turn};
use reader::Reader;

/// Follows recipes until interrupted.
pub fn run(args: &RenderArgs, options: runtime::Options, voice: &Voice, started: Instant) -> Outcome {
    for path in &args.recipes {
        if picture::is_picture(path) {
            let shown = path.display();
            return Err(Failure::wrong(format!("--watch follows a recipe while it is edited; {shown} is a picture"))
                .hint(format!("make its recipe a file first: recipe-render recover {shown} > NAME.toml")));
        }
    }
    let (folders, named): (Vec<PathBuf>, Vec<PathBuf>) = args.recipes.iter().cloned().partition(|path| path.is_dir());
    let several = args.recipes.len() > 1 || !folders.is_empty();
    let mut watch = Watch::new(means(args))?;
    let mut versions = Vec::new();
    for recipe in &named {
        versions.push((recipe.clone(), watch.recipe(recipe)?, false));
    }
    for folder in &folders {
        let found = watch.folder(folder)?;
        let known = |recipe: &PathBuf, among: &[(PathBuf, _, bool)]| {
            among.iter().any(|(other, ..)| identity(other) == identity(recipe))
        };
        for (recipe, version) in found {
            if !known(&recipe, &versions) {
                versions.push((recipe, version, true));
            }
        }
    }
    let recipes: Vec<PathBuf> = versions.iter().map(|(recipe, ..)| recipe.clone()).collect();
    let jobs = jobs_of(args, &recipes, several)?;
    let first = args.recipes.first().ok_or_else(|| Failure::wrong("nothing to watch"))?;
    let live = Live::start(args, first, voice)?;
    let mut bench = Workbench::new(args.compute.threads, args.compute.device, options, voice)?;
    bench.keep_text_encoders();
    let desk = Desk::new(voice, &live, bench.cancel().clone(), several);
    let ender = watch.ender();
    let mut reader = Reader { args, voice, live: &live, desk: &desk, watch };
    for (job, (_, version, found)) in jobs.into_iter().zip(versions) {
        reader.begin(job, version, found)?;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| reader.run());
        let ended = render(args, voice, &live, &desk, &mut bench, started);
        ender.end();
        ended
    })
}

/// Returns how to detect changes.
fn means(args: &RenderArgs) -> Means {
    args.watch_poll.map_or(Means::Events, Means::Poll)
}

/// Renders what is on the desk until interrupted.
fn render(
    args: &RenderArgs,
    voice: &Voice,
    live: &Live,
    desk: &Desk<'_>,
    bench: &mut Workbench,
    mut started: Instant,
) -> Outcome {
    let mut rest = None;
    let mut seen = None;
    loop {
        let turn = match desk.next(&mut seen) {
            Next::Render(turn) => *turn,
            Next::Rest(what) => {
                // The new line replaces the old one.
                drop(rest.take());
                rest = Some(Rest::new(voice, &what));
                continue;
            }
            Next::End => return Err(Failure::failed("the recipes can no longer be watched")),
        };
        if rest.take().is_some() {
            started = Instant::now();
        }
        let mut turn = turn;
        let mut left = None;
        let Turn { job, edition, edited, memory, carry } = &turn;
        let carry = args.continues().then_some(Carry { before: carry.as_ref(), left: &mut left });
        live.recipe(&edition.source, &edition.compiled.warnings);
        let mut report = |report: &Report<'_>| tell(voice, report, desk.several);
        let (overrides, memory) = (&edition.overrides, &memory[..]);
        let (unwanted, report) = (&mut || desk.is_unwanted(), &mut report);
        let run = Run {
            args,
            overrides,
            voice,
            job,
            live,
            started,
            several: desk.several,
            edited: *edited,
            memory,
            carry,
            unwanted,
            report,
        };
        let ended = run.render(bench, &edition.source, &edition.compiled);
        turn.carry = left.or(turn.carry);
        match ended {
            Ok(Ended::Interrupted) => return Ok(Exit::Interrupted),
            Ok(Ended::Done(_)) => desk.done(turn),
            Ok(Ended::Superseded(state)) => desk.put_aside(turn, state),
            Err(failure) => {
                live.failed(&failure);
                voice.failure(&failure);
                desk.failed(turn);
            }
        }
        started = Instant::now();
    }
}
