//! Checks of a recipe that need its models: whether they exist, and whether they know the words of the prompts. They need the
//! tokenizer or the labels but not onnxruntime, so `check` performs them too.

pub mod dialects;
pub mod labels;
mod model_cache;
mod sizes;
mod strangers;
mod texts;

use std::path::Path;
use std::rc::Rc;
use std::slice;

pub(crate) use self::model_cache::{KnownModels, open_words};
pub(crate) use self::texts::check_texts;

use self::dialects::{Sign, signs};
use self::strangers::{unknown, unknown_hint};
use crate::cli::failure::{Failure, model_hint};
use crate::cli::source::Source;
use crate::clip::{ModelFolder, Photo, Stranger, TextTokenizer, Words};
use crate::direction::{DirectionError, Directions, Model};
use crate::plan::{Ensemble, Prompt};
use crate::recipe::{Compiled, Diagnostic, SourceSpan, missing_hint, render_diagnostics};

/// Returns the recipe's models, indexed by [`Target::model`](crate::plan::Target::model). A missing model is an error at its
/// name.
pub(crate) fn models(source: &Source, compiled: &Compiled) -> Result<Vec<ModelFolder>, Failure> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for model in &compiled.models {
        match (ModelFolder::find(&model.name, &model.base), &model.place) {
            (Ok(folder), _) => found.push(folder),
            (Err(error), Some(place)) => {
                let elsewhere = missing_hint(&model.name, &model.base.join(&model.name));
                let diagnostic = Diagnostic::error(place.clone(), error.to_string());
                missing.push(diagnostic.maybe_hint(elsewhere.or_else(|| model_hint(&error))));
            }
            // The model is the command line's or the default.
            (Err(error), None) => return Err(source.failure(None, &error, model_hint(&error).as_deref())),
        }
    }
    missing.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
    if missing.is_empty() { Ok(found) } else { Err(source.diagnosed(&missing)) }
}

/// A function that opens a model's tokenizer or labels.
pub(crate) type Open<'a> = &'a mut dyn FnMut(&ModelFolder) -> Result<Rc<Words>, Failure>;

/// Checks the prompts' words; returns the rendered warnings, to be printed verbatim.
pub(crate) fn check(
    source: &Source,
    compiled: &Compiled,
    models: &[ModelFolder],
    open: Open<'_>,
) -> Result<String, Failure> {
    let (errors, warnings) = examine(compiled, models, open)?;
    if errors.is_empty() { Ok(render_diagnostics(&warnings)) } else { Err(source.diagnosed(&errors)) }
}

/// Returns the errors and warnings about the prompts and their windows. A text without a known word is an error; some unknown
/// words, or a text that is too long, are a warning. For a classifier, a text that names no label is an error.
pub(crate) fn examine(
    compiled: &Compiled,
    models: &[ModelFolder],
    open: Open<'_>,
) -> Result<(Vec<Diagnostic>, Vec<Diagnostic>), Failure> {
    let mut findings = Findings::default();
    for (prompt, place) in compiled.plan.prompts.iter().zip(&compiled.prompt_spans) {
        match prompt {
            Prompt::Text(text) => findings.meant(text, place),
            Prompt::Ensemble(ensemble) => {
                ensemble.texts.iter().chain(&ensemble.templates).for_each(|text| findings.meant(text, place));
            }
            Prompt::Image(path) => findings.image(path, place),
            Prompt::Direction { .. } => {}
        }
    }
    for (index, model) in models.iter().enumerate() {
        let words = open(model)?;
        let name = &model.description.name;
        // Computed on demand, as hashing a large model takes a moment.
        let mut of: Option<Model> = None;
        for row in compiled.plan.prompts_of(index) {
            let place = &compiled.prompt_spans[row];
            match &compiled.plan.prompts[row] {
                Prompt::Text(text) => findings.texts(name, &words, slice::from_ref(text), &[], place)?,
                Prompt::Ensemble(ensemble) => {
                    findings.texts(name, &words, &ensemble.texts, &ensemble.templates, place)?;
                }
                Prompt::Image(_) => {}
                Prompt::Direction { file, class } => {
                    let of = match &mut of {
                        Some(of) => of,
                        none => none.insert(Model {
                            name: compiled.models.get(index).map_or(name.clone(), |model| model.name.clone()),
                            hash: model.hash()?,
                        }),
                    };
                    let shared = compiled.plan.targets.iter().any(|target| {
                        let looks = target.model == index && target.member.is_some();
                        looks && target.directions.iter().any(|pull| pull.prompt == row)
                    });
                    findings.direction(file, class.as_deref(), (of, shared), place);
                }
            }
        }
        findings.strangers(name, compiled.models.get(index).map_or(name, |model| &model.name));
    }
    findings.warnings.extend(sizes::too_large(compiled, models));
    Ok((findings.errors, findings.warnings))
}

/// The findings about prompts.
#[derive(Default)]
struct Findings {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// The words that the current model does not know, each with the place of its prompt.
    strangers: Vec<(Stranger, SourceSpan)>,
}

impl Findings {
    fn error(&mut self, place: &SourceSpan, message: String, hint: &str) {
        self.errors.push(Diagnostic::error(place.clone(), message).hint(hint.to_owned()));
    }

    fn warning(&mut self, place: SourceSpan, message: String) -> &mut Diagnostic {
        self.warnings.push(Diagnostic::warning(place, message));
        let last = self.warnings.len() - 1;
        &mut self.warnings[last]
    }

    /// Warns of a text that may be meant as an image, or that has signs of other programs in it.
    fn meant(&mut self, text: &str, place: &SourceSpan) {
        // A quoted text may be written with escapes; then the whole prompt is marked.
        let written = place.part(text);
        for Sign { span, message, hint } in signs(text) {
            let marked = written.as_ref().map(|written| SourceSpan {
                span: written.span.start + span.start..written.span.start + span.end,
                ..written.clone()
            });
            let place = marked.or_else(|| place.part(&text[span])).unwrap_or_else(|| place.clone());
            let warning = Diagnostic::warning(place, message).hint(hint);
            // Prompts share templates, so the same warning may come again.
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        if is_picture_name(text) {
            let hint = format!("write an image as {{ image = \"{text}\" }}");
            self.warning(place.clone(), format!("\"{text}\" is a text to CLIP, not a picture")).hint = Some(hint);
        }
    }

    /// Reports an image that cannot be shown to CLIP. The recipe's own check reports transparent parts.
    fn image(&mut self, path: &Path, place: &SourceSpan) {
        if let Err(error) = Photo::open(path) {
            self.error(place, error.to_string(), "save it again, for example as a PNG");
        }
    }

    /// Checks a class of a directions file for a model. `shared`: the target that names it looks with several models.
    fn direction(&mut self, file: &Path, class: Option<&str>, (of, shared): (&Model, bool), place: &SourceSpan) {
        let directions = Directions::open(file).and_then(|directions| {
            directions.belong_to(of, file)?;
            Ok(directions)
        });
        let directions = match directions {
            Ok(directions) => directions,
            Err(error) => {
                let hint = match &error {
                    DirectionError::OtherModel { of, .. } if shared => Some(format!(
                        "a direction belongs to one model: give it a target of its own, with model = \"{}\"",
                        of.name
                    )),
                    error => error.hint(),
                };
                self.errors.push(Diagnostic::error(place.clone(), error.to_string()).maybe_hint(hint));
                return;
            }
        };
        let Some(direction) = directions.choose(class) else {
            let shown = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
            let names = directions.names();
            let Some(class) = class else {
                let message = format!("{shown} has several classes, and none is named");
                return self.error(place, message, &format!("name one by `class`: there are {names}"));
            };
            let near = directions.classes.iter().map(|other| other.class.as_str());
            let near = near.min_by_key(|other| strsim::damerau_levenshtein(other, class));
            let near = near.filter(|other| strsim::damerau_levenshtein(other, class) <= 2);
            let hint = match near {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are {names}"),
            };
            return self.error(place, format!("{shown} has no class \"{class}\""), &hint);
        };
        if let Some(scores) = direction.about.scores.as_ref().filter(|scores| scores.area.low <= 0.5) {
            let message = format!(
                "this direction may be worth nothing: the ROC area of \"{}\" is {:.2} ({:.2} to {:.2})",
                direction.class, scores.area.value, scores.area.low, scores.area.high
            );
            self.warning(place.clone(), message).hint =
                Some("more examples, or ones that differ less otherwise".into());
        }
    }

    /// Warns, once per model, of the words of all prompts that the model does not know, at the first of them. `reference` is how
    /// the recipe names the model.
    fn strangers(&mut self, model: &str, reference: &str) {
        let strangers = std::mem::take(&mut self.strangers);
        let Some((first, place)) = strangers.first() else { return };
        let place = place.part(&first.word).unwrap_or_else(|| place.clone());
        let words: Vec<Stranger> = strangers.into_iter().map(|(stranger, _)| stranger).collect();
        self.warning(place, unknown(model, &words)).hint = Some(unknown_hint(reference));
    }

    /// Checks a prompt's texts against the model's tokenizer or labels.
    fn texts(
        &mut self,
        model: &str,
        words: &Words,
        texts: &[String],
        templates: &[String],
        place: &SourceSpan,
    ) -> Result<(), Failure> {
        match words {
            Words::Tokens(tokenizer) => self.words(model, tokenizer, texts, templates, place),
            Words::Labels(known) => {
                let (errors, warnings) = labels::examine(model, known, texts, templates, place);
                self.errors.extend(errors);
                self.warnings.extend(warnings);
                Ok(())
            }
        }
    }

    /// Checks a prompt's texts with a tokenizer: each by itself must have a known word; then each is checked in every template.
    fn words(
        &mut self,
        model: &str,
        tokenizer: &TextTokenizer,
        texts: &[String],
        templates: &[String],
        place: &SourceSpan,
    ) -> Result<(), Failure> {
        let mut unknown: Vec<Stranger> = Vec::new();
        let mut cut = false;
        let mut silent = false;
        for text in texts {
            let tokens = tokenizer.encode(text)?;
            if !tokens.meaningful {
                let message = format!("model `{model}` knows no word of \"{text}\"");
                self.error(place, message, "use other words; `pocket` knows English ones, in Latin letters");
                silent = true;
            }
            unknown.extend(tokens.strangers());
            cut |= tokens.cut;
        }
        if silent {
            return Ok(());
        }
        let ensemble = Ensemble { texts: texts.to_vec(), templates: templates.to_vec() };
        let filled = if templates.is_empty() { Vec::new() } else { ensemble.filled() };
        for text in &filled {
            let tokens = tokenizer.encode(text)?;
            unknown.extend(tokens.strangers());
            cut |= tokens.cut;
        }
        self.strangers.extend(unknown.into_iter().map(|stranger| (stranger, place.clone())));
        if cut {
            self.warning(place.clone(), format!("longer than model `{model}` takes; its end is cut off"));
        }
        Ok(())
    }
}

/// Returns whether a text looks like the name of an image file.
fn is_picture_name(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    let one_word = !text.trim().contains(char::is_whitespace);
    one_word && extension.is_some_and(|e| ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tiff"].contains(&e.as_str()))
}
