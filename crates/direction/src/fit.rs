//! Fits directions to examples.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;

use super::logistic::loss;
use super::shape::{Chosen, Found, Plane, Shape};
use super::split::{FOLDS, Side, split};
use super::{About, Direction, DirectionError, Examples, Quadric, Scores, quadratic};

/// The minimum number of examples of a class, and of its complement.
pub const FEWEST: usize = 8;

/// The minimum number of examples of a class, and of the others, for which a quadratic direction is tried as well: fewer say
/// little about its many weights.
pub const MANY: usize = 500;
/// The number of progress parts in the fit of one class with one shape.
const PARTS: usize = FOLDS + 1;

/// Returns the number of progress parts in the fit of these examples.
pub fn parts(examples: &Examples) -> usize {
    let shapes = |class| if are_many(examples, class) { 2 } else { 1 };
    (0..examples.classes.len()).map(|class| shapes(class) * PARTS).sum()
}

/// Returns whether a quadratic direction is tried for a class.
fn are_many(examples: &Examples, class: usize) -> bool {
    let own = examples.count(Some(class));
    own >= MANY && examples.len() - own >= MANY
}

/// The progress of a fit, in parts. Linear parts take equal times, quadratic ones several times longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub of: usize,
}

/// Fits a direction for each class, that class against all the rest.
///
/// A fifth of the examples is held out. On the others, five-fold cross-validation chooses the regularisation strength lambda. A
/// logistic regression fitted to them is scored on the held-out examples. The final directions are then fitted to all examples
/// with that strength. Members of a group are never split. The class and the rest have the same total weight, whatever their
/// numbers, so a probability of 1/2 means that the picture gives no evidence.
///
/// With at least [`MANY`] examples and as many others, the same is done for a quadratic direction. It is used if its
/// cross-validation loss is lower by more than a standard error of the folds' differences.
///
/// The same examples give the same directions, whatever the number of threads. `told` is called with the progress, from any
/// thread.
pub fn fit(examples: &Examples, told: &(dyn Fn(Progress) + Sync)) -> Result<Vec<Direction>, DirectionError> {
    for (class, name) in examples.classes.iter().enumerate() {
        let found = examples.count(Some(class));
        if found < FEWEST {
            return Err(DirectionError::TooFew { of: format!("\"{name}\""), found });
        }
        if examples.len() - found < FEWEST {
            let of = format!("not \"{name}\"");
            return Err(DirectionError::TooFew { of, found: examples.len() - found });
        }
    }
    let width = examples.embeddings.first().map_or(0, Vec::len);
    let rows = Array2::from_shape_fn((examples.len(), width), |(i, j)| {
        f64::from(examples.embeddings[i].get(j).copied().unwrap_or(0.0))
    });
    let basis = (examples.len() < width).then(|| span(rows.view()));
    let rows = basis.as_ref().map_or_else(|| rows.clone(), |basis| rows.dot(&basis.t()));
    let sides = split(examples);
    let done = AtomicUsize::new(0);
    let of = parts(examples);
    let one_more = || told(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, of });
    let any = (0..examples.classes.len()).any(|class| are_many(examples, class));
    let bent = any.then(|| quadratic::Rows::new(rows.view()));
    (0..examples.classes.len())
        .into_par_iter()
        .map(|class| {
            let fit = Fit {
                examples,
                rows: rows.view(),
                bent: bent.as_ref().filter(|_| are_many(examples, class)),
                sides: &sides,
                class,
            };
            let (Found { weight, bias, axes, curvatures }, about) = fit.run(&one_more)?;
            let (weight, axes) = match &basis {
                Some(basis) => (basis.t().dot(&weight), axes.dot(basis)),
                None => (weight, axes),
            };
            let narrow = |values: &mut dyn Iterator<Item = &f64>| values.map(|value| *value as f32).collect();
            let quadric = Quadric { axes: narrow(&mut axes.iter()), curvatures: narrow(&mut curvatures.iter()) };
            Ok(Direction {
                class: examples.classes[class].clone(),
                weight: narrow(&mut weight.iter()),
                bias: bias as f32,
                quadric: (!curvatures.is_empty()).then_some(quadric),
                about,
            })
        })
        .collect()
}

/// Returns an orthonormal basis `[R, D]` of the span of rows `[N, D]`, by the Gram-Schmidt process, done twice against rounding
/// errors. The solution lies in that span, so with few examples it can be searched for there, which is exact and much cheaper.
fn span(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut basis: Vec<Array1<f64>> = Vec::new();
    for row in rows.rows() {
        let mut rest = row.to_owned();
        for _ in 0..2 {
            for known in &basis {
                let along = known.dot(&rest);
                rest.scaled_add(-along, known);
            }
        }
        let length = rest.dot(&rest).sqrt();
        if length > 1e-9 * row.dot(&row).sqrt() {
            basis.push(rest / length);
        }
    }
    let mut all = Array2::zeros((basis.len(), rows.ncols()));
    for (mut to, from) in all.rows_mut().into_iter().zip(&basis) {
        to.assign(from);
    }
    all
}

/// Returns the mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, if values.len() > 1 { (squares / (count - 1.0) / count).sqrt() } else { 0.0 })
}

/// Returns the losses of each fold at one strength.
fn of_strength(losses: &[Vec<f64>], index: usize) -> Vec<f64> {
    losses.iter().map(|fold| fold[index]).collect()
}

/// Returns the index of the strength with the least mean loss; `losses` are those of each fold, by strength.
fn best(losses: &[Vec<f64>]) -> usize {
    let mean = |index: usize| mean_and_error(&of_strength(losses, index)).0;
    let strengths = losses.first().map_or(0, Vec::len);
    (0..strengths).fold(0, |best, index| if mean(index) < mean(best) { index } else { best })
}

/// Returns the index of the strongest regularisation whose mean loss is within one standard error of the least one (Breiman,
/// Friedman, Olshen and Stone, "Classification and regression trees", 1984, section 3.4.3). If a plane separates all examples,
/// the weakest has the least loss and is certain of everything, which is not justified.
fn chosen(losses: &[Vec<f64>]) -> usize {
    let best = best(losses);
    let (least, error) = mean_and_error(&of_strength(losses, best));
    (0..best).find(|index| mean_and_error(&of_strength(losses, *index)).0 <= least + error).unwrap_or(best)
}

/// Returns whether the losses of one shape are lower than those of another by more than a standard error. Both must be of the
/// same folds.
fn is_better(losses: &[Vec<f64>], than: &[Vec<f64>]) -> bool {
    let (own, other) = (of_strength(losses, best(losses)), of_strength(than, best(than)));
    let gains: Vec<f64> = other.iter().zip(&own).map(|(other, own)| other - own).collect();
    let (gain, error) = mean_and_error(&gains);
    gain > error
}

/// One class against the rest.
struct Fit<'a> {
    examples: &'a Examples,
    /// `[N, R]`
    rows: ArrayView2<'a, f64>,
    /// The rows with their products, where a quadratic direction is tried.
    bent: Option<&'a quadratic::Rows<'a>>,
    sides: &'a [Side],
    class: usize,
}

impl Fit<'_> {
    /// Returns the direction fitted to all examples, and the scores of one fitted to four fifths of them.
    fn run(&self, one_more: &(dyn Fn() + Sync)) -> Result<(Found, About), DirectionError> {
        let rest = self.those(|side| side != Side::HeldOut);
        let held_out = self.those(|side| side == Side::HeldOut);
        self.both_in(&rest, "left to learn from")?;
        self.both_in(&held_out, "held out")?;
        let plane = Plane(self.rows);
        let flat = self.losses(&plane, &rest, one_more)?;
        if let Some(bent) = self.bent {
            let losses = self.losses(bent, &rest, one_more)?;
            one_more();
            if is_better(&losses, &flat) {
                return self.scored(bent, &losses, &rest, &held_out, one_more);
            }
        }
        self.scored(&plane, &flat, &rest, &held_out, one_more)
    }

    /// Fits and scores the direction of a shape, with the strength that the cross-validation losses choose.
    fn scored<S: Shape>(
        &self,
        shape: &S,
        losses: &[Vec<f64>],
        rest: &[usize],
        held_out: &[usize],
        one_more: &(dyn Fn() + Sync),
    ) -> Result<(Found, About), DirectionError> {
        let strength = shape.strengths()[chosen(losses)];
        let scored = self.solve(shape, rest, strength, None)?;
        let z = |label: bool| -> Vec<f64> {
            let own = held_out.iter().filter(|example| self.label(**example) == label);
            own.map(|example| shape.log_odds(&scored, *example)).collect()
        };
        let scores = Scores::of(&z(true), &z(false));
        let all: Vec<usize> = (0..self.examples.len()).collect();
        let solution = self.solve(shape, &all, strength, Some(&scored))?;
        one_more();
        let positives = self.examples.count(Some(self.class)) as u64;
        let negatives = self.examples.len() as u64 - positives;
        Ok((shape.found(&solution), About { positives, negatives, strength: Some(strength), scores }))
    }

    /// Returns the mean logarithmic loss of each cross-validation fold, by strength.
    fn losses<S: Shape>(
        &self,
        shape: &S,
        rest: &[usize],
        one_more: &(dyn Fn() + Sync),
    ) -> Result<Vec<Vec<f64>>, DirectionError> {
        let weights = self.weights(rest);
        let losses: Vec<Option<Vec<f64>>> = (0..FOLDS)
            .into_par_iter()
            .map(|fold| {
                let learned = self.those(|side| side != Side::HeldOut && side != Side::Fold(fold));
                let mut losses = None;
                if learned.len() < rest.len() {
                    let mut solution: Option<S::Solution> = None;
                    let mut weight_of_all = 0.0;
                    let losses = losses.insert(vec![0.0; shape.strengths().len()]);
                    self.both_in(&learned, "left to learn from in cross-validation")?;
                    for (sum, strength) in losses.iter_mut().zip(shape.strengths()) {
                        let solution = solution.insert(self.solve(shape, &learned, *strength, solution.as_ref())?);
                        weight_of_all = 0.0;
                        for (example, weight) in rest.iter().zip(&weights) {
                            if self.sides[*example] == Side::Fold(fold) {
                                let z = shape.log_odds(solution, *example);
                                *sum += weight * loss(z, self.label(*example));
                                weight_of_all += weight;
                            }
                        }
                    }
                    losses.iter_mut().for_each(|sum| *sum /= weight_of_all);
                }
                one_more();
                Ok(losses)
            })
            .collect::<Result<_, DirectionError>>()?;
        Ok(losses.into_iter().flatten().collect())
    }

    fn solve<S: Shape>(
        &self,
        shape: &S,
        chosen: &[usize],
        strength: f64,
        start: Option<&S::Solution>,
    ) -> Result<S::Solution, DirectionError> {
        let labels = chosen.iter().map(|example| self.label(*example)).collect();
        let chosen = Chosen { examples: chosen, labels, weights: self.weights(chosen) };
        let diverged = || DirectionError::Diverged { class: self.examples.classes[self.class].clone() };
        shape.solve(&chosen, strength, start).ok_or_else(diverged)
    }

    /// Returns whether an example is of the class.
    fn label(&self, example: usize) -> bool {
        self.examples.class[example] == Some(self.class)
    }

    /// Returns the examples on some sides.
    fn those(&self, on: impl Fn(Side) -> bool) -> Vec<usize> {
        (0..self.examples.len()).filter(|example| on(self.sides[*example])).collect()
    }

    /// Returns the weights of some examples: each label has half of the total.
    fn weights(&self, chosen: &[usize]) -> Vec<f64> {
        let own = chosen.iter().filter(|example| self.label(**example)).count();
        let other = chosen.len() - own;
        let weight = |example: &usize| 0.5 / if self.label(*example) { own } else { other } as f64;
        chosen.iter().map(weight).collect()
    }

    /// Checks that some examples are of the class and some are not.
    fn both_in(&self, chosen: &[usize], which: &str) -> Result<(), DirectionError> {
        let own = chosen.iter().filter(|example| self.label(**example)).count();
        if own > 0 && own < chosen.len() {
            return Ok(());
        }
        let what = if own == 0 { "of its pictures" } else { "of the others" };
        let class = self.examples.classes[self.class].clone();
        Err(DirectionError::Groups {
            class,
            message: format!("too many belong together: none {what} would be {which}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Draws;
    use crate::logistic::Problem;
    use crate::shape::STRENGTHS;
    use ndarray::Axis;

    /// Vectors of unit length around two or three centres.
    fn examples(classes: usize, each: usize, width: usize, apart: f64) -> Examples {
        let mut examples = Examples::new((0..classes).map(|class| format!("class {class}")).collect());
        for class in 0..classes {
            for i in 0..each {
                let draws = Draws::new(class as u64).at(i as u64);
                let mut row: Vec<f64> = (0..width as u64).map(|j| draws.normal_pair(j)[0]).collect();
                row[class] += apart;
                let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
                let row = row.iter().map(|value| (value / norm) as f32).collect();
                examples.add(row, Some(class), (class * each + i) as u64);
            }
        }
        examples
    }

    #[test]
    fn what_is_apart_is_told_apart() {
        for (width, each) in [(6, 60), (200, 30)] {
            let directions = fit(&examples(3, each, width, 12.0), &|_| {}).unwrap();
            assert_eq!(directions.len(), 3);
            for direction in &directions {
                let scores = direction.about.scores.as_ref().unwrap();
                assert!(scores.accuracy.value > 0.9 && scores.area.value > 0.95, "{width}: {direction:?}");
                assert_eq!((direction.about.positives, direction.about.negatives), (each as u64, 2 * each as u64));
                assert_eq!(scores.positives.of + scores.negatives.of, 3 * each as u64 / 5);
            }
            let unseen = examples(3, each + 9, width, 12.0);
            let right = (0..unseen.len()).filter(|i| {
                let z = |class: usize| directions[class].log_odds(&unseen.embeddings[*i]);
                (0..3).max_by(|a, b| z(*a).total_cmp(&z(*b))) == unseen.class[*i]
            });
            assert!(right.count() as f64 > 0.9 * unseen.len() as f64);
        }
    }

    /// Labels without meaning: on held-out examples the fit can only guess.
    #[test]
    fn what_is_alike_is_not_told_apart() {
        let directions = fit(&examples(2, 200, 10, 0.0), &|_| {}).unwrap();
        let scores = directions[0].about.scores.as_ref().unwrap();
        assert!(scores.area.low < 0.5 && scores.area.high > 0.5 && scores.accuracy.low < 0.5, "{scores:?}");
        // And a strong regularisation holds the direction back.
        assert!(directions[0].about.strength.unwrap() > 1e-2);
    }

    /// With fewer examples than values, the solution is searched for in their span.
    #[test]
    fn the_span_s_solution_is_the_solution() {
        let examples = examples(2, 12, 40, 3.0);
        let rows = Array2::from_shape_fn((24, 40), |(i, j)| f64::from(examples.embeddings[i][j]));
        let labels: Vec<bool> = examples.class.iter().map(|class| *class == Some(0)).collect();
        let all: Vec<usize> = (0..24).collect();
        let direct = Problem::new(rows.view(), &all, labels.clone(), &[1.0; 24]).solve(1e-3, None).unwrap();
        let basis = span(rows.view());
        assert_eq!(basis.nrows(), 24);
        let inside = rows.dot(&basis.t());
        let inside = Problem::new(inside.view(), &all, labels, &[1.0; 24]).solve(1e-3, None).unwrap();
        let wrong = direct.weight().to_owned() - basis.t().dot(&inside.weight());
        assert!(wrong.iter().all(|value| value.abs() < 1e-7), "{wrong}");
        assert!((direct.bias() - inside.bias()).abs() < 1e-7);
        // Duplicates add nothing to the span.
        let twice = ndarray::concatenate(Axis(0), &[rows.view(), rows.view()]).unwrap();
        assert_eq!(span(twice.view()).nrows(), 24);
    }

    #[test]
    fn the_same_whatever_the_threads() {
        let examples = examples(3, 20, 30, 2.0);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&examples, &|_| {}).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn a_handful_is_needed_and_groups_must_leave_something() {
        let few = fit(&examples(2, FEWEST - 1, 4, 3.0), &|_| {}).unwrap_err();
        assert!(few.to_string().contains("\"class 0\": 7 readable pictures, at least 8"), "{few}");
        let mut one = examples(1, FEWEST, 4, 3.0);
        let none = fit(&one, &|_| {}).unwrap_err();
        assert!(none.to_string().contains("not \"class 0\": 0 readable pictures"), "{none}");
        for i in 0..FEWEST {
            one.add(vec![0.0, 1.0, 0.0, 0.0], None, i as u64);
        }
        assert!(fit(&one, &|_| {}).is_ok());
        one.group.fill(1);
        let message = fit(&one, &|_| {}).unwrap_err().to_string();
        assert!(message.contains("too many belong together"), "{message}");
    }

    #[test]
    fn the_strongest_within_one_standard_error_is_chosen() {
        let mut losses = vec![vec![1.0; STRENGTHS.len()]; 4];
        for (fold, by) in losses.iter_mut().zip([-0.1, 0.1, -0.1, 0.1]) {
            fold[3] = 0.55;
            fold[5] = 0.5 + by;
            fold[7] = 0.51;
        }
        // The standard error is 0.058.
        assert_eq!(chosen(&losses), 3);
        losses.iter_mut().for_each(|fold| fold[3] = 0.56);
        assert_eq!(chosen(&losses), 5);
        assert_eq!(chosen(&losses[..1]), 5);
    }

    /// The class is where two values have the same sign, which no plane separates.
    fn crossed() -> Examples {
        let mut examples = Examples::new(vec!["crossed".into()]);
        for i in 0..4 * MANY as u64 {
            let draws = Draws::new(5).at(i);
            let row: Vec<f64> = (0..4).map(|j| draws.normal_pair(j)[0]).collect();
            let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            let class = (row[0] * row[1] > 0.0).then_some(0);
            examples.add(row.iter().map(|value| (value / norm) as f32).collect(), class, i);
        }
        examples
    }

    #[test]
    fn a_quadric_is_taken_where_a_plane_tells_less() {
        let examples = crossed();
        let [direction] = fit(&examples, &|_| {}).unwrap().try_into().unwrap();
        assert!(direction.about.scores.as_ref().unwrap().accuracy.low > 0.95, "{:?}", direction.about);
        assert!(direction.quadric.is_some());
        let right = |i: &usize| (direction.log_odds(&examples.embeddings[*i]) > 0.0) == (examples.class[*i] == Some(0));
        assert!((0..4 * MANY).filter(right).count() > 4 * MANY * 95 / 100);
    }

    #[test]
    fn a_plane_is_taken_where_it_tells_all() {
        let flat = examples(2, MANY, 5, 3.0);
        assert!(fit(&flat, &|_| {}).unwrap().iter().all(|direction| direction.quadric.is_none()));
    }

    #[test]
    fn progress_comes_to_its_end() {
        for (examples, end) in [(examples(2, 10, 4, 3.0), 12), (crossed(), 12)] {
            let most = AtomicUsize::new(0);
            fit(&examples, &|progress| {
                assert!(progress.done <= progress.of);
                most.fetch_max(progress.done, Ordering::Relaxed);
            })
            .unwrap();
            assert_eq!((most.into_inner(), parts(&examples)), (end, end));
        }
    }
}
