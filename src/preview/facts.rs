//! The data sent to pages, as JSON.

use serde::Serialize;

use crate::plan::{Plan, Schedule, Sight, Time};
use crate::recipe::Finding;

/// The recipe as it is on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Recipe {
    /// Its file's name.
    pub name: String,
    pub text: String,
    /// Errors and warnings about it.
    pub findings: Vec<Finding>,
}

/// The render that is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Render {
    pub title: Option<String>,
    /// The recipe's name.
    pub recipe: String,
    /// The picture's file name.
    pub output: String,
    /// The model's name; the names of all models if there are several.
    pub model: String,
    pub device: String,
    /// Width and height in pixels.
    pub size: [u32; 2],
    pub steps: u64,
    pub phases: Vec<Phase>,
    pub targets: Vec<Target>,
}

/// A phase on the timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    pub name: String,
    pub steps: u32,
}

/// A target and its prompts, in the order of [`crate::plan::Target::prompts`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    pub name: String,
    pub detail: bool,
    pub prompts: Vec<Prompt>,
}

/// A prompt of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prompt {
    pub text: String,
    pub avoided: bool,
}

/// Whether a direction has a positive weight. Its sign stays the same throughout the run.
fn followed(plan: &Plan, target: &crate::plan::Target, prompt: usize) -> bool {
    let steps = plan.steps();
    let positive = |weight: &Schedule| {
        (0..=8).any(|i| weight.at(&Time::new(i * steps.saturating_sub(1) / 8, steps, 0, steps)) > 0.0)
    };
    target.directions.iter().any(|pull| pull.prompt == prompt && positive(&pull.weight))
}

impl Render {
    /// Fills in what the plan determines; the caller sets the rest.
    pub fn of(plan: &Plan) -> Self {
        let target = |target: &crate::plan::Target| Target {
            name: target.name.clone(),
            detail: target.sight == Sight::Places,
            prompts: target
                .prompts()
                .into_iter()
                .map(|prompt| Prompt {
                    text: plan.prompts[prompt].called(),
                    avoided: !target.wanted.iter().any(|pull| pull.prompt == prompt) && !followed(plan, target, prompt),
                })
                .collect(),
        };
        Render {
            title: plan.title.clone(),
            size: [plan.size.width, plan.size.height],
            steps: plan.steps(),
            phases: plan.phases.iter().map(|phase| Phase { name: phase.name.clone(), steps: phase.steps }).collect(),
            targets: plan.targets.iter().map(target).collect(),
            ..Render::default()
        }
    }
}

/// The progress of a render.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Step {
    /// Steps done.
    pub step: u64,
    /// The phase's position, from 0.
    pub phase: usize,
    /// Steps done in this phase.
    pub phase_step: u64,
    /// Windows evaluated so far.
    pub views: u64,
    /// Windows per second over the last seconds.
    pub rate: Option<f64>,
    /// Estimated seconds until the end.
    pub left: Option<f64>,
    /// For each target, the number of places that each of its prompts won, in the order of [`Render::targets`]; avoided prompts win none.
    pub tally: Vec<Vec<u64>>,
}

/// The state of the program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// Reading the recipe and loading the model.
    #[default]
    Starting,
    Running,
    /// A page has asked for a pause; the step under way is being finished.
    Pausing,
    Paused,
    /// The picture is complete.
    Finished,
    /// The render was stopped; the picture is as it was then.
    Stopped,
    /// The recipe, or something that it needs, has an error.
    Failed,
}

impl Activity {
    /// Whether a render is running or paused.
    pub fn renders(self) -> bool {
        matches!(self, Activity::Running | Activity::Pausing | Activity::Paused)
    }
}

/// An event that is reported once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Notice {
    /// A picture is on disk, with the recipe inside.
    Saved { name: String, step: u64 },
    /// Something went wrong outside the recipe's text.
    Trouble { message: String, hint: Option<String> },
}
