//! Prompt features.

/// What CLIP multiplies similarities by before it compares them: the greatest value that its training allowed, and reached.
pub const TEMPERATURE: f64 = 100.0;

/// One row of unit length for each prompt: `[K, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
    /// Of each row, where it is a direction's.
    odds: Vec<Option<Odds>>,
}

/// What makes log-odds of a similarity s to a direction's unit vector: `length * s + bias`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds {
    /// The length of the direction's weight vector.
    pub length: f64,
    pub bias: f64,
}

impl Odds {
    /// The log-odds of a similarity.
    pub fn of(self, similarity: f64) -> f64 {
        self.length * similarity + self.bias
    }

    /// The similarity that has these log-odds.
    pub fn similarity(self, log_odds: f64) -> f64 {
        (log_odds - self.bias) / self.length
    }
}

impl Features {
    /// From K rows of equal length D; `None` where there is no row or lengths differ.
    pub fn new(rows: &[Vec<f32>]) -> Option<Self> {
        let width = rows.first()?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return None;
        }
        Some(Features { width, values: rows.concat(), odds: vec![None; rows.len()] })
    }

    /// The same with what is known of rows that are directions.
    #[must_use]
    pub fn with_odds(mut self, odds: &[Option<Odds>]) -> Self {
        self.odds.iter_mut().zip(odds).for_each(|(own, odds)| *own = *odds);
        self
    }

    /// What makes log-odds of similarities to a row; none where the row is no direction's.
    pub fn odds(&self, row: usize) -> Option<Odds> {
        self.odds.get(row).copied().flatten()
    }

    /// The number of prompts, K.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Those of some prompts, in the order given.
    #[must_use]
    pub fn of(&self, prompts: &[usize]) -> Features {
        let rows = prompts.iter().flat_map(|prompt| &self.values[prompt * self.width..(prompt + 1) * self.width]);
        let odds = prompts.iter().map(|prompt| self.odds(*prompt)).collect();
        Features { width: self.width, values: rows.copied().collect(), odds }
    }

    /// The length of an embedding, D.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

/// The mean of rows of unit length, brought to unit length: what several texts have in common. `None` where there is no row,
/// lengths differ, or the rows cancel out.
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
    fn a_mean_has_unit_length_and_lies_between() {
        assert_eq!(mean(&[vec![1.0, 0.0], vec![0.0, 1.0]]).unwrap(), [0.5f32.sqrt(); 2]);
        assert_eq!(mean(&[vec![0.6, 0.8]]).unwrap(), [0.6, 0.8]);
        assert!(mean(&[vec![1.0, 0.0], vec![-1.0, 0.0]]).is_none());
        assert!(mean(&[]).is_none() && mean(&[vec![1.0], vec![1.0, 0.0]]).is_none());
    }
}
