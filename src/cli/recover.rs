//! `recipe-render recover PICTURE`: prints the recipe that a picture was rendered from.

use super::{Exit, Outcome, RecoverArgs, Voice, picture, voice};

/// The recipe on stdout, byte for byte; on stderr what else it takes to make the picture again.
pub fn run(args: &RecoverArgs, voice: &Voice) -> Outcome {
    let origin = picture::origin(&args.picture)?;
    voice::result(origin.recipe.as_bytes())?;
    let facts = &origin.facts;
    voice.detail(&format!("model {} ({}), seed {}, on {}", facts.model, facts.model_hash, facts.seed, facts.device));
    for other in facts.models.iter().skip(1) {
        voice.detail(&format!("model {} ({})", other.name, other.hash));
    }
    for remark in picture::remarks(facts) {
        voice.note(&format!("note: {remark}"));
    }
    Ok(Exit::Done)
}
