//! Recipes that build on others.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use recipe_render::plan::Plan;
use recipe_render::recipe::{self, Around, Compiled, Invalid, Open, Overrides, RecipeText, Trouble};

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn compile(path: &Path) -> Result<Compiled, Invalid> {
    recipe::compile(path, &std::fs::read_to_string(path).unwrap(), &Overrides::default())
}

fn around<'a>(open: Open<'a>) -> Around<'a> {
    Around { open, ..Around::default() }
}

/// The plan of the first of some files.
fn plan(files: &[(&str, &str)]) -> Plan {
    let folder = folder(files);
    let compiled = compile(&folder.path().join(files[0].0));
    let compiled = compiled.unwrap_or_else(|wrong| panic!("{}", recipe::render_diagnostics(&wrong.diagnostics)));
    assert_eq!(compiled.warnings, []);
    compiled.plan
}

/// What is wrong with the first of some files: each message with its file, line and column.
fn wrong(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let diagnostics = compile(&folder.path().join(files[0].0)).unwrap_err().diagnostics;
    let said = diagnostics.iter().map(|diagnostic| {
        let (line, column) = diagnostic.position().unwrap();
        let path = diagnostic.file.path.strip_prefix(folder.path()).unwrap().display().to_string();
        let hint = diagnostic.hint.as_deref().unwrap_or("").replace(&folder.path().display().to_string(), "FOLDER");
        format!("{path}:{line}:{column}: {} ({hint})", diagnostic.message)
    });
    said.collect()
}

fn prompts(plan: &Plan) -> Vec<String> {
    plan.prompts.iter().map(|prompt| prompt.called()).collect()
}

fn targets(plan: &Plan) -> Vec<(&str, u32)> {
    plan.targets.iter().map(|target| (target.name.as_str(), target.windows)).collect()
}

const BASE: &str = "title = 'Base'\nseed = 3\nsize = [64, 48]\n[canvas]\ninit = { image = 'start.png', noise = 0.1 }\n\
    [stages]\nroam = [{ rotate = 3 }]\nslanted = ['roam', { perspective = 0.2 }]\n\
    [[composition]]\nname = 'sky'\nprompts = ['a sky']\nwindows = 3\n\
    [[detail]]\nname = 'ground'\nprompts = ['grass', 'stones']\nstages = 'slanted'\nwindows = 5\n[[phase]]\nname = 'all'\nsteps = 30\n";

fn with_base(text: &str) -> Plan {
    let text = format!("extends = 'base.toml'\n{text}");
    static PICTURES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = folder(&[]);
        image::RgbImage::new(80, 60).save(folder.path().join("start.png")).unwrap();
        folder
    });
    let start = PICTURES.path().join("start.png").display().to_string();
    plan(&[("a.toml", text.as_str()), ("base.toml", &BASE.replace("start.png", &start))])
}

#[test]
fn what_is_not_said_is_inherited() {
    assert_eq!(with_base("seed = 3"), with_base(""));
    let plan = with_base(
        "title = 'Mine'\n[canvas]\nbasis = 'pixels'\n[canvas.init]\nmean = 0.2\n[stages]\nroam = [{ rotate = 9 }]\n",
    );
    assert_eq!((plan.title.as_deref(), plan.seed, plan.size.width), (Some("Mine"), 3, 64));
    // The grey takes the place of the image, the noise stays.
    assert_eq!(format!("{:?}", plan.canvas.init), "Init { ground: Colour([0.2, 0.2, 0.2]), noise: 0.1 }");
    // `slanted` begins with the new `roam`.
    assert!(format!("{:?}", plan.targets[1].pipelines).contains("Constant(9.0)"));
}

#[test]
fn arrays_replace_unless_they_ask_for_the_inherited_entries() {
    let unused = "[[composition]]\nprompts = ['a sky']\nstages = 'slanted'\n";
    assert_eq!(
        targets(&with_base(&format!("[[detail]]\nprompts = ['x']\n{unused}"))),
        [("composition 1", 2), ("detail 1", 12)]
    );
    let plan = with_base("detail = ['...', { prompts = ['axe'] }]");
    assert_eq!(targets(&plan), [("sky", 3), ("ground", 5), ("detail 2", 12)]);
    let plan = with_base("detail = [{ prompts = ['axe'] }, '...']");
    assert_eq!(targets(&plan), [("sky", 3), ("detail 1", 12), ("ground", 5)]);
    let plan =
        with_base("[stages]\nroam = [{ blur = 1 }, '...', { noise = 0.1 }]\nslanted = ['...', { flip = 'vertical' }]");
    let names = plan.targets[1].pipelines[0].stages.iter().map(|stage| stage.kind.name());
    assert_eq!(names.collect::<Vec<_>>(), ["cover", "blur", "rotate", "noise", "perspective", "flip"]);
}

#[test]
fn a_named_entry_changes_the_inherited_one() {
    let plan = with_base(
        "detail = ['...', { name = 'ground', windows = 7, prompts = ['...', 'sword'] }]\nphase = ['...', { name = 'all', steps = 9 }]",
    );
    assert_eq!(targets(&plan), [("sky", 3), ("ground", 7)]);
    assert_eq!(prompts(&plan), ["a sky", "grass", "stones", "sword"]);
    assert_eq!(plan.phases.iter().map(|phase| phase.steps).collect::<Vec<_>>(), [9]);
}

#[test]
fn models_are_inherited_replaced_and_added_to() {
    let names = |base: &str, text: &str| {
        let base = format!("{base}\n[[detail]]\nname = 'x'\nprompts = ['x']");
        let plan = plan(&[("a.toml", &format!("extends = 'base.toml'\n{text}")), ("base.toml", &base)]);
        plan.targets.into_iter().map(|target| target.name).collect::<Vec<_>>()
    };
    assert_eq!(names("models = ['a', 'b']", "seed = 1"), ["x (a)", "x (b)"]);
    assert_eq!(names("models = ['a', 'b']", "model = 'c'"), ["x"]);
    assert_eq!(names("model = 'c'", "models = ['a', 'b']"), ["x (a)", "x (b)"]);
    assert_eq!(names("models = ['a', 'b']", "models = ['...', 'c']"), ["x (a)", "x (b)", "x (c)"]);
    let own = "detail = ['...', { name = 'x', models = ['c', 'd'] }]";
    assert_eq!(names("models = ['a', 'b']", own), ["x (c)", "x (d)"]);
}

#[test]
fn later_bases_stand_over_earlier_ones() {
    let plan = plan(&[
        ("a.toml", "extends = ['look.toml', 'what.toml', 'short.toml']\n"),
        ("look.toml", "seed = 1\n[canvas]\nbasis = 'pixels'\n[[phase]]\nsteps = 10\n"),
        ("what.toml", "seed = 2\n[[detail]]\nprompts = ['axe']\n"),
        ("short.toml", "phase = ['...', { steps = 5 }]\n"),
    ]);
    assert_eq!((plan.seed, prompts(&plan), plan.steps()), (2, vec!["axe".into()], 15));
}

#[test]
fn paths_count_from_the_file_that_they_are_written_in() {
    let files = [
        ("x/a.toml", "extends = '../lib/base.toml'\n[canvas.init]\nnoise = 0\n"),
        ("lib/base.toml", "extends = 'deep/model.toml'\n[[detail]]\nprompts = ['x', { image = 'ref.png' }]\n"),
        ("lib/deep/model.toml", "model = './clip'\n[canvas.init]\nimage = 'start.png'\n"),
    ];
    let folder = folder(&files);
    for name in ["lib/ref.png", "lib/deep/start.png"] {
        image::RgbImage::new(20, 20).save(folder.path().join(name)).unwrap();
    }
    let compiled = compile(&folder.path().join("x/a.toml")).unwrap();
    let deep = folder.path().join("x/../lib/deep");
    let model = &compiled.models[0];
    assert_eq!(model.base, deep);
    assert_eq!(model.place.as_ref().unwrap().file.path, deep.join("model.toml"));
    let mut files: Vec<PathBuf> = compiled.files.iter().map(|file| file.canonicalize().unwrap()).collect();
    files.sort();
    let expected = ["lib/base.toml", "lib/deep/model.toml", "lib/deep/start.png", "lib/ref.png"];
    assert_eq!(files, expected.map(|file| folder.path().join(file).canonicalize().unwrap()));
    let paths = compiled.bases.recipes.iter().map(|base| base.path.as_str());
    assert_eq!(paths.collect::<Vec<_>>(), ["../lib/base.toml", "../lib/deep/model.toml"]);
}

#[test]
fn all_files_are_told_what_is_wrong_with_them_at_once() {
    let said = wrong(&[
        ("a.toml", "extends = ['one.toml', 'two.toml', 'tow.toml']\nsice = [3, 4]\n"),
        ("one.toml", "seed = 'x'\n[[detail]]\nwindws = 3\n"),
        ("two.toml", "title = \"x\n[canvas\n"),
    ]);
    assert_eq!(
        said,
        [
            "a.toml:1:36: cannot build on \"tow.toml\": there is no such file (did you mean `two.toml`?)",
            "a.toml:2:1: unknown key `sice` (did you mean `size`?)",
            "one.toml:1:8: `seed` cannot be a text ()",
            "one.toml:3:1: unknown key `windws` in `[[detail]]` (did you mean `windows`?)",
            "two.toml:1:9: this text is never closed (write \"x\")",
            "two.toml:2:8: this heading is never closed ()",
        ]
    );
}

#[test]
fn what_cannot_be_built_on_is_told_where_it_is_named() {
    let one = |text: &str| wrong(&[("a.toml", text), ("b.toml", "extends = 'a.toml'\n"), ("c/d", "")]).join("\n");
    assert_eq!(
        one("seed = 3\nextends = 'b.toml'\n"),
        "b.toml:1:11: cannot build on \"a.toml\": it builds on this recipe itself (the cycle is a.toml -> b.toml -> \
         a.toml)"
    );
    assert!(one("extends = 'a.toml'").contains("it builds on this recipe itself (the cycle is a.toml -> a.toml)"));
    assert!(one("extends = 'c'").contains("a.toml:1:11: cannot build on \"c\": it is not a file"));
    assert!(one("extends = ['q.toml']").contains("(looked for FOLDER/q.toml; paths are relative to the folder"));
    assert!(one("extends = 3").contains("`extends` cannot be a number"));
    assert!(one("extends = ['']").contains("`extends` is empty"));
    let twice = wrong(&[("a.toml", "extends = ['b.toml', './b.toml']\n"), ("b.toml", "[[detail]]\nprompts = ['x']\n")]);
    assert_eq!(twice, ["a.toml:1:22: \"./b.toml\" is named twice (once is enough)"]);
}

#[test]
fn depth_and_number_are_bounded() {
    let names: Vec<String> = (0..40).map(|index| format!("{index}.toml")).collect();
    let texts: Vec<String> = (0..40).map(|index| format!("extends = '{}.toml'\n", index + 1)).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(wrong(&files)[0].contains("recipes build on one another more than 16 levels deep"));
    // Each is built on twice by each before it: 2^15 in all.
    let texts: Vec<String> = (0..16).map(|index| format!("extends = ['{0}.toml', 'x{0}.toml']\n", index + 1)).collect();
    let mut files = Vec::new();
    let doubles: Vec<String> = names.iter().map(|name| format!("x{name}")).collect();
    for (index, text) in texts.iter().enumerate().take(15) {
        files.push((names[index].as_str(), text.as_str()));
        files.push((doubles[index].as_str(), text.as_str()));
    }
    files.push((names[15].as_str(), "[[detail]]\nprompts = ['x']\n"));
    files.push((doubles[15].as_str(), ""));
    let folder = folder(&files);
    let wrong = compile(&folder.path().join("0.toml")).unwrap_err().diagnostics;
    assert!(wrong[0].message.contains("builds on more than 64 others"), "{}", recipe::render_diagnostics(&wrong));
}

#[test]
fn marks_that_stand_for_nothing_are_found() {
    let said = wrong(&[
        (
            "a.toml",
            "extends = 'b.toml'\ndetail = ['...', '...', { prompts = ['...', 'x'] }]\n[stages]\nnew = ['...']\n",
        ),
        ("b.toml", "[[detail]]\nprompts = ['y', '...']\n"),
    ]);
    let expected = [
        ("a.toml:2:18", "stands for the inherited entries and may be used only once"),
        ("a.toml:2:38", "`prompts` inherits none (to inherit a target's entries"),
        ("a.toml:4:8", "`new` inherits none"),
        ("b.toml:2:17", "`prompts` inherits none"),
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, (place, words)) in said.iter().zip(expected) {
        assert!(said.starts_with(place) && said.contains(words), "{said}");
    }
    assert!(wrong(&[("a.toml", "[[detail]]\nprompts = ['...']\n")])[0].contains("extends = \"base.toml\""));
}

#[test]
fn what_was_kept_makes_the_same_plan_without_files() {
    let files = [
        ("a.toml", "extends = ['b.toml', 'lib/c.toml']\n[canvas]\nbasis = 'pixels'\n"),
        ("b.toml", "extends = 'lib/d.toml'\nseed = 5\n"),
        ("lib/c.toml", "extends = 'd.toml'\n[[composition]]\nprompts = ['c']\n"),
        ("lib/d.toml", "[[detail]]\nprompts = ['d']\n"),
    ];
    let folder = folder(&files);
    let first = compile(&folder.path().join("a.toml")).unwrap();
    assert_eq!(first.bases.extends, [0, 2]);
    assert_eq!(first.bases.recipes.len(), 3);
    let kept = RecipeText { path: "elsewhere/p.png".into(), text: files[0].1.into(), bases: Some(first.bases.clone()) };
    let nothing = |path: &Path| -> Result<RecipeText, Trouble> { panic!("{} is asked for", path.display()) };
    let again = recipe::compile_text(&kept, around(&nothing), &Overrides::default()).unwrap();
    assert_eq!((&again.plan, &again.bases, again.files.len()), (&first.plan, &first.bases, 0));

    // A picture stands for the recipe in it, with what that builds on.
    let open = |path: &Path| match path.to_str() {
        Some("x/old/p.png") => Ok(RecipeText { path: path.into(), ..kept.clone() }),
        other => panic!("{other:?}"),
    };
    let on_picture =
        RecipeText { path: "x/new.toml".into(), text: "extends = 'old/p.png'\nseed = 9\n".into(), bases: None };
    let compiled = recipe::compile_text(&on_picture, around(&open), &Overrides::default()).unwrap();
    assert_eq!(compiled.plan, Plan { seed: 9, ..first.plan.clone() });
    let paths: Vec<&str> = compiled.bases.recipes.iter().map(|base| base.path.as_str()).collect();
    assert_eq!(paths, ["old/p.png", "old/b.toml", "old/lib/d.toml", "old/lib/c.toml"]);
    let kept = RecipeText { bases: Some(compiled.bases.clone()), ..on_picture };
    assert_eq!(recipe::compile_text(&kept, around(&nothing), &Overrides::default()).unwrap().plan, compiled.plan);
}

#[test]
fn damaged_kept_texts_do_no_harm() {
    let base =
        |extends: Vec<usize>| recipe::Base { path: "b.toml".into(), text: "extends = ['b.toml']\n".into(), extends };
    for (extends, links) in
        [(vec![], vec![]), (vec![7], vec![]), (vec![0], vec![0]), (vec![0], vec![9]), (vec![0], vec![])]
    {
        let bases = recipe::Bases { extends, recipes: vec![base(links)] };
        let text = "extends = 'b.toml'\n[[detail]]\nprompts = ['x']\n".to_owned();
        let recipe = RecipeText { path: "p.png".into(), text, bases: Some(bases) };
        let wrong = recipe::compile_text(&recipe, Around::default(), &Overrides::default()).unwrap_err().diagnostics;
        assert!(wrong[0].message.starts_with("cannot build on"), "{wrong:?}");
    }
}
