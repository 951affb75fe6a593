//! Ends a phase early when no target's similarity has risen for a while.
//!
//! Windows move at every step, so similarities are noisy. The measure is each target's running mean, whose memory decays by a
//! factor of e in a quarter of the phase's patience. It is divided by the same running sum of ones (bias correction, as in
//! Adam), so it is right from the start. A mean has risen when it exceeds, by more than `gain`, its value at the last rise. The
//! first mean that counts is the one after a quarter of the patience. Steps without similarities do not count.

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

/// The running mean of one target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Rise {
    /// The decayed sum of similarities.
    pub sum: f64,
    /// The same sum of ones.
    pub ones: f64,
    /// The number of steps that count.
    pub steps: u64,
    /// The mean when it last rose.
    pub highest: Option<f64>,
}

impl Rises {
    /// The initial state, with nothing seen yet.
    pub(super) fn of(targets: usize) -> Rises {
        Rises { since: 0, targets: vec![Rise::default(); targets] }
    }

    /// Adds a step's similarities, one for each target that was looked at. Returns whether the patience is exhausted.
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

    /// Returns the step after which a phase with these similarities ends.
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
