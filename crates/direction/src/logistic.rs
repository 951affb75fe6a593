//! L2-regularised logistic regression by Newton's method.
//!
//! With examples x_i `[D]`, labels t_i (1 or 0) and weights a_i with the sum A, this minimises
//!
//! ```text
//! f(w, b) = 1/A sum over i of a_i log(1 + exp(-(2 t_i - 1) z_i)) + lambda/2 |w|^2,    z_i = w . x_i + b
//! ```
//!
//! (the bias is not regularised). f is convex, strictly so for lambda > 0 if both labels occur, so there is one solution.
//! Newton's method with step halving (backtracking line search: Boyd and Vandenberghe, "Convex optimization", 2004, section
//! 9.5) finds it from any start. scikit-learn's `LogisticRegression` minimises A f with C = 1 / (lambda A).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::probability;

/// The maximum number of Newton steps. Five to ten are usual.
const MOST_STEPS: usize = 100;
/// The last step is taken when half the squared Newton decrement, an estimate of f minus its minimum, is at most this.
const ENOUGH: f64 = 1e-13;

/// Examples to learn from, each with a 1 appended to its values, so that the bias is one more weight.
pub(super) struct Problem {
    /// `[N, D + 1]`, the last column of ones.
    rows: Array2<f64>,
    labels: Vec<bool>,
    /// a / A
    shares: Vec<f64>,
}

/// w and b.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    /// w, followed by b.
    values: Array1<f64>,
}

impl Solution {
    pub(super) fn weight(&self) -> ArrayView1<'_, f64> {
        let end = self.values.len() - 1;
        self.values.slice(ndarray::s![..end])
    }

    pub(super) fn bias(&self) -> f64 {
        self.values[self.values.len() - 1]
    }

    /// Returns z of an example.
    pub(super) fn log_odds(&self, row: ArrayView1<'_, f64>) -> f64 {
        self.weight().dot(&row) + self.bias()
    }
}

impl Problem {
    /// Creates the problem of learning the rows `chosen` of `[N, D]`; labels and weights are those of the chosen rows. Weights
    /// are positive.
    pub(super) fn new(rows: ArrayView2<'_, f64>, chosen: &[usize], labels: Vec<bool>, weights: &[f64]) -> Self {
        let mut own = Array2::ones((chosen.len(), rows.ncols() + 1));
        own.slice_mut(ndarray::s![.., ..rows.ncols()]).assign(&rows.select(Axis(0), chosen));
        let sum: f64 = weights.iter().sum();
        Problem { rows: own, labels, shares: weights.iter().map(|weight| weight / sum).collect() }
    }

    /// Returns the unique solution for lambda = `strength`, or `None` if the method does not converge, which is not known to
    /// happen for finite examples. `start`, the solution of a similar problem, saves steps.
    pub(super) fn solve(&self, strength: f64, start: Option<&Solution>) -> Option<Solution> {
        let mut at = start.map_or_else(|| Array1::zeros(self.rows.ncols()), |start| start.values.clone());
        let mut value = self.value(&at, strength);
        for _ in 0..MOST_STEPS {
            let (gradient, mut hessian) = self.slopes(&at, strength);
            let step = cholesky(&mut hessian).then(|| solve_factored(&hessian, &gradient))?;
            let descent = gradient.dot(&step);
            let last = descent / 2.0 <= ENOUGH;
            // Armijo condition: accept if f falls by 1e-4 of what the slope predicts. The last step is accepted anyway, as
            // rounding hides its gain.
            let mut length = 1.0;
            loop {
                let next = &at - &(&step * length);
                let then = self.value(&next, strength);
                if then <= value - 1e-4 * length * descent || last {
                    (at, value) = (next, then);
                    break;
                }
                length /= 2.0;
                if length < 1e-10 {
                    return None;
                }
            }
            if last {
                return at.iter().all(|value| value.is_finite()).then_some(Solution { values: at });
            }
        }
        None
    }

    /// Returns f.
    fn value(&self, at: &Array1<f64>, strength: f64) -> f64 {
        let losses = self.rows.dot(at).into_iter().zip(&self.labels).zip(&self.shares);
        let loss: f64 = losses.map(|((z, label), share)| share * loss(z, *label)).sum();
        let squares: f64 = at.iter().take(at.len() - 1).map(|value| value * value).sum();
        loss + strength / 2.0 * squares
    }

    /// Returns the gradient and the Hessian of f.
    fn slopes(&self, at: &Array1<f64>, strength: f64) -> (Array1<f64>, Array2<f64>) {
        let z = self.rows.dot(at);
        let mut residuals = Array1::zeros(z.len());
        let mut scaled = self.rows.clone();
        for (i, z) in z.iter().enumerate() {
            let p = probability(*z);
            residuals[i] = self.shares[i] * (p - f64::from(u8::from(self.labels[i])));
            let root = (self.shares[i] * p * probability(-z)).sqrt();
            scaled.row_mut(i).mapv_inplace(|value| value * root);
        }
        let mut gradient = self.rows.t().dot(&residuals);
        let mut hessian = scaled.t().dot(&scaled);
        for i in 0..at.len() - 1 {
            gradient[i] += strength * at[i];
            hessian[[i, i]] += strength;
        }
        // If all examples are classified with certainty, the bias hardly counts; keep it from being lost to rounding.
        let bias = at.len() - 1;
        hessian[[bias, bias]] += f64::EPSILON;
        (gradient, hessian)
    }
}

/// Returns the loss log(1 + exp(-z)), or log(1 + exp(z)) for a negative label, without overflow.
pub(super) fn loss(z: f64, label: bool) -> f64 {
    let against = if label { -z } else { z };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// Computes the Cholesky factor L of a symmetric matrix = L L', in its lower triangle; returns false if it is not positive
/// definite.
fn cholesky(matrix: &mut Array2<f64>) -> bool {
    let size = matrix.nrows();
    for i in 0..size {
        let (above, mut below) = matrix.view_mut().split_at(Axis(0), i);
        let mut row = below.row_mut(0);
        for j in 0..i {
            let other = above.row(j);
            let sum = row.slice(ndarray::s![..j]).dot(&other.slice(ndarray::s![..j]));
            row[j] = (row[j] - sum) / other[j];
        }
        let own = row.slice(ndarray::s![..i]);
        let rest = row[i] - own.dot(&own);
        // Also if it is NaN.
        if rest.is_nan() || rest <= 0.0 {
            return false;
        }
        row[i] = rest.sqrt();
    }
    true
}

/// Solves L L' x = `right`.
fn solve_factored(lower: &Array2<f64>, right: &Array1<f64>) -> Array1<f64> {
    let mut x = right.clone();
    for i in 0..x.len() {
        let sum = lower.row(i).slice(ndarray::s![..i]).dot(&x.slice(ndarray::s![..i]));
        x[i] = (x[i] - sum) / lower[[i, i]];
    }
    for i in (0..x.len()).rev() {
        x[i] /= lower[[i, i]];
        let known = x[i];
        let row = lower.row(i);
        for j in 0..i {
            x[j] -= row[j] * known;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 examples of four values, a third of them of the class, not separable by a plane.
    fn examples() -> (Array2<f64>, Vec<bool>) {
        let rows = Array2::from_shape_fn((24, 4), |(i, j)| {
            let (x, y) = (i as f64, j as f64);
            (1.7 * x + 2.3 * y + 0.5 * x * y).sin() + if i % 3 == 0 && j == 0 { 0.6 } else { 0.0 }
        });
        (rows, (0..24).map(|i| i % 3 == 0).collect())
    }

    /// Reference values of scikit-learn 1.9.1 on the same examples: `LogisticRegression(C=1/(24 * strength),
    /// solver="newton-cholesky", tol=1e-14, max_iter=1000000)`, with `class_weight="balanced"` where noted; its lbfgs agrees to
    /// 3e-8.
    #[test]
    fn the_solution_is_scikit_learn_s() {
        let (rows, labels) = examples();
        let known: [(f64, bool, [f64; 5]); 6] = [
            (1e-4, false, [0.537881931783, -0.730327404118, -0.342006508213, 0.069527790813, -0.888499314627]),
            (1e-4, true, [0.518088957839, -0.745819089373, -0.301668761420, 0.065519543006, -0.186848751436]),
            (1e-2, false, [0.485896154157, -0.657596085550, -0.305867237225, 0.054499976201, -0.862827510297]),
            (1e-2, true, [0.474350534368, -0.679194732950, -0.275905104662, 0.051634474859, -0.170498032228]),
            (1.0, false, [0.052335757319, -0.068042851507, -0.030128953130, -0.004091616907, -0.705300315708]),
            (1.0, true, [0.057909454282, -0.075912425781, -0.033042663484, -0.004553090299, -0.020334121145]),
        ];
        let all: Vec<usize> = (0..24).collect();
        let mut before: Option<Solution> = None;
        for (strength, balanced, expected) in known {
            let weight = |label: bool| if label { 24.0 / 16.0 } else { 24.0 / 32.0 };
            let weights: Vec<f64> = labels.iter().map(|label| if balanced { weight(*label) } else { 1.0 }).collect();
            let problem = Problem::new(rows.view(), &all, labels.clone(), &weights);
            for start in [None, before.as_ref()] {
                let solution = problem.solve(strength, start).unwrap();
                let wrong = solution.values.iter().zip(expected).map(|(own, known)| (own - known).abs());
                let worst = wrong.fold(0.0, f64::max);
                assert!(worst < 1e-8, "strength {strength}, balanced {balanced}: {worst}, {solution:?}");
            }
            before = problem.solve(strength, None);
        }
    }

    #[test]
    fn nothing_near_the_solution_is_better() {
        let (rows, labels) = examples();
        let all: Vec<usize> = (0..24).collect();
        let problem = Problem::new(rows.view(), &all, labels, &[1.0; 24]);
        let solution = problem.solve(1e-3, None).unwrap();
        let least = problem.value(&solution.values, 1e-3);
        for i in 0..5 {
            for by in [-1e-3, 1e-3] {
                let mut moved = solution.values.clone();
                moved[i] += by;
                assert!(problem.value(&moved, 1e-3) > least);
            }
        }
    }

    /// A plane separates these: without regularisation there would be no solution.
    #[test]
    fn what_can_be_parted_has_a_solution() {
        let rows = Array2::from_shape_fn((16, 40), |(i, j)| {
            let x = (3.1 * i as f64 + 1.3 * j as f64).cos();
            if j == 0 { x + if i < 8 { 5.0 } else { -5.0 } } else { x }
        });
        let all: Vec<usize> = (0..16).collect();
        let problem = Problem::new(rows.view(), &all, (0..16).map(|i| i < 8).collect(), &[1.0; 16]);
        for strength in [1.0, 1e-3, 1e-6, 1e-9] {
            let solution = problem.solve(strength, None).unwrap();
            let right = |i: usize| (solution.log_odds(rows.row(i)) > 0.0) == (i < 8);
            assert!((0..16).all(right), "{strength}");
        }
    }

    #[test]
    fn losses_do_not_overflow() {
        assert!((loss(0.0, true) - std::f64::consts::LN_2).abs() < 1e-15);
        assert_eq!((loss(1e5, true), loss(1e5, false)), (0.0, 1e5));
    }
}
