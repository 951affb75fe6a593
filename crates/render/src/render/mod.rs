//! The loop: phases, selection, tally.

mod ask;
mod balance;
mod calibration;
mod carry;
mod error;
mod lens;
mod patience;
mod progress;
mod run;
mod scene;
mod seen;
mod state;
mod tally;
mod way;

pub use calibration::Past;
pub use carry::{Left, canvas_fits};
pub use error::RenderError;
pub use lens::Lens;
pub use patience::{Rise, Rises};
pub use progress::{Control, Observer, Progress, Rendered, Seconds};
pub use run::{carry_on, conclude, render, resume};
pub use seen::{PromptSimilarity, Seen, View};
pub use state::{Standing, State};
pub(crate) use tally::distinct_prompts;
pub use tally::{DirectionEntry, Mean, Tally, TallyEntry};
