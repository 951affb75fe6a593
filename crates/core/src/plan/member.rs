//! Ensembles of models: targets that are one target in the recipe and look at the same windows with one model each.

use super::{Plan, Schedule, Target, Time};
use crate::chance::key_of;

/// A target's part in an ensemble. The other members have the same [`Target::key`] and are adjacent in the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The ensemble's name: that of the target in the recipe.
    pub of: String,
    /// The member's weight relative to the others; positive at every step.
    pub weight: Schedule,
}

impl Target {
    /// Returns the identity of its tally. Unlike [`Target::key`], it differs between the members of an ensemble.
    pub fn identity(&self) -> u64 {
        if self.member.is_some() { key_of(&self.name) } else { self.key }
    }

    /// Returns its name in the recipe, which all members of an ensemble share.
    pub fn called(&self) -> &str {
        self.member.as_ref().map_or(&self.name, |member| &member.of)
    }

    /// Whether both are members of the same ensemble.
    fn is_beside(&self, other: &Target) -> bool {
        self.member.is_some() && other.member.is_some() && self.key == other.key
    }
}

impl Plan {
    /// Returns the position of the first member of a target's ensemble, or its own if it is not in one.
    pub fn first_member(&self, target: usize) -> usize {
        let own = &self.targets[target];
        self.targets[..target].iter().position(|other| own.is_beside(other)).unwrap_or(target)
    }

    /// Returns a member's share of its ensemble's pull at a moment; the shares of all members add up to 1. Returns `None` for a target
    /// that is not in an ensemble.
    pub fn share(&self, target: usize, time: &Time) -> Option<f64> {
        let own = &self.targets[target];
        let weight = |target: &Target| target.member.as_ref().map(|member| member.weight.at(time));
        let sum: f64 = self.targets.iter().filter(|other| own.is_beside(other)).filter_map(weight).sum();
        weight(own).map(|weight| weight / sum)
    }
}
