//! What is published stays as small as registries and users expect.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Registries take crates of up to 10 MB.
const MOST_OF_A_CRATE: usize = 10_000_000;
/// What the embedded model may add to the program.
const MOST_OF_THE_MODEL: u64 = 20_000_000;

/// What cargo says of the workspace.
fn cargo(arguments: &[&str]) -> String {
    let said = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, as it runs this test");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("names of files and packages are UTF-8")
}

/// The files that a crate is published with, relative to its folder.
fn published(name: &str) -> Vec<String> {
    cargo(&["package", "--list", "--allow-dirty", "--package", name]).lines().map(str::to_owned).collect()
}

/// The crates of the workspace, each with its folder.
fn crates() -> Vec<(String, PathBuf)> {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let found: Vec<(String, PathBuf)> = packages
        .map(|package| (text(&package["name"]), PathBuf::from(text(&package["manifest_path"]))))
        .map(|(name, manifest)| (name, manifest.parent().expect("a manifest lies in a folder").to_owned()))
        .collect();
    assert!(found.len() > 10, "{found:?}");
    found
}

/// Each crate packs below a registry's limit, explains itself, and brings the text of its licence.
#[test]
fn every_crate_can_be_published() {
    for (name, folder) in crates() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut whole = 0;
        let files = published(&name);
        for file in &files {
            // Those that cargo makes itself are not there, and small.
            if let Ok(content) = std::fs::read(folder.join(file)) {
                whole += content.len();
                packed.write_all(&content).expect("memory takes it");
            }
        }
        let size = packed.finish().expect("memory takes it").len();
        println!("{name}: {size} bytes packed, {whole} unpacked");
        assert!(size < MOST_OF_A_CRATE, "{name} packs to {size} bytes");
        let has_weights = name.contains("pocket");
        assert!(!has_weights || whole > 1_000_000, "{name} has {whole} bytes: where is its part of the model?");
        let licences: &[&str] = if has_weights { &["LICENSE"] } else { &["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"] };
        for wanted in ["README.md", "src/lib.rs"].iter().chain(licences) {
            assert!(files.iter().any(|file| file == wanted), "{name} lacks {wanted}: {files:?}");
        }
    }
}

/// What a crate includes lies in its folder, or it would build here and nowhere else.
#[test]
fn no_crate_needs_files_of_another() {
    let mut seen = 0;
    for (name, folder) in crates() {
        for file in published(&name).iter().filter(|file| file.ends_with(".rs")) {
            let path = folder.join(file);
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            // What tests include is theirs: it is not published.
            let program = text.split("#[cfg(test)]").next().expect("a first part");
            let included = ["include_bytes!(\"", "include_str!(\""].map(|opening| program.split(opening).skip(1));
            for included in included.into_iter().flatten() {
                let Some((relative, _)) = included.split_once('"') else { continue };
                if let Ok(whole) = path.parent().expect("a folder").join(relative).canonicalize() {
                    assert!(
                        whole.starts_with(folder.canonicalize().expect("it is there")),
                        "{file} includes {relative}"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn the_model_s_crates_have_their_parts() {
    for (name, part) in [
        ("recipe-render-pocket", "text.onnx"),
        ("recipe-render-pocket-lite0", "lite0.weights"),
        ("recipe-render-pocket-lite2", "lite2.weights"),
    ] {
        let files = published(name);
        assert!(files.iter().any(|file| file == part), "{name}: {files:?}");
    }
}

#[test]
fn the_embedded_model_adds_at_most_twenty_megabytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pocket");
    let files =
        ["image.onnx", "lite0/lite0.weights", "lite2/lite2.weights", "text.onnx", "names.txt", "tokenizer.json"];
    let size: u64 =
        files.iter().map(|file| std::fs::metadata(folder.join(file)).expect("a part of the model").len()).sum();
    assert!(size <= MOST_OF_THE_MODEL, "{size} bytes");
}

/// Each crate that the workspace names is in docs/dependencies.md, and none that it does not name.
#[test]
fn each_dependency_is_explained() {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().expect("cargo reads it, too");
    let named = manifest["workspace"]["dependencies"].as_table().expect("a table");
    // Our own crates stand in docs/architecture.md.
    let mut named: Vec<&String> = named.keys().filter(|name| !name.starts_with("recipe-render")).collect();
    named.sort();
    let rows = include_str!("../docs/dependencies.md").lines().filter(|line| line.starts_with("| `"));
    let first = rows.map(|row| row.split('|').nth(1).expect("a row has cells"));
    let mut explained: Vec<String> =
        first.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect();
    explained.sort();
    assert_eq!(named, explained.iter().collect::<Vec<_>>());
}

/// What deny.toml allows of a licence's SPDX expression.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    // Older crates write "MIT/Apache-2.0".
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words = words.replace(" WITH ", "-WITH-");
    let mut words = words.split_whitespace().peekable();
    any_of(&mut words, &|word| allowed.iter().any(|licence| licence.replace(' ', "-") == word))
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut found = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        found |= all_of(words, allowed);
    }
    found
}

fn all_of(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut found = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        found &= one(words, allowed);
    }
    found
}

fn one(words: &mut Words<'_>, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.next() {
        Some("(") => {
            let found = any_of(words, allowed);
            words.next_if_eq(&")").is_some() && found
        }
        Some(word) => allowed(word),
        None => false,
    }
}

#[test]
fn expressions_of_licences() {
    let allowed = |expression: &str| is_allowed(expression, &["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]);
    for good in
        ["MIT", "MIT/X", "X OR MIT", "(X OR MIT) AND Zlib", "Apache-2.0 WITH LLVM-exception OR X", "X AND X OR MIT"]
    {
        assert!(allowed(good), "{good}");
    }
    for bad in ["", "X", "MIT AND X", "(MIT", "Apache-2.0", "(X OR MIT) AND (X OR Y)"] {
        assert!(!allowed(bad), "{bad}");
    }
}

/// What comes into the program on this system has a licence that deny.toml allows, and comes from the registry or from here.
#[test]
fn licences_and_sources_are_those_that_are_allowed() {
    let deny: toml::Table = include_str!("../deny.toml").parse().expect("a TOML file");
    let allowed = deny["licenses"]["allow"].as_array().expect("a list");
    let allowed: Vec<&str> = allowed.iter().filter_map(|licence| licence.as_str()).collect();
    let host =
        Command::new("rustc").args(["--print", "host-tuple"]).output().expect("rustc runs, as it built this test");
    let host = String::from_utf8(host.stdout).expect("a name");
    let metadata = cargo(&["metadata", "--format-version", "1", "--filter-platform", host.trim()]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    assert!(packages.len() > 100);
    for package in packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{name} is under `{licence}`, which deny.toml does not allow");
        let source = package["source"].as_str();
        assert!(source.is_none_or(|source| source.starts_with("registry+")), "{name} comes from {source:?}");
    }
}
