//! The reference page of recipes, made from the table of keys.

use std::fmt::Write;

use crate::keys;
use crate::keys::{Key, Kind, RECIPE, Single, Table, With};
use crate::plan::{Function, Variable};
use crate::schema::defaults;

/// Returns the page as the text of its file, `docs/reference.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for spec in keys::ALL {
        section(&mut page, spec);
    }
    page.push_str("\n## Expressions\n\n");
    page.push_str(EXPRESSIONS);
    page.push_str("\n| name | value |\n| --- | --- |\n");
    for (_, name, about) in Variable::ALL {
        row(&mut page, &[&code(name), about]);
    }
    row(&mut page, &["`pi`", "3.14159..."]);
    for (_, signature, about) in Function::ALL {
        row(&mut page, &[&code(signature), about]);
    }
    page
}

const INTRODUCTION: &str = "\
# Reference: every key of a recipe

<!-- Made by `recipe-render schema --reference` from the table that recipes are read by. Do not edit: change the table. -->

A recipe is a TOML file. Lengths on the canvas are fractions of its shorter side, filters inside a window are in window
pixels, angles in degrees, colours 0 to 1 (sRGB), times in steps.

**Schedules.** Wherever the table says *schedule*, there can stand a number, an [expression](#expressions) in quotes such as
`\"0.05 * (1 - t)\"`, or keyframes such as `{ keys = [[0, 5], [1, 24]], ease = \"smooth\" }`. The value must stay in its range at
every step.

**Ranges.** Wherever it says *range*, there can stand `[low, high]`, whose ends are schedules, or one schedule alone, whose
meaning is said there.

**Defaults.** They are the program's. A model may advise others for its own use, in the table `[advice]` of its `model.toml`
([models.md](models.md#advice)); `recipe-render plan` shows which of them count, and where each value comes from.
";

const EXPRESSIONS: &str = "\
From loosest to tightest: comparisons `<` `<=` `>` `>=` `==` `!=` (1 for true, 0 for false), `+` `-`, `*` `/` `%`, the minus
sign, `^` (from the right). `a % b` has the sign of b. At most 1000 bytes long and 64 levels deep.
";

fn section(page: &mut String, spec: &Table) {
    let heading = if spec.name == RECIPE.name { spec.heading.to_owned() } else { code_unless_words(spec.heading) };
    // Writing into a string cannot fail.
    let _ = write!(page, "\n## {heading}\n\n{}\n\n", spec.about);
    page.push_str("| key | value | unit | default | meaning | example |\n| --- | --- | --- | --- | --- | --- |\n");
    for key in spec.keys {
        let default = match defaults::text(spec.name, key.name) {
            Some(default) => code(default),
            None if key.required => "required".into(),
            None => String::new(),
        };
        let example = if key.example.is_empty() { String::new() } else { code(key.example) };
        row(page, &[&code(key.name), &words(&key.kind), key.unit, &default, &meaning(key), &example]);
    }
}

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        let _ = write!(page, "| {} ", cell.replace('|', "\\|"));
    }
    page.push_str("|\n");
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Formats a heading as code if it is TOML, but not if it is English.
fn code_unless_words(heading: &str) -> String {
    if heading.contains(['[', '=']) { code(heading) } else { heading.to_owned() }
}

/// Returns a key's meaning, with the names that it accepts.
fn meaning(key: &Key) -> String {
    let mut text = key.about.to_owned();
    if let Kind::Choice(variants) = key.kind {
        for variant in variants {
            let written = match variant.with {
                With::Nothing => code(variant.name),
                With::Settings(_) => format!("{}, or `{{ {} = {{ ... }} }}`", code(variant.name), variant.name),
                With::Value(kind) => format!("`{{ {} = ... }}` ({})", variant.name, kind.words()),
            };
            let _ = write!(text, "<br>{written}: {}", variant.about);
        }
    }
    text
}

/// Describes the kind of a key's value in the page's words.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Schedule(bounds) => format!("schedule, {}", bounds.words()),
        Kind::Switchable(bounds) => format!("`\"off\"` or schedule, {}", bounds.words()),
        Kind::Weights(bounds) => format!("schedule, {}, or a table of schedules by target names", bounds.words()),
        Kind::Range(Single::MinusToPlus, bounds) => {
            format!("range, {}; one number: from minus to plus it", bounds.words())
        }
        Kind::Range(Single::FromZero, bounds) => format!("range, {}; one number: from 0 to it", bounds.words()),
        Kind::Range(Single::Fixed, bounds) => format!("range, {}; one number: always it", bounds.words()),
        Kind::Choice(_) => "one of the names".into(),
        Kind::Table(spec) => format!("table, see {}", code_unless_words(spec.heading)),
        Kind::Tables(spec) => format!("tables, see {}", code_unless_words(spec.heading)),
        _ => kind.words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_key_and_function() {
        let page = reference();
        for key in keys::ALL.iter().flat_map(|spec| spec.keys) {
            assert!(page.contains(&format!("| `{}` |", key.name)), "{}", key.name);
        }
        for (function, ..) in Function::ALL {
            assert!(page.contains(function.signature()));
        }
        assert!(page.lines().filter(|line| line.starts_with('|')).all(|line| line.ends_with('|')));
    }
}
