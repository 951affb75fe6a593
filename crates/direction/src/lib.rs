//! Directions: classifier probes on a model's embeddings, learned from examples.
//!
//! For each class, a direction has a weight vector w and a bias b; a quadratic one also has axes v_r and curvatures c_r. With u
//! a window's embedding of unit length,
//!
//! ```text
//! z = w . u + b                             the log-odds that the window belongs to the class
//!   + sum over r of c_r (v_r . u)^2         where the direction is quadratic
//! p = 1 / (1 + exp(-z))                     its probability
//! ```
//!
//! The gradient of z with respect to the window's pixels is as easy to compute as that of a prompt's similarity. The idea is
//! linear probing (Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016).
//!
//! ```text
//! pictures, drawn or read ─▶ embed ─▶ Examples ─▶ fit ─▶ Directions ⇄ file
//! texts ───────────────────▶ from_texts ────────────────▶     │
//!                                                   recipes, show
//! ```

use recipe_render_canvas::canvas;
use recipe_render_clip::clip;
use recipe_render_core::{chance, plan};
use recipe_render_output::output;

pub mod contrast;
mod crops;
mod embed;
mod error;
mod examples;
mod file;
mod fit;
mod logistic;
mod quadratic;
mod score;
mod shape;
mod split;
mod texts;

pub use crops::{Crop, Survey};
pub use embed::embed;
pub use error::DirectionError;
pub use examples::{Examples, Groups};
pub use fit::{FEWEST, MANY, Progress, fit, parts};
pub use score::{Count, Interval, Scores};
pub use texts::from_texts;

use serde::{Deserialize, Serialize};

use crate::clip::Odds;
pub use crate::clip::Quadric;

/// A classifier for one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// The class's name, unique in its file.
    pub class: String,
    /// w, `[D]`: finite, not all zeros.
    pub weight: Vec<f32>,
    /// b
    pub bias: f32,
    /// The quadratic part, where there is one.
    pub quadric: Option<Quadric>,
    /// What it was fitted to, and how good it is.
    pub about: About,
}

/// What a direction was fitted to, and how good it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Examples of the class.
    pub positives: u64,
    /// Examples that are not of the class.
    pub negatives: u64,
    /// The regularisation strength, lambda in [`fit`]'s formula; `None` if nothing was fitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub strength: Option<f64>,
    /// Scores on examples used neither for the fit nor for choosing the strength; `None` if there were no examples to spare.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scores: Option<Scores>,
}

/// The directions of one file: all for one model, one per class.
#[derive(Debug, Clone, PartialEq)]
pub struct Directions {
    /// The model they were made for.
    pub model: Model,
    /// How they were made, for people: the command line.
    pub made: String,
    /// At least one; all of the same length D, with different names.
    pub classes: Vec<Direction>,
}

/// The model that directions belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its name at that time.
    pub name: String,
    /// See [`crate::clip::ModelFolder::hash`].
    pub hash: String,
}

impl Direction {
    /// Returns z, the log-odds that a picture with this embedding (`[D]`, of unit length) belongs to the class.
    pub fn log_odds(&self, embedding: &[f32]) -> f64 {
        let bent = self.quadric.as_ref().map_or(0.0, |quadric| squares(quadric, embedding));
        dot(&self.weight, embedding) + f64::from(self.bias) + bent
    }

    /// Returns p, the probability that it belongs to the class.
    pub fn probability(&self, embedding: &[f32]) -> f64 {
        probability(self.log_odds(embedding))
    }

    /// Returns w / |w|, the odds that turn a similarity to it into log-odds, and the quadratic part divided by |w|.
    pub fn unit(&self) -> (Vec<f32>, Odds, Option<Quadric>) {
        let length = self.length();
        let shorter = |value: &f32| (f64::from(*value) / length) as f32;
        let scaled = |quadric: &Quadric| {
            let curvatures = quadric.curvatures.iter().map(shorter).collect();
            Quadric { axes: quadric.axes.clone(), curvatures }
        };
        let unit = self.weight.iter().map(shorter).collect();
        (unit, Odds { length, bias: f64::from(self.bias) }, self.quadric.as_ref().map(scaled))
    }

    /// Returns R, the number of its axes; 0 if it is linear.
    pub fn axes(&self) -> usize {
        self.quadric.as_ref().map_or(0, |quadric| quadric.curvatures.len())
    }

    /// Returns |w|: how much the log-odds grow per unit of similarity to w.
    pub fn length(&self) -> f64 {
        self.weight.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt()
    }
}

/// Returns the quadric's sum for an embedding `[D]`.
fn squares(quadric: &Quadric, embedding: &[f32]) -> f64 {
    let rows = quadric.axes.chunks_exact(embedding.len().max(1)).zip(&quadric.curvatures);
    rows.map(|(axis, curvature)| f64::from(*curvature) * dot(axis, embedding).powi(2)).sum()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

impl Directions {
    /// Returns the direction of a class.
    pub fn class(&self, name: &str) -> Option<&Direction> {
        self.classes.iter().find(|direction| direction.class == name)
    }

    /// Returns the direction of a class, or the only direction if no class is named.
    pub fn choose(&self, class: Option<&str>) -> Option<&Direction> {
        match (class, self.classes.as_slice()) {
            (Some(class), _) => self.class(class),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Returns the classes' names, for messages.
    pub fn names(&self) -> String {
        self.classes.iter().map(|direction| direction.class.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the length of the embeddings, D.
    pub fn width(&self) -> usize {
        self.classes.first().map_or(0, |direction| direction.weight.len())
    }
}

/// Returns the probability for log-odds z: 1 / (1 + exp(-z)).
pub fn probability(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let power = log_odds.exp();
        power / (1.0 + power)
    }
}

/// Returns the log-odds of a probability between 0 and 1.
pub fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_and_probabilities_are_inverse_and_do_not_overflow() {
        for p in [1e-9, 0.1, 0.5, 0.9, 1.0 - 1e-9] {
            assert!((probability(log_odds(p)) - p).abs() < 1e-12);
        }
        assert_eq!((probability(1e4), probability(-1e4)), (1.0, 0.0));
    }

    #[test]
    fn a_direction_is_a_plane() {
        let about = About { positives: 8, negatives: 8, strength: None, scores: None };
        let direction = Direction { class: "x".into(), weight: vec![3.0, 4.0], bias: -1.0, quadric: None, about };
        assert!((direction.log_odds(&[0.6, 0.8]) - 4.0).abs() < 1e-6);
        assert_eq!(direction.length(), 5.0);
        let (unit, odds, none) = direction.unit();
        assert_eq!((unit, odds.of(1.0), odds.similarity(4.0), none), (vec![0.6, 0.8], 4.0, 1.0, None));
        assert!((direction.probability(&[0.6, 0.8]) - probability(4.0)).abs() < 1e-6);
    }

    #[test]
    fn a_quadratic_direction_says_the_same_by_its_similarity() {
        let about = About { positives: 8, negatives: 8, strength: None, scores: None };
        let quadric = Some(Quadric { axes: vec![1.0, 2.0, 0.0, -1.0], curvatures: vec![2.0, -3.0] });
        let direction = Direction { class: "x".into(), weight: vec![3.0, 4.0], bias: -1.0, quadric, about };
        // 5 - 1 + 2 * (0.6 + 1.6)^2 - 3 * 0.8^2
        assert!((direction.log_odds(&[0.6, 0.8]) - 11.76).abs() < 1e-5);
        let (_, odds, scaled) = direction.unit();
        let curvatures = scaled.unwrap().curvatures;
        let similarity = 1.0 + 2.2f64.powi(2) * f64::from(curvatures[0]) + 0.64 * f64::from(curvatures[1]);
        assert!((odds.of(similarity) - 11.76).abs() < 1e-5);
    }
}
