//! Inverted bottlenecks as one operator of our own, with its sizes and its gradient.
//!
//! MobileNetV2, EfficientNet-lite and their relatives consist of these:
//!
//! ```text
//! x ─ Conv 1x1 ─ Clip or Relu ─ Conv of each channel ─ Clip or Relu ─ Conv 1x1 ─ z
//! ```
//!
//! where the first two may be missing. A runtime that has [`BOTTLENECK`] and [`GRADIENT`] can compute them without
//! writing the wide values in the middle to memory. Both keep channels last, so a `Transpose` is put before and after;
//! between two bottlenecks, runtimes remove these.
//!
//! | operator | inputs | outputs |
//! | --- | --- | --- |
//! | `InvertedBottleneck` | x `[N, H, W, input]`; weights and bias of the filter `[middle, 1, kernel...]`, of the last product `[output, middle, 1, 1]`, of the first one `[middle, input, 1, 1]`, if there is one | z `[N, H', W', output]`; where the filter's values are strictly between their bounds `[N, H', W', middle]` (u8); where those of the first product are, `[N, H, W, middle]`, if there is one |
//! | `InvertedBottleneckGradient` | dz; weights of the filter and of the last product; the filter's marks; weights and marks of the first product, if there is one | dx |

use std::collections::{HashMap, HashSet};

use super::builder::Builder;
use super::graph::{Attribute, Graph, Node, ValueType};
use super::tensor::{DataType, Tensor};
use super::window::Window;
use crate::gradient::{Gradients, Rule};

/// The domain of our own operators.
pub const DOMAIN: &str = "recipe_render";
/// The operator's name.
pub const BOTTLENECK: &str = "InvertedBottleneck";
/// The name of its gradient.
pub const GRADIENT: &str = "InvertedBottleneckGradient";

/// The sizes of a bottleneck, which both operators have as attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    /// Channels of the input, in the middle, of the output.
    pub channels: [usize; 3],
    /// For height and width: the kernel's size, the stride, the pad before, the input's and the output's size.
    pub axes: [[usize; 5]; 2],
    /// The lowest and highest values after the first product, and after the filter.
    pub bounds: [[f32; 2]; 2],
}

impl Sizes {
    /// The names of the attributes: [`Sizes::channels`], [`Sizes::axes`] and [`Sizes::bounds`], row by row.
    pub const ATTRIBUTES: [&str; 3] = ["channels", "axes", "bounds"];

    /// Returns the sizes from attributes, if they are as many as there should be and not negative.
    #[must_use]
    pub fn new(channels: &[i64], axes: &[i64], bounds: &[f32]) -> Option<Self> {
        let sizes = |values: &[i64]| values.iter().map(|v| usize::try_from(*v).ok()).collect::<Option<Vec<_>>>();
        let (channels, axes) = (sizes(channels)?, sizes(axes)?);
        let [rows, columns] = axes.as_chunks::<5>().0.try_into().ok()?;
        let [first, second] = bounds.as_chunks::<2>().0.try_into().ok()?;
        Some(Sizes { channels: channels.try_into().ok()?, axes: [rows, columns], bounds: [first, second] })
    }

    fn of(node: &Node) -> Option<Self> {
        let [channels, axes, bounds] = Self::ATTRIBUTES;
        let Some(Attribute::Floats(bounds)) = node.attributes.get(bounds) else { return None };
        Sizes::new(node.ints(channels)?, node.ints(axes)?, bounds)
    }

    fn attributes(&self) -> [(&'static str, Attribute); 3] {
        let [channels, axes, bounds] = Self::ATTRIBUTES;
        [
            (channels, self.channels.as_slice().into()),
            (axes, self.axes.as_flattened().into()),
            (bounds, Attribute::Floats(self.bounds.as_flattened().to_vec())),
        ]
    }
}

/// Returns the types of the node's outputs, if it is one of ours.
pub(super) fn infer(graph: &Graph, node: &Node) -> Option<Vec<Option<ValueType>>> {
    let sizes = Sizes::of(node).filter(|_| node.domain == DOMAIN)?;
    let count = *graph.shape(node.input(0)?)?.first()?;
    let [narrow, wide, out] = sizes.channels;
    let [[.., height, lower], [.., width, narrower]] = sizes.axes;
    let marks = |height, width| ValueType::fixed(DataType::U8, &[count, height, width, wide]);
    let all = match node.operator.as_str() {
        BOTTLENECK => vec![
            ValueType::fixed(DataType::F32, &[count, lower, narrower, out]),
            marks(lower, narrower),
            marks(height, width),
        ],
        _ => vec![ValueType::fixed(DataType::F32, &[count, height, width, narrow])],
    };
    Some(all.into_iter().map(Some).take(node.outputs.len()).collect())
}

/// The gradient of a bottleneck: only that by its first input.
pub(super) fn gradient(r: &mut Rule) -> Gradients {
    let sizes = Sizes::of(r.node).ok_or_else(|| r.not_covered("sizes that do not fit together"))?;
    let (dz, filter, project) = (r.dy()?, r.x(1)?, r.x(3)?);
    let mut inputs = vec![dz, filter.to_owned(), project.to_owned(), r.y(1)];
    if let Some(expand) = r.node.input(5) {
        inputs.extend([expand.to_owned(), r.y(2)]);
    }
    let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let dx = r.own(DOMAIN, GRADIENT, &names, &sizes.attributes());
    r.only(dx)
}

/// Replaces the inverted bottlenecks of a folded graph by [`BOTTLENECK`]s, those whose channels in the middle are a
/// multiple of `lanes`, and returns their number.
pub fn fuse_bottlenecks(graph: &mut Graph, lanes: usize) -> usize {
    let found: Vec<Found> = {
        let mut chain = Chain::new(graph);
        (0..graph.nodes.len()).filter_map(|index| chain.ending_at(index, lanes)).collect()
    };
    for found in &found {
        let mut b = Builder::new(graph, "bottleneck");
        let x = b.transpose(&found.input, &[0, 2, 3, 1]);
        let mut inputs = vec![x];
        for (weights, bias) in [Some(&found.filter), Some(&found.project), found.expand.as_ref()].into_iter().flatten()
        {
            let bias = match bias {
                Some(bias) => bias.clone(),
                None => {
                    let outputs = b.graph().shape(weights).and_then(|dims| dims.first().copied()).unwrap_or(0);
                    b.constant("bias", Tensor::f32(&[outputs], &vec![0.0; outputs]))
                }
            };
            inputs.extend([weights.clone(), bias]);
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let z = b.own(DOMAIN, BOTTLENECK, &names, &found.sizes.attributes());
        // The node that computed the value is the last of the chain; it goes.
        b.graph().nodes[found.last].outputs = vec![String::new()];
        b.op_into("Transpose", &[&z], &[("perm", [0usize, 3, 1, 2].as_slice().into())], &found.output);
    }
    if !found.is_empty() {
        // Appended nodes stand behind those that use them. The replaced ones have no outputs that anything needs.
        graph.nodes.retain(|node| node.outputs.iter().any(|name| !name.is_empty()));
        let sorted = graph.sort();
        debug_assert!(sorted.is_ok(), "{sorted:?}");
        graph.prune();
    }
    found.len()
}

/// Weights and, if there is one, the bias of a convolution.
type Parameters = (String, Option<String>);

/// A chain of nodes that is a bottleneck.
struct Found {
    sizes: Sizes,
    input: String,
    output: String,
    expand: Option<Parameters>,
    filter: Parameters,
    project: Parameters,
    /// The index of the last node.
    last: usize,
}

/// A graph with what a search for chains needs.
struct Chain<'a> {
    graph: &'a Graph,
    givers: HashMap<&'a str, &'a Node>,
    uses: HashMap<String, usize>,
    /// The outputs of products that are the last of a bottleneck.
    taken: HashSet<&'a str>,
}

impl<'a> Chain<'a> {
    fn new(graph: &'a Graph) -> Self {
        let outputs = graph.nodes.iter().flat_map(|node| node.outputs.iter().map(move |o| (o.as_str(), node)));
        Chain { graph, givers: outputs.collect(), uses: graph.use_counts(), taken: HashSet::new() }
    }

    fn ending_at(&mut self, last: usize, lanes: usize) -> Option<Found> {
        let node = &self.graph.nodes[last];
        let project = self.pointwise(node)?;
        let (inner, second) = self.bounded(node.input(0)?)?;
        let (filter, axes, wide) = self.filter(inner)?;
        wide.is_multiple_of(lanes).then_some(())?;
        let output = node.output(0)?.to_owned();
        let out = *self.graph.shape(&project.0)?.first()?;
        let before = inner.input(0)?;
        // Where products and filters take turns (MobileNetV1), a product belongs to the filter before it.
        let free = |product: &Node| product.output(0).is_some_and(|name| !self.taken.contains(name));
        let first = self.bounded(before).filter(|(product, _)| free(product));
        let first = first.and_then(|(product, bounds)| Some((product, self.pointwise(product)?, bounds)));
        let (input, expand, narrow, bounds) = match first {
            Some((product, parameters, bounds)) => {
                let narrow = *self.graph.shape(&parameters.0)?.get(1)?;
                (product.input(0)?, Some(parameters), narrow, bounds)
            }
            None => (before, None, wide, [f32::MIN, f32::MAX]),
        };
        self.taken.insert(node.output(0)?);
        let sizes = Sizes { channels: [narrow, wide, out], axes, bounds: [bounds, second] };
        Some(Found { sizes, input: input.to_owned(), output, expand, filter, project, last })
    }

    /// Returns the node whose values a `Clip` or `Relu` bounds, and the bounds. `value` and what is bounded are used once.
    fn bounded(&self, value: &str) -> Option<(&'a Node, [f32; 2])> {
        let node = self.once(value)?;
        let bound = |position: usize, none: f32| match node.input(position) {
            None => Some(none),
            Some(name) => self.graph.constants.get(name)?.to_f32()?.first().copied(),
        };
        let bounds = match node.operator.as_str() {
            "Clip" if node.domain.is_empty() => [bound(1, f32::MIN)?, bound(2, f32::MAX)?],
            "Relu" if node.domain.is_empty() => [0.0, f32::MAX],
            _ => return None,
        };
        (bounds[0] < bounds[1]).then_some(())?;
        Some((self.once(node.input(0)?)?, bounds))
    }

    /// Returns the node that computes a value, if the value is used once.
    fn once(&self, value: &str) -> Option<&'a Node> {
        (self.uses.get(value) == Some(&1)).then_some(())?;
        self.givers.get(value).copied()
    }

    /// Returns the weights and bias of a convolution of f32 whose weights are constant, with its geometry and groups.
    fn convolution(&self, node: &Node) -> Option<(Parameters, Window, i64)> {
        node.is("Conv").then_some(())?;
        let (x, w) = (node.input(0)?, node.input(1)?);
        let constant = |name: &str| self.graph.constants.get(name).filter(|t| t.data_type == DataType::F32);
        let weights = constant(w)?;
        let bias = match node.input(2) {
            Some(name) => Some(constant(name).map(|_| name.to_owned())?),
            None => None,
        };
        let shape = self.graph.shape(x).filter(|shape| shape.len() == 4 && shape.iter().all(|size| *size > 0))?;
        let window = Window::of(node, &shape, weights.dims.get(2..)?)?;
        Some(((w.to_owned(), bias), window, node.int("group").unwrap_or(1)))
    }

    /// Returns the parameters of a convolution that takes every pixel by itself.
    fn pointwise(&self, node: &Node) -> Option<Parameters> {
        let (parameters, window, group) = self.convolution(node)?;
        let plain = group == 1 && window.kernel == [1, 1] && window.strides == [1, 1] && window.input == window.output;
        (plain && window.before == [0, 0]).then_some(parameters)
    }

    /// Returns the parameters, the axes and the number of channels of a convolution that takes every channel by itself.
    fn filter(&self, node: &Node) -> Option<(Parameters, [[usize; 5]; 2], usize)> {
        let (parameters, window, group) = self.convolution(node)?;
        let dims = self.graph.shape(&parameters.0)?;
        let group = usize::try_from(group).ok()?;
        (dims[0] == group && dims[1] == 1 && window.dilations == [1, 1]).then_some(())?;
        let axis =
            |a: usize| [window.kernel[a], window.strides[a], window.before[a], window.input[a], window.output[a]];
        Some((parameters, [axis(0), axis(1)], group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differentiate;
    use crate::test_support::{distance, normal, run_at};
    use recipe_render_clip::runtime::{BOTTLENECK_LANES, Level};

    /// A graph under construction, whose last value goes into the next operator.
    struct Layers {
        graph: Graph,
        last: String,
        channels: usize,
        seed: u64,
    }

    impl Layers {
        fn new(dims: &[usize]) -> Self {
            let mut graph = Graph::default();
            let last = Builder::new(&mut graph, "test").input("x", DataType::F32, dims);
            Layers { graph, last, channels: dims[1], seed: 0 }
        }

        fn conv(mut self, channels: usize, kernel: usize, attributes: &[(&str, Attribute)]) -> Self {
            let grouped = attributes.iter().any(|(name, _)| *name == "group");
            let inputs = if grouped { 1 } else { self.channels };
            self.seed += 1;
            let scale = 1.0 / ((inputs * kernel * kernel) as f32).sqrt();
            let weights = normal(self.seed, &[channels, inputs, kernel, kernel]).to_f32().unwrap();
            let weights: Vec<f32> = weights.iter().map(|w| w * scale).collect();
            let mut b = Builder::new(&mut self.graph, &format!("layer{}", self.seed));
            let weights = b.constant("weights", Tensor::f32(&[channels, inputs, kernel, kernel], &weights));
            // Every second convolution has a bias.
            let bias = self.seed.is_multiple_of(2).then(|| b.constant("bias", normal(50 + self.seed, &[channels])));
            let inputs: Vec<&str> =
                [Some(&self.last), Some(&weights), bias.as_ref()].into_iter().flatten().map(String::as_str).collect();
            self.last = b.op_with("Conv", &inputs, attributes);
            self.channels = channels;
            self
        }

        fn pointwise(self, channels: usize) -> Self {
            self.conv(channels, 1, &[])
        }

        fn filter(self, kernel: usize, stride: usize, pads: [usize; 4]) -> Self {
            let channels = self.channels;
            let group = ("group", (channels as i64).into());
            let strides = ("strides", [stride, stride].as_slice().into());
            self.conv(channels, kernel, &[group, strides, ("pads", pads.as_slice().into())])
        }

        fn op(mut self, operator: &str, bounds: &[f32]) -> Self {
            let mut b = Builder::new(&mut self.graph, "test");
            let bounds: Vec<String> = bounds.iter().map(|v| b.constant("bound", Tensor::f32(&[], &[*v]))).collect();
            let inputs: Vec<&str> = std::iter::once(&self.last).chain(&bounds).map(String::as_str).collect();
            self.last = b.op(operator, &inputs);
            self
        }

        /// Returns the largest relative error of the fused graph's value and gradient, and the number of bottlenecks.
        fn fused(self) -> (f64, usize) {
            let Layers { mut graph, last, .. } = self;
            graph.outputs = vec![last.clone()];
            let dims = graph.static_shape(&last).unwrap();
            let dy = normal(200, &dims);
            let with_gradient = |mut graph: Graph| {
                let seed = Builder::new(&mut graph, "seed").constant("dy", dy.clone());
                let gradient = differentiate(&mut graph, &[(&last, &seed)], &["x"]).unwrap();
                graph.outputs.extend(gradient);
                graph.sort().unwrap();
                graph
            };
            let x = normal(100, &graph.static_shape("x").unwrap());
            let mut fused = graph.clone();
            let count = fuse_bottlenecks(&mut fused, BOTTLENECK_LANES);
            // Without a gradient nothing is marked.
            let value = &run_at(&fused, &[("x", &x)], Level::All)[0];
            let before = run_at(&with_gradient(graph), &[("x", &x)], Level::Basic);
            let after = run_at(&with_gradient(fused), &[("x", &x)], Level::All);
            assert_eq!(value, &after[0]);
            let errors = before.iter().zip(&after).map(|(before, after)| {
                assert_eq!(before.dims, after.dims);
                distance(after, before)
            });
            (errors.fold(0.0, f64::max), count)
        }
    }

    fn close((error, count): (f64, usize), expected: usize) {
        assert_eq!(count, expected);
        assert!(error < 2e-6, "{error}");
    }

    #[test]
    fn bottlenecks_compute_what_their_convolutions_did() {
        let six = &[0.0, 6.0];
        // Two in a row, with a residual connection's worth of transpositions between them.
        let chain = Layers::new(&[3, 8, 9, 12]).pointwise(48).op("Clip", six).filter(3, 1, [1; 4]).op("Clip", six);
        let chain = chain.pointwise(16).pointwise(64).op("Relu", &[]).filter(5, 2, [1, 2, 2, 2]).op("Relu", &[]);
        close(chain.pointwise(24).fused(), 2);
        // Bounds on one side, and others than 0 and 6.
        let chain = Layers::new(&[2, 4, 6, 6]).pointwise(16).op("Clip", &[-0.5]).filter(3, 2, [0, 0, 1, 1]);
        close(chain.op("Clip", &[-0.3, 0.4]).pointwise(3).fused(), 1);
    }

    #[test]
    fn the_first_product_may_be_missing() {
        let chain = Layers::new(&[2, 32, 7, 5]).filter(3, 1, [1; 4]).op("Clip", &[0.0, 6.0]).pointwise(10);
        close(chain.fused(), 1);
        // Products and filters that take turns: none is used twice.
        let mut chain = Layers::new(&[1, 16, 8, 8]);
        for channels in [32, 48, 32] {
            chain = chain.filter(3, 1, [1; 4]).op("Relu", &[]).pointwise(channels).op("Relu", &[]);
        }
        close(chain.fused(), 3);
    }

    #[test]
    fn other_chains_are_left_alone() {
        let six = &[0.0, 6.0];
        let start = || Layers::new(&[1, 8, 9, 9]).pointwise(48).op("Clip", six);
        // Nothing between the filter and the product.
        close(start().filter(3, 1, [1; 4]).pointwise(8).fused(), 0);
        // Another activation, so that only the filter remains: without the first product, it is a bottleneck all the same.
        let other = Layers::new(&[1, 8, 9, 9]).pointwise(48).op("Sigmoid", &[]);
        close(other.filter(3, 1, [1; 4]).op("Clip", six).pointwise(8).fused(), 1);
        let stretched: &[(&str, Attribute)] = &[("group", 48i64.into()), ("dilations", [2usize, 2].as_slice().into())];
        close(start().conv(48, 3, stretched).op("Clip", six).pointwise(8).fused(), 0);
        // A number of channels that kernels do not take.
        let few = Layers::new(&[1, 8, 9, 9]).pointwise(24).op("Clip", six);
        close(few.filter(3, 1, [1; 4]).op("Clip", six).pointwise(8).fused(), 0);
        // A last product of more than a pixel.
        close(start().filter(3, 1, [1; 4]).op("Clip", six).conv(8, 3, &[]).fused(), 0);
    }

    #[test]
    fn sizes_come_back_from_attributes() {
        let sizes =
            Sizes { channels: [8, 48, 16], axes: [[3, 1, 1, 9, 9], [5, 2, 1, 8, 4]], bounds: [[0.0, 6.0], [0.0, 1.0]] };
        let mut node = Node { domain: DOMAIN.into(), ..Node::new(BOTTLENECK, &[], &[]) };
        node.attributes = sizes.attributes().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(Sizes::of(&node), Some(sizes));
        assert_eq!(Sizes::new(&[1, 2], &[0; 10], &[0.0; 4]), None);
        assert_eq!(Sizes::new(&[1, 2, -3], &[0; 10], &[0.0; 4]), None);
        assert_eq!(Sizes::new(&[1, 2, 3], &[0; 9], &[0.0; 4]), None);
    }
}
