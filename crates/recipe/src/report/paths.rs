//! Hints for paths as shells and other systems write them. A recipe takes a path literally; if nothing is found there, the hint tells
//! what was probably meant.

use std::path::Path;

/// Returns a hint for the path `written` if nothing exists at `at`, the place it refers to, and if it is written in a way that recipes do
/// not support.
pub fn missing_hint(written: &str, at: &Path) -> Option<String> {
    path_hint(written).filter(|_| !at.exists())
}

/// Like [`missing_hint`], for a path that is known not to exist.
pub fn path_hint(path: &str) -> Option<String> {
    let begins = |start: &str| path.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    if path.contains(|c: char| c.is_control()) {
        return Some(
            "a backslash in double quotes begins an escape such as \\t: single quotes keep it, as in 'C:\\textures\\new.png'".into(),
        );
    }
    if begins("http://") || begins("https://") {
        return Some("recipes do not download anything: save the file and give its path".into());
    }
    if begins("file:") {
        let plain = path.get(5..).unwrap_or_default().trim_start_matches('/');
        return Some(format!("a path is written without `file:`, as in \"/{plain}\""));
    }
    if path.starts_with('~') {
        return Some(format!("`~` is not expanded here: write the full path, which `echo {path}` prints in a shell"));
    }
    let variable = path.starts_with('$') || path.starts_with('%') && path.matches('%').count() > 1;
    if variable {
        return Some("variables are not expanded here: write the full path".into());
    }
    if cfg!(windows) {
        return None;
    }
    let mut letters = path.chars();
    let drive = letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':');
    if drive && path.get(2..).is_some_and(|rest| rest.starts_with(['\\', '/'])) {
        return Some("this is a Windows path; here absolute paths begin with /".into());
    }
    path.contains('\\').then(|| format!("folders are separated by / here, as in \"{}\"", path.replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_shells_and_other_systems_are_known() {
        for (path, words) in [
            ("~/x.png", "`~` is not expanded"),
            ("~me/x.png", "`~` is not expanded"),
            ("$HOME/x.png", "variables"),
            ("%USERPROFILE%\\x.png", "variables"),
            ("C:\textures\new.png", "single quotes"),
            ("file:///home/me/x.png", "\"/home/me/x.png\""),
            ("HTTPS://x/y.png", "do not download anything"),
        ] {
            assert!(path_hint(path).is_some_and(|hint| hint.contains(words)), "{path}");
        }
        #[cfg(not(windows))]
        for (path, words) in
            [("C:\\Users\\me\\x.png", "Windows"), ("d:/x.png", "Windows"), ("photos\\x.png", "\"photos/x.png\"")]
        {
            assert!(path_hint(path).is_some_and(|hint| hint.contains(words)), "{path}");
        }
        for path in ["x.png", "/home/me/x.png", "../a b/x~.png", "100%.png", "a:b.png", "é/x.png", ""] {
            assert_eq!(path_hint(path), None, "{path}");
        }
    }
}
