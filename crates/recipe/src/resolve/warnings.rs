//! Warnings about what is legal but surely unintended, for which the whole recipe must be known. Warnings about a single value are given
//! where it is read.

use crate::plan::{Gradient, Optimiser, Phase, Schedule};
use crate::read::reader::Reader;
use crate::read::timeline::Timeline;
use crate::read::written::Recipe;
use crate::report::numbers::short;

/// Warns about targets and phases that do nothing, and about values without effect.
pub(crate) fn warn(reader: &mut Reader<'_>, recipe: &Recipe, phases: &[Phase], timeline: &Timeline) {
    // Which targets are active in which phases. The number of pairs limits the moments checked for each, so this stays fast.
    let pairs = (recipe.targets.len() * phases.len()) as u64;
    // A repeated phase is checked by its position in the recipe.
    let position = |phase: usize| recipe.phases[phase].position - 1;
    let zero = |phase: usize, schedule: &Schedule| timeline.is_zero(position(phase), schedule, pairs);
    let active: Vec<Vec<bool>> = phases
        .iter()
        .enumerate()
        .map(|(index, phase)| phase.weights.iter().map(|weight| !zero(index, weight)).collect())
        .collect();
    let mut any = false;
    for (index, target) in recipe.targets.iter().enumerate() {
        if active.iter().any(|targets| targets.get(index) == Some(&true)) {
            any = true;
        } else {
            let message = format!("\"{}\" is never active: its weight is 0", target.called());
            reader.warning(target.span.clone(), message);
        }
    }
    let once = phases.iter().zip(&recipe.phases).enumerate().filter(|(_, (_, written))| written.pass == 1);
    for (index, (phase, written)) in once {
        if any && !active[index].contains(&true) {
            let message = format!("nothing is active in the phase \"{}\": all weights are 0 there", phase.name);
            reader.warning(written.span.clone(), message).hint =
                Some("the picture does not change in this phase".into());
        }
        if zero(index, &phase.rate) {
            let message = format!("the rate is 0 throughout the phase \"{}\": the picture does not change", phase.name);
            reader.warning(written.rate.span.clone(), message);
        }
        finest(reader, recipe, index, timeline);
        epsilon(reader, recipe, index);
    }
}

/// Warns about gradients that are negligible compared with the epsilon added to their size.
fn epsilon(reader: &mut Reader<'_>, recipe: &Recipe, index: usize) {
    /// Gradients that are not normalised have a size of about 1e-5.
    const MOST: f64 = 1e-3;
    let phase = &recipe.phases[index];
    let (Optimiser::Adam { epsilon, .. } | Optimiser::AdamW { epsilon, .. }) = phase.optimiser else { return };
    if phase.gradient == Gradient::Normalise || epsilon < MOST {
        return;
    }
    let message =
        format!("without `gradient = \"normalise\"` an epsilon of {} holds the picture still", short(epsilon));
    reader.warning(phase.span.clone(), message).hint = Some("optimiser = { adam = { epsilon = 1e-8 } }".into());
}

/// Warns about a low-pass that passes everything. A size set on the command line is ignored.
fn finest(reader: &mut Reader<'_>, recipe: &Recipe, index: usize, timeline: &Timeline) {
    let Some(finest) = &recipe.phases[index].finest else { return };
    let side = recipe.own_size.shorter();
    let most = f64::from(side) / 2.0;
    let Some(least) = timeline.least(recipe.phases[index].position - 1, &finest.value) else { return };
    if finest.said && least > most {
        let message = format!(
            "`finest` is at least {}: a canvas of {side} pixels holds {} cycles, so nothing is filtered out",
            short(least),
            short(most)
        );
        reader.warning(finest.span.clone(), message).hint = Some("\"off\" says the same".into());
    }
}
