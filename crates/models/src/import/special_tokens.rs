//! The tokens at the ends of a text, which every text encoder was trained with, but which some tokenizer files do not add.

use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::{PostProcessor, Tokenizer};

use crate::ModelsError;
use crate::clip::is_of_clips_kind;
use crate::vocabulary::{ENDS, STARTS};

/// The tokens at a text's start and end by the kind of vocabulary; the first that it has are used.
const BERT: [(Option<&str>, &str); 1] = [(Some("[CLS]"), "[SEP]")];
/// With a start, as in RoBERTa's vocabularies, or without, as in those of T5 and Gemma, which SigLIP uses.
const OTHERS: [(Option<&str>, &str); 3] = [(Some("<s>"), "</s>"), (None, "</s>"), (None, "<eos>")];

/// Makes a tokenizer file add its vocabulary's tokens for the ends of a text, if it adds none; returns which.
///
/// # Errors
/// If a vocabulary like CLIP's has no such tokens.
pub(super) fn add(tokenizer: &Tokenizer, file: &mut Value, path: &Path) -> Result<Option<String>, ModelsError> {
    if tokenizer.get_post_processor().is_some_and(|processor| processor.added_tokens(false) > 0) {
        return Ok(None);
    }
    let model = |key: &str| file.pointer(&format!("/model/{key}")).and_then(Value::as_str);
    let clips = is_of_clips_kind(model("type"), model("end_of_word_suffix"));
    let known = |name: &str| tokenizer.token_to_id(name).is_some();
    let pairs: Vec<(Option<&str>, &str)> = match model("type") {
        _ if clips => {
            let of = |names: &[&'static str]| names.iter().find(|name| known(name)).copied();
            let (Some(start), Some(end)) = (of(&STARTS), of(&ENDS)) else {
                let message = format!(
                    "{}: adds nothing at the ends of texts, and has no tokens {} and {} for them",
                    path.display(),
                    STARTS[0],
                    ENDS[0]
                );
                return Err(ModelsError::wrong(message)
                    .hinted("take the tokenizer of the model itself with --tokenizer FILE: without them texts mean nothing to it"));
            };
            vec![(Some(start), end)]
        }
        Some("WordPiece") => BERT.to_vec(),
        Some("Unigram" | "BPE") => OTHERS.to_vec(),
        _ => Vec::new(),
    };
    let fitting = pairs.into_iter().find(|(start, end)| start.is_none_or(&known) && known(end));
    let Some((start, end)) = fitting else { return Ok(None) };
    let special = |name: &str| json!({ "SpecialToken": { "id": name, "type_id": 0 } });
    let text = |id: &str| json!({ "Sequence": { "id": id, "type_id": 0 } });
    let around = |texts: Vec<Value>| -> Vec<Value> {
        start.map(special).into_iter().chain(texts).chain([special(end)]).collect()
    };
    let ids: Map<String, Value> = start
        .into_iter()
        .chain([end])
        .map(|name| (name.to_owned(), json!({ "id": name, "ids": [tokenizer.token_to_id(name)], "tokens": [name] })))
        .collect();
    file["post_processor"] = json!({
        "type": "TemplateProcessing", "single": around(vec![text("A")]), "pair": around(vec![text("A"), text("B")]),
        "special_tokens": ids,
    });
    Ok(Some(start.map(|start| format!("{start} and ")).unwrap_or_default() + end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip_vocabulary;

    fn clips() -> Value {
        serde_json::from_slice(&clip_vocabulary().unwrap().tokenizer_json).unwrap()
    }

    fn opened(file: &Value) -> Tokenizer {
        Tokenizer::from_bytes(serde_json::to_vec(file).unwrap()).unwrap()
    }

    fn ids(file: &Value, text: &str) -> Vec<u32> {
        opened(file).encode(text, true).unwrap().get_ids().to_vec()
    }

    fn add_to(file: &mut Value) -> Result<Option<String>, ModelsError> {
        add(&opened(file), file, Path::new("tokenizer.json"))
    }

    #[test]
    fn clips_ends_are_added_where_they_are_missing() {
        let whole = clips();
        let byte_level =
            json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
        for post in [Value::Null, byte_level] {
            let mut file = whole.clone();
            file["post_processor"] = post;
            assert_eq!(ids(&file, "a cat"), [320, 2368]);
            assert_eq!(add_to(&mut file).unwrap().unwrap(), "<|startoftext|> and <|endoftext|>");
            for text in ["a cat", "", "it's"] {
                assert_eq!(ids(&file, text), ids(&whole, text));
            }
        }
        let mut same = whole.clone();
        assert_eq!(add_to(&mut same).unwrap(), None);
        assert_eq!(same, whole);
    }

    #[test]
    fn a_clip_without_ends_is_refused() {
        let mut file = json!({
            "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
            "decoder": null, "truncation": null, "padding": null,
            "model": { "type": "BPE", "end_of_word_suffix": "</w>", "vocab": { "a</w>": 0 }, "merges": [] },
        });
        let error = add_to(&mut file).unwrap_err();
        assert!(
            error.to_string().contains("<|startoftext|>") && error.hint().unwrap().contains("--tokenizer"),
            "{error}"
        );
    }

    #[test]
    fn other_kinds_have_ends_of_their_own() {
        let words = |names: &[&str]| -> Map<String, Value> {
            names.iter().enumerate().map(|(id, name)| ((*name).to_owned(), id.into())).collect()
        };
        let pieces = |names: &[&str]| -> Value { names.iter().map(|name| json!([name, -1.0])).collect() };
        let file = |model: Value| {
            json!({
                "version": "1.0", "added_tokens": [], "normalizer": null, "pre_tokenizer": { "type": "Whitespace" },
                "post_processor": null, "decoder": null, "truncation": null, "padding": null, "model": model,
            })
        };
        let bert = json!({
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": words(&["a", "[UNK]", "[CLS]", "[SEP]"]),
        });
        let unigram = |names: &[&str]| json!({ "type": "Unigram", "unk_id": 1, "vocab": pieces(names) });
        let word_level = json!({ "type": "WordLevel", "unk_token": "[UNK]", "vocab": words(&["a", "[UNK]", "</s>"]) });
        for (model, expected) in [
            (bert, &[2, 0, 3][..]),
            (unigram(&["a", "<unk>", "<s>", "</s>"]), &[2, 0, 3]),
            (unigram(&["a", "<unk>", "</s>"]), &[0, 2]),
            (unigram(&["a", "<unk>", "<bos>", "<eos>"]), &[0, 3]),
            (unigram(&["a", "<unk>"]), &[0]),
            (word_level, &[0]),
        ] {
            let mut file = file(model);
            assert_eq!(add_to(&mut file).unwrap().is_some(), expected.len() > 1);
            assert_eq!(ids(&file, "a"), expected, "{file}");
        }
    }
}
