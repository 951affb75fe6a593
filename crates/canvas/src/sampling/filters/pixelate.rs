//! Blocks of pixels, each shown as its mean.

/// y = the mean of the block that a pixel lies in. Blocks begin at the window's upper left corner; the last ones may be cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixelate {
    block: usize,
}

impl Pixelate {
    /// Creates blocks of a side in window pixels, rounded to a whole number; `None` if they would do nothing.
    pub fn new(block: f64) -> Option<Pixelate> {
        let block = block.round() as usize;
        (block > 1).then_some(Pixelate { block })
    }

    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        for plane in window.chunks_exact_mut(side * side) {
            for band in plane.chunks_mut(self.block.min(side) * side) {
                let rows = band.len() / side;
                for left in (0..side).step_by(self.block) {
                    let columns = left..(left + self.block).min(side);
                    let row = |row: usize| row * side + columns.start..row * side + columns.end;
                    let sum: f32 = (0..rows).map(|i| band[row(i)].iter().sum::<f32>()).sum();
                    let mean = sum / (rows * columns.len()) as f32;
                    (0..rows).for_each(|i| band[row(i)].fill(mean));
                }
            }
        }
    }

    /// Applies the adjoint in place: means of blocks are symmetric.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize) {
        self.apply(gradient, side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_its_mean() {
        let mut window: Vec<f32> = (0..75).map(|i| i as f32).collect();
        Pixelate::new(2.2).unwrap().apply(&mut window, 5);
        assert_eq!(window[..10], [3.0, 3.0, 5.0, 5.0, 6.5, 3.0, 3.0, 5.0, 5.0, 6.5]);
        // The last row is a block's only one.
        assert_eq!(window[20..25], [20.5, 20.5, 22.5, 22.5, 24.0]);
        assert_eq!(Pixelate::new(1.4), None);
        let mut window: Vec<f32> = (0..75).map(|i| i as f32).collect();
        Pixelate::new(1e9).unwrap().apply(&mut window, 5);
        assert!(window[..25].iter().all(|x| *x == 12.0));
    }
}
