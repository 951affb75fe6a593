//! Checks texts that the command line gives to a model.

use super::dialects::signs;
use super::labels;
use super::strangers::{unknown, unknown_hint};
use crate::cli::failure::Failure;
use crate::cli::terminal::Voice;
use crate::clip::{Labels, ModelFolder, TextTokenizer, Words};

/// Fails on a text without a known word, and warns of unknown words and of texts that are cut off. Each text comes with the name
/// of its argument. `reference` is how the user names the model.
pub(crate) fn check_texts(
    texts: &[(&str, &str)],
    reference: &str,
    model: &ModelFolder,
    voice: &Voice,
) -> Result<(), Failure> {
    for (argument, text) in texts {
        for sign in signs(text) {
            voice.warning(&format!("{argument}: {}", sign.in_text(text)));
        }
    }
    match Words::open(model)? {
        Words::Tokens(tokenizer) => words(texts, reference, &model.description.name, &tokenizer, voice),
        Words::Labels(known) => labelled(texts, &model.description.name, &known, voice),
    }
}

/// Checks texts for a model that takes any text.
fn words(
    texts: &[(&str, &str)],
    reference: &str,
    model: &str,
    tokenizer: &TextTokenizer,
    voice: &Voice,
) -> Result<(), Failure> {
    let mut strangers = Vec::new();
    for (_, text) in texts {
        let tokens = tokenizer.encode(text)?;
        if !tokens.meaningful {
            return Err(Failure::wrong(format!("model `{model}` knows no word of \"{text}\"")).hint("use other words"));
        }
        strangers.extend(tokens.strangers());
        if tokens.cut {
            voice.warning(&format!("\"{text}\": longer than model `{model}` takes; its end is cut off"));
        }
    }
    if !strangers.is_empty() {
        voice.warning(&format!("{} ({})", unknown(model, &strangers), unknown_hint(reference)));
    }
    Ok(())
}

/// Checks texts for a model that takes only labels.
fn labelled(texts: &[(&str, &str)], model: &str, known: &Labels, voice: &Voice) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for (argument, text) in texts {
        match known.read(text) {
            None => wrong.push((argument, labels::unknown(model, known, text))),
            Some(reading) if !reading.whole => voice.warning(&labels::partly(model, text, &reading)),
            Some(_) => {}
        }
    }
    // A single mistake has its hint on a separate line.
    match wrong.as_slice() {
        [] => Ok(()),
        [(argument, (message, hint))] => Err(Failure::wrong(format!("{argument}: {message}")).hint(hint)),
        several => {
            let line =
                |(argument, (message, hint)): &(&&str, (String, String))| format!("{argument}: {message}; {hint}");
            Err(Failure::wrong(several.iter().map(line).collect::<Vec<_>>().join("\n  ")))
        }
    }
}
