//! The shapes of surface that may separate a class from the rest: a plane or, in [`super::quadratic`], a quadric.

use ndarray::{Array1, Array2, ArrayView2};

use super::logistic::{Problem, Solution};

/// The regularisation strengths to choose from, the strongest first: 1 to 1e-5, two per power of ten.
pub(super) const STRENGTHS: [f64; 11] = [
    1.0,
    0.316_227_766_016_837_94,
    1e-1,
    0.031_622_776_601_683_79,
    1e-2,
    3.162_277_660_168_379_5e-3,
    1e-3,
    3.162_277_660_168_379_5e-4,
    1e-4,
    3.162_277_660_168_379_6e-5,
    1e-5,
];

/// Examples to learn from.
pub(super) struct Chosen<'a> {
    /// The indices of their rows.
    pub examples: &'a [usize],
    /// Whether each is of the class.
    pub labels: Vec<bool>,
    /// The weight of each; positive.
    pub weights: Vec<f64>,
}

/// The fitted surface, in the space of the rows: w `[R]`, b, the axes `[Q, R]` and their curvatures `[Q]`.
pub(super) struct Found {
    pub weight: Array1<f64>,
    pub bias: f64,
    pub axes: Array2<f64>,
    pub curvatures: Vec<f64>,
}

/// Rows of examples, to be separated by a surface of some shape.
pub(super) trait Shape: Sync {
    /// The surface that separates the class from the rest.
    type Solution: Send;

    /// Returns the regularisation strengths to choose from, the strongest first.
    fn strengths(&self) -> &'static [f64];

    /// Returns the solution for lambda = `strength`, or `None` if none was found. `start`, the solution of a similar problem,
    /// saves steps.
    fn solve(&self, chosen: &Chosen<'_>, strength: f64, start: Option<&Self::Solution>) -> Option<Self::Solution>;

    /// Returns z of an example.
    fn log_odds(&self, solution: &Self::Solution, example: usize) -> f64;

    /// Returns the solution's numbers.
    fn found(&self, solution: &Self::Solution) -> Found;
}

/// Rows `[N, R]`, to be separated by a plane.
pub(super) struct Plane<'a>(pub ArrayView2<'a, f64>);

impl Shape for Plane<'_> {
    type Solution = Solution;

    fn strengths(&self) -> &'static [f64] {
        &STRENGTHS
    }

    fn solve(&self, chosen: &Chosen<'_>, strength: f64, start: Option<&Solution>) -> Option<Solution> {
        Problem::new(self.0, chosen.examples, chosen.labels.clone(), &chosen.weights).solve(strength, start)
    }

    fn log_odds(&self, solution: &Solution, example: usize) -> f64 {
        solution.log_odds(self.0.row(example))
    }

    fn found(&self, solution: &Solution) -> Found {
        let axes = Array2::zeros((0, self.0.ncols()));
        Found { weight: solution.weight().to_owned(), bias: solution.bias(), axes, curvatures: Vec::new() }
    }
}
