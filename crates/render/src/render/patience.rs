//! When a phase ends before its steps are done: no target's similarity has risen for a while.
//!
//! Windows lie elsewhere at every step, so similarities are noisy. What is looked at is each target's running mean, which
//! forgets by a factor of e in a quarter of the phase's patience, and is divided by what it would be of ones alone (as Adam's
//! means are), so that it is right from the start. A mean has risen when it is more than `gain` above the highest that it was
//! when it last rose; the first to count is the one after a quarter of the patience. Steps at which nothing was looked at do not
//! count.

use serde::{Deserialize, Serialize};

use crate::plan;

/// What is remembered of a phase's similarities.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Rises {
    /// Steps since a similarity last rose.
    pub since: u64,
    /// One for each of the plan's targets.
    pub targets: Vec<Rise>,
}

/// Of one target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rise {
    /// The running mean's sum.
    pub sum: f64,
    /// What that sum would be of ones.
    pub ones: f64,
    /// Steps that count.
    pub steps: u64,
    /// The mean when it last rose.
    pub highest: Option<f64>,
}

impl Rises {
    /// Nothing seen yet.
    pub(super) fn of(targets: usize) -> Rises {
        Rises { since: 0, targets: vec![Rise::default(); targets] }
    }

    /// Takes a step's similarities into account, one for each target that was looked at; whether the patience is over.
    pub(super) fn step(&mut self, patience: &plan::Patience, similarities: &[Option<f32>]) -> bool {
        if similarities.iter().all(Option::is_none) {
            return false;
        }
        let quarter = (f64::from(patience.steps) / 4.0).max(1.0);
        let keep = (-1.0 / quarter).exp();
        self.since += 1;
        for (target, similarity) in self.targets.iter_mut().zip(similarities) {
            let Some(similarity) = similarity else { continue };
            target.sum = keep * target.sum + f64::from(*similarity);
            target.ones = keep * target.ones + 1.0;
            target.steps += 1;
            let mean = target.sum / target.ones;
            let risen = target.highest.is_none_or(|highest| mean > highest + patience.gain);
            if risen && target.steps as f64 >= quarter {
                target.highest = Some(mean);
                self.since = 0;
            }
        }
        self.since >= u64::from(patience.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;

    const PATIENCE: plan::Patience = plan::Patience { steps: 20, gain: 0.002 };

    /// The step after which a phase ends whose similarities are these.
    fn ends(similarity: impl Fn(u64) -> Vec<Option<f32>>) -> Option<u64> {
        let mut rises = Rises::of(similarity(0).len());
        (0..2000).find(|step| rises.step(&PATIENCE, &similarity(*step))).map(|step| step + 1)
    }

    #[test]
    fn what_rises_goes_on_and_what_stands_ends() {
        assert_eq!(ends(|step| vec![Some(0.1 + 0.001 * step as f32)]), None);
        // The fifth step is the first that counts.
        assert_eq!(ends(|_| vec![Some(0.3)]), Some(25));
        assert_eq!(ends(|step| vec![Some(0.5 - 0.001 * step as f32)]), Some(25));
        // One of two is enough.
        assert_eq!(ends(|step| vec![Some(0.3), Some(0.1 + 0.001 * step as f32)]), None);
        let until = ends(|step| vec![Some(0.3), Some(0.1 + 0.001 * step.min(200) as f32)]).unwrap();
        assert!((210..260).contains(&until), "{until}");
    }

    #[test]
    fn noise_neither_ends_a_rise_nor_keeps_a_stand_alive() {
        for seed in 0..20 {
            let noise = |step: u64| 0.02 * (Draws::new(seed).unit(step) as f32 - 0.5);
            assert_eq!(ends(|step| vec![Some(0.1 + 0.001 * step as f32 + noise(step))]), None);
            let end = ends(|step| vec![Some(0.3 + noise(step))]).unwrap();
            assert!(end < 200, "{end}");
        }
    }

    #[test]
    fn steps_without_windows_do_not_count() {
        assert_eq!(ends(|_| vec![None, None]), None);
        assert_eq!(ends(|step| vec![step.is_multiple_of(2).then_some(0.3), None]), Some(49));
    }
}
