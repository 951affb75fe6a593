//! The file names of a sweep's pictures.

use super::combinations::Combination;

/// The most bytes that a path or a value contributes to a name.
const VALUE: usize = 40;
/// The most bytes of a name, without the number that makes it unique.
const NAME: usize = 150;

/// Returns a name for each combination, made of the varying settings: `seed=1_rate=0.03.png`. The names are distinct on every
/// system.
pub(super) fn names(combinations: &[Combination]) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for combination in combinations {
        let paths: Vec<&str> = combination.varied.iter().map(|setting| setting.path.as_str()).collect();
        let part = |setting: &crate::recipe::Setting| {
            format!("{}={}", word(short(&setting.path, &paths), VALUE), word(&setting.value, VALUE))
        };
        let stem = combination.varied.iter().map(part).collect::<Vec<_>>().join("_");
        let stem = word(&stem, NAME);
        let mut name = stem.clone();
        let mut number = 2;
        // Some file systems do not distinguish A and a.
        while taken.contains(&name.to_lowercase()) {
            name = format!("{stem}-{number}");
            number += 1;
        }
        taken.push(name.to_lowercase());
        names.push(format!("{name}.png"));
    }
    names
}

/// Returns the last word of a path if no other path ends in it, else the whole path.
fn short<'a>(path: &'a str, all: &[&str]) -> &'a str {
    let last = |path: &'a str| path.rsplit('.').next().unwrap_or(path);
    let word = last(path);
    let alike = all.iter().filter(|other| other.rsplit('.').next() == Some(word)).count();
    // A position is meaningless by itself.
    if alike == 1 && !word.bytes().all(|byte| byte.is_ascii_digit()) { word } else { path }
}

/// Converts text to a part of a file name: keeps letters and digits of any script and a few signs, and replaces everything else
/// with hyphens.
fn word(text: &str, longest: usize) -> String {
    let mut word = String::new();
    for c in text.trim().chars() {
        let c = if c.is_alphanumeric() || "_=+-.".contains(c) { c } else { '-' };
        if word.len() + c.len_utf8() > longest {
            break;
        }
        let again = c == '-' && word.ends_with('-');
        let leads = c == '-' && word.is_empty() && !text.trim_start().starts_with('-');
        if !again && !leads {
            word.push(c);
        }
    }
    // Windows drops dots at the end of a name.
    word.trim_end_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::sweep::combinations::Sweep;

    fn of(set: &[&str]) -> Vec<String> {
        let set: Vec<_> = set.iter().map(|line| line.parse().unwrap()).collect();
        names(&Sweep::new(&set, &[]).unwrap().combinations())
    }

    #[test]
    fn names_say_what_varies() {
        assert_eq!(of(&["seed=1..2", "phase.0.rate=0.03"]), ["seed=1.png", "seed=2.png"]);
        assert_eq!(of(&["seed=7", "phase.0.rate=0.03,-0.5"]), ["rate=0.03.png", "rate=-0.5.png"]);
        let both = of(&["phase.0.rate=0.1,0.2", "phase.1.rate=0.3,0.4"]);
        assert_eq!(both[3], "phase.0.rate=0.2_phase.1.rate=0.4.png");
        assert_eq!(
            of(&["detail.0.prompts.0='a sea, at night',\"../../x\""]),
            ["detail.0.prompts.0=a-sea-at-night.png", "detail.0.prompts.0=..-..-x.png"]
        );
    }

    #[test]
    fn names_differ_and_stay_short() {
        let alike = of(&["a='x y','x-y','X Y'"]);
        assert_eq!(alike, ["a=x-y.png", "a=x-y-2.png", "a=X-Y-3.png"]);
        let long = format!("a={},{}1,{}2", "x".repeat(300), "x".repeat(300), "x".repeat(300));
        let long = of(&[&long, &format!("{}=1,2", "b.".repeat(200) + "c")]);
        assert!(long.iter().all(|name| name.len() < 200), "{long:?}");
        let distinct: std::collections::BTreeSet<_> = long.iter().collect();
        assert_eq!(distinct.len(), 6);
    }
}
