//! A render that is put aside after any of its steps and taken up again ends in the same bytes.

#[path = "support/tiny.rs"]
mod tiny;

use std::path::Path;
use std::sync::Arc;

use recipe_render::canvas::{self, Tensor, Values};
use recipe_render::clip::ModelFolder;
use recipe_render::perceptor::{Engine, Perceptors};
use recipe_render::plan::Plan;
use recipe_render::recipe::{self, Overrides};
use recipe_render::render::{
    Control, Lens, Observer, Progress, RenderError, Rendered, Standing, State, render, resume,
};
use recipe_render::runtime::{Device, Runtime};

/// A state's values, copied: what a checkpoint does by a file.
enum Copied {
    F32(Vec<f32>),
    U16(Vec<u16>),
    U64(Vec<u64>),
}

/// A state that outlives the step it was taken after.
struct OwnedState {
    standing: Standing,
    basis: String,
    optimiser: String,
    tensors: Vec<(String, Vec<usize>, Copied)>,
}

impl OwnedState {
    fn of(state: &State<'_>) -> OwnedState {
        let copy = |tensor: &Tensor<'_>| {
            let values = match tensor.values {
                Values::F32(values) => Copied::F32(values.to_vec()),
                Values::U16(values) => Copied::U16(values.to_vec()),
                Values::U64(values) => Copied::U64(values.to_vec()),
            };
            assert_eq!(tensor.shape.iter().product::<usize>(), len(&values), "{}", tensor.name);
            (tensor.name.to_string(), tensor.shape.clone(), values)
        };
        OwnedState {
            // As a checkpoint's header would have it.
            standing: serde_json::from_str(&serde_json::to_string(&state.standing).unwrap()).unwrap(),
            basis: state.canvas.basis.to_string(),
            optimiser: state.canvas.optimiser.to_string(),
            tensors: state.canvas.tensors.iter().map(copy).collect(),
        }
    }

    fn state(&self) -> State<'_> {
        let tensors = self.tensors.iter().map(|(name, shape, values)| Tensor {
            name: name.as_str().into(),
            shape: shape.clone(),
            values: match values {
                Copied::F32(values) => Values::F32(values),
                Copied::U16(values) => Values::U16(values),
                Copied::U64(values) => Values::U64(values),
            },
        });
        State {
            standing: self.standing.clone(),
            canvas: canvas::State {
                basis: self.basis.as_str().into(),
                optimiser: self.optimiser.as_str().into(),
                tensors: tensors.collect(),
            },
        }
    }
}

fn len(values: &Copied) -> usize {
    match values {
        Copied::F32(values) => values.len(),
        Copied::U16(values) => values.len(),
        Copied::U64(values) => values.len(),
    }
}

/// Keeps the state after every step, and can stop after some.
#[derive(Default)]
struct Keeper {
    kept: Vec<OwnedState>,
    positions: Vec<u64>,
    stop_after: Option<u64>,
}

impl Observer for Keeper {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        // Looking at the picture must change nothing.
        if progress.step.is_multiple_of(2) {
            progress.picture();
        }
        self.kept.push(OwnedState::of(&progress.state()));
        self.positions.push(progress.step);
        if self.stop_after == Some(progress.step) { Control::Stop } else { Control::Continue }
    }
}

/// A plan with all that rendering it takes. All its models are a small one, whatever they are called.
struct Bench {
    plan: Plan,
    models: Vec<(ModelFolder, String)>,
    perceptors: Perceptors,
}

impl Bench {
    fn new(text: &str) -> Bench {
        let compiled = recipe::compile(Path::new("test.toml"), text, &Overrides::default())
            .unwrap_or_else(|d| panic!("{}", recipe::render_diagnostics(&d.diagnostics)));
        let model = ModelFolder::open(tiny::folder()).unwrap();
        let hash = model.hash().unwrap();
        let models = compiled.models.iter().map(|_| (model.clone(), hash.clone())).collect();
        Bench { plan: compiled.plan, models, perceptors: Perceptors::default() }
    }

    fn lenses(&mut self) -> Vec<Lens<'_>> {
        let runtime = Arc::new(Runtime::for_tests().clone());
        let engine = Engine { cache: None, ..Engine::new(runtime, Device::Cpu) };
        self.perceptors.lenses(&engine, &self.plan, &self.models).unwrap()
    }

    fn render(&mut self, keeper: &mut Keeper) -> Rendered {
        let plan = self.plan.clone();
        render(&plan, &mut self.lenses(), keeper).unwrap()
    }

    fn resume(&mut self, kept: &OwnedState, keeper: &mut Keeper) -> Result<Rendered, RenderError> {
        let plan = self.plan.clone();
        resume(&plan, &mut self.lenses(), &kept.state(), keeper)
    }
}

fn text(basis: &str) -> String {
    format!(
        "size = [48, 40]\nseed = 3\n[canvas]\nbasis = '{basis}'\n\
         [[composition]]\nprompts = ['ocean waves']\nwindows = 1\n\
         [[detail]]\nprompts = ['metal armour', {{ text = 'sword', stages = [{{ cover = 0.5 }}] }}]\nwindows = 2\n\
         [[phase]]\nsteps = 3\nfinest = {{ keys = [[0, 4], [1, 8]] }}\n\
         [[phase]]\nsteps = 1\ncomposition = 0\n\
         [[phase]]\nsteps = 3\nrate = '0.05 * (1 - T)'\ndetail = 't'\n"
    )
}

#[test]
fn a_render_taken_up_after_any_step_ends_in_the_same_bytes() {
    for basis in ["fourier", "pyramid", "pixels"] {
        let mut bench = Bench::new(&text(basis));
        let mut keeper = Keeper::default();
        let whole = bench.render(&mut keeper);
        assert_eq!(keeper.kept.len(), 7);
        assert!(keeper.kept[6].standing.is_end_of(&bench.plan) && !keeper.kept[5].standing.is_end_of(&bench.plan));
        for (step, kept) in keeper.kept.iter().enumerate() {
            let mut rest = Keeper::default();
            let resumed = bench.resume(kept, &mut rest).unwrap();
            assert_eq!(rest.kept.len(), 6 - step, "{basis}: steps that were done are not done again");
            assert!(resumed.picture() == whole.picture(), "{basis}: another picture from step {}", step + 1);
            assert_eq!(
                (&resumed.tally, resumed.steps, resumed.views, resumed.stopped),
                (&whole.tally, whole.steps, whole.views, false),
                "{basis} from step {}",
                step + 1
            );
            // What it would itself put aside is what the whole one did.
            for (kept, other) in rest.kept.iter().zip(&keeper.kept[step + 1..]) {
                assert!(kept.state() == other.state(), "{basis}: another state after step {}", other.standing.steps);
            }
        }
    }
}

/// Several optimisers, sizes and repetitions, and phases that end early.
fn eventful(basis: &str) -> String {
    format!(
        "size = [48, 40]\nseed = 3\n[canvas]\nbasis = '{basis}'\n[render]\nsteps = 24\noptimiser = 'sign'\n\
         [[composition]]\nprompts = ['ocean waves']\nwindows = 1\n\
         [[detail]]\nprompts = ['metal armour', 'sword']\nwindows = 2\n\
         [[phase]]\nsteps = 3\nrepeat = 2\nfinest = 6\nresolution = 0.5\n\
         [[phase]]\nsteps = 9\nresolution = '0.3 + 0.5*t'\noptimiser = {{ adamw = {{ decay = 0.2 }} }}\npatience = 2\ngain = 1\ncomposition = 0\n\
         [[phase]]\nshare = 0.25\noptimiser = 'adam'\ngradient = 'normalise'\nresolution = {{ keys = [[0, 0.4], [1, 1]] }}\n\
         [[phase]]\noptimiser = 'rmsprop'\ngradient = {{ clip = 0.01 }}\npatience = 1\ngain = 1\n"
    )
}

#[test]
fn whatever_happens_in_its_phases() {
    for basis in ["fourier", "pyramid", "pixels"] {
        let mut bench = Bench::new(&eventful(basis));
        assert_eq!(bench.plan.phases.iter().map(|phase| phase.steps).collect::<Vec<_>>(), [3, 3, 9, 6, 3]);
        let mut keeper = Keeper::default();
        let whole = bench.render(&mut keeper);
        // The third phase ends after the first step that counts and its patience, the last one likewise.
        assert_eq!((whole.steps, whole.spared, whole.stopped), (3 + 3 + 3 + 6 + 2, 6 + 1, false), "{basis}");
        assert_eq!(keeper.positions, [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19, 20, 21, 22, 23], "{basis}");
        assert_eq!(whole.picture().pixels.len(), 3 * 48 * 40);
        for kept in &keeper.kept {
            let resumed = bench.resume(kept, &mut Keeper::default()).unwrap();
            let step = kept.standing.steps;
            assert!(resumed.picture() == whole.picture(), "{basis}: another picture from step {step}");
            assert_eq!(
                (resumed.steps, resumed.spared, &resumed.tally),
                (whole.steps, whole.spared, &whole.tally),
                "{step}"
            );
        }
    }
}

#[test]
fn a_phase_that_ends_early_moves_no_draws_of_the_next() {
    // With a rate of 0 nothing moves, and another kind of optimiser begins anew: what the next phase does hangs on its draws.
    let text = |patience: &str| {
        format!(
            "size = [48, 40]\n[[detail]]\nprompts = ['sword']\nwindows = 2\n\
             [[phase]]\nsteps = 12\nrate = 0\n{patience}\n[[phase]]\nsteps = 4\nrate = '0.1 * T'\noptimiser = 'sign'\n"
        )
    };
    let whole = Bench::new(&text("")).render(&mut Keeper::default());
    let early = Bench::new(&text("patience = 4\ngain = 1")).render(&mut Keeper::default());
    assert_eq!((whole.steps, early.steps, early.spared), (16, 9, 7));
    assert!(whole.picture() == early.picture());
}

#[test]
fn windows_cover_the_same_at_a_lower_resolution() {
    struct Outlines(Vec<[[f32; 2]; 4]>);
    impl Observer for Outlines {
        fn step(&mut self, progress: &mut Progress<'_>) -> Control {
            self.0.extend(progress.seen.views().into_iter().map(|view| view.outline));
            assert_eq!(progress.canvas_size, progress.seen.size());
            assert_eq!(progress.picture().pixels.len(), 3 * 96 * 64);
            Control::Continue
        }
    }
    let outlines = |resolution: &str| {
        let text = format!(
            "size = [96, 64]\n[[detail]]\nprompts = ['sword']\nwindows = 3\nstages = [{{ zoom = [0.8, 2] }}, {{ rotate = 20 }}]\n\
             [[phase]]\nsteps = 2\n{resolution}\n"
        );
        let mut bench = Bench::new(&text);
        let mut outlines = Outlines(Vec::new());
        let plan = bench.plan.clone();
        render(&plan, &mut bench.lenses(), &mut outlines).unwrap();
        outlines.0
    };
    assert_eq!(outlines(""), outlines("resolution = 0.3"));
}

/// A recipe of a target that keeps to a region and looks with these models.
fn together(models: &str, basis: &str) -> String {
    format!(
        "size = [48, 40]\nseed = 3\n{models}\ncanvas = {{ basis = '{basis}' }}\n\
         [[detail]]\nregion = [0, 0, 1, 0.7]\nprompts = ['metal armour', {{ text = 'sword', stages = [{{ cover = 0.5 }}] }}]\nwindows = 3\n\
         [[phase]]\nsteps = 2\nfinest = 6\n[[phase]]\nsteps = 2\nresolution = 0.5\ngradient = 'plain'\n\
         optimiser = {{ adam = {{ epsilon = 1e-8 }} }}\n"
    )
}

#[test]
fn an_ensemble_of_a_model_and_itself_is_that_model() {
    for basis in ["fourier", "pyramid", "pixels"] {
        let mut alone = Keeper::default();
        let one = Bench::new(&together("model = 'pocket'", basis)).render(&mut alone);
        let mut keeper = Keeper::default();
        let mut bench = Bench::new(&together("models = ['pocket', 'copy']", basis));
        let two = bench.render(&mut keeper);
        // Windows, prompts that win and pull are the same, halved and added without rounding.
        assert!(one.picture() == two.picture(), "{basis}");
        assert_eq!(two.views, 2 * one.views);
        let won = |rendered: &Rendered, target: &str| -> Vec<u64> {
            let entries = rendered.tally.entries.iter().filter(|entry| entry.target == target);
            entries.map(|entry| entry.won).collect()
        };
        for member in ["detail 1 (pocket)", "detail 1 (copy)"] {
            assert_eq!(won(&two, member), won(&one, "detail 1"));
        }
        for kept in &keeper.kept {
            let resumed = bench.resume(kept, &mut Keeper::default()).unwrap();
            assert!(resumed.picture() == two.picture() && resumed.tally == two.tally, "{basis}");
        }
    }
}

#[test]
fn weights_of_equal_models_do_not_matter() {
    let more = "[[composition]]\nprompts = ['ocean waves']\nwindows = 1\n";
    let text = |models: &str| together(models, "fourier").replace("[[detail]]", &format!("{more}[[detail]]"));
    let render = |models: &str| Bench::new(&text(models)).render(&mut Keeper::default()).picture().pixels;
    let one = render("model = 'pocket'");
    let two = render("models = [{ name = 'pocket', weight = 0.3 }, { name = 'copy', weight = '5 - t' }]");
    let most = one.iter().zip(&two).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(one != two && most < 0.01, "{most}");
}

#[test]
fn stopped_and_resumed_twice() {
    let mut bench = Bench::new(&text("fourier"));
    let whole = bench.render(&mut Keeper::default());
    let mut keeper = Keeper { stop_after: Some(2), ..Keeper::default() };
    assert!(bench.render(&mut keeper).stopped);
    let mut second = Keeper { stop_after: Some(4), ..Keeper::default() };
    assert!(bench.resume(keeper.kept.last().unwrap(), &mut second).unwrap().stopped);
    assert!(second.kept.last().unwrap().standing.phase_over);
    let last = bench.resume(second.kept.last().unwrap(), &mut Keeper::default()).unwrap();
    assert!(last.picture() == whole.picture() && !last.stopped);
}

#[test]
fn a_state_of_something_else_is_refused() {
    let mut keeper = Keeper::default();
    Bench::new(&text("fourier")).render(&mut keeper);
    let kept = keeper.kept.first().unwrap();
    for (other, words) in [
        (text("pyramid"), "the basis `fourier` where the canvas's is `pyramid`"),
        (text("fourier").replace("[48, 40]", "[48, 44]"), "has the shape"),
        (text("fourier").replace("'sword'", "'metal armour'"), "a tally of 3 prompts, but the plan has 2"),
    ] {
        let error = Bench::new(&other).resume(kept, &mut Keeper::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut late = OwnedState::of(&kept.state());
    late.standing.phase = 7;
    let error = Bench::new(&text("fourier")).resume(&late, &mut Keeper::default()).unwrap_err().to_string();
    assert!(error.contains("phase 8 of 3"), "{error}");
}
