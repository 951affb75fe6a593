//! Prompt features.

use std::sync::Arc;

/// The factor on similarities before CLIP compares them: the greatest value that its training allowed, and reached.
pub const TEMPERATURE: f64 = 100.0;

/// One row of unit length for each prompt: `[K, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
    /// The probe of each row that is a direction.
    probes: Vec<Option<Probe>>,
    /// What similarities have besides products, where any row is a quadratic direction's.
    squares: Option<Squares>,
}

/// The parts of a direction besides its unit vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub odds: Odds,
    /// If it is quadratic, the term that is added to the similarity.
    pub quadric: Option<Arc<Quadric>>,
}

/// The quadratic term of a direction: with u an embedding of unit length, the sum over r of c_r (v_r . u)^2. It is added to the
/// linear term: to the log-odds, or to the similarity to the direction's unit vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Quadric {
    /// v, `[R, D]`, row-major: finite.
    pub axes: Vec<f32>,
    /// c, `[R]`: finite; at least one, and none is zero.
    pub curvatures: Vec<f32>,
}

/// The quadrics of all rows as two matrices.
#[derive(Debug, Clone, PartialEq)]
pub struct Squares {
    /// `[R, D]`: the axes of all quadrics.
    pub axes: Vec<f32>,
    /// `[R, K]`: the factor of the square along an axis in the similarity of a row; 0 except for the row that the axis belongs
    /// to.
    pub factors: Vec<f32>,
    /// (R, D) and (R, K).
    pub shapes: [[usize; 2]; 2],
}

impl Squares {
    /// Collects the quadrics of K rows for embeddings of D numbers; `None` if there are none.
    fn of(probes: &[Option<Probe>], width: usize) -> Option<Squares> {
        let mut squares = Squares { axes: Vec::new(), factors: Vec::new(), shapes: [[0, width], [0, probes.len()]] };
        for (row, probe) in probes.iter().enumerate() {
            let Some(quadric) = probe.as_ref().and_then(|probe| probe.quadric.as_ref()) else { continue };
            squares.axes.extend(&quadric.axes);
            for curvature in &quadric.curvatures {
                squares.factors.extend((0..probes.len()).map(|other| if other == row { *curvature } else { 0.0 }));
            }
            squares.shapes.iter_mut().for_each(|shape| shape[0] += quadric.curvatures.len());
        }
        (!squares.axes.is_empty()).then_some(squares)
    }
}

/// The conversion of a similarity s to a direction's unit vector into log-odds: `length * s + bias`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds {
    /// The length of the direction's weight vector.
    pub length: f64,
    pub bias: f64,
}

impl Odds {
    /// Returns the log-odds of a similarity.
    pub fn of(self, similarity: f64) -> f64 {
        self.length * similarity + self.bias
    }

    /// Returns the similarity with these log-odds.
    pub fn similarity(self, log_odds: f64) -> f64 {
        (log_odds - self.bias) / self.length
    }
}

impl Features {
    /// Creates features from K rows of equal length D; `None` if there are no rows or lengths differ.
    pub fn new(rows: &[Vec<f32>]) -> Option<Self> {
        let width = rows.first()?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return None;
        }
        Some(Features { width, values: rows.concat(), probes: vec![None; rows.len()], squares: None })
    }

    /// Adds the probes of the rows that are directions.
    #[must_use]
    pub fn with_directions(mut self, probes: &[Option<Probe>]) -> Self {
        self.probes.iter_mut().zip(probes).for_each(|(own, probe)| own.clone_from(probe));
        self.squares = Squares::of(&self.probes, self.width);
        self
    }

    /// What similarities have besides products, where any row is a quadratic direction's.
    pub fn squares(&self) -> Option<&Squares> {
        self.squares.as_ref()
    }

    /// Returns the odds for similarities to a row, or `None` if the row is not a direction's.
    pub fn odds(&self, row: usize) -> Option<Odds> {
        self.probes.get(row)?.as_ref().map(|probe| probe.odds)
    }

    /// Returns the number of prompts, K.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Returns the features of some prompts, in the order given.
    #[must_use]
    pub fn of(&self, prompts: &[usize]) -> Features {
        let rows = prompts.iter().flat_map(|prompt| &self.values[prompt * self.width..(prompt + 1) * self.width]);
        let probes: Vec<_> = prompts.iter().map(|prompt| self.probes.get(*prompt).cloned().flatten()).collect();
        let squares = Squares::of(&probes, self.width);
        Features { width: self.width, values: rows.copied().collect(), probes, squares }
    }

    /// Returns the length of an embedding, D.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns all values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Returns the mean of rows of unit length, normalised to unit length: what several texts have in common. `None` if there are
/// no rows, lengths differ, or the rows cancel out.
pub fn mean(rows: &[Vec<f32>]) -> Option<Vec<f32>> {
    let width = rows.first()?.len();
    let mut sum = vec![0.0; width];
    for row in rows {
        if row.len() != width {
            return None;
        }
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let norm = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
    (norm > 1e-6 * rows.len() as f64).then(|| sum.iter().map(|value| (value / norm) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_equal_length_make_a_matrix() {
        let features = Features::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.6, 0.8]]).unwrap();
        assert_eq!((features.count(), features.width()), (3, 2));
        assert!(Features::new(&[]).is_none());
        assert!(Features::new(&[vec![1.0], vec![1.0, 0.0]]).is_none());
    }

    #[test]
    fn squares_are_those_of_the_rows_chosen() {
        let features = Features::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.6, 0.8]]).unwrap();
        assert_eq!(features.squares(), None);
        let odds = Odds { length: 2.0, bias: 1.0 };
        let quadric = |curvatures: &[f32]| {
            let axes = (0..2 * curvatures.len()).map(|i| i as f32).collect();
            let quadric = Some(Arc::new(Quadric { axes, curvatures: curvatures.to_vec() }));
            Some(Probe { odds, quadric })
        };
        let features =
            features.with_directions(&[quadric(&[3.0]), Some(Probe { odds, quadric: None }), quadric(&[4.0, 5.0])]);
        let all = features.squares().unwrap();
        assert_eq!((all.shapes, &all.axes[..]), ([[3, 2], [3, 3]], &[0.0, 1.0, 0.0, 1.0, 2.0, 3.0][..]));
        assert_eq!(all.factors, [3.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 5.0]);
        let some = features.of(&[1, 2]);
        assert_eq!(some.squares().unwrap().factors, [0.0, 4.0, 0.0, 5.0]);
        assert_eq!((features.of(&[1]).squares(), some.odds(0)), (None, Some(odds)));
    }

    #[test]
    fn a_mean_has_unit_length_and_lies_between() {
        assert_eq!(mean(&[vec![1.0, 0.0], vec![0.0, 1.0]]).unwrap(), [0.5f32.sqrt(); 2]);
        assert_eq!(mean(&[vec![0.6, 0.8]]).unwrap(), [0.6, 0.8]);
        assert!(mean(&[vec![1.0, 0.0], vec![-1.0, 0.0]]).is_none());
        assert!(mean(&[]).is_none() && mean(&[vec![1.0], vec![1.0, 0.0]]).is_none());
    }
}
