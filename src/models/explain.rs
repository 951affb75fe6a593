//! What a model makes of a text: the names nearest to it, and the words that it does not know.

use std::path::PathBuf;

use crate::clip::{self, ClipError, ModelFolder, Name, Stranger, TextSession, TextTokenizer};
use crate::runtime::Runtime;

/// Names of everyday things, for models that list none.
const NAMES: &str = include_str!("names.txt");

/// How near names are told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The names' shares in the text, which the text encoder gives; they add up to 1.
    Shares,
    /// The cosine of the angle between the name's embedding and the text's.
    Similarity,
}

/// A name and how near it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    pub name: String,
    /// A share, 0 to 1, or a similarity, -1 to 1.
    pub value: f64,
    pub remark: Option<String>,
}

/// What a model makes of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub text: String,
    /// The words that the model does not know.
    pub unknown: Vec<Stranger>,
    /// The model knows no word of it: there is nothing more to tell.
    pub silent: bool,
    /// The text is longer than the model takes.
    pub cut: bool,
    /// The nearest first; of shares those of 1 % and more.
    pub names: Vec<Near>,
}

/// The least share that is told.
const LEAST: f64 = 0.01;

/// Explains texts to people: how names are compared, and each text in order with at most `top` names. Where the model has shares for
/// names of its own, those count, unless other `names` are given; without either the program's own list does. Embeddings are
/// kept in `cache`, a folder.
///
/// # Errors
/// Where the model's text encoder or its list of names cannot be used.
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
            unknown: tokens.unknown_and_split(),
            silent: !tokens.meaningful,
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
                let hint = Some("the list has a line for each share, in order".to_owned());
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
    // A name that the model knows no word of has no embedding.
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

/// The names of the highest values; of equal ones the first.
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
    fn names_are_told_from_the_nearest_on() {
        let names = Name::list("a\nb\nc\nd").unwrap();
        let near = nearest(&names, [0.1, 0.5, -0.2, 0.5].into_iter(), 3);
        let told: Vec<(&str, f64)> = near.iter().map(|near| (near.name.as_str(), near.value)).collect();
        assert_eq!(told, [("b", 0.5), ("d", 0.5), ("a", 0.1)]);
    }
}
