//! The loop: phases, selection, tally.

mod balance;
mod calibration;
mod continuation;
mod error;
mod lens;
mod objectives;
mod patience;
mod progress;
mod run;
mod scene;
mod state;
mod step_views;
mod tally;
mod way;

pub use calibration::Past;
pub use continuation::{Left, canvas_fits};
pub use error::RenderError;
pub use lens::Lens;
pub use patience::{Rise, Rises};
pub use progress::{Control, Observer, Progress, Rendered, Seconds};
pub use run::{carry_on, conclude, render, resume};
pub use state::{Standing, State};
pub use step_views::{PromptSimilarity, StepViews, View};
pub(crate) use tally::distinct_prompts;
pub use tally::{DirectionEntry, Mean, Tally, TallyEntry};
