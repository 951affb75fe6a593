//! One render of one recipe: which picture is made, what is written and said while it grows, and how it ends.

pub mod carry;
pub mod live;
pub mod recording;
pub mod run;
pub mod timings;

mod jobs;
mod video;

pub(crate) use jobs::{Job, identity, jobs, jobs_of};
