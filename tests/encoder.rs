//! The embedded model's image encoder with its head, run by onnxruntime.

use std::path::Path;
use std::sync::Arc;

use recipe_render::chance::Draws;
use recipe_render::clip::{self, Encoder, Features, ModelFolder, Photo, Questions};
use recipe_render::plan::Loss;
use recipe_render::runtime::{Device, Runtime};

const PROMPTS: [&str; 3] = ["mountains", "red sword", "letters"];
const WINDOWS: usize = 5;

fn encoder() -> (Encoder, Features) {
    let runtime = Arc::new(Runtime::for_tests().clone());
    let model = ModelFolder::find("pocket", Path::new("")).unwrap();
    let texts = PROMPTS.map(str::to_owned);
    let hash = model.hash().unwrap();
    let rows = clip::features(&runtime, &model, &hash, &texts, None).unwrap();
    (Encoder::open(runtime, model, hash, Device::Cpu).unwrap(), Features::new(&rows).unwrap())
}

/// Smooth coloured windows: what an encoder sees in practice, and where f32 differences are meaningful.
fn windows(side: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for n in 0..WINDOWS {
        for c in 0..3 {
            let draws = Draws::new(9).at(n as u64).at(c);
            let (a, b, phase) = (draws.uniform(0, 0.02, 0.3), draws.uniform(1, 0.02, 0.3), draws.uniform(2, 0.0, 6.0));
            for y in 0..side {
                for x in 0..side {
                    values.push((0.5 + 0.4 * (a * x as f64 + b * y as f64 + phase).sin()) as f32);
                }
            }
        }
    }
    values
}

/// Questions of every kind: a selection, a pull by each loss, something to be avoided.
fn questions() -> Questions {
    let mut questions = Questions::new(WINDOWS, PROMPTS.len());
    let row = |n: usize| n * PROMPTS.len();
    questions.best[row(0)] = 0.7;
    questions.best[row(0) + 1] = 0.4;
    questions.pull[row(1)] = 1.0;
    questions.pull[row(2) + 1] = 0.5;
    questions.pull[row(2) + 2] = -0.3;
    questions.best[row(3) + 1] = 1.0;
    questions.pull[row(3)] = -0.2;
    questions.pull[row(4) + 2] = 0.3;
    for (n, loss) in [Loss::Cosine, Loss::Spherical, Loss::Spherical, Loss::Cosine, Loss::L2].into_iter().enumerate() {
        questions.loss[row(n)..row(n + 1)].fill(loss);
    }
    // One that has its own, as directions have.
    questions.loss[row(2) + 2] = Loss::Cosine;
    // The first window's prompts share, the second's second one wins by its scale, the fourth's has been shown enough.
    questions.sharpness[0] = 5.0;
    questions.best[row(1)] = 0.2;
    questions.best[row(1) + 1] = 0.3;
    questions.scale[row(1)] = -1.0;
    questions.scale[row(1) + 1] = -1.5;
    questions.pull[row(4)] = 0.4;
    questions.stop[row(4)] = -1.0;
    questions
}

/// The loss as the head's documentation defines it, computed from similarities in f64.
/// What prompts share by, they share by as at `centre`: the gradient does not see it.
fn loss(similarities: &[f32], centre: &[f32], questions: &Questions) -> f64 {
    let prompts = PROMPTS.len();
    let mut total = 0.0;
    for (n, row) in similarities.chunks_exact(prompts).enumerate() {
        let best = &questions.best[n * prompts..][..prompts];
        let scale = &questions.scale[n * prompts..][..prompts];
        let scaled = |k: usize| row[k] * scale[k];
        let competing: Vec<usize> = (0..prompts).filter(|k| best[*k] > 0.0).collect();
        let winner = competing.iter().copied().max_by(|a, b| scaled(*a).total_cmp(&scaled(*b)));
        let sharpness = questions.sharpness[n];
        let power = |k: usize| (centre[n * prompts + k] * scale[k] * sharpness).exp();
        let powers: f32 = competing.iter().map(|k| power(*k)).sum();
        for (k, similarity) in row.iter().enumerate() {
            let mut weight = f64::from(questions.pull[n * prompts + k]);
            if sharpness > 0.0 && competing.contains(&k) {
                weight += f64::from(power(k) / powers * best[k]);
            } else if winner == Some(k) {
                weight += f64::from(best[k]);
            }
            let s = f64::from(*similarity);
            let stop = f64::from(questions.stop[n * prompts + k]);
            if weight < 0.0 && s < stop || weight > 0.0 && s >= stop {
                continue;
            }
            let l = match questions.loss[n * prompts + k] {
                Loss::Spherical => s.acos().powi(2) / 2.0,
                Loss::L2 => (2.0 - 2.0 * s).sqrt(),
                _ => 1.0 - s,
            };
            total += weight * l;
        }
    }
    total
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let (mut encoder, features) = encoder();
    let side = encoder.side() as usize;
    let (windows, questions) = (windows(side), questions());
    let mut gradients = vec![0.0; windows.len()];
    let similarities = encoder.train(&windows, &questions, &features, &mut gradients).unwrap();
    let scored = encoder.score(&windows, &features).unwrap();
    for (a, b) in similarities.iter().zip(&scored) {
        assert!((a - b).abs() < 1e-5 && a.abs() <= 1.00001, "{a} {b}");
    }
    let mut checked = 0;
    for trial in 0..4 {
        // Along smooth directions: the encoder's own curvature is strong along pixel noise.
        let draws = Draws::new(trial);
        let direction: Vec<f32> = (0..windows.len())
            .map(|i| {
                let (y, x) = (i / side % side, i % side);
                let coarse = draws.at((i / (side * side)) as u64).at((y / 16 * 4 + x / 16) as u64);
                coarse.uniform(0, -1.0, 1.0) as f32
            })
            .collect();
        let along: f64 = gradients.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let step = 2e-3f32;
        let mut at = |sign: f32| {
            let moved: Vec<f32> = windows.iter().zip(&direction).map(|(w, d)| w + sign * step * d).collect();
            loss(&encoder.score(&moved, &features).unwrap(), &similarities, &questions)
        };
        let difference = (at(1.0) - at(-1.0)) / (2.0 * f64::from(step));
        let scale = along.abs().max(difference.abs());
        if scale > 0.05 {
            // The encoder's activations have kinks.
            assert!((along - difference).abs() < 0.05 * scale, "trial {trial}: {along} and {difference}");
            checked += 1;
        }
    }
    assert!(checked >= 2, "too few directions with a slope worth comparing");
}

#[test]
fn a_picture_s_features_are_what_its_window_is_scored_by() {
    let (mut encoder, features) = encoder();
    let model = encoder.model().clone();
    let hash = model.hash().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preprocess/picture.png");
    let image = &model.description.image;
    let window = Photo::open(&path).unwrap().window(image.size as usize, image.resize, image.interpolation);
    let scored = encoder.score(&window, &features).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let runtime = Runtime::for_tests();
    let of = |paths: &[std::path::PathBuf]| {
        clip::image_features(runtime, &model, &hash, paths, Some(cache.path().into())).unwrap()
    };
    let row = of(std::slice::from_ref(&path)).remove(0);
    assert!((row.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
    for (score, text) in scored.iter().zip(features.values().chunks_exact(features.width())) {
        let cosine: f32 = row.iter().zip(text).map(|(a, b)| a * b).sum();
        assert!((cosine - score).abs() < 1e-5, "{cosine} {score}");
    }
    // Kept by the file's bytes: a copy of it is known, another picture is not.
    let kept = || std::fs::read_dir(cache.path().join("features").join(&hash[..16])).unwrap().count();
    assert_eq!(kept(), 1);
    let copy = cache.path().join("copy.png");
    std::fs::copy(&path, &copy).unwrap();
    let other = path.with_file_name("shortest-bicubic-41.png");
    let rows = of(&[copy, other]);
    assert_eq!(kept(), 2);
    assert!(rows[0] == row && rows[1] != row);
}

#[test]
fn what_is_avoided_and_far_away_pulls_no_more() {
    let (mut encoder, features) = encoder();
    let windows = windows(encoder.side() as usize);
    let opposite: Vec<Vec<f32>> =
        features.values().chunks_exact(features.width()).map(|row| row.iter().map(|value| -value).collect()).collect();
    let features = Features::new(&opposite).unwrap();
    let scored = encoder.score(&windows, &features).unwrap();
    let negative = scored.iter().position(|s| *s < 0.0).expect("some similarity below zero");
    let mut questions = Questions::new(WINDOWS, PROMPTS.len());
    questions.pull[negative] = -1.0;
    let mut gradients = vec![1.0; windows.len()];
    encoder.train(&windows, &questions, &features, &mut gradients).unwrap();
    assert!(gradients.iter().all(|g| *g == 0.0));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut encoder, features) = encoder();
            let windows = windows(encoder.side() as usize);
            let mut gradients = vec![0.0; windows.len()];
            let similarities = encoder.train(&windows, &questions(), &features, &mut gradients).unwrap();
            (similarities, gradients)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}
