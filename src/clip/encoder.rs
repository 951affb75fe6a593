//! The image encoder with its head: windows to similarities and window gradients.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use bytes::Bytes;
use rayon::prelude::*;

use super::{ClipError, Features, ModelFolder, head};
use crate::{
    onnx::{Graph, fold},
    runtime::{Device, Input, Level, Outputs, Runtime, RuntimeError, Session, SessionPlan, Weights},
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

/// Divides windows into batches of at most `most`, their sizes differing by one at the most; four of them (or a multiple
/// of four) where there are windows enough, so that two and four threads have equal work.
fn batches(windows: usize, most: usize) -> Vec<usize> {
    let fewest = windows.div_ceil(most);
    let even = if windows >= 8 { fewest.next_multiple_of(4) } else { fewest.next_multiple_of(2).min(windows) };
    let count = if most > 16 { fewest } else { even };
    (0..count).map(|i| windows / count + usize::from(i < windows % count)).collect()
}

/// An image encoder, ready to be asked. Sessions are made when a batch size is first met, and kept.
pub struct Encoder {
    runtime: Arc<Runtime>,
    model: ModelFolder,
    hash: String,
    device: Device,
    graph: Graph,
    train: Sessions,
    score: Sessions,
}

/// The sessions of one kind of graph, by batch size.
#[derive(Default)]
struct Sessions {
    graphs: BTreeMap<usize, Compiled>,
}

struct Compiled {
    /// How many there are, busy ones included.
    sessions: usize,
    /// Those at rest.
    idle: Mutex<Vec<Session>>,
    /// Told whenever one comes to rest.
    rested: Condvar,
}

/// Which graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Train,
    Score,
}

impl Encoder {
    /// Opens the image encoder of a model. Nothing is compiled before the first windows come.
    pub fn open(runtime: Arc<Runtime>, model: ModelFolder, device: Device) -> Result<Self, ClipError> {
        let name = model.description.name.clone();
        let bytes: Bytes = model.bytes(&model.description.image.file)?;
        let graph = Graph::read(bytes, model.folder()).map_err(|source| ClipError::Graph { model: name, source })?;
        let hash = model.hash()?;
        Ok(Encoder { runtime, model, hash, device, graph, train: Sessions::default(), score: Sessions::default() })
    }

    /// The side S of the windows in pixels.
    pub fn side(&self) -> u32 {
        self.model.description.image.size
    }

    /// The model.
    pub fn model(&self) -> &ModelFolder {
        &self.model
    }

    /// The model's hash, see [`ModelFolder::hash`].
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The similarities `[N, K]` of windows `[N, 3, S, S]` (pixels in 0..1) to the prompts.
    pub fn score(&mut self, windows: &[f32], features: &Features) -> Result<Vec<f32>, ClipError> {
        let count = windows.len() / self.window_length();
        let sizes = batches(count, micro_batch(self.device));
        self.prepare(Kind::Score, &sizes)?;
        let (length, prompts, side) = (self.window_length(), features.count(), self.side() as usize);
        let mut similarities = vec![0.0; count * prompts];
        let parts = divide(&sizes, length, windows).zip(divide_mut(&sizes, prompts, &mut similarities));
        let parts: Vec<_> = sizes.iter().copied().zip(parts).collect();
        parts.into_par_iter().try_for_each(|(size, (windows, similarities))| {
            let inputs = [
                (head::WINDOWS, Input::F32(&[size, 3, side, side], windows)),
                (head::FEATURES, Input::F32(&[prompts, features.width()], features.values())),
            ];
            self.score.run(size, &inputs, |outputs| copy(outputs.f32(head::SIMILARITY)?.1, similarities))
        })?;
        Ok(similarities)
    }

    /// The similarities `[N, K]` of windows `[N, 3, S, S]` (pixels in 0..1) to the prompts; the gradient of what is asked,
    /// with respect to the windows, goes into `gradients`.
    pub fn train(
        &mut self,
        windows: &[f32],
        questions: &Questions,
        features: &Features,
        gradients: &mut [f32],
    ) -> Result<Vec<f32>, ClipError> {
        let count = windows.len() / self.window_length();
        let sizes = batches(count, micro_batch(self.device));
        self.prepare(Kind::Train, &sizes)?;
        let (length, prompts, side) = (self.window_length(), features.count(), self.side() as usize);
        let mut similarities = vec![0.0; count * prompts];
        let given = divide(&sizes, length, windows)
            .zip(divide(&sizes, prompts, &questions.pull))
            .zip(divide(&sizes, prompts, &questions.best))
            .zip(divide(&sizes, 1, &questions.spherical));
        let wanted = divide_mut(&sizes, prompts, &mut similarities).zip(divide_mut(&sizes, length, gradients));
        let parts: Vec<_> = sizes.iter().copied().zip(given.zip(wanted)).collect();
        parts.into_par_iter().try_for_each(
            |(size, ((((windows, pull), best), spherical), (similarities, gradients)))| {
                let inputs = [
                    (head::WINDOWS, Input::F32(&[size, 3, side, side], windows)),
                    (head::FEATURES, Input::F32(&[prompts, features.width()], features.values())),
                    (head::PULL, Input::F32(&[size, prompts], pull)),
                    (head::BEST, Input::F32(&[size, prompts], best)),
                    (head::SPHERICAL, Input::F32(&[size, 1], spherical)),
                ];
                self.train.run(size, &inputs, |outputs| {
                    copy(outputs.f32(head::SIMILARITY)?.1, similarities)?;
                    copy(outputs.f32(head::GRADIENT)?.1, gradients)
                })
            },
        )?;
        Ok(similarities)
    }

    /// Values of one window.
    fn window_length(&self) -> usize {
        3 * (self.side() as usize).pow(2)
    }

    /// Makes the graphs and sessions for batches of these sizes, where there are none yet.
    fn prepare(&mut self, kind: Kind, sizes: &[usize]) -> Result<(), ClipError> {
        let most = match self.device {
            Device::Cpu => rayon::current_num_threads(),
            // A device runs one batch at a time; a second session would only take its memory.
            Device::Cuda(_) => 1,
        };
        for size in [sizes.first(), sizes.last()].into_iter().flatten() {
            let at_once = sizes.iter().filter(|s| *s == size).count().min(most);
            let sessions = match kind {
                Kind::Train => &self.train,
                Kind::Score => &self.score,
            };
            if sessions.graphs.get(size).is_some_and(|compiled| compiled.sessions >= at_once) {
                continue;
            }
            let compiled = self.compile(kind, *size, at_once)?;
            let sessions = match kind {
                Kind::Train => &mut self.train,
                Kind::Score => &mut self.score,
            };
            sessions.graphs.insert(*size, compiled);
        }
        Ok(())
    }

    fn compile(&self, kind: Kind, size: usize, sessions: usize) -> Result<Compiled, ClipError> {
        let description = &self.model.description;
        let failed = |source| ClipError::Graph { model: description.name.clone(), source };
        let (input, output) = self.ends()?;
        let folded = fold_encoder(&self.runtime, &self.graph, size).map_err(failed)?;
        let graph = match kind {
            Kind::Train => head::train(&folded, description, &input, &output),
            Kind::Score => head::score(&folded, description, &input, &output),
        };
        let (bytes, tensors) = graph.map_err(failed)?.write_split(OUTSIDE);
        let plan = SessionPlan { device: self.device, threads: 1, level: Level::All, dimensions: Vec::new() };
        let made = self.runtime.sessions(&bytes, &Weights { tensors }, &plan, sessions)?;
        Ok(Compiled { sessions: made.len(), idle: Mutex::new(made), rested: Condvar::new() })
    }

    /// The names of the encoder's picture and embedding.
    fn ends(&self) -> Result<(String, String), ClipError> {
        let description = &self.model.description;
        let choose = |named: &Option<String>, there: &[String], what: &str| {
            let chosen = match named {
                Some(name) => there.iter().find(|n| *n == name),
                None => there.first(),
            };
            chosen.cloned().ok_or_else(|| ClipError::Encoder {
                model: description.name.clone(),
                message: format!(
                    "the image encoder has no {what} `{}`; there are: {}",
                    named.as_deref().unwrap_or_default(),
                    there.join(", ")
                ),
                hint: Some(format!("name it as `{what}` in the [image] table of model.toml")),
            })
        };
        let input = choose(&description.image.input, &self.graph.inputs, "input")?;
        let output = choose(&description.image.output, &self.graph.outputs, "output")?;
        Ok((input, output))
    }
}

/// Weights of at least this many bytes stay outside the graph and are shared by its sessions.
const OUTSIDE: usize = 1024;

/// Folds an encoder for a fixed number of windows, onnxruntime doing what it can.
pub fn fold_encoder(runtime: &Runtime, graph: &Graph, windows: usize) -> Result<Graph, crate::onnx::OnnxError> {
    fold(graph.clone(), windows, |bytes: &[u8]| runtime.fold(bytes, &Weights::default(), &[]))
}

impl Sessions {
    /// Runs a batch in a session at rest. [`Encoder::prepare`] has made as many as can be busy at once.
    fn run(
        &self,
        size: usize,
        inputs: &[(&str, Input<'_>)],
        take: impl FnOnce(&Outputs) -> Result<(), RuntimeError>,
    ) -> Result<(), ClipError> {
        let none = || RuntimeError::Ort("no session is at rest".into());
        let compiled = self.graphs.get(&size).ok_or_else(none)?;
        let mut idle = compiled.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut session = loop {
            match idle.pop() {
                Some(session) => break session,
                // More workers than sessions, as on a GPU.
                None => idle = compiled.rested.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        let result = session.run(inputs).and_then(|outputs| take(&outputs));
        compiled.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        compiled.rested.notify_one();
        Ok(result?)
    }
}

/// Copies an output to where it belongs.
fn copy(from: &[f32], to: &mut [f32]) -> Result<(), RuntimeError> {
    if from.len() != to.len() {
        return Err(RuntimeError::Ort(format!("an output has {} values where {} were expected", from.len(), to.len())));
    }
    to.copy_from_slice(from);
    Ok(())
}

/// A slice divided into batches of rows of `length` values.
fn divide<'a>(sizes: &'a [usize], length: usize, values: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
    sizes.iter().scan(values, move |rest, size| {
        let (part, after) = rest.split_at(size * length);
        *rest = after;
        Some(part)
    })
}

/// The same, to be written.
fn divide_mut<'a>(sizes: &'a [usize], length: usize, values: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> {
    let mut rest = values;
    sizes.iter().map(move |size| {
        let (part, after) = std::mem::take(&mut rest).split_at_mut(size * length);
        rest = after;
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_even_and_divide_among_threads() {
        assert_eq!(batches(14, 8), [4, 4, 3, 3]);
        assert_eq!(batches(16, 8), [4; 4]);
        assert_eq!(batches(3, 8), [2, 1]);
        assert_eq!(batches(1, 8), [1]);
        assert_eq!(batches(40, 8).iter().sum::<usize>(), 40);
        assert!(batches(1000, 8).iter().all(|b| *b <= 8));
    }
}
