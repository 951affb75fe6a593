//! What places are drawn on.

use crate::{
    look::{Frame, Region, RegionError},
    plan::Plan,
};

/// The frames of a run's models and the regions of its targets.
pub(super) struct Scene {
    /// By model.
    pub frames: Vec<Frame>,
    /// Each once, whoever has it.
    pub regions: Vec<Region>,
    /// By target: which of `regions` it keeps to.
    pub region_of: Vec<Option<usize>>,
}

impl Scene {
    pub fn new(plan: &Plan, frames: Vec<Frame>) -> Result<Self, RegionError> {
        let mut known = Vec::new();
        let mut regions = Vec::new();
        let mut region_of = Vec::new();
        for target in &plan.targets {
            let Some(region) = &target.region else {
                region_of.push(None);
                continue;
            };
            if !known.contains(&region) {
                known.push(region);
                regions.push(Region::new(region, plan.size)?);
            }
            region_of.push(known.iter().position(|other| *other == region));
        }
        Ok(Scene { frames, regions, region_of })
    }

    /// A target's region.
    pub fn region(&self, target: usize) -> Option<&Region> {
        self.regions.get((*self.region_of.get(target)?)?)
    }
}
