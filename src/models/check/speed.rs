//! How fast a model is: forward and backward, as in rendering.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::clip::{self, ClipError, Encoder, Features, ModelFolder, Questions};
use crate::runtime::{Device, Runtime};

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// Windows a second, forward and backward.
    pub windows_per_second: f64,
    /// Windows at once.
    pub windows: usize,
    pub threads: usize,
    pub device: String,
}

/// Windows of a common step.
const WINDOWS: usize = 16;

/// How long is measured, after a first run that only makes the sessions.
const LONG: Duration = Duration::from_secs(3);

pub(super) fn measure(model: &ModelFolder, runtime: &Arc<Runtime>, device: Device) -> Result<Speed, ClipError> {
    let rows = clip::features(runtime, model, "", &["a picture".to_owned()], None)?;
    let mut encoder = Encoder::open(runtime.clone(), model.clone(), String::new(), device)?;
    let side = encoder.side() as usize;
    let windows = vec![0.5; WINDOWS * 3 * side * side];
    let mut gradients = vec![0.0; windows.len()];
    let mut questions = Questions::new(WINDOWS, 1);
    questions.pull.fill(1.0);
    let threads = rayon::current_num_threads();
    let mut speed = Speed { windows_per_second: 0.0, windows: WINDOWS, threads, device: device.to_string() };
    let Some(features) = Features::new(&rows) else { return Ok(speed) };
    encoder.train(&windows, &questions, &features, &mut gradients)?;
    let mut runs: Vec<f64> = Vec::new();
    let started = Instant::now();
    while runs.len() < 3 || started.elapsed() < LONG {
        let run = Instant::now();
        encoder.train(&windows, &questions, &features, &mut gradients)?;
        runs.push(run.elapsed().as_secs_f64());
    }
    // The middle one: other programs only ever make runs slower.
    runs.sort_by(f64::total_cmp);
    speed.windows_per_second = WINDOWS as f64 / runs.get(runs.len() / 2).copied().unwrap_or(f64::INFINITY);
    Ok(speed)
}
