//! One render of one recipe: where its picture goes, what is written and printed on the way, and how it ends.

pub mod carry;
pub mod live;
pub mod recording;
pub mod run;
pub mod timings;

mod jobs;
mod video;
mod written;

pub(crate) use jobs::{Job, identity, jobs, jobs_of};
