//! Decides which examples are held out, and which cross-validation fold each of the others is in.

use std::collections::BTreeMap;

use super::Examples;
use crate::chance::Draws;

/// One of this many groups is held out.
pub(super) const HELD_OUT: usize = 5;
/// The number of cross-validation folds.
pub(super) const FOLDS: usize = 5;

/// The side that an example is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// Used by neither fit nor cross-validation.
    HeldOut,
    /// In a fold, 0 to [`FOLDS`] - 1.
    Fold(usize),
}

/// Divides examples. Groups with examples of the same classes are distributed evenly, in an order that depends only on the
/// groups' numbers. So each side gets its share of each class, and the order of examples does not matter.
pub(super) fn split(examples: &Examples) -> Vec<Side> {
    let mut groups: BTreeMap<u64, Vec<Option<usize>>> = BTreeMap::new();
    for (class, group) in examples.class.iter().zip(&examples.group) {
        groups.entry(*group).or_default().push(*class);
    }
    let mut kinds: BTreeMap<Vec<Option<usize>>, Vec<u64>> = BTreeMap::new();
    for (group, mut classes) in groups {
        classes.sort();
        // Only which classes occur matters, not how often.
        classes.dedup();
        kinds.entry(classes).or_default().push(group);
    }
    let mut sides = BTreeMap::new();
    for mut groups in kinds.into_values() {
        groups.sort_by_key(|group| (Draws::new(0).bits(*group), *group));
        // Rounded, and at least one: two of eight.
        let out = ((groups.len() * 2 + HELD_OUT) / (2 * HELD_OUT)).max(1);
        for (position, group) in groups.into_iter().enumerate() {
            let side = if position < out { Side::HeldOut } else { Side::Fold((position - out) % FOLDS) };
            sides.insert(group, side);
        }
    }
    examples.group.iter().map(|group| sides[group]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(of: impl IntoIterator<Item = (Option<usize>, u64)>) -> Examples {
        let mut examples = Examples::new(vec!["a".into(), "b".into()]);
        of.into_iter().for_each(|(class, group)| examples.add(vec![1.0], class, group));
        examples
    }

    #[test]
    fn every_side_has_its_share_of_each_class() {
        let examples =
            examples((0..100).map(|i| (Some(0), i)).chain((100..150).map(|i| (Some(1), i))).chain([(None, 500)]));
        let sides = split(&examples);
        let count = |class: Option<usize>, side: Side| {
            sides.iter().zip(&examples.class).filter(|(own, of)| **own == side && **of == class).count()
        };
        assert_eq!((count(Some(0), Side::HeldOut), count(Some(1), Side::HeldOut)), (20, 10));
        for fold in 0..FOLDS {
            assert_eq!((count(Some(0), Side::Fold(fold)), count(Some(1), Side::Fold(fold))), (16, 8));
        }
    }

    #[test]
    fn groups_stay_together_and_order_does_not_matter() {
        let pairs: Vec<(Option<usize>, u64)> = (0..40).flat_map(|i| [(Some(0), i * 7), (None, i * 7)]).collect();
        let sides = split(&examples(pairs.clone()));
        assert!(sides.chunks_exact(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(sides.iter().filter(|side| **side == Side::HeldOut).count(), 16);
        let mut backwards = split(&examples(pairs.into_iter().rev()));
        backwards.reverse();
        assert_eq!(sides, backwards);
    }
}
