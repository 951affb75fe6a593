//! The gradient against central differences.
//!
//! For a loss L = <g, E(x)> of the embedding E, the gradient's product with a direction v must equal the derivative of L along
//! v. Two runs of the encoder give that derivative: (L(x + hv) - L(x - hv)) / 2h, and once more with h / 2, so that the error's
//! h² term cancels (Richardson's extrapolation).

use serde::Serialize;

use crate::chance::Draws;
use crate::clip::{ClipError, ImageGraph, ModelFolder};
use crate::onnx::{DataType, Graph, gradient_graph};
use crate::runtime::{Device, Input, Level, Runtime, Session, SessionPlan, Weights};

/// The result of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gradient {
    /// The greatest relative difference.
    pub worst: f64,
    pub directions: usize,
    /// The accepted difference: larger for models in half precision.
    pub tolerance: f64,
}

impl Gradient {
    /// Returns whether the gradient agrees with the differences.
    pub fn right(&self) -> bool {
        self.worst <= self.tolerance
    }
}

/// The number of directions of each kind.
const EACH: u64 = 3;

/// How far a step may change the loss, as a fraction of its maximum: far above the rounding of 32-bit floats, and small enough
/// for differences to approximate derivatives.
const STEP: f64 = 5e-3;

/// A difference below this needs no other step size.
const GOOD: f64 = 5e-3;

/// The least slope to compare with, as a fraction of the gradient's norm: lower slopes drown in rounding errors.
const LEAST_SLOPE: f64 = 0.01;

pub(super) fn check(model: &ModelFolder, runtime: &Runtime) -> Result<Gradient, ClipError> {
    let description = &model.description;
    let failed = |source| ClipError::Graph { model: description.name.clone(), source };
    let graph = model.graph(&description.image.file)?;
    let half = graph.constants.values().any(|tensor| matches!(tensor.data_type, DataType::F16 | DataType::Bf16));
    let image = ImageGraph::new(graph, Some(&description.image), &description.name)?;
    let folded = image.fold(runtime, 1)?;
    let width = image.check(&folded, 1, description.image.size)?;
    let plan = SessionPlan {
        device: Device::Cpu,
        threads: rayon::current_num_threads(),
        level: Level::All,
        dimensions: Vec::new(),
    };
    let session = |graph: &Graph| {
        let (bytes, tensors) = graph.write_split(1024);
        runtime.session(&bytes, &Weights { tensors, ..Weights::default() }, &plan)
    };
    let forward = session(&folded)?;
    let names = (image.input.clone(), image.output.clone());
    let mut backward = session(&gradient_graph(folded).map_err(failed)?)?;
    let side = description.image.size as usize;
    let pull = normal(0, width);
    let x = picture(side, &description.image.mean, &description.image.deviation);
    let outputs = backward.run(&[
        ("image", Input::F32(&[1, 3, side, side], &x)),
        ("embedding_gradient", Input::F32(&[1, width], &pull)),
    ])?;
    let gradient = outputs.f32("image_gradient")?.1.to_vec();
    // The maximum of the loss.
    let loss_size = norm(outputs.f32("embedding")?.1) * norm(&pull);
    drop((outputs, backward));
    let mut probe = Probe { forward, names, side, pull };
    let mut worst: f64 = 0.0;
    for index in 0..EACH {
        // Directions that are half of the gradient's own pixels, where derivatives are large, and waves, which are independent
        // of it.
        let half: Vec<f32> = gradient
            .iter()
            .zip(uniform(1 + index, x.len()))
            .map(|(g, draw)| if draw < 0.5 { *g } else { 0.0 })
            .collect();
        for direction in [half, waves(index, side)] {
            worst = worst.max(probe.difference(&x, &gradient, direction, loss_size)?);
        }
    }
    let tolerance = if half { 0.1 } else { 0.02 };
    Ok(Gradient { worst, directions: 2 * EACH as usize, tolerance })
}

/// The encoder and the loss.
struct Probe {
    forward: Session,
    /// The names of the picture and the embedding.
    names: (String, String),
    side: usize,
    /// g, the loss's gradient with respect to the embedding.
    pull: Vec<f32>,
}

impl Probe {
    fn loss(&mut self, x: &[f32]) -> Result<f64, ClipError> {
        let (picture, embedding) = (&self.names.0, &self.names.1);
        let outputs = self.forward.run(&[(picture, Input::F32(&[1, 3, self.side, self.side], x))])?;
        Ok(dot(outputs.f32(embedding)?.1, &self.pull))
    }

    /// Returns the relative difference between the derivative along `direction` from the gradient and from differences.
    fn difference(
        &mut self,
        x: &[f32],
        gradient: &[f32],
        direction: Vec<f32>,
        loss_size: f64,
    ) -> Result<f64, ClipError> {
        let length = norm(&direction).max(f64::MIN_POSITIVE);
        let direction: Vec<f64> = direction.iter().map(|value| f64::from(*value) / length).collect();
        let expected: f64 = gradient.iter().zip(&direction).map(|(g, v)| f64::from(*g) * v).sum();
        if expected == 0.0 || !expected.is_finite() {
            return Ok(f64::INFINITY);
        }
        let size = expected.abs().max(LEAST_SLOPE * norm(gradient));
        let usual = (STEP * loss_size / expected.abs()).min(0.02 * norm(x));
        let mut central = |step: f64| -> Result<f64, ClipError> {
            let moved = |sign: f64| -> Vec<f32> {
                x.iter().zip(&direction).map(|(x, v)| (f64::from(*x) + sign * step * v) as f32).collect()
            };
            let (plus, minus) = (moved(1.0), moved(-1.0));
            // The actual step after rounding.
            let taken: f64 =
                plus.iter().zip(&minus).zip(&direction).map(|((p, m), v)| (f64::from(*p) - f64::from(*m)) * v).sum();
            Ok((self.loss(&plus)? - self.loss(&minus)?) / taken)
        };
        // Long steps leave the neighbourhood where a derivative is meaningful (small in deep networks with kinks), short ones
        // drown in rounding errors. The best step depends on the model. A wrong gradient agrees with none of them.
        let mut least = f64::INFINITY;
        for factor in [4.0, 1.0, 0.25, 1.0 / 16.0, 1.0 / 64.0, 1.0 / 256.0] {
            let step = factor * usual;
            let found = (4.0 * central(step / 2.0)? - central(step)?) / 3.0;
            least = least.min((found - expected).abs() / size);
            if least < GOOD {
                break;
            }
        }
        Ok(least)
    }
}

/// Returns a smooth picture with some grain, normalised for the encoder.
fn picture(side: usize, mean: &[f32; 3], deviation: &[f32; 3]) -> Vec<f32> {
    let (waves, grain) = (waves(17, side), uniform(40, 3 * side * side));
    let pixel = |index: usize| {
        let channel = index / (side * side);
        let value = (0.5 + 0.12 * waves[index] + 0.1 * (grain[index] - 0.5)).clamp(0.02, 0.98);
        (value - mean[channel]) / deviation[channel]
    };
    (0..3 * side * side).map(pixel).collect()
}

/// Returns a sum of a few random waves in each channel, values about -1 to 1: `[3, side, side]`.
fn waves(seed: u64, side: usize) -> Vec<f32> {
    let draws = uniform(100 + seed, 3 * 6 * 4);
    let mut values = Vec::with_capacity(3 * side * side);
    for channel in draws.chunks(6 * 4) {
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            let at = |wave: &[f32]| {
                let (a, b) = (1.0 + 5.0 * wave[0], 1.0 + 5.0 * wave[1]);
                let turn = (a * row as f32 + b * column as f32) / side as f32 + wave[2];
                (turn * std::f32::consts::TAU).sin() * (0.5 + wave[3])
            };
            values.push(channel.chunks(4).map(at).sum::<f32>() / 2.4);
        }
    }
    values
}

/// Returns `count` draws from 0..1.
fn uniform(seed: u64, count: usize) -> Vec<f32> {
    let draws = Draws::new(seed);
    (0..count as u64).map(|index| draws.unit(index) as f32).collect()
}

/// Returns `count` normal draws.
fn normal(seed: u64, count: usize) -> Vec<f32> {
    let draws = Draws::new(seed);
    (0..count as u64).map(|index| draws.normal_pair(index)[0] as f32).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}
