//! Schedules and ranges: what can be given wherever a number can.

use std::ops::Range as Span;

use toml::de::DeValue;

use crate::keys::{Bounds, KEYFRAMES, Kind, Single};
use crate::plan::{Key, Range, Schedule};
use crate::read::expression;
use crate::read::reader::{Reader, Value};
use crate::read::scalars::number_of;
use crate::read::timeline::{Check, Rule};
use crate::report::nearest::nearest;
use crate::report::numbers::with_point;
use crate::sources::origin::Origin;

/// The maximum number of keyframes in a schedule.
const MOST_KEYS: usize = 1000;

impl<'a> Reader<'a> {
    /// Reads a number, an expression, or keyframes. Checks that need the timeline are put aside for later.
    pub fn schedule(&mut self, value: &Value<'a>, bounds: Bounds) -> Option<Schedule> {
        match value.node {
            DeValue::Integer(_) | DeValue::Float(_) => self.number(value, bounds).map(Schedule::Constant),
            DeValue::String(text) => self.expression(value, text, bounds),
            DeValue::Table(_) => self.keyframes(value, bounds),
            _ => {
                self.wrong_type(value);
                None
            }
        }
    }

    fn expression(&mut self, value: &Value<'a>, text: &str, bounds: Bounds) -> Option<Schedule> {
        let expr = match expression::parse(text) {
            Ok(expr) => expr,
            Err(problem) => {
                let span = self.within_string(value, text, &problem.span);
                let diagnostic = self.error(span, problem.message);
                diagnostic.expected = problem.expected;
                diagnostic.hint = problem.hint;
                if let Some(hint) = other_than_expression(text, value.kind) {
                    diagnostic.hint = Some(hint);
                }
                return None;
            }
        };
        let schedule = Schedule::Expression(expr);
        if let Some(constant) = schedule.constant() {
            return self.hold(value, bounds, constant).then_some(Schedule::Constant(constant));
        }
        self.put_aside(value, Rule::Within(schedule.clone(), bounds));
        Some(schedule)
    }

    fn put_aside(&mut self, value: &Value<'a>, rule: Rule) {
        // Advice has already been checked as a whole.
        if value.origin == Origin::Model && self.counsel.is_some() {
            return;
        }
        let check = Check { rule, name: value.name.to_owned(), span: value.span.clone(), phase: self.phase };
        self.checks.push(check);
    }

    /// Returns the place in the file of a part of a string; that of the whole string if escapes have shifted it.
    fn within_string(&self, value: &Value<'a>, text: &str, part: &Span<usize>) -> Span<usize> {
        let raw = self.sources.text(&value.span).filter(|_| value.origin.is_written()).unwrap_or("");
        let quotes = ["\"\"\"\r\n", "\"\"\"\n", "'''\r\n", "'''\n", "\"\"\"", "'''", "\"", "'"];
        let opening = quotes.iter().find(|quotes| raw.starts_with(**quotes)).map_or(0, |quotes| quotes.len());
        let start = value.span.start + opening;
        if raw.get(opening..).is_some_and(|rest| rest.starts_with(text)) {
            start + part.start..start + part.end
        } else {
            value.span.clone()
        }
    }

    fn keyframes(&mut self, value: &Value<'a>, bounds: Bounds) -> Option<Schedule> {
        let fields = self.table(&KEYFRAMES, value)?;
        let ease = fields.get("ease").and_then(|ease| self.chosen(&ease));
        let keys = fields.written("keys")?;
        let Some(items) = keys.items(keys.kind) else {
            self.wrong_type(&keys);
            return None;
        };
        if items.is_empty() {
            self.unfit(&keys, "`keys` is empty");
            return None;
        }
        if items.len() > MOST_KEYS {
            self.unfit(&keys, format!("{} keyframes, but at most {MOST_KEYS} are allowed", items.len()));
            return None;
        }
        let before = self.diagnostics.len();
        let mut read = Vec::with_capacity(items.len());
        for item in &items {
            let Some(pair) = item.items(Kind::Number(bounds)).filter(|pair| pair.len() == 2) else {
                self.error(item.span.clone(), "a keyframe is a pair of numbers").expected =
                    Some("[time, value]".into());
                continue;
            };
            let name = value.name;
            let time = Value { name: "time", kind: Kind::Number(TIMES), ..pair[0].clone() };
            let worth = Value { name, ..pair[1].clone() };
            if let (Some(t), Some(value)) = (self.number(&time, TIMES), self.number(&worth, bounds)) {
                if read.last().is_some_and(|last: &Key| last.t > t) {
                    let diagnostic = self.error(time.span.clone(), "this keyframe is earlier than the one before it");
                    diagnostic.hint = Some("write keyframes in the order of their times".into());
                }
                read.push(Key { t, value });
            }
        }
        let ease = ease?.word;
        (self.diagnostics.len() == before).then_some(Schedule::Keys { keys: read, ease })
    }

    /// Reads what a stage draws from: one schedule, whose meaning `single` gives, or one for each end.
    pub fn range(&mut self, value: &Value<'a>, single: Single, bounds: Bounds) -> Option<Range> {
        let Some(ends) = value.items(Kind::Schedule(bounds)) else {
            return self.single(value, single, bounds);
        };
        let [low, high] = ends.as_slice() else {
            self.unfit(value, format!("a range has two ends, not {}", ends.len()));
            return None;
        };
        let (low, high) = (self.schedule(low, bounds), self.schedule(high, bounds));
        let (low, high) = (low?, high?);
        match (low.constant(), high.constant()) {
            (Some(a), Some(b)) if a > b => {
                let diagnostic = self.error(value.span.clone(), format!("`{}` runs from {a} down to {b}", value.name));
                diagnostic.hint = Some(format!("the lower end first: [{b}, {a}]"));
                return None;
            }
            (Some(_), Some(_)) => {}
            _ => self.put_aside(value, Rule::Ordered(low.clone(), high.clone())),
        }
        Some(Range { low, high })
    }

    fn single(&mut self, value: &Value<'a>, single: Single, bounds: Bounds) -> Option<Range> {
        let reach = Bounds { low: bounds.low.max(0.0), ..bounds };
        let negative = number_of(value.node).is_some_and(|number| number < 0.0);
        if single == Single::MinusToPlus && negative {
            let diagnostic = self.error(
                value.span.clone(),
                format!("`{}` covers both directions: one number n means from -n to n", value.name),
            );
            diagnostic.expected = Some(format!("a number {}", reach.words()));
            diagnostic.hint = Some("for one direction only, give both ends: [low, high]".into());
            return None;
        }
        let high = self.schedule(value, reach)?;
        let low = match single {
            Single::MinusToPlus => high.clone().times(Schedule::Constant(-1.0)),
            Single::FromZero => Schedule::Constant(0.0),
            Single::Fixed => high.clone(),
        };
        Some(Range { low, high })
    }
}

/// Returns a hint for a text that is not an expression but has a likely meaning: a number with a decimal comma, or "off".
fn other_than_expression(text: &str, kind: Kind) -> Option<String> {
    if let Some(number) = with_point(text) {
        return Some(format!("write {number}"));
    }
    let off = nearest(text.trim(), ["off"]).is_some() || ["no", "none", "false"].contains(&text.trim());
    (matches!(kind, Kind::Switchable(_)) && off).then(|| "did you mean \"off\"?".to_owned())
}

/// The bounds of keyframes' times.
const TIMES: Bounds = Bounds::within(0.0, 1.0);
