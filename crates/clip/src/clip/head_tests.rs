//! Tests of the head behind an encoder that is small enough to compute here from its definition, in f64.

use super::*;
use crate::chance::Draws;
use crate::clip::ModelFolder;
use crate::onnx::Tensor;
use crate::runtime::{Device, Input, Level, Runtime, SessionPlan, Weights};

const WINDOWS_AT_ONCE: usize = 5;
const SIDE: usize = 3;
const VALUES: usize = 3 * SIDE * SIDE;
const WIDTH: usize = 6;
const PROMPTS: usize = 2;

fn random(count: usize, seed: u64) -> Vec<f64> {
    (0..count as u64).flat_map(|i| Draws::new(seed).normal_pair(i)).take(count).collect()
}

fn f32s(values: &[f64]) -> Vec<f32> {
    values.iter().map(|value| *value as f32).collect()
}

/// Embeddings e = W x, W `[3 S S, D]`.
fn encoder(matrix: &[f64]) -> Graph {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "test");
    let input = b.input("pixels", DataType::F32, &[WINDOWS_AT_ONCE, 3, SIDE, SIDE]);
    let flat = b.reshape(&input, &[WINDOWS_AT_ONCE, VALUES]);
    let matrix = b.constant("matrix", Tensor::f32(&[VALUES, WIDTH], &f32s(matrix)));
    b.op_into("MatMul", &[&flat, &matrix], &[], "embedding");
    graph.types.insert("embedding".into(), ValueType::fixed(DataType::F32, &[WINDOWS_AT_ONCE, WIDTH]));
    graph.outputs = vec!["embedding".into()];
    graph
}

/// Returns a description in which only the pixel normalisation matters, and that is the identity.
fn description() -> Description {
    let mut description = ModelFolder::named("pocket").unwrap().description;
    (description.image.mean, description.image.deviation) = ([0.0; 3], [1.0; 3]);
    description
}

struct Setting {
    matrix: Vec<f64>,
    features: Vec<f64>,
    /// `[N, K]`
    pull: Vec<f64>,
    /// `[N, K]`
    loss: Vec<Loss>,
    /// V `[R, D]` and Q `[R, K]`.
    squares: Option<(Vec<f64>, Vec<f64>)>,
}

const AXES_AT_ONCE: usize = 3;

impl Setting {
    /// Gives all prompts of a window the same loss.
    fn new(loss: [Loss; WINDOWS_AT_ONCE]) -> Self {
        Setting::each(loss.into_iter().flat_map(|loss| [loss; PROMPTS]).collect())
    }

    fn each(loss: Vec<Loss>) -> Self {
        let mut features = random(PROMPTS * WIDTH, 2);
        for row in features.chunks_exact_mut(WIDTH) {
            let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            row.iter_mut().for_each(|value| *value /= norm);
        }
        let pull = [1.0, 0.0, 0.7, -0.4, 0.3, 0.9, 1.0, 0.5, -1.0, 1.0].to_vec();
        Setting { matrix: random(VALUES * WIDTH, 1), features, pull, loss, squares: None }
    }

    /// Adds quadratic terms to the similarities of the last prompt.
    fn quadratic(self) -> Self {
        let axes = random(AXES_AT_ONCE * WIDTH, 7);
        let factors = vec![0.0, 0.8, 0.0, -1.5, 0.0, 0.4];
        Setting { squares: Some((axes, factors)), ..self }
    }

    /// Returns the quadratic term in the similarity of a prompt: `e` is an embedding, `norm` its length.
    fn more(&self, e: &[f64], norm: f64, prompt: usize) -> f64 {
        let Some((axes, factors)) = &self.squares else { return 0.0 };
        let along = |v: &[f64]| v.iter().zip(e).map(|(v, e)| v * e / norm).sum::<f64>();
        let rows = axes.chunks_exact(WIDTH).zip(factors.chunks_exact(PROMPTS));
        rows.map(|(axis, factors)| factors[prompt] * along(axis).powi(2)).sum()
    }

    /// The sum of all losses as the documentation defines them.
    fn loss(&self, windows: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (n, window) in windows.chunks_exact(VALUES).enumerate() {
            let e: Vec<f64> =
                (0..WIDTH).map(|d| (0..VALUES).map(|i| window[i] * self.matrix[i * WIDTH + d]).sum()).collect();
            let norm = e.iter().map(|value| value * value).sum::<f64>().sqrt();
            for (k, f) in self.features.chunks_exact(WIDTH).enumerate() {
                let s: f64 = e.iter().zip(f).map(|(e, f)| e * f).sum::<f64>() / norm + self.more(&e, norm, k);
                let apart = || e.iter().zip(f).map(|(e, f)| (e / norm - f).abs());
                sum += self.pull[n * PROMPTS + k]
                    * match self.loss[n * PROMPTS + k] {
                        Loss::Cosine => 1.0 - s,
                        Loss::Spherical => s.acos().powi(2) / 2.0,
                        Loss::Dot => -s * norm,
                        Loss::L1 => apart().sum(),
                        Loss::L2 => apart().map(|part| part * part).sum::<f64>().sqrt(),
                    };
            }
        }
        sum
    }

    /// Returns the gradient computed by the graph.
    fn gradient(&self, windows: &[f64]) -> Vec<f32> {
        let extras = Extras::of(&self.loss) | Extras::squares(self.squares.is_some());
        let graph = train(&encoder(&self.matrix), &description(), "pixels", "embedding", extras).unwrap();
        let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
        let mut session = Runtime::for_tests().session(&graph.write(), &Weights::default(), &plan).unwrap();
        let matrix = [WINDOWS_AT_ONCE, PROMPTS];
        let (windows, features, pull) = (f32s(windows), f32s(&self.features), f32s(&self.pull));
        // No prompt stops pulling, prompts to avoid included.
        let stop: Vec<f32> = pull.iter().map(|pull| if *pull < 0.0 { -4.0 } else { 4.0 }).collect();
        let (zeros, ones, column) = ([0.0; 10], [1.0; 10], [WINDOWS_AT_ONCE, 1]);
        let told: Vec<(&str, Vec<f32>)> = extras
            .inputs()
            .map(|(name, loss)| (name, self.loss.iter().map(|own| f32::from(u8::from(*own == loss))).collect()))
            .collect();
        let mut inputs = vec![
            (WINDOWS, Input::F32(&[WINDOWS_AT_ONCE, 3, SIDE, SIDE], &windows)),
            (FEATURES, Input::F32(&[PROMPTS, WIDTH], &features)),
            (PULL, Input::F32(&matrix, &pull)),
            (BEST, Input::F32(&matrix, &zeros)),
            (SCALE, Input::F32(&matrix, &ones)),
            (OFFSET, Input::F32(&matrix, &zeros)),
            (STOP, Input::F32(&matrix, &stop)),
            (SHARPNESS, Input::F32(&column, &zeros[..WINDOWS_AT_ONCE])),
        ];
        inputs.extend(told.iter().map(|(name, told)| (*name, Input::F32(&matrix, told))));
        let squares = self.squares.as_ref().map(|(axes, factors)| (f32s(axes), f32s(factors)));
        if let Some((axes, factors)) = &squares {
            inputs.push((AXES, Input::F32(&[AXES_AT_ONCE, WIDTH], axes)));
            inputs.push((SQUARES, Input::F32(&[AXES_AT_ONCE, PROMPTS], factors)));
        }
        session.run(&inputs).unwrap().f32(GRADIENT).unwrap().1.to_vec()
    }
}

fn assert_slopes(setting: &Setting) {
    let windows = random(WINDOWS_AT_ONCE * VALUES, 3);
    let gradient = setting.gradient(&windows);
    let step = 1e-5;
    for i in 0..windows.len() {
        let at = |by: f64| {
            let mut moved = windows.clone();
            moved[i] += by;
            setting.loss(&moved)
        };
        let difference = (at(step) - at(-step)) / (2.0 * step);
        let wrong = (f64::from(gradient[i]) - difference).abs();
        assert!(
            wrong < 2e-4 * difference.abs().max(1.0),
            "{:?}, value {i}: {} and {difference}",
            setting.loss,
            gradient[i]
        );
    }
}

#[test]
fn each_loss_has_its_own_slope() {
    for loss in [Loss::Cosine, Loss::Spherical, Loss::Dot, Loss::L1, Loss::L2] {
        assert_slopes(&Setting::new([loss; WINDOWS_AT_ONCE]));
    }
}

#[test]
fn windows_of_one_batch_may_have_different_losses() {
    assert_slopes(&Setting::new([Loss::L1, Loss::Dot, Loss::Cosine, Loss::L2, Loss::Spherical]));
}

/// As when directions are used beside prompts.
#[test]
fn prompts_of_one_window_may_have_different_losses() {
    for other in [Loss::Spherical, Loss::Dot, Loss::L1, Loss::L2] {
        assert_slopes(&Setting::each([[other, Loss::Cosine]; WINDOWS_AT_ONCE].concat()));
        assert_slopes(&Setting::each([[Loss::Cosine, other]; WINDOWS_AT_ONCE].concat()));
    }
}

/// The last prompt is a direction: whatever the losses of others, it is trained by the cosine loss.
#[test]
fn quadratic_directions_have_their_slope_beside_all_losses() {
    assert_slopes(&Setting::new([Loss::Cosine; WINDOWS_AT_ONCE]).quadratic());
    for other in [Loss::Spherical, Loss::Dot, Loss::L1, Loss::L2] {
        assert_slopes(&Setting::each([[other, Loss::Cosine]; WINDOWS_AT_ONCE].concat()).quadratic());
    }
}

#[test]
fn other_losses_in_the_graph_change_no_bit() {
    let windows = random(WINDOWS_AT_ONCE * VALUES, 3);
    let [old, new] = [Loss::Spherical, Loss::L2].map(|last| {
        let loss = [Loss::Spherical, Loss::Cosine, Loss::Spherical, Loss::Cosine, last];
        Setting::new(loss).gradient(&windows)
    });
    let before = (WINDOWS_AT_ONCE - 1) * VALUES;
    assert_eq!(old[..before], new[..before]);
    assert_ne!(old[before..], new[before..]);
}

#[test]
fn only_what_is_asked_for_is_in_the_graph() {
    let nodes = |losses: &[Loss]| {
        let setting = Setting::new([Loss::Cosine; WINDOWS_AT_ONCE]);
        train(&encoder(&setting.matrix), &description(), "pixels", "embedding", Extras::of(losses)).unwrap().nodes.len()
    };
    assert_eq!(nodes(&[Loss::Cosine]), nodes(&[Loss::Spherical, Loss::Cosine]));
    assert!(nodes(&[Loss::Dot]) > nodes(&[]) && nodes(&[Loss::L1, Loss::Dot]) > nodes(&[Loss::Dot]));
}
