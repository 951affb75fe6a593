//! Arithmetic over time, compiled from a recipe's expression strings.
//!
//! An [`Expr`] only computes: it has no names to look up, no loops, and no calls but the [`Function`]s below. Whoever builds it bounds
//! its size, so evaluation always ends, and soon.

use std::fmt;

use super::{Ease, Time};

/// An expression over a moment of the render.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Number(f64),
    Variable(Variable),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// The function must accept this number of arguments, see [`Function::arguments`].
    Call(Function, Vec<Expr>),
}

/// A property of the moment that an expression can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `t`: 0 at the phase's first step, 1 at its last.
    Phase,
    /// `T`: 0 at the run's first step, 1 at its last.
    Whole,
    /// `step`: steps since the start of the run.
    Step,
}

impl Variable {
    /// Every variable with its name in recipes and its meaning.
    pub const ALL: [(Variable, &str, &str); 3] = [
        (Variable::Phase, "t", "time within the phase: 0 at its first step, 1 at its last"),
        (Variable::Whole, "T", "time within the whole run: 0 at its first step, 1 at its last"),
        (Variable::Step, "step", "steps since the start of the run, counted from 0"),
    ];
}

/// Operators between two values. Comparisons give 1 for true and 0 for false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// The remainder of a division rounded down: a - b floor(a / b), with the sign of b.
    Remainder,
    Power,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

impl Operator {
    /// As written in recipes.
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Power => "^",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
        }
    }

    fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |yes: bool| if yes { 1.0 } else { 0.0 };
        match self {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
            Operator::Remainder => a - b * (a / b).floor(),
            Operator::Power => a.powf(b),
            Operator::Less => truth(a < b),
            Operator::LessEqual => truth(a <= b),
            Operator::Greater => truth(a > b),
            Operator::GreaterEqual => truth(a >= b),
            Operator::Equal => truth(a == b),
            Operator::NotEqual => truth(a != b),
        }
    }
}

/// The functions an expression can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Sin,
    Cos,
    Exp,
    Log,
    Sqrt,
    Abs,
    Floor,
    Min,
    Max,
    Clamp,
    Lerp,
    Smoothstep,
    Step,
    If,
}

impl Function {
    /// Every function with its signature and its meaning; its name is the part before the parenthesis.
    pub const ALL: [(Function, &str, &str); 14] = [
        (Function::Sin, "sin(x)", "sine, x in radians"),
        (Function::Cos, "cos(x)", "cosine, x in radians"),
        (Function::Exp, "exp(x)", "e to the power x"),
        (Function::Log, "log(x)", "natural logarithm"),
        (Function::Sqrt, "sqrt(x)", "square root"),
        (Function::Abs, "abs(x)", "x without its sign"),
        (Function::Floor, "floor(x)", "the whole number at or below x"),
        (Function::Min, "min(a, b, ...)", "the smallest"),
        (Function::Max, "max(a, b, ...)", "the largest"),
        (Function::Clamp, "clamp(x, low, high)", "x, held between low and high"),
        (Function::Lerp, "lerp(a, b, x)", "from a at x = 0 straight to b at x = 1"),
        (Function::Smoothstep, "smoothstep(a, b, x)", "0 up to x = a, 1 from x = b on, smooth between"),
        (Function::Step, "step(a, x)", "0 below x = a, 1 from there on"),
        (Function::If, "if(condition, a, b)", "a where the condition is not 0, otherwise b"),
    ];

    /// Returns the function as written in recipes, with its arguments.
    pub fn signature(self) -> &'static str {
        // Every function is in the table; a test checks this.
        Self::ALL.iter().find(|(function, ..)| *function == self).map_or("", |(_, signature, _)| signature)
    }

    /// As written in recipes.
    pub fn name(self) -> &'static str {
        name_in(self.signature())
    }

    /// Returns the function with a name.
    pub fn named(name: &str) -> Option<Function> {
        Self::ALL.iter().find(|(_, signature, _)| name_in(signature) == name).map(|(function, ..)| *function)
    }

    /// Returns the minimum and the maximum number of arguments.
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Function::Sin
            | Function::Cos
            | Function::Exp
            | Function::Log
            | Function::Sqrt
            | Function::Abs
            | Function::Floor => (1, 1),
            Function::Min | Function::Max => (2, 16),
            Function::Step => (2, 2),
            Function::Clamp | Function::Lerp | Function::Smoothstep | Function::If => (3, 3),
        }
    }
}

/// Returns the part of a signature before its parenthesis.
fn name_in(signature: &str) -> &str {
    signature.split('(').next().unwrap_or(signature)
}

impl Expr {
    /// Returns the value at a moment; it is not finite where the arithmetic is not (1/0, log of 0).
    pub fn at(&self, time: &Time) -> f64 {
        match self {
            Expr::Number(value) => *value,
            Expr::Variable(Variable::Phase) => time.t,
            Expr::Variable(Variable::Whole) => time.whole,
            Expr::Variable(Variable::Step) => time.step as f64,
            Expr::Negate(inner) => -inner.at(time),
            Expr::Binary(operator, a, b) => operator.apply(a.at(time), b.at(time)),
            Expr::Call(function, arguments) => call(*function, arguments, time),
        }
    }

    /// Whether the value is the same at every moment.
    pub fn is_constant(&self) -> bool {
        match self {
            Expr::Number(_) => true,
            Expr::Variable(_) => false,
            Expr::Negate(inner) => inner.is_constant(),
            Expr::Binary(_, a, b) => a.is_constant() && b.is_constant(),
            Expr::Call(_, arguments) => arguments.iter().all(Expr::is_constant),
        }
    }

    /// Whether the value depends on the length of the whole run (`T`).
    pub fn uses_whole(&self) -> bool {
        match self {
            Expr::Number(_) => false,
            Expr::Variable(variable) => *variable == Variable::Whole,
            Expr::Negate(inner) => inner.uses_whole(),
            Expr::Binary(_, a, b) => a.uses_whole() || b.uses_whole(),
            Expr::Call(_, arguments) => arguments.iter().any(Expr::uses_whole),
        }
    }

    /// Returns the number of numbers, variables, operators and calls in it.
    pub fn size(&self) -> usize {
        1 + match self {
            Expr::Number(_) | Expr::Variable(_) => 0,
            Expr::Negate(inner) => inner.size(),
            Expr::Binary(_, a, b) => a.size() + b.size(),
            Expr::Call(_, arguments) => arguments.iter().map(Expr::size).sum(),
        }
    }
}

/// Calls a function. Arguments are evaluated one by one, so `if` does not evaluate the branch that it does not take. A missing argument,
/// which [`Function::arguments`] rules out, counts as not a number.
fn call(function: Function, arguments: &[Expr], time: &Time) -> f64 {
    let argument = |index: usize| arguments.get(index).map_or(f64::NAN, |argument: &Expr| argument.at(time));
    // f64::min and max would drop a NaN.
    let fold = |better: fn(f64, f64) -> bool| {
        let values = arguments.iter().map(|argument| argument.at(time));
        values.reduce(|a, b| if a.is_nan() || better(a, b) { a } else { b }).unwrap_or(f64::NAN)
    };
    match function {
        Function::Sin => argument(0).sin(),
        Function::Cos => argument(0).cos(),
        Function::Exp => argument(0).exp(),
        Function::Log => argument(0).ln(),
        Function::Sqrt => argument(0).sqrt(),
        Function::Abs => argument(0).abs(),
        Function::Floor => argument(0).floor(),
        Function::Min => fold(|a, b| a < b),
        Function::Max => fold(|a, b| a > b),
        Function::Clamp => {
            let (x, low, high) = (argument(0), argument(1), argument(2));
            if x < low {
                low
            } else if x > high {
                high
            } else {
                x
            }
        }
        Function::Lerp => {
            let (a, b, x) = (argument(0), argument(1), argument(2));
            a * (1.0 - x) + b * x
        }
        Function::Smoothstep => {
            let (a, b, x) = (argument(0), argument(1), argument(2));
            // Equal edges make a step, not 0/0.
            let x = if x < a {
                0.0
            } else if x >= b {
                1.0
            } else {
                (x - a) / (b - a)
            };
            Ease::Smooth.apply(x)
        }
        Function::Step => {
            let (a, x) = (argument(0), argument(1));
            if x < a {
                0.0
            } else if x >= a {
                1.0
            } else {
                f64::NAN
            }
        }
        Function::If => argument(if argument(0) != 0.0 { 1 } else { 2 }),
    }
}

/// Formats it as a recipe would write it, with parentheses around every operation except the outermost.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = |expr: &Expr, f: &mut fmt::Formatter<'_>| match expr {
            Expr::Negate(_) | Expr::Binary(..) => write!(f, "({expr})"),
            Expr::Number(value) if *value < 0.0 => write!(f, "({value})"),
            _ => write!(f, "{expr}"),
        };
        match self {
            Expr::Number(value) => write!(f, "{value}"),
            Expr::Variable(variable) => {
                let name = Variable::ALL.iter().find(|(other, ..)| other == variable).map_or("", |(_, name, _)| name);
                f.write_str(name)
            }
            Expr::Negate(expr) => {
                f.write_str("-")?;
                inner(expr, f)
            }
            Expr::Binary(operator, a, b) => {
                inner(a, f)?;
                write!(f, " {} ", operator.symbol())?;
                inner(b, f)
            }
            Expr::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                for (index, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if index > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(function: Function, arguments: &[f64]) -> f64 {
        let arguments = arguments.iter().map(|value| Expr::Number(*value)).collect();
        Expr::Call(function, arguments).at(&Time::new(0, 1, 0, 1))
    }

    #[test]
    fn every_function_computes_what_its_table_says() {
        assert_eq!(value(Function::Sin, &[0.5]), 0.5f64.sin());
        assert_eq!(value(Function::Cos, &[0.5]), 0.5f64.cos());
        assert_eq!(value(Function::Exp, &[1.0]), std::f64::consts::E);
        assert_eq!(value(Function::Log, &[std::f64::consts::E]), 1.0);
        assert_eq!(value(Function::Sqrt, &[9.0]), 3.0);
        assert_eq!(value(Function::Abs, &[-2.5]), 2.5);
        assert_eq!(value(Function::Floor, &[-2.5]), -3.0);
        assert_eq!(value(Function::Min, &[3.0, -1.0, 2.0]), -1.0);
        assert_eq!(value(Function::Max, &[3.0, -1.0, 4.0]), 4.0);
        assert_eq!(value(Function::Clamp, &[5.0, 0.0, 1.0]), 1.0);
        assert_eq!(value(Function::Clamp, &[-5.0, 0.0, 1.0]), 0.0);
        assert_eq!(value(Function::Lerp, &[2.0, 4.0, 0.25]), 2.5);
        assert_eq!(value(Function::Smoothstep, &[0.0, 1.0, 0.5]), 0.5);
        assert_eq!(value(Function::Smoothstep, &[0.0, 2.0, 0.5]), 0.25 * 0.25 * (3.0 - 0.5));
        assert_eq!(value(Function::Smoothstep, &[0.5, 0.5, 0.4]), 0.0);
        assert_eq!(value(Function::Smoothstep, &[0.5, 0.5, 0.5]), 1.0);
        assert_eq!(value(Function::Step, &[0.5, 0.4]), 0.0);
        assert_eq!(value(Function::Step, &[0.5, 0.5]), 1.0);
        assert_eq!(value(Function::If, &[0.0, 1.0, 2.0]), 2.0);
        assert_eq!(value(Function::If, &[0.1, 1.0, 2.0]), 1.0);
    }

    #[test]
    fn nothing_hides_a_value_that_is_not_a_number() {
        assert!(value(Function::Min, &[f64::NAN, 1.0]).is_nan() && value(Function::Max, &[1.0, f64::NAN]).is_nan());
        assert!(value(Function::Clamp, &[f64::NAN, 0.0, 1.0]).is_nan());
        assert!(value(Function::Lerp, &[]).is_nan());
    }

    #[test]
    fn the_remainder_takes_the_divisors_sign() {
        assert_eq!(Operator::Remainder.apply(-0.25, 1.0), 0.75);
        assert_eq!(Operator::Remainder.apply(7.0, 3.0), 1.0);
    }

    #[test]
    fn tables_are_complete() {
        for (function, ..) in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(function));
            assert!(!function.name().is_empty());
        }
    }
}
