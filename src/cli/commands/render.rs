//! `recipe-render RECIPE...`: renders one recipe after the other.

use std::time::Instant;

use crate::cli::args::RenderArgs;
use crate::cli::args::command_like;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::job::live::Live;
use crate::cli::job::run::{Ended, Report, Run, tell};
use crate::cli::job::{Job, jobs};
use crate::cli::source::picture;
use crate::cli::source::{Source, overrides};
use crate::cli::terminal::Voice;
use crate::runtime;

/// Renders every recipe. If one cannot even be read, nothing is rendered. A later failure is reported and does not keep the other
/// recipes from being rendered; the exit code is the worst.
pub fn run(args: &RenderArgs, options: runtime::Options, voice: &Voice, started: Instant) -> Outcome {
    let jobs = jobs(args)?;
    let mut sources = Vec::new();
    let mut worst = Exit::Done;
    for job in &jobs {
        match read(job) {
            Ok(source) => sources.push(source),
            // The failure of the only recipe is the command's failure.
            Err(failure) if jobs.len() == 1 => return Err(failure),
            Err(failure) => {
                voice.failure(&failure);
                worst = worst.max(failure.exit);
            }
        }
    }
    if worst != Exit::Done {
        return Ok(worst);
    }
    let live = Live::start(args, &jobs[0].recipe, voice)?;
    let mut bench = Workbench::new(args.compute.threads, args.compute.device, options, voice)?;
    for (index, (job, source)) in jobs.iter().zip(&sources).enumerate() {
        // The time of the first render includes the start of the process.
        let started = if index == 0 { started } else { Instant::now() };
        let ended =
            one(args, voice, job, &live, source, &mut bench, started).inspect_err(|failure| live.failed(failure));
        let exit = match ended {
            Ok(Ended::Done(exit)) => exit,
            Ok(Ended::Interrupted | Ended::Superseded(_)) => return Ok(Exit::Interrupted),
            Err(failure) if jobs.len() == 1 => return Err(failure),
            Err(failure) => {
                voice.failure(&failure);
                failure.exit
            }
        };
        worst = worst.max(exit);
    }
    Ok(worst)
}

/// Reads a job's recipe. If the file does not exist and its name resembles a command, the hint names the command.
fn read(job: &Job) -> Result<Source, Failure> {
    Source::read(&job.recipe).map_err(|failure| {
        let word = job.recipe.to_str().filter(|_| !job.recipe.exists());
        match word.and_then(command_like) {
            Some(command) => failure.hint(format!("did you mean the command `{command}`?")),
            None => failure,
        }
    })
}

fn one(
    args: &RenderArgs,
    voice: &Voice,
    job: &Job,
    live: &Live,
    source: &Source,
    bench: &mut Workbench,
    started: Instant,
) -> Result<Ended, Failure> {
    let overrides = overrides(&args.instead, source)?;
    let compiled = source.compile(&overrides, voice)?;
    live.recipe(source, &compiled.warnings);
    for remark in source.facts.iter().flat_map(|facts| picture::remarks(facts)) {
        voice.note(&format!("note: {}: {remark}", job.name()));
    }
    if args.instead.draft {
        let plan = &compiled.plan;
        voice.note(&format!("draft: {}x{}, {} steps", plan.size.width, plan.size.height, plan.steps()));
    }
    let several = args.recipes.len() > 1;
    let mut report = |report: &Report<'_>| tell(voice, report, several);
    let (overrides, unwanted) = (&overrides, &mut || false);
    Run {
        args,
        overrides,
        voice,
        job,
        live,
        several,
        edited: false,
        started,
        memory: &[],
        carry: None,
        unwanted,
        report: &mut report,
    }
    .render(bench, source, &compiled)
}
