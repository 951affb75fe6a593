//! How a model understands a text: the names nearest to it, and the words that it does not know.

use std::path::PathBuf;

use crate::clip::{self, ClipError, Labels, ModelFolder, Name, Named, Stranger, TextSession, TextTokenizer};
use crate::runtime::Runtime;

/// Names of everyday things, for models without a list of their own.
const NAMES: &str = include_str!("names.txt");

/// The measure of how near names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The names' shares in the text, given by the text encoder; they sum to 1.
    Shares,
    /// The cosine of the angle between the name's embedding and the text's.
    Similarity,
    /// A classifier's labels: each one's share in the text or, if the text names none, the similarity of spelling.
    Labels,
}

/// A name and how near it is to a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    pub name: String,
    /// A share, 0 to 1; a similarity, -1 to 1; or a similarity of spelling, 0 to 1.
    pub value: f64,
    pub remark: Option<String>,
}

/// How a model understands a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub text: String,
    /// The words that the model does not know.
    pub unknown: Vec<Stranger>,
    /// Whether the model knows no word of the text. A classifier still lists labels with a similar spelling.
    pub silent: bool,
    /// Whether a classifier found labels in the text, but ignores the rest.
    pub partly: bool,
    /// Whether the text is longer than the model takes.
    pub cut: bool,
    /// The nearest first; shares below 1 % are left out.
    pub names: Vec<Near>,
}

/// The least share that is reported.
const LEAST: f64 = 0.01;

/// Explains texts: returns how names are compared, and each text in order with at most `top` names. If the model gives shares
/// for names of its own, those are used, unless other `names` are given; otherwise names are compared by their embeddings. A
/// model without names uses the program's list. Embeddings are cached in `cache`, a folder.
///
/// # Errors
/// If the model's text encoder or its list of names cannot be used.
pub fn explain(
    model: &ModelFolder,
    runtime: &Runtime,
    names: Option<Vec<Name>>,
    texts: &[String],
    top: usize,
    cache: Option<PathBuf>,
) -> Result<(By, Vec<Explained>), ClipError> {
    let tokenizer = TextTokenizer::open(model)?;
    let mut explained = Vec::new();
    for text in texts {
        let tokens = tokenizer.encode(text)?;
        explained.push(Explained {
            text: text.clone(),
            unknown: tokens.unknown,
            silent: !tokens.meaningful,
            partly: false,
            cut: tokens.cut,
            names: Vec::new(),
        });
    }
    let given = names.is_some();
    let names = match names {
        Some(names) => names,
        None => Name::of(model)?.unwrap_or_else(|| Name::list(NAMES).unwrap_or_default()),
    };
    let known = explained.iter_mut().filter(|text| !text.silent);
    let has_shares = model.description.names.as_ref().is_some_and(|names| names.shares.is_some());
    if has_shares && !given {
        let mut session = TextSession::open(runtime, model)?;
        for text in known {
            let shares = session.shares(&text.text)?.unwrap_or_default();
            if shares.len() != names.len() {
                let message = format!(
                    "the text encoder gives {} shares, but there are {} names in the model's list",
                    shares.len(),
                    names.len()
                );
                let hint = Some("the list needs a line for each share, in order".to_owned());
                return Err(ClipError::Encoder { model: model.description.name.clone(), message, hint });
            }
            let shares = shares.into_iter().map(f64::from);
            text.names = nearest(&names, shares, top);
            text.names.retain(|near| near.value >= LEAST);
        }
        return Ok((By::Shares, explained));
    }
    let hash = model.hash()?;
    let mut session = None;
    let mut embed = |texts: &[String]| clip::features_with(&mut session, runtime, model, &hash, texts, cache.clone());
    // A name without a word that the model knows has no embedding.
    let mut listed = Vec::new();
    for name in names {
        if tokenizer.encode(&name.name)?.meaningful {
            listed.push(name);
        }
    }
    let said: Vec<String> = listed.iter().map(|name| name.name.clone()).collect();
    let rows = embed(&said)?;
    for text in known {
        let own = embed(std::slice::from_ref(&text.text))?.pop().unwrap_or_default();
        let cosine = |row: &Vec<f32>| row.iter().zip(&own).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        text.names = nearest(&listed, rows.iter().map(cosine), top);
    }
    Ok((By::Similarity, explained))
}

/// Explains texts for a classifier, each in order with at most `top` names: the labels in the text, with the other names of
/// their classes, or else labels with a similar spelling.
pub fn explain_labels(labels: &Labels, texts: &[String], top: usize) -> Vec<Explained> {
    let near = |name: &str, value: f64, classes: &mut dyn Iterator<Item = usize>| {
        let remarks = classes.filter_map(|class| labels.classes().get(class)).filter(|names| names.len() > 1);
        let remark = remarks.map(|names| names.join(", ")).collect::<Vec<_>>().join("; ");
        Near { name: name.to_owned(), value, remark: (!remark.is_empty()).then_some(remark) }
    };
    let explained = texts.iter().map(|text| {
        let (silent, partly, names) = match labels.read(text) {
            Some(reading) => {
                let share = 1.0 / reading.labels.len() as f64;
                let named = |Named { name, classes }: &Named| near(name, share, &mut classes.iter().copied());
                (false, !reading.whole, reading.labels.iter().take(top).map(named).collect())
            }
            None => {
                let spelt = labels.nearest(text, top).into_iter();
                (true, false, spelt.map(|(name, alike)| near(name, alike, &mut std::iter::empty())).collect())
            }
        };
        Explained { text: text.clone(), unknown: Vec::new(), silent, partly, cut: false, names }
    });
    explained.collect()
}

/// Returns the names with the highest values; ties keep their order.
fn nearest(names: &[Name], values: impl Iterator<Item = f64>, top: usize) -> Vec<Near> {
    let mut near: Vec<(&Name, f64)> = names.iter().zip(values).collect();
    near.sort_by(|a, b| b.1.total_cmp(&a.1));
    near.truncate(top);
    let near =
        near.into_iter().map(|(name, value)| Near { name: name.name.clone(), value, remark: name.remark.clone() });
    near.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_names_are_a_list() {
        let names = Name::list(NAMES).unwrap();
        assert!(names.len() >= 200);
        for (index, name) in names.iter().enumerate() {
            assert!(names[..index].iter().all(|other| other.name != name.name), "{} is there twice", name.name);
        }
    }

    #[test]
    fn a_classifier_tells_the_labels_in_a_text_or_those_spelt_alike() {
        let classes = [vec!["castle", "fortress"], vec!["crane"], vec!["cliff"], vec!["crane"]];
        let classes = classes.into_iter().map(|names| names.into_iter().map(str::to_owned).collect()).collect();
        let labels = Labels::new("x", "labels.txt", classes);
        let texts = ["a crane", "a castle on a cliff", "castel"].map(str::to_owned);
        let explained = explain_labels(&labels, &texts, 2);
        let told = |text: usize| explained[text].names.iter().map(|near| near.name.as_str()).collect::<Vec<_>>();
        assert_eq!((told(0), explained[0].names[0].value, explained[0].partly), (vec!["crane"], 1.0, false));
        assert_eq!((told(1), explained[1].names[1].value, explained[1].partly), (vec!["castle", "cliff"], 0.5, true));
        assert_eq!(explained[1].names[0].remark.as_deref(), Some("castle, fortress"));
        assert!(explained[2].silent && told(2)[0] == "castle" && told(2).len() == 2, "{explained:?}");
    }

    #[test]
    fn names_are_told_from_the_nearest_on() {
        let names = Name::list("a\nb\nc\nd").unwrap();
        let near = nearest(&names, [0.1, 0.5, -0.2, 0.5].into_iter(), 3);
        let told: Vec<(&str, f64)> = near.iter().map(|near| (near.name.as_str(), near.value)).collect();
        assert_eq!(told, [("b", 0.5), ("d", 0.5), ("a", 0.1)]);
    }
}
