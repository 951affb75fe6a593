//! Reads labels: from a file of lines or JSON, a configuration, or the built-in list.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ModelsError;
use crate::clip;

/// The name of the built-in list for `--labels`.
pub(crate) const IMAGENET: &str = "imagenet-1k";

/// The names of the 1000 classes of ImageNet's challenge, one class per line.
const IMAGENET_NAMES: &str = include_str!("../../../data/imagenet-1k/labels.txt");

/// The byte order mark that some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The names of each class.
pub(super) type Classes = Vec<Vec<String>>;

/// Returns the classes of ImageNet for a network with `outputs` outputs: with 1001, the first one is the background.
pub(super) fn imagenet(outputs: Option<usize>) -> Result<Classes, ModelsError> {
    let mut classes = clip::lines(IMAGENET_NAMES.as_bytes()).map_err(ModelsError::failed)?;
    if outputs == Some(classes.len() + 1) {
        classes.insert(0, vec!["background".to_owned()]);
    }
    Ok(classes)
}

/// Returns whether a network with `outputs` outputs may have ImageNet's classes.
pub(super) fn may_be_imagenet(outputs: Option<usize>) -> bool {
    matches!(outputs, Some(1000 | 1001))
}

/// Reads the labels of a file: one class per line with commas between its names, a JSON list, or a JSON object of numbers and
/// labels (which may be `id2label` of a `config.json`).
///
/// # Errors
/// If the file cannot be read or has none of these forms; the message names file and line.
pub(super) fn read(path: &Path) -> Result<Classes, ModelsError> {
    let bytes = std::fs::read(path).map_err(|error| ModelsError::wrong(format!("{}: {error}", path.display())))?;
    let place = path.display();
    if path.extension().is_some_and(|extension| extension == "json") || looks_like_json(&bytes) {
        return from_json(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            // The position is already given in front.
            let whole = error.to_string();
            let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
            ModelsError::wrong(format!("{place}, line {line}, column {column}: {message}"))
                .hinted(r#"expected ["label", ...] or {"0": "label", ...}"#)
        });
    }
    let classes = clip::lines(&bytes).map_err(|message| {
        ModelsError::wrong(format!("{place}, {message}"))
            .hinted("expected one label per line, in the order of the network's outputs, synonyms separated by commas")
    })?;
    Ok(without_synsets(classes))
}

/// Returns whether a list or an object fills the file: a label may also begin with a bracket.
fn looks_like_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii();
    matches!((text.first(), text.last()), (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}')))
}

fn from_json(bytes: &[u8]) -> Result<Classes, serde_json::Error> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    serde_json::from_slice::<Listed>(bytes).map(|listed| listed.0)
}

/// Removes WordNet's numbers (`n01440764 tench`), if all lines have one.
fn without_synsets(classes: Classes) -> Classes {
    let bare = |names: &Vec<String>| {
        let (number, first) = names.first()?.split_once(' ')?;
        let rest = names.iter().skip(1).cloned();
        is_synset(number).then(|| std::iter::once(first.to_owned()).chain(rest).collect())
    };
    classes.iter().map(bare).collect::<Option<Classes>>().unwrap_or(classes)
}

/// Returns whether this is WordNet's number of a noun.
fn is_synset(word: &str) -> bool {
    word.strip_prefix('n').is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// All classes, from a list or an object.
#[derive(Debug)]
struct Listed(Classes);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListedVisitor)
    }
}

struct ListedVisitor;

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of labels, or an object of numbers and labels")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listed, A::Error> {
        let mut classes = Vec::new();
        while let Some(Names(names)) = items.next_element()? {
            classes.push(names);
        }
        match classes.is_empty() {
            true => Err(A::Error::custom("there are no labels")),
            false => Ok(Listed(classes)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Listed, A::Error> {
        let mut numbered: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut inside = None;
        let mut stranger: Option<String> = None;
        while let Some(key) = entries.next_key::<String>()? {
            match key.parse::<usize>() {
                Ok(number) => {
                    let Names(names) = entries.next_value()?;
                    if numbered.insert(number, names).is_some() {
                        return Err(A::Error::custom(format!("class {number} occurs twice")));
                    }
                }
                Err(_) if key == "id2label" => inside = Some(entries.next_value::<Listed>()?),
                Err(_) => {
                    entries.next_value::<IgnoredAny>()?;
                    stranger = stranger.or(Some(key));
                }
            }
        }
        if let Some(inside) = inside {
            return Ok(inside);
        }
        if let Some(key) = stranger {
            return Err(A::Error::custom(format!("\"{key}\" is not the number of a class")));
        }
        if let Some(missing) = (0..numbered.len()).find(|number| !numbered.contains_key(number)) {
            return Err(A::Error::custom(format!("class {missing} is missing")));
        }
        match numbered.is_empty() {
            true => Err(A::Error::custom("there are no labels")),
            false => Ok(Listed(numbered.into_values().collect())),
        }
    }
}

/// The names of one class: a text with commas, or a list of texts.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Names, E> {
        clip::split(text).map(Names).map_err(|message| E::custom(format!("this label {message}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = items.next_element::<String>()? {
            texts.push(text);
        }
        // Keras has [WordNet number, label].
        if texts.len() > 1 {
            texts.retain(|text| !is_synset(text));
        }
        self.visit_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Result<Classes, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn the_forms_of_a_file() {
        let expected = vec![vec!["tench", "Tinca tinca"], vec!["crane"], vec!["sea lion"]];
        for text in [
            "tench, Tinca tinca\ncrane\nsea lion\n",
            "n01440764 tench, Tinca tinca\nn02012849 crane\nn02077923 sea lion\n",
            r#"["tench, Tinca tinca", "crane", "sea lion"]"#,
            r#"{"1": "crane", "0": ["tench", "Tinca tinca"], "2": "sea lion"}"#,
            r#"{"0": ["n01440764", "tench, Tinca tinca"], "1": ["n02012849", "crane"], "2": ["n02077923", "sea lion"]}"#,
            "{\"model_type\": \"vit\",\n \"id2label\": {\"0\": \"tench, Tinca tinca\", \"1\": \"crane\", \"2\": \"sea lion\"}, \"x\": [1]}",
        ] {
            assert_eq!(of("x", text).unwrap(), expected, "{text}");
        }
        assert_eq!(of("l.txt", "[none]\ncat\n").unwrap(), [["[none]"], ["cat"]]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (name, text, said) in [
            ("l.txt", "a\n\nb\n", "l.txt, line 2: is empty; every class of the network needs a label"),
            ("l.txt", "", "l.txt, line 1: there are no labels"),
            ("l.json", "", "l.json, line 1, column 0: EOF while parsing a value"),
            ("l.txt", "[\"a\",\n 3]", "l.txt, line 2, column 2: invalid type: integer `3`, expected a label in quotes"),
            ("l.txt", "[\"a\",\n\" , \"]", "l.txt, line 2, column 5: this label is empty"),
            ("l.txt", "[]", "there are no labels"),
            ("l.json", "\"a\"", "expected a list of labels, or an object of numbers and labels"),
            ("l.txt", "{\"0\": \"a\",\n \"cat\": 1}", "l.txt, line 2, column 10: \"cat\" is not the number of a class"),
            ("l.txt", "{\"0\": \"a\", \"2\": \"b\"}", "class 1 is missing"),
            ("l.txt", "{\"0\": \"a\",\n \"0\": \"b\"}", "class 0 occurs twice"),
            ("l.json", "{\"0\": \"a\"", "l.json, line 1, column 9: EOF while parsing an object"),
        ] {
            let error = of(name, text).unwrap_err();
            assert!(error.contains(said), "{error}, not {said}");
        }
        assert!(read(Path::new("/nowhere/l.txt")).unwrap_err().to_string().contains("/nowhere/l.txt"));
    }

    #[test]
    fn the_names_of_imagenet_are_part_of_the_program() {
        let classes = imagenet(Some(1000)).unwrap();
        assert_eq!(classes.len(), 1000);
        assert_eq!([&classes[0][0], &classes[483][0], &classes[999][2]], ["tench", "castle", "bathroom tissue"]);
        let more = imagenet(Some(1001)).unwrap();
        assert_eq!((more.len(), &more[0][0], &more[484][0]), (1001, &"background".to_owned(), &"castle".to_owned()));
    }
}
