//! Whole renders: a golden picture over a few steps from a fixed canvas, and the same bits for any number of threads.
//!
//! Longer runs amplify the last bit, which differs between processors, so the golden run is short and has a tolerance.
//! `RECIPE_RENDER_UPDATE=1 cargo test --test golden` renders the golden pictures anew.

#[path = "support/tiny.rs"]
mod tiny;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use recipe_render::clip::ModelFolder;
use recipe_render::perceptor::{Engine, Perceptors};
use recipe_render::picture::Picture;
use recipe_render::plan::Size;
use recipe_render::recipe::{self, Overrides};
use recipe_render::render::{Control, Observer, Progress, Rendered, render};
use recipe_render::runtime::{Device, Runtime};

/// Greatest mean difference of a byte from the golden picture.
const MEAN: f64 = 1.0;
/// Greatest difference of any byte.
const MOST: u8 = 16;

struct Patient;

impl Observer for Patient {
    fn step(&mut self, _: &mut Progress<'_>) -> Control {
        Control::Continue
    }
}

/// Renders a recipe's text with a small model.
fn rendered(text: &str) -> Rendered {
    watched(text, small(), &mut Patient)
}

fn small() -> ModelFolder {
    ModelFolder::open(tiny::folder()).unwrap()
}

/// Renders with a model, watched by an observer.
fn watched(text: &str, model: ModelFolder, observer: &mut dyn Observer) -> Rendered {
    let compiled = recipe::compile(Path::new("test.toml"), text, &Overrides::default())
        .unwrap_or_else(|d| panic!("{}", recipe::render_diagnostics(&d.diagnostics)));
    let hash = model.hash().unwrap();
    let mut perceptors = Perceptors::default();
    let mut lenses = perceptors.lenses(&engine(), &compiled.plan, &[(model, hash)]).unwrap();
    render(&compiled.plan, &mut lenses, observer).unwrap()
}

/// This processor, without our cache.
fn engine() -> Engine {
    Engine { cache: None, ..Engine::new(Arc::new(Runtime::for_tests().clone()), Device::Cpu) }
}

const HEAD: &str = r#"
size = [96, 64]
seed = 3
[[composition]]
prompts = ["ocean waves"]
fit = "contain"
windows = 1
[[detail]]
prompts = ["metal armour", { text = "sword", stages = [{ cover = 0.5 }, { perspective = 0.4 }] }, { text = "letters", weight = -0.3 }]
windows = 4
"#;

fn recipe_of(basis: &str) -> String {
    format!(
        "{HEAD}[canvas]\nbasis = \"{basis}\"\n[[phase]]\nsteps = 3\nfinest = 8\n[[phase]]\nsteps = 2\ncomposition = 0\n"
    )
}

#[test]
fn pictures_equal_the_golden_ones() {
    let mut wrong = Vec::new();
    for basis in ["fourier", "pyramid", "pixels"] {
        let embedded = ModelFolder::find("pocket", Path::new("")).unwrap();
        let picture = watched(&recipe_of(basis), embedded, &mut Patient).picture();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{basis}.png"));
        if std::env::var_os("RECIPE_RENDER_UPDATE").is_some() {
            image::RgbImage::from_raw(picture.size.width, picture.size.height, picture.to_rgb8())
                .unwrap()
                .save(&path)
                .unwrap();
        }
        let golden = image::open(&path).unwrap().to_rgb8();
        if let Err(message) = compare(&picture, &golden, basis) {
            wrong.push(message);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares within the tolerance; what differs is drawn side by side: expected, difference, actual.
fn compare(picture: &Picture, golden: &image::RgbImage, name: &str) -> Result<(), String> {
    let Size { width, height } = picture.size;
    let actual = image::RgbImage::from_raw(width, height, picture.to_rgb8()).unwrap();
    assert_eq!(actual.dimensions(), golden.dimensions());
    let differences: Vec<u8> = actual.as_raw().iter().zip(golden.as_raw()).map(|(a, b)| a.abs_diff(*b)).collect();
    let mean = differences.iter().map(|d| f64::from(*d)).sum::<f64>() / differences.len() as f64;
    let most = differences.iter().copied().max().unwrap_or(0);
    if mean <= MEAN && most <= MOST {
        return Ok(());
    }
    let strong: Vec<u8> = differences.iter().map(|d| d.saturating_mul(8)).collect();
    let difference = image::RgbImage::from_raw(width, height, strong).unwrap();
    let mut triptych = image::RgbImage::new(width * 3, height);
    for (i, part) in [golden, &difference, &actual].into_iter().enumerate() {
        image::imageops::replace(&mut triptych, part, i64::from(width) * i as i64, 0);
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{name}.png"));
    triptych.save(&path).unwrap();
    Err(format!("{name}: mean difference {mean:.2}, greatest {most}; see {}", path.display()))
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for basis in ["fourier", "pixels"] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| rendered(&recipe_of(basis)))
        };
        let one = run(1);
        for threads in [2, 4] {
            let other = run(threads);
            assert!(one.picture() == other.picture() && one.tally == other.tally, "{basis}: {threads} threads differ");
        }
    }
}

#[test]
fn another_seed_is_another_picture() {
    let text = recipe_of("fourier");
    assert_ne!(rendered(&text).picture(), rendered(&text.replace("seed = 3", "seed = 4")).picture());
}

#[test]
fn a_phase_added_at_the_end_changes_nothing_before_it() {
    struct First(Option<Picture>);
    impl Observer for First {
        fn step(&mut self, progress: &mut Progress<'_>) -> Control {
            if progress.ends_phase() && progress.phase == 1 {
                self.0 = Some(progress.picture());
            }
            Control::Continue
        }
    }
    let text = recipe_of("fourier").replace("[[phase]]\nsteps", "[[phase]]\nrate = 0.05\nsteps");
    let whole = rendered(&text).picture();
    let longer = format!("{text}[[phase]]\nrate = 0.02\nsteps = 2\n");
    let compiled = recipe::compile(Path::new("test.toml"), &longer, &Overrides::default()).unwrap();
    let model = small();
    let hash = model.hash().unwrap();
    let mut first = First(None);
    let mut perceptors = Perceptors::default();
    let mut lenses = perceptors.lenses(&engine(), &compiled.plan, &[(model, hash)]).unwrap();
    render(&compiled.plan, &mut lenses, &mut first).unwrap();
    assert!(first.0 == Some(whole));
}

/// Checks each step's views against what else is known of it.
struct Auditor {
    views: u64,
    picture: Vec<u8>,
}

impl Observer for Auditor {
    fn step(&mut self, progress: &mut Progress<'_>) -> Control {
        let seen = progress.seen;
        let views = seen.views();
        assert_eq!(views.len() as u64, progress.views - self.views);
        self.views = progress.views;
        for (index, view) in views.iter().enumerate() {
            let (pixels, side) = (seen.pixels(index).unwrap(), seen.side(index).unwrap());
            assert_eq!((pixels.len(), side as usize), (3 * tiny::SIDE * tiny::SIDE, tiny::SIDE));
            assert!(view.similarity.abs() <= 1.0 && view.prompt < 2, "{view:?}");
        }
        assert_eq!(seen.pixels(views.len()), None);
        // The composition sees all of the canvas and stands at its middle; the canvas is wider than high.
        let [[left, top], _, [right, bottom], _] = views[0].outline;
        assert!((left + right - 1.0).abs() < 1e-5 && (top + bottom - 1.0).abs() < 1e-5, "{:?}", views[0]);
        assert!((right - left - 1.0).abs() < 1e-5 && (bottom - top - 1.5).abs() < 1e-5, "{:?}", views[0]);
        // The mean of the winners is what the step is said to have reached.
        for (target, (_, mean)) in progress.similarities.iter().enumerate() {
            let own: Vec<f32> = views.iter().filter(|v| v.target == target).map(|v| v.similarity).collect();
            assert!((own.iter().sum::<f32>() / own.len() as f32 - mean).abs() < 1e-5);
        }
        let prompts: Vec<(usize, usize)> = seen.similarities().iter().map(|s| (s.target, s.prompt)).collect();
        assert_eq!(prompts, [(0, 0), (1, 1), (1, 2)]);
        // What a step looks at is what the one before it left.
        if progress.step > 1 {
            // A composition sees all of it.
            assert_eq!(seen.picture_rgb8().as_ref(), Some(&self.picture));
        }
        self.picture = progress.picture().to_rgb8();
        Control::Continue
    }
}

#[test]
fn an_observer_is_told_what_the_encoder_saw() {
    let text = r#"
        size = [96, 64]
        [[composition]]
        prompts = ["ocean waves"]
        fit = "contain"
        windows = 1
        stages = []
        [[detail]]
        prompts = ["metal armour", { text = "letters", weight = -0.3 }]
        windows = 3
        [[phase]]
        steps = 3
        finest = 8
    "#;
    let mut auditor = Auditor { views: 0, picture: Vec::new() };
    watched(text, small(), &mut auditor);
    assert_eq!(auditor.views, 12);
}
