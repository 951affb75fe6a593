//! Any text as a recipe: it compiles, or everything wrong with it can be shown at a place in its own text.
//!
//! A line `=== base` begins a further text, which `extends` names in the order of its entries; a line `=== set` begins
//! settings, one a line; a line `=== advice` begins what the models advise. So one input holds recipes that build on one another, and no file is read for that.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recipe_render::recipe::{self, Around, Base, Bases, Overrides, RecipeText, Setting, Trouble};

fuzz_target!(|input: &str| {
    // What the models advise stands last.
    let (input, advice) = input.split_once("\n=== advice\n").unwrap_or((input, ""));
    let (recipes, settings) = input.split_once("\n=== set\n").unwrap_or((input, ""));
    let mut texts = recipes.split("\n=== base\n");
    let text = texts.next().unwrap_or_default().to_owned();
    let texts: Vec<&str> = texts.take(8).collect();
    let all: Vec<usize> = (0..texts.len()).collect();
    let base = |(index, text): (usize, &&str)| Base {
        path: format!("base-{index}.toml"),
        text: (*text).to_owned(),
        // Circles among them, too.
        extends: all.iter().rev().copied().filter(|other| *other != index || index % 2 == 1).collect(),
    };
    let bases = Bases { recipes: texts.iter().enumerate().map(base).collect(), extends: all.clone() };
    let set: Vec<Setting> = settings.lines().take(8).filter_map(|line| line.parse().ok()).collect();
    let recipe = RecipeText { path: "no-such-folder/a.toml".into(), text, bases: Some(bases) };
    let open = |_: &std::path::Path| Err(Trouble { what: "there are no files".into(), hint: None });
    let advise = |name: &str, _: &std::path::Path| Some((format!("{name}/model.toml").into(), advice.to_owned()));
    let around = Around { open: &open, advise: &advise };
    match recipe::compile_text(&recipe, around, &Overrides { set, ..Overrides::default() }) {
        Ok(compiled) => {
            assert_eq!(compiled.prompt_spans.len(), compiled.plan.prompts.len());
            for place in compiled.prompt_spans {
                assert!(place.file.text.get(place.span).is_some());
            }
            recipe::render_diagnostics(&compiled.warnings);
        }
        Err(invalid) => {
            let error = |diagnostic: &recipe::Diagnostic| diagnostic.severity == recipe::Severity::Error;
            assert!(invalid.diagnostics.iter().any(error));
            recipe::render_diagnostics(&invalid.diagnostics);
        }
    }
});
