//! Our own operators, as onnxruntime calls them: the kernels of `recipe-render-kernels`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kernels::{Axis, Bottleneck, BottleneckGradient, Instructions, Layers, Shape};
use ort::operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput};
use ort::session::builder::PrepackedWeights;
use ort::value::{DynTensorValueType, TensorElementType, ValueRef};
use recipe_render_kernels as kernels;

use crate::onnx::{BOTTLENECK, BottleneckSizes, DOMAIN, GRADIENT};

/// The number of channels in the middle of a bottleneck has to be a multiple of this.
pub const BOTTLENECK_LANES: usize = Shape::LANES;

/// Weights in the form in which kernels read them, ours and onnxruntime's, prepared when a session first needs them and
/// kept for all sessions that are given them. These must be of graphs with the same weights, in which nodes of one name
/// have the same weights: graphs that were made from one model, for batches of several sizes.
#[derive(Clone, Default)]
pub struct Prepared {
    forward: ByNode<Bottleneck>,
    backward: ByNode<BottleneckGradient>,
    packed: Arc<OnceLock<PrepackedWeights>>,
}

impl Prepared {
    /// Returns the weights that onnxruntime has packed.
    pub(super) fn packed(&self) -> &PrepackedWeights {
        self.packed.get_or_init(PrepackedWeights::new)
    }
}

/// Prepared weights by the name of their node, with the sizes they were prepared for.
type ByNode<T> = Arc<Mutex<HashMap<String, (Shape, Arc<T>)>>>;

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

/// Returns our operators, for sessions that share what is prepared.
///
/// # Errors
/// onnxruntime refuses them.
pub(super) fn domain(prepared: &Prepared) -> ort::Result<OperatorDomain> {
    let Prepared { forward, backward, .. } = prepared.clone();
    OperatorDomain::new(DOMAIN)?.add(Forward(forward))?.add(Backward(backward))
}

thread_local! {
    /// Memory for values in the middle of a bottleneck: a thread runs one kernel at a time.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

struct Forward(ByNode<Bottleneck>);

struct Backward(ByNode<BottleneckGradient>);

struct ForwardKernel {
    prepared: Arc<Bottleneck>,
    shape: Shape,
    expands: bool,
}

struct BackwardKernel {
    prepared: Arc<BottleneckGradient>,
    shape: Shape,
    expands: bool,
}

const FLOATS: TensorElementType = TensorElementType::Float32;
const MARKS: TensorElementType = TensorElementType::Uint8;

impl Operator for Forward {
    type Kernel<'attr> = ForwardKernel;

    fn name(&self) -> &str {
        BOTTLENECK
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        let required = std::iter::repeat_with(|| OperatorInput::required(FLOATS)).take(5);
        required.chain(std::iter::repeat_with(|| OperatorInput::optional(FLOATS)).take(2))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(FLOATS), OperatorOutput::optional(MARKS), OperatorOutput::optional(MARKS)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<ForwardKernel> {
        let (shape, bounds) = sizes(context)?;
        let weights = Constants::of(context, &[1, 2, 3, 4, 5, 6])?;
        let part = |number: usize| weights.get(number);
        let expands = part(5).is_some();
        let layers = Layers {
            expand: part(5).zip(part(6)),
            filter: part(1).zip(part(2)).ok_or_else(misfit)?,
            project: part(3).zip(part(4)).ok_or_else(misfit)?,
        };
        let prepared = prepared(&self.0, context.node_name()?, shape, || {
            Bottleneck::new(Instructions::best(), shape, bounds, &layers)
        })?;
        Ok(ForwardKernel { prepared, shape, expands })
    }
}

impl Operator for Backward {
    type Kernel<'attr> = BackwardKernel;

    fn name(&self) -> &str {
        GRADIENT
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [
            OperatorInput::required(FLOATS),
            OperatorInput::required(FLOATS),
            OperatorInput::required(FLOATS),
            OperatorInput::required(MARKS),
            OperatorInput::optional(FLOATS),
            OperatorInput::optional(MARKS),
        ]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(FLOATS)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<BackwardKernel> {
        let (shape, _) = sizes(context)?;
        let weights = Constants::of(context, &[1, 2, 4])?;
        let [_, wide, out] = shape.channels;
        let (no_bias, no_last) = (vec![0.0; wide], vec![0.0; out]);
        let expands = weights.get(4).is_some();
        let layers = Layers {
            expand: weights.get(4).map(|w| (w, no_bias.as_slice())),
            filter: (weights.get(1).ok_or_else(misfit)?, &no_bias),
            project: (weights.get(2).ok_or_else(misfit)?, &no_last),
        };
        let prepared = prepared(&self.0, context.node_name()?, shape, || {
            BottleneckGradient::new(Instructions::best(), shape, &layers)
        })?;
        Ok(BackwardKernel { prepared, shape, expands })
    }
}

impl Kernel for ForwardKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let [_, wide, out] = self.shape.channels;
        let [rows, columns] = self.shape.axes;
        let x = input(context, 0)?;
        let (dims, x) = x.try_extract_tensor::<f32>()?;
        let count = batch(dims)?;
        let mut z = context.output(0, [count, rows.output, columns.output, out].map(size))?.ok_or_else(misfit)?;
        let (_, z) = z.try_extract_tensor_mut::<f32>()?;
        let spread = [count, rows.output, columns.output, wide];
        let widened = [count, rows.input, columns.input, wide];
        // Where nothing is differentiated, marks go nowhere.
        let told = context.num_outputs()?;
        let mut second = if told > 1 { context.output(1, spread.map(size))? } else { None };
        let mut first = if told > 2 && self.expands { context.output(2, widened.map(size))? } else { None };
        let (mut nowhere, mut nowhere_wide) = (Vec::new(), Vec::new());
        let second = match &mut second {
            Some(value) => value.try_extract_tensor_mut::<u8>()?.1,
            None => {
                nowhere.resize(spread.iter().product(), 0);
                nowhere.as_mut_slice()
            }
        };
        let first = match &mut first {
            Some(value) => value.try_extract_tensor_mut::<u8>()?.1,
            None if self.expands => {
                nowhere_wide.resize(widened.iter().product(), 0);
                nowhere_wide.as_mut_slice()
            }
            None => nowhere_wide.as_mut_slice(),
        };
        SCRATCH.with_borrow_mut(|scratch| self.prepared.run(x, z, [first, second], scratch));
        Ok(())
    }
}

impl Kernel for BackwardKernel {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let [narrow, ..] = self.shape.channels;
        let [rows, columns] = self.shape.axes;
        let (dz, second) = (input(context, 0)?, input(context, 3)?);
        let first = if self.expands { Some(input(context, 5)?) } else { None };
        let (dims, dz) = dz.try_extract_tensor::<f32>()?;
        let (_, second) = second.try_extract_tensor::<u8>()?;
        let first = match &first {
            Some(value) => value.try_extract_tensor::<u8>()?.1,
            None => &[],
        };
        let shape = [batch(dims)?, rows.input, columns.input, narrow];
        let mut dx = context.output(0, shape.map(size))?.ok_or_else(misfit)?;
        let (_, dx) = dx.try_extract_tensor_mut::<f32>()?;
        SCRATCH.with_borrow_mut(|scratch| self.prepared.run(dz, dx, [first, second], scratch));
        Ok(())
    }
}

/// Reads a node's attributes: the sizes, and the bounds after the first two layers.
fn sizes(context: &KernelContext) -> ort::Result<(Shape, [[f32; 2]; 2])> {
    let [channels, axes, bounds] = BottleneckSizes::ATTRIBUTES;
    let channels: Vec<i64> = context.get(channels).ok_or_else(misfit)?;
    let axes: Vec<i64> = context.get(axes).ok_or_else(misfit)?;
    let bounds: Vec<f32> = context.get(bounds).ok_or_else(misfit)?;
    let sizes = BottleneckSizes::new(&channels, &axes, &bounds).ok_or_else(misfit)?;
    let axes = sizes.axes.map(|[kernel, stride, before, input, output]| Axis { kernel, stride, before, input, output });
    Ok((Shape { channels: sizes.channels, axes }, sizes.bounds))
}

/// A node's constant inputs by their positions.
struct Constants<'a>(Vec<(usize, ValueRef<'a, DynTensorValueType>)>);

impl<'a> Constants<'a> {
    /// Reads the inputs at these positions, as far as the node has them.
    fn of(context: &KernelContext<'a>, positions: &[usize]) -> ort::Result<Self> {
        let count = context.inputs()?.len();
        let there = positions.iter().filter(|position| **position < count);
        let constant = |position: &usize| Ok((*position, context.constant_input(*position)?));
        Ok(Constants(there.map(constant).collect::<ort::Result<_>>()?))
    }

    fn get(&self, position: usize) -> Option<&[f32]> {
        let (_, value) = self.0.iter().find(|(at, _)| *at == position)?;
        value.try_extract_tensor::<f32>().ok().map(|(_, values)| values)
    }
}

/// Prepares the weights of a node, or finds them prepared for another session.
fn prepared<T>(all: &ByNode<T>, node: String, shape: Shape, make: impl FnOnce() -> Option<T>) -> ort::Result<Arc<T>> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = all.get(&node).filter(|(of, _)| *of == shape) {
        return Ok(Arc::clone(found));
    }
    let made = Arc::new(make().ok_or_else(misfit)?);
    all.insert(node, (shape, Arc::clone(&made)));
    Ok(made)
}

fn input<'a>(context: &'a ComputeContext, position: usize) -> ort::Result<ValueRef<'a>> {
    context.input(position)?.ok_or_else(misfit)
}

fn batch(dims: &[i64]) -> ort::Result<usize> {
    dims.first().and_then(|count| usize::try_from(*count).ok()).ok_or_else(misfit)
}

fn size(size: usize) -> i64 {
    size as i64
}

fn misfit() -> ort::Error {
    ort::Error::new("an inverted bottleneck's sizes do not fit together")
}
