//! The image encoder with its head: windows to similarities and window gradients.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use rayon::prelude::*;

use super::{ClipError, Features, ModelFolder, head};
use crate::{
    onnx::{Graph, fold},
    runtime::{Device, Input, Level, Runtime, Session, SessionPlan, Weights},
};

/// What windows are trained for: matrices `[N, K]` over N windows and K prompts, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// Weights of the loss of each prompt, selection aside; negative where the prompt is to be avoided.
    pub pull: Vec<f32>,
    /// Weights, positive, of the prompts that compete for the window: only the most similar one counts.
    pub best: Vec<f32>,
    /// `[N]`: 1 for the spherical loss, 0 for the cosine loss.
    pub spherical: Vec<f32>,
}

impl Questions {
    /// Nothing asked of `windows` windows and `prompts` prompts.
    pub fn new(windows: usize, prompts: usize) -> Self {
        let matrix = vec![0.0; windows * prompts];
        Questions { pull: matrix.clone(), best: matrix, spherical: vec![0.0; windows] }
    }
}

/// Windows in one run of a session at the most, by device. A property of the plan, not of the threads, so that the
/// number of threads cannot change a bit; small enough that two threads share the windows of a common step evenly.
fn micro_batch(device: Device) -> usize {
    match device {
        Device::Cpu => 8,
        Device::Cuda(_) => 64,
    }
}

/// Divides windows into as few batches of at most `most` as will do, their sizes differing by one at the most.
fn batches(windows: usize, most: usize) -> Vec<usize> {
    let count = windows.div_ceil(most);
    (0..count).map(|i| windows / count + usize::from(i < windows % count)).collect()
}

/// An image encoder, ready to be asked. Sessions are made when a batch size is first met, and kept.
pub struct Encoder {
    runtime: Arc<Runtime>,
    model: ModelFolder,
    hash: String,
    device: Device,
    graph: Graph,
    weights: Weights,
    train: Sessions,
    score: Sessions,
}

/// The sessions of one kind of graph: by batch size the graph's bytes and the sessions that are at rest.
#[derive(Default)]
struct Sessions {
    graphs: BTreeMap<usize, Compiled>,
}

struct Compiled {
    bytes: Vec<u8>,
    weights: Weights,
    idle: Mutex<Vec<Session>>,
}

/// Which graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Train,
    Score,
}
