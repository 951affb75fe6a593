//! The loop: phases, selection, tally.

mod ask;
mod error;
mod lens;
mod progress;
mod run;
mod scene;
mod tally;

pub use error::RenderError;
pub use lens::Lens;
pub use progress::{Control, Observer, Progress, Rendered, Seconds};
pub use run::render;
pub use tally::{Tally, TallyEntry};
