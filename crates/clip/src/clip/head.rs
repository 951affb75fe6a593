//! The head: the operators before and after the image encoder, so that one run gives scores and window gradients.
//!
//! In front, pixels are normalised as in the model's training. Behind, embeddings e become unit vectors u = e / |e|, and
//! similarities s = u F' to the prompt features F `[K, D]`. A session cannot pause between forward and backward pass, so
//! selection and loss are part of the graph:
//!
//! ```text
//! z = scale s + offset                                                 what prompts compete by, [N, K]
//! h = [z is the greatest among those with best > 0]                    where the winner takes all
//! h = softmax(sharpness z) over those with best > 0                    where they share
//! w = pull + best h                                                    weight of each prompt, [N, K]
//! w = 0 where w > 0 and s >= stop, or w < 0 and s < stop               shown enough, or far enough away
//! dl/ds = -1                                                           cosine loss     l = 1 - s
//! dl/ds = -acos(s) / sqrt(1 - s^2)                                     spherical loss  l = 2 asin(|u - f| / 2)^2 = acos(s)^2 / 2
//! dl/ds = -1 / sqrt(2 - 2 s)                                           l2              l = |u - f| = sqrt(2 - 2 s)
//! dl/du = sign(u - f)                                                  l1              l = sum over i of |u_i - f_i|
//! dl/de = -f                                                           dot             l = -e . f
//! dL/du = (w * dl/ds) F + sum over k of w_k dl/du                      [N, D], a seed of the backward pass
//! dL/de = sum over k of w_k dl/de                                      [N, D], another one, in front of the normalisation
//! ```
//!
//! Each prompt of each window has its own loss. The last three are part of the graph only if they are used: see [`Extras`].
//!
//! A direction is treated like any other prompt. Its row of F is w / |w|, of unit length, so its log-odds are z = |w| s + b,
//! and a pull of weight a on z equals one of weight a |w| on s with the cosine loss, whatever the loss of the others. If
//! directions are quadratic,
//!
//! ```text
//! s = u F' + (u V')^2 Q                                                V [R, D] their axes, Q [R, K] what squares count for
//! dL/du = g F + 2 ((g Q') * (u V')) V                                  g = w * dl/ds, [N, K]
//! ```

use std::ops::BitOr;

use super::Description;
use crate::onnx::{Builder, DataType, Dim, Graph, OnnxError, ValueType, differentiate};
use crate::plan::Loss;

/// Input: windows `[N, 3, S, S]`, pixels in 0..1.
pub const WINDOWS: &str = "recipe/windows";
/// Input: prompt features `[K, D]` of unit length.
pub const FEATURES: &str = "recipe/features";
/// Input: weights `[N, K]` of prompts that do not compete.
pub const PULL: &str = "recipe/pull";
/// Input: weights `[N, K]` of prompts that compete.
pub const BEST: &str = "recipe/best";
/// Input: the factor on similarities before prompts are compared, `[N, K]`.
pub const SCALE: &str = "recipe/scale";
/// Input: the offset added after that, `[N, K]`. The compared values are at most 1e6 in size.
pub const OFFSET: &str = "recipe/offset";
/// Input: similarities `[N, K]` at which prompts stop pulling.
pub const STOP: &str = "recipe/stop";
/// Input: `[N, 1]`, 0 where the winner takes all, otherwise the inverse of a temperature.
pub const SHARPNESS: &str = "recipe/sharpness";
/// Input: `[N, K]`, 1 for the spherical loss and 0 for the cosine loss.
pub const SPHERICAL: &str = "recipe/spherical";
/// Input of a graph with that loss: `[N, K]`, 1 where it is used and 0 elsewhere.
pub const DOT: &str = "recipe/dot";
/// As [`DOT`].
pub const L1: &str = "recipe/l1";
/// As [`DOT`].
pub const L2: &str = "recipe/l2";
/// Input of a graph with squares: `[R, D]`, the axes along which directions are quadratic.
pub const AXES: &str = "recipe/axes";
/// See [`AXES`]: `[R, K]`, the factor of the square along an axis in a prompt's similarity.
pub const SQUARES: &str = "recipe/squares";
/// Output: similarities `[N, K]`.
pub const SIMILARITY: &str = "recipe/similarity";
/// Output: embeddings of unit length `[N, D]`.
pub const EMBEDDING: &str = "recipe/embedding";
/// Output: the gradient of the loss, `[N, 3, S, S]`.
pub const GRADIENT: &str = "recipe/gradient";

/// The optional parts of a graph: for training, losses other than the cosine and the spherical one; quadratic directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Extras {
    dot: bool,
    l1: bool,
    l2: bool,
    squares: bool,
}

impl Extras {
    /// Returns the extras for quadratic directions, if there are any.
    pub fn squares(there: bool) -> Self {
        Extras { squares: there, ..Extras::default() }
    }

    /// Returns the extras for windows trained by these losses.
    pub fn of(losses: &[Loss]) -> Self {
        losses.iter().map(|loss| Extras::one(*loss)).fold(Extras::default(), Extras::bitor)
    }

    fn one(loss: Loss) -> Self {
        Extras { dot: loss == Loss::Dot, l1: loss == Loss::L1, l2: loss == Loss::L2, squares: false }
    }

    /// Returns the inputs that select the loss of each prompt, [`SPHERICAL`] among them.
    pub fn inputs(self) -> impl Iterator<Item = (&'static str, Loss)> {
        [
            (true, SPHERICAL, Loss::Spherical),
            (self.dot, DOT, Loss::Dot),
            (self.l1, L1, Loss::L1),
            (self.l2, L2, Loss::L2),
        ]
        .into_iter()
        .filter_map(|(there, name, loss)| there.then_some((name, loss)))
    }
}

impl BitOr for Extras {
    type Output = Extras;

    fn bitor(self, other: Extras) -> Extras {
        Extras {
            dot: self.dot | other.dot,
            l1: self.l1 | other.l1,
            l2: self.l2 | other.l2,
            squares: self.squares | other.squares,
        }
    }
}

/// Builds the forward graph: windows and features in, similarities out. `encoder` is folded for N windows; `input` and `output`
/// are the names of its picture and its embedding.
pub fn score(
    encoder: &Graph,
    description: &Description,
    input: &str,
    output: &str,
    extras: Extras,
) -> Result<Graph, OnnxError> {
    let mut graph = encoder.clone();
    compare(&mut graph, description, input, output, extras.squares)?;
    graph.outputs = vec![SIMILARITY.into()];
    graph.prune();
    graph.sort()?;
    Ok(graph)
}

/// Builds the graph for image prompts: windows in, embeddings of unit length `[N, D]` out. `encoder`, `input` and `output` as
/// for [`score`].
pub fn embed(encoder: &Graph, description: &Description, input: &str, output: &str) -> Result<Graph, OnnxError> {
    let mut graph = encoder.clone();
    let Compared { unit, .. } = compare(&mut graph, description, input, output, false)?;
    Builder::new(&mut graph, "recipe").op_into("Identity", &[&unit], &[], EMBEDDING);
    graph.outputs = vec![EMBEDDING.into()];
    graph.inputs.retain(|name| name != FEATURES);
    graph.prune();
    graph.sort()?;
    Ok(graph)
}

/// Builds the training graph: like [`score`], with the loss's weights as further inputs and the window gradients as a further
/// output.
pub fn train(
    encoder: &Graph,
    description: &Description,
    input: &str,
    output: &str,
    extras: Extras,
) -> Result<Graph, OnnxError> {
    let mut graph = encoder.clone();
    let Compared { unit, raw, seen } = compare(&mut graph, description, input, output, extras.squares)?;
    let windows = graph.static_shape(WINDOWS)?[0];
    let matrix =
        ValueType { data_type: DataType::F32, dims: Some(vec![Dim::Known(windows), Dim::Named("prompts".into())]) };
    for name in [PULL, BEST, SCALE, OFFSET, STOP].into_iter().chain(extras.inputs().map(|(name, _)| name)) {
        graph.inputs.push(name.into());
        graph.types.insert(name.into(), matrix.clone());
    }
    graph.inputs.push(SHARPNESS.into());
    graph.types.insert(SHARPNESS.into(), ValueType::fixed(DataType::F32, &[windows, 1]));

    let shape = graph.static_shape(&unit)?;
    let embeddings = ValueType::fixed(DataType::F32, &shape);
    let mut b = Builder::new(&mut graph, "recipe");
    let weight = select(&mut b);
    let slope = slope(&mut b, extras);
    let pulls = b.op("Mul", &[&weight, &slope]);
    let mut seed = b.op("MatMul", &[&pulls, FEATURES]);
    if let Some(seen) = seen {
        let factors = b.transpose(SQUARES, &[1, 0]);
        let along = b.op("MatMul", &[&pulls, &factors]);
        let along = b.op("Mul", &[&along, &seen]);
        let twice = b.op("Add", &[&along, &along]);
        let bent = b.op("MatMul", &[&twice, AXES]);
        seed = b.op("Add", &[&seed, &bent]);
    }
    if extras.l1 {
        let signs = signs(&mut b, &unit, &weight, &shape);
        seed = b.op("Add", &[&seed, &signs]);
    }
    let mut seeds = vec![(unit.as_str(), seed)];
    if extras.dot {
        let pulls = b.op("Mul", &[&weight, DOT]);
        let pulls = b.op("Neg", &[&pulls]);
        seeds.push((raw.as_str(), b.op("MatMul", &[&pulls, FEATURES])));
    }
    for (_, seed) in &seeds {
        graph.types.insert(seed.clone(), embeddings.clone());
    }
    let seeds: Vec<(&str, &str)> = seeds.iter().map(|(value, seed)| (*value, seed.as_str())).collect();
    let gradient = differentiate(&mut graph, &seeds, &[WINDOWS])?.remove(0);
    Builder::new(&mut graph, "recipe").op_into("Identity", &[&gradient], &[], GRADIENT);
    graph.outputs = vec![SIMILARITY.into(), GRADIENT.into()];
    graph.prune();
    Ok(graph)
}

/// The names of the values that [`compare`] has added behind the encoder.
struct Compared {
    /// The unit embeddings, `[N, D]`.
    unit: String,
    /// The embeddings before normalisation, `[N, D]`.
    raw: String,
    /// The projections onto the axes of quadratic directions, `[N, R]`.
    seen: Option<String>,
}

/// Adds the normalisation of pixels in front and the similarities behind.
fn compare(
    graph: &mut Graph,
    description: &Description,
    input: &str,
    output: &str,
    squares: bool,
) -> Result<Compared, OnnxError> {
    let shape = graph.static_shape(input)?;
    let embedding = graph.static_shape(output)?;
    let width: usize = embedding.iter().skip(1).product();
    let taken: Vec<usize> =
        (0..graph.nodes.len()).filter(|i| graph.nodes[*i].inputs.iter().any(|name| name == input)).collect();
    graph.inputs.retain(|name| name != input);
    graph.inputs.push(WINDOWS.into());
    graph.types.insert(WINDOWS.into(), ValueType::fixed(DataType::F32, &shape));
    graph.inputs.push(FEATURES.into());
    let dims = vec![Dim::Named("prompts".into()), Dim::Known(width)];
    graph.types.insert(FEATURES.into(), ValueType { data_type: DataType::F32, dims: Some(dims) });
    if squares {
        let matrix = |columns| [Dim::Named("axes".into()), columns].to_vec();
        for (name, columns) in [(AXES, Dim::Known(width)), (SQUARES, Dim::Named("prompts".into()))] {
            graph.inputs.push(name.into());
            graph.types.insert(name.into(), ValueType { data_type: DataType::F32, dims: Some(matrix(columns)) });
        }
    }
    let input_type = graph.data_type(input);

    let mut b = Builder::new(graph, "recipe");
    let image = &description.image;
    let mut pixels = WINDOWS.to_owned();
    // Most of the time is spent in the encoder, but leaving out identity operators is free.
    if image.mean != [0.0; 3] {
        let mean = b.floats("mean", &[1, 3, 1, 1], &image.mean.map(f64::from), WINDOWS);
        pixels = b.op("Sub", &[&pixels, &mean]);
    }
    if image.deviation != [1.0; 3] {
        let factor = b.floats("factor", &[1, 3, 1, 1], &image.deviation.map(|d| 1.0 / f64::from(d)), WINDOWS);
        pixels = b.op("Mul", &[&pixels, &factor]);
    }
    if let Some(wanted) = input_type.filter(|t| *t != DataType::F32) {
        pixels = b.op_with("Cast", &[&pixels], &[("to", i64::from(wanted as i32).into())]);
    }
    let mut raw = output.to_owned();
    if b.graph().data_type(output).is_some_and(|t| t != DataType::F32) {
        raw = b.op_with("Cast", &[&raw], &[("to", i64::from(DataType::F32 as i32).into())]);
    }
    let flat = b.reshape(&raw, &[shape[0], width]);
    let square = b.op("Mul", &[&flat, &flat]);
    let sum = b.reduce("ReduceSum", &square, &[1], true);
    // Keeps a zero embedding, and its gradient, finite.
    let tiny = b.scalar(1e-12, &sum);
    let sum = b.op("Add", &[&sum, &tiny]);
    let norm = b.op("Sqrt", &[&sum]);
    let unit = b.op("Div", &[&flat, &norm]);
    let columns = b.transpose(FEATURES, &[1, 0]);
    let seen = if squares {
        let dots = b.op("MatMul", &[&unit, &columns]);
        let axes = b.transpose(AXES, &[1, 0]);
        let seen = b.op("MatMul", &[&unit, &axes]);
        let square = b.op("Mul", &[&seen, &seen]);
        let more = b.op("MatMul", &[&square, SQUARES]);
        b.op_into("Add", &[&dots, &more], &[], SIMILARITY);
        Some(seen)
    } else {
        b.op_into("MatMul", &[&unit, &columns], &[], SIMILARITY);
        None
    };

    for node in taken {
        for name in &mut graph.nodes[node].inputs {
            if name == input {
                name.clone_from(&pixels);
            }
        }
    }
    graph.sort()?;
    Ok(Compared { unit, raw: flat, seen })
}

/// Adds the selection: the weight of each prompt in the loss of each window, `[N, K]`.
fn select(b: &mut Builder<'_>) -> String {
    let zero = b.scalar(0.0, SIMILARITY);
    let competes = b.op("Greater", &[BEST, &zero]);
    let scaled = b.op("Mul", &[SIMILARITY, SCALE]);
    let moved = b.op("Add", &[&scaled, OFFSET]);
    // Below all compared values, and still finite when multiplied by any sharpness (at most 1000).
    let nothing = b.scalar(-1e30, SIMILARITY);
    let candidates = b.op("Where", &[&competes, &moved, &nothing]);
    let greatest = b.reduce("ReduceMax", &candidates, &[1], true);
    let wins = b.op("Equal", &[&candidates, &greatest]);
    let won = b.op("Where", &[&wins, BEST, &zero]);
    let behind = b.op("Sub", &[&candidates, &greatest]);
    let exponent = b.op("Mul", &[&behind, SHARPNESS]);
    let power = b.op("Exp", &[&exponent]);
    let power = b.op("Where", &[&competes, &power, &zero]);
    let sum = b.reduce("ReduceSum", &power, &[1], true);
    // For windows without competing prompts.
    let tiny = b.scalar(1e-12, SIMILARITY);
    let sum = b.op("Max", &[&sum, &tiny]);
    let share = b.op("Div", &[&power, &sum]);
    let shared = b.op("Mul", &[&share, BEST]);
    let share = b.op("Greater", &[SHARPNESS, &zero]);
    let chosen = b.op("Where", &[&share, &shared, &won]);
    let weight = b.op("Add", &[PULL, &chosen]);
    let avoided = b.op("Less", &[&weight, &zero]);
    let reached = b.op("GreaterOrEqual", &[SIMILARITY, STOP]);
    let settled = b.op("Xor", &[&avoided, &reached]);
    b.op("Where", &[&settled, &zero, &weight])
}

/// Adds the sum over prompts of their weight times sign(u - f), for prompts trained by L1: `[N, D]`, which is `shape`.
fn signs(b: &mut Builder<'_>, unit: &str, weight: &str, shape: &[usize]) -> String {
    let apart = b.reshape(unit, &[shape[0], 1, shape[1]]);
    let difference = b.op("Sub", &[&apart, FEATURES]);
    let sign = b.op("Sign", &[&difference]);
    let own = b.op("Mul", &[weight, L1]);
    let axes = b.ints(&[1]);
    let own = b.op("Unsqueeze", &[&own, &axes]);
    let sum = b.op("MatMul", &[&own, &sign]);
    b.reshape(&sum, shape)
}

/// Adds dl/ds for each loss, `[N, K]`; 0 for losses that are not a function of the similarity.
///
/// With r = |s|, acos(r) = sqrt(1 - r) p(r), where p is the polynomial 4.4.46 of Abramowitz and Stegun, "Handbook of
/// mathematical functions" (error below 2e-8). So acos(s) / sqrt(1 - s^2) is p(r) / sqrt(1 + r) for s >= 0, without the
/// 0 / 0 of the definition at s = 1; and (pi - acos(r)) / sqrt(1 - r^2) for s < 0. Not the operator `Acos`, which CUDA lacks.
fn slope(b: &mut Builder<'_>, extras: Extras) -> String {
    const P: [f64; 8] = [
        1.570_796_305_0,
        -0.214_598_801_6,
        0.088_978_987_4,
        -0.050_174_304_6,
        0.030_891_881_0,
        -0.017_088_125_6,
        0.006_670_090_1,
        -0.001_262_491_1,
    ];
    let one = b.scalar(1.0, SIMILARITY);
    let zero = b.scalar(0.0, SIMILARITY);
    let magnitude = b.op("Abs", &[SIMILARITY]);
    // Rounding may push a cosine slightly past 1, and s = -1 is a true pole.
    let limit = b.scalar(0.999_999, SIMILARITY);
    let r = b.op("Min", &[&magnitude, &limit]);
    let mut p = b.scalar(P[7], SIMILARITY);
    for coefficient in P[..7].iter().rev() {
        let c = b.scalar(*coefficient, SIMILARITY);
        p = b.op("Mul", &[&p, &r]);
        p = b.op("Add", &[&p, &c]);
    }
    let sum = b.op("Add", &[&one, &r]);
    let root_sum = b.op("Sqrt", &[&sum]);
    let ahead = b.op("Div", &[&p, &root_sum]);
    let rest = b.op("Sub", &[&one, &r]);
    let root_rest = b.op("Sqrt", &[&rest]);
    let pi = b.scalar(std::f64::consts::PI, SIMILARITY);
    let product = b.op("Mul", &[&root_sum, &root_rest]);
    let pole = b.op("Div", &[&pi, &product]);
    let behind = b.op("Sub", &[&pole, &ahead]);
    let positive = b.op("GreaterOrEqual", &[SIMILARITY, &zero]);
    let spherical = b.op("Where", &[&positive, &ahead, &behind]);
    // 1 + spherical * (slope - 1), negated: the loss falls as similarity rises.
    let difference = b.op("Sub", &[&spherical, &one]);
    let chosen = b.op("Mul", &[SPHERICAL, &difference]);
    let mut total = b.op("Add", &[&chosen, &one]);
    // Exactly 1 for windows trained by the cosine or the spherical loss, so their bits do not change.
    for (other, _) in extras.inputs().filter(|(name, _)| *name != SPHERICAL) {
        let share = b.op("Sub", &[&one, other]);
        total = b.op("Mul", &[&total, &share]);
    }
    if extras.l2 {
        // 1 / |u - f| has its pole at f itself, where the target is already reached.
        let rest = b.op("Sub", &[&one, SIMILARITY]);
        let double = b.op("Add", &[&rest, &rest]);
        let tiny = b.scalar(1e-6, SIMILARITY);
        let square = b.op("Max", &[&double, &tiny]);
        let distance = b.op("Sqrt", &[&square]);
        let steep = b.op("Div", &[L2, &distance]);
        total = b.op("Add", &[&total, &steep]);
    }
    b.op("Neg", &[&total])
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
