//! The tokens of an expression, and what can be wrong with it.

use std::ops::Range;

use crate::plan::Operator;

/// An error in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the expression that it concerns; empty and at the end if something is missing.
    pub span: Range<usize>,
    pub message: String,
    pub expected: Option<String>,
    pub hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Problem { span, message: message.into(), expected: None, hint: None }
    }

    pub(crate) fn expected(self, expected: impl Into<String>) -> Self {
        Problem { expected: Some(expected.into()), ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Problem { hint: Some(hint.into()), ..self }
    }
}

/// A token of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Operator(Operator),
    Open,
    Close,
    Comma,
}

/// Splits an expression into its tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Problem> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        if first.is_whitespace() {
            start += first.len_utf8();
            continue;
        }
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            number(rest).map_err(|length| Problem::new(start..start + length, "this is not a number"))?
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (Token::Name(&rest[..length]), length)
        } else {
            symbol(rest, first, start)?
        };
        tokens.push((token, start..start + length));
        start += length;
    }
    Ok(tokens)
}

/// Reads a number at the beginning of a text, with its length. Fails with the length of text that is not a number.
fn number(text: &str) -> Result<(Token<'static>, usize), usize> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length += 1 + digits(length + 1);
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    match text[..length].parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), length)),
        _ => Err(length),
    }
}

fn symbol(rest: &str, first: char, start: usize) -> Result<(Token<'static>, usize), Problem> {
    let operators = [
        ("<=", Operator::LessEqual),
        (">=", Operator::GreaterEqual),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("%", Operator::Remainder),
        ("^", Operator::Power),
    ];
    if rest.starts_with("**") {
        return Err(Problem::new(start..start + 2, "there is no operator `**`").hint("powers are written with ^: t^2"));
    }
    if let Some((symbol, operator)) = operators.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Ok((Token::Operator(*operator), symbol.len()));
    }
    match first {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        ',' => Ok((Token::Comma, 1)),
        _ => {
            let problem = Problem::new(start..start + first.len_utf8(), format!("`{first}` means nothing here"));
            Err(match first {
                '=' => problem.hint("values are compared with =="),
                '×' | '·' => problem.hint("products are written with *"),
                '÷' | ':' => problem.hint("divisions are written with /"),
                '−' | '–' => problem.hint("the minus sign is -"),
                '&' | '|' | '!' => problem.hint("min(a, b) serves as \"and\", max(a, b) as \"or\", 1 - a as \"not\""),
                '?' => problem.hint("choices are written if(condition, a, b)"),
                '[' | '{' => problem.hint("parentheses are written ( and )"),
                _ => problem,
            })
        }
    }
}
