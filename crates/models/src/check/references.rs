//! Texts whose tokens and embeddings are known.

use serde::Serialize;

use crate::clip::{self, ClipError, ModelFolder, Words};
use crate::runtime::Runtime;

/// The result of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct References {
    /// Comparisons made: one for a text's tokens, one for its embedding.
    pub compared: usize,
    /// The differences, one sentence each.
    pub wrong: Vec<String>,
}

/// Compares the reference values in `model.toml` with the model's own.
pub(super) fn check(model: &ModelFolder, runtime: &Runtime) -> Result<References, ClipError> {
    let mut found = References::default();
    if model.description.reference.is_empty() {
        return Ok(found);
    }
    let words = Words::open(model)?;
    let texts: Vec<String> = model.description.reference.iter().map(|reference| reference.text.clone()).collect();
    let features = clip::features(runtime, model, "", &texts, None)?;
    for (reference, feature) in model.description.reference.iter().zip(features) {
        let text = &reference.text;
        // Labels have no tokens, see `Description::parse`.
        if let (false, Words::Tokens(tokenizer)) = (reference.tokens.is_empty(), &words) {
            found.compared += 1;
            let tokens = tokenizer.encode(text)?;
            let used = tokens.ids.get(..tokens.used).unwrap_or(&tokens.ids);
            if used != reference.tokens {
                found.wrong.push(format!("\"{text}\" gives the tokens {used:?}, not {:?}", reference.tokens));
            }
        }
        if !reference.embedding.is_empty() {
            found.compared += 1;
            let far = reference.embedding.iter().zip(&feature).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if far > reference.tolerance || reference.embedding.len() > feature.len() {
                let begins: Vec<String> =
                    feature.iter().take(reference.embedding.len()).map(|value| format!("{value:.4}")).collect();
                found.wrong.push(format!(
                    "the embedding of \"{text}\" begins {}, not {:?}",
                    begins.join(", "),
                    reference.embedding
                ));
            }
        }
    }
    Ok(found)
}
