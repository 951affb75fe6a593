//! Prompts to a classifier, which knows only its labels. A text that names no label is an error; for one that says more, a
//! warning tells which labels count.

use crate::clip::{Labels, Named, Reading};
use crate::plan::Ensemble;
use crate::recipe::{Diagnostic, SourceSpan};

/// Returns the message that a text names no label, and a hint at what may have been meant.
pub(crate) fn unknown(model: &str, labels: &Labels, text: &str) -> (String, String) {
    (format!("model `{model}` is a classifier and has no label \"{text}\""), labels.hint(text))
}

/// Returns the warning that only the labels in a text count.
pub(crate) fn partly(model: &str, text: &str, reading: &Reading) -> String {
    let names: Vec<String> = reading.labels.iter().map(|Named { name, .. }| format!("\"{name}\"")).collect();
    let (taken, mean) = match names.as_slice() {
        [one] => (format!("the label {one}"), ""),
        [before @ .., last] => (format!("the labels {} and {last}", before.join(", ")), ", alike"),
        [] => (String::new(), ""),
    };
    format!("model `{model}` is a classifier: of \"{text}\" it takes {taken}{mean}; the other words mean nothing to it")
}

/// Returns the errors and warnings about the texts of the prompt at `span`.
pub(crate) fn examine(
    model: &str,
    labels: &Labels,
    texts: &[String],
    templates: &[String],
    span: &SourceSpan,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for text in texts {
        match labels.read(text) {
            None => {
                let (message, hint) = unknown(model, labels, text);
                errors.push(Diagnostic::error(text_span(span, text), message).hint(hint));
            }
            Some(reading) if !reading.whole => {
                warnings.push(Diagnostic::warning(text_span(span, text), partly(model, text, &reading)));
            }
            Some(_) => {}
        }
    }
    // The templates are the same for all texts, so one warning is enough.
    if errors.is_empty() && !templates.is_empty() {
        let filled = Ensemble { texts: texts.to_vec(), templates: templates.to_vec() }.filled();
        let more = filled.iter().find_map(|text| labels.read(text).filter(|read| !read.whole).map(|read| (text, read)));
        if let Some((text, reading)) = more {
            warnings.push(Diagnostic::warning(span.clone(), partly(model, text, &reading)));
        }
    }
    (errors, warnings)
}

/// Returns the span of one of several texts within a prompt, or the whole prompt if the text is not written there literally.
fn text_span(span: &SourceSpan, text: &str) -> SourceSpan {
    let quoted = [format!("\"{text}\""), format!("'{text}'")];
    quoted.iter().find_map(|quoted| span.part(quoted)).unwrap_or_else(|| span.clone())
}
