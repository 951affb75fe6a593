//! Labels: a classifier's replacement for a text encoder. A prompt is a label, and its feature is the embedding of a picture
//! that the classifier assigns to that label and to no other.
//!
//! The embedding of a picture is the network's logits minus their mean over all C classes. So a label's feature is its class's
//! unit vector minus 1/C, normalised to unit length.

mod names;
mod nearest;

use std::collections::{BTreeSet, HashMap};

pub use names::{lines, split};

use super::{ClipError, LabelList, ModelFolder};

/// The minimum number of classes for a useful embedding: minus their mean, the logits of two classes reduce to a sign, which
/// has no gradient.
pub const FEWEST: usize = 3;

/// The names of a classifier's classes.
#[derive(Debug, Clone)]
pub struct Labels {
    /// The model's name, for messages.
    model: String,
    /// The file they are from, for messages.
    file: String,
    /// The names of each class, in the order of the network's outputs; the first is the usual one.
    classes: Vec<Vec<String>>,
    /// The classes by plain form of their names, with the name as it is written.
    plain: HashMap<String, Named>,
    /// The same by singular form, for labels that are plurals.
    singular: HashMap<String, Named>,
    /// The maximum number of words of a name.
    longest: usize,
}

/// A name and the classes that have it, ascending; several if different things share a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub classes: BTreeSet<usize>,
}

/// The labels that a prompt names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// In the order of the prompt, each once; at least one.
    pub labels: Vec<Named>,
    /// Whether the prompt is exactly one label.
    pub whole: bool,
}

impl Labels {
    /// Reads the labels of a classifier.
    ///
    /// # Errors
    /// If the file cannot be read or is malformed; the message gives the line.
    pub fn open(model: &ModelFolder, list: &LabelList) -> Result<Self, ClipError> {
        let file = &list.file;
        let bytes = model.bytes(file)?;
        let path = model.folder().unwrap_or("".as_ref()).join(file);
        let shown = path.display().to_string();
        let classes = lines(&bytes).map_err(|message| ClipError::Description { path, message })?;
        Ok(Labels::new(&model.description.name, &shown, classes))
    }

    /// Creates labels from the names of each class.
    pub fn new(model: &str, file: &str, classes: Vec<Vec<String>>) -> Self {
        let mut labels = Labels {
            model: model.to_owned(),
            file: file.to_owned(),
            plain: HashMap::new(),
            singular: HashMap::new(),
            longest: 1,
            classes: Vec::new(),
        };
        for (class, names) in classes.iter().enumerate() {
            // Other programs use all names of a class together.
            let together = (names.len() > 1).then(|| names.join(", "));
            for name in names.iter().chain(&together) {
                let plain = names::plain(name);
                labels.longest = labels.longest.max(plain.split(' ').count());
                for other in names::singulars(&plain) {
                    learn(&mut labels.singular, other, name, class);
                }
                learn(&mut labels.plain, plain, name, class);
            }
        }
        labels.classes = classes;
        labels
    }

    /// Returns the number of classes, C.
    pub fn count(&self) -> usize {
        self.classes.len()
    }

    /// Returns the names of each class; the first is the usual one.
    pub fn classes(&self) -> &[Vec<String>] {
        &self.classes
    }

    /// Returns the labels that a prompt names: the one that it equals, ignoring letter case, articles, plurals, hyphens and
    /// underscores; otherwise those that occur in it, the longest match first. `None` if there are none.
    pub fn read(&self, prompt: &str) -> Option<Reading> {
        let plain = names::plain(prompt);
        if let Some(named) = self.find(&plain) {
            return Some(Reading { labels: vec![named.clone()], whole: true });
        }
        let words: Vec<&str> = plain.split(' ').collect();
        let mut labels: Vec<Named> = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let most = self.longest.min(words.len() - at);
            let found = (1..=most).rev().find_map(|count| Some((count, self.find(&words[at..at + count].join(" "))?)));
            at += found.map_or(1, |(count, _)| count);
            if let Some((_, named)) = found
                && !labels.contains(named)
            {
                labels.push(named.clone());
            }
        }
        (!labels.is_empty()).then_some(Reading { labels, whole: false })
    }

    /// Finds a name in plain form, a plural of one, or the singular of one.
    fn find(&self, plain: &str) -> Option<&Named> {
        let known = |name: &str| self.plain.get(name);
        known(plain)
            .or_else(|| names::singulars(plain).iter().find_map(|name| known(name)))
            .or_else(|| self.singular.get(plain))
    }

    /// Returns the feature of a prompt, `[C]`, of unit length: the mean of its labels, each of which is the mean of its
    /// classes.
    ///
    /// # Errors
    /// If the prompt names no label, or all classes equally.
    pub fn feature(&self, prompt: &str) -> Result<Vec<f32>, ClipError> {
        let reading = self.read(prompt).ok_or_else(|| ClipError::Encoder {
            model: self.model.clone(),
            message: format!("has no label \"{prompt}\""),
            hint: Some(self.hint(prompt)),
        })?;
        let mut weights = vec![0.0; self.count()];
        for named in &reading.labels {
            let share = 1.0 / (reading.labels.len() * named.classes.len()) as f64;
            for class in &named.classes {
                weights[*class] += share;
            }
        }
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        weights.iter_mut().for_each(|weight| *weight -= mean);
        let length = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        if length < 1e-6 {
            return Err(ClipError::Encoder {
                model: self.model.clone(),
                message: format!("\"{prompt}\" names all of its classes, so it selects none"),
                hint: None,
            });
        }
        Ok(weights.iter().map(|weight| (weight / length) as f32).collect())
    }

    /// Returns at most `top` names with the most similar spelling to a text, the most similar first, each with its similarity,
    /// 0 to 1.
    pub fn nearest(&self, text: &str, top: usize) -> Vec<(&str, f64)> {
        nearest::ranked(text, self.classes.iter().flatten().map(String::as_str), top)
    }

    /// Returns a hint about what a prompt that names no label may have meant.
    pub fn hint(&self, prompt: &str) -> String {
        let names = || self.classes.iter().flatten().map(String::as_str);
        if let Some(name) = nearest::by_spelling(prompt, names()) {
            return format!("did you mean \"{name}\"?");
        }
        let (count, file) = (self.count(), &self.file);
        match nearest::by_words(prompt, names()).as_slice() {
            [] => format!("a prompt is one of the model's {count} labels, which are listed in {file}"),
            near => format!("labels with such words: {}; all {count} are listed in {file}", quoted(near)),
        }
    }
}

/// Returns names in quotes, separated by commas.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn learn(names: &mut HashMap<String, Named>, form: String, name: &str, class: usize) {
    let named = names.entry(form).or_insert_with(|| Named { name: name.to_owned(), classes: BTreeSet::new() });
    named.classes.insert(class);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        let lines = "tench, Tinca tinca\ncrane\ncliff, drop-off\ncastle\ncrane\nsunglass\nsunglasses, shades\nsea_lion\nBow Ties\n";
        Labels::new("x", "labels.txt", super::lines(lines.as_bytes()).unwrap())
    }

    fn classes(prompt: &str) -> Vec<Vec<usize>> {
        let reading = labels().read(prompt).unwrap_or_else(|| panic!("{prompt}"));
        reading.labels.into_iter().map(|named| named.classes.into_iter().collect()).collect()
    }

    #[test]
    fn a_prompt_is_a_label_or_a_synonym_of_one() {
        for (prompt, class) in [
            ("castle", 3),
            (" The  CASTLE ", 3),
            ("a castle", 3),
            ("castles", 3),
            ("tinca tinca", 0),
            ("Tench, Tinca tinca", 0),
            ("tenches", 0),
            ("drop off", 2),
            ("drop_offs", 2),
            ("Sea-Lions", 7),
            ("bow tie", 8),
            ("bow-ties", 8),
        ] {
            assert_eq!(classes(prompt), [[class]], "{prompt}");
            assert!(labels().read(prompt).unwrap().whole, "{prompt}");
        }
        // A prompt that equals one label is not read as a plural of another.
        assert_eq!((classes("sunglass"), classes("sunglasses")), (vec![vec![5]], vec![vec![6]]));
    }

    #[test]
    fn classes_of_one_name_count_alike() {
        assert_eq!(classes("cranes"), [[1, 4]]);
        let feature = labels().feature("crane").unwrap();
        assert_eq!(feature.len(), 9);
        assert_eq!(feature[1], feature[4]);
        assert!(feature[1] > 0.6 && feature[0] < 0.0);
        let sum: f32 = feature.iter().sum();
        let length: f32 = feature.iter().map(|value| value * value).sum();
        assert!(sum.abs() < 1e-6 && (length - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_longer_prompt_is_the_mean_of_its_labels() {
        assert_eq!(classes("a castle on a cliff by the castle"), [[3], [2]]);
        assert!(!labels().read("a castle on a cliff").unwrap().whole);
        assert_eq!(classes("two sea lions, resting"), [[7]]);
        let [both, castle, cliff] = ["castle and cliff", "castle", "cliff"].map(|p| labels().feature(p).unwrap());
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert!((dot(&both, &castle) - dot(&both, &cliff)).abs() < 1e-6 && dot(&both, &castle) > 0.6);
    }

    #[test]
    fn what_is_no_label_is_told_with_what_may_be_meant() {
        let labels = labels();
        assert_eq!(labels.read("sword"), None);
        assert_eq!(labels.read(" - "), None);
        assert_eq!(labels.hint("castel"), "did you mean \"castle\"?");
        assert_eq!(labels.hint("lion"), "labels with such words: \"sea_lion\"; all 9 are listed in labels.txt");
        assert_eq!(labels.hint("qqqq"), "a prompt is one of the model's 9 labels, which are listed in labels.txt");
        let error = labels.feature("castel").unwrap_err();
        assert_eq!(error.to_string(), "model `x`: has no label \"castel\"");
        let two = Labels::new("x", "", vec![vec!["cat".into()], vec!["dog".into()]]);
        assert!(two.feature("cat, dog").unwrap_err().to_string().contains("names all of its classes"));
    }
}
