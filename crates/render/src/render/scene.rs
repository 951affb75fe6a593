//! The frames and regions on which places are drawn.

use crate::{
    plan::{self, Plan, Size, Target},
    sampling::{Frame, Region, RegionError},
};

/// The frames and regions of a run's targets.
pub(super) struct Scene {
    /// By target.
    frames: Vec<Frame>,
    /// Each region once, whichever targets use it.
    pub regions: Vec<Region>,
    /// By target: the index into `regions` of its region, if any.
    pub region_of: Vec<Option<usize>>,
}

impl Scene {
    /// Creates the scene of a plan. `frames` are its models'.
    pub fn new(plan: &Plan, frames: &[Frame]) -> Result<Self, RegionError> {
        let known = Scene::known(plan);
        let place = |target: &Target| known.iter().position(|region| Some(*region) == target.region.as_ref());
        let region_of = plan.targets.iter().map(place).collect();
        // The members of an ensemble see the same windows, each at its model's own side.
        let of = |target: usize| &frames[plan.targets[target].model];
        let frames = (0..plan.targets.len()).map(|target| of(target).beside(of(plan.first_member(target)))).collect();
        Ok(Scene { frames, regions: Scene::regions(plan, plan.size)?, region_of })
    }

    /// Returns the regions of a plan's targets on a canvas of a size, each once.
    pub fn regions(plan: &Plan, size: Size) -> Result<Vec<Region>, RegionError> {
        Scene::known(plan).into_iter().map(|region| Region::new(region, size)).collect()
    }

    fn known(plan: &Plan) -> Vec<&plan::Region> {
        let mut known = Vec::new();
        for region in plan.targets.iter().filter_map(|target| target.region.as_ref()) {
            if !known.contains(&region) {
                known.push(region);
            }
        }
        known
    }

    /// Returns the frame that a target's windows are drawn on.
    pub fn frame(&self, target: usize) -> &Frame {
        &self.frames[target]
    }

    /// Returns a target's region.
    pub fn region(&self, target: usize) -> Option<&Region> {
        self.regions.get((*self.region_of.get(target)?)?)
    }
}
