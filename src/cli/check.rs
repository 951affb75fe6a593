//! `recipe-render check`: looks recipes through without rendering them.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::plan::{Plan, Sight};
use crate::recipe::{self, Overrides};

/// Checks recipes, one after the other. Messages go to `messages`, coloured (give it an `anstream` writer, which takes the
/// colours out where nobody wants them); a line about each sound recipe goes to `out`. Returns whether all are sound;
/// warnings alone do not make a recipe unsound.
///
/// # Errors
/// Only when writing fails: what is wrong with a recipe is a message.
pub fn run(
    recipes: &[PathBuf],
    overrides: &Overrides,
    out: &mut dyn Write,
    messages: &mut dyn Write,
) -> io::Result<bool> {
    let mut sound = true;
    for path in recipes {
        match recipe::load(path, overrides) {
            Ok((text, compiled)) => {
                write!(messages, "{}", recipe::render_diagnostics(&compiled.warnings, path, &text))?;
                writeln!(out, "{}: sound, {}", path.display(), summary(&compiled.plan))?;
            }
            Err(unsound) => {
                write!(messages, "{}", recipe::render_diagnostics(&unsound.diagnostics, path, &unsound.text))?;
                sound = false;
            }
        }
    }
    Ok(sound)
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
    fn all_recipes_are_checked_and_the_sound_ones_summed_up() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let sound = write("a.toml", "[[detail]]\nprompts = ['x', 'y']\nwindows = 3\n[[phase]]\nsteps = 10\n");
        let broken = write("b.toml", "[[detail]]\nprompts = []\n");
        let missing = folder.path().join("c.toml");
        let (mut out, mut messages) = (Vec::new(), Vec::new());
        assert!(!run(&[sound.clone(), broken, missing], &Overrides::default(), &mut out, &mut messages).unwrap());
        let messages = String::from_utf8(messages).unwrap();
        assert!(messages.contains("b.toml:2:11") && messages.contains("c.toml"), "{messages}");
        let expected = "512x512, 10 steps in 1 phase, 2 prompts, 0 looks at the whole, 30 at details\n";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{}: sound, {expected}", sound.display()));
        assert!(run(&[sound], &Overrides::default(), &mut Vec::new(), &mut Vec::new()).unwrap());
    }
}
