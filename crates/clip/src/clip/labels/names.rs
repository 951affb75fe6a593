//! Names: how they are listed, and which forms count as the same name.

/// The maximum number of characters of a label.
const LONGEST: usize = 1000;

/// Parses the names of each class from the text of a file: one class per line, its names separated by commas.
///
/// # Errors
/// What is wrong, with the line number: invalid UTF-8, a line without a name, a very long line, control characters.
pub fn lines(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            return Err(format!("line {line}: not UTF-8; expected one label per line"));
        }
    };
    let listed = text.trim_end();
    if listed.is_empty() {
        return Err("line 1: there are no labels; expected one per line".to_owned());
    }
    let read = |(index, line): (usize, &str)| split(line).map_err(|message| format!("line {}: {message}", index + 1));
    listed.lines().enumerate().map(read).collect()
}

/// Splits the names of one class, which are separated by commas. Any white space becomes a single space.
///
/// # Errors
/// If there is no name, or if it is not a label.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    if line.chars().count() > LONGEST {
        return Err(format!("has more than {LONGEST} characters; expected a label"));
    }
    if line.chars().any(|letter| letter.is_control() && !letter.is_whitespace()) {
        return Err("has control characters; expected a label".to_owned());
    }
    let mut names: Vec<String> = Vec::new();
    for name in line.split(',') {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    match names.is_empty() {
        true => Err("is empty; every class of the network needs a label".to_owned()),
        false => Ok(names),
    }
}

/// Irregular plurals.
const IRREGULAR: [(&str, &str); 9] = [
    ("children", "child"),
    ("dice", "die"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("mice", "mouse"),
    ("oxen", "ox"),
    ("people", "person"),
    ("teeth", "tooth"),
    ("women", "woman"),
];

/// Returns the form in which a name is looked up: lower case, one space between words, no leading article; punctuation, hyphens
/// and underscores become spaces.
pub fn plain(name: &str) -> String {
    let spaced: String = name
        .to_lowercase()
        .chars()
        .map(|letter| match letter {
            '-' | '_' | ',' | ';' | ':' | '.' | '!' | '?' | '"' | '(' | ')' | '‐' | '–' | '—' => ' ',
            '’' => '\'',
            other => other,
        })
        .collect();
    let mut words: Vec<&str> = spaced.split_whitespace().collect();
    if words.len() > 1 && ["a", "an", "the"].contains(&words[0]) {
        words.remove(0);
    }
    words.join(" ")
}

/// Returns the possible singulars of a name in plain form, the likeliest first. The last word, or the word before "of", is
/// changed.
pub fn singulars(plain: &str) -> Vec<String> {
    let (head, tail) = match plain.split_once(" of ") {
        Some((head, _)) => plain.split_at(head.len()),
        None => (plain, ""),
    };
    let (before, word) = match head.rfind(' ') {
        Some(space) => head.split_at(space + 1),
        None => ("", head),
    };
    singulars_of(word).into_iter().map(|word| format!("{before}{word}{tail}")).collect()
}

fn singulars_of(word: &str) -> Vec<String> {
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return vec![(*singular).to_owned()];
    }
    let mut found = Vec::new();
    for (end, singulars) in
        [("men", &["man"][..]), ("ives", &["ife"]), ("ves", &["f", "fe"]), ("ies", &["y"]), ("es", &[""]), ("s", &[""])]
    {
        if let Some(stem) = word.strip_suffix(end).filter(|stem| stem.chars().count() >= 2 && !word.ends_with("ss")) {
            found.extend(singulars.iter().map(|singular| format!("{stem}{singular}")));
        }
    }
    // For most words, dropping a single s is right.
    found.sort_by_key(|singular| word.strip_suffix('s') != Some(singular));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_class() {
        let read = lines("\u{feff}tench,  Tinca tinca ,\r\nhen\tbird, hen bird\n\n".as_bytes()).unwrap();
        assert_eq!(read, [vec!["tench", "Tinca tinca"], vec!["hen bird"]]);
    }

    #[test]
    fn the_line_that_is_wrong_is_named() {
        for (bytes, said) in [
            (&b"a\n\nb\n"[..], "line 2: is empty"),
            (b"a\nb\n , ,\nc", "line 3: is empty"),
            (b"a\nb\xff\n", "line 2: not UTF-8"),
            (b"a\nb\0\n", "line 2: has control characters"),
            (b" \n\n", "line 1: there are no labels"),
            (&[b'x'; 2000], "line 1: has more than 1000"),
        ] {
            let error = lines(bytes).unwrap_err();
            assert!(error.contains(said), "{error}, not {said}");
        }
    }

    #[test]
    fn forms_of_one_name() {
        assert_eq!(plain(" The  Sea-lion_cub. "), "sea lion cub");
        assert_eq!(plain("A"), "a");
        assert_eq!(plain("yellow lady’s slipper"), "yellow lady's slipper");
        for (plural, singular) in [
            ("castles", "castle"),
            ("churches", "church"),
            ("knives", "knife"),
            ("wolves", "wolf"),
            ("olives", "olive"),
            ("cherries", "cherry"),
            ("firemen", "fireman"),
            ("sea lions", "sea lion"),
            ("loaves of bread", "loaf of bread"),
            ("cats' eyes", "cats' eye"),
            ("polar mice", "polar mouse"),
            ("buses", "bus"),
        ] {
            assert!(singulars(plural).contains(&singular.to_owned()), "{plural}: {:?}", singulars(plural));
        }
        assert_eq!(singulars("castles")[0], "castle");
        assert_eq!(singulars("glass"), [""; 0]);
        assert_eq!(singulars("is"), [""; 0]);
    }
}
