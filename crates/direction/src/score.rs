//! How good a direction is on held-out examples.

use serde::{Deserialize, Serialize};

/// The quantile of the standard normal distribution for the central 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Held-out scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Examples of the class, and how many of them get a probability above 1/2.
    pub positives: Count,
    /// Examples that are not of the class, and how many of them get one below.
    pub negatives: Count,
    /// The share of all examples that are classified correctly, with Wilson's interval.
    pub accuracy: Interval,
    /// The area under the receiver operating characteristic: the chance that an example of the class has a greater probability
    /// than one that is not of the class. See [`area_interval`] for the interval.
    pub area: Interval,
}

/// A number out of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub right: u64,
    pub of: u64,
}

/// An estimate and the ends of its 95 % confidence interval, all 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Scores {
    /// Computes the scores from the log-odds of examples of the class and of others; `None` if either is empty.
    pub(super) fn of(positives: &[f64], negatives: &[f64]) -> Option<Scores> {
        if positives.is_empty() || negatives.is_empty() {
            return None;
        }
        let count = |values: &[f64], right: fn(&f64) -> bool| Count {
            right: values.iter().filter(|z| right(z)).count() as u64,
            of: values.len() as u64,
        };
        let (own, other) = (count(positives, |z| *z > 0.0), count(negatives, |z| *z < 0.0));
        let (right, of) = (own.right + other.right, own.of + other.of);
        let area = area(positives, negatives);
        let (low, high) = area_interval(area, positives.len(), negatives.len());
        Some(Scores {
            positives: own,
            negatives: other,
            accuracy: wilson(right, of),
            area: Interval { value: area, low, high },
        })
    }
}

/// Returns a proportion with Wilson's score interval (Journal of the American Statistical Association 22, 1927), which is also
/// meaningful if all or none are right.
fn wilson(right: u64, of: u64) -> Interval {
    let n = of as f64;
    let p = right as f64 / n;
    let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Interval { value: p, low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

/// Returns the area under the receiver operating characteristic: Mann and Whitney's U over its greatest value, ties counting
/// half.
fn area(positives: &[f64], negatives: &[f64]) -> f64 {
    let mut sorted = negatives.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = |z: f64| sorted.partition_point(|other| *other < z) + sorted.partition_point(|other| *other <= z);
    let sum: usize = positives.iter().map(|z| below(*z)).sum();
    sum as f64 / (2.0 * positives.len() as f64 * negatives.len() as f64)
}

/// Returns the range of areas A for which chance explains the measured area, |found - A| <= z sqrt(V(A)), where
///
/// ```text
/// V(A) = A (1 - A) / (m n) * (1 + k (1 - A) / (2 - A) + k A / (1 + A)),    k = (m + n) / 2 - 1
/// ```
///
/// for m and n examples: Hanley and McNeil's variance (Radiology 143, 1982) made symmetric; method 5 of Newcombe, "Confidence
/// intervals for an effect size measure based on the Mann-Whitney statistic. Part 2" (Statistics in Medicine 25, 2006). Unlike
/// methods that use the variance at the measured area, it is also meaningful at an area of 1.
fn area_interval(found: f64, m: usize, n: usize) -> (f64, f64) {
    let (m, n) = (m as f64, n as f64);
    let k = (m + n) / 2.0 - 1.0;
    let variance = |a: f64| a * (1.0 - a) / (m * n) * (1.0 + k * (1.0 - a) / (2.0 - a) + k * a / (1.0 + a));
    let explained = |a: f64| (found - a).abs() <= Z * variance(a).sqrt();
    // Bisect for where chance stops explaining it, between the measured area and an end.
    let end = |end: f64| {
        let (mut inside, mut outside) = (found, end);
        for _ in 0..60 {
            let middle = (inside + outside) / 2.0;
            if explained(middle) { inside = middle } else { outside = middle }
        }
        inside
    };
    (end(0.0), end(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-5
    }

    /// Newcombe's examples for Wilson's interval (Statistics in Medicine 17, 1998, table I, method 3).
    #[test]
    fn proportions_have_wilson_s_interval() {
        for (right, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let interval = wilson(right, of);
            assert!(close(interval.low, low) && close(interval.high, high), "{interval:?}");
        }
    }

    #[test]
    fn the_area_counts_pairs_in_order() {
        assert_eq!(area(&[2.0, 3.0], &[0.0, 1.0]), 1.0);
        assert_eq!(area(&[0.0, 1.0], &[2.0, 3.0]), 0.0);
        assert_eq!(area(&[1.0, 2.0], &[1.0, 0.0, 3.0]), (1.5 + 2.0) / 6.0);
    }

    /// 95 of 100 intervals contain the true value, as far as 1000 trials can show.
    #[test]
    fn the_area_s_interval_covers_what_it_should() {
        // Normal values a distance d apart have an area of Phi(d / sqrt 2).
        for (distance, truth) in [(0.0, 0.5), (1.812_387, 0.9), (3.289_95, 0.99)] {
            let (m, n) = (20, 30);
            let inside = (0..1000).filter(|trial| {
                let draws = Draws::new(*trial);
                let normal = |i: usize| draws.normal_pair(i as u64)[0];
                let positives: Vec<f64> = (0..m).map(|i| normal(i) + distance).collect();
                let negatives: Vec<f64> = (m..m + n).map(normal).collect();
                let (low, high) = area_interval(area(&positives, &negatives), m, n);
                (low..=high).contains(&truth)
            });
            let inside = inside.count();
            assert!((925..=985).contains(&inside), "area {truth}: {inside} of 1000");
        }
    }

    #[test]
    fn a_perfect_score_is_not_certain() {
        let scores = Scores::of(&[1.0, 2.0, 3.0], &[-1.0, -2.0]).unwrap();
        assert_eq!((scores.accuracy.value, scores.area.value), (1.0, 1.0));
        assert_eq!((scores.positives, scores.negatives), (Count { right: 3, of: 3 }, Count { right: 2, of: 2 }));
        assert!(scores.accuracy.low < 0.6 && scores.area.low < 0.7 && scores.area.high == 1.0, "{scores:?}");
        assert!(Scores::of(&[], &[1.0]).is_none());
    }
}
