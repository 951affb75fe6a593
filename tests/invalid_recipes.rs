//! Every recipe in `tests/invalid` is wrong, and says how: behind a line, or alone on the line after it, stand comments
//!
//! ```text
//! # error: MESSAGE
//! # warning: MESSAGE
//! # expected: WORDS
//! # hint: HINT
//! ```
//!
//! which the diagnostics of that line must have, in this order and no others. Comments on the first lines of the file,
//! before anything else, belong to line 1 (of an otherwise empty file, say). What those in `extends` build on lies in
//! `extends/bases`, and says with comments of its own what is wrong there.

use std::path::{Path, PathBuf};

use recipe_render::recipe::{self, Diagnostic, Overrides, Severity};

fn recipes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let entries = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries(folder.clone()).chain(entries(folder.join("extends")));
    let mut paths: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    paths
}

fn invalid(path: &Path) -> recipe::Invalid {
    let text = std::fs::read_to_string(path).unwrap();
    let Err(invalid) = recipe::compile(path, &text, &Overrides::default()) else {
        panic!("{} compiles", path.display())
    };
    invalid
}

/// What the comments of a recipe say, as (line, what).
fn wanted(text: &str) -> Vec<(usize, String)> {
    let mut wanted = Vec::new();
    let mut line_of_code = 1;
    for (index, line) in text.lines().enumerate() {
        if !line.trim_start().starts_with('#') {
            line_of_code = index + 1;
        }
        for kind in ["error", "warning", "expected", "hint"] {
            let mark = format!("# {kind}: ");
            if let Some((_, words)) = line.split_once(&mark) {
                wanted.push((line_of_code, format!("{kind}: {}", words.trim())));
            }
        }
    }
    wanted
}

/// What the diagnostics say, reduced to what the comments ask for: an `expected` or a `hint` that no comment names is fine.
fn found(diagnostics: &[Diagnostic], path: &Path, wanted: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.file.path == path) {
        let line = diagnostic.position().map_or(0, |(line, _)| line);
        let kind = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
        found.push((line, format!("{kind}: {}", diagnostic.message)));
        for (kind, words) in [("expected", &diagnostic.expected), ("hint", &diagnostic.hint)] {
            let entry = (line, format!("{kind}: {}", words.as_deref().unwrap_or("")));
            if wanted.contains(&entry) {
                found.push(entry);
            }
        }
    }
    found
}

#[test]
fn every_invalid_recipe_is_told_what_is_wrong_where() {
    let recipes = recipes();
    assert!(recipes.len() >= 90, "{}", recipes.len());
    let mut failures = String::new();
    for recipe in recipes {
        let invalid = invalid(&recipe);
        let is_base = |file: &&PathBuf| file.exists() && file.parent().is_some_and(|folder| folder.ends_with("bases"));
        for path in invalid.files.iter().filter(is_base).chain([&recipe]) {
            let wanted = wanted(&std::fs::read_to_string(path).unwrap());
            let found = found(&invalid.diagnostics, path, &wanted);
            if found != wanted {
                let name = path.display();
                let all = &invalid.diagnostics;
                failures.push_str(&format!("{name}\nwanted {wanted:#?}\nfound {found:#?}\nof {all:#?}\n"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_error_is_shown_with_its_place() {
    for path in recipes() {
        let diagnostics = invalid(&path).diagnostics;
        let shown = recipe::render_diagnostics(&diagnostics);
        for diagnostic in &diagnostics {
            let (line, column) = diagnostic.position().unwrap();
            assert!(shown.contains(&format!("{}:{line}:{column}", diagnostic.file.path.display())), "{shown}");
        }
    }
}

/// All that is said of each of them, hints and marks included, as users see it. `INSTA_UPDATE=always cargo test --test invalid_recipes`
/// writes it anew: read what has changed.
#[test]
fn every_invalid_recipe_says_what_it_has_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let mut said = String::new();
    for path in recipes() {
        let shown = recipe::render_diagnostics(&invalid(&path).diagnostics);
        let name = path.strip_prefix(&folder).unwrap().display();
        said += &format!("{name}\n{}\n", shown.replace(&format!("{}/", folder.display()), ""));
    }
    insta::with_settings!({ snapshot_path => "invalid", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("messages", said);
    });
}
