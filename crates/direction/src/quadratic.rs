//! L2-regularised logistic regression on embeddings and their products.
//!
//! With x_i an example and y_i = k P x_i its projection to q principal axes P `[q, D]`, scaled by k, this minimises
//!
//! ```text
//! f(w, M, b) = 1/A sum over i of a_i log(1 + exp(-(2 t_i - 1) z_i)) + lambda/2 (|w|^2 + |M|^2),    z_i = w . x_i + b + y_i' M y_i
//! ```
//!
//! with |M| the Frobenius norm. This is logistic regression ([`super::logistic`]) on rows of D + q (q + 1) / 2 numbers, too
//! many for Newton's method. f is convex and smooth; L-BFGS (Nocedal, "Updating quasi-Newton matrices with limited storage",
//! 1980) comes near its minimum in some hundred steps.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::logistic::loss;
use super::probability;
use super::shape::{Chosen, Found, Shape};

/// The regularisation strengths to choose from, the strongest first.
const STRENGTHS: [f64; 5] = [1e-3, 3.162_277_660_168_379_5e-4, 1e-4, 3.162_277_660_168_379_6e-5, 1e-5];
/// q, or fewer if there are fewer dimensions. More gains little: of drawn lettering, 64 classify 96.4 % correctly, 128 classify
/// 96.8 %.
const AXES: usize = 96;
/// k: how freely products are used compared to the values themselves.
const PRODUCTS: f64 = 1.35;
/// The maximum number of steps, the number of steps that L-BFGS remembers, and the gradient norm at which it stops.
const MOST_STEPS: u64 = 1000;
const MEMORY: usize = 12;
const FLAT: f64 = 1e-6;
/// Curvatures below this share of the greatest are dropped.
const STRAIGHT: f64 = 1e-6;

/// Examples in the form needed for f.
pub(super) struct Rows<'a> {
    /// x, `[N, D]`
    values: ArrayView2<'a, f64>,
    /// k P, `[q, D]`
    axes: Array2<f64>,
    /// y, `[N, q]`
    along: Array2<f64>,
}

/// w, M (row-major) and b.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    values: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// Creates rows `[N, D]`, with their principal axes.
    pub(super) fn new(values: ArrayView2<'a, f64>) -> Self {
        let (pairs, count) = (values.t().dot(&values), values.ncols());
        let (lengths, vectors) = eigen(&pairs.view());
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| lengths[*b].total_cmp(&lengths[*a]));
        order.truncate(AXES);
        let axes = vectors.select(Axis(0), &order) * PRODUCTS;
        let along = values.dot(&axes.t());
        Rows { values, axes, along }
    }

    /// D and q.
    fn shape(&self) -> (usize, usize) {
        (self.values.ncols(), self.axes.nrows())
    }
}

impl Shape for Rows<'_> {
    type Solution = Solution;

    fn strengths(&self) -> &'static [f64] {
        &STRENGTHS
    }

    /// Returns a point near the minimum of f, or `None` if it is not finite.
    fn solve(&self, chosen: &Chosen<'_>, strength: f64, start: Option<&Solution>) -> Option<Solution> {
        let (width, axes) = self.shape();
        let from = start.map_or_else(|| vec![0.0; width + axes * axes + 1], |start| start.values.clone());
        let sum: f64 = chosen.weights.iter().sum();
        let problem = Problem {
            shape: self.shape(),
            values: self.values.select(Axis(0), chosen.examples),
            along: self.along.select(Axis(0), chosen.examples),
            labels: chosen.labels.clone(),
            shares: chosen.weights.iter().map(|weight| weight / sum).collect(),
            strength,
            last: RefCell::default(),
            least: RefCell::new((f64::INFINITY, from.clone())),
        };
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY).with_tolerance_grad(FLAT).ok()?;
        let search = Executor::new(&problem, solver);
        // Near the minimum, rounding may keep the line search from descending further, which it reports as an error.
        let _ = search.configure(|state| state.param(from).max_iters(MOST_STEPS)).timer(false).run();
        let (value, values) = problem.least.into_inner();
        (value.is_finite() && values.iter().all(|value| value.is_finite())).then_some(Solution { values })
    }

    fn log_odds(&self, solution: &Solution, example: usize) -> f64 {
        let (weight, products, bias) = parts(&solution.values, self.shape());
        let along = self.along.row(example);
        weight.dot(&self.values.row(example)) + bias + along.dot(&products.dot(&along))
    }

    /// Axes of greater curvature come first.
    fn found(&self, solution: &Solution) -> Found {
        let (weight, products, bias) = parts(&solution.values, self.shape());
        let (curvatures, vectors) = eigen(&products);
        let greatest = curvatures.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let mut there: Vec<usize> =
            (0..curvatures.len()).filter(|axis| curvatures[*axis].abs() > STRAIGHT * greatest).collect();
        there.sort_by(|a, b| curvatures[*b].abs().total_cmp(&curvatures[*a].abs()));
        let axes = vectors.select(Axis(0), &there).dot(&self.axes);
        let curvatures = there.iter().map(|axis| curvatures[*axis]).collect();
        Found { weight: weight.to_owned(), bias, axes, curvatures }
    }
}

/// Splits a solution's values into w, M and b, for D and q.
fn parts(values: &[f64], (width, axes): (usize, usize)) -> (ArrayView1<'_, f64>, ArrayView2<'_, f64>, f64) {
    let (weight, rest) = values.split_at(width);
    let (products, bias) = rest.split_at(axes * axes);
    // The lengths fit, because solutions are only made here.
    let products = ArrayView2::from_shape((axes, axes), products).unwrap_or_else(|_| ndarray::aview2::<_, 0>(&[]));
    (ndarray::aview1(weight), products, bias.first().copied().unwrap_or(0.0))
}

/// Returns the eigenvalues and, as rows, the eigenvectors of a symmetric matrix.
fn eigen(matrix: &ArrayView2<'_, f64>) -> (Vec<f64>, Array2<f64>) {
    let size = matrix.nrows();
    // Rounding may have made the matrix slightly asymmetric.
    let symmetric = DMatrix::from_fn(size, size, |i, j| (matrix[[i, j]] + matrix[[j, i]]) / 2.0);
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(symmetric);
    let vectors = Array2::from_shape_fn((size, size), |(i, j)| eigenvectors[(j, i)]);
    (eigenvalues.iter().copied().collect(), vectors)
}

/// f over some examples.
struct Problem {
    /// D and q.
    shape: (usize, usize),
    values: Array2<f64>,
    along: Array2<f64>,
    labels: Vec<bool>,
    /// a / A
    shares: Vec<f64>,
    strength: f64,
    /// The last point at which f was evaluated, and the gradient there: most of the work is shared by both.
    last: RefCell<(Vec<f64>, Vec<f64>)>,
    /// The least f so far, and its point: if the search ends with an error, its own state is lost.
    least: RefCell<(f64, Vec<f64>)>,
}

impl Problem {
    fn value(&self, at: &[f64]) -> f64 {
        let (weight, products, bias) = parts(at, self.shape);
        let bent = self.along.dot(&products);
        let mut residuals = self.values.dot(&weight);
        residuals.iter_mut().zip(bent.rows()).zip(self.along.rows()).for_each(|((z, a), b)| *z += bias + a.dot(&b));
        let mut sum = 0.0;
        for ((z, label), share) in residuals.iter_mut().zip(&self.labels).zip(&self.shares) {
            sum += share * loss(*z, *label);
            *z = share * (probability(*z) - f64::from(u8::from(*label)));
        }
        let free = at.len() - 1;
        let squares: f64 = at[..free].iter().map(|value| value * value).sum();
        let mut scaled = self.along.clone();
        scaled.rows_mut().into_iter().zip(&residuals).for_each(|(mut row, residual)| row *= *residual);
        let mut slope: Vec<f64> = at.iter().map(|value| self.strength * value).collect();
        slope[free] = residuals.sum();
        let of_values = residuals.dot(&self.values);
        let of_products = scaled.t().dot(&self.along);
        slope.iter_mut().zip(of_values.iter().chain(of_products.iter())).for_each(|(slope, more)| *slope += more);
        *self.last.borrow_mut() = (at.to_vec(), slope);
        sum + self.strength / 2.0 * squares
    }

    fn slope(&self, at: &[f64]) -> Vec<f64> {
        if self.last.borrow().0 != at {
            self.value(at);
        }
        self.last.borrow().1.clone()
    }
}

impl CostFunction for &Problem {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, at: &Vec<f64>) -> Result<f64, Error> {
        let value = self.value(at);
        let mut least = self.least.borrow_mut();
        if value < least.0 {
            *least = (value, at.clone());
        }
        Ok(value)
    }
}

impl Gradient for &Problem {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.slope(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logistic;
    use ndarray::s;

    /// 60 examples of four values; the class is, for the most part, where two of them have the same sign.
    fn examples() -> (Array2<f64>, Vec<bool>) {
        let rows = Array2::from_shape_fn((60, 4), |(i, j)| {
            let (x, y) = (i as f64, j as f64);
            (1.7 * x + 2.3 * y + 0.5 * x * y).sin() * if j == 2 { 1.3 } else { 1.0 }
        });
        let labels = rows.rows().into_iter().enumerate().map(|(i, row)| (row[0] * row[1] > 0.0) != (i % 9 == 0));
        (rows.clone(), labels.collect())
    }

    /// Adds the products as further values, for a solver that is tested against scikit-learn's.
    #[test]
    fn the_solution_is_that_of_newton_s_method_on_products() {
        let (values, labels) = examples();
        let rows = Rows::new(values.view());
        assert_eq!(rows.axes.dim(), (4, 4));
        let mut wide = Array2::zeros((60, 14));
        wide.slice_mut(s![.., ..4]).assign(&values);
        for (i, y) in rows.along.rows().into_iter().enumerate() {
            let pairs = (0..4).flat_map(|a| (a..4).map(move |b| (a, b)));
            for (column, (a, b)) in pairs.enumerate() {
                wide[[i, 4 + column]] = y[a] * y[b] * if a == b { 1.0 } else { 2f64.sqrt() };
            }
        }
        let all: Vec<usize> = (0..60).collect();
        let weights: Vec<f64> = (0..60).map(|i| if i % 2 == 0 { 1.0 } else { 2.5 }).collect();
        let newton = logistic::Problem::new(wide.view(), &all, labels.clone(), &weights);
        let chosen = Chosen { examples: &all, labels, weights };
        let mut before = None;
        for strength in [1.0, 1e-2, 1e-3] {
            let known = newton.solve(strength, None).unwrap();
            let own = rows.solve(&chosen, strength, before.as_ref()).unwrap();
            for i in 0..60 {
                let (own, known) = (rows.log_odds(&own, i), known.log_odds(wide.row(i)));
                assert!((own - known).abs() < 2e-3 * known.abs().max(1.0), "{strength}, {i}: {own} and {known}");
            }
            before = Some(own);
        }
    }

    #[test]
    fn axes_and_curvatures_say_the_same() {
        let (values, labels) = examples();
        let rows = Rows::new(values.view());
        let all: Vec<usize> = (0..60).collect();
        let chosen = Chosen { examples: &all, labels, weights: vec![1.0; 60] };
        let solution = rows.solve(&chosen, 1e-3, None).unwrap();
        let Found { weight, bias, axes, curvatures } = rows.found(&solution);
        assert!(curvatures[0].abs() >= curvatures[1].abs());
        for (i, row) in values.rows().into_iter().enumerate() {
            let squares: f64 = axes.rows().into_iter().zip(&curvatures).map(|(v, c)| c * v.dot(&row).powi(2)).sum();
            assert!((weight.dot(&row) + bias + squares - rows.log_odds(&solution, i)).abs() < 1e-9);
        }
    }

    #[test]
    fn the_slope_is_that_of_the_value() {
        let (values, labels) = examples();
        let rows = Rows::new(values.view());
        let problem = Problem {
            shape: rows.shape(),
            values: values.clone(),
            along: rows.along.clone(),
            labels,
            shares: vec![1.0 / 60.0; 60],
            strength: 0.1,
            last: RefCell::default(),
            least: RefCell::default(),
        };
        let at: Vec<f64> = (0..21).map(|i| (i as f64).sin()).collect();
        let slope = problem.slope(&at);
        for i in 0..21 {
            let moved = |by: f64| {
                let mut moved = at.clone();
                moved[i] += by;
                problem.value(&moved)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope[i] - difference).abs() < 1e-8, "{i}: {} and {difference}", slope[i]);
        }
    }
}
