//! The loop: phases, selection, tally.

mod ask;
mod error;
mod patience;
mod progress;
mod run;
mod seen;
mod state;
mod tally;

pub use error::RenderError;
pub use patience::{Rise, Rises};
pub use progress::{Control, Observer, Progress, Rendered, Seconds};
pub use run::{conclude, render, resume};
pub use seen::{PromptSimilarity, Seen, View};
pub use state::{Standing, State};
pub(crate) use tally::distinct_prompts;
pub use tally::{Tally, TallyEntry};
