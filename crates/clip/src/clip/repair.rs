//! Text cleaning as in CLIP's own code, before tokenisation: ftfy's `fix_text`, `html.unescape` twice, and single spaces.
//!
//! Models were trained on texts with straight quotes, so “quoted” and "quoted" are the same text to them. ftfy's repair of
//! wrongly decoded text (â€œ for “) is left out, since nobody writes that in a recipe. Of HTML's character names, those of HTML
//! 4 are known.

use tokenizers::NormalizedString;

/// Character names, each with its code in hexadecimal, and `!` if it needs no semicolon.
const ENTITIES: &str = include_str!("entities.txt");

/// The meaning of the bytes 0x80 to 0x9f in Windows-1252 (WHATWG Encoding); the five that are undefined stay.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The maximum number of passes; more change nothing in any text that people write.
const PASSES: usize = 8;

/// Returns the text as CLIP's tokenizer expects it. Most texts do not change.
pub(super) fn repaired(text: &str) -> String {
    let escaped = !text.contains('<');
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        let before = text.clone();
        if escaped {
            text = unescaped(&text, false);
        }
        text = plain(&without_escapes(&text));
        if !text.is_ascii() {
            let mut composed = NormalizedString::from(text.as_str());
            composed.nfc();
            text = composed.get().to_owned();
        }
        if text == before {
            break;
        }
    }
    for _ in 0..2 {
        text = unescaped(&text, true);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Removes ligatures, wide and narrow forms, curly quotes, and control characters.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            // If the result is a quote, the next pass straightens it.
            '\u{80}'..='\u{9f}' => plain.push(WINDOWS[letter as usize - 0x80]),
            '\0'..='\x08' | '\x0b' | '\x0e'..='\x1f' | '\x7f' => {}
            '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => {}
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => plain.push('\''),
            '\u{201c}'..='\u{201f}' => plain.push('"'),
            '\u{2028}' | '\u{2029}' | '\r' => plain.push('\n'),
            '\u{3000}' => plain.push(' '),
            '\u{ff01}'..='\u{ffef}' => {
                let mut usual = NormalizedString::from(letter.to_string());
                usual.nfkc();
                plain.push_str(usual.get());
            }
            letter => match ligature(letter) {
                Some(letters) => plain.push_str(letters),
                None => plain.push(letter),
            },
        }
    }
    plain
}

fn ligature(letter: char) -> Option<&'static str> {
    Some(match letter {
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ŉ' => "'n",
        'Ǳ' => "DZ",
        'ǲ' => "Dz",
        'ǳ' => "dz",
        'Ǆ' => "DŽ",
        'ǅ' => "Dž",
        'ǆ' => "dž",
        'Ǉ' => "LJ",
        'ǈ' => "Lj",
        'ǉ' => "lj",
        'Ǌ' => "NJ",
        'ǋ' => "Nj",
        'ǌ' => "nj",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' => "ſt",
        'ﬆ' => "st",
        _ => return None,
    })
}

/// Removes terminal colour codes (ECMA-48 control sequences).
fn without_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        let (before, sequence) = rest.split_at(at);
        kept.push_str(before);
        let inside = &sequence[2..];
        let end = inside.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(inside.len());
        rest = match inside[end..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => &inside[end + 1..],
            false => {
                kept.push_str("\x1b[");
                inside
            }
        };
    }
    kept + rest
}

/// Replaces HTML character references. `loose`: like browsers, also without the semicolon.
fn unescaped(text: &str, loose: bool) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at(at);
        whole.push_str(before);
        match one(&reference[1..], loose) {
            Some((characters, length)) => {
                whole.push_str(&characters);
                rest = &reference[1 + length..];
            }
            None => {
                whole.push('&');
                rest = &reference[1..];
            }
        }
    }
    whole + rest
}

/// Parses what follows an `&`: returns the characters that it stands for, and its length in bytes.
fn one(reference: &str, loose: bool) -> Option<(String, usize)> {
    if let Some(number) = reference.strip_prefix('#') {
        let (digits, radix, start) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let closed = digits[length..].starts_with(';');
        if length == 0 || !(closed || loose) {
            return None;
        }
        // A number with too many digits is not a character either.
        let code = u32::from_str_radix(&digits[..length], radix).unwrap_or(u32::MAX);
        return Some((numbered(code), start + length + usize::from(closed)));
    }
    let ends = |c: char| "\t\n\x0c <&#;".contains(c);
    let length = reference.find(ends).unwrap_or(reference.len());
    let name = &reference[..length];
    if reference[length..].starts_with(';')
        && let Some((letter, _)) = named(name)
    {
        return Some((letter.to_string(), length + 1));
    }
    if loose {
        let beginnings = name.char_indices().map(|(at, letter)| at + letter.len_utf8()).rev();
        return beginnings.filter(|end| *end > 1).find_map(|end| {
            let (letter, alone) = named(&name[..end])?;
            alone.then(|| (letter.to_string(), end))
        });
    }
    // &NTILDE; means Ñ.
    let upper =
        reference[length..].starts_with(';') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let (letter, _) = upper.then(|| named(&name.to_ascii_lowercase())).flatten()?;
    Some((letter.to_uppercase().collect(), length + 1))
}

/// Returns the character with a name, and whether it needs no semicolon.
fn named(name: &str) -> Option<(char, bool)> {
    let mut lines = ENTITIES.lines().filter_map(|line| line.split_once(' '));
    let (_, meaning) = lines.find(|(known, _)| *known == name)?;
    let (number, alone) = match meaning.split_once(' ') {
        Some((number, _)) => (number, true),
        None => (meaning, false),
    };
    Some((char::from_u32(u32::from_str_radix(number, 16).ok()?)?, alone))
}

/// Returns the character with a code, as HTML defines it; empty if there is none.
fn numbered(code: u32) -> String {
    match code {
        0 => "\u{fffd}".into(),
        0x0d => "\r".into(),
        0x80..=0x9f => WINDOWS[code as usize - 0x80].into(),
        0x01..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => String::new(),
        _ if code & 0xfffe == 0xfffe && code <= 0x10_ffff => String::new(),
        _ => char::from_u32(code).unwrap_or('\u{fffd}').into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[[text, text as CLIP's own code cleans it], ...]` (tests/models/repaired.py).
    #[test]
    fn texts_are_repaired_as_by_clip() {
        let table = include_bytes!("../../../../tests/models/repaired.json");
        let table: Vec<(String, String)> = serde_json::from_slice(table).unwrap();
        assert!(table.len() > 300);
        let wrong: Vec<_> = table.iter().filter(|(text, expected)| repaired(text) != *expected).collect();
        let shown: Vec<_> = wrong.iter().map(|(text, expected)| (text, repaired(text), expected)).collect();
        assert!(shown.is_empty(), "{} of {}: {shown:#?}", shown.len(), table.len());
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["a photo of a cat", "R&D & more", "naïve café", "東京の夜景", "a < b", "AT&T; &bogus; &#; &"]
        {
            assert_eq!(repaired(text), text);
        }
    }
}
