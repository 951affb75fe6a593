//! The committed schema and reference page are those of the program, and the schema judges recipes as the program does.
//! `RECIPE_RENDER_UPDATE=1 cargo test --test schema` writes both anew.

use std::path::{Path, PathBuf};

use recipe_render::recipe;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn committed(path: &str, text: &str) {
    let path = root(path);
    if std::env::var_os("RECIPE_RENDER_UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} is out of date: RECIPE_RENDER_UPDATE=1 cargo test --test schema", path.display());
}

#[test]
fn the_committed_schema_is_the_programs() {
    committed("schema/recipe.schema.json", &recipe::schema_text());
}

#[test]
fn the_committed_reference_is_the_programs() {
    committed("docs/reference.md", &recipe::reference());
}

#[test]
fn the_schema_is_one() {
    jsonschema::draft7::meta::validate(&recipe::schema()).unwrap();
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(root(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_schema_accepts_every_shipped_recipe() {
    let validator = jsonschema::draft7::new(&recipe::schema()).unwrap();
    let recipes = files("recipes");
    assert!(recipes.len() >= 12);
    for (path, text) in recipes {
        assert!(text.starts_with("#:schema ../schema/recipe.schema.json\n"), "{}", path.display());
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
        let compiled = recipe::compile(&path, &text, &recipe::Overrides::default());
        let compiled = compiled.unwrap_or_else(|wrong| panic!("{}", recipe::render_diagnostics(&wrong.diagnostics)));
        assert_eq!(compiled.warnings, [], "{}", path.display());
    }
}

/// An invalid recipe that says `schema: accepts` in its first line is wrong in a way that no schema can see (names, values
/// over time, syntax, files); all others the schema rejects too.
#[test]
fn the_schema_rejects_what_a_schema_can_reject() {
    let validator = jsonschema::draft7::new(&recipe::schema()).unwrap();
    let mut rejected = 0;
    for (path, text) in files("tests/invalid") {
        let Ok(value) = toml::from_str::<serde_json::Value>(&text) else { continue };
        let beyond = text.lines().next().is_some_and(|line| line.contains("schema: accepts"));
        assert_eq!(validator.is_valid(&value), beyond, "{}", path.display());
        rejected += usize::from(!beyond);
    }
    assert!(rejected >= 20, "{rejected}");
}
