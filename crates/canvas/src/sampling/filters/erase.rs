//! A rectangle of the window that is not shown (DeVries, Taylor: "Improved regularization of convolutional neural networks with
//! cutout", 2017).

use crate::chance::Draws;
use std::ops::Range;

/// The grey that stands in its place.
const GREY: f32 = 0.5;

/// y = grey inside the rectangle, x elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Erase {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Erase {
    /// Draws the place of a rectangle whose width and height are fractions of the window's side; it lies within the window.
    /// `None` if it has no pixels.
    pub fn draw(sides: [f64; 2], side: u32, draws: Draws) -> Option<Erase> {
        let whole = f64::from(side);
        let [columns, rows] = [0, 1].map(|axis| {
            let length = sides[axis].clamp(0.0, 1.0);
            let start = (1.0 - length) * draws.unit(3 + axis as u64);
            (start * whole).round() as usize..((start + length) * whole).round() as usize
        });
        (!columns.is_empty() && !rows.is_empty()).then_some(Erase { columns, rows })
    }

    /// Changes a window `[3, S, S]` in place.
    pub fn apply(&self, window: &mut [f32], side: usize) {
        self.fill(window, side, GREY);
    }

    /// Applies the adjoint in place: nothing of the gradient comes from what is hidden.
    pub fn adjoint(&self, gradient: &mut [f32], side: usize) {
        self.fill(gradient, side, 0.0);
    }

    fn fill(&self, values: &mut [f32], side: usize, with: f32) {
        for plane in values.chunks_exact_mut(side * side) {
            for row in plane.chunks_exact_mut(side).take(self.rows.end).skip(self.rows.start) {
                row[self.columns.clone()].fill(with);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_of_the_asked_size_lies_within_the_window() {
        let side = 20;
        for seed in 0..50 {
            let erase = Erase::draw([0.5, 0.25], side, Draws::new(seed)).unwrap();
            let mut window = vec![1.0f32; 1200];
            erase.apply(&mut window, 20);
            let hidden = window.iter().filter(|x| **x == GREY).count();
            assert_eq!(hidden, 3 * 10 * 5, "{erase:?}");
        }
        assert!(Erase::draw([0.5, 0.0], side, Draws::new(1)).is_none());
        assert!(Erase::draw([2.0, 9.0], side, Draws::new(1)).is_some());
    }
}
