//! What pages are told, as JSON.

use serde::Serialize;

use crate::plan::{Plan, Schedule, Sight, Time};
use crate::recipe::Finding;

/// The recipe as it is on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Recipe {
    /// Its file's name.
    pub name: String,
    pub text: String,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// What is being rendered.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Render {
    pub title: Option<String>,
    /// The recipe's name.
    pub recipe: String,
    /// The picture's file name.
    pub output: String,
    /// The model's name; of several, all of them.
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

/// Whether a direction has a positive weight. Its sign is the same all through the run.
fn followed(plan: &Plan, target: &crate::plan::Target, prompt: usize) -> bool {
    let steps = plan.steps();
    let positive = |weight: &Schedule| {
        (0..=8).any(|i| weight.at(&Time::new(i * steps.saturating_sub(1) / 8, steps, 0, steps)) > 0.0)
    };
    target.directions.iter().any(|pull| pull.prompt == prompt && positive(&pull.weight))
}

impl Render {
    /// What a plan says; the rest is the caller's to fill in.
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

/// Where a render stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Step {
    /// Steps done.
    pub step: u64,
    /// The phase's position, from 0.
    pub phase: usize,
    /// Steps done of this phase.
    pub phase_step: u64,
    /// Windows looked at.
    pub views: u64,
    /// Windows a second, over the last seconds.
    pub rate: Option<f64>,
    /// Seconds to the end.
    pub left: Option<f64>,
    /// For each target the places that each of its prompts won, in the order of [`Render::targets`]; avoided ones win none.
    pub tally: Vec<Vec<u64>>,
}

/// What the program is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// Reading the recipe, taking in the model.
    #[default]
    Starting,
    Running,
    /// A page has asked for a pause; the step under way is being done.
    Pausing,
    Paused,
    /// The picture is complete.
    Finished,
    /// The render was stopped; the picture is what it was until then.
    Stopped,
    /// The recipe, or something that it needs, is wrong.
    Failed,
}

impl Activity {
    /// Whether steps are done, or could be.
    pub fn renders(self) -> bool {
        matches!(self, Activity::Running | Activity::Pausing | Activity::Paused)
    }
}

/// Something that happened, told once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Notice {
    /// A picture is on disk, with the recipe inside.
    Saved { name: String, step: u64 },
    /// Something went wrong that is not in the recipe's text.
    Trouble { message: String, hint: Option<String> },
}
