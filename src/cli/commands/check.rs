//! `recipe-render check`: checks recipes without rendering them.

use std::path::Path;

use crate::cli::args::{CheckArgs, Format};
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::prompts;
use crate::cli::prompts::open_words;
use crate::cli::source::Source;
use crate::cli::terminal::{Voice, voice};
use crate::plan::{Plan, Sight, Target};
use crate::recipe::{Diagnostic, Finding, Overrides, Setting, render_diagnostics};

/// Checks recipes one after the other, including whether their models exist and know the words of the prompts. A line about each
/// sound recipe goes to stdout, or all findings as JSON. Warnings alone do not make a recipe unsound.
pub fn run(args: &CheckArgs, voice: &Voice) -> Outcome {
    let mut exit = Exit::Done;
    let mut findings = Vec::new();
    for path in &args.recipes {
        let checked = check(path, &args.set);
        if let Err(failure) = &checked.sound {
            exit = exit.max(failure.exit);
        }
        match (args.format, checked) {
            (Format::Json, checked) => findings.extend(checked.findings(path)),
            (Format::Text, Checked { warnings, sound: Ok(line), .. }) => {
                voice.rendered(&warnings);
                voice::result(line.as_bytes())?;
            }
            (Format::Text, Checked { warnings, sound: Err(failure), .. }) => {
                voice.rendered(&warnings);
                voice.failure(&failure);
            }
        }
    }
    if args.format == Format::Json {
        let text = serde_json::to_string_pretty(&findings).map_err(Failure::failed)?;
        voice::result(format!("{text}\n").as_bytes())?;
    }
    Ok(exit)
}

/// The result of checking a recipe.
struct Checked {
    /// The warnings as text for people.
    warnings: String,
    /// The warnings for programs.
    warned: Vec<Finding>,
    /// A line about a sound recipe, or the failure.
    sound: Result<String, Failure>,
}

impl Checked {
    /// Returns all findings in the order of their positions in each text; findings without a position come first.
    fn findings(self, path: &Path) -> Vec<Finding> {
        let mut findings = self.warned;
        if let Err(failure) = self.sound {
            match failure.findings.is_empty() {
                true => findings.push(Finding::whole(path, &failure.message, failure.hint.as_deref())),
                false => findings.extend(failure.findings),
            }
        }
        // The recipe's own file comes first, other files in the order of their first finding.
        let mut files: Vec<String> = vec![path.display().to_string()];
        for finding in &findings {
            if !files.contains(&finding.file) {
                files.push(finding.file.clone());
            }
        }
        findings.sort_by_key(|finding| (files.iter().position(|file| *file == finding.file), finding.span));
        findings
    }
}

fn check(path: &Path, set: &[Setting]) -> Checked {
    let mut checked = Checked { warnings: String::new(), warned: Vec::new(), sound: Ok(String::new()) };
    checked.sound = look(path, set, &mut checked.warnings, &mut checked.warned);
    checked
}

fn look(path: &Path, set: &[Setting], shown: &mut String, warned: &mut Vec<Finding>) -> Result<String, Failure> {
    let source = Source::read(path)?;
    let kept = source.kept();
    let set = kept.set.iter().chain(set).cloned().collect();
    let compiled = source.compile_silently(&Overrides { set, ..kept })?;
    let mut warn = |warnings: &[Diagnostic]| {
        shown.push_str(&render_diagnostics(warnings));
        warned.extend(warnings.iter().map(Finding::of));
    };
    warn(&compiled.warnings);
    let models = prompts::models(&source, &compiled)?;
    let (errors, warnings) = prompts::examine(&compiled, &models, &mut open_words)?;
    warn(&warnings);
    match errors.is_empty() {
        true => Ok(format!("{}: sound, {}\n", path.display(), summary(&compiled.plan))),
        false => Err(source.diagnosed(&errors)),
    }
}

/// Summarises a plan: its size, its steps, and how many places it looks at.
fn summary(plan: &Plan) -> String {
    let places = |whole: bool| -> u64 {
        let targets = plan.targets.iter().enumerate();
        let chosen = targets.filter(|(_, target)| matches!(target.sight, Sight::Whole { .. }) == whole);
        let target = |(index, target): (usize, &Target)| {
            let mut start = 0;
            let mut steps = 0;
            for phase in &plan.phases {
                let phase_steps = start..start + u64::from(phase.steps);
                start = phase_steps.end;
                if phase.weights.get(index).is_some_and(|weight| weight.constant() != Some(0.0)) {
                    steps += match target.active {
                        None => phase_steps.end - phase_steps.start,
                        Some(active) => {
                            active.until.min(phase_steps.end).saturating_sub(active.from.max(phase_steps.start))
                        }
                    };
                }
            }
            steps * u64::from(target.windows)
        };
        chosen.map(target).sum()
    };
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}x{}, {} in {}, {}, {} looks at the whole, {} at details",
        plan.size.width,
        plan.size.height,
        plural(usize::try_from(plan.steps()).unwrap_or(usize::MAX), "step"),
        plural(plan.phases.len(), "phase"),
        plural(plan.prompts.len(), "prompt"),
        places(true),
        places(false),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_summed_up() {
        let text = "[[detail]]\nprompts = ['x', 'y']\nwindows = 3\n[[phase]]\nsteps = 10\n";
        let compiled = crate::recipe::compile("a.toml".as_ref(), text, &Overrides::default()).unwrap();
        let expected = "512x512, 10 steps in 1 phase, 2 prompts, 0 looks at the whole, 30 at details";
        assert_eq!(summary(&compiled.plan), expected);
        // The last three steps of the first phase and all of the second.
        let text = text.replace("windows = 3", "windows = 3\nactive = [7, 'end']") + "[[phase]]\nsteps = 5\n";
        let compiled = crate::recipe::compile("a.toml".as_ref(), &text, &Overrides::default()).unwrap();
        assert!(summary(&compiled.plan).ends_with(", 24 at details"));
    }
}
