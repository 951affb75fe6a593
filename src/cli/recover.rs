//! `recipe-render recover PICTURE`: prints the recipe that a picture was rendered from.

use super::{Exit, Failure, Outcome, RecoverArgs, Voice, voice};
use crate::output::{RecoverError, recover};

/// The recipe on stdout, byte for byte; on stderr what else it takes to make the picture again.
pub fn run(args: &RecoverArgs, voice: &Voice) -> Outcome {
    let origin = recover(&args.picture).map_err(|error| {
        let shown = args.picture.display();
        let message = match &error {
            RecoverError::Unreadable(error) => format!("{shown}: {error}"),
            other => format!("{shown} {other}"),
        };
        Failure::failed(message).hinted(error.hint())
    })?;
    voice::result(origin.recipe.as_bytes())?;
    let facts = &origin.facts;
    voice.detail(&format!("model {} ({}), seed {}, on {}", facts.model, facts.model_hash, facts.seed, facts.device));
    let mut notes = Vec::new();
    if !facts.overrides.is_empty() {
        notes.push(format!("rendered with {}", facts.overrides.options()));
    }
    if facts.steps < facts.steps_planned {
        notes.push(format!("the picture is from step {} of {}", facts.steps, facts.steps_planned));
    }
    if !facts.version.is_empty() && facts.version != env!("CARGO_PKG_VERSION") {
        notes.push(format!("by recipe-render {}; this is {}", facts.version, env!("CARGO_PKG_VERSION")));
    }
    for note in notes {
        voice.note(&format!("note: {note}"));
    }
    Ok(Exit::Done)
}
