//! What only the model can say about a recipe: whether it is there, and whether it knows the prompts' words. Needs the
//! tokenizer, not onnxruntime, so that `check` says it too.

use super::{Failure, Voice, compose::Source, compose::from_clip, compose::hint};
use crate::clip::{ModelFolder, Photo, TextTokenizer};
use crate::plan::Prompt;
use crate::recipe::{Compiled, Diagnostic, Place, render_diagnostics};

/// The recipe's model. One that is not there is an error at its name.
pub(super) fn model(source: &Source, compiled: &Compiled) -> Result<ModelFolder, Failure> {
    ModelFolder::find(&compiled.model.name, &compiled.model.base)
        .map_err(|error| source.failure(compiled.model.place.clone(), &error, hint(&error).as_deref()))
}

/// Checks the prompts' words. Warnings are shown, errors returned.
pub(super) fn check(source: &Source, compiled: &Compiled, model: &ModelFolder, voice: &Voice) -> Result<(), Failure> {
    let (errors, warnings) = examine(compiled, model)?;
    voice.rendered(&render_diagnostics(&warnings));
    if errors.is_empty() { Ok(()) } else { Err(source.diagnosed(&errors)) }
}

/// Errors and warnings about the prompts' words: none known is an error, some unknown or a text too long a warning.
pub(super) fn examine(compiled: &Compiled, model: &ModelFolder) -> Result<(Vec<Diagnostic>, Vec<Diagnostic>), Failure> {
    let tokenizer = TextTokenizer::open(model).map_err(from_clip)?;
    let name = &model.description.name;
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for (prompt, place) in compiled.plan.prompts.iter().zip(&compiled.prompt_places) {
        let text = match prompt {
            Prompt::Text(text) => text,
            Prompt::Image(path) => {
                match Photo::open(path) {
                    Err(error) => errors.push(
                        Diagnostic::error(place.clone(), error.to_string())
                            .hint("save it anew, as a PNG for example".to_owned()),
                    ),
                    Ok(photo) if photo.turned => {
                        let message = "this picture is to be turned for viewing; CLIP is shown it as it is stored";
                        warnings.push(
                            Diagnostic::warning(place.clone(), message)
                                .hint("save it upright if it lies on its side".to_owned()),
                        );
                    }
                    Ok(_) => {}
                }
                continue;
            }
        };
        if is_picture_name(text) {
            let message = format!("\"{text}\" is a text to CLIP, not a picture");
            let hint = format!("an image is named as {{ image = \"{text}\" }}");
            warnings.push(Diagnostic::warning(place.clone(), message).hint(hint));
        }
        let tokens = tokenizer.encode(text).map_err(from_clip)?;
        if !tokens.meaningful {
            let message = format!("model `{name}` knows no word of \"{text}\"");
            let hint = "use other words; `pocket` knows English ones, in Latin letters".to_owned();
            errors.push(Diagnostic::error(place.clone(), message).hint(hint));
            continue;
        }
        if !tokens.unknown.is_empty() {
            let words = tokens.unknown.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            let message = format!("model `{name}` does not know {words}; the rest of the prompt counts");
            warnings.push(Diagnostic::warning(word_place(place, &tokens.unknown), message));
        }
        if tokens.cut {
            let message = format!("longer than model `{name}` takes; its end is cut off");
            warnings.push(Diagnostic::warning(place.clone(), message));
        }
    }
    Ok((errors, warnings))
}

/// Whether a text looks like the name of an image file.
fn is_picture_name(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    let one_word = !text.trim().contains(char::is_whitespace);
    one_word && extension.is_some_and(|e| ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff"].contains(&e.as_str()))
}

/// Where the first unknown word stands in the prompt, if it stands there as it is.
fn word_place(place: &Place, unknown: &[String]) -> Place {
    let Place { file, span } = place;
    let found = unknown.first().zip(file.text.get(span.clone())).and_then(|(word, text)| {
        let start = span.start + text.find(word.as_str())?;
        Some(start..start + word.len())
    });
    Place { file: file.clone(), span: found.unwrap_or_else(|| span.clone()) }
}
