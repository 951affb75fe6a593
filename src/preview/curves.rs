//! Similarities over time, in bounded memory: when there are too many points, pairs are replaced by their means.

use std::fmt::Write;

/// The maximum number of points, more than a page has pixels for on most screens.
const MOST: usize = 640;

/// One curve for each prompt of each target.
#[derive(Debug, Clone, Default)]
pub(super) struct Curves {
    curves: usize,
    /// The number of steps in a point.
    stride: u64,
    points: Vec<Point>,
    /// The point being collected.
    open: Vec<Mean>,
    /// The number of steps in the point being collected.
    gathered: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Point {
    /// The last step in it.
    step: u64,
    values: Vec<Mean>,
}

/// A mean of values, some of which may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, other: Mean) {
        self.sum += other.sum;
        self.count += other.count;
    }
}

/// The part of the curves that a page already has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Had {
    stride: u64,
    points: usize,
}

impl Curves {
    pub fn new(curves: usize) -> Self {
        Curves { curves, stride: 1, open: vec![Mean::default(); curves], ..Curves::default() }
    }

    /// Adds a step. `values` are given by curve; a curve without a value gets a gap.
    pub fn add(&mut self, step: u64, values: impl Iterator<Item = (usize, f32)>) {
        for (curve, value) in values.filter(|(_, value)| value.is_finite()) {
            if let Some(mean) = self.open.get_mut(curve) {
                mean.add(Mean { sum: value.into(), count: 1 });
            }
        }
        self.gathered += 1;
        if self.gathered < self.stride {
            return;
        }
        let values = std::mem::replace(&mut self.open, vec![Mean::default(); self.curves]);
        self.points.push(Point { step, values });
        self.gathered = 0;
        if self.points.len() >= MOST {
            self.thin();
        }
    }

    fn thin(&mut self) {
        let pairs = self.points.chunks_exact(2).map(|pair| {
            let mut merged = pair[1].clone();
            for (mean, earlier) in merged.values.iter_mut().zip(&pair[0].values) {
                mean.add(*earlier);
            }
            merged
        });
        self.points = pairs.collect();
        self.stride *= 2;
    }

    /// Returns what a page that has `had` still lacks, as JSON, and what it has afterwards; `None` if it lacks nothing. In the JSON,
    /// `whole` tells the page to discard what it had.
    pub fn news(&self, had: Had) -> Option<(String, Had)> {
        let now = Had { stride: self.stride, points: self.points.len() };
        if had == now {
            return None;
        }
        let whole = had.stride != self.stride || had.points > now.points;
        let from = if whole { 0 } else { had.points };
        let mut json = format!("{{\"whole\":{whole},\"points\":[");
        for (index, point) in self.points[from..].iter().enumerate() {
            let _ = write!(json, "{}[{}", if index == 0 { "" } else { "," }, point.step);
            for mean in &point.values {
                let _ = match mean.count {
                    0 => write!(json, ",null"),
                    count => write!(json, ",{:.4}", mean.sum / f64::from(count)),
                };
            }
            json.push(']');
        }
        json.push_str("]}");
        Some((json, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_means_stay() {
        let mut curves = Curves::new(2);
        for step in 1..=100_000u64 {
            curves.add(step, [(0, step as f32)].into_iter());
        }
        assert!(curves.points.len() < MOST && curves.points.len() >= MOST / 2);
        let first = &curves.points[0];
        assert_eq!(first.step, curves.stride);
        assert_eq!(first.values[0].sum / f64::from(first.values[0].count), (1 + curves.stride) as f64 / 2.0);
        // A missing value is a gap.
        assert_eq!(first.values[1].count, 0);
        let last = curves.points.last().unwrap();
        assert_eq!(u64::from(last.values[0].count), curves.stride);
    }

    #[test]
    fn pages_get_what_they_lack() {
        let mut curves = Curves::new(2);
        let (json, had) = curves.news(Had::default()).unwrap();
        assert_eq!(json, r#"{"whole":true,"points":[]}"#);
        curves.add(1, [(0, 0.25), (1, f32::NAN), (7, 1.0)].into_iter());
        let (json, had) = curves.news(had).unwrap();
        assert_eq!(json, r#"{"whole":false,"points":[[1,0.2500,null]]}"#);
        assert_eq!(curves.news(had), None);
        curves.add(2, [(1, 0.5)].into_iter());
        assert_eq!(curves.news(had).unwrap().0, r#"{"whole":false,"points":[[2,null,0.5000]]}"#);
        for step in 3..=MOST as u64 {
            curves.add(step, std::iter::empty());
        }
        let (json, _) = curves.news(had).unwrap();
        assert!(json.starts_with(r#"{"whole":true,"points":[[2,0.2500,0.5000],[4,null,null]"#), "{json}");
        // The curves of another render.
        assert!(Curves::new(2).news(had).unwrap().0.contains("true"));
    }
}
