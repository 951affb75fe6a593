//! What the documentation shows is true.

use std::path::Path;

use recipe_render::onnx::supported_operators;
use recipe_render::recipe::{Overrides, compile, render_diagnostics};

fn root(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The table of operators as Markdown.
fn table() -> String {
    let mut text = "| operator | operator sets | differentiable | test |\n| --- | --- | --- | --- |\n".to_owned();
    for support in supported_operators() {
        let sets = support.sets.map_or("any".into(), |(first, last)| format!("{first} to {last}"));
        let test = support.test.trim_start_matches("src/onnx/");
        text += &format!("| {} | {sets} | {} | `{test}` |\n", support.operator, support.differentiable);
    }
    text
}

/// The table in `docs/operators.md` is the code's. `RECIPE_RENDER_UPDATE=1 cargo test --test docs` writes it anew.
#[test]
fn the_table_of_operators_is_the_code_s() {
    let path = root("docs/operators.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("| operator |").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let expected = format!("{head}{}\n{tail}", table());
    if std::env::var_os("RECIPE_RENDER_UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert_eq!(text, expected);
    }
}

/// The file that the table names has tests, and they name the operator.
#[test]
fn every_operator_has_its_test() {
    for support in supported_operators() {
        let text = std::fs::read_to_string(root(&support.test)).unwrap();
        let tests = text.split_once("mod tests {").map_or(text.as_str(), |(_, tests)| tests);
        let name = support.operator.rsplit('.').next().unwrap();
        // Or the tests run over the file's own table.
        let named = tests.contains(&format!("\"{name}\"")) || tests.contains("super::RULES");
        assert!(named && tests.contains("#[test]"), "{} is not tested in {}", support.operator, support.test);
    }
}

#[test]
fn recipes_in_the_readme_compile_without_a_warning() {
    let text = std::fs::read_to_string(root("README.md")).unwrap();
    let recipes: Vec<&str> = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!recipes.is_empty());
    for recipe in recipes {
        let path = Path::new("README.md");
        match compile(path, recipe, &Overrides::default()) {
            Ok(compiled) => assert_eq!(compiled.warnings, []),
            Err(diagnostics) => panic!("{}", render_diagnostics(&diagnostics.diagnostics)),
        }
    }
}
