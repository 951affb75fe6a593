//! Checks windows whose size depends on the model: with `zoom`, a window's side on the canvas is the model's side divided by the
//! zoom.

use std::collections::BTreeSet;

use crate::clip::ModelFolder;
use crate::plan::{Pipeline, Sight, Size, StageKind};
use crate::recipe::{Compiled, Diagnostic};

/// Warns of windows that are always larger than the canvas, at the first prompt that looks through them.
pub(crate) fn too_large(compiled: &Compiled, models: &[ModelFolder]) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut warned = BTreeSet::new();
    let plan = &compiled.plan;
    for (index, target) in plan.targets.iter().enumerate().filter(|(_, target)| matches!(target.sight, Sight::Places)) {
        // The members of an ensemble see the same windows as the first one.
        if plan.first_member(index) != index {
            continue;
        }
        let Some(model) = models.get(target.model) else { continue };
        for pull in &target.wanted {
            let (Some(pipeline), Some(place)) =
                (target.pipelines.get(pull.pipeline), compiled.prompt_spans.get(pull.prompt))
            else {
                continue;
            };
            let Some((zoom, side)) = excess(pipeline, plan.size, model.description.image.size) else {
                continue;
            };
            if warned.insert((target.key, pull.pipeline)) {
                let message = format!(
                    "these windows are always larger than the canvas: at a `zoom` of at most {zoom} model `{}` sees {side} pixels",
                    model.description.name
                );
                let hint = "`cover` gives a window's side as a fraction of the canvas, whatever the model";
                warnings.push(Diagnostic::warning(place.clone(), message).hint(hint.to_owned()));
            }
        }
    }
    warnings
}

/// Returns the greatest zoom of a pipeline and the window's side at that zoom, if the side exceeds the canvas's longer side. A
/// zoom that changes over time may be intended, so it is not reported.
fn excess(pipeline: &Pipeline, canvas: Size, window: u32) -> Option<(f64, u64)> {
    let zoom = pipeline.stages.iter().find_map(|stage| match &stage.kind {
        StageKind::Zoom(range) => range.high.constant(),
        _ => None,
    })?;
    let side = f64::from(window) / zoom;
    (side > f64::from(canvas.width.max(canvas.height))).then_some((zoom, side.round() as u64))
}
