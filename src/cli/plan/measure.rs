//! How fast this machine does a plan's steps: found out by doing some of them.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::effort::Effort;
use crate::cli::Failure;
use crate::cli::timings::peak_rss_bytes;
use crate::clip::{Encoder, Features};
use crate::plan::Plan;
use crate::render::{Control, Observer, Progress, render};

/// How long steps are done for, the first one, which makes things ready, not counted.
const LONG_ENOUGH: Duration = Duration::from_secs(3);

/// What was found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Measured {
    /// Windows looked at a second.
    pub windows_per_second: f64,
    /// The whole render's seconds at this pace, start-up not counted.
    pub seconds: f64,
    /// The most memory that was in use; null where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
}

impl Measured {
    pub(super) fn of(effort: &Effort, pace: f64) -> Self {
        let seconds = if pace > 0.0 { effort.windows as f64 / pace } else { 0.0 };
        Measured { windows_per_second: pace, seconds, peak_rss_bytes: peak_rss_bytes() }
    }
}

/// Looks at the clock at every step.
#[derive(Default)]
struct Watch {
    /// When the first step was done, and the windows it looked at.
    warm: Option<(Instant, u64)>,
    /// Windows a second.
    pace: f64,
}

impl Observer for Watch {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        let Some((since, before)) = self.warm else {
            // Of a render of a single step this is all there is.
            self.pace = progress.views as f64 / progress.seconds.max(1e-9);
            self.warm = Some((Instant::now(), progress.views));
            return Control::Continue;
        };
        let spent = since.elapsed();
        self.pace = (progress.views - before) as f64 / spent.as_secs_f64().max(1e-9);
        if spent >= LONG_ENOUGH { Control::Stop } else { Control::Continue }
    }
}

/// Windows a second in the plan's first steps.
pub(super) fn pace(plan: &Plan, features: &Features, encoder: &mut Encoder) -> Result<f64, Failure> {
    let mut watch = Watch::default();
    render(plan, features, encoder, &mut watch).map_err(|error| Failure::failed(&error).hinted(error.hint()))?;
    Ok(watch.pace)
}
