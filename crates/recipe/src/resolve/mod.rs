//! Turns a recipe as written into a plan: looks up names, chains pipelines, and checks schedules over all steps.

pub(super) mod advice;
pub(super) mod chains;
pub(super) mod ensembles;
pub(super) mod over_time;
pub(super) mod overrides;
pub(super) mod plan;
pub(super) mod warnings;
