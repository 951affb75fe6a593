//! A direction from texts alone.

use super::{About, Direction, DirectionError};
use crate::clip::{self, TEMPERATURE};

/// Returns the direction from the meaning of `less` to that of `more`, both lists of text features `[D]` of unit length.
///
/// With f and g the means of `more` and `less`, normalised to unit length, a picture with embedding u shows f rather than g
/// with the probability
///
/// ```text
/// exp(100 u . f) / (exp(100 u . f) + exp(100 u . g)),     so that z = 100 u . (f - g)
/// ```
///
/// in the model's own terms: this is CLIP's zero-shot classification (Radford et al., "Learning transferable visual models from
/// natural language supervision", 2021). Nothing is fitted, and nothing is held out.
pub fn from_texts(class: String, more: &[Vec<f32>], less: &[Vec<f32>]) -> Result<Direction, DirectionError> {
    let means = clip::mean(more).zip(clip::mean(less));
    let (more_of, less_of) = means.ok_or(DirectionError::NoDifference)?;
    let weight: Vec<f32> =
        more_of.iter().zip(&less_of).map(|(f, g)| (TEMPERATURE * (f64::from(*f) - f64::from(*g))) as f32).collect();
    let length = weight.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
    if length < 1e-3 * TEMPERATURE {
        return Err(DirectionError::NoDifference);
    }
    let about = About { positives: more.len() as u64, negatives: less.len() as u64, strength: None, scores: None };
    Ok(Direction { class, weight, bias: 0.0, quadric: None, about })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearer_to_more_is_likelier() {
        let direction = from_texts("x".into(), &[vec![1.0, 0.0]], &[vec![0.0, 1.0]]).unwrap();
        assert!((direction.log_odds(&[0.8, 0.6]) - 20.0).abs() < 1e-4);
        assert!((direction.probability(&[0.5f32.sqrt(), 0.5f32.sqrt()]) - 0.5).abs() < 1e-6);
        assert!(direction.about.scores.is_none());
    }

    #[test]
    fn the_same_texts_point_nowhere() {
        let rows = [vec![0.6, 0.8], vec![0.8, 0.6]];
        for less in [&rows[..], &[vec![0.5f32.sqrt(); 2]][..]] {
            assert!(matches!(from_texts("x".into(), &rows, less), Err(DirectionError::NoDifference)));
        }
        let opposed = [vec![1.0, 0.0], vec![-1.0, 0.0]];
        assert!(matches!(from_texts("x".into(), &opposed, &rows), Err(DirectionError::NoDifference)));
    }
}
