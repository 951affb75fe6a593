//! Prompt features.

/// One row of unit length for each prompt: `[K, D]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    width: usize,
    values: Vec<f32>,
}

impl Features {
    /// From K rows of equal length D; `None` where there is no row or lengths differ.
    pub fn new(rows: &[Vec<f32>]) -> Option<Self> {
        let width = rows.first()?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return None;
        }
        Some(Features { width, values: rows.concat() })
    }

    /// The number of prompts, K.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// Those of some prompts, in the order given.
    #[must_use]
    pub fn of(&self, prompts: &[usize]) -> Features {
        let rows = prompts.iter().flat_map(|prompt| &self.values[prompt * self.width..(prompt + 1) * self.width]);
        Features { width: self.width, values: rows.copied().collect() }
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
}
