//! What models advise where a recipe is silent.

use std::path::{Path, PathBuf};

use recipe_render::models::{Family, classifier_advice};
use recipe_render::plan::{Gradient, Optimiser, Plan, Schedule, Sight, StageKind};
use recipe_render::recipe::{self, Around, Compiled, Invalid, Origin, Overrides, RecipeText, Severity, compile_text};

/// A `model.toml`, of which only the advice matters here.
const OWN: &str = "name = 'own'

[advice.recipe]
size = [320, 256]

[advice.canvas]
basis = 'pyramid'

[advice.pyramid]
coarsest = 16

[advice.detail]
places = 0
windows = 4
stages = [{ cover = [0.6, 1.0] }, { rotate = 6 }]

[advice.render]
optimiser = { adam = { epsilon = 1e-6 } }

[advice.adam]
beta2 = 0.999

[advice.phase]
steps = 50
gradient = 'plain'
rate = '0.05 * (1 - 0.8*T)'
";

const OTHER: &str = "name = 'other'\n[advice.detail]\nwindows = 7\n[advice.phase]\nrate = 0.5\n";

const TEXT: &str = "model = 'own'\n[[detail]]\nprompts = ['x']\n";

fn advise(name: &str, base: &Path) -> Option<(PathBuf, String)> {
    assert!(base.as_os_str().is_empty() || base == Path::new("folder"), "{}", base.display());
    let text = match name {
        "own" => OWN,
        "other" => OTHER,
        "broken" => "name = [",
        "bare" => "name = 'bare'\n",
        _ => return None,
    };
    Some((PathBuf::from(format!("{name}/model.toml")), text.to_owned()))
}

fn with(text: &str, overrides: &Overrides) -> Compiled {
    let recipe = RecipeText { path: "folder/a.toml".into(), text: text.to_owned(), bases: None };
    let around = Around { advise: &advise, ..Around::default() };
    compile_text(&recipe, around, overrides)
        .unwrap_or_else(|wrong| panic!("{}", recipe::render_diagnostics(&wrong.diagnostics)))
}

fn compile(text: &str) -> Compiled {
    with(text, &Overrides::default())
}

fn set(settings: &[&str]) -> Overrides {
    Overrides { set: settings.iter().map(|setting| setting.parse().unwrap()).collect(), ..Overrides::default() }
}

/// What is wrong with a recipe where this is the advice of its model.
fn wrong(advice: &str) -> Invalid {
    let recipe = RecipeText { path: "folder/a.toml".into(), text: TEXT.to_owned(), bases: None };
    let advise = |_: &str, _: &Path| Some((PathBuf::from("own/model.toml"), advice.to_owned()));
    let around = Around { advise: &advise, ..Around::default() };
    compile_text(&recipe, around, &Overrides::default()).unwrap_err()
}

fn cover(plan: &Plan) -> [f64; 2] {
    let stages = &plan.targets[0].pipelines[0].stages;
    let mut covers = stages.iter().filter_map(|stage| match &stage.kind {
        StageKind::Cover(range) => Some([range.low.constant().unwrap(), range.high.constant().unwrap()]),
        _ => None,
    });
    covers.next_back().unwrap()
}

#[test]
fn a_silent_recipe_is_what_its_model_advises() {
    let Compiled { plan, whence, .. } = compile(TEXT);
    assert_eq!((plan.size.width, plan.size.height), (320, 256));
    assert_eq!(plan.canvas.basis, recipe_render::plan::Basis::Pyramid { coarsest: 16 });
    let target = &plan.targets[0];
    assert_eq!((target.places, target.windows, &target.sight), (None, 4, &Sight::Places));
    assert_eq!((cover(&plan), target.pipelines[0].stages.len()), ([0.6, 1.0], 2));
    let phase = &plan.phases[0];
    assert_eq!((phase.steps, &phase.gradient), (50, &Gradient::Plain));
    assert_eq!(phase.optimiser, Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-6 });
    assert!(matches!(phase.rate, Schedule::Expression(_)));
    for (origins, key, origin) in [
        (&whence.recipe, "size", Origin::Model),
        (&whence.recipe, "seed", Origin::Program),
        (&whence.recipe, "model", Origin::Recipe),
        (&whence.recipe, "canvas.basis", Origin::Model),
        (&whence.recipe, "canvas.basis.coarsest", Origin::Model),
        (&whence.recipe, "canvas.init.noise", Origin::Program),
        (&whence.targets[0], "places", Origin::Model),
        (&whence.targets[0], "select", Origin::Program),
        (&whence.phases[0], "rate", Origin::Model),
        (&whence.phases[0], "finest", Origin::Program),
        (&whence.phases[0], "optimiser", Origin::Model),
        (&whence.phases[0], "optimiser.beta1", Origin::Program),
        (&whence.phases[0], "optimiser.beta2", Origin::Model),
        (&whence.phases[0], "optimiser.epsilon", Origin::Model),
    ] {
        assert_eq!(origins.get(key), Some(&origin), "{key}");
    }
}

#[test]
fn what_a_recipe_says_itself_counts() {
    let text = format!("{TEXT}windows = 9\n[canvas]\nbasis = 'pixels'\n[[phase]]\nsteps = 3\noptimiser = 'sign'\n");
    let Compiled { plan, whence, .. } = compile(&text);
    assert_eq!((plan.targets[0].windows, plan.targets[0].places), (9, None));
    assert_eq!((plan.canvas.basis, plan.phases[0].steps), (recipe_render::plan::Basis::Pixels, 3));
    assert_eq!(plan.phases[0].optimiser, Optimiser::Sign { momentum: 0.9 });
    assert_eq!((whence.targets[0]["windows"], whence.targets[0]["places"]), (Origin::Recipe, Origin::Model));
    assert_eq!((whence.phases[0]["steps"], whence.phases[0]["gradient"]), (Origin::Recipe, Origin::Model));
    // A choice of the recipe's has the settings that are advised for it.
    let adam = compile(&format!("{TEXT}[render]\noptimiser = 'adam'\n"));
    assert_eq!(adam.plan.phases[0].optimiser, Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1.0 });
    assert_eq!(adam.whence.phases[0]["optimiser"], Origin::Recipe);
}

#[test]
fn the_command_line_says_whose_advice_counts() {
    let other = Overrides { model: Some("other".into()), ..Overrides::default() };
    let Compiled { plan, whence, .. } = with(TEXT, &other);
    assert_eq!((plan.targets[0].windows, plan.targets[0].places), (7, Some(9)));
    assert_eq!((plan.phases[0].rate.constant(), whence.recipe["model"]), (Some(0.5), Origin::CommandLine));
    assert_eq!(with(TEXT, &set(&["model=other"])).plan.targets, plan.targets);
    let steps = Overrides { steps: Some(20), seed: Some(3), ..set(&["detail.0.windows=2"]) };
    let whence = with(TEXT, &steps).whence;
    for origin in [whence.phases[0]["steps"], whence.recipe["seed"], whence.targets[0]["windows"]] {
        assert_eq!(origin, Origin::CommandLine);
    }
}

#[test]
fn targets_have_the_advice_of_their_own_model() {
    let text =
        format!("{TEXT}[[detail]]\nmodel = 'other'\nprompts = ['y']\n[[detail]]\nmodel = 'bare'\nprompts = ['z']\n");
    let plan = compile(&text).plan;
    let windows: Vec<(u32, Option<u32>)> = plan.targets.iter().map(|target| (target.windows, target.places)).collect();
    assert_eq!(windows, [(4, None), (7, Some(9)), (12, Some(9))]);
    // Phases have the recipe's.
    assert!(matches!(plan.phases[0].rate, Schedule::Expression(_)) && plan.phases[0].gradient == Gradient::Plain);
}

#[test]
fn models_without_advice_leave_the_programs_defaults() {
    let expected = recipe::compile(Path::new("folder/a.toml"), TEXT, &Overrides::default()).unwrap();
    for model in ["broken", "bare", "nowhere"] {
        let compiled = compile(&TEXT.replace("own", model));
        assert_eq!(compiled.plan, expected.plan, "{model}");
        assert!(compiled.whence.targets[0].values().all(|origin| *origin == Origin::Program), "{model}");
    }
}

#[test]
fn the_size_of_windows_is_advised_for_pipelines_that_say_none() {
    let own = compile(&format!("{TEXT}stages = [{{ rotate = 3 }}]\n"));
    assert_eq!((cover(&own.plan), own.whence.targets[0]["stages"]), ([0.6, 1.0], Origin::Recipe));
    let other = compile(&format!("{}stages = [{{ rotate = 3 }}]\n", TEXT.replace("own", "other")));
    assert_eq!(cover(&other.plan), [0.3, 0.4]);
}

#[test]
fn a_setting_changes_a_part_of_what_is_advised() {
    let Compiled { plan, whence, .. } = with(TEXT, &set(&["detail.0.stages.1.rotate=20"]));
    assert_eq!((cover(&plan), plan.targets[0].pipelines[0].stages.len()), ([0.6, 1.0], 2));
    assert_eq!(plan.targets[0].pipelines[0].stages[1].kind.range().unwrap().high.constant(), Some(20.0));
    assert_eq!(whence.targets[0]["stages"], Origin::CommandLine);
    // Of a target's own model, also where the setting before says which.
    let plan = with(TEXT, &set(&["detail.0.model=bare", "detail.0.stages.1.rotate=20"])).plan;
    assert_eq!((cover(&plan), plan.targets[0].pipelines[0].stages.len()), ([0.3, 0.4], 5));
}

#[test]
fn wrong_advice_is_told_at_its_line() {
    for (advice, line, column, said) in [
        ("[advice.detail]\nplaces = -1\n", 2, 10, "`places` is out of range"),
        ("[advice.detail]\n\nplacez = 1\n", 3, 1, "`placez` cannot be advised in `detail`"),
        ("[advice.detail]\nprompts = ['x']\n", 2, 1, "`prompts` cannot be advised"),
        ("[advice.recipe]\nseed = 4\n", 2, 1, "`seed` cannot be advised in `recipe`"),
        ("[advice.details]\nplaces = 1\n", 1, 9, "advice is not allowed for `details`"),
        ("[advice]\nphase = 3\n", 2, 9, "the advice for `phase` is not a table"),
        ("[advice.detail]\nstages = [{ rotate = 900 }]\n", 2, 22, "`rotate` is out of range"),
        ("[advice.detail]\nstages = ['roam', { rotate = 3 }]\n", 2, 11, "cannot use a recipe's pipeline"),
        ("[advice.composition]\nstages = 'roam'\n", 2, 10, "cannot use a recipe's pipeline"),
        ("[advice.phase]\nrate = '0.05 * (1 - tt)'\n", 2, 21, "unknown name `tt`"),
        ("[advice.phase]\nrate = '0.1 - t'\n", 2, 8, "`rate` is -0.0"),
        ("[advice.phase]\ngradient = { clip = 0 }\n", 2, 21, "`clip` is out of range"),
        ("[advice.render]\noptimiser = { adam = { epsilon = 2 } }\n", 2, 34, "`epsilon` is out of range"),
        ("[advice.canvas]\nbasis = 'furrier'\n", 2, 9, "`basis` cannot be \"furrier\""),
    ] {
        let mut found = wrong(advice).diagnostics;
        found.retain(|one| one.severity == Severity::Error);
        assert!(found.iter().all(|one| one.file.path == Path::new("own/model.toml")), "{advice}: {found:?}");
        let one = &found[0];
        assert!(one.message.contains(said), "{advice}: {}", one.message);
        assert_eq!(one.position(), Some((line, column)), "{advice}");
        // The same is found without a recipe.
        let alone = recipe::check_advice(Path::new("own/model.toml"), advice);
        assert!(alone.iter().any(|other| other.message == one.message), "{advice}: {alone:?}");
    }
}

#[test]
fn wrong_advice_is_wrong_whatever_a_recipe_says() {
    let advice = "[advice.detail]\nwindows = 0\n[advice.sgd]\nmomentum = 3\n";
    let recipe = RecipeText { path: "a.toml".into(), text: format!("{TEXT}windows = 3\n"), bases: None };
    let advise = |_: &str, _: &Path| Some((PathBuf::from("own/model.toml"), advice.to_owned()));
    let around = Around { advise: &advise, ..Around::default() };
    let found = compile_text(&recipe, around, &Overrides::default()).unwrap_err().diagnostics;
    assert_eq!(found.iter().map(|one| one.position().unwrap().0).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn a_changed_description_can_be_followed_where_it_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.toml");
    std::fs::write(&path, "[advice.detail]\nwindows = 0\n").unwrap();
    let advise = |_: &str, _: &Path| Some((path.clone(), std::fs::read_to_string(&path).unwrap()));
    let recipe = RecipeText { path: "a.toml".into(), text: TEXT.into(), bases: None };
    let around = Around { advise: &advise, ..Around::default() };
    assert_eq!(compile_text(&recipe, around, &Overrides::default()).unwrap_err().files, std::slice::from_ref(&path));
}

#[test]
fn advice_for_imported_models_compiles_without_a_warning() {
    let families = [Family::Transformer, Family::SigLip, Family::ResNet, Family::ConvNext].map(Family::advice);
    for text in families.into_iter().chain([classifier_advice()]) {
        let advise = |_: &str, _: &Path| Some((PathBuf::from("own/model.toml"), text.clone()));
        let recipe = format!("{TEXT}[[composition]]\nprompts = ['y']\n");
        let recipe = RecipeText { path: "a.toml".into(), text: recipe, bases: None };
        let around = Around { advise: &advise, ..Around::default() };
        let compiled = compile_text(&recipe, around, &Overrides::default()).unwrap();
        assert_eq!(compiled.warnings, []);
        assert_eq!((compiled.plan.targets[1].places, &compiled.plan.phases[0].gradient), (None, &Gradient::Plain));
    }
}
