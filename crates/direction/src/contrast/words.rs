//! The text of lettering examples.

use crate::chance::Draws;

/// Everyday words of several languages that are written in Latin, Greek or Cyrillic letters.
const WORDS: [&str; 158] = [
    "the",
    "of",
    "and",
    "house",
    "night",
    "river",
    "stone",
    "empire",
    "garden",
    "winter",
    "shadow",
    "king",
    "letter",
    "ghost",
    "chapter",
    "story",
    "history",
    "volume",
    "edition",
    "secret",
    "ocean",
    "market",
    "open",
    "closed",
    "danger",
    "exit",
    "sale",
    "hotel",
    "music",
    "coffee",
    "news",
    "world",
    "street",
    "north",
    "paper",
    "quick",
    "jazz",
    "fox",
    "wizard",
    "queue",
    "der",
    "und",
    "nicht",
    "Straße",
    "Brücke",
    "Nacht",
    "Märchen",
    "Schlüssel",
    "Zeitung",
    "Wörter",
    "Fluß",
    "Jahr",
    "Gespräch",
    "le",
    "dans",
    "forêt",
    "été",
    "château",
    "rêve",
    "garçon",
    "lumière",
    "voyage",
    "théâtre",
    "fenêtre",
    "bibliothèque",
    "el",
    "niño",
    "mañana",
    "corazón",
    "camino",
    "noche",
    "pequeño",
    "ciudad",
    "jardín",
    "sueño",
    "fuego",
    "viento",
    "il",
    "città",
    "perché",
    "specchio",
    "giorno",
    "mare",
    "bianco",
    "strada",
    "luce",
    "uomo",
    "não",
    "coração",
    "manhã",
    "cidade",
    "água",
    "livro",
    "pão",
    "estação",
    "het",
    "boek",
    "vrijheid",
    "schip",
    "donker",
    "sjö",
    "flicka",
    "ångest",
    "smörgås",
    "natt",
    "bjørn",
    "blåbær",
    "øy",
    "noc",
    "książka",
    "źródło",
    "żółw",
    "miłość",
    "řeka",
    "kůň",
    "příběh",
    "čas",
    "žena",
    "könyv",
    "éjszaka",
    "tűz",
    "őz",
    "şehir",
    "gece",
    "ağaç",
    "ışık",
    "yıldız",
    "țară",
    "pădure",
    "kirja",
    "yö",
    "järvi",
    "metsä",
    "λόγος",
    "νύχτα",
    "θάλασσα",
    "φως",
    "ψυχή",
    "ουρανός",
    "ξένος",
    "βιβλίο",
    "ночь",
    "книга",
    "жизнь",
    "щит",
    "буква",
    "дорога",
    "яблоко",
    "мир",
    "огонь",
    "человек",
    "місто",
    "ґава",
    "їжак",
    "вълк",
    "писмо",
    "џеп",
    "љубав",
];
/// Letters that nearly every text font has, frequent ones more than once.
const LETTERS: &[u8] = b"aaabcdeeefghiiijklmnnoooppqrrsssttuuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Draws a word: from the list (as it is, capitalised, or all in capitals), random letters, or a number.
///
/// `known` returns whether a character can be drawn; a word with unknown characters is replaced by random letters.
pub(super) fn word(draws: Draws, capitals: bool, known: impl Fn(char) -> bool) -> String {
    let pick = |index: u64, count: usize| (draws.unit(index) * count as f64) as usize;
    let word = match draws.unit(0) {
        kind if kind < 0.70 => {
            let listed = WORDS[pick(1, WORDS.len())];
            let mut letters = listed.chars();
            match (draws.unit(2), letters.next()) {
                (kind, Some(first)) if kind < 0.3 => first.to_uppercase().chain(letters).collect(),
                (kind, _) if kind < 0.45 => listed.to_uppercase(),
                _ => listed.to_owned(),
            }
        }
        kind if kind < 0.90 => {
            let count = 2 + pick(1, 8) as u64;
            let letter = |index: u64| char::from(LETTERS[pick(10 + index, LETTERS.len())]);
            (0..count).map(letter).collect()
        }
        _ => {
            let count = 1 + pick(1, 4) as u64;
            (0..count).map(|index| char::from(b'0' + pick(10 + index, 10) as u8)).collect()
        }
    };
    let word = if capitals { word.to_uppercase() } else { word };
    if word.chars().all(known) { word } else { word_of_letters(draws, capitals) }
}

/// Draws one to three letters or digits.
pub(super) fn glyphs(draws: Draws) -> String {
    const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!";
    let count = 1 + (draws.unit(0) * 3.0) as u64;
    (0..count).map(|index| char::from(ALL[(draws.unit(1 + index) * ALL.len() as f64) as usize])).collect()
}

/// Draws a word that every font can render.
fn word_of_letters(draws: Draws, capitals: bool) -> String {
    let draws = draws.at(1);
    let count = 2 + (draws.unit(0) * 6.0) as u64;
    let letter = |index: u64| char::from(LETTERS[(draws.unit(1 + index) * LETTERS.len() as f64) as usize]);
    let word: String = (0..count).map(letter).collect();
    if capitals { word.to_uppercase() } else { word }
}

/// Draws `count` words, some followed by a comma or a full stop.
pub(super) fn words(draws: Draws, count: usize, capitals: bool, known: impl Fn(char) -> bool) -> Vec<String> {
    let one = |index: usize| {
        let draws = draws.at(index as u64);
        let mut word = word(draws, capitals, &known);
        match draws.unit(3) {
            kind if kind < 0.08 => word.push(','),
            kind if kind < 0.12 => word.push('.'),
            _ => {}
        }
        word
    };
    (0..count).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_to_what_can_be_drawn() {
        let (mut capitals, mut digits, mut accents) = (0, 0, 0);
        for index in 0..500 {
            let draws = Draws::new(index);
            let plain = word(draws, index % 2 == 0, |letter| letter.is_ascii());
            assert!(!plain.is_empty() && plain.is_ascii(), "{plain}");
            capitals += usize::from(plain.chars().all(char::is_uppercase));
            digits += usize::from(plain.chars().all(|letter| letter.is_ascii_digit()));
            accents += usize::from(!word(draws, false, |_| true).is_ascii());
            assert!((1..=3).contains(&glyphs(draws).len()));
        }
        assert!(capitals > 200 && digits > 20 && accents > 50, "{capitals} {digits} {accents}");
        assert_eq!(words(Draws::new(1), 7, false, |_| true).len(), 7);
    }
}
