//! Checks of a model: its texts against known values, its gradient against differences, its two encoders with plain colours,
//! and its speed.

mod colours;
mod gradient;
mod references;
mod speed;

use std::sync::Arc;

use serde::Serialize;

pub use colours::Colours;
pub use gradient::Gradient;
pub use references::References;
pub use speed::Speed;

use super::{Examined, examine};
use crate::clip::{ClipError, Encoder, Features, Labels, ModelFolder, Words};
use crate::runtime::{Device, Runtime};

/// Everything found out about a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    pub model: String,
    /// The window's side in pixels.
    pub size: u32,
    /// The embeddings' length.
    pub width: usize,
    pub references: References,
    /// The result with plain colours; `None` for a classifier, whose labels need not include colours.
    pub colours: Option<Colours>,
    /// The number of a classifier's labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<usize>,
    pub gradient: Gradient,
    pub speed: Speed,
}

impl Findings {
    /// Returns what is wrong, one sentence each; empty if the model is ready.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.references.wrong.is_empty() {
            faults.push("its texts do not give the known values: is the tokenizer the right one?".to_owned());
        }
        if !self.gradient.right() {
            faults.push("its gradient is wrong: pictures rendered with it would not get what is asked for".to_owned());
        }
        faults
    }

    /// Returns what is odd without being wrong.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.colours.is_some_and(|colours| colours.named * 2 < colours.asked) {
            doubts.push(
                "it does not tell plain colours apart: do both encoders belong to the same model, and are mean and \
                 deviation right? (Models with random weights know nothing.)"
                    .to_owned(),
            );
        }
        doubts
    }
}

/// The number of labels used to measure speed.
const LABELS: usize = 6;

/// Checks a model. `say` is called with what is done next.
pub fn check(
    model: &ModelFolder,
    runtime: &Arc<Runtime>,
    device: Device,
    say: &mut dyn FnMut(&str),
) -> Result<Findings, ClipError> {
    say("loading both encoders");
    let Examined { width, .. } = examine(model, runtime)?;
    say("comparing texts");
    let references = references::check(model, runtime)?;
    say("comparing the gradient with differences");
    let gradient = gradient::check(model, runtime)?;
    let words = Words::open(model)?;
    let features = match &words {
        Words::Labels(labels) => some_of(labels)?,
        Words::Tokens(_) => colours::features(model, runtime)?,
    };
    let mut encoder = Encoder::open(runtime.clone(), model.clone(), String::new(), device)?;
    let (colours, labels) = match words {
        Words::Labels(labels) => (None, Some(labels.count())),
        Words::Tokens(_) => {
            say("looking at plain colours");
            (Some(colours::check(&mut encoder, &features)?), None)
        }
    };
    say("measuring");
    let speed = speed::measure(&mut encoder, &features)?;
    let description = &model.description;
    Ok(Findings {
        model: description.name.clone(),
        size: description.image.size,
        width,
        references,
        colours,
        labels,
        gradient,
        speed,
    })
}

/// Returns the features of a few labels, as a recipe might use.
fn some_of(labels: &Labels) -> Result<Features, ClipError> {
    let names = labels.classes().iter().filter_map(|names| names.first()).take(LABELS);
    let rows = names.map(|name| labels.feature(name)).collect::<Result<Vec<_>, ClipError>>()?;
    Features::new(&rows).ok_or_else(|| ClipError::Encoder {
        model: String::new(),
        message: "there are no labels".to_owned(),
        hint: None,
    })
}
