//! Guesses which known name was meant by a misspelt one.

/// Returns the known name nearest to the written one, if it is near enough to be a typo or another form of the word: a
/// Damerau-Levenshtein distance of at most a third of the longer name, or a common prefix of at least half of it, ignoring case.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A very long text is not a misspelt short name, and the distance takes quadratic time.
    if written.chars().count() > 100 {
        return None;
    }
    let written = written.to_lowercase();
    let far = |name: &str| {
        let name = name.to_lowercase();
        let distance = strsim::damerau_levenshtein(&written, &name);
        let longest = name.chars().count().max(written.chars().count());
        let common = name.chars().zip(written.chars()).take_while(|(a, b)| a == b).count();
        let slip = distance * 3 <= longest.max(3) && distance < longest;
        (slip || (common >= 3 && common * 2 >= longest)).then_some(distance)
    };
    let candidates = known.into_iter().filter(|name| name.chars().count() <= 100);
    candidates.filter_map(|name| Some((far(name)?, name))).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Returns a hint that names what was probably meant, if any known name is near.
pub(crate) fn meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// Returns a hint that names what was probably meant, or else all known names.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
) -> Option<String> {
    if let Some(hint) = meant(written, known.clone()) {
        return Some(hint);
    }
    let all: Vec<&str> = known.into_iter().take(40).collect();
    (!all.is_empty()).then(|| format!("{what}: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_leaves_strangers() {
        let known = ["prompts", "windows", "stages", "select"];
        assert_eq!(nearest("promts", known), Some("prompts"));
        assert_eq!(nearest("Windwos", known), Some("windows"));
        assert_eq!(nearest("stage", known), Some("stages"));
        assert_eq!(nearest("selection", known), Some("select"));
        assert_eq!(nearest("lin", ["linear", "hold"]), Some("linear"));
        assert_eq!(nearest("q", ["t", "T"]), None);
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
        assert_eq!(did_you_mean("abc", known, "known").as_deref(), Some("known: prompts, windows, stages, select"));
        assert_eq!(did_you_mean("abc", [], "known"), None);
    }
}
