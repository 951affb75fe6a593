//! Infers types and sizes of a node's outputs from those of its inputs.
//!
//! onnxruntime infers all of this for a model once; here it is done for the nodes that we append to a folded one.
//! `None` means unknown, never that something is wrong.
//!
//! Attributes and constants come from unchecked files. The product of known sizes never overflows (`addressable`); all
//! other arithmetic is checked.

use super::graph::{Graph, Node, ValueType, addressable};
use super::tensor::DataType;
use super::window::{Window, transposed_output};

type Shape = Vec<usize>;

/// Returns the types of the node's outputs, as far as they follow from static shapes.
pub(super) fn infer(graph: &Graph, node: &Node) -> Vec<Option<ValueType>> {
    let none = vec![None; node.outputs.len()];
    if !node.domain.is_empty() {
        return super::bottleneck::infer(graph, node).unwrap_or(none);
    }
    let shapes = NodeContext { graph, node }.shapes().unwrap_or_default();
    let data_types = data_types(graph, node);
    let known = |i: usize| {
        let shape = shapes.get(i).filter(|shape| addressable(shape))?;
        Some(ValueType::fixed(data_types[i]?, shape))
    };
    (0..node.outputs.len()).map(known).collect()
}

/// Returns the element types of the node's outputs, as far as they follow from those of its inputs.
pub(super) fn data_types(graph: &Graph, node: &Node) -> Vec<Option<DataType>> {
    let none = vec![None; node.outputs.len()];
    if !node.domain.is_empty() || node.has_subgraph() {
        return none;
    }
    let context = NodeContext { graph, node };
    let named = |name: &str| DataType::from_onnx(i32::try_from(node.int(name)?).ok()?);
    let one = match node.operator.as_str() {
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Not" | "And" | "Or" | "Xor" | "IsNaN"
        | "IsInf" => Some(DataType::Bool),
        "ArgMax" | "ArgMin" | "Shape" | "Size" | "NonZero" => Some(DataType::I64),
        "MatMulInteger" | "ConvInteger" => Some(DataType::I32),
        "Where" => context.data_type(1).or_else(|| context.data_type(2)),
        "CastLike" | "DequantizeLinear" => context.data_type(1),
        "OneHot" => context.data_type(2),
        "QuantizeLinear" => Some(context.data_type(2).or_else(|| named("output_dtype")).unwrap_or(DataType::U8)),
        "QLinearConv" | "QLinearMatMul" => context.data_type(7),
        "Cast" => named("to"),
        "ConstantOfShape" => match node.attributes.get("value") {
            Some(super::graph::Attribute::Tensor(tensor)) => Some(tensor.data_type),
            _ => Some(DataType::F32),
        },
        "EyeLike" => named("dtype").or_else(|| context.data_type(0)),
        name if name.contains("Sequence") || name.starts_with("Optional") || name.starts_with("Random") => None,
        _ => context.data_type(0),
    };
    let several = |i: usize| match i {
        // Positions.
        1 if node.is("TopK") || node.is("MaxPool") => Some(DataType::I64),
        1 | 2 if node.is("LayerNormalization") => Some(statistics_type(node)),
        0 | 2 if node.is("DynamicQuantizeLinear") => Some(DataType::U8),
        1.. if node.is("Unique") => Some(DataType::I64),
        _ => one,
    };
    (0..node.outputs.len()).map(several).collect()
}

/// Returns the type of a `LayerNormalization`'s mean and inverse deviation, which does not depend on that of its
/// values.
fn statistics_type(node: &Node) -> DataType {
    node.int("stash_type").and_then(|n| DataType::from_onnx(i32::try_from(n).ok()?)).unwrap_or(DataType::F32)
}

struct NodeContext<'a> {
    graph: &'a Graph,
    node: &'a Node,
}

impl NodeContext<'_> {
    fn data_type(&self, input: usize) -> Option<DataType> {
        self.graph.data_type(self.node.input(input)?)
    }

    fn shape(&self, input: usize) -> Option<Shape> {
        self.graph.shape(self.node.input(input)?)
    }

    fn values(&self, input: usize) -> Option<Vec<i64>> {
        self.graph.constants.get(self.node.input(input)?)?.to_i64()
    }

    /// Returns an input's values as sizes.
    fn sizes(&self, input: usize) -> Option<Shape> {
        self.values(input)?.into_iter().map(|v| usize::try_from(v).ok()).collect()
    }

    /// Returns the axis attribute, or its default, counted from the front, if it is within `rank`.
    fn axis(&self, rank: usize, default: i64) -> Option<usize> {
        axis(self.node.int("axis").unwrap_or(default), rank)
    }

    /// Returns the sizes of the node's outputs.
    fn shapes(&self) -> Option<Vec<Shape>> {
        let one = |shape: Option<Shape>| Some(vec![shape?]);
        match self.node.operator.as_str() {
            // Arithmetic.
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" | "Sum" | "Mean" | "Where" | "Equal" | "Greater"
            | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "PRelu" => one(self.elementwise()),
            "MatMul" => one(matmul(self.shape(0)?, self.shape(1)?)),
            "Gemm" => one(self.gemm()),
            "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2" | "ReduceProd"
            | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => one(self.reduction()),
            "ArgMax" | "ArgMin" => one(self.position_of_extreme()),
            "LayerNormalization" => self.layer_normalization(),
            operator if LIKE_FIRST.contains(&operator) => one(self.shape(0)),

            // The same values in another shape.
            "Reshape" => one(reshape(&self.shape(0)?, &self.values(1)?)),
            "Flatten" => one(self.flatten()),
            "Transpose" => one(self.transpose()),
            "Squeeze" => one(self.squeeze()),
            "Unsqueeze" => one(unsqueezed(&self.shape(0)?, &self.values(1)?)),
            "DepthToSpace" => one(self.depth_to_space()),
            "SpaceToDepth" => one(self.space_to_depth()),

            // Some of the values, or some of them several times.
            "Concat" => one(self.concat()),
            "Split" => self.split(),
            "Slice" => one(self.slice()),
            "Gather" => one(self.gather()),
            "GatherElements" => one(self.shape(1)),
            "GatherND" => one(self.gather_nd()),
            "TopK" => self.top_k(),
            "Expand" => one(self.expand()),
            "Tile" => one(self.tile()),
            "Pad" => one(self.pad()),

            // Pictures.
            "Conv" => one(self.conv()),
            "ConvTranspose" => one(self.conv_transpose()),
            "AveragePool" | "MaxPool" | "LpPool" => self.pool(),
            "GlobalAveragePool" | "GlobalMaxPool" => one(self.global_pool()),
            "Resize" => one(self.resize()),

            // Values made of sizes.
            "Shape" => one(Some(vec![self.shape(0)?.len()])),
            "OneHot" => one(self.one_hot()),
            _ => None,
        }
    }
}

/// Arithmetic.
impl NodeContext<'_> {
    fn elementwise(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        for input in 1..self.node.inputs.len() {
            shape = broadcast(&shape, &self.shape(input)?)?;
        }
        Some(shape)
    }

    fn gemm(&self) -> Option<Shape> {
        let (a, b) = (self.shape(0)?, self.shape(1)?);
        let flip = |name: &str| self.node.int(name).unwrap_or(0) != 0;
        Some(vec![*a.get(usize::from(flip("transA")))?, *b.get(usize::from(!flip("transB")))?])
    }

    fn reduction(&self) -> Option<Shape> {
        let shape = self.shape(0)?;
        let axes = reduction_axes(self.graph, self.node, shape.len())?;
        Some(reduced(&shape, &axes, self.keeps_axes()))
    }

    fn position_of_extreme(&self) -> Option<Shape> {
        let shape = self.shape(0)?;
        let axis = self.axis(shape.len(), 0)?;
        Some(reduced(&shape, &[axis], self.keeps_axes()))
    }

    /// Whether the axes that a reduction runs over stay, with a size of 1.
    fn keeps_axes(&self) -> bool {
        self.node.int("keepdims").unwrap_or(1) != 0
    }

    /// Returns the sizes of the values, of the means, and of the inverse deviations.
    fn layer_normalization(&self) -> Option<Vec<Shape>> {
        let shape = self.shape(0)?;
        let axis = self.axis(shape.len(), -1)?;
        let rest: Vec<usize> = (axis..shape.len()).collect();
        let statistics = reduced(&shape, &rest, true);
        Some(vec![shape, statistics.clone(), statistics])
    }
}

/// The same values in another shape.
impl NodeContext<'_> {
    fn flatten(&self) -> Option<Shape> {
        let shape = self.shape(0)?;
        let at = match self.node.int("axis").unwrap_or(1) {
            end if end == shape.len() as i64 => shape.len(),
            other => axis(other, shape.len())?,
        };
        Some(vec![shape[..at].iter().product(), shape[at..].iter().product()])
    }

    fn transpose(&self) -> Option<Shape> {
        let shape = self.shape(0)?;
        let order = permutation(self.node, shape.len())?;
        Some(order.into_iter().map(|a| shape[a]).collect())
    }

    fn squeeze(&self) -> Option<Shape> {
        let shape = self.shape(0)?;
        let axes: Vec<usize> = match self.node.input(1) {
            Some(_) => self.values(1)?.into_iter().map(|a| axis(a, shape.len())).collect::<Option<_>>()?,
            None => (0..shape.len()).filter(|a| shape[*a] == 1).collect(),
        };
        Some(reduced(&shape, &axes, false))
    }

    fn depth_to_space(&self) -> Option<Shape> {
        let [n, c, h, w]: [usize; 4] = self.shape(0)?.try_into().ok()?;
        let (block, square) = block(self.node)?;
        Some(vec![n, c / square, h.checked_mul(block)?, w.checked_mul(block)?])
    }

    fn space_to_depth(&self) -> Option<Shape> {
        let [n, c, h, w]: [usize; 4] = self.shape(0)?.try_into().ok()?;
        let (block, square) = block(self.node)?;
        Some(vec![n, c.checked_mul(square)?, h / block, w / block])
    }
}

/// Some of the values, or some of them several times.
impl NodeContext<'_> {
    fn concat(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        let axis = self.axis(shape.len(), 0)?;
        for input in 1..self.node.inputs.len() {
            shape[axis] = shape[axis].checked_add(*self.shape(input)?.get(axis)?)?;
        }
        Some(shape)
    }

    fn split(&self) -> Option<Vec<Shape>> {
        let shape = self.shape(0)?;
        let axis = self.axis(shape.len(), 0)?;
        let parts = split_sizes(self.graph, self.node, shape[axis])?;
        let part = |size: usize| {
            let mut shape = shape.clone();
            shape[axis] = size;
            shape
        };
        Some(parts.into_iter().map(part).collect())
    }

    fn slice(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        for cut in slice_cuts(self.graph, self.node, &shape)? {
            shape[cut.axis] = cut.count;
        }
        Some(shape)
    }

    fn gather(&self) -> Option<Shape> {
        let (shape, indices) = (self.shape(0)?, self.shape(1)?);
        let axis = self.axis(shape.len(), 0)?;
        Some([&shape[..axis], &indices, &shape[axis + 1..]].concat())
    }

    fn gather_nd(&self) -> Option<Shape> {
        let (shape, indices) = (self.shape(0)?, self.shape(1)?);
        let (tuple, rest) = indices.split_last()?;
        let shared = usize::try_from(self.node.int("batch_dims").unwrap_or(0)).ok()?;
        Some([rest, shape.get(shared.checked_add(*tuple)?..)?].concat())
    }

    /// Returns the sizes of the values and of their positions.
    fn top_k(&self) -> Option<Vec<Shape>> {
        let mut shape = self.shape(0)?;
        let axis = self.axis(shape.len(), -1)?;
        shape[axis] = usize::try_from(*self.values(1)?.first()?).ok()?;
        Some(vec![shape.clone(), shape])
    }

    fn expand(&self) -> Option<Shape> {
        broadcast(&self.shape(0)?, &self.sizes(1)?)
    }

    fn tile(&self) -> Option<Shape> {
        let repeats = self.values(1)?;
        let shape = self.shape(0)?;
        shape.iter().zip(repeats).map(|(s, r)| s.checked_mul(usize::try_from(r).ok()?)).collect()
    }

    fn pad(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        for (axis, before, after) in pads(self.graph, self.node, shape.len())? {
            let size = i64::try_from(shape[axis]).ok()?.checked_add(before)?.checked_add(after)?;
            shape[axis] = usize::try_from(size).ok()?;
        }
        Some(shape)
    }
}

/// Pictures, and what is made of sizes.
impl NodeContext<'_> {
    fn conv(&self) -> Option<Shape> {
        let (x, w) = (self.shape(0)?, self.shape(1)?);
        let window = Window::of(self.node, &x, w.get(2..)?)?;
        Some([&[x[0], w[0]], window.output.as_slice()].concat())
    }

    fn conv_transpose(&self) -> Option<Shape> {
        let (x, w) = (self.shape(0)?, self.shape(1)?);
        let spatial = transposed_output(self.node, x.get(2..)?, w.get(2..)?)?;
        let channels = w[1].checked_mul(usize::try_from(self.node.int("group").unwrap_or(1)).ok()?)?;
        Some([&[x[0], channels], spatial.as_slice()].concat())
    }

    /// Returns the sizes of the values and, if they are wanted, of their positions.
    fn pool(&self) -> Option<Vec<Shape>> {
        let x = self.shape(0)?;
        let kernel = self.node.ints("kernel_shape")?.iter().map(|k| usize::try_from(*k).ok());
        let kernel: Vec<usize> = kernel.collect::<Option<_>>()?;
        let window = Window::of(self.node, &x, &kernel)?;
        Some(vec![[x.get(..2)?, &window.output].concat(); self.node.outputs.len()])
    }

    fn global_pool(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        shape.iter_mut().skip(2).for_each(|s| *s = 1);
        Some(shape)
    }

    fn resize(&self) -> Option<Shape> {
        let node = self.node;
        if node.input(3).is_some() && node.ints("axes").is_none() && node.text("keep_aspect_ratio_policy").is_none() {
            return self.sizes(3);
        }
        let scales = self.graph.constants.get(node.input(2)?)?.to_f64()?;
        let shape = self.shape(0)?;
        let scaled = || shape.iter().zip(&scales).map(|(s, k)| (*s as f64 * k).floor() as usize).collect();
        (scales.len() == shape.len()).then(scaled)
    }

    fn one_hot(&self) -> Option<Shape> {
        let mut shape = self.shape(0)?;
        let depth = usize::try_from(*self.values(1)?.first()?).ok()?;
        let at = axis(self.node.int("axis").unwrap_or(-1), shape.len() + 1)?;
        shape.insert(at, depth);
        Some(shape)
    }
}

/// Operators whose only output has the sizes of their first input.
const LIKE_FIRST: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BatchNormalization",
    "Cast",
    "CastLike",
    "Ceil",
    "Clip",
    "Cos",
    "Cosh",
    "CumSum",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "IsNaN",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "Mish",
    "Neg",
    "Not",
    "Reciprocal",
    "Relu",
    "Round",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Trilu",
];

/// Returns an axis counted from the front, if it is within `rank`.
pub(super) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(counted).ok().filter(|a| *a < rank)
}

/// Returns the sizes that both shapes broadcast to, if they are compatible.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| if i + shape.len() < rank { 1 } else { shape[i + shape.len() - rank] };
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

fn matmul(a: Shape, b: Shape) -> Option<Shape> {
    let (rows, columns) = (a.len() > 1, b.len() > 1);
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let a_batch = &a[..a.len().saturating_sub(2)];
    let b_batch = &b[..b.len().saturating_sub(2)];
    let mut shape = broadcast(a_batch, b_batch)?;
    if rows {
        shape.push(a[a.len() - 2]);
    }
    if columns {
        shape.push(b[b.len() - 1]);
    }
    Some(shape)
}

fn reshape(from: &[usize], to: &[i64]) -> Option<Shape> {
    let mut shape: Vec<usize> = Vec::new();
    let mut open = None;
    for (i, &size) in to.iter().enumerate() {
        shape.push(match size {
            -1 => {
                open = Some(i);
                1
            }
            0 => *from.get(i)?,
            size => usize::try_from(size).ok()?,
        });
    }
    if let Some(open) = open {
        let rest = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size))?;
        let total: usize = from.iter().product();
        if rest == 0 || !total.is_multiple_of(rest) {
            return None;
        }
        shape[open] = total / rest;
    }
    Some(shape)
}

fn reduced(shape: &[usize], axes: &[usize], keep: bool) -> Shape {
    let sized = shape.iter().enumerate();
    if keep {
        sized.map(|(a, s)| if axes.contains(&a) { 1 } else { *s }).collect()
    } else {
        sized.filter(|(a, _)| !axes.contains(a)).map(|(_, s)| *s).collect()
    }
}

fn unsqueezed(shape: &[usize], axes: &[i64]) -> Option<Shape> {
    let rank = shape.len() + axes.len();
    let new: Vec<usize> = axes.iter().map(|a| axis(*a, rank)).collect::<Option<_>>()?;
    let mut old = shape.iter();
    (0..rank).map(|a| if new.contains(&a) { Some(1) } else { old.next().copied() }).collect()
}

/// Returns the block size of a `DepthToSpace` or `SpaceToDepth`, at least 1, and its square.
pub(super) fn block(node: &Node) -> Option<(usize, usize)> {
    let block = usize::try_from(node.int("blocksize")?).ok().filter(|b| *b > 0)?;
    Some((block, block.checked_mul(block)?))
}

/// Returns a `Transpose`'s order of axes.
pub(super) fn permutation(node: &Node, rank: usize) -> Option<Vec<usize>> {
    match node.ints("perm") {
        None => Some((0..rank).rev().collect()),
        Some(perm) => {
            (perm.len() == rank).then_some(())?;
            perm.iter().map(|a| axis(*a, rank)).collect()
        }
    }
}

/// Returns the axes that a reduction runs over.
pub(super) fn reduction_axes(graph: &Graph, node: &Node, rank: usize) -> Option<Vec<usize>> {
    let axes = match node.input(1) {
        Some(name) => graph.constants.get(name)?.to_i64()?,
        None => Vec::new(),
    };
    if axes.is_empty() {
        return Some(if node.int("noop_with_empty_axes").unwrap_or(0) != 0 { vec![] } else { (0..rank).collect() });
    }
    axes.into_iter().map(|a| axis(a, rank)).collect()
}

/// Returns the sizes of a `Split`'s parts.
pub(super) fn split_sizes(graph: &Graph, node: &Node, whole: usize) -> Option<Vec<usize>> {
    match node.input(1) {
        Some(name) => graph.constants.get(name)?.to_i64()?.into_iter().map(|v| usize::try_from(v).ok()).collect(),
        None => {
            let parts = node.outputs.len().max(1);
            let each = whole.div_ceil(parts);
            Some((0..parts).map(|i| each.min(whole.saturating_sub(i * each))).collect())
        }
    }
}

/// One axis of a `Slice`: element `i` of the result is element `start + i * step` of the source.
pub(super) struct Cut {
    pub axis: usize,
    pub start: usize,
    pub step: i64,
    pub count: usize,
}

/// Returns the axes that a `Slice` with constant bounds cuts.
pub(super) fn slice_cuts(graph: &Graph, node: &Node, shape: &[usize]) -> Option<Vec<Cut>> {
    let values = |input: usize| graph.constants.get(node.input(input)?)?.to_i64();
    let (starts, ends) = (values(1)?, values(2)?);
    let axes = match node.input(3) {
        Some(_) => values(3)?,
        None => (0..starts.len() as i64).collect(),
    };
    let steps = match node.input(4) {
        Some(_) => values(4)?,
        None => vec![1; starts.len()],
    };
    let mut cuts = Vec::new();
    for (i, a) in axes.iter().enumerate() {
        let axis = axis(*a, shape.len())?;
        let (size, step) = (shape[axis] as i64, *steps.get(i)?);
        // Bounds as in Python, but clamped first: i64::MAX and i64::MIN stand for "to the end".
        let bound = |value: i64, low: i64, high: i64| {
            let counted = if value < 0 { value.saturating_add(size) } else { value };
            counted.clamp(low, high)
        };
        let (start, end) = match step {
            0 => return None,
            _ if size == 0 => (0, 0),
            1.. => (bound(*starts.get(i)?, 0, size), bound(*ends.get(i)?, 0, size)),
            _ => (bound(*starts.get(i)?, 0, size - 1), bound(*ends.get(i)?, -1, size - 1)),
        };
        let span = if step > 0 { end - start } else { start - end };
        let count = if span <= 0 { 0 } else { (span as u64).div_ceil(step.unsigned_abs()) };
        cuts.push(Cut { axis, start: start.max(0) as usize, step, count: count as usize });
    }
    Some(cuts)
}

/// Returns a `Pad`'s constant amounts as (axis, before, after); negative ones crop.
pub(super) fn pads(graph: &Graph, node: &Node, rank: usize) -> Option<Vec<(usize, i64, i64)>> {
    let amounts = graph.constants.get(node.input(1)?)?.to_i64()?;
    let axes: Vec<usize> = match node.input(3) {
        Some(name) => graph.constants.get(name)?.to_i64()?.into_iter().map(|a| axis(a, rank)).collect::<Option<_>>()?,
        None => (0..rank).collect(),
    };
    (amounts.len() == 2 * axes.len()).then_some(())?;
    let half = axes.len();
    Some(axes.into_iter().enumerate().map(|(i, a)| (a, amounts[i], amounts[half + i])).collect())
}
