//! What the documentation shows is true.

use std::path::Path;

use recipe_render::onnx::supported_operators;
use recipe_render::recipe::{Overrides, compile, render_diagnostics};

#[path = "support/program.rs"]
mod program;

fn root(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The table of operators as Markdown.
fn table() -> String {
    let mut text = "| operator | operator sets | differentiable | test |\n| --- | --- | --- | --- |\n".to_owned();
    for support in supported_operators() {
        let sets = support.sets.map_or("any".into(), |(first, last)| format!("{first} to {last}"));
        let test = support.test.trim_start_matches("crates/onnx/src/");
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

/// The recipes of all pages, with the page that each is on.
fn recipes() -> Vec<(std::path::PathBuf, String)> {
    let docs = std::fs::read_dir(root("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.push(root("README.md"));
    pages.sort();
    let mut recipes = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            // Others are model folders' files, or a few lines of a recipe.
            if ["[[composition]]", "[[detail]]", "extends = "].iter().any(|begin| block.contains(begin)) {
                recipes.push((page.clone(), block.to_owned()));
            }
        }
    }
    recipes
}

#[test]
fn recipes_on_all_pages_compile_without_a_warning() {
    let recipes = recipes();
    assert!(recipes.len() >= 16, "{}", recipes.len());
    for (page, recipe) in recipes {
        match compile(&page, &recipe, &Overrides::default()) {
            Ok(compiled) => assert_eq!(compiled.warnings, [], "{}: {recipe}", page.display()),
            Err(wrong) => panic!("{}: {}", page.display(), render_diagnostics(&wrong.diagnostics)),
        }
    }
}

/// What other programs do to images is told in stages of ours, and each of them is one.
#[test]
fn stages_that_stand_for_those_of_other_programs_compile() {
    let text = std::fs::read_to_string(root("docs/coming-from.md")).unwrap();
    let section = text.split("## Augmentations").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let spans = section.split('`').skip(1).step_by(2).map(|span| span.trim_matches(['[', ']']));
    let stages: Vec<&str> = spans.filter(|span| span.starts_with("{ ")).collect();
    assert!(stages.len() > 40, "{}", stages.len());
    for stages in stages {
        let kind = if stages.contains("cover") { "detail" } else { "composition" };
        let recipe = format!("[[{kind}]]\nprompts = [\"x\"]\nstages = [{stages}]\n");
        match compile(&root("recipe.toml"), &recipe, &Overrides::default()) {
            Ok(compiled) => assert_eq!(compiled.warnings, [], "{recipe}"),
            Err(wrong) => panic!("{}", render_diagnostics(&wrong.diagnostics)),
        }
    }
}

/// Each is rendered by the program, tiny and short. Paths in them count from their page, so they lie beside a copy of it.
#[test]
fn recipes_on_all_pages_render() {
    let folder = tempfile::tempdir().unwrap();
    for from in ["docs/pictures", "docs/pictures/cookbook", "recipes"] {
        std::fs::create_dir_all(folder.path().join(from)).unwrap();
        for entry in std::fs::read_dir(root(from)).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), folder.path().join(from).join(entry.file_name())).unwrap();
            }
        }
    }
    let recipes = recipes();
    let mut command = assert_cmd::Command::from_std(program::program());
    command.current_dir(folder.path()).args(["--size", "64x48", "--steps", "4", "--quiet"]);
    command.env("RECIPE_RENDER_STORE", folder.path().join("store"));
    for (index, (page, text)) in recipes.iter().enumerate() {
        let beside = page.strip_prefix(root("")).unwrap().with_file_name(format!("recipe-{index}.toml"));
        std::fs::write(folder.path().join(&beside), text).unwrap();
        command.arg(beside);
    }
    command.assert().success();
    for index in 0..recipes.len() {
        let picture = image::open(folder.path().join(format!("recipe-{index}.png"))).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (64, 48));
        assert!(picture.pixels().any(|pixel| pixel != picture.get_pixel(0, 0)), "recipe {index} is a blank picture");
    }
}
