//! Messages about words that a model does not know.

use std::collections::HashSet;

use crate::clip::Stranger;

/// Returns the message that a model does not know these words, each named once.
pub(crate) fn unknown(model: &str, words: &[Stranger]) -> String {
    let mut seen = HashSet::new();
    let told = words.iter().filter(|stranger| seen.insert(stranger.word.to_lowercase()));
    let told: Vec<String> = told.map(Stranger::told).collect();
    format!("model `{model}` does not know {}; the rest of the prompts counts", told.join(", "))
}

/// Returns the hint at the command that explains a text.
pub(crate) fn unknown_hint(model: &str) -> String {
    let quoted = if model.contains(char::is_whitespace) { format!("\"{model}\"") } else { model.to_owned() };
    format!("recipe-render models explain {quoted} \"TEXT\" shows what it makes of a text")
}
