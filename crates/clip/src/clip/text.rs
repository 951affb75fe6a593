//! Text features: tokenizer, text encoder, and the cache of earlier results.

use std::path::PathBuf;

use bytes::Bytes;
use tokenizers::{PostProcessor, Tokenizer, TruncationDirection, TruncationParams};

use super::repair::repaired;
use super::tokens::{Stranger, Tokens};
use super::{
    Clean, ClipError, Labels, Language, ModelFolder, TextEncoder, Tokenizer as Described, encoder::OUTSIDE,
    feature_cache::remembered,
};
use crate::onnx::{Signature, external_files};
use crate::runtime::{Device, Input, Level, Outputs, Runtime, SessionPlan, Weights};

/// The marker for the end of a word in vocabularies like CLIP's.
pub const WORD_END: &str = "</w>";

/// A model's tokenizer.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    unknown: Option<u32>,
    /// For word-piece vocabularies, the prefix of all pieces of a word but the first.
    piece: Option<String>,
    context: Option<usize>,
    padding: i64,
    clean: Clean,
    /// Whether texts are cleaned as in CLIP's own code.
    repairs: bool,
    model: String,
}

impl TextTokenizer {
    /// Reads the tokenizer of a model folder.
    pub fn open(model: &ModelFolder) -> Result<Self, ClipError> {
        let description = &model.description;
        let failed = |message: String| ClipError::Tokenizer { model: description.name.clone(), message };
        let (_, described) = texts(model)?;
        let bytes = model.bytes(&described.file)?;
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(|error| failed(error.to_string()))?;
        // Padding and length are set by model.toml; the file's settings are for training.
        tokenizer.with_padding(None);
        let special = tokenizer.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let Vocabulary { unknown, piece, clips } = vocabulary(&bytes);
        if clips && special == 0 {
            let message = "tokenizer.json adds no tokens at the start and the end of texts, so they mean nothing \
                           to a CLIP; import the model again (recipe-render models import FOLDER --name NAME), \
                           which fixes that";
            return Err(failed(message.to_owned()));
        }
        if let Some(context) = described.context.filter(|context| *context <= special) {
            return Err(failed(format!("a context of {context} has no room besides {special} special tokens")));
        }
        let truncation = described.context.map(|max_length| TruncationParams {
            max_length,
            direction: TruncationDirection::Right,
            ..TruncationParams::default()
        });
        tokenizer.with_truncation(truncation).map_err(|error| failed(error.to_string()))?;
        let unknown = unknown.and_then(|token| tokenizer.token_to_id(&token));
        Ok(TextTokenizer {
            tokenizer,
            unknown,
            piece,
            context: described.context,
            padding: described.padding,
            clean: described.clean,
            repairs: clips,
            model: description.name.clone(),
        })
    }

    /// Tokenises one text.
    pub fn encode(&self, text: &str) -> Result<Tokens, ClipError> {
        let text = if self.repairs { repaired(text) } else { text.to_owned() };
        let text = self.clean.apply(&text);
        let text = text.as_str();
        let encoding = self
            .tokenizer
            .encode(text, true)
            .map_err(|error| ClipError::Tokenizer { model: self.model.clone(), message: error.to_string() })?;
        let mut unknown: Vec<Stranger> = Vec::new();
        let mut meaningful = false;
        for ((id, offsets), special) in
            encoding.get_ids().iter().zip(encoding.get_offsets()).zip(encoding.get_special_tokens_mask())
        {
            let word = text.get(offsets.0..offsets.1).unwrap_or_default();
            let lettered = word.chars().any(char::is_alphanumeric);
            if Some(*id) == self.unknown {
                // Unknown punctuation does not matter.
                if lettered && !unknown.iter().any(|w| w.word == word) {
                    unknown.push(Stranger::unread(word));
                }
            } else if *special == 0 && !word.trim().is_empty() {
                meaningful = true;
            }
        }
        let mut ids: Vec<i64> = encoding.get_ids().iter().map(|id| i64::from(*id)).collect();
        let used = ids.len();
        if let Some(context) = self.context {
            ids.resize(context, self.padding);
        }
        let pieces = encoding.get_tokens().iter().map(String::as_str).zip(encoding.get_offsets().iter().copied());
        if let Some(prefix) = &self.piece {
            unknown.extend(Stranger::fallen_apart(text, pieces, prefix));
        }
        Ok(Tokens { ids, used, unknown, meaningful, cut: !encoding.get_overflowing().is_empty() })
    }
}

/// Returns what `model.toml` says about texts. An error if the model knows only labels.
fn texts(model: &ModelFolder) -> Result<(&TextEncoder, &Described), ClipError> {
    match model.description.language() {
        Some(Language::Texts { encoder, tokenizer }) => Ok((encoder, tokenizer)),
        _ => Err(ClipError::Encoder {
            model: model.description.name.clone(),
            message: "has no text encoder".to_owned(),
            hint: None,
        }),
    }
}

/// A tokenizer file's information about its vocabulary.
#[derive(Default)]
struct Vocabulary {
    /// The name of the token for unknown words, if there is one (byte-level vocabularies have none).
    unknown: Option<String>,
    /// The prefix of continuing word pieces, if there are such pieces.
    piece: Option<String>,
    /// Whether it is like CLIP's.
    clips: bool,
}

/// Returns whether a vocabulary with this `type` and `end_of_word_suffix` is like CLIP's: byte pairs, with the ends of words
/// marked.
pub fn is_of_clips_kind(kind: Option<&str>, word_end: Option<&str>) -> bool {
    kind == Some("BPE") && word_end == Some(WORD_END)
}

fn vocabulary(bytes: &[u8]) -> Vocabulary {
    #[derive(serde::Deserialize)]
    struct File {
        model: Model,
    }
    #[derive(serde::Deserialize)]
    struct Model {
        #[serde(rename = "type")]
        kind: Option<String>,
        unk_token: Option<String>,
        continuing_subword_prefix: Option<String>,
        end_of_word_suffix: Option<String>,
    }
    let Ok(File { model }) = serde_json::from_slice(bytes) else { return Vocabulary::default() };
    let none = Vocabulary::default();
    match model.kind.as_deref() {
        // CLIP's byte-pair vocabulary names an unknown token, but bytes cover every text.
        kind @ Some("BPE") => Vocabulary { clips: is_of_clips_kind(kind, model.end_of_word_suffix.as_deref()), ..none },
        Some("WordPiece") => {
            let piece = model.continuing_subword_prefix.filter(|prefix| !prefix.is_empty());
            Vocabulary { unknown: model.unk_token, piece, ..none }
        }
        _ => Vocabulary { unknown: model.unk_token, ..none },
    }
}

/// The key for texts that are changed before encoding. Must change whenever they are repaired differently.
const REPAIRED: &str = "recipe-render: features of repaired texts, 1";

/// Encodes texts into features of unit length, `D` values each, in order.
///
/// Features are cached in `cache` (a folder) by model and text. The text encoder is loaded only for texts not found there, and
/// freed before this returns. A classifier's features are computed from its labels alone.
pub fn features(
    runtime: &Runtime,
    model: &ModelFolder,
    model_hash: &str,
    texts: &[String],
    cache: Option<PathBuf>,
) -> Result<Vec<Vec<f32>>, ClipError> {
    features_with(&mut None, runtime, model, model_hash, texts, cache)
}

/// Like [`features`], but reuses `encoder` if it is loaded, and leaves it loaded.
pub fn features_with(
    encoder: &mut Option<TextSession>,
    runtime: &Runtime,
    model: &ModelFolder,
    model_hash: &str,
    texts: &[String],
    cache: Option<PathBuf>,
) -> Result<Vec<Vec<f32>>, ClipError> {
    if let Some(Language::Labels(list)) = model.description.language() {
        let labels = Labels::open(model, list)?;
        return texts.iter().map(|text| labels.feature(text)).collect();
    }
    // The same text may have been encoded earlier without repair, so repaired texts have another key.
    let key = |text: &String| match repaired(text) {
        same if same == *text => blake3::hash(text.as_bytes()),
        _ => blake3::Hasher::new_derive_key(REPAIRED).update(text.as_bytes()).finalize(),
    };
    remembered(texts, key, model_hash, cache, |text| {
        let encoder = match &mut *encoder {
            Some(encoder) => encoder,
            none => none.insert(TextSession::open(runtime, model)?),
        };
        encoder.encode(text)
    })
}

/// A model's text encoder, loaded.
pub struct TextSession {
    model: ModelFolder,
    tokenizer: TextTokenizer,
    session: crate::runtime::Session,
}

impl TextSession {
    /// Loads the text encoder of a model.
    pub fn open(runtime: &Runtime, model: &ModelFolder) -> Result<Self, ClipError> {
        let (described, _) = texts(model)?;
        let bytes: Bytes = model.bytes(&described.file)?;
        // One text at a time on the CPU: a few milliseconds each, and the same bits on every device.
        let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
        let external = external_files(&bytes).is_ok_and(|files| !files.is_empty());
        // A graph that gives a name twice is refused by the runtime, but can be read here.
        let twice = || Signature::read(&bytes).is_ok_and(|signature| !signature.twice.is_empty());
        let session = if external || twice() {
            let (bytes, tensors) = model.graph(&described.file)?.write_split(OUTSIDE);
            runtime.session(&bytes, &Weights { tensors, ..Weights::default() }, &plan)?
        } else {
            runtime.session(&bytes, &Weights::default(), &plan)?
        };
        Ok(TextSession { model: model.clone(), tokenizer: TextTokenizer::open(model)?, session })
    }

    /// Returns the share of each of the model's names in a text, K values, from the output named by `shares` in `model.toml`.
    /// `None` if the model has no such output.
    pub fn shares(&mut self, text: &str) -> Result<Option<Vec<f32>>, ClipError> {
        let names = self.model.description.names.clone();
        let Some(output) = names.and_then(|names| names.shares) else { return Ok(None) };
        let known: Vec<&str> = self.session.outputs().collect();
        if !known.contains(&output.as_str()) {
            return Err(ClipError::Encoder {
                model: self.model.description.name.clone(),
                message: format!("the text encoder has no output `{output}`; its outputs are {}", known.join(", ")),
                hint: Some(
                    "name its output of shares in the [names] table of model.toml, or leave `shares` out".into(),
                ),
            });
        }
        let outputs = self.run(text)?;
        Ok(Some(outputs.f32(&output)?.1.to_vec()))
    }

    fn encode(&mut self, text: &str) -> Result<Vec<f32>, ClipError> {
        let outputs = self.run(text)?;
        let description = &self.model.description;
        let (described, _) = texts(&self.model)?;
        let failed = |message: String, hint: &str| ClipError::Encoder {
            model: description.name.clone(),
            message,
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        };
        let output = match &described.output {
            Some(name) => name.clone(),
            None => self.session.outputs().next().map(str::to_owned).unwrap_or_default(),
        };
        let (_, values) = outputs.f32(&output)?;
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Err(failed(format!("the text encoder gives no numbers for \"{text}\""), ""));
        }
        if norm < 1e-6 {
            return Err(failed(format!("knows no word of \"{text}\""), "use other words"));
        }
        Ok(values.iter().map(|v| (f64::from(*v) / norm) as f32).collect())
    }

    /// Returns all outputs for a text.
    fn run(&mut self, text: &str) -> Result<Outputs, ClipError> {
        let description = &self.model.description;
        let (described, _) = texts(&self.model)?;
        let failed = |message: String, hint: &str| ClipError::Encoder {
            model: description.name.clone(),
            message,
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        };
        let tokens = self.tokenizer.encode(text)?;
        let dims = [1, tokens.ids.len()];
        let mask: Vec<i64> = (0..tokens.ids.len()).map(|i| i64::from(i < tokens.used)).collect();
        let names: Vec<String> = self.session.inputs().map(str::to_owned).collect();
        let ids_name = match &described.ids {
            Some(name) => name.clone(),
            None => names.first().cloned().ok_or_else(|| failed("the text encoder has no input".into(), ""))?,
        };
        let mut inputs = vec![(ids_name.as_str(), Input::I64(&dims, &tokens.ids))];
        if let Some(name) = &described.mask {
            inputs.push((name.as_str(), Input::I64(&dims, &mask)));
        }
        for (name, _) in &inputs {
            if !names.iter().any(|n| n == name) {
                let message = format!("the text encoder has no input `{name}`; its inputs are {}", names.join(", "));
                return Err(failed(message, "name its inputs in the [text] table of model.toml: ids, mask"));
            }
        }
        if let Some(missing) = names.iter().find(|n| !inputs.iter().any(|(name, _)| name == n)) {
            let message = format!("nothing is given to the text encoder's input `{missing}`");
            return Err(failed(message, "if it is the attention mask, name it as `mask` in [text] of model.toml"));
        }
        Ok(self.session.run(&inputs)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn pocket() -> TextTokenizer {
        TextTokenizer::open(&ModelFolder::find("pocket", Path::new(".")).unwrap()).unwrap()
    }

    #[test]
    fn words_are_known_or_named() {
        let tokens = pocket().encode("a malazan, 漢字 landscape").unwrap();
        assert!(tokens.meaningful);
        assert!(
            !tokens.unknown.is_empty() && tokens.unknown.iter().all(|w| "漢字".contains(w.word.as_str())),
            "{tokens:?}"
        );
        assert!(pocket().encode("leather armour").unwrap().unknown.is_empty());
    }

    #[test]
    fn a_text_without_a_known_word_is_not_meaningful() {
        for text in ["漢字", "  ", "!?", ""] {
            assert!(!pocket().encode(text).unwrap().meaningful, "{text}");
        }
    }
}
