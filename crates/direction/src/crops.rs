//! Looks at a picture part by part: where it shows a class, and where not.

use super::{Direction, probability};
use crate::clip::{ClipError, Encoder, Photo};

/// The sides of windows, as fractions of the picture's shorter side.
const SIDES: [f64; 3] = [1.0 / 2.0, 1.0 / 3.0, 1.0 / 5.0];
/// Parts smaller than this fraction of the encoder's window are skipped, because they would be enlarged too much.
const ENLARGED: f64 = 1.0 / 3.0;
/// The maximum number of windows of one size; on very long pictures they overlap less.
const MOST: usize = 400;
/// Two windows count as the same place if they share more than this fraction of the smaller one.
const SHARED: f64 = 0.3;

/// A square part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    pub left: usize,
    pub top: usize,
    pub side: usize,
}

/// The embeddings of a picture and its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// Width and height of the picture.
    pub size: (usize, usize),
    /// The embedding of the whole picture, as the model prepares pictures: `[D]` of unit length.
    pub whole: Vec<f32>,
    /// Its parts, the large ones first, each with its embedding.
    pub parts: Vec<(Crop, Vec<f32>)>,
}

impl Survey {
    /// Embeds a picture and its parts. `told` is called with the number done and the total.
    pub fn of(encoder: &mut Encoder, photo: &Photo, told: &mut dyn FnMut(usize, usize)) -> Result<Self, ClipError> {
        let (width, height) = photo.size();
        let parts = parts(width, height, encoder.side() as usize);
        let of = parts.len() + 1;
        let picture = |index: usize| match index.checked_sub(1) {
            None => Some(photo.clone()),
            Some(index) => {
                let Crop { left, top, side } = parts[index];
                photo.part(left, top, side, side)
            }
        };
        let embeddings = super::embed(encoder, of, &picture, &mut |done| told(done, of))?;
        let mut embeddings = embeddings.into_iter();
        let whole = embeddings.next().flatten().unwrap_or_default();
        let parts = parts.into_iter().zip(embeddings).filter_map(|(part, embedding)| Some((part, embedding?)));
        Ok(Survey { size: (width, height), whole, parts: parts.collect() })
    }

    /// Returns the parts of the greatest probability, the greatest first, at most `most` and only one per place.
    pub fn places(&self, direction: &Direction, most: usize) -> Vec<(Crop, f64)> {
        let mut all: Vec<(Crop, f64)> =
            self.parts.iter().map(|(part, embedding)| (*part, direction.log_odds(embedding))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut places: Vec<(Crop, f64)> = Vec::new();
        for (part, z) in all {
            if places.len() == most {
                break;
            }
            if places.iter().all(|(other, _)| shared(part, *other) <= SHARED) {
                places.push((part, probability(z)));
            }
        }
        places
    }

    /// Returns the probability of a class around every pixel, row by row: the mean over all parts that cover it, each weighted
    /// more the nearer the pixel is to its centre.
    pub fn map(&self, direction: &Direction) -> Vec<f32> {
        let (width, height) = self.size;
        let mut sums = vec![(0.0f32, 0.0f32); width * height];
        for (Crop { left, top, side }, embedding) in &self.parts {
            let p = direction.probability(embedding) as f32;
            let bell: Vec<f32> = (0..*side)
                .map(|i| {
                    let sine = (std::f32::consts::PI * (i as f32 + 0.5) / *side as f32).sin();
                    // Only borders of parts cover the borders of the picture, so their weight must not be 0.
                    sine * sine + 1e-3
                })
                .collect();
            for y in 0..*side {
                let row = &mut sums[(top + y) * width + left..][..*side];
                for ((sum, weights), x) in row.iter_mut().zip(&bell) {
                    *sum += bell[y] * x * p;
                    *weights += bell[y] * x;
                }
            }
        }
        let whole = direction.probability(&self.whole) as f32;
        sums.into_iter().map(|(sum, weights)| if weights > 0.0 { sum / weights } else { whole }).collect()
    }
}

/// Returns the parts of a picture of a size, for an encoder with windows of a side. They cover it from edge to edge; neighbours
/// overlap by half unless there are too many.
fn parts(width: usize, height: usize, encoder: usize) -> Vec<Crop> {
    let shorter = width.min(height);
    let mut parts = Vec::new();
    for (index, fraction) in SIDES.iter().enumerate() {
        let side = ((shorter as f64 * fraction).round() as usize).max(1);
        // The largest size is always included.
        if index > 0 && (side as f64) < encoder as f64 * ENLARGED {
            break;
        }
        let along = |length: usize| 1 + ((length - side) * 2).div_ceil(side);
        let (mut columns, mut rows) = (along(width), along(height));
        if columns * rows > MOST {
            let few = |count: usize, other: usize| count.min((MOST / other).max(2));
            if width >= height { columns = few(columns, rows) } else { rows = few(rows, columns) }
        }
        let at = |index: usize, count: usize, length: usize| match count {
            0 | 1 => (length - side) / 2,
            _ => index * (length - side) / (count - 1),
        };
        for row in 0..rows {
            for column in 0..columns {
                parts.push(Crop { left: at(column, columns, width), top: at(row, rows, height), side });
            }
        }
    }
    parts
}

/// Returns how much of the smaller of two parts lies in the other one, 0..1.
fn shared(a: Crop, b: Crop) -> f64 {
    let overlap = |a: usize, b: usize, of_a: usize, of_b: usize| (a + of_a).min(b + of_b).saturating_sub(a.max(b));
    let area = overlap(a.left, b.left, a.side, b.side) * overlap(a.top, b.top, a.side, b.side);
    area as f64 / (a.side.min(b.side).pow(2)).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::About;

    #[test]
    fn parts_cover_the_picture_from_edge_to_edge() {
        for (width, height) in [(600, 400), (400, 600), (64, 64), (1, 1), (3, 2), (20_000, 40), (17, 1000)] {
            let all = parts(width, height, 64);
            assert!(!all.is_empty() && all.len() <= 3 * MOST, "{width} x {height}: {}", all.len());
            let ends = |of: fn(&Crop) -> (usize, usize)| {
                (all.iter().map(|part| of(part).0).min(), all.iter().map(|part| of(part).1).max())
            };
            assert_eq!(ends(|part| (part.left, part.left + part.side)), (Some(0), Some(width)), "{width} x {height}");
            assert_eq!(ends(|part| (part.top, part.top + part.side)), (Some(0), Some(height)), "{width} x {height}");
        }
        assert_eq!(parts(600, 600, 64).len(), 9 + 25 + 81);
        // Parts of a small picture would be enlarged too much.
        assert_eq!(parts(100, 100, 224).len(), 9);
    }

    #[test]
    fn places_do_not_repeat_and_the_map_shows_them() {
        let about = About { positives: 8, negatives: 8, strength: None, scores: None };
        let direction = Direction { class: "x".into(), weight: vec![10.0], bias: 0.0, quadric: None, about };
        let part = |left, value: f32| (Crop { left, top: 0, side: 10 }, vec![value]);
        let survey = Survey {
            size: (30, 10),
            whole: vec![0.0],
            parts: vec![part(0, -1.0), part(6, -0.5), part(10, 0.9), part(12, 1.0), part(20, 0.5)],
        };
        let places = survey.places(&direction, 3);
        let lefts: Vec<usize> = places.iter().map(|(part, _)| part.left).collect();
        assert_eq!(lefts, [12, 20, 0]);
        assert!(places[0].1 > places[1].1 && places[2].1 < 0.01);
        let map = survey.map(&direction);
        assert_eq!(map.len(), 300);
        assert!(map[5 * 30 + 2] < 0.1 && map[5 * 30 + 16] > 0.9 && map.iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
