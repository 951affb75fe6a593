//! `--draft`: the same picture, smaller and with fewer steps.

use crate::plan::{Plan, Size};
use crate::recipe::Overrides;

/// A draft's sides are the picture's divided by this.
const SIDES: u32 = 3;
/// A draft's steps are the render's divided by this.
const STEPS: u64 = 4;
/// The minimum of the shorter side in pixels, unless the picture itself is smaller: below it even large shapes are lost.
const LEAST: u32 = 64;

/// Returns the overrides that make a draft of a render. `plan` is the render's, made with `overrides`.
pub(crate) fn of(plan: &Plan, overrides: Overrides) -> Overrides {
    let steps = plan.steps().div_ceil(STEPS).max(plan.phases.len() as u64);
    Overrides { size: Some(size(plan.size)), steps: Some(steps), ..overrides }
}

/// Returns a third of both sides with the proportions kept. The shorter side is at least [`LEAST`], but never more than the
/// picture's.
fn size(size: Size) -> Size {
    let shorter = (size.shorter() / SIDES).max(LEAST).min(size.shorter());
    let scaled = |side: u32| {
        let scaled = (u64::from(side) * u64::from(shorter) + u64::from(size.shorter()) / 2) / u64::from(size.shorter());
        u32::try_from(scaled).unwrap_or(side)
    };
    Size { width: scaled(size.width), height: scaled(size.height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_keep_their_proportions_and_a_least() {
        let of = |width, height| {
            let Size { width, height } = size(Size { width, height });
            (width, height)
        };
        assert_eq!(of(512, 512), (170, 170));
        assert_eq!(of(768, 512), (255, 170));
        assert_eq!(of(300, 96), (200, 64));
        assert_eq!(of(64, 64), (64, 64));
        assert_eq!(of(16, 65536), (16, 65536));
        assert_eq!(of(65536, 65536), (21845, 21845));
    }

    #[test]
    fn phases_are_as_much_less_patient_as_they_are_shorter() {
        let text = "[[detail]]\nprompts = ['x']\n[[phase]]\nsteps = 400\npatience = 60\n[[phase]]\nsteps = 400\n";
        let compile = |overrides: &Overrides| crate::recipe::compile("a.toml".as_ref(), text, overrides).unwrap().plan;
        let draft = of(&compile(&Overrides::default()), Overrides::default());
        let patience = compile(&draft).phases.iter().map(|phase| phase.patience.map(|p| p.steps)).collect::<Vec<_>>();
        assert_eq!(patience, [Some(15), None]);
    }

    #[test]
    fn every_phase_keeps_a_step() {
        let text = "seed = 3\n[[detail]]\nprompts = ['x']\n".to_owned() + &"[[phase]]\nsteps = 2\n".repeat(5);
        let compile = |overrides: &Overrides| crate::recipe::compile("a.toml".as_ref(), &text, overrides).unwrap().plan;
        let given = Overrides { seed: Some(9), ..Overrides::default() };
        let draft = of(&compile(&given), given);
        assert_eq!((draft.steps, draft.seed), (Some(5), Some(9)));
        let plan = compile(&draft);
        assert!(plan.phases.iter().all(|phase| phase.steps == 1));
        assert_eq!(plan.size, Size { width: 170, height: 170 });
    }
}
