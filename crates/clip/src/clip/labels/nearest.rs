//! Guesses which label was meant.

use std::collections::BTreeSet;

use super::names::{plain, singulars};

/// A limit on the length of compared names: nobody means a short name by a very long text, and distances take quadratic time.
const LONGEST: usize = 100;

/// The maximum number of names to suggest.
const MOST: usize = 6;

/// Returns the name nearest to what was written, if it is near enough to be a typo: a Damerau-Levenshtein distance of at most a
/// third of the longer name.
pub(super) fn by_spelling<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = plain(written);
    let length = written.chars().count();
    let near = |name: &'a str| {
        let plain = plain(name);
        let longest = plain.chars().count().max(length);
        if longest > LONGEST {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&written, &plain);
        (distance * 3 <= longest && distance < longest).then_some((distance, name))
    };
    names.filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Returns the names with the most similar spelling, the most similar first, each with its similarity: 1 minus the
/// Damerau-Levenshtein distance relative to the longer one. Ties keep the order of the list.
pub(super) fn ranked<'a>(written: &str, names: impl Iterator<Item = &'a str>, top: usize) -> Vec<(&'a str, f64)> {
    let written: String = plain(written).chars().take(LONGEST).collect();
    let mut ranked: Vec<(&str, f64)> = Vec::new();
    let mut met = BTreeSet::new();
    for name in names.filter(|name| met.insert(*name)) {
        let plain: String = plain(name).chars().take(LONGEST).collect();
        ranked.push((name, strsim::normalized_damerau_levenshtein(&written, &plain)));
    }
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(top);
    ranked
}

/// Returns names that share a word with what was written, in the order of the list. Words of one or two letters are ignored.
pub(super) fn by_words<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let forms = |text: &str| -> BTreeSet<String> {
        let plain = plain(text);
        let words = plain.split(' ').filter(|word| word.chars().count() > 2);
        words.flat_map(|word| singulars(word).into_iter().chain([word.to_owned()])).collect()
    };
    let written = forms(written);
    let common = |name: &&str| !forms(name).is_disjoint(&written);
    let mut found: Vec<&str> = Vec::new();
    for name in names.filter(common) {
        if found.len() < MOST && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["castle", "tabby, tabby cat", "Persian cat", "lighthouse", "cat flap"];

    #[test]
    fn slips_are_found_and_strangers_left() {
        let near = |written: &str| by_spelling(written, NAMES.into_iter());
        assert_eq!(near("castel"), Some("castle"));
        assert_eq!(near("a Light-house"), Some("lighthouse"));
        assert_eq!(near("persian-cta"), Some("Persian cat"));
        assert_eq!(near("dragon"), None);
        assert_eq!(near(&"x".repeat(1 << 20)), None);
    }

    #[test]
    fn names_are_ranked_by_their_spelling() {
        let near = ranked("a castel", NAMES.into_iter().chain(NAMES), 2);
        assert_eq!((near.len(), near[0].0), (2, "castle"));
        assert!(near[0].1 > 0.8 && near[1].1 < 0.5, "{near:?}");
        assert!(ranked(&"x".repeat(1 << 20), NAMES.into_iter(), 9).iter().all(|(_, alike)| *alike < 0.1));
    }

    #[test]
    fn names_with_a_word_in_common() {
        let near = |written: &str| by_words(written, NAMES.into_iter());
        assert_eq!(near("cats"), ["tabby, tabby cat", "Persian cat", "cat flap"]);
        assert_eq!(near("a dog"), [""; 0]);
    }
}
