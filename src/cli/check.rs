//! `recipe-render check`: looks recipes through without rendering them.

use super::compose::Source;
use super::{CheckArgs, Exit, Failure, Outcome, Voice, prompts, voice};
use crate::plan::{Plan, Sight};
use crate::recipe::Overrides;

/// Checks recipes, one after the other, down to whether their models are there and know the prompts' words. A line about
/// each sound recipe goes to stdout; warnings alone do not make a recipe unsound.
pub fn run(args: &CheckArgs, voice: &Voice) -> Outcome {
    let mut exit = Exit::Done;
    for path in &args.recipes {
        match check(path, voice) {
            Ok(line) => voice::result(line.as_bytes())?,
            Err(failure) => {
                exit = exit.max(failure.exit);
                voice.failure(&failure);
            }
        }
    }
    Ok(exit)
}

fn check(path: &std::path::Path, voice: &Voice) -> Result<String, Failure> {
    let source = Source::read(path)?;
    let compiled = source.compile(&Overrides::default(), voice)?;
    let model = prompts::model(&source, &compiled)?;
    prompts::check(&source, &compiled, &model, voice)?;
    Ok(format!("{}: sound, {}\n", path.display(), summary(&compiled.plan)))
}

/// A plan in a few words: its size, its steps, and at how many places it looks.
fn summary(plan: &Plan) -> String {
    let places = |whole: bool| -> u64 {
        let targets = plan.targets.iter().enumerate();
        let chosen = targets.filter(|(_, target)| matches!(target.sight, Sight::Whole { .. }) == whole);
        let target = |(index, windows): (usize, u32)| {
            let active = |phase: &&crate::plan::Phase| {
                phase.weights.get(index).is_some_and(|weight| weight.constant() != Some(0.0))
            };
            let steps: u64 = plan.phases.iter().filter(active).map(|phase| u64::from(phase.steps)).sum();
            steps * u64::from(windows)
        };
        chosen.map(|(index, entry)| target((index, entry.windows))).sum()
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
    }
}
