//! What is legal but surely not meant is told, and nothing else.

use std::path::Path;

use recipe_render::plan::Size;
use recipe_render::recipe::{self, Overrides};

fn warnings(text: &str, overrides: &Overrides) -> Vec<(usize, String)> {
    let compiled = recipe::compile(Path::new("a.toml"), text, overrides);
    let compiled =
        compiled.unwrap_or_else(|wrong| panic!("{text}\n{}", recipe::render_diagnostics(&wrong.diagnostics)));
    let said = compiled.warnings.into_iter().map(|warning| (warning.position().unwrap().0, warning.message));
    said.collect()
}

#[test]
fn what_is_surely_not_meant_is_told() {
    let detail = "[[detail]]\nname = 'sky'\nprompts = ['a']\n";
    for (text, line, message) in [
        ("[[phase]]\nrate = 0\n", 5, "the rate is 0 throughout the phase \"phase 1\": the picture does not change"),
        (
            "[[phase]]\nrate = '0 * t'\n",
            5,
            "the rate is 0 throughout the phase \"phase 1\": the picture does not change",
        ),
        (
            "[[phase]]\n[[phase]]\nname = 'rest'\ndetail = 0\n",
            5,
            "nothing is active in the phase \"rest\": all weights are 0 there",
        ),
        ("[[phase]]\ndetail = 'max(0, t - 2)'\n", 1, "\"sky\" is never active: its weight is 0"),
        ("weight = { keys = [[0, 0]] }\n", 1, "\"sky\" is never active: its weight is 0"),
        (
            "[[phase]]\nfinest = 400\n",
            5,
            "`finest` is at least 400: a canvas of 512 pixels holds 256 cycles, so nothing is filtered out",
        ),
        ("stages = [{ cover = 1.5 }]\n", 4, "these windows are always larger than the canvas: `cover` is at least 1.5"),
        ("stages = [{ rotate = 3, chance = 0 }]\n", 4, "the stage `rotate` never acts: its chance is 0"),
        ("temperature = 0.1\n", 4, "this has no effect: `temperature` is for select = \"mix\""),
        (
            "select = 'all'\ncalibration = 'start'\n",
            5,
            "this has no effect: `calibration` is for select = \"best\", \"worst\" or \"mix\"",
        ),
        ("[stages]\nroam = []\n", 5, "the pipeline `roam` is not used"),
        (
            "[[phase]]\ngradient = 'plain'\n",
            4,
            "without `gradient = \"normalise\"` an epsilon of 1 holds the picture still",
        ),
        ("[[phase]]\ncomposition = 1\n", 5, "this has no effect: there is no composition"),
    ] {
        let text = format!("{detail}{text}");
        assert_eq!(warnings(&text, &Overrides::default()), [(line, message.to_owned())], "{text}");
    }
    for (prompts, message) in [
        ("['a', 'a']", "\"a\" is already in the list"),
        ("['a', { text = 'a', weight = -0.3 }]", "\"a\" is both wanted and avoided in one target"),
        ("[{ text = 'a', weight = -0.3 }, 'a']", "\"a\" is both wanted and avoided in one target"),
        ("['b', { text = 'a', weight = -1 }, { text = 'a', weight = -2 }]", "\"a\" is already in the list"),
        (
            "['b', { text = 'a', weight = -1, scale = 2 }]",
            "this has no effect: avoided prompts do not compete for windows",
        ),
        ("['b', { text = 'a', weight = 0 }]", "this prompt never pulls: its weight is 0"),
    ] {
        let text = format!("[[detail]]\nprompts = {prompts}\n");
        assert_eq!(warnings(&text, &Overrides::default()), [(2, message.to_owned())], "{text}");
    }
}

#[test]
fn what_may_be_meant_is_left_alone() {
    let square = Size { width: 64, height: 64 };
    for text in [
        "[[detail]]\nprompts = ['a', { text = 'a', stages = [{ rotate = 9 }] }]\n",
        "[[detail]]\nprompts = ['a']\n[[detail]]\nprompts = [{ text = 'a', weight = 2 }]\n",
        "[[detail]]\nprompts = ['a']\nstages = [{ cover = [0.9, 1.2] }]\n",
        "size = [600, 200]\n[[detail]]\nprompts = ['a']\nstages = [{ cover = 2 }]\n",
        "[[detail]]\nprompts = ['a']\n[[phase]]\nfinest = { keys = [[0, 100], [1, 400]] }\n",
        "[[detail]]\nprompts = ['a']\n[[phase]]\nfinest = 100\n",
        "[[detail]]\nprompts = ['a']\n[[phase]]\ngradient = 'plain'\noptimiser = { adam = { epsilon = 1e-8 } }\n",
        "[[detail]]\nprompts = ['a']\n[[phase]]\ngradient = { clip = 1 }\noptimiser = 'sgd'\n",
        "[[detail]]\nprompts = ['a']\n[[phase]]\nrate = '0.1 * t'\ndetail = 't'\n",
    ] {
        // A small size of the command line's makes no recipe doubtful.
        for size in [None, Some(square)] {
            assert_eq!(warnings(text, &Overrides { size, ..Overrides::default() }), [], "{text}");
        }
    }
}
