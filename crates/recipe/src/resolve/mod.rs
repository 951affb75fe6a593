//! From a recipe as written to a plan: names looked up, pipelines chained, schedules looked at over all steps.

pub(super) mod chains;
pub(super) mod ensembles;
pub(super) mod over_time;
pub(super) mod plan;
pub(super) mod warnings;
