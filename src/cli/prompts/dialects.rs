//! Prompt syntax of other programs. CLIP reads it as words, so the user is told which of our keys to use instead.

use std::ops::Range;

/// A piece of another program's syntax in a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sign {
    /// Its byte range in the text.
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

impl Sign {
    /// Describes the sign in one line, for a text of the command line.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let column = text[..self.span.start].chars().count() + 1;
        format!("\"{text}\", column {column}: {} ({})", self.message, self.hint)
    }
}

/// Returns the signs in a text, in order. Except for options, only the first of each kind is reported.
pub(crate) fn signs(text: &str) -> Vec<Sign> {
    let mut signs: Vec<Sign> =
        [parts(text), colons(text), double_colon(text), brackets(text), network(text), settings(text)]
            .into_iter()
            .flatten()
            .chain(options(text))
            .collect();
    signs.sort_by_key(|sign| (sign.span.start, sign.span.end));
    signs
}

fn sign(text: &str, span: Range<usize>, what: &str, hint: impl Into<String>) -> Sign {
    Sign { message: format!("`{}` is read as words: {what}", &text[span.clone()]), span, hint: hint.into() }
}

/// Formats a weighted prompt: `{ text = "sea", weight = -1 }`.
fn weighted(text: &str, weight: &str) -> String {
    format!("{{ text = \"{}\", weight = {weight} }}", text.trim().replace('\\', "\\\\").replace('"', "\\\""))
}

/// Finds `castle | sea`: several prompts in one text (pixray, CLIPig).
fn parts(text: &str) -> Option<Sign> {
    let at = text.find('|')?;
    let brackets = text[..at].rfind(['[', '(']).is_some_and(|open| !text[open..at].contains([']', ')']));
    let prompts: Vec<String> = text
        .split('|')
        .map(|part| match weight_at_end(part) {
            Some((colon, number)) => weighted(&part[..colon], number),
            None => format!("\"{}\"", part.trim()),
        })
        .collect();
    let hint = format!("each is a prompt of its own: prompts = [{}]", prompts.join(", "));
    (!brackets).then(|| sign(text, at..at + 1, "it does not separate prompts here", hint))
}

/// Finds `castle:0.5` at the end of a part: a weight (pixray, CLIPig). `16:9` and `book 2: 1066` are not weights.
fn colons(text: &str) -> Option<Sign> {
    let mut start = 0;
    for part in text.split_inclusive(['|', ',']) {
        let bare = part.trim_end_matches(['|', ',']);
        if let Some((colon, number)) = weight_at_end(bare) {
            let span = start + colon..start + bare.trim_end().len();
            return Some(sign(text, span, "it is not a weight here", weighted(&bare[..colon], number)));
        }
        start += part.len();
    }
    None
}

/// Finds `:NUMBER` or `:NUMBER:NUMBER` at the end of a text with words before it. Returns its position and the first number.
fn weight_at_end(part: &str) -> Option<(usize, &str)> {
    let trimmed = part.trim_end();
    let (before, last) = trimmed.rsplit_once(':')?;
    if !is_number(last) {
        return None;
    }
    let (before, number) = match before.rsplit_once(':') {
        // In those programs the second number is a stop.
        Some((words, number)) if is_number(number) => (words, number),
        _ => (before, last),
    };
    // After a digit it is a ratio or a time; after another colon or a bracket it is part of another sign.
    before.ends_with(|c: char| c.is_alphabetic() || c == '"' || c == '\'').then_some((before.len(), number))
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.matches('.').count() <= 1
}

/// Finds `knight::2` or `knight:: sea` (Midjourney).
fn double_colon(text: &str) -> Option<Sign> {
    let (at, _) = text.match_indices("::").find(|(at, _)| {
        let before = text[..*at].ends_with(|c: char| c.is_alphanumeric());
        let after = text[at + 2..].chars().next();
        before && after.is_none_or(|c| c.is_whitespace() || c.is_ascii_digit() || "-.".contains(c))
    })?;
    let number: String = text[at + 2..].chars().take_while(|c| c.is_ascii_digit() || "-.".contains(*c)).collect();
    let span = at..at + 2 + number.len();
    let words = text[..at].rsplit("::").next().unwrap_or_default();
    let words = words.trim_start_matches(|c: char| c.is_ascii_digit() || "-. ".contains(c));
    let hint = match is_number(&number) {
        true => weighted(words, &number),
        false => "each part is a prompt of its own, with a `weight`".to_owned(),
    };
    Some(sign(text, span, "it is not a weight here", hint))
}

/// Finds `(castle:1.4)`, `((castle))` or `[sea]` (Automatic1111).
fn brackets(text: &str) -> Option<Sign> {
    const WHAT: &str = "brackets set no weight here";
    for (open, _) in text.match_indices('(') {
        let Some(length) = text[open..].find([')', '|', ',']) else { continue };
        let inside = &text[open + 1..open + length];
        let closed = text[open + length..].starts_with(')');
        if closed && let Some((colon, number)) = weight_at_end(inside) {
            return Some(sign(text, open..open + length + 1, WHAT, weighted(&inside[..colon], number)));
        }
        if closed && let Some(words) = inside.strip_prefix('(') {
            let more = text[open + length..].chars().take_while(|c| *c == ')').count();
            if more >= 2 {
                return Some(sign(text, open..open + length + more, WHAT, weighted(words, "1.2")));
            }
        }
    }
    let open = text.find('[')?;
    let length = text[open..].find(']')?;
    let words = &text[open + 1..open + length];
    let letters = words.chars().any(char::is_alphabetic);
    letters.then(|| {
        sign(
            text,
            open..open + length + 1,
            WHAT,
            "a prompt of its own with a smaller `weight`, or one below 0 to avoid it",
        )
    })
}

/// Finds `<lora:ink:0.8>`.
fn network(text: &str) -> Option<Sign> {
    let at = ["<lora:", "<lyco:", "<hypernet:"].iter().find_map(|start| text.to_ascii_lowercase().find(start))?;
    let end = text[at..].find('>').map_or(text.len(), |length| at + length + 1);
    Some(sign(text, at..end, "there are no such networks here", "leave it out; `model` names another CLIP"))
}

/// Finds `Negative prompt: ...` or `Steps: 20, Sampler: ...`: the text that other programs keep in their pictures.
fn settings(text: &str) -> Option<Sign> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = lower.find("negative prompt:") {
        let words = text[at + 16..].lines().next().unwrap_or_default();
        let hint = format!("prompts of negative weight are avoided: {}", weighted(words, "-0.3"));
        return Some(sign(text, at..at + 16, "what follows is looked for", hint));
    }
    let at = ["cfg scale:", "sampler:"].iter().find_map(|key| lower.find(key))?;
    let end = at + text[at..].find(':')? + 1;
    Some(sign(
        text,
        at..end,
        "settings are keys of the recipe",
        "`seed`, `size` and the `steps` of phases are; leave out the rest",
    ))
}

/// Finds all options like `--ar 16:9` and `--no text` (Midjourney, pixray).
fn options(text: &str) -> Vec<Sign> {
    let mut signs: Vec<Sign> = Vec::new();
    for (at, _) in text.match_indices("--") {
        let alone = at == 0 || text[..at].ends_with(char::is_whitespace);
        let name: String =
            text[at + 2..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
        if !alone || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let rest = &text[at + 2 + name.len()..];
        let value = rest.split("--").next().unwrap_or_default().trim().trim_start_matches('=');
        let hint = match name.to_ascii_lowercase().as_str() {
            "no" | "neg" | "negative" | "negative-prompt" | "negative_prompt" | "n" => match value {
                "" => "prompts of negative weight are avoided: { text = \"...\", weight = -0.3 }".to_owned(),
                words => format!("prompts of negative weight are avoided: {}", weighted(words, "-0.3")),
            },
            "ar" | "aspect" | "w" | "h" | "width" | "height" | "size" => shape(value),
            "seed" | "sameseed" => "the recipe's `seed`, or --seed of the command line".to_owned(),
            "steps" | "iterations" | "stop" => "the `steps` of phases, or --steps of the command line".to_owned(),
            "iw" | "image" | "sref" | "cref" => {
                "{ image = \"reference.jpg\" } is a prompt, and has a `weight`".to_owned()
            }
            "tile" => "edge = \"wrap\"".to_owned(),
            _ => "leave it out; the recipe has keys for what can be set".to_owned(),
        };
        signs.push(sign(text, at..at + 2 + name.len(), "there are no options in prompts", hint));
    }
    signs
}

/// Suggests a size with this aspect ratio.
fn shape(value: &str) -> String {
    let sides = value.split_once([':', 'x', '/']);
    let sides = sides.and_then(|(width, height)| {
        let number = |text: &str| {
            text.split_whitespace().next()?.parse::<f64>().ok().filter(|side| side.is_finite() && *side > 0.0)
        };
        Some((number(width)?, number(height)?))
    });
    let sized = |(width, height): (f64, f64)| {
        let longer = |ratio: f64| (768.0 * ratio / 16.0).round().clamp(1.0, 4096.0) * 16.0;
        let [w, h] = if width >= height { [longer(width / height), 768.0] } else { [768.0, longer(height / width)] };
        format!("the recipe's `size`: size = [{w}, {h}]")
    };
    sides.map_or("the recipe's `size`: size = [1024, 768]".to_owned(), sized)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the marked parts and the hints.
    fn told(text: &str) -> Vec<(&str, String)> {
        signs(text).into_iter().map(|sign| (&text[sign.span], sign.hint)).collect()
    }

    #[test]
    fn other_programs_signs_are_found_with_our_keys() {
        for (text, part, hint) in [
            ("castle:0.5 | sea:-1", ":0.5", "{ text = \"castle\", weight = 0.5 }"),
            (
                "castle:0.5 | sea:-1",
                "|",
                "prompts = [{ text = \"castle\", weight = 0.5 }, { text = \"sea\", weight = -1 }]",
            ),
            ("a castle|the sea", "|", "prompts = [\"a castle\", \"the sea\"]"),
            ("the sea:-0.5:0.1", ":-0.5:0.1", "{ text = \"the sea\", weight = -0.5 }"),
            ("a castle, text:-1", ":-1", "{ text = \"text\", weight = -1 }"),
            ("a (castle:1.4) at sea", "(castle:1.4)", "{ text = \"castle\", weight = 1.4 }"),
            ("a ((castle)) at sea", "((castle))", "weight = 1.2"),
            ("castle, [sea]", "[sea]", "`weight`"),
            ("[castle|sea]", "[castle|sea]", "`weight`"),
            ("castle::0.5 knight::2", "::0.5", "{ text = \"castle\", weight = 0.5 }"),
            ("hot:: dog", "::", "`weight`"),
            ("knight::2 --no text", "--no", "{ text = \"text\", weight = -0.3 }"),
            ("knight --neg", "--neg", "negative weight"),
            ("castle --ar 16:9", "--ar", "size = [1360, 768]"),
            ("castle --ar 2:3 --v 6", "--ar", "size = [768, 1152]"),
            ("castle --v 6", "--v", "leave it out"),
            ("castle --seed 4", "--seed", "`seed`"),
            ("castle <lora:ink:0.8>", "<lora:ink:0.8>", "`model`"),
            ("castle\nNegative prompt: text, blur", "Negative prompt:", "{ text = \"text, blur\", weight = -0.3 }"),
            ("castle\nSteps: 20, Sampler: Euler", "Sampler:", "`seed`"),
        ] {
            let told = told(text);
            assert!(told.iter().any(|(at, said)| *at == part && said.contains(hint)), "{text}: {told:?}");
        }
        assert_eq!(told("(castle:1.4), [sea], knight::2 --no text").len(), 3);
    }

    #[test]
    fn ordinary_texts_have_none() {
        for text in [
            "16:9",
            "a screen of 16:9",
            "Malazan: book one",
            "Star Wars: A New Hope",
            "Blade Runner: 2049",
            "at 10:30 in the morning",
            "oil on canvas (1889)",
            "a castle (ruined), the sea",
            "black--white",
            "a castle -- at dusk",
            "std::vector",
            "a sea of clouds; fog, mist",
            "well-known",
            "1:1",
            "[1]",
            "",
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in "[a-z0-9 :|()\\[\\]<>é.,-]*") {
            for sign in signs(&text) {
                proptest::prop_assert!(text.get(sign.span).is_some());
            }
        }
    }
}
