//! The image encoder with its head: windows to similarities and window gradients.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use rayon::prelude::*;

use super::{Cancel, ClipError, Features, ImageGraph, ModelFolder, features::Squares, head, head::Extras};
use crate::{
    machine,
    onnx::{Graph, fuse_bottlenecks},
    plan::Loss,
    runtime::{
        BOTTLENECK_LANES, Device, Input, Level, Outputs, Prepared, Runtime, RuntimeError, Session, SessionPlan,
        Weights, aligned,
    },
};

/// The training targets of windows: matrices `[N, K]` over N windows and K prompts, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// The weight of each prompt in the loss, without selection; negative for prompts to avoid.
    pub pull: Vec<f32>,
    /// The weights, positive, of the prompts that compete for the window: only the most similar one counts.
    pub best: Vec<f32>,
    /// The factor on similarities before prompts are compared; negative if the least similar one is to win.
    pub scale: Vec<f32>,
    /// The offset added after that factor, before prompts are compared.
    pub offset: Vec<f32>,
    /// The similarity at which a prompt stops pulling; prompts to avoid act from there on.
    pub stop: Vec<f32>,
    /// `[N]`: 0 where the winner takes all; otherwise the inverse of the temperature at which competing prompts share the
    /// window.
    pub sharpness: Vec<f32>,
    /// The distance measure between windows and prompts, for each prompt of each window.
    pub loss: Vec<Loss>,
}

/// A similarity that no window reaches.
pub const NEVER: f32 = 4.0;

impl Questions {
    /// Creates empty questions for `windows` windows and `prompts` prompts.
    pub fn new(windows: usize, prompts: usize) -> Self {
        let matrix = vec![0.0; windows * prompts];
        Questions {
            scale: vec![1.0; matrix.len()],
            stop: vec![NEVER; matrix.len()],
            pull: matrix.clone(),
            offset: matrix.clone(),
            best: matrix,
            sharpness: vec![0.0; windows],
            loss: vec![Loss::Cosine; windows * prompts],
        }
    }
}

/// Returns the maximum number of windows in one run of a session, by device. It depends on the plan, not on the threads, so the
/// number of threads cannot change a bit. It is small enough that two threads share the windows of a common step evenly.
fn micro_batch(device: Device) -> usize {
    match device {
        Device::Cpu => 8,
        Device::Cuda(_) => 64,
    }
}

/// Divides windows into batches of at most `most`, with sizes that differ by at most one. With enough windows, the number of
/// batches is a multiple of four, so that two or four threads have equal work.
fn batches(windows: usize, most: usize) -> Vec<usize> {
    let fewest = windows.div_ceil(most);
    let even = if windows >= 8 { fewest.next_multiple_of(4) } else { fewest.next_multiple_of(2).min(windows) };
    let count = if most > 16 { fewest } else { even };
    (0..count).map(|i| windows / count + usize::from(i < windows % count)).collect()
}

/// An image encoder, ready to run. Sessions are created when a batch size is first needed, and kept.
pub struct Encoder {
    runtime: Arc<Runtime>,
    model: ModelFolder,
    hash: String,
    device: Device,
    cancel: Cancel,
    graph: ImageGraph,
    /// What the sessions of all batch sizes and kinds share.
    prepared: Prepared,
    train: Sessions,
    score: Sessions,
    embed: Sessions,
}

/// The sessions of one kind of graph, by batch size and extras.
#[derive(Default)]
struct Sessions {
    graphs: BTreeMap<Shape, Compiled>,
    /// Runs so far.
    uses: u64,
}

/// What distinguishes the graphs of one kind: the batch size and the extras.
type Shape = (usize, Extras);

struct Compiled {
    /// The number of the run that used it last.
    used: u64,
    /// The number of sessions, busy ones included.
    sessions: usize,
    /// The idle sessions.
    idle: Mutex<Vec<Session>>,
    /// Notified whenever a session becomes idle.
    rested: Condvar,
}

/// The kinds of graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Train,
    Score,
    Embed,
}

impl Encoder {
    /// Opens the image encoder of a model. Nothing is compiled until the first windows arrive.
    ///
    /// `hash` is the model's, see [`ModelFolder::hash`].
    pub fn open(runtime: Arc<Runtime>, model: ModelFolder, hash: String, device: Device) -> Result<Self, ClipError> {
        let name = &model.description.name;
        let mut graph = model.graph(&model.description.image.file)?;
        // Sessions use aligned weights in place; unaligned ones would be copied for each session.
        for tensor in graph.constants.values_mut() {
            tensor.data = aligned(&tensor.data, tensor.data_type.size());
        }
        let graph = ImageGraph::new(graph, Some(&model.description.image), name)?;
        Ok(Encoder {
            runtime,
            model,
            hash,
            device,
            cancel: Cancel::default(),
            graph,
            prepared: Prepared::default(),
            train: Sessions::default(),
            score: Sessions::default(),
            embed: Sessions::default(),
        })
    }

    /// Makes the encoder stop with [`ClipError::Cancelled`] before its next batch of windows once `cancel` is set.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Returns the side S of the windows in pixels.
    pub fn side(&self) -> u32 {
        self.model.description.image.size
    }

    /// Returns the model.
    pub fn model(&self) -> &ModelFolder {
        &self.model
    }

    /// Returns the model's hash, see [`ModelFolder::hash`].
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Returns the device it runs on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Returns the similarities `[N, K]` of windows `[N, 3, S, S]` (pixels in 0..1) to the prompts.
    pub fn score(&mut self, windows: &[f32], features: &Features) -> Result<Vec<f32>, ClipError> {
        let count = windows.len() / self.window_length();
        let sizes = self.batches(count);
        let squares = features.squares();
        let extras = Extras::squares(squares.is_some());
        self.prepare(Kind::Score, &sizes, extras, Some(features.width()))?;
        let (length, prompts, side) = (self.window_length(), features.count(), self.side() as usize);
        let mut similarities = vec![0.0; count * prompts];
        let parts = divide(&sizes, length, windows).zip(divide_mut(&sizes, prompts, &mut similarities));
        let parts: Vec<_> = sizes.iter().copied().zip(parts).collect();
        parts.into_par_iter().try_for_each(|(size, (windows, similarities))| {
            self.cancel.check()?;
            let (windows_of, features_of) = ([size, 3, side, side], [prompts, features.width()]);
            let mut inputs = vec![
                (head::WINDOWS, Input::F32(&windows_of, windows)),
                (head::FEATURES, Input::F32(&features_of, features.values())),
            ];
            inputs.extend(squares.into_iter().flat_map(quadratic));
            self.score.run((size, extras), &inputs, |outputs| copy(outputs.f32(head::SIMILARITY)?.1, similarities))
        })?;
        Ok(similarities)
    }

    /// Returns the embeddings `[N, D]` of windows `[N, 3, S, S]` (pixels in 0..1), each of unit length.
    pub fn embed(&mut self, windows: &[f32]) -> Result<Vec<f32>, ClipError> {
        let sizes = self.batches(windows.len() / self.window_length());
        self.prepare(Kind::Embed, &sizes, Extras::default(), None)?;
        let (length, side) = (self.window_length(), self.side() as usize);
        let parts: Vec<(usize, &[f32])> = sizes.iter().copied().zip(divide(&sizes, length, windows)).collect();
        let embeddings: Vec<Vec<f32>> = parts
            .into_par_iter()
            .map(|(size, windows)| {
                self.cancel.check()?;
                let inputs = [(head::WINDOWS, Input::F32(&[size, 3, side, side], windows))];
                let mut embeddings = Vec::new();
                self.embed.run((size, Extras::default()), &inputs, |outputs| {
                    embeddings.extend_from_slice(outputs.f32(head::EMBEDDING)?.1);
                    Ok(())
                })?;
                Ok(embeddings)
            })
            .collect::<Result<_, ClipError>>()?;
        let embeddings = embeddings.concat();
        if !embeddings.iter().all(|value| value.is_finite()) {
            let message = "the image encoder gives no numbers for a picture".to_owned();
            return Err(ClipError::Encoder { model: self.model.description.name.clone(), message, hint: None });
        }
        Ok(embeddings)
    }

    /// Returns the similarities `[N, K]` of windows `[N, 3, S, S]` (pixels in 0..1) to the prompts, and writes the gradient of
    /// the loss with respect to the windows to `gradients`.
    pub fn train(
        &mut self,
        windows: &[f32],
        questions: &Questions,
        features: &Features,
        gradients: &mut [f32],
    ) -> Result<Vec<f32>, ClipError> {
        let count = windows.len() / self.window_length();
        let sizes = self.batches(count);
        let squares = features.squares();
        let extras = Extras::of(&questions.loss) | Extras::squares(squares.is_some());
        self.prepare(Kind::Train, &sizes, extras, Some(features.width()))?;
        // One matrix for each loss that needs an input: 1 where a prompt of a window is trained by that loss.
        let told: Vec<(&str, Vec<f32>)> = extras
            .inputs()
            .map(|(name, loss)| (name, questions.loss.iter().map(|own| f32::from(u8::from(*own == loss))).collect()))
            .collect();
        let (length, prompts, side) = (self.window_length(), features.count(), self.side() as usize);
        let mut similarities = vec![0.0; count * prompts];
        let given = divide(&sizes, length, windows)
            .zip(divide(&sizes, prompts, &questions.pull))
            .zip(divide(&sizes, prompts, &questions.best))
            .zip(divide(&sizes, prompts, &questions.scale))
            .zip(divide(&sizes, prompts, &questions.offset))
            .zip(divide(&sizes, prompts, &questions.stop))
            .zip(divide(&sizes, 1, &questions.sharpness))
            .zip(starts(&sizes));
        let wanted = divide_mut(&sizes, prompts, &mut similarities).zip(divide_mut(&sizes, length, gradients));
        let parts: Vec<_> = sizes.iter().copied().zip(given.zip(wanted)).collect();
        parts.into_par_iter().try_for_each(|(size, (given, (similarities, gradients)))| {
            self.cancel.check()?;
            let (((((((windows, pull), best), scale), offset), stop), sharpness), start) = given;
            let column = [size, 1];
            let matrix = [size, prompts];
            let (windows_of, features_of) = ([size, 3, side, side], [prompts, features.width()]);
            let mut inputs = vec![
                (head::WINDOWS, Input::F32(&windows_of, windows)),
                (head::FEATURES, Input::F32(&features_of, features.values())),
                (head::PULL, Input::F32(&matrix, pull)),
                (head::BEST, Input::F32(&matrix, best)),
                (head::SCALE, Input::F32(&matrix, scale)),
                (head::OFFSET, Input::F32(&matrix, offset)),
                (head::STOP, Input::F32(&matrix, stop)),
                (head::SHARPNESS, Input::F32(&column, sharpness)),
            ];
            inputs
                .extend(told.iter().map(|(name, told)| {
                    (*name, Input::F32(&matrix, &told[start * prompts..(start + size) * prompts]))
                }));
            inputs.extend(squares.into_iter().flat_map(quadratic));
            self.train.run((size, extras), &inputs, |outputs| {
                copy(outputs.f32(head::SIMILARITY)?.1, similarities)?;
                copy(outputs.f32(head::GRADIENT)?.1, gradients)
            })
        })?;
        Ok(similarities)
    }

    /// Returns the batch sizes for `windows` windows; if the graph was exported for a fixed batch size, that size is used.
    fn batches(&self, windows: usize) -> Vec<usize> {
        match self.graph.batch().filter(|fixed| (1..=micro_batch(self.device)).contains(fixed)) {
            Some(fixed) => {
                let rest = windows % fixed;
                std::iter::repeat_n(fixed, windows / fixed).chain((rest > 0).then_some(rest)).collect()
            }
            None => batches(windows, micro_batch(self.device)),
        }
    }

    /// Returns the number of values of one window.
    fn window_length(&self) -> usize {
        3 * (self.side() as usize).pow(2)
    }

    /// Compiles missing graphs and sessions for batches of these sizes. `width` is the features' length.
    fn prepare(&mut self, kind: Kind, sizes: &[usize], extras: Extras, width: Option<usize>) -> Result<(), ClipError> {
        let most = match self.device {
            Device::Cpu => rayon::current_num_threads(),
            // A GPU runs one batch at a time; a second session would only take its memory.
            Device::Cuda(_) => 1,
        };
        for size in [sizes.first(), sizes.last()].into_iter().flatten() {
            let at_once = sizes.iter().filter(|s| *s == size).count().min(most);
            let shape = (*size, extras);
            if self.sessions(kind).graphs.get(&shape).is_some_and(|compiled| compiled.sessions >= at_once) {
                continue;
            }
            let compiled = self.compile(kind, shape, at_once, width)?;
            self.sessions(kind).graphs.insert(shape, compiled);
        }
        self.sessions(kind).forget(sizes, extras);
        Ok(())
    }

    fn sessions(&mut self, kind: Kind) -> &mut Sessions {
        match kind {
            Kind::Train => &mut self.train,
            Kind::Score => &mut self.score,
            Kind::Embed => &mut self.embed,
        }
    }

    fn compile(
        &self,
        kind: Kind,
        (size, extras): Shape,
        sessions: usize,
        features: Option<usize>,
    ) -> Result<Compiled, ClipError> {
        let description = &self.model.description;
        let failed = |source| ClipError::Graph { model: description.name.clone(), source };
        let mut folded = self.graph.fold(&self.runtime, size)?;
        let width = self.graph.check(&folded, size, self.side())?;
        if let Some(features) = features.filter(|features| *features != width) {
            let message = format!("the image encoder's embeddings have {width} numbers, the text encoder's {features}");
            let hint = Some("do both belong to the same model? see the outputs named in model.toml".to_owned());
            return Err(ClipError::Encoder { model: description.name.clone(), message, hint });
        }
        if self.device == Device::Cpu {
            fuse_bottlenecks(&mut folded, BOTTLENECK_LANES);
        }
        let (input, output) = (&self.graph.input, &self.graph.output);
        let graph = match kind {
            Kind::Train => head::train(&folded, description, input, output, extras),
            Kind::Score => head::score(&folded, description, input, output, extras),
            Kind::Embed => head::embed(&folded, description, input, output),
        };
        let graph = graph.map_err(failed)?;
        if self.device == Device::Cpu {
            afford(&graph, &description.name, size, sessions)?;
        }
        let packable = graph.second_factors();
        let (bytes, tensors) = graph.write_split(OUTSIDE);
        let plan = SessionPlan { device: self.device, threads: 1, level: Level::All, dimensions: Vec::new() };
        let prepared = self.prepared.clone();
        let made = self.runtime.sessions(&bytes, &Weights { tensors, packable, prepared }, &plan, sessions)?;
        Ok(Compiled { used: 0, sessions: made.len(), idle: Mutex::new(made), rested: Condvar::new() })
    }
}

/// Returns an error if there is no memory for the sessions: otherwise the kernel would kill the process without a message.
fn afford(graph: &Graph, model: &str, size: usize, sessions: usize) -> Result<(), ClipError> {
    let weights: u64 = graph.constants.values().map(|tensor| tensor.data.len() as u64).sum();
    let needed = needed(graph.working_bytes().saturating_mul(sessions as u64), weights, sessions);
    match machine::room() {
        Some(room) if needed > room.bytes => {
            Err(ClipError::Memory { model: model.to_owned(), windows: size, sessions, needed, room })
        }
        _ => Ok(()),
    }
}

/// Returns the memory of sessions in bytes, for the values they hold at once and for weights. The factors were measured with
/// onnxruntime 1.32 in a control group, with the embedded model and a ViT-B/32 at 1 to 16 windows (reliability.md).
fn needed(values: u64, weights: u64, sessions: usize) -> u64 {
    // Sessions pack weights. All but the first pack them before they notice that packed ones exist already.
    let (kept, under_way) = if sessions > 1 { (1.5, 2.4) } else { (1.3, 1.4) };
    let (values, weights) = (values as f64, weights as f64);
    let seen = (1.3 * values + kept * weights).max(under_way * weights);
    // A margin for the rest of the render, and for file pages that the kernel does not reclaim in time.
    (1.05 * seen) as u64 + (48 << 20)
}

/// Weights of at least this many bytes are stored outside the graph and shared by its sessions.
pub(super) const OUTSIDE: usize = 1024;

/// The maximum number of graphs whose sessions are kept, unless more are in use: each packs its own weights, which takes
/// memory.
const KEPT: usize = 4;

impl Sessions {
    /// Records the graphs in use, and drops the sessions of the least recently used ones.
    fn forget(&mut self, sizes: &[usize], extras: Extras) {
        self.uses += 1;
        for size in sizes {
            if let Some(compiled) = self.graphs.get_mut(&(*size, extras)) {
                compiled.used = self.uses;
            }
        }
        while self.graphs.len() > KEPT {
            let oldest = self.graphs.iter().min_by_key(|(_, compiled)| compiled.used);
            match oldest.map(|(size, compiled)| (*size, compiled.used)) {
                Some((size, used)) if used < self.uses => self.graphs.remove(&size),
                _ => break,
            };
        }
    }

    /// Runs a batch in an idle session. [`Encoder::prepare`] has created as many as can be busy at once.
    fn run(
        &self,
        shape: Shape,
        inputs: &[(&str, Input<'_>)],
        take: impl FnOnce(&Outputs) -> Result<(), RuntimeError>,
    ) -> Result<(), ClipError> {
        let none = || RuntimeError::Ort("no session is idle".into());
        let compiled = self.graphs.get(&shape).ok_or_else(none)?;
        let mut idle = compiled.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let session = loop {
            match idle.pop() {
                Some(session) => break session,
                // More workers than sessions, as on a GPU.
                None => idle = compiled.rested.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        let mut busy = Busy { compiled, session: Some(session) };
        let session = busy.session.as_mut().ok_or_else(none)?;
        let outputs = session.run(inputs)?;
        Ok(take(&outputs)?)
    }
}

/// A session at work. Dropping it always returns the session, so no thread waits for it in vain.
struct Busy<'a> {
    compiled: &'a Compiled,
    session: Option<Session>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.compiled.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.session.take());
        self.compiled.rested.notify_one();
    }
}

/// Returns the additional inputs of a graph with squares.
fn quadratic(squares: &Squares) -> [(&'static str, Input<'_>); 2] {
    let [axes, factors] = &squares.shapes;
    [(head::AXES, Input::F32(axes, &squares.axes)), (head::SQUARES, Input::F32(factors, &squares.factors))]
}

/// Copies an output to its destination.
fn copy(from: &[f32], to: &mut [f32]) -> Result<(), RuntimeError> {
    if from.len() != to.len() {
        return Err(RuntimeError::Ort(format!("an output has {} values where {} were expected", from.len(), to.len())));
    }
    to.copy_from_slice(from);
    Ok(())
}

/// Divides a slice into batches of rows of `length` values.
fn divide<'a>(sizes: &'a [usize], length: usize, values: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
    sizes.iter().scan(values, move |rest, size| {
        let (part, after) = rest.split_at(size * length);
        *rest = after;
        Some(part)
    })
}

/// Returns the index of each batch's first window.
fn starts(sizes: &[usize]) -> impl Iterator<Item = usize> {
    sizes.iter().scan(0, |next, size| {
        let start = *next;
        *next += size;
        Some(start)
    })
}

/// Divides a mutable slice like [`divide`].
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

    #[test]
    fn memory_is_a_little_more_than_was_seen() {
        // In megabytes: the values of all sessions, their weights, the number of sessions, and the measured memory.
        for (values, weights, sessions, seen) in [
            (57, 90, 1, 189),
            (114, 90, 2, 286),
            (228, 90, 2, 432),
            (456, 90, 2, 724),
            (36, 334, 2, 833),
            (146, 334, 2, 834),
        ] {
            let needed = needed(values << 20, weights << 20, sessions) >> 20;
            assert!((seen..seen + seen / 3).contains(&needed), "{values} {weights} {sessions}: {needed}");
        }
    }
}
