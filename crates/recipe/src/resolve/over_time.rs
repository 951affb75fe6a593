//! Checks schedules over all steps of a run: does a value ever leave its range?

use crate::plan::Time;
use crate::read::reader::Reader;
use crate::read::timeline::{Check, Rule, Timeline, samples, size};
use crate::report::numbers::short;

/// Runs all checks that the recipe's reader has put aside. `phase_name` names phases in messages.
pub(crate) fn check(reader: &mut Reader<'_>, timeline: &Timeline, phase_name: impl Fn(usize) -> String) {
    let checks = std::mem::take(&mut reader.checks);
    let sizes = checks.iter().map(|check| match &check.rule {
        Rule::Within(schedule, _) => size(schedule),
        Rule::Ordered(low, high) => size(low) + size(high),
    });
    let sizes: u64 = sizes.sum();
    let most = samples(sizes);
    for check in checks {
        let found = timeline.moments(check.phase, most).find_map(|(phase, time)| {
            let (message, expected) = broken(&check, &time)?;
            Some((message, expected, phase, time))
        });
        if let Some((message, expected, phase, time)) = found {
            let place = format!("at step {} of phase \"{}\" (t = {})", time.step, phase_name(phase), short(time.t));
            reader.error(check.span, format!("{message} {place}")).expected = expected;
        }
    }
}

/// Returns what is wrong at a moment, and what was expected instead.
fn broken(check: &Check, time: &Time) -> Option<(String, Option<String>)> {
    let name = &check.name;
    match &check.rule {
        Rule::Within(schedule, bounds) => {
            let value = schedule.at(time);
            if bounds.hold(value) {
                return None;
            }
            let message = if value.is_finite() {
                format!("`{name}` is {}", short(value))
            } else {
                format!("`{name}` is not finite")
            };
            Some((message, Some(format!("values {}", bounds.words()))))
        }
        Rule::Ordered(low, high) => {
            let (low, high) = (low.at(time), high.at(time));
            (low > high).then(|| {
                (
                    format!("`{name}` runs from {} down to {}", short(low), short(high)),
                    Some("the lower end first".to_owned()),
                )
            })
        }
    }
}
