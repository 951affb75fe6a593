//! Applies the command line's overrides to a recipe as written.

use std::path::PathBuf;

use crate::given::Overrides;
use crate::keys::parse::checked_size;
use crate::plan::Schedule;
use crate::read::reader::Reader;
use crate::read::written::{ModelReference, Recipe};
use crate::sources::origin::Origin;

/// Applies the command line's overrides. Returns the models of targets that name none, with their weights; a recipe without any has
/// already been reported.
pub(crate) fn apply(
    reader: &mut Reader<'_>,
    recipe: &mut Recipe,
    overrides: &Overrides,
) -> Vec<(ModelReference, Schedule)> {
    if let Some(size) = overrides.size {
        match checked_size(size) {
            Ok(size) => {
                recipe.size = size;
                recipe.origins.insert("size".to_owned(), Origin::CommandLine);
            }
            Err(message) => reader.about_all(message),
        }
    }
    if let Some(seed) = overrides.seed {
        recipe.seed = seed;
        recipe.origins.insert("seed".to_owned(), Origin::CommandLine);
    }
    if let Some(total) = overrides.steps {
        if total == 0 {
            reader.about_all("a render has at least one step");
        }
        let steps: Vec<u32> = recipe.phases.iter().map(|phase| phase.steps).collect();
        for (phase, steps) in recipe.phases.iter_mut().zip(share_steps(&steps, total)) {
            phase.steps = steps;
            phase.origins.insert("steps".to_owned(), Origin::CommandLine);
        }
    }
    if let Some(name) = &overrides.model {
        recipe.origins.insert("model".to_owned(), Origin::CommandLine);
        let model = ModelReference { name: name.clone(), place: None, base: PathBuf::new() };
        return vec![(model, Schedule::Constant(1.0))];
    }
    if let Some(name) = &recipe.default_model {
        let model = ModelReference { name: name.clone(), place: None, base: reader.folder(0).to_path_buf() };
        return vec![(model, Schedule::Constant(1.0))];
    }
    recipe.models.iter().map(|model| (reader.reference(model), model.weight.clone())).collect()
}

/// Shares `total` steps among phases in proportion to their own steps, at least 1 each. The result adds up to exactly `total` unless
/// there are more phases than that. The steps lost by rounding down go to the largest remainders.
fn share_steps(steps: &[u32], total: u64) -> Vec<u32> {
    let phases = steps.len() as u64;
    // A phase of a plan counts its steps in u32.
    let total = total.clamp(phases, phases.max(1) * u64::from(u32::MAX)) - phases;
    let sum: u128 = steps.iter().map(|steps| u128::from(*steps)).sum::<u128>().max(1);
    // One step for each is set aside; the rest is shared.
    let exact = |steps: &u32| u128::from(*steps) * u128::from(total);
    let mut shares: Vec<u64> = steps.iter().map(|steps| (exact(steps) / sum) as u64).collect();
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(exact(&steps[*index]) % sum));
    let left = total - shares.iter().sum::<u64>();
    for index in order.into_iter().take(left as usize) {
        shares[index] += 1;
    }
    shares.into_iter().map(|share| u32::try_from(share + 1).unwrap_or(u32::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_shared_in_proportion() {
        assert_eq!(share_steps(&[150, 350], 50), [15, 35]);
        assert_eq!(share_steps(&[150, 350], 2), [1, 1]);
        assert_eq!(share_steps(&[150, 350], 1), [1, 1]);
        assert_eq!(share_steps(&[300], 7), [7]);
        assert_eq!(share_steps(&[1, 1, 1], 5).iter().sum::<u32>(), 5);
    }

    proptest! {
        #[test]
        fn shares_sum_up(steps in prop::collection::vec(1u32..10_000_000, 1..50), total in 1u64..100_000_000) {
            let shares = share_steps(&steps, total);
            prop_assert!(shares.iter().all(|share| *share >= 1));
            let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum();
            prop_assert_eq!(sum, total.max(steps.len() as u64));
        }
    }
}
