//! The work that a plan takes: steps, windows, memory.

use serde::Serialize;

use crate::canvas::Canvas;
use crate::clip::ModelFolder;
use crate::onnx::external_files;
use crate::plan::{Phase, Plan, Select, Sight, Target, Time};

/// The most steps of a phase that are examined; a longer phase is sampled at this many.
const MOST_SAMPLES: u64 = 20_000;

/// Bytes held at once per value of a window: its pixel, its gradient, and copies of both in flight.
const WINDOW_VALUE: u64 = 52;

/// The cost of a render.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Effort {
    pub steps: u64,
    /// Places looked at by compositions.
    pub wholes: u64,
    /// Places looked at by details.
    pub places: u64,
    /// Windows that the models see: one per place and pipeline.
    pub windows: u64,
    /// Windows of the step that has the most.
    pub most_windows: u64,
    pub memory: MemoryNeeded,
    /// Measured by running some steps; null without `--measure`.
    pub measured: Option<Measured>,
}

/// The measurements of some steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Measured {
    /// Estimated seconds of the whole render, without start-up.
    pub seconds: f64,
    /// Windows per second, on average.
    pub windows_per_second: f64,
    /// The peak memory in use; null where the system does not report it.
    pub peak_rss_bytes: Option<u64>,
}

/// A lower bound of the memory in bytes; the working memory of onnxruntime comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct MemoryNeeded {
    /// The canvas, and taking windows from it.
    pub canvas: u64,
    /// The windows of the largest step.
    pub windows: u64,
    /// The models' files.
    pub model: u64,
}

impl MemoryNeeded {
    pub(super) fn total(&self) -> u64 {
        self.canvas.saturating_add(self.windows).saturating_add(self.model)
    }
}

/// The places and windows of one step.
#[derive(Debug, Clone, Default)]
struct StepCount {
    wholes: u64,
    places: u64,
    windows: u64,
    /// Windows by model, as models run one after another.
    windows_of: Vec<u64>,
}

/// Counts a plan's windows and adds up its memory.
pub(super) fn estimate(plan: &Plan, models: &[ModelFolder]) -> Effort {
    let total = plan.steps();
    let mut sum = [0.0; 3];
    let mut most_windows = 0;
    let mut most_of = vec![0; models.len()];
    let mut start = 0;
    for phase in &plan.phases {
        let steps = u64::from(phase.steps);
        let samples = steps.min(MOST_SAMPLES);
        let scale = steps as f64 / samples as f64;
        for sample in 0..samples {
            let index = (u128::from(sample) * u128::from(steps) / u128::from(samples)) as u64;
            let count = at(plan, phase, &Time::new(index, steps, start, total));
            most_windows = most_windows.max(count.windows);
            for (most, windows) in most_of.iter_mut().zip(&count.windows_of) {
                *most = (*most).max(*windows);
            }
            for (sum, count) in sum.iter_mut().zip([count.wholes, count.places, count.windows]) {
                *sum += count as f64 * scale;
            }
        }
        start += steps;
    }
    let [wholes, places, windows] = sum.map(|count: f64| count.round() as u64);
    let windows_of = |(model, most): (&ModelFolder, &u64)| {
        let side = u64::from(model.description.image.size);
        most.saturating_mul(3 * side * side * WINDOW_VALUE)
    };
    let memory = MemoryNeeded {
        canvas: Canvas::memory_needed(&plan.canvas, plan.size),
        windows: models.iter().zip(&most_of).map(windows_of).max().unwrap_or(0),
        model: models.iter().map(bytes).sum(),
    };
    Effort { steps: total, wholes, places, windows, most_windows, memory, measured: None }
}

/// Counts the places and windows of one step.
fn at(plan: &Plan, phase: &Phase, time: &Time) -> StepCount {
    let models = plan.targets.iter().map(|target| target.model + 1).max().unwrap_or(0);
    let mut count = StepCount { windows_of: vec![0; models], ..StepCount::default() };
    for (target, weight) in plan.targets.iter().zip(&phase.weights) {
        let active = target.acts_at(time.step) && weight.at(time) != 0.0;
        let views = if active { views(target, time) } else { 0 };
        if views == 0 {
            continue;
        }
        let places = u64::from(target.windows);
        count.windows += places * views;
        count.windows_of[target.model] += places * views;
        match target.sight {
            Sight::Whole { .. } => count.wholes += places,
            Sight::Places => count.places += places,
        }
    }
    count
}

/// Returns the number of views of each place: one per pipeline of the acting prompts, or one where a prompt is drawn.
fn views(target: &Target, time: &Time) -> u64 {
    let acting = target.wanted.iter().filter(|pull| pull.weight.at(time) != 0.0);
    let mut pipelines: Vec<usize> = acting.map(|pull| pull.pipeline).collect();
    pipelines.sort_unstable();
    pipelines.dedup();
    if pipelines.is_empty() && target.directions.iter().any(|pull| pull.weight.at(time) != 0.0) {
        return 1;
    }
    match target.select {
        Select::Random | Select::Turns => pipelines.len().min(1) as u64,
        _ => pipelines.len() as u64,
    }
}

/// Returns the bytes of the image encoder and of its weights beside the graph, which stay in memory.
fn bytes(model: &ModelFolder) -> u64 {
    let length = |file: &str| model.bytes(file).map_or(0, |bytes| bytes.len() as u64);
    let image = &model.description.image.file;
    // Weights in files beside the graph; those of the text encoder are released.
    let beside = model.bytes(image).ok().and_then(|graph| external_files(&graph).ok()).unwrap_or_default();
    length(image) + beside.iter().map(|file| length(file)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effort(text: &str) -> Effort {
        let compiled = crate::recipe::compile("a.toml".as_ref(), text, &crate::recipe::Overrides::default()).unwrap();
        let models: Vec<ModelFolder> = compiled.models.iter().map(|_| ModelFolder::named("pocket").unwrap()).collect();
        estimate(&compiled.plan, &models)
    }

    const TWO: &str = "[[composition]]\nprompts = ['x']\nwindows = 2\n\
                       [[detail]]\nprompts = ['x', { text = 'y', stages = [{ cover = 0.5 }] }]\nwindows = 3\n";

    #[test]
    fn windows_are_counted_where_they_are_looked_at() {
        let two = effort(&format!("{TWO}[[phase]]\nsteps = 10\n[[phase]]\nsteps = 10\ndetail = 0\n"));
        assert_eq!((two.steps, two.wholes, two.places, two.windows, two.most_windows), (20, 40, 30, 40 + 60, 8));
        // The expression selects exactly the first half of the second phase.
        let half = effort(&format!("{TWO}[[phase]]\nsteps = 10\ncomposition = 0\ndetail = 't < 0.5'\n"));
        assert_eq!((half.wholes, half.places, half.windows), (0, 15, 30));
        let late = effort(&format!("{TWO}active = [15, 'end']\n[[phase]]\nsteps = 20\ncomposition = 0\n"));
        assert_eq!((late.places, late.most_windows), (15, 6));
        let none = effort(&format!("{TWO}active = [5, 6]\n[[phase]]\nsteps = 5\n"));
        assert_eq!((none.places, none.most_windows), (0, 2));
    }

    #[test]
    fn long_phases_are_sampled() {
        let long = effort(&format!("{TWO}[[phase]]\nsteps = 4000000\ndetail = 0\n"));
        assert_eq!((long.steps, long.wholes), (4_000_000, 8_000_000));
    }

    #[test]
    fn memory_grows_with_what_needs_it() {
        let side = u64::from(ModelFolder::named("pocket").unwrap().description.image.size);
        let pixels = 3 * side * side;
        let small = effort(&format!("size = [64, 64]\n{TWO}")).memory;
        let large = effort(&format!("size = [512, 512]\n{}", TWO.replace("windows = 3", "windows = 30"))).memory;
        assert!(large.canvas > 10 * small.canvas);
        assert_eq!((small.windows, large.windows), (8 * pixels * 52, 62 * pixels * 52));
        assert!(small.model > 10_000_000 && small.total() > small.model + small.canvas);
        // Models take turns, so their windows use the same memory.
        let two = effort(&format!("size = [64, 64]\n{TWO}model = 'other'\n")).memory;
        assert_eq!((two.windows, two.model), (6 * pixels * 52, 2 * small.model));
    }
}
