//! Measures how fast this machine runs a plan, by running some of its steps.

use std::time::{Duration, Instant};

use super::effort::{Effort, Measured};
use crate::cli::failure::Failure;
use crate::cli::job::timings::peak_rss_bytes;
use crate::plan::Plan;
use crate::render::{Control, Lens, Observer, Progress, render};

/// The number of steps to run of each phase, spread over the phase.
const STEPS: u32 = 5;
/// No further phase begins after this time; the remaining ones are assumed to be like the others.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

/// One step that was run.
#[derive(Debug, Clone, Copy)]
struct Done {
    phase: usize,
    /// The windows it took.
    windows: u64,
    seconds: f64,
}

/// An observer that times every step.
struct Watch {
    started: Instant,
    before: Instant,
    windows: u64,
    done: Vec<Done>,
}

impl Observer for Watch {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        let seconds = self.before.elapsed().as_secs_f64();
        self.done.push(Done { phase: progress.phase, windows: progress.views - self.windows, seconds });
        (self.before, self.windows) = (Instant::now(), progress.views);
        let late = progress.ends_phase() && self.started.elapsed() >= LONG_ENOUGH;
        if late { Control::Stop } else { Control::Continue }
    }
}

/// Runs a few steps of each of the plan's phases.
pub(super) fn measure(plan: &Plan, effort: &Effort, lenses: &mut [Lens<'_>]) -> Result<Measured, Failure> {
    let few: Vec<u32> = plan.phases.iter().map(|phase| phase.steps.min(STEPS)).collect();
    let mut short = plan.with_steps(&few);
    for phase in &mut short.phases {
        phase.patience = None;
    }
    let now = Instant::now();
    let mut watch = Watch { started: now, before: now, windows: 0, done: Vec::new() };
    render(&short, lenses, &mut watch).map_err(|error| Failure::failed(&error).hinted(error.hint()))?;
    let steps: Vec<u32> = plan.phases.iter().map(|phase| phase.steps).collect();
    let seconds = whole(&steps, &watch.done);
    let windows_per_second = if seconds > 0.0 { effort.windows as f64 / seconds } else { 0.0 };
    Ok(Measured { seconds, windows_per_second, peak_rss_bytes: peak_rss_bytes() })
}

/// Estimates the seconds of phases with these numbers of steps from the steps that were run.
fn whole(steps: &[u32], done: &[Done]) -> f64 {
    let means = (0..steps.len()).map(|phase| mean(done.iter().filter(|step| step.phase == phase), done));
    let means: Vec<Option<f64>> = means.collect();
    let known = mean(done.iter(), done).unwrap_or(0.0);
    steps.iter().zip(means).map(|(steps, mean)| f64::from(*steps) * mean.unwrap_or(known)).sum()
}

/// Returns the mean seconds of steps. Each counts with the median of the steps in its phase with equally many windows: the first
/// of a kind prepares things that later ones reuse.
fn mean<'a>(steps: impl Iterator<Item = &'a Done>, done: &[Done]) -> Option<f64> {
    let typical = |step: &Done| {
        let alike = done.iter().filter(|other| (other.phase, other.windows) == (step.phase, step.windows));
        let mut seconds: Vec<f64> = alike.map(|other| other.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        // The lower of two middle values: of two steps, the quicker one found everything prepared.
        seconds.get((seconds.len().saturating_sub(1)) / 2).copied().unwrap_or(step.seconds)
    };
    let seconds: Vec<f64> = steps.map(typical).collect();
    (!seconds.is_empty()).then(|| seconds.iter().sum::<f64>() / seconds.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_make_things_ready_do_not_count() {
        let step = |phase: usize, windows: u64, seconds: f64| Done { phase, windows, seconds };
        let done =
            [step(0, 4, 9.0), step(0, 4, 1.0), step(0, 4, 1.0), step(1, 8, 7.0), step(1, 8, 2.0), step(1, 0, 0.5)];
        assert_eq!(whole(&[10], &done), 10.0);
        assert_eq!(whole(&[10, 20], &done), 10.0 + 20.0 * 1.5);
        // The steps of a phase never reached count as the average step.
        assert_eq!(whole(&[10, 20, 6], &done), 40.0 + 6.0 * 7.5 / 6.0);
        assert_eq!(whole(&[10], &[]), 0.0);
    }
}
