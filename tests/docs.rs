//! What the documentation shows is true.

use std::path::Path;

use recipe_render::onnx::differentiable_operators;
use recipe_render::recipe::{Overrides, compile, render_diagnostics};

fn root(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `docs/operators.md` ends with the list of operators. `RECIPE_RENDER_UPDATE=1 cargo test --test docs` writes it anew.
#[test]
fn the_list_of_operators_is_the_code_s() {
    let path = root("docs/operators.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, _) = text.split_once("\n- ").unwrap_or((&text, ""));
    let list: String = differentiable_operators().iter().map(|name| format!("- {name}\n")).collect();
    let expected = format!("{}\n\n{list}", head.trim_end());
    if std::env::var_os("RECIPE_RENDER_UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert_eq!(text, expected);
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
            Err(diagnostics) => panic!("{}", render_diagnostics(&diagnostics, path, recipe)),
        }
    }
}
