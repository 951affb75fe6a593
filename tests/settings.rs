//! `--set`: values of a recipe said on the command line.

use std::path::Path;

use recipe_render::plan::Plan;
use recipe_render::recipe::{self, Compiled, Invalid, Overrides, Setting};

const RECIPE: &str = "size = [64, 48]\n[stages]\nroam = [{ cover = [0.25, 0.6] }, { rotate = 15 }]\n\
    [[composition]]\nprompts = ['a sky']\n\
    [[detail]]\nname = 'ground'\nprompts = ['grass', { text = 'stones', weight = 0.5 }]\nstages = 'roam'\n\
    [[detail]]\nname = 'far away'\nprompts = ['hills']\n";

fn compile(text: &str, settings: &[&str]) -> Result<Compiled, Invalid> {
    let set: Vec<Setting> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    recipe::compile(Path::new("folder/a.toml"), text, &Overrides { set, ..Overrides::default() })
}

fn plan(text: &str, settings: &[&str]) -> Plan {
    let compiled = compile(text, settings);
    compiled.unwrap_or_else(|wrong| panic!("{}", recipe::render_diagnostics(&wrong.diagnostics))).plan
}

/// Settings mean what the same words in the recipe would.
#[test]
fn a_setting_is_as_good_as_a_line() {
    for (settings, from, to) in [
        (&["seed=7"][..], "size = [64, 48]", "seed = 7\nsize = [64, 48]"),
        (&["size=[32,32]"], "[64, 48]", "[32, 32]"),
        (&["size.1=64"], "[64, 48]", "[64, 64]"),
        (&["title=7"], "size", "title = '7'\nsize"),
        (&["canvas.basis=pyramid"], "[stages]", "[canvas]\nbasis = 'pyramid'\n[stages]"),
        (
            &["canvas.basis.pyramid.coarsest=16"],
            "[stages]",
            "[canvas]\nbasis = { pyramid = { coarsest = 16 } }\n[stages]",
        ),
        (
            &["canvas.init.mean=0.2", "canvas.init.colour=[0,0,1]"],
            "[stages]",
            "[canvas]\ninit = { colour = [0, 0, 1] }\n[stages]",
        ),
        (&["detail.0.weight=0.5"], "name = 'ground'", "name = 'ground'\nweight = 0.5"),
        (&["detail.ground.weight=0.5*t"], "name = 'ground'", "name = 'ground'\nweight = '0.5*t'"),
        (&["detail.\"far away\".windows=3"], "name = 'far away'", "name = 'far away'\nwindows = 3"),
        (&["detail.far away.windows=3"], "name = 'far away'", "name = 'far away'\nwindows = 3"),
        (&["detail.1.prompts.1=sea"], "['hills']", "['hills', 'sea']"),
        (&["detail.1.prompts.0.weight=2"], "['hills']", "[{ text = 'hills', weight = 2 }]"),
        (&["detail.ground.prompts.stones.weight=2"], "weight = 0.5", "weight = 2"),
        (&["stages.roam.1.rotate=20"], "rotate = 15", "rotate = 20"),
        (&["stages.roam.1.chance=0.5"], "rotate = 15", "rotate = 15, chance = 0.5"),
        (&["stages.roam.0.cover.0=0.3"], "[0.25, 0.6]", "[0.3, 0.6]"),
        (&["stages.roam.2={ noise = 0.1 }"], "{ rotate = 15 }", "{ rotate = 15 }, { noise = 0.1 }"),
        (&["stages.roam.2.edge.fill=[1,0,0]"], "{ rotate = 15 }", "{ rotate = 15 }, { edge = { fill = [1, 0, 0] } }"),
        (&["detail.2.prompts=['x']"], "[[composition]]", "detail = ['...', { prompts = ['x'] }]"),
        (&["phase.0.rate=0.05*t"], "", "[[phase]]\nrate = '0.05*t'\n"),
        (&["phase.0.steps=5", "phase.1.steps=9"], "", "[[phase]]\nsteps = 5\n[[phase]]\nsteps = 9\n"),
        (&["phase.0.finest.keys=[[0,5],[1,24]]"], "", "[[phase]]\nfinest = { keys = [[0, 5], [1, 24]] }\n"),
        (&["phase.0.detail.ground=0.5"], "", "[[phase]]\ndetail.ground = 0.5\n"),
        (&["phase.0.detail=0"], "", "[[phase]]\ndetail = 0\n"),
        (&["seed=1", "seed=2"], "size", "seed = 2\nsize"),
    ] {
        let text = match (settings[0].starts_with("detail.2"), from) {
            // An array of tables cannot be written in two ways in one file.
            (true, _) => format!("{RECIPE}[[detail]]\nprompts = ['x']\n"),
            (_, "") => format!("{RECIPE}{to}"),
            _ => RECIPE.replacen(from, to, 1),
        };
        assert_ne!(text, RECIPE, "{settings:?}");
        assert_eq!(plan(RECIPE, settings), plan(&text, &[]), "{settings:?}");
    }
}

#[test]
fn what_a_default_says_can_be_changed_in_part() {
    let text = "[[detail]]\nprompts = ['x']\n";
    let default = plan(text, &[]);
    let changed = plan(text, &["detail.0.stages.1.rotate=3"]);
    let stages = |plan: &Plan| plan.targets[0].pipelines[0].stages.clone();
    assert_ne!(stages(&changed)[1], stages(&default)[1]);
    assert_eq!(stages(&changed)[2..], stages(&default)[2..]);
}

#[test]
fn paths_of_settings_count_from_the_current_folder() {
    let compiled = compile(RECIPE, &["model=./clip"]).unwrap();
    assert_eq!((compiled.models[0].name.as_str(), compiled.models[0].base.as_path()), ("./clip", Path::new("")));
    assert_eq!(compiled.models[0].place.as_ref().unwrap().file.text, "model=./clip");
}

#[test]
fn models_of_an_ensemble_are_set_one_by_one() {
    let text = format!("models = ['a', {{ name = 'b', weight = 2 }}]\n{RECIPE}");
    for (setting, models) in [
        ("models.0.weight=0.5", "[{ name = 'a', weight = 0.5 }, { name = 'b', weight = 2 }]"),
        ("models.b.weight=3 - t", "['a', { name = 'b', weight = '3 - t' }]"),
        ("models.1=c", "['a', 'c']"),
        ("models.2=c", "['a', { name = 'b', weight = 2 }, 'c']"),
        ("models=['c', 'd']", "['c', 'd']"),
        ("model=c", "['c']"),
    ] {
        assert_eq!(plan(&text, &[setting]), plan(&format!("models = {models}\n{RECIPE}"), &[]), "{setting}");
    }
    // In the place of one.
    let one = format!("model = 'a'\n{RECIPE}");
    assert_eq!(plan(&one, &["models=['c', 'd']"]), plan(&format!("models = ['c', 'd']\n{RECIPE}"), &[]));
    assert_eq!(plan(RECIPE, &["detail.ground.models=['c', 'd']"]).targets.len(), 4);
}

#[test]
fn what_is_wrong_is_shown_in_the_setting() {
    for (setting, marked, message, hint) in [
        ("detail.0.wieght=0.5", "wieght", "unknown key `wieght` in `[[detail]]`", "did you mean `weight`?"),
        ("sede=7", "sede", "unknown key `sede`", "did you mean `seed`?"),
        ("canvs.basis=pixels", "canvs", "unknown key `canvs`", "did you mean `canvas`?"),
        ("seed=x", "x", "`seed` cannot be a text", ""),
        ("seed=-1", "-1", "`seed` is out of range", ""),
        ("seed=", "", "the value is missing", "an empty text is written '\"\"'"),
        ("canvas.basis=pyramyd", "pyramyd", "`basis` cannot be \"pyramyd\"", "did you mean \"pyramid\"?"),
        ("canvas.basis.pyramyd.coarsest=4", "pyramyd", "`basis` cannot be \"pyramyd\"", "did you mean `pyramid`?"),
        (
            "canvas.basis.pixels.coarsest=4",
            "coarsest",
            "`pixels` has nothing called `coarsest` in it",
            "the path ends with `pixels`",
        ),
        ("phase.0.rate=0.05*tt", "tt", "unknown name `tt`", "did you mean `t`?"),
        (
            "detail.3.windows=3",
            "3",
            "there is no position 3: `detail` has 2 entries, at positions 0 to 1",
            "position 2 adds an entry",
        ),
        ("phase.1.steps=3", "1", "there is no position 1: `phase` has no entry", "position 0 adds an entry"),
        ("detail.grund.windows=3", "grund", "no entry of `detail` is called \"grund\"", "did you mean `ground`?"),
        (
            "composition.sky.windows=3",
            "sky",
            "no entry of `composition` is called \"sky\"",
            "give the position of an entry without a name, from 0: composition.0",
        ),
        ("stages.raom.1.rotate=3", "raom", "there is no pipeline `raom`", "did you mean `roam`?"),
        (
            "stages.roam.1.noise=0.1",
            "noise",
            "one table holds one stage",
            "give each stage its own: [{ rotate = 15 }, { noise = 0.1 }]",
        ),
        (
            "detail.ground.stages.0.cover=0.1",
            "0",
            "`stages` is the pipeline \"roam\" and has no entries of its own",
            "stages.roam.0.cover sets it in the pipeline itself",
        ),
        ("seed.0=3", "0", "`seed` has nothing called `0` in it", "the path ends with `seed`"),
        ("detail..weight=3", "", "a word of this path is missing", ""),
        (
            "extends=b.toml",
            "extends",
            "`extends` cannot be set: it is not a value of the picture",
            "write it in a recipe",
        ),
        ("detail.0.prompts=['a", "'a", "this text is never closed", "write 'a'"),
        ("size=[64, 48", "[", "this array is never closed", "write [64, 48]"),
        ("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=1", "q", "no path in a recipe is this long", ""),
    ] {
        let wrong = compile(RECIPE, &[setting]).unwrap_err().diagnostics;
        let [diagnostic] = wrong.as_slice() else { panic!("{}", recipe::render_diagnostics(&wrong)) };
        let shown = recipe::render_diagnostics(&wrong);
        assert_eq!(diagnostic.message, message, "{shown}");
        assert_eq!(diagnostic.hint.as_deref().unwrap_or(""), hint, "{shown}");
        assert_eq!(diagnostic.file.path.to_str(), Some(format!("--set {setting}").as_str()));
        if !marked.is_empty() {
            assert_eq!(&diagnostic.file.text[diagnostic.span.clone().unwrap()], marked, "{shown}");
        }
    }
}

#[test]
fn settings_and_files_are_told_at_once() {
    let wrong = compile(&format!("sice = 3\n{RECIPE}"), &["seed=x", "detail.9.weight=1"]).unwrap_err().diagnostics;
    let files: Vec<String> = wrong.iter().map(|diagnostic| diagnostic.file.path.display().to_string()).collect();
    assert_eq!(files, ["folder/a.toml", "--set seed=x", "--set detail.9.weight=1"]);
}
