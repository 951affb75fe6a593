//! Plans every combination and checks it before anything is rendered.

use std::collections::BTreeSet;

use super::combinations::{Combination, Sweep, label};
use super::names::names;
use crate::cli::args::{InsteadArgs, SweepArgs};
use crate::cli::failure::Failure;
use crate::cli::prompts;
use crate::cli::prompts::open_words;
use crate::cli::source::{Source, overrides};
use crate::cli::terminal::Voice;
use crate::clip::ModelFolder;
use crate::recipe::{Compiled, Overrides, render_diagnostics};

/// The number of failures to show; further ones are only counted.
const SHOWN: usize = 10;

/// One render of a sweep, ready to run.
pub(super) struct Planned {
    pub combination: Combination,
    pub overrides: Overrides,
    pub compiled: Compiled,
    /// Indexed like the plan's models.
    pub models: Vec<ModelFolder>,
    /// The picture's name in the sweep's folder.
    pub file: String,
}

/// Plans all combinations.
///
/// # Errors
/// Reports each distinct mistake once, with one of the combinations that have it.
pub(super) fn plan(args: &SweepArgs, source: &Source, sweep: &Sweep, voice: &Voice) -> Result<Vec<Planned>, Failure> {
    refuse_conflicts(args, sweep)?;
    let combinations = sweep.combinations();
    let of = combinations.len();
    let mut planned = Vec::new();
    let mut wrong: Vec<(Failure, String, usize)> = Vec::new();
    let mut warned = BTreeSet::new();
    for (combination, file) in combinations.iter().zip(names(&combinations)) {
        match one(args, source, sweep, combination) {
            Ok((overrides, compiled, models, warnings)) => {
                for warning in warnings {
                    if warned.insert(warning.clone()) {
                        voice.rendered(&warning);
                    }
                }
                planned.push(Planned { combination: combination.clone(), overrides, compiled, models, file });
            }
            Err(failure) => match wrong.iter_mut().find(|(other, _, _)| other.message == failure.message) {
                Some((_, _, count)) => *count += 1,
                None => wrong.push((failure, label(&combination.varied), 1)),
            },
        }
    }
    if wrong.is_empty() {
        return Ok(planned);
    }
    // A mistake of all combinations is the recipe's own.
    let all = wrong.len() == 1 && wrong[0].2 == of;
    let count: usize = wrong.iter().map(|(_, _, count)| count).sum();
    let more = wrong.len().saturating_sub(SHOWN);
    for (failure, label, count) in wrong.drain(..).take(SHOWN) {
        if all {
            return Err(failure);
        }
        voice.failure(&failure);
        let others = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
        voice.rendered(&format!("  with {label}{others}"));
    }
    if more > 0 {
        voice.rendered(&format!("and {more} more mistakes"));
    }
    Err(Failure::wrong(format!("{count} of {of} combinations cannot be rendered; nothing was rendered")))
}

type Checked = (Overrides, Compiled, Vec<ModelFolder>, Vec<String>);

fn one(args: &SweepArgs, source: &Source, sweep: &Sweep, combination: &Combination) -> Result<Checked, Failure> {
    let set = sweep.fixed.iter().chain(&combination.varied).cloned().collect();
    let mut overrides = overrides(&InsteadArgs { set, ..args.instead.clone() }, source)?;
    // The overrides kept in a picture give way to the varying settings.
    for path in sweep.paths() {
        match path.as_str() {
            "seed" => overrides.seed = None,
            path if says_models(path) => overrides.model = None,
            "size" if !args.instead.draft => overrides.size = None,
            _ => {}
        }
    }
    let compiled = source.compile_silently(&overrides)?;
    let models = prompts::models(source, &compiled)?;
    let (errors, warnings) = prompts::examine(&compiled, &models, &mut open_words)?;
    if !errors.is_empty() {
        return Err(source.diagnosed(&errors));
    }
    let mut shown = vec![render_diagnostics(&compiled.warnings), render_diagnostics(&warnings)];
    shown.retain(|text| !text.trim().is_empty());
    Ok((overrides, compiled, models, shown))
}

/// Refuses an option that fixes for all renders what the sweep varies.
fn refuse_conflicts(args: &SweepArgs, sweep: &Sweep) -> Result<(), Failure> {
    let given = [
        ("seed", args.instead.seed.is_some()),
        ("size", args.instead.size.is_some()),
        ("model", args.instead.model.is_some()),
    ];
    for (option, _) in given.iter().filter(|(_, given)| *given) {
        let said = |path: &&String| path.as_str() == *option || *option == "model" && says_models(path);
        if let Some(path) = sweep.paths().find(said) {
            return Err(Failure::wrong(format!("--{option} sets what varies: {path}")).hint("leave one of them out"));
        }
    }
    Ok(())
}

/// Returns whether a path leads to the recipe's model or to one of several, which `--model` replaces.
fn says_models(path: &str) -> bool {
    path == "model" || path == "models" || path.starts_with("models.")
}
