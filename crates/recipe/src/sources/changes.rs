//! Describes an edit of a recipe's text as the paths of changed values, written like those of a [`Setting`](crate::given::Setting).

use toml::{Table, Value};

/// Returns the paths of the values that differ between two texts of a recipe, as `--set` takes them: `phase.0.rate`,
/// `detail.sky.prompts`. A value that only one of them has is marked: `phase.2 (new)`, `title (gone)`. The list is empty if only comments
/// and formatting differ. Returns `None` if one of the texts is not TOML.
pub fn changes(before: &str, after: &str) -> Option<Vec<String>> {
    let (before, after): (Table, Table) = (before.parse().ok()?, after.parse().ok()?);
    let mut changes = Vec::new();
    tables("", &before, &after, &mut changes);
    Some(changes)
}

fn tables(path: &str, before: &Table, after: &Table, changes: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { word(key) } else { format!("{path}.{}", word(key)) };
    for (key, value) in after {
        match before.get(key) {
            Some(old) => values(&below(key), old, value, changes),
            None => appeared(&below(key), value, changes),
        }
    }
    for (key, _) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        changes.push(format!("{} (gone)", below(key)));
    }
}

/// Reports a new value. New targets or phases are listed one by one, with their names or positions.
fn appeared(path: &str, value: &Value, changes: &mut Vec<String>) {
    match entries(value) {
        Some(entries) => {
            changes.extend(entries.iter().enumerate().map(|(at, entry)| format!("{path}.{} (new)", place(at, entry))));
        }
        None => changes.push(format!("{path} (new)")),
    }
}

fn values(path: &str, before: &Value, after: &Value, changes: &mut Vec<String>) {
    match (before, after) {
        (Value::Table(before), Value::Table(after)) => tables(path, before, after, changes),
        (before, after) => match (entries(before), entries(after)) {
            (Some(before), Some(after)) => lists(path, &before, &after, changes),
            _ if same(before, after) => {}
            _ => changes.push(path.to_owned()),
        },
    }
}

/// Compares entries by their names if they have any, otherwise by their positions.
fn lists(path: &str, before: &[&Table], after: &[&Table], changes: &mut Vec<String>) {
    let named = |entry: &Table| entry.get("name").and_then(Value::as_str).map(str::to_owned);
    let counterpart = |at: usize, entry: &Table, among: &[&Table]| -> Option<usize> {
        match named(entry) {
            Some(name) => among.iter().position(|other| named(other).as_deref() == Some(&name)),
            None => None,
        }
        .or_else(|| among.get(at).filter(|other| named(other).is_none() || named(entry).is_none()).map(|_| at))
    };
    let mut met = vec![false; before.len()];
    for (at, entry) in after.iter().enumerate() {
        let path = format!("{path}.{}", place(at, entry));
        match counterpart(at, entry, before).filter(|old| !met[*old]) {
            Some(old) => {
                met[old] = true;
                tables(&path, before[old], entry, changes);
            }
            None => changes.push(format!("{path} (new)")),
        }
    }
    for (at, entry) in before.iter().enumerate().filter(|(at, _)| !met[*at]) {
        changes.push(format!("{path}.{} (gone)", place(at, entry)));
    }
    let order = |entries: &[&Table]| entries.iter().filter_map(|entry| named(entry)).collect::<Vec<_>>();
    let (mut old, mut new) = (order(before), order(after));
    if old != new {
        old.sort();
        new.sort();
        if old == new {
            changes.push(format!("{path} (order)"));
        }
    }
}

/// Returns the entries of an array of target or phase tables. Lists of values and of stages count as a single value.
fn entries(value: &Value) -> Option<Vec<&Table>> {
    let entries: Vec<&Table> = value.as_array()?.iter().map(Value::as_table).collect::<Option<_>>()?;
    // A stage is a table with its name as a key, and perhaps a chance.
    let sections = entries.iter().all(|entry| entry.contains_key("prompts") || entry.contains_key("steps"));
    (!entries.is_empty() && sections).then_some(entries)
}

fn place(at: usize, entry: &Table) -> String {
    entry.get("name").and_then(Value::as_str).map_or_else(|| at.to_string(), word)
}

/// Quotes a segment of a path if necessary.
fn word(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// Whether two values are equal. To a recipe, 1 and 1.0 are the same number.
fn same(before: &Value, after: &Value) -> bool {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
    if let (Value::Integer(before), Value::Integer(after)) = (before, after) {
        // Different large integers may be equal as floats.
        return before == after;
    }
    match (number(before), number(after)) {
        (Some(before), Some(after)) => before == after,
        _ => match (before, after) {
            (Value::Array(before), Value::Array(after)) => {
                before.len() == after.len() && before.iter().zip(after).all(|(before, after)| same(before, after))
            }
            (Value::Table(before), Value::Table(after)) => {
                let known = |(key, value): (&String, &Value)| after.get(key).is_some_and(|after| same(value, after));
                before.len() == after.len() && before.iter().all(known)
            }
            (before, after) => before == after,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title = 'a'\nseed = 4\n[stages]\nroam = [{ cover = [0.2, 1] }]\n[[detail]]\nprompts = ['a', 'b']\n\
                        [[detail]]\nname = 'sky'\nprompts = ['c']\n[[phase]]\nsteps = 5\n[[phase]]\nsteps = 6\n";

    fn of(from: &str, to: &str) -> Vec<String> {
        assert!(TEXT.contains(from), "{from}");
        changes(TEXT, &TEXT.replacen(from, to, 1)).unwrap()
    }

    #[test]
    fn changes_are_told_by_their_paths() {
        for (from, to, wanted) in [
            ("seed = 4", "# a comment\nseed   =  4.0", &[][..]),
            ("seed = 4", "seed = 5", &["seed"]),
            ("title = 'a'\n", "", &["title (gone)"]),
            ("'b'", "'d'", &["detail.0.prompts"]),
            ("['c']", "['d']", &["detail.sky.prompts"]),
            ("name = 'sky'", "name = 'sea side'", &["detail.\"sea side\" (new)", "detail.sky (gone)"]),
            ("steps = 6", "steps = 7\nrate = 0.1", &["phase.1.rate (new)", "phase.1.steps"]),
            ("[[phase]]\nsteps = 6\n", "", &["phase.1 (gone)"]),
            ("[0.2, 1]", "[0.2, 1.0]", &[]),
            ("[0.2, 1]", "[0.3, 1]", &["stages.roam"]),
            ("seed = 4", "seed = 4\n[[composition]]\nprompts = ['x']", &["composition.0 (new)"]),
        ] {
            let mut changes = of(from, to);
            changes.sort();
            assert_eq!(changes, wanted, "{from} to {to}");
        }
        assert_eq!(changes("a = ", "a = 1"), None);
    }
}
