//! A tokenised text, and the words in it that the tokenizer does not know.

/// A tokenised text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Token ids, padded to the model's context if it has one.
    pub ids: Vec<i64>,
    /// How many of `ids` are not padding.
    pub used: usize,
    /// Words that are not in the vocabulary: first those without any token, then, for a vocabulary of word pieces, those that
    /// are read in pieces. Each kind is in the order of the text.
    pub unknown: Vec<Stranger>,
    /// Whether the model knows at least one word.
    pub meaningful: bool,
    /// Whether the text was longer than the model's context and had to be cut.
    pub cut: bool,
}

/// A word that is not in a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub word: String,
    /// The pieces that it is read as, at least two; empty if it is not read at all.
    pub pieces: Vec<String>,
    /// Whether it is a word of the vocabulary with a common ending, and is thus understood.
    inflected: bool,
}

/// Endings that keep a known word recognisable.
const ENDINGS: [&str; 11] = ["s", "es", "d", "ed", "ing", "er", "ers", "y", "ly", "n", "en"];
/// The least length of a stem.
const STEM: usize = 3;

impl Tokens {
    /// Returns the words that the model does not know, without those that it understands by a common ending.
    pub fn strangers(&self) -> impl Iterator<Item = Stranger> {
        self.unknown.iter().filter(|word| !word.inflected).cloned()
    }
}

impl Stranger {
    /// Creates a word without a token.
    pub(super) fn unread(word: &str) -> Stranger {
        Stranger { word: word.to_owned(), pieces: Vec::new(), inflected: false }
    }

    /// Returns the words of a text that are split into pieces. `pieces` are its tokens, each with its byte range in the text;
    /// tokens that continue a word begin with `prefix`.
    pub(super) fn fallen_apart<'t>(
        text: &str,
        pieces: impl Iterator<Item = (&'t str, (usize, usize))>,
        prefix: &str,
    ) -> Vec<Stranger> {
        let mut words: Vec<(usize, usize, Vec<&str>)> = Vec::new();
        for (piece, (start, end)) in pieces {
            match words.last_mut() {
                Some((_, before, pieces)) if piece.starts_with(prefix) && *before == start => {
                    *before = end;
                    pieces.push(piece);
                }
                _ => words.push((start, end, vec![piece])),
            }
        }
        let mut strangers: Vec<Stranger> = Vec::new();
        for (start, end, pieces) in words.into_iter().filter(|(.., pieces)| pieces.len() > 1) {
            let word = text.get(start..end).unwrap_or_default().to_owned();
            let ending = pieces.last().and_then(|last| last.strip_prefix(prefix)).unwrap_or_default();
            let stem = pieces.first().map_or(0, |first| first.chars().count());
            let inflected = pieces.len() == 2 && stem >= STEM && ENDINGS.contains(&ending);
            if !strangers.iter().any(|known| known.word == word) {
                strangers.push(Stranger { word, pieces: pieces.into_iter().map(str::to_owned).collect(), inflected });
            }
        }
        strangers
    }

    /// Returns the word in backquotes, with the pieces that it is read as.
    pub fn told(&self) -> String {
        match self.pieces.is_empty() {
            true => format!("`{}`", self.word),
            false => format!("`{}` (read as {})", self.word, self.pieces.join(" + ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_pieces_are_told_but_for_common_endings() {
        let text = "malazan swords, malazan";
        let pieces = [("mal", 0, 3), ("##azan", 3, 7), ("sword", 8, 13), ("##s", 13, 14), (",", 14, 15)];
        let more = [("mal", 16, 19), ("##azan", 19, 23)];
        let pieces = pieces.iter().chain(&more).map(|(piece, start, end)| (*piece, (*start, *end)));
        let split = Stranger::fallen_apart(text, pieces, "##");
        assert_eq!(
            split.iter().map(Stranger::told).collect::<Vec<_>>(),
            ["`malazan` (read as mal + ##azan)", "`swords` (read as sword + ##s)"]
        );
        let unknown = [Stranger::unread("漢")].into_iter().chain(split).collect();
        let tokens = Tokens { ids: Vec::new(), used: 0, unknown, meaningful: true, cut: false };
        let told: Vec<String> = tokens.strangers().map(|stranger| stranger.told()).collect();
        assert_eq!(told, ["`漢`", "`malazan` (read as mal + ##azan)"]);
    }
}
