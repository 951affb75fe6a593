//! CLIP's byte-pair vocabulary, and its conversion (or that of a similar one) to a `tokenizer.json` of the tokenizers library.
//!
//! Texts are tokenised as in CLIP's own code: Unicode normal form C, white space reduced to one space, lower case, split into
//! words by CLIP's pattern, their UTF-8 bytes merged pair by pair with `</w>` at the end of a word, enclosed by the start and
//! end tokens. CLIP's code first replaces curly quotes, ligatures and the like. That is not part of the file, but done by the
//! user of such a vocabulary ([`crate::clip::TextTokenizer`]).

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::ModelsError;
use crate::clip::WORD_END;

/// The merges of OpenAI's CLIP, compressed.
const MERGES: &[u8] = include_bytes!("../data/clip-vocabulary/merges.txt.gz");

/// The names of the tokens at the ends of a text in vocabularies of this kind.
pub(super) const STARTS: [&str; 3] = ["<|startoftext|>", "<start_of_text>", "<s>"];
pub(super) const ENDS: [&str; 3] = ["<|endoftext|>", "<end_of_text>", "</s>"];

/// The pattern of words: CLIP's own, after the two end tokens.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// A tokenizer like CLIP's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// The `tokenizer.json` of the tokenizers library.
    pub tokenizer_json: Vec<u8>,
    /// The token at the start of every text.
    pub start: u32,
    /// The token at the end of every text.
    pub end: u32,
    /// The number of tokens; if ids have no gaps, all are below it.
    pub size: usize,
}

/// Returns the vocabulary of OpenAI's CLIP, which is built in.
pub fn clip_vocabulary() -> Result<Vocabulary, ModelsError> {
    let mut merges = String::new();
    GzDecoder::new(MERGES).read_to_string(&mut merges).map_err(ModelsError::failed)?;
    vocabulary(None, &merges)
}

/// Creates a vocabulary like CLIP's from the contents of `vocab.json` (token to id) and `merges.txt`, as found in Hugging
/// Face's model folders. Without `vocab`, ids follow from the merges as in CLIP's own code.
///
/// # Errors
/// Malformed contents; merges whose parts or results are not in the vocabulary; no start or end token.
pub fn vocabulary(vocab: Option<&str>, merges: &str) -> Result<Vocabulary, ModelsError> {
    let merges = read_merges(merges)?;
    let ids = match vocab {
        Some(text) => read_vocab(text)?,
        None => ids_of(&merges)?,
    };
    for (first, second) in &merges {
        let whole = format!("{first}{second}");
        if let Some(token) = [*first, *second, &whole].into_iter().find(|token| !ids.contains_key(*token)) {
            return Err(ModelsError::wrong(format!(
                "merges.txt: `{first} {second}` needs the token `{token}`, which vocab.json does not have"
            ))
            .hinted("do the two files belong together?"));
        }
    }
    let special = |names: &[&'static str], what: &str| {
        names.iter().find_map(|name| Some((*name, *ids.get(*name)?))).ok_or_else(|| {
            ModelsError::wrong(format!("vocab.json has no token for the {what} of a text: {}", names.join(", ")))
                .hinted("vocabularies of another kind than CLIP's need a tokenizer.json")
        })
    };
    let (start, end) = (special(&STARTS, "start")?, special(&ENDS, "end")?);
    let json = tokenizer(&ids, &merges, start, end);
    let tokenizer_json = serde_json::to_vec(&json).map_err(ModelsError::failed)?;
    Ok(Vocabulary { tokenizer_json, start: start.1, end: end.1, size: ids.len() })
}

/// Parses the pairs of `merges.txt`, in order: a version line, then two tokens per line.
fn read_merges(text: &str) -> Result<Vec<(&str, &str)>, ModelsError> {
    let mut pairs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (number == 0 && line.starts_with("#version")) {
            continue;
        }
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [first, second] if !first.is_empty() && !second.is_empty() => pairs.push((*first, *second)),
            _ => {
                let shown: String = line.chars().take(40).collect();
                return Err(ModelsError::wrong(format!(
                    "merges.txt, line {}: `{shown}`, expected two tokens with a space between",
                    number + 1
                )));
            }
        }
    }
    if pairs.is_empty() {
        return Err(ModelsError::wrong("merges.txt has no merges"));
    }
    Ok(pairs)
}

fn read_vocab(text: &str) -> Result<BTreeMap<String, u32>, ModelsError> {
    serde_json::from_str(text).map_err(|error| {
        ModelsError::wrong(format!("vocab.json: {error}")).hinted("expected an object of tokens and their ids")
    })
}

/// Returns the ids that CLIP's own code assigns: bytes, bytes at the end of a word, merges, start, end.
fn ids_of(merges: &[(&str, &str)]) -> Result<BTreeMap<String, u32>, ModelsError> {
    let letters: Vec<String> = byte_letters().into_iter().map(String::from).collect();
    let last = letters.iter().map(|letter| format!("{letter}{WORD_END}"));
    let merged = merges.iter().map(|(first, second)| format!("{first}{second}"));
    let ends = [STARTS[0], ENDS[0]].map(String::from);
    let tokens = letters.iter().cloned().chain(last).chain(merged).chain(ends);
    // A token produced by two merges has the id of the later one, as in CLIP's own code.
    let ids: BTreeMap<String, u32> = tokens.zip(0..).collect();
    if ids.len() < 512 + 2 {
        return Err(ModelsError::wrong("merges.txt is not a byte-pair vocabulary"));
    }
    Ok(ids)
}

/// Returns the characters that represent bytes in a vocabulary, in the order of their ids: visible Latin-1 characters represent
/// themselves and come first, the others are characters from 256 on.
fn byte_letters() -> Vec<char> {
    let visible: Vec<u32> = (0x21..=0x7e).chain(0xa1..=0xac).chain(0xae..=0xff).collect();
    let others = 256 - visible.len() as u32;
    visible.into_iter().chain(256..256 + others).filter_map(char::from_u32).collect()
}

fn tokenizer(ids: &BTreeMap<String, u32>, merges: &[(&str, &str)], start: (&str, u32), end: (&str, u32)) -> Value {
    let mut by_id: Vec<(&String, u32)> = ids.iter().map(|(token, id)| (token, *id)).collect();
    by_id.sort_unstable_by_key(|(_, id)| *id);
    let vocab: Map<String, Value> = by_id.into_iter().map(|(token, id)| (token.clone(), id.into())).collect();
    let merges: Vec<String> = merges.iter().map(|(first, second)| format!("{first} {second}")).collect();
    let added = |(content, id): (&str, u32)| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true,
        })
    };
    let literal = |(content, _): (&str, u32)| content.replace('|', r"\|");
    let words = format!("{}|{}|{WORDS}", literal(start), literal(end));
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added(start), added(end)],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "NFC" },
            { "type": "Replace", "pattern": { "Regex": r"\s+" }, "content": " " },
            { "type": "Lowercase" },
        ]},
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": words }, "behavior": "Removed", "invert": true },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        ]},
        "post_processor": {
            "type": "RobertaProcessing", "sep": [end.0, end.1], "cls": [start.0, start.1], "trim_offsets": false,
            "add_prefix_space": false,
        },
        "decoder": { "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": end.0, "continuing_subword_prefix": "",
            "end_of_word_suffix": WORD_END, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": merges,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{ModelFolder, TextTokenizer};
    use tokenizers::Tokenizer;

    fn tokenizer(vocabulary: &Vocabulary) -> Tokenizer {
        Tokenizer::from_bytes(&vocabulary.tokenizer_json).unwrap()
    }

    fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        tokenizer.encode(text, true).unwrap().get_ids().to_vec()
    }

    /// `[[text, [id, ...]], ...]`, as tokenised by CLIP's own code and transformers (tests/models/tokens.py).
    fn agrees(table: &[u8]) -> usize {
        let clip = tokenizer(&clip_vocabulary().unwrap());
        let table: Vec<(String, Vec<u32>)> = serde_json::from_slice(table).unwrap();
        for (text, expected) in &table {
            assert_eq!(&ids(&clip, text), expected, "{text:?}");
        }
        table.len()
    }

    #[test]
    fn texts_become_the_tokens_of_clip() {
        assert!(agrees(include_bytes!("../../../tests/models/tokens.json")) >= 40);
        let clip = tokenizer(&clip_vocabulary().unwrap());
        assert_eq!(ids(&clip, "a photo of a cat"), [49406, 320, 1125, 539, 320, 2368, 49407]);
        assert_eq!(ids(&clip, "how are you doing?"), [49406, 829, 631, 592, 1960, 286, 49407]);
    }

    /// A longer table, written by tests/models/tokens.py and named in the variable TOKENS.
    #[test]
    #[ignore = "needs a table named in TOKENS"]
    fn texts_of_another_table() {
        println!("{} texts", agrees(&std::fs::read(std::env::var_os("TOKENS").unwrap()).unwrap()));
    }

    #[test]
    fn the_ends_and_the_size_are_clips() {
        let clip = clip_vocabulary().unwrap();
        assert_eq!((clip.start, clip.end, clip.size), (49406, 49407, 49408));
    }

    /// A model folder that contains only the tokenizer.
    fn folder(tokenizer: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let description =
            "name = 'x'\n[image]\nfile = 'i.onnx'\nsize = 64\n[text]\nfile = 't.onnx'\n[tokenizer]\nfile = 't.json'\n";
        std::fs::write(folder.path().join("model.toml"), description).unwrap();
        std::fs::write(folder.path().join("t.json"), tokenizer).unwrap();
        folder
    }

    #[test]
    fn texts_are_cleaned_before_they_are_tokenised() {
        let folder = folder(&clip_vocabulary().unwrap().tokenizer_json);
        let clip = TextTokenizer::open(&ModelFolder::open(folder.path().to_path_buf()).unwrap()).unwrap();
        let ids = |text: &str| clip.encode(text).unwrap().ids;
        for (written, meant) in [
            ("the king’s “golden crown”", "the king's \"golden crown\""),
            ("ﬁne oﬃce", "fine office"),
            ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
            ("R&amp;D &lt;3", "R&D <3"),
            ("a\u{feff} cat\u{7}", "a cat"),
            ("cafe\u{301}", "café"),
        ] {
            assert_eq!(ids(written), ids(meant), "{written}");
        }
        assert_eq!(ids("it’s"), [49406, 585, 568, 49407]);
        let tokens = clip.encode("naïve “café”").unwrap();
        assert!(tokens.meaningful && tokens.unknown.is_empty());
    }

    #[test]
    fn a_model_that_is_told_no_ends_of_texts_is_not_used() {
        let mut json: Value = serde_json::from_slice(&clip_vocabulary().unwrap().tokenizer_json).unwrap();
        json["post_processor"] = Value::Null;
        let folder = folder(&serde_json::to_vec(&json).unwrap());
        let error = TextTokenizer::open(&ModelFolder::open(folder.path().to_path_buf()).unwrap()).err().unwrap();
        assert!(error.to_string().contains("start and the end"), "{error}");
    }

    const SMALL: [&str; 2] = [
        r#"{"a": 5, "b</w>": 6, "ab</w>": 9, "b": 1, "a</w>": 2, "<|endoftext|>": 0, "<|startoftext|>": 7}"#,
        "#version: 0.2\na b</w>\n",
    ];

    #[test]
    fn another_vocabulary_has_its_own_ids() {
        let small = vocabulary(Some(SMALL[0]), SMALL[1]).unwrap();
        assert_eq!((small.start, small.end, small.size), (7, 0, 7));
        assert_eq!(ids(&tokenizer(&small), " AB  a ba"), [7, 9, 2, 1, 2, 0]);
    }

    #[test]
    fn without_a_line_of_the_version() {
        assert_eq!(vocabulary(Some(SMALL[0]), "a b</w>").unwrap(), vocabulary(Some(SMALL[0]), SMALL[1]).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let ends = r#"{"a": 5, "b": 6, "ab": 3}"#;
        for (vocab, merges, said) in [
            (Some("[]"), SMALL[1], "vocab.json"),
            (Some(r#"{"a": -1}"#), SMALL[1], "vocab.json"),
            (Some(SMALL[0]), "", "no merges"),
            (Some(SMALL[0]), "#version\na b c", "line 2"),
            (Some(SMALL[0]), "a  b", "line 1"),
            (Some(SMALL[0]), "a c", "the token `c`"),
            (Some(SMALL[0]), "b a", "the token `ba`"),
            (Some(ends), "a b", "start of a text"),
            (None, "a c\nac ë€", "the token `ë€`"),
        ] {
            let error = vocabulary(vocab, merges).unwrap_err().to_string();
            assert!(error.contains(said), "{error}, not {said}");
        }
    }
}
