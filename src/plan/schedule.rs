//! Values over time: a number, keyframes, or a parsed expression.

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
    /// The moment of step `index` of a phase of `steps` steps that begins at step `start` of a run of `total` steps.
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
    /// Keyframes over the phase's `t`, in ascending order, at least one.
    Keys {
        keys: Vec<Key>,
        ease: Ease,
    },
}

/// A keyframe: at `t` the value is `value`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    pub t: f64,
    pub value: f64,
}

/// How a value moves between keyframes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ease {
    Linear,
    Smooth,
    Cosine,
    Hold,
}

impl Schedule {
    /// The value at a moment.
    pub fn at(&self, time: &Time) -> f64 {
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Keys { .. } => todo!("keyframes at {time:?}"),
        }
    }
}
