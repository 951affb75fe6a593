//! `recipe-render RECIPE...`: renders one recipe after the other.

use std::time::Instant;

use super::compose::{Source, Workbench, overrides};
use super::job::{Job, jobs};
use super::run::{Ended, Run};
use super::{Exit, Failure, Outcome, RenderArgs, Voice, interrupt};
use crate::runtime;

/// Renders every recipe. One that fails is reported and does not keep the others from being rendered; the exit code is the
/// worst.
pub fn run(args: &RenderArgs, options: runtime::Options, voice: &Voice, started: Instant) -> Outcome {
    let jobs = jobs(args)?;
    interrupt::install(*voice)?;
    let mut bench = Workbench::new(args, options, voice)?;
    let mut worst = Exit::Done;
    for (index, job) in jobs.iter().enumerate() {
        // The first one's time includes what the process needed to get going.
        let started = if index == 0 { started } else { Instant::now() };
        let exit = match one(args, voice, job, &mut bench, started) {
            Ok(Ended::Done(exit)) => exit,
            Ok(Ended::Interrupted | Ended::Superseded) => return Ok(Exit::Interrupted),
            // The only one's failure is the command's.
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

fn one(args: &RenderArgs, voice: &Voice, job: &Job, bench: &mut Workbench, started: Instant) -> Result<Ended, Failure> {
    let source = Source::read(&job.recipe)?;
    let compiled = source.compile(&overrides(args), voice)?;
    Run { args, voice, job, started, unwanted: &mut || false }.render(bench, &source, &compiled)
}
