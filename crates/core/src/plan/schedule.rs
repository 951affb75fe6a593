//! Values over time: a number, keyframes, or a parsed expression.

use super::Expr;
use super::words::words;

/// A moment of a render.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// Within the phase, 0 at its first step, 1 at its last.
    pub t: f64,
    /// Within the whole run, likewise (`T` in recipes).
    pub whole: f64,
    /// Steps since the start of the run.
    pub step: u64,
}

impl Time {
    /// Returns the moment of step `index` of a phase of `steps` steps that begins at step `start` of a run of `total` steps.
    pub fn new(index: u64, steps: u64, start: u64, total: u64) -> Self {
        let fraction = |i: u64, n: u64| {
            if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 }
        };
        Time { t: fraction(index, steps), whole: fraction(start + index, total), step: start + index }
    }
}

/// A value over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    Constant(f64),
    /// Keyframes over the phase's `t`: at least one, with ascending times. If two share a time, the value jumps.
    Keys {
        keys: Vec<Key>,
        ease: Ease,
    },
    /// Arithmetic over the moment.
    Expression(Expr),
    /// The product of schedules.
    Product(Vec<Schedule>),
}

/// A keyframe: at `t` the value is `value`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    pub t: f64,
    pub value: f64,
}

/// How a value moves between keyframes; x runs from 0 at one to 1 at the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ease {
    /// x.
    Linear,
    /// x^2 (3 - 2x).
    Smooth,
    /// (1 - cos(pi x)) / 2.
    Cosine,
    /// 0: the value stays until the next keyframe.
    Hold,
}

words!(Ease { Linear: "linear", Smooth: "smooth", Cosine: "cosine", Hold: "hold" });

impl Ease {
    /// Returns the share of the way from one value to the next, at a share x of the time between them; both 0..1.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Ease::Linear => x,
            Ease::Smooth => x * x * (3.0 - 2.0 * x),
            Ease::Cosine => (1.0 - (std::f64::consts::PI * x).cos()) / 2.0,
            Ease::Hold => 0.0,
        }
    }
}

impl Schedule {
    /// Returns the value at a moment. A recipe's schedules have been checked to be finite and in range at the steps of the run.
    pub fn at(&self, time: &Time) -> f64 {
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Keys { keys, ease } => between(keys, *ease, time.t),
            Schedule::Expression(expr) => expr.at(time),
            Schedule::Product(factors) => factors.iter().map(|factor| factor.at(time)).product(),
        }
    }

    /// Returns the value if it is evidently constant, which is decided without evaluating every moment.
    pub fn constant(&self) -> Option<f64> {
        match self {
            Schedule::Constant(value) => Some(*value),
            Schedule::Keys { keys, .. } => {
                let first = keys.first()?.value;
                keys.iter().all(|key| key.value == first).then_some(first)
            }
            Schedule::Expression(expr) => expr.is_constant().then(|| expr.at(&Time::new(0, 1, 0, 1))),
            Schedule::Product(factors) => {
                if factors.iter().any(|factor| factor.constant() == Some(0.0)) {
                    return Some(0.0);
                }
                factors.iter().map(Schedule::constant).product()
            }
        }
    }

    /// Whether the value depends on the length of the whole run (`T`), so that adding a phase changes it.
    pub fn uses_whole(&self) -> bool {
        match self {
            Schedule::Constant(_) | Schedule::Keys { .. } => false,
            Schedule::Expression(expr) => expr.uses_whole(),
            Schedule::Product(factors) => factors.iter().any(Schedule::uses_whole),
        }
    }

    /// Returns the product of two schedules.
    #[must_use]
    pub fn times(self, other: Schedule) -> Schedule {
        match (self.constant(), other.constant()) {
            (Some(a), Some(b)) => Schedule::Constant(a * b),
            (Some(0.0), _) | (_, Some(0.0)) => Schedule::Constant(0.0),
            (Some(1.0), _) => other,
            (_, Some(1.0)) => self,
            _ => Schedule::Product(vec![self, other]),
        }
    }
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Schedule::Constant(value)
    }
}

/// Returns the value of keyframes at `t`: before the first its value, after the last its value.
fn between(keys: &[Key], ease: Ease, t: f64) -> f64 {
    let after = keys.partition_point(|key| key.t <= t);
    match (after.checked_sub(1).and_then(|before| keys.get(before)), keys.get(after)) {
        (Some(a), Some(b)) => a.value + (b.value - a.value) * ease.apply((t - a.t) / (b.t - a.t)),
        (Some(only), None) | (None, Some(only)) => only.value,
        (None, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Operator, Variable};

    fn at(t: f64) -> Time {
        Time { t, whole: 0.0, step: 0 }
    }

    fn keys(ease: Ease) -> Schedule {
        let keys = [(0.25, 2.0), (0.5, 4.0), (0.75, 0.0)];
        Schedule::Keys { keys: keys.map(|(t, value)| Key { t, value }).to_vec(), ease }
    }

    #[test]
    fn keyframes_hold_before_and_after_and_hit_their_values() {
        for ease in [Ease::Linear, Ease::Smooth, Ease::Cosine, Ease::Hold] {
            let schedule = keys(ease);
            for (t, value) in [(0.0, 2.0), (0.25, 2.0), (0.5, 4.0), (0.75, 0.0), (1.0, 0.0)] {
                assert_eq!(schedule.at(&at(t)), value, "{ease:?} at {t}");
            }
        }
    }

    #[test]
    fn easings_differ_between_keyframes() {
        let quarter = at(0.25 + 0.0625);
        assert_eq!(keys(Ease::Linear).at(&quarter), 2.5);
        assert_eq!(keys(Ease::Smooth).at(&quarter), 2.0 + 2.0 * 0.15625);
        assert!((keys(Ease::Cosine).at(&quarter) - (2.0 + 1.0 - (std::f64::consts::PI / 4.0).cos())).abs() < 1e-12);
        assert_eq!(keys(Ease::Hold).at(&quarter), 2.0);
    }

    #[test]
    fn keyframes_at_one_time_jump() {
        let keys = [(0.0, 1.0), (0.5, 1.0), (0.5, 3.0), (1.0, 3.0)].map(|(t, value)| Key { t, value }).to_vec();
        let schedule = Schedule::Keys { keys, ease: Ease::Linear };
        assert_eq!([0.499, 0.5, 0.501].map(|t| schedule.at(&at(t))), [1.0, 3.0, 3.0]);
    }

    #[test]
    fn time_runs_from_0_to_1_in_the_phase_and_in_the_run() {
        assert_eq!(Time::new(0, 5, 10, 20), Time { t: 0.0, whole: 10.0 / 19.0, step: 10 });
        assert_eq!(Time::new(4, 5, 15, 20), Time { t: 1.0, whole: 1.0, step: 19 });
        assert_eq!(Time::new(0, 1, 0, 1).t, 0.0);
    }

    #[test]
    fn products_fold_where_they_can() {
        let t = Schedule::Expression(Expr::Variable(Variable::Phase));
        assert_eq!(Schedule::Constant(2.0).times(Schedule::Constant(3.0)), Schedule::Constant(6.0));
        assert_eq!(t.clone().times(Schedule::Constant(0.0)), Schedule::Constant(0.0));
        assert_eq!(t.clone().times(Schedule::Constant(1.0)), t);
        let product = t.clone().times(Schedule::Constant(3.0));
        assert_eq!(product.at(&at(0.5)), 1.5);
        assert_eq!(product.constant(), None);
        assert!(!product.uses_whole());
    }

    #[test]
    fn expressions_without_a_variable_are_constant() {
        let two = || Box::new(Expr::Number(2.0));
        let four = Schedule::Expression(Expr::Binary(Operator::Multiply, two(), two()));
        assert_eq!(four.constant(), Some(4.0));
        assert!(Schedule::Expression(Expr::Variable(Variable::Whole)).uses_whole());
    }
}
