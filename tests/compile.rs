//! What recipes mean: from text to plan.

use std::path::Path;

use proptest::prelude::*;
use recipe_render::chance::key_of;
use recipe_render::plan::{
    Basis, Calibration, Edge, Ground, Loss, Pipeline, Prompt, Range, Region, Schedule, Select, Sight, Size, StageKind,
    Time,
};
use recipe_render::recipe::{self, Compiled, Origin, Overrides, Severity, compile};

fn path() -> &'static Path {
    Path::new("folder/a.toml")
}

fn with(text: &str, overrides: &Overrides) -> Compiled {
    compile(path(), text, overrides)
        .unwrap_or_else(|wrong| panic!("{}", recipe::render_diagnostics(&wrong.diagnostics)))
}

fn compiled(text: &str) -> Compiled {
    with(text, &Overrides::default())
}

/// The pipeline of a detail with these stages.
fn pipeline(stages: &str) -> Pipeline {
    let text = format!("[[detail]]\nprompts = ['x']\nstages = [{stages}]");
    compiled(&text).plan.targets[0].pipelines[0].clone()
}

/// The ends of a stage's range, which do not change.
fn ends(stage: &str) -> (f64, f64) {
    let stages = if stage.starts_with("{ cover") { stage.to_owned() } else { format!("{{ zoom = 1 }}, {stage}") };
    let pipeline = match stage.contains("zoom") {
        true => pipeline(stage),
        false => pipeline(&stages),
    };
    let Range { low, high } = pipeline.stages.last().unwrap().kind.range().unwrap();
    (low.constant().unwrap(), high.constant().unwrap())
}

#[test]
fn two_lines_are_a_recipe() {
    let text = "[[detail]]\nprompts = ['malazan', 'sword']\n";
    let Compiled { plan, models, prompt_spans, warnings, files, bases, whence } = compiled(text);
    let [model] = models.as_slice() else { panic!() };
    assert_eq!(plan.size, Size { width: 512, height: 512 });
    assert_eq!(plan.canvas.basis, Basis::Fourier { decay: 1.5, chroma: 0.6 });
    assert_eq!(plan.canvas.init.ground, Ground::Colour([0.5; 3]));
    assert_eq!((plan.phases.len(), plan.steps(), plan.phases[0].name.as_str()), (1, 300, "phase 1"));
    let target = &plan.targets[0];
    assert_eq!((target.name.as_str(), target.sight, target.windows), ("detail 1", Sight::Places, 12));
    assert_eq!((target.places, target.select, target.loss), (Some(9), Select::Best, Loss::Spherical));
    assert_eq!(target.pipelines[0].edge, Edge::Mirror);
    let names: Vec<&str> = target.pipelines[0].stages.iter().map(|stage| stage.kind.name()).collect();
    assert_eq!(names, ["cover", "rotate", "perspective", "noise", "colour"]);
    assert!(bases.recipes.is_empty());
    assert!(whence.targets[0].values().all(|origin| *origin == Origin::Program), "{whence:?}");
    assert_eq!(
        prompt_spans.iter().map(|place| &text[place.span.clone()]).collect::<Vec<_>>(),
        ["'malazan'", "'sword'"]
    );
    assert_eq!((model.name.as_str(), &model.place, model.base.as_path()), ("pocket", &None, Path::new("folder")));
    assert_eq!((warnings.len(), files.len()), (0, 0));
    // The default rate falls and the default low-pass opens.
    let at = |schedule: &Schedule, index| schedule.at(&Time::new(index, 300, 0, 300));
    let phase = &plan.phases[0];
    assert!(at(&phase.rate, 299) < at(&phase.rate, 0));
    let finest = phase.finest.as_ref().unwrap();
    assert!(at(finest, 299) > at(finest, 0));
}

#[test]
fn one_number_means_what_its_stage_says() {
    assert_eq!(ends("{ rotate = 15 }"), (-15.0, 15.0));
    assert_eq!(ends("{ shift = 0.05 }"), (-0.05, 0.05));
    for stage in ["perspective", "blur", "noise", "colour"] {
        assert_eq!(ends(&format!("{{ {stage} = 0.25 }}")), (0.0, 0.25), "{stage}");
    }
    assert_eq!(ends("{ cover = 0.5 }"), (0.5, 0.5));
    assert_eq!(ends("{ zoom = 0.5 }"), (0.5, 0.5));
    assert_eq!(ends("{ rotate = [-5, 10] }"), (-5.0, 10.0));
    assert_eq!(ends("{ noise = [0.1, 0.2] }"), (0.1, 0.2));
    assert_eq!(ends("{ rotate = '10 + 5' }"), (-15.0, 15.0));
}

#[test]
fn ranges_can_change_over_time() {
    let pipeline = pipeline("{ cover = ['0.2 + 0.1*t', { keys = [[0, 0.5], [1, 0.7]] }] }, { rotate = '10*t' }");
    let end = Time::new(9, 10, 0, 10);
    let [StageKind::Cover(cover), StageKind::Rotate(rotate)] = [&pipeline.stages[0].kind, &pipeline.stages[1].kind]
    else {
        panic!("{pipeline:?}")
    };
    assert!((cover.low.at(&end) - 0.3).abs() < 1e-12 && (cover.high.at(&end) - 0.7).abs() < 1e-12);
    assert_eq!((rotate.low.at(&end), rotate.high.at(&end)), (-10.0, 10.0));
}

#[test]
fn pipelines_that_begin_alike_draw_alike() {
    let text = "
        [stages]
        roam = [{ cover = [0.2, 0.6] }, { rotate = 15, chance = 0.5 }]
        slanted = ['roam', { edge = 'wrap' }, { perspective = 0.4 }]
        also = 'slanted'
        [[detail]]
        stages = 'roam'
        prompts = [
          'a', { text = 'b', stages = 'slanted' }, { text = 'c', stages = ['roam', { rotate = 3 }] },
          { text = 'd', stages = [{ rotate = 3 }] }, { text = 'e', stages = 'roam' }, { text = 'f', stages = 'also' },
        ]";
    let target = &compiled(text).plan.targets[0];
    assert_eq!(target.wanted.iter().map(|pull| pull.pipeline).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1]);
    let keys = |index: usize| target.pipelines[index].stages.iter().map(|stage| stage.key).collect::<Vec<u64>>();
    assert_eq!(keys(0), keys(1)[..2]);
    assert_eq!(keys(0), keys(2)[..2]);
    assert_eq!(keys(2).len(), 3);
    let all: std::collections::HashSet<u64> = (0..4).flat_map(keys).collect();
    // Two of roam, the tilt, the two further rotations, and the cover that the last one lacks.
    assert_eq!(all.len(), 6);
    assert_eq!(target.pipelines[3].stages[0].kind.name(), "cover");
    assert_eq!((target.pipelines[0].edge, target.pipelines[1].edge), (Edge::Mirror, Edge::Wrap));
    assert_eq!(target.pipelines[0].stages[1].chance, Schedule::Constant(0.5));
}

#[test]
fn names_keep_draws_when_targets_are_inserted() {
    let one = "[[detail]]\nname = 'sky'\nprompts = ['x']\nstages = [{ rotate = 3 }]\n";
    let alone = compiled(one).plan.targets[0].clone();
    let after = compiled(&format!("[[detail]]\nprompts = ['y']\n{one}")).plan.targets[1].clone();
    assert_eq!(alone, recipe_render::plan::Target { wanted: alone.wanted.clone(), ..after });
    assert_eq!(alone.key, key_of("sky"));
}

#[test]
fn compositions_come_first_and_prompts_are_told_apart() {
    let text = "
        [[detail]]
        prompts = ['b', 'c', { text = 'd', weight = -0.5 }, { text = 'b', weight = 2 }]
        [[composition]]
        name = 'whole'
        prompts = ['a', 'b']
        fit = 'slide'
        select = 'all'
        loss = 'cosine'
        stages = [{ edge = { fill = [1, 0, 0.5] } }]";
    let plan = compiled(text).plan;
    let names: Vec<&str> = plan.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["whole", "detail 1"]);
    let texts: Vec<String> = plan.prompts.iter().map(|prompt| prompt.called()).collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    let whole = &plan.targets[0];
    assert_eq!(whole.sight, Sight::Whole { fit: recipe_render::plan::Fit::Slide });
    assert_eq!((whole.select, whole.loss), (Select::All, Loss::Cosine));
    assert_eq!(whole.pipelines, [Pipeline { stages: vec![], edge: Edge::Fill([1.0, 0.0, 0.5]) }]);
    let detail = &plan.targets[1];
    assert_eq!(detail.wanted.iter().map(|pull| pull.prompt).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(
        detail.avoided.iter().map(|pull| (pull.prompt, pull.weight.constant())).collect::<Vec<_>>(),
        [(3, Some(-0.5))]
    );
}

#[test]
fn phases_weigh_targets_together_or_by_name() {
    let text = "
        [[composition]]
        name = 'sea'
        weight = 0.5
        prompts = ['a']
        [[composition]]
        prompts = ['b']
        [[phase]]
        steps = 11
        composition = '1 - t'
        [[phase]]
        name = 'end'
        composition.sea = 0
        composition.'composition 2' = 4";
    let plan = compiled(text).plan;
    let weights = |phase: usize, index: u64| {
        let time = Time::new(index, 11, 0, 11);
        plan.phases[phase].weights.iter().map(|weight| weight.at(&time)).collect::<Vec<f64>>()
    };
    assert_eq!(weights(0, 0), [0.5, 1.0]);
    assert_eq!(weights(0, 10), [0.0, 0.0]);
    assert_eq!(weights(1, 5), [0.0, 4.0]);
}

#[test]
fn finest_is_open_where_another_phase_says_it() {
    let phases = "[[detail]]\nprompts = ['x']\n[[phase]]\nfinest = 8\n[[phase]]\n[[phase]]\nfinest = 'off'\n";
    let plan = compiled(phases).plan;
    let finest: Vec<_> = plan.phases.iter().map(|phase| phase.finest.clone()).collect();
    assert_eq!(finest, [Some(Schedule::Constant(8.0)), None, None]);
    let plan = compiled("[[detail]]\nprompts = ['x']\n[[phase]]\n[[phase]]\n").plan;
    assert!(plan.phases.iter().all(|phase| phase.finest.is_some()));
}

#[test]
fn the_canvas_is_read_in_all_its_forms() {
    let canvas = |text: &str| compiled(&format!("{text}\n[[detail]]\nprompts = ['x']")).plan.canvas;
    assert_eq!(canvas("[canvas]\nbasis = 'pixels'").basis, Basis::Pixels);
    assert_eq!(canvas("[canvas]\nbasis = 'pyramid'").basis, Basis::Pyramid { coarsest: 8 });
    assert_eq!(canvas("[canvas.basis.pyramid]\ncoarsest = 4").basis, Basis::Pyramid { coarsest: 4 });
    let half = canvas("canvas.basis = { fourier = { decay = 1 } }").basis;
    assert_eq!(half, Basis::Fourier { decay: 1.0, chroma: 0.6 });
    let init = canvas("[canvas.init]\ncolour = [0.1, 0.2, 0.3]").init;
    assert_eq!((init.ground, init.noise), (Ground::Colour([0.1, 0.2, 0.3]), 0.02));
    assert_eq!(canvas("[canvas]\ninit = { mean = 0x1 }").init.ground, Ground::Colour([1.0; 3]));
}

#[test]
fn an_image_is_found_beside_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("start.png");
    image::RgbImage::new(30, 20).save(&image).unwrap();
    let text = "[canvas]\ninit = { image = 'start.png' }\n[[detail]]\nprompts = ['x']";
    let compiled = compile(&folder.path().join("a.toml"), text, &Overrides::default()).unwrap();
    assert_eq!(compiled.files, std::slice::from_ref(&image));
    assert_eq!(compiled.plan.canvas.init.ground, Ground::Image(image));
}

#[test]
fn an_image_that_cannot_be_used_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (recipe, image) = (folder.path().join("a.toml"), folder.path().join("start.png"));
    let text = "[canvas]\ninit = { image = 'start.png' }\n[[detail]]\nprompts = ['x']";
    let wrong = || {
        let wrong = compile(&recipe, text, &Overrides::default()).unwrap_err().diagnostics;
        assert_eq!((wrong.len(), wrong[0].position()), (1, Some((2, 18))));
        wrong[0].message.clone()
    };
    image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8])).save(&image).unwrap();
    let whole = std::fs::read(&image).unwrap();
    std::fs::write(&image, &whole[..whole.len() / 2]).unwrap();
    assert!(wrong().starts_with("cannot start from \"start.png\": the picture is damaged ("), "{}", wrong());
    std::fs::write(&image, b"").unwrap();
    assert_eq!(wrong(), "cannot start from \"start.png\": the file is empty");
    image::GrayImage::new(1, 100).save(&image).unwrap();
    assert!(compile(&recipe, text, &Overrides::default()).is_ok());
    // The canvas that counts is the one that the command line says.
    let wide = Overrides { size: Some(Size { width: 4096, height: 16 }), ..Overrides::default() };
    assert!(
        compile(&recipe, text, &wide).unwrap_err().diagnostics[0].message.contains("would be scaled to 4096x409600")
    );
}

#[test]
fn the_command_line_has_its_way() {
    let text = "size = [64, 64]\nseed = 1\nmodel = 'a'\n[[detail]]\nprompts = ['x']\n[[phase]]\nsteps = 30\n[[phase]]\nsteps = 70\n";
    let overrides = Overrides {
        size: Some(Size { width: 100, height: 50 }),
        steps: Some(11),
        seed: Some(u64::MAX),
        model: Some("b".into()),
        ..Overrides::default()
    };
    let Compiled { plan, mut models, .. } = with(text, &overrides);
    let model = models.remove(0);
    assert_eq!((plan.size, plan.seed, plan.steps()), (Size { width: 100, height: 50 }, u64::MAX, 11));
    assert_eq!(plan.phases.iter().map(|phase| phase.steps).collect::<Vec<_>>(), [4, 7]);
    assert_eq!((model.name.as_str(), model.place, model.base.as_path()), ("b", None, Path::new("")));
    let model = compiled(text).models.remove(0);
    assert_eq!((model.name.as_str(), &text[model.place.unwrap().span]), ("a", "'a'"));
    let small = Overrides { size: Some(Size { width: 8, height: 50 }), ..Overrides::default() };
    assert!(compile(path(), text, &small).unwrap_err().diagnostics[0].message.contains("8x50 is out of range"));
    assert!(compile(path(), text, &Overrides { steps: Some(0), ..Overrides::default() }).is_err());
}

#[test]
fn values_are_looked_at_over_the_steps_that_are_rendered() {
    let text = "[[detail]]\nprompts = ['x']\nweight = '300 - step'\n[[phase]]\nsteps = 200\n";
    assert_eq!(compiled(text).plan.steps(), 200);
    let wrong = compile(path(), text, &Overrides { steps: Some(400), ..Overrides::default() }).unwrap_err().diagnostics;
    assert!(wrong[0].message.contains("-1 at step 301"), "{wrong:?}");
}

#[test]
fn legal_recipes_that_surely_mean_something_else_are_warned_of() {
    let text = "[stages]\nlost = [{ rotate = 3 }]\n[[detail]]\nprompts = ['x', { text = 'y', weight = -1, stages = [{ noise = 0 }] }]\n[[composition]]\nprompts = ['x']\n[[phase]]\ncomposition = 0\n[[phase]]\ncomposition = 0\n";
    let warnings = compiled(text).warnings;
    let lines: Vec<_> = warnings.iter().map(|warning| warning.position().unwrap().0).collect();
    assert_eq!(lines, [2, 4, 5], "{warnings:?}");
    assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
}

#[test]
fn byte_order_mark_line_ends_and_tabs_change_nothing() {
    let text = "title = 'a'\n[[detail]]\n\tprompts = ['x']\n";
    let plain = compiled(text).plan;
    assert_eq!(compiled(&format!("\u{feff}{text}")).plan, plain);
    assert_eq!(compiled(&text.replace('\n', "\r\n")).plan, plain);
    assert_eq!(compiled(text.trim_end()).plan, plain);
}

#[test]
fn large_recipes_end_soon() {
    let many = |part: &dyn Fn(usize) -> String, n: usize| (0..n).map(part).collect::<String>();
    let detail = "[[detail]]\nprompts = ['x']\n";
    for text in [
        format!("{detail}[stages]\n{}", many(&|i| format!("a{i} = ['a{}']\n", i + 1), 50_000)),
        format!("[stages]\n{}{detail}", many(&|i| format!("a{} = ['a{i}', {{ noise = 0 }}]\n", i + 1), 30_000)),
        many(&|_| "[[detail]]\nprompts = ['x']\n".into(), 30_000),
        format!("{detail}{}", many(&|_| "[[phase]]\n".into(), 90_000)),
        format!("[[detail]]\nprompts = [{}]", many(&|i| format!("'{i}', "), 80_000)),
        format!("[[detail]]\nprompts = ['x']\nstages = [{}]", many(&|_| "{ noise = 't' }, ".into(), 40_000)),
        format!("{detail}{}", many(&|i| format!("key{i} = 1\n"), 60_000)),
        format!("{detail}[[phase]]\nrate = {{ keys = [{}] }}", many(&|_| "[0, 1], ".into(), 100_000)),
        many(&|_| "x = .5\n".into(), 100_000),
        "[".repeat(1 << 20),
        format!("{detail}[[phase]]\nsteps = 10000000\nrate = 't'\n").repeat(2),
        format!("a = '{}'", "x".repeat((1 << 20) - 10)),
    ] {
        assert!(text.len() <= 1 << 20);
        if let Err(wrong) = compile(path(), &text, &Overrides::default()) {
            assert!(!recipe::render_diagnostics(&wrong.diagnostics).is_empty());
        }
    }
}

/// Words that recipes are made of, so that arbitrary sequences of them come near to being one.
fn word() -> impl Strategy<Value = String> {
    let words = "[[detail]]\n|[[composition]]\n|[[phase]]\n|[stages]\n|[canvas]\n|prompts = |stages = |windows = |weight = |\
        rate = |steps = |finest = |composition.a = |name = |basis = |init = |size = |'a'|'roam'|\"1 - t\"|\"2*\"|'fourier'|[|]|{|}|, |\
        = |\n|3|-1|0.5|inf|nan|1e400|true|1979-05-27|roam = |cover = |zoom = |rotate = |noise = |flip = |edge = |chance = |keys = |\
        text = |'horizontal'|'wrap'|fill = |#|'|\"|'''|\"\"\"|é|\t|\r\n|\u{feff}|\\|.";
    prop::sample::select(words.split('|').map(str::to_owned).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn nothing_like_a_recipe_panics(words in prop::collection::vec(word(), 0..40)) {
        check(&words.concat());
    }

    #[test]
    fn no_slip_of_the_pen_panics(at in 0usize..2000, removed in 0usize..12, word in word()) {
        let text = include_str!("../recipes/malazan-landscape.toml");
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let rest = (at + removed..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        check(&format!("{}{word}{}", &text[..at], &text[rest..]));
    }
}

/// Compiling ends, and what it reports can be shown and points into the text.
fn check(text: &str) {
    match compile(path(), text, &Overrides::default()) {
        Ok(compiled) => {
            for span in compiled.prompt_spans.into_iter().map(|place| place.span) {
                assert!(text.get(span).is_some());
            }
        }
        Err(wrong) => {
            assert!(wrong.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error));
            let shown = recipe::render_diagnostics(&wrong.diagnostics);
            assert!(
                wrong.diagnostics.iter().take(50).all(|diagnostic| {
                    let (line, column) = diagnostic.position().unwrap();
                    shown.contains(&format!("folder/a.toml:{line}:{column}"))
                }),
                "{shown}"
            );
        }
    }
}

#[test]
fn selection_has_six_kinds_and_its_settings() {
    for (name, select) in [
        ("best", Select::Best),
        ("worst", Select::Worst),
        ("all", Select::All),
        ("mix", Select::Mix),
        ("random", Select::Random),
        ("turns", Select::Turns),
    ] {
        let text =
            format!("[[detail]]\nselect = '{name}'\nprompts = [{{ text = 'x', scale = 2, stop = '0.5*t' }}, 'y']");
        let compiled = compiled(&text);
        assert_eq!(compiled.warnings, []);
        let target = &compiled.plan.targets[0];
        assert_eq!(target.select, select);
        assert_eq!(target.temperature.constant(), Some(0.05));
        assert_eq!((target.calibration, target.compares()), (Calibration::Past, select.compares()));
        let [x, y] = target.wanted.as_slice() else { panic!() };
        assert_eq!((x.scale.constant(), y.scale.constant()), (Some(2.0), Some(1.0)));
        assert!(x.stop.is_some() && y.stop.is_none());
    }
    assert_eq!(compiled("[[composition]]\nprompts = ['x', 'y']").plan.targets[0].calibration, Calibration::Start);
    let warned = compiled("[[detail]]\nprompts = ['x']\ntemperature = 1").warnings;
    assert!(warned[0].message.contains("no effect"), "{warned:?}");
}

#[test]
fn places_stay_or_are_new_each_time() {
    for (places, expected) in [("7", Some(7)), ("0", None)] {
        let compiled = compiled(&format!("[[detail]]\nprompts = ['x']\nplaces = {places}"));
        assert_eq!(compiled.plan.targets[0].places, expected);
    }
    assert_eq!(compiled("[[composition]]\nprompts = ['x']").plan.targets[0].places, None);
}

#[test]
fn losses_are_told_apart() {
    for (name, loss) in [("cosine", Loss::Cosine), ("dot", Loss::Dot), ("l1", Loss::L1), ("l2", Loss::L2)] {
        let text = format!("[[detail]]\nprompts = ['x']\nloss = '{name}'");
        assert_eq!(compiled(&text).plan.targets[0].loss, loss);
    }
}

#[test]
fn active_steps_follow_the_phases() {
    let text = "[[detail]]\nprompts = ['x']\nactive = [30, 'end']\n[[composition]]\nprompts = ['y']\nactive = [0, 65]\n\
                [[phase]]\nsteps = 30\n[[phase]]\nsteps = 70\n";
    let active = |overrides: &Overrides| {
        let plan = with(text, overrides).plan;
        [0, 1].map(|index| plan.targets[index].active.map(|active| (active.from, active.until)))
    };
    assert_eq!(active(&Overrides::default()), [Some((0, 65)), Some((30, 100))]);
    // 30 and 70 become 3 and 7: half of the second phase is 3.5 of its steps.
    let short = Overrides { steps: Some(10), ..Overrides::default() };
    assert_eq!(active(&short), [Some((0, 7)), Some((3, 10))]);
    assert_eq!(compiled("[[detail]]\nprompts = ['x']").plan.targets[0].active, None);
}

#[test]
fn templates_of_prompts_stand_before_those_of_targets_and_recipes() {
    let text = "templates = ['a {}']\n[[composition]]\nprompts = ['x']\n\
                [[detail]]\ntemplates = ['b {}', 'c {}']\nprompts = ['x', { text = 'y', templates = ['d {}'] }, { text = 'z', templates = [] }]\n\
                [[detail]]\ntemplates = []\nprompts = ['x', { texts = ['v', 'w'] }]";
    let prompts = compiled(text).plan.prompts;
    let filled = |prompt: &Prompt| match prompt {
        Prompt::Text(text) => vec![text.clone()],
        Prompt::Ensemble(ensemble) => ensemble.filled(),
        Prompt::Image(_) | Prompt::Direction { .. } => panic!(),
    };
    let all: Vec<Vec<String>> = prompts.iter().map(filled).collect();
    assert_eq!(all, [vec!["a x"], vec!["b x", "c x"], vec!["d y"], vec!["z"], vec!["x"], vec!["v", "w"]]);
    let called: Vec<String> = prompts.iter().map(Prompt::called).collect();
    assert_eq!(called, ["x", "x", "y", "z", "x", "v + 1 more"]);
}

#[test]
fn regions_are_rectangles_or_masks() {
    let folder = tempfile::tempdir().unwrap();
    let mask = folder.path().join("mask.png");
    image::GrayImage::from_pixel(4, 4, image::Luma([9])).save(&mask).unwrap();
    let text = "[[detail]]\nprompts = ['x']\nregion = { mask = 'mask.png' }\n\
                [[detail]]\nprompts = ['x']\nregion = [0.7, 0, 0.3, 1]\n\
                [[detail]]\nprompts = ['x']\nregion = { rectangle = [0.7, 0, 0.3, 1], feather = 0.2 }\n\
                [[detail]]\nprompts = ['x']\nregion = [0, 0, 1, 1]\n";
    let compiled = compile(&folder.path().join("a.toml"), text, &Overrides::default()).unwrap();
    let regions: Vec<Option<Region>> = compiled.plan.targets.into_iter().map(|target| target.region).collect();
    let mask_region = Some(Region::Mask(mask.clone()));
    let right = |feather| Some(Region::Rectangle { sides: [0.7, 0.0, 0.3, 1.0], feather });
    assert_eq!(regions, [mask_region, right(0.0), right(0.2), None]);
    assert_eq!((compiled.files, compiled.warnings), (vec![mask.clone()], vec![]));
    image::GrayImage::from_pixel(4, 4, image::Luma([255])).save(&mask).unwrap();
    let warned = compile(&folder.path().join("a.toml"), text, &Overrides::default()).unwrap().warnings;
    assert!(warned[0].message.contains("white everywhere"), "{warned:?}");
}

#[test]
fn transparent_pictures_are_warned_of_and_masks_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, picture: image::RgbaImage| picture.save(folder.path().join(name)).unwrap();
    write("opaque.png", image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 255])));
    write(
        "clear.png",
        image::RgbaImage::from_fn(4, 4, |x, _| image::Rgba([255, 255, 255, if x < 2 { 0 } else { 255 }])),
    );
    write("nothing.png", image::RgbaImage::from_pixel(4, 4, image::Rgba([255, 255, 255, 0])));
    let path = folder.path().join("a.toml");
    let said = |picture: &str, mask: &str| {
        let text = format!(
            "[canvas]\ninit = {{ image = '{picture}' }}\n[[detail]]\nprompts = [{{ image = '{picture}' }}]\n\
             region = {{ mask = '{mask}' }}\n"
        );
        let compiled = compile(&path, &text, &Overrides::default())?;
        Ok::<_, recipe_render::recipe::Invalid>(compiled.warnings)
    };
    assert_eq!(said("opaque.png", "clear.png").unwrap(), []);
    let warnings = said("clear.png", "clear.png").unwrap();
    let lines: Vec<usize> = warnings.iter().map(|warning| warning.position().unwrap().0).collect();
    assert_eq!(lines, [2, 4]);
    assert!(warnings.iter().all(|warning| warning.message.contains("seen as white")), "{warnings:?}");
    // Of a mask nothing is inside where nothing is, whatever colour the file keeps there.
    let wrong = said("opaque.png", "nothing.png").unwrap_err();
    assert!(wrong.diagnostics[0].message.contains("black everywhere"), "{:?}", wrong.diagnostics);
}

#[test]
fn several_models_make_a_target_of_each() {
    let text = "models = ['a', 'dir/b']\n[[composition]]\nname = 'sky'\nprompts = ['x']\nmodel = 'c'\n\
                [[detail]]\nprompts = ['x', 'y']\nweight = 0.5\n[[detail]]\nprompts = ['z']\n\
                models = [{ name = 'c', weight = 3 }, 'a']\n\
                [[phase]]\nsteps = 3\ndetail = { 'detail 1' = 0, 'detail 2' = 0.5 }\n";
    let Compiled { plan, models, .. } = compiled(text);
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "dir/b"]);
    let targets: Vec<(&str, usize)> = plan.targets.iter().map(|target| (target.name.as_str(), target.model)).collect();
    assert_eq!(
        targets,
        [("sky", 0), ("detail 1 (a)", 1), ("detail 1 (b)", 2), ("detail 2 (c)", 0), ("detail 2 (a)", 1)]
    );
    // They differ in nothing but the model: their draws are the same.
    let [_, a, b, ..] = plan.targets.as_slice() else { panic!() };
    assert_eq!(a.key, key_of("detail 1"));
    assert_eq!((&a.pipelines, &a.wanted, a.key, a.windows), (&b.pipelines, &b.wanted, b.key, b.windows));
    assert_eq!((plan.targets[0].member.as_ref(), a.called(), b.called()), (None, "detail 1", "detail 1"));
    // What a phase says of the target is said of all its members.
    let weights: Vec<f64> = plan.phases[0].weights.iter().map(|weight| weight.constant().unwrap()).collect();
    assert_eq!(weights, [1.0, 0.0, 0.0, 0.5, 0.5]);
    let weight = |target: usize| plan.targets[target].member.as_ref().unwrap().weight.constant();
    assert_eq!([weight(3), weight(4)], [Some(3.0), Some(1.0)]);
    assert_eq!((plan.prompts_of(0), plan.prompts_of(1), plan.prompts_of(2)), (vec![0, 2], vec![0, 1, 2], vec![0, 1]));
    assert_eq!(&text[models[2].place.as_ref().unwrap().span.clone()], "'dir/b'");
}

#[test]
fn one_model_is_no_ensemble() {
    let (one, two) =
        (compiled("model = 'a'\n[[detail]]\nprompts = ['x']"), compiled("models = ['a']\n[[detail]]\nprompts = ['x']"));
    assert_eq!(one.plan, two.plan);
    // The command line puts one in the place of several, but not of a target's own.
    let text = "models = ['a', 'b']\n[[detail]]\nprompts = ['x']\n[[detail]]\nprompts = ['x']\nmodels = ['a', 'c']";
    let given = with(text, &Overrides { model: Some("m".into()), ..Overrides::default() });
    let names: Vec<&str> = given.plan.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["detail 1", "detail 2 (a)", "detail 2 (c)"]);
}

#[test]
fn models_of_one_name_are_told_apart() {
    let names = |models: &str| {
        let compiled = compiled(&format!("models = {models}\n[[detail]]\nname = 'x'\nprompts = ['x']"));
        compiled.plan.targets.into_iter().map(|target| target.name).collect::<Vec<_>>()
    };
    assert_eq!(names("['a/clip', 'b/clip', 'c/other/']"), ["x (a/clip)", "x (b/clip)", "x (other)"]);
}

#[test]
fn each_target_says_which_model_looks_for_it() {
    let text = "model = 'a'\n[[composition]]\nprompts = ['x']\nmodel = 'b'\n[[detail]]\nprompts = ['x', 'y']\n\
                [[detail]]\nprompts = ['z']\nmodel = 'b'\n[[detail]]\nprompts = ['y']\nmodel = 'a'";
    let names = |compiled: &Compiled| compiled.models.iter().map(|model| model.name.clone()).collect::<Vec<_>>();
    let of = |compiled: &Compiled| compiled.plan.targets.iter().map(|target| target.model).collect::<Vec<_>>();
    let two = compiled(text);
    assert_eq!((names(&two), of(&two)), (vec!["b".to_owned(), "a".to_owned()], vec![0, 1, 0, 1]));
    assert_eq!((two.plan.prompts_of(0), two.plan.prompts_of(1)), (vec![0, 2], vec![0, 1]));
    assert_eq!(&text[two.models[0].place.as_ref().unwrap().span.clone()], "'b'");
    // The command line replaces the recipe's model, and no target's own.
    let given = with(text, &Overrides { model: Some("c".into()), ..Overrides::default() });
    assert_eq!((names(&given), of(&given)), (vec!["b".into(), "c".into(), "a".into()], vec![0, 1, 0, 2]));
    // One that nobody uses is not there.
    let only = compiled("model = 'a'\n[[detail]]\nprompts = ['x']\nmodel = 'b'");
    assert_eq!(names(&only), ["b"]);
}

#[test]
fn shares_are_one_together_at_every_moment() {
    let text = "[[composition]]\nprompts = ['x']\n[[detail]]\nprompts = ['x']\n\
                models = ['a', { name = 'b', weight = '1 + 2*t' }]\n\
                [[detail]]\nprompts = ['y']\nmodels = ['a', 'b']\n";
    let plan = compiled(text).plan;
    let shares = |step: u64| {
        let time = Time::new(step, 3, 0, 3);
        (0..plan.targets.len()).map(|target| plan.share(target, &time)).collect::<Vec<_>>()
    };
    assert_eq!(shares(0), [None, Some(0.5), Some(0.5), Some(0.5), Some(0.5)]);
    assert_eq!(shares(2), [None, Some(0.25), Some(0.75), Some(0.5), Some(0.5)]);
    let firsts: Vec<usize> = (0..plan.targets.len()).map(|target| plan.first_member(target)).collect();
    assert_eq!(firsts, [0, 1, 1, 3, 3]);
    let identities: std::collections::BTreeSet<u64> =
        plan.targets.iter().map(recipe_render::plan::Target::identity).collect();
    assert_eq!(identities.len(), 5);
    // A target with one model has its key as its identity.
    assert_eq!(plan.targets[0].identity(), plan.targets[0].key);
}
