//! The tokenizer's files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{configs, special_tokens};
use crate::{ModelsError, clip_vocabulary, vocabulary};

/// A tokenizer for the model folder.
#[derive(Debug, Clone)]
pub(super) struct TokenizerFile {
    /// The contents of `tokenizer.json`.
    pub json: Vec<u8>,
    /// The number of tokens that it cuts texts to, if any.
    pub context: Option<usize>,
    /// The token id used for padding, if the files give it.
    pub padding: Option<i64>,
    /// The files that it was made from.
    pub files: Vec<PathBuf>,
}

/// Finds the tokenizer: the named one, else the one in the folders around the encoders, else CLIP's own if the text encoder has
/// the same number of tokens (`clips`).
pub(super) fn find(
    named: Option<&Path>,
    folders: &[PathBuf],
    clips: &dyn Fn() -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<TokenizerFile, ModelsError> {
    if let Some(path) = named {
        if path.is_dir() {
            return in_folder(path, say)?.ok_or_else(|| {
                ModelsError::wrong(format!("--tokenizer {}: there is no tokenizer in this folder", path.display()))
                    .hinted("expected tokenizer.json, or vocab.json with merges.txt")
            });
        }
        return read(path, say);
    }
    let places = folders.iter().flat_map(|folder| [folder.clone(), folder.join("textual"), folder.join("tokenizer")]);
    for place in places {
        if let Some(found) = in_folder(&place, say)? {
            return Ok(found);
        }
    }
    if clips() {
        say("no tokenizer file: using OpenAI's vocabulary, which has as many tokens as the text encoder");
        return parse(clip_vocabulary()?.tokenizer_json, Path::new("tokenizer.json"), Vec::new(), say);
    }
    let place = folders.first().map(|folder| folder.display().to_string()).unwrap_or_default();
    let piece =
        folders.iter().any(|folder| folder.join("spiece.model").is_file() || folder.join("tokenizer.model").is_file());
    let hint = match piece {
        true => "SentencePiece models are not read; give the tokenizer.json of the same model with --tokenizer FILE",
        false => "give tokenizer.json with --tokenizer FILE, or a folder with vocab.json and merges.txt",
    };
    Err(ModelsError::wrong(format!("{place}: there is no tokenizer")).hinted(hint))
}

/// Returns the tokenizer in a folder, if there is one.
fn in_folder(folder: &Path, say: &mut dyn FnMut(&str)) -> Result<Option<TokenizerFile>, ModelsError> {
    let path = folder.join("tokenizer.json");
    if path.is_file() {
        return read(&path, say).map(Some);
    }
    let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
    match (vocab.is_file(), merges.is_file()) {
        (false, false) => return Ok(None),
        (true, true) => {}
        (there, _) => {
            let (half, other) = if there { (&vocab, "merges.txt") } else { (&merges, "vocab.json") };
            return Err(ModelsError::wrong(format!("{}: there is no {other} beside it", half.display()))
                .hinted("the two make a tokenizer together; or name another with --tokenizer"));
        }
    }
    let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| ModelsError::file(path, error));
    let found = vocabulary(Some(&text(&vocab)?), &text(&merges)?).map_err(|error| match error {
        ModelsError::Wrong { message, hint } => {
            ModelsError::Wrong { message: format!("{}: {message}", folder.display()), hint }
        }
        other => other,
    })?;
    parse(found.tokenizer_json, &path, vec![vocab, merges], say).map(Some)
}

/// Reads a `tokenizer.json`.
fn read(path: &Path, say: &mut dyn FnMut(&str)) -> Result<TokenizerFile, ModelsError> {
    let json = std::fs::read(path).map_err(|error| ModelsError::file(path, error))?;
    parse(json, path, vec![path.to_path_buf()], say)
}

/// Parses the contents of a `tokenizer.json`, which is or would be at `path`.
fn parse(
    mut json: Vec<u8>,
    path: &Path,
    files: Vec<PathBuf>,
    say: &mut dyn FnMut(&str),
) -> Result<TokenizerFile, ModelsError> {
    let wrong = |error: String| {
        ModelsError::wrong(format!("{}: {error}", path.display()))
            .hinted("expected a tokenizer.json of the Hugging Face tokenizers library")
    };
    let tokenizer = tokenizers::Tokenizer::from_bytes(&json).map_err(|error| wrong(error.to_string()))?;
    let mut value: Value = serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))?;
    if let Some(added) = special_tokens::add(&tokenizer, &mut value, path)? {
        say(&format!(
            "{}: adds nothing at the ends of texts; it adds {added} now, as its model needs it",
            path.display()
        ));
        json = serde_json::to_vec(&value).map_err(ModelsError::failed)?;
        // Check that the changed file can still be read.
        tokenizers::Tokenizer::from_bytes(&json).map_err(|error| wrong(error.to_string()))?;
    }
    let count = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let own = value.pointer("/padding/pad_id").and_then(Value::as_i64);
    let folder = path.parent().unwrap_or(Path::new(""));
    let token = |name: &str| tokenizer.token_to_id(name).map(i64::from);
    let padding = configs::padding_token(folder).and_then(|name| token(&name)).or(own);
    // OpenAI's own code pads with 0, which is ignored after the end token.
    let padding = padding.or_else(|| token("<|endoftext|>").map(|_| 0)).or_else(|| token("<pad>"));
    let context = count("/padding/strategy/Fixed").or_else(|| count("/truncation/max_length"));
    Ok(TokenizerFile { json, context, padding, files })
}
