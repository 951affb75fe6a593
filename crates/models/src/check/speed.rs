//! The speed of a model: forward and backward, as in rendering.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::clip::{ClipError, Encoder, Features, Questions};

/// The measured speed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Windows per second, forward and backward.
    pub windows_per_second: f64,
    /// Windows at once.
    pub windows: usize,
    pub threads: usize,
    pub device: String,
}

/// The number of windows in a common step.
const WINDOWS: usize = 16;

/// The duration of the measurement, after a first run that only creates the sessions.
const LONG: Duration = Duration::from_secs(3);

pub(super) fn measure(encoder: &mut Encoder, features: &Features) -> Result<Speed, ClipError> {
    let side = encoder.side() as usize;
    let windows = vec![0.5; WINDOWS * 3 * side * side];
    let mut gradients = vec![0.0; windows.len()];
    let mut questions = Questions::new(WINDOWS, features.count());
    questions.pull.fill(1.0);
    let threads = rayon::current_num_threads();
    encoder.train(&windows, &questions, features, &mut gradients)?;
    let mut runs: Vec<f64> = Vec::new();
    let started = Instant::now();
    while runs.len() < 3 || started.elapsed() < LONG {
        let run = Instant::now();
        encoder.train(&windows, &questions, features, &mut gradients)?;
        runs.push(run.elapsed().as_secs_f64());
    }
    // The median: other programs only ever make runs slower.
    runs.sort_by(f64::total_cmp);
    let middle = runs.get(runs.len() / 2).copied().unwrap_or(f64::INFINITY);
    let windows_per_second = WINDOWS as f64 / middle;
    Ok(Speed { windows_per_second, windows: WINDOWS, threads, device: encoder.device().to_string() })
}
