//! Running graphs in tests.

use super::{Attribute, DataType, Graph, Node, Tensor, ValueType};
use recipe_render_clip::runtime::{Device, Input, Level, Runtime, SessionPlan, Weights};

/// Returns the onnxruntime library for tests.
pub(super) fn runtime() -> &'static Runtime {
    Runtime::for_tests()
}

/// Runs the graph at the basic optimisation level and returns its outputs.
pub(super) fn run(graph: &Graph, inputs: &[(&str, &Tensor)]) -> Vec<Tensor> {
    run_at(graph, inputs, Level::Basic)
}

/// Runs the graph at the given optimisation level and returns its outputs.
pub(super) fn run_at(graph: &Graph, inputs: &[(&str, &Tensor)], level: Level) -> Vec<Tensor> {
    let outputs: Vec<&str> = graph.outputs.iter().map(String::as_str).collect();
    run_model(&graph.write(), &outputs, inputs, level)
}

/// Runs a serialised model, which need not be in normal form.
pub(super) fn run_bytes(model: &[u8], outputs: &[&str], inputs: &[(&str, &Tensor)]) -> Vec<Tensor> {
    run_model(model, outputs, inputs, Level::Basic)
}

fn run_model(model: &[u8], wanted: &[&str], inputs: &[(&str, &Tensor)], level: Level) -> Vec<Tensor> {
    let plan = SessionPlan { device: Device::Cpu, threads: 1, level, dimensions: Vec::new() };
    let mut session = runtime().session(model, &Weights::default(), &plan).expect("the graph is valid");
    let floats: Vec<Option<Vec<f32>>> = inputs.iter().map(|(_, t)| t.to_f32()).collect();
    let integers: Vec<Option<Vec<i64>>> = inputs.iter().map(|(_, t)| t.to_i64()).collect();
    let given: Vec<(&str, Input)> = inputs
        .iter()
        .enumerate()
        .map(|(i, (name, tensor))| {
            let input = match (&floats[i], &integers[i]) {
                (Some(values), _) => Input::F32(&tensor.dims, values),
                (_, Some(values)) => Input::I64(&tensor.dims, values),
                _ => panic!("inputs of {:?}", tensor.data_type),
            };
            (*name, input)
        })
        .collect();
    let outputs = session.run(&given).expect("the graph runs");
    // The runtime was built with this crate, not with the one under test: its tensors are another type.
    let ours = |name: &&str| {
        let tensor = outputs.get(name).expect("every output");
        let data_type = DataType::from_onnx(tensor.data_type as i32).expect("the same types");
        Tensor { data_type, dims: tensor.dims.clone(), data: tensor.data.clone() }
    };
    wanted.iter().map(ours).collect()
}

/// Folds with onnxruntime.
pub(super) fn fold(graph: Graph, batch: usize) -> Graph {
    super::fold(graph, batch, |bytes| runtime().fold(bytes, &Weights::default(), &[])).expect("the graph folds")
}

/// Returns |a - b| / |b|.
pub(super) fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (a.to_f64().unwrap(), b.to_f64().unwrap());
    assert_eq!(a.len(), b.len());
    let square: f64 = a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum();
    (square / b.iter().map(|y| y * y).sum::<f64>()).sqrt()
}

/// Returns standard normal numbers, the same for the same seed.
pub(super) fn normal(seed: u64, dims: &[usize]) -> Tensor {
    let draws = recipe_render_core::chance::Draws::new(seed);
    let count = dims.iter().product::<usize>();
    let values: Vec<f32> = (0..count as u64).flat_map(|i| draws.normal_pair(i)).take(count).map(|v| v as f32).collect();
    Tensor::f32(dims, &values)
}

/// Returns distinct numbers 0.1 apart in random order, none nearer to 0 than 0.05, so that finite differences cross no
/// kink of `Abs`, `Relu`, or a maximum.
pub(super) fn spread(seed: u64, dims: &[usize]) -> Tensor {
    let count = dims.iter().product::<usize>();
    let draws = recipe_render_core::chance::Draws::new(seed);
    let mut values: Vec<f32> = (0..count).map(|i| (i as f32 - (count / 2) as f32) * 0.1 + 0.05).collect();
    for i in (1..count).rev() {
        values.swap(i, (draws.unit(i as u64) * (i + 1) as f64) as usize);
    }
    Tensor::f32(dims, &values)
}

/// Returns numbers uniform between two bounds.
pub(super) fn uniform(seed: u64, dims: &[usize], low: f64, high: f64) -> Tensor {
    let draws = recipe_render_core::chance::Draws::new(seed);
    let count = dims.iter().product::<usize>() as u64;
    Tensor::f32(dims, &(0..count).map(|i| draws.uniform(i, low, high) as f32).collect::<Vec<_>>())
}

/// A node to be checked against finite differences.
pub(super) struct Check {
    node: Node,
    graph: Graph,
    inputs: Vec<(String, Tensor)>,
}

impl Check {
    /// Returns a node with `outputs` outputs. Its inputs are `x0`, `x1`, ..., added by [`Check::input`] and
    /// [`Check::constant`].
    pub fn new(operator: &str, outputs: usize) -> Self {
        let names: Vec<String> = (0..outputs).map(|i| format!("y{i}")).collect();
        let node = Node::new(operator, &[], &names.iter().map(String::as_str).collect::<Vec<_>>());
        Check { node, graph: Graph::default(), inputs: Vec::new() }
    }

    pub fn attribute(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.node.attributes.insert(name.into(), value.into());
        self
    }

    /// Adds an input to differentiate by.
    pub fn input(mut self, tensor: Tensor) -> Self {
        let name = format!("x{}", self.node.inputs.len());
        self.node.inputs.push(name.clone());
        self.graph.inputs.push(name.clone());
        self.graph.types.insert(name.clone(), ValueType::fixed(tensor.data_type, &tensor.dims));
        self.inputs.push((name, tensor));
        self
    }

    pub fn constant(mut self, tensor: Tensor) -> Self {
        let name = format!("x{}", self.node.inputs.len());
        self.node.inputs.push(name.clone());
        self.graph.constants.insert(name, tensor);
        self
    }

    /// Adds an omitted optional input.
    pub fn without(mut self) -> Self {
        self.node.inputs.push(String::new());
        self
    }

    /// Checks the gradient and returns the operators it consists of.
    pub fn passes(self) -> Vec<String> {
        let Check { node, mut graph, inputs } = self;
        let operator = node.operator.clone();
        graph.outputs = node.outputs.clone();
        let inferred = super::shapes::infer(&graph, &node);
        graph.nodes.push(node);
        let values: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (n.as_str(), t)).collect();
        let before = run(&graph, &values);
        for ((name, tensor), inferred) in graph.outputs.clone().iter().zip(&before).zip(inferred) {
            let known = ValueType::fixed(tensor.data_type, &tensor.dims);
            if let Some(inferred) = inferred {
                assert_eq!(inferred, known, "sizes of {operator}");
            }
            graph.types.insert(name.clone(), known);
        }
        let mut seeds = Vec::new();
        for (i, (name, tensor)) in graph.outputs.clone().into_iter().zip(&before).enumerate() {
            if tensor.data_type.is_float() {
                let seed = format!("d{name}");
                graph.constants.insert(seed.clone(), normal(100 + i as u64, &tensor.dims));
                seeds.push((name, seed));
            }
        }
        let seed_names: Vec<(&str, &str)> = seeds.iter().map(|(y, dy)| (y.as_str(), dy.as_str())).collect();
        let wrt: Vec<&str> = inputs.iter().map(|(n, _)| n.as_str()).collect();
        let gradients = super::differentiate(&mut graph, &seed_names, &wrt).expect("there is a rule");
        let forward = graph.clone();
        graph.outputs = gradients;
        let kinds = graph.nodes[1..].iter().map(|n| n.operator.clone()).collect();
        let gradients = run(&graph, &values);
        let loss = |inputs: &[(&str, &Tensor)]| -> f64 {
            let dot = |(name, y): (&String, &Tensor)| -> f64 {
                let Some(dy) = forward.constants.get(&format!("d{name}")) else { return 0.0 };
                y.to_f64().unwrap().iter().zip(dy.to_f64().unwrap()).map(|(a, b)| a * b).sum()
            };
            forward.outputs.iter().zip(&run(&forward, inputs)).map(dot).sum()
        };
        for (position, gradient) in gradients.iter().enumerate() {
            let x = &inputs[position].1;
            assert_eq!(gradient.dims, x.dims, "gradient of {operator} by input {position}");
            let gradient = gradient.to_f64().unwrap();
            let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!(length > 1e-3 && length.is_finite(), "the check of {operator} is void: {length}");
            for direction in 0..3 {
                let along = uniform(200 + direction, &x.dims, -1.0, 1.0).to_f64().unwrap();
                let step = 0.01;
                let moved = |sign: f64| {
                    let values: Vec<f64> =
                        x.to_f64().unwrap().iter().zip(&along).map(|(x, d)| x + sign * step * d).collect();
                    let moved = Tensor::floats(x.data_type, &x.dims, &values).unwrap();
                    loss(&values_with(&inputs, position, &moved))
                };
                let numeric = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                let analytic: f64 = gradient.iter().zip(&along).map(|(g, d)| g * d).sum();
                assert!(
                    (numeric - analytic).abs() < 3e-3 * length + 1e-4,
                    "{operator}, input {position}: {numeric} by differences, {analytic} by the rule, of {length}"
                );
            }
        }
        kinds
    }
}

fn values_with<'a>(inputs: &'a [(String, Tensor)], position: usize, tensor: &'a Tensor) -> Vec<(&'a str, &'a Tensor)> {
    let replace =
        |(i, (name, t)): (usize, &'a (String, Tensor))| (name.as_str(), if i == position { tensor } else { t });
    inputs.iter().enumerate().map(replace).collect()
}
