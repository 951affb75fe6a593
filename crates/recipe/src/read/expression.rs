//! Parses expression strings to [`Expr`] by operator precedence.
//!
//! From loosest to tightest: comparisons (which do not chain), `+ -`, `* / %`, the minus sign, `^` (from the right).

use std::ops::Range;

use crate::plan::{Expr, Function, Operator, Variable};
pub use crate::read::tokens::Problem;
use crate::read::tokens::{Token, tokens};
use crate::report::nearest::did_you_mean;

/// The longest expression, in bytes.
pub const LONGEST: usize = 1000;
/// How deep parentheses, calls, signs and powers can nest.
pub const DEEPEST: usize = 64;

/// Parses an expression.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    if text.len() > LONGEST {
        let message = format!("this expression is {} bytes long, but the limit is {LONGEST}", text.len());
        return Err(Problem::new(0..text.len(), message));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0, end: text.len() };
    let expr = parser.expression(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some((Token::Close, span)) => Err(Problem::new(span, "this parenthesis was never opened")),
        Some((Token::Comma, span)) => {
            Err(Problem::new(span, "a comma is only allowed between the arguments of a function"))
        }
        Some((token, span)) => Err(Problem::new(span, "an operator is missing before this").hint(joined(&token))),
    }
}

/// Returns a hint for a word that follows another without an operator.
fn joined(token: &Token<'_>) -> &'static str {
    match token {
        Token::Name("if" | "else") => "choices are written if(condition, a, b)",
        Token::Name("and" | "or" | "not") => "min(a, b) serves as \"and\", max(a, b) as \"or\", 1 - a as \"not\"",
        _ => "products are written with *: 2*t",
    }
}

struct Parser<'a> {
    tokens: &'a [(Token<'a>, Range<usize>)],
    next: usize,
    depth: usize,
    /// The end of the text.
    end: usize,
}

/// Returns how tightly an operator binds on its left and on its right.
fn binding(operator: Operator) -> (u8, u8) {
    match operator {
        Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::Equal
        | Operator::NotEqual => (1, 2),
        Operator::Add | Operator::Subtract => (3, 4),
        Operator::Multiply | Operator::Divide | Operator::Remainder => (5, 6),
        Operator::Power => (9, 8),
    }
}

/// How tightly the minus sign binds what follows it: -t^2 is -(t^2).
const SIGN: u8 = 7;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<(Token<'a>, Range<usize>)> {
        self.tokens.get(self.next).cloned()
    }

    fn here(&self) -> Range<usize> {
        self.peek().map_or(self.end..self.end, |(_, span)| span)
    }

    /// Parses an expression of operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expr, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::new(
                self.here(),
                format!("this expression is nested more than {DEEPEST} levels deep"),
            ));
        }
        let mut left = self.operand()?;
        let mut compared = false;
        while let Some((Token::Operator(operator), span)) = self.peek() {
            let (before, after) = binding(operator);
            if before < least {
                break;
            }
            let comparison = before == 1;
            if comparison && compared {
                return Err(
                    Problem::new(span, "comparisons cannot be chained").hint("min(a < b, b < c) is 1 where both hold")
                );
            }
            compared = comparison;
            self.next += 1;
            let right = self.expression(after)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, Problem> {
        let wanted = "a number, t, T, step, pi, a function or a parenthesis";
        let Some((token, span)) = self.peek() else {
            let message =
                if self.tokens.is_empty() { "this expression is empty" } else { "this expression ends too early" };
            return Err(Problem::new(self.end..self.end, message).expected(wanted));
        };
        self.next += 1;
        match token {
            Token::Number(value) => Ok(Expr::Number(value)),
            Token::Operator(Operator::Subtract) => Ok(Expr::Negate(Box::new(self.expression(SIGN)?))),
            Token::Operator(Operator::Add) => self.expression(SIGN),
            Token::Open => {
                let inner = self.expression(0)?;
                self.close(&span)?;
                Ok(inner)
            }
            Token::Name(name) => self.name(name, span),
            Token::Operator(_) | Token::Close | Token::Comma => {
                Err(Problem::new(span, "a value is missing before this").expected(wanted))
            }
        }
    }

    /// Consumes the parenthesis that closes the one at `open`.
    fn close(&mut self, open: &Range<usize>) -> Result<(), Problem> {
        match self.peek() {
            Some((Token::Close, _)) => {
                self.next += 1;
                Ok(())
            }
            Some((Token::Comma, span)) => {
                Err(Problem::new(span, "a comma is only allowed between the arguments of a function"))
            }
            Some((token, span)) => {
                let problem = Problem::new(span, "an operator is missing before this").expected("an operator or `)`");
                Err(problem.hint(joined(&token)))
            }
            None => Err(Problem::new(open.clone(), "this parenthesis is never closed")),
        }
    }

    fn name(&mut self, name: &str, span: Range<usize>) -> Result<Expr, Problem> {
        let called = self.peek().filter(|(token, _)| *token == Token::Open);
        if let Some((_, open)) = called {
            let Some(function) = Function::named(name) else {
                let known = Function::ALL.iter().map(|(function, ..)| function.name());
                let problem = Problem::new(span, format!("there is no function `{name}`"));
                return Err(Problem { hint: did_you_mean(name, known, "functions"), ..problem });
            };
            self.next += 1;
            return self.call(function, span, open);
        }
        if let Some((variable, ..)) = Variable::ALL.iter().find(|(_, known, _)| *known == name) {
            return Ok(Expr::Variable(*variable));
        }
        if name == "pi" {
            return Ok(Expr::Number(std::f64::consts::PI));
        }
        if let Some(function) = Function::named(name) {
            let problem = Problem::new(span, format!("`{name}` is a function and needs its arguments"));
            return Err(problem.hint(function.signature()));
        }
        let functions = Function::ALL.iter().map(|(function, ..)| function.name());
        let known = Variable::ALL.iter().map(|(_, known, _)| *known).chain(["pi"]).chain(functions);
        let problem = Problem::new(span, format!("unknown name `{name}`"));
        Err(Problem { hint: did_you_mean(name, known, "there are"), ..problem })
    }

    /// Parses the arguments of a function, starting after its opening parenthesis.
    fn call(&mut self, function: Function, span: Range<usize>, open: Range<usize>) -> Result<Expr, Problem> {
        let mut arguments = Vec::new();
        if matches!(self.peek(), Some((Token::Close, _))) {
            self.next += 1;
        } else {
            loop {
                arguments.push(self.expression(0)?);
                if !matches!(self.peek(), Some((Token::Comma, _))) {
                    break;
                }
                self.next += 1;
            }
            self.close(&open)?;
        }
        let (fewest, most) = function.arguments();
        if (fewest..=most).contains(&arguments.len()) {
            return Ok(Expr::Call(function, arguments));
        }
        let count = match (fewest, most) {
            (1, 1) => "1 argument".to_owned(),
            _ if fewest == most => format!("{fewest} arguments"),
            _ => format!("{fewest} to {most} arguments"),
        };
        let message = format!("`{}` takes {count}, not {}", function.name(), arguments.len());
        Err(Problem::new(span, message).hint(function.signature()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Time;

    fn at(text: &str, t: f64) -> f64 {
        parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}")).at(&Time { t, whole: 0.5, step: 7 })
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, value) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("2 ^ 3 ^ 2", 512.0),
            ("-2 ^ 2", -4.0),
            ("2 ^ -1", 0.5),
            ("-2 * -3", 6.0),
            ("8 / 4 / 2", 1.0),
            ("8 - 4 - 2", 2.0),
            ("7 % 4 * 2", 6.0),
            ("1 + 1 < 3", 1.0),
            ("3 <= 2 + 0", 0.0),
            ("(1 < 2) == (2 < 3)", 1.0),
            ("--3", 3.0),
            ("+3", 3.0),
            ("1e-1 + .5 + 2.", 2.6),
            ("pi", std::f64::consts::PI),
        ] {
            assert_eq!(at(text, 0.0), value, "{text}");
        }
    }

    #[test]
    fn time_and_functions_are_known() {
        assert_eq!(at("t", 0.25), 0.25);
        assert_eq!(at("T + step", 0.0), 7.5);
        assert_eq!(at("step(0.5, t) + step", 0.75), 8.0);
        assert_eq!(at("if(t < 0.5, 1, 2)", 0.5), 2.0);
        assert_eq!(at("0.05 * (1 - 0.9*t)", 1.0), 0.05 * (1.0 - 0.9));
        assert_eq!(at("max(1, 2, t, 4, 3)", 0.0), 4.0);
        assert_eq!(at("lerp(5, 24, clamp(T / 0.7, 0, 1))", 0.0), 5.0 * (1.0 - 0.5 / 0.7) + 24.0 * (0.5 / 0.7));
    }

    #[test]
    fn problems_point_at_the_word() {
        for (text, word, message) in [
            ("1 + x", "x", "unknown name `x`"),
            ("sinn(t)", "sinn", "there is no function `sinn`"),
            ("sin + 1", "sin", "`sin` is a function and needs its arguments"),
            ("lerp(1, 2)", "lerp", "`lerp` takes 3 arguments, not 2"),
            ("sin()", "sin", "`sin` takes 1 argument, not 0"),
            ("2t", "t", "an operator is missing before this"),
            ("1 + (2 * 3", "(", "this parenthesis is never closed"),
            ("1 + 2)", ")", "this parenthesis was never opened"),
            ("1 +", "", "this expression ends too early"),
            ("", "", "this expression is empty"),
            ("1, 2", ",", "a comma is only allowed between the arguments of a function"),
            ("t ** 2", "**", "there is no operator `**`"),
            ("t = 2", "=", "`=` means nothing here"),
            ("1 < t < 2", "< 2", "comparisons cannot be chained"),
            ("* 2", "*", "a value is missing before this"),
            ("1 + .", ".", "this is not a number"),
            ("1e999", "1e999", "this is not a number"),
            ("t ü", "ü", "an operator is missing before this"),
            ("t § 2", "§", "`§` means nothing here"),
        ] {
            let problem = parse(text).expect_err(text);
            assert_eq!(problem.message, message, "{text}");
            let start = if word.is_empty() { text.len() } else { text.rfind(word).unwrap() };
            assert_eq!(problem.span.start, start, "{text}");
            assert!(text.get(problem.span.clone()).is_some(), "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |n: usize| format!("{}t{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&deep(DEEPEST - 1)).is_ok());
        assert!(parse(&deep(DEEPEST)).unwrap_err().message.contains("nested"));
        assert!(parse(&"-".repeat(900)).unwrap_err().message.contains("nested"));
        let long = format!("t{}", "+t".repeat(499));
        assert_eq!(at(&long, 1.0), 500.0);
        assert!(parse(&format!("{long}+t")).unwrap_err().message.contains("the limit is 1000"));
    }

    fn expressions() -> impl Strategy<Value = Expr> {
        let numbers = prop_oneof![0.0..1e6f64, (0u32..100).prop_map(f64::from)].prop_map(Expr::Number);
        let variables = (0..Variable::ALL.len()).prop_map(|index| Expr::Variable(Variable::ALL[index].0));
        prop_oneof![numbers, variables].prop_recursive(4, 24, 3, |inner| {
            let operators = prop::sample::select(vec![
                Operator::Add,
                Operator::Subtract,
                Operator::Multiply,
                Operator::Divide,
                Operator::Remainder,
                Operator::Power,
                Operator::Less,
                Operator::LessEqual,
                Operator::Greater,
                Operator::GreaterEqual,
                Operator::Equal,
                Operator::NotEqual,
            ]);
            let functions = (0..Function::ALL.len()).prop_map(|index| Function::ALL[index].0);
            prop_oneof![
                inner.clone().prop_map(|expr| Expr::Negate(Box::new(expr))),
                (operators, inner.clone(), inner.clone()).prop_map(|(operator, a, b)| Expr::Binary(
                    operator,
                    Box::new(a),
                    Box::new(b)
                )),
                (functions, prop::collection::vec(inner, 3)).prop_map(|(function, mut arguments)| {
                    arguments.truncate(function.arguments().1);
                    arguments.truncate(if function == Function::Step { 2 } else { 3 });
                    Expr::Call(function, arguments)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(expr in expressions()) {
            let text = expr.to_string();
            prop_assume!(text.len() <= LONGEST);
            prop_assert_eq!(parse(&text), Ok(expr), "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn nothing_like_an_expression_panics(text in "[-+*/%^<>=!(),.0-9etTpixsnmalrp ]{0,60}") {
            match parse(&text) {
                Ok(expr) => { expr.at(&Time { t: 0.5, whole: 0.5, step: 3 }); }
                Err(problem) => prop_assert!(text.get(problem.span).is_some()),
            }
        }
    }
}
