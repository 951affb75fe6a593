//! Compares quantised models with their float originals (tests/models/joint.py), and tests single operators.

use std::path::PathBuf;

use super::{Dequantised, dequantise};
use crate::test_support::{distance, fold, normal, run, uniform};
use crate::{Attribute, Builder, DataType, Graph, Node, Tensor, gradient_graph};

/// Returns the image side of one of the joint models, for a batch of two windows.
fn image_side(name: &str) -> Graph {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/models");
    let mut graph = Graph::open(&folder.join(name)).unwrap();
    graph.outputs.retain(|name| name == "image_embeds");
    graph.prune();
    graph.inputs.retain(|name| name == "pixel_values");
    graph.set_input_shape("pixel_values", &[2, 3, 16, 16]).unwrap();
    graph
}

#[test]
fn whole_models_are_their_float_originals() {
    let image = uniform(1, &[2, 3, 16, 16], 0.0, 1.0);
    let seed = normal(2, &[2, 8]);
    let both = |graph: Graph| {
        let graph = gradient_graph(fold(graph, 2)).unwrap();
        run(&graph, &[("image", &image), ("embedding_gradient", &seed)])
    };
    let expected = both(image_side("joint.onnx"));
    let integers = ["DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"];
    let pairs = ["QuantizeLinear", "DequantizeLinear"];
    let linear = ["QLinearConv", "QLinearMatMul", "QLinearConcat", "QLinearSoftmax", "QLinearSigmoid"];
    let models: [(&str, &[&str]); 3] =
        [("joint-quantised.onnx", &integers), ("joint-qdq.onnx", &pairs), ("joint-qlinear.onnx", &linear)];
    for (name, operators) in models {
        let mut graph = image_side(name);
        assert!(operators.iter().all(|operator| graph.nodes.iter().any(|node| node.operator == *operator)), "{name}");
        let done = dequantise(&mut graph).unwrap().unwrap();
        assert!(done.weights > 10 && done.operators > 20, "{name}: {done}");
        assert_eq!(dequantise(&mut graph).unwrap(), None, "{name}");
        let got = both(graph);
        let errors = [distance(&got[0], &expected[0]), distance(&got[1], &expected[1])];
        assert!(errors.iter().all(|e| *e < 5e-2), "{name}: {errors:?}");
    }
}

#[test]
fn both_sides_of_a_joint_model() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/models");
    let ids = Tensor::i64(&[1, 8], &[62, 4, 9, 33, 63, 63, 63, 63]);
    let mask = Tensor::i64(&[1, 8], &[1, 1, 1, 1, 1, 0, 0, 0]);
    let image = uniform(1, &[1, 3, 16, 16], 0.0, 1.0);
    let inputs = [("input_ids", &ids), ("pixel_values", &image), ("attention_mask", &mask)];
    let text = |graph: &Graph| run(graph, &inputs).remove(2);
    let expected = text(&Graph::open(&folder.join("joint.onnx")).unwrap());
    let mut graph = Graph::open(&folder.join("joint-quantised.onnx")).unwrap();
    dequantise(&mut graph).unwrap().unwrap();
    assert!(distance(&text(&graph), &expected) < 5e-2);
}

fn whole(data_type: DataType, dims: &[usize], values: &[i64]) -> Tensor {
    let data: Vec<u8> = match data_type {
        DataType::I32 => values.iter().flat_map(|v| (*v as i32).to_le_bytes()).collect(),
        _ => values.iter().map(|v| *v as u8).collect(),
    };
    Tensor { data_type, dims: dims.to_vec(), data: data.into() }
}

/// A graph of one node: `x` is quantised before it, unless the node takes floats, and dequantised after it.
struct Single {
    dims: Vec<usize>,
    graph: Graph,
    inputs: Vec<String>,
}

const SCALE: f32 = 0.02;

impl Single {
    fn new(quantised: bool) -> Self {
        Single::of(&[2, 4], quantised)
    }

    fn of(dims: &[usize], quantised: bool) -> Self {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        let x = b.input("x", DataType::F32, dims);
        let scale = b.constant("scale", Tensor::f32(&[], &[SCALE]));
        let zero = b.constant("zero", whole(DataType::U8, &[], &[120]));
        let inputs = if quantised { vec![b.op("QuantizeLinear", &[&x, &scale, &zero]), scale, zero] } else { vec![x] };
        Single { dims: dims.to_vec(), graph, inputs }
    }

    /// Reorders the inputs so far. A position past the last one means an empty input.
    fn order(mut self, order: &[usize]) -> Self {
        self.inputs = order.iter().map(|i| self.inputs.get(*i).cloned().unwrap_or_default()).collect();
        self
    }

    fn constant(mut self, tensor: Tensor) -> Self {
        let name = Builder::new(&mut self.graph, "t").constant("c", tensor);
        self.inputs.push(name);
        self
    }

    /// Compares with onnxruntime's result for the quantised graph, on values within the quantised range.
    fn agrees(
        mut self,
        domain: &str,
        operator: &str,
        attributes: &[(&str, Attribute)],
        quantised: bool,
    ) -> Dequantised {
        let y = if quantised { "q" } else { "y" };
        let inputs: Vec<&str> = self.inputs.iter().map(String::as_str).collect();
        let mut node = Node { domain: domain.into(), ..Node::new(operator, &inputs, &[y]) };
        node.attributes = attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let mut b = Builder::new(&mut self.graph, "u");
        b.node(node);
        if quantised {
            let scale = b.constant("scale", Tensor::f32(&[], &[SCALE]));
            let zero = b.constant("zero", whole(DataType::U8, &[], &[120]));
            b.op_into("DequantizeLinear", &["q", &scale, &zero], &[], "y");
        }
        self.graph.outputs.push("y".into());
        let x = uniform(3, &self.dims, -1.2, 1.2);
        let expected = run(&self.graph, &[("x", &x)]).remove(0);
        let done = dequantise(&mut self.graph).unwrap().unwrap();
        let got = run(&self.graph, &[("x", &x)]).remove(0);
        assert_eq!(got.dims, expected.dims, "{operator}");
        assert!(distance(&got, &expected) < 5e-2, "{operator}: {}", distance(&got, &expected));
        done
    }
}

fn weights() -> Tensor {
    whole(DataType::I8, &[4, 3], &[10, -20, 30, 5, 15, -25, 40, -3, 8, -12, 22, 1])
}

fn scalar(value: f32) -> Tensor {
    Tensor::f32(&[], &[value])
}

fn zero(data_type: DataType, value: i64) -> Tensor {
    whole(data_type, &[], &[value])
}

#[test]
fn products_of_quantised_matrices() {
    let y = ending;
    y(Single::new(true).constant(weights()).constant(scalar(0.03)).constant(zero(DataType::I8, 2))).agrees(
        "",
        "QLinearMatMul",
        &[],
        true,
    );
    let columns = Tensor::f32(&[3], &[0.01, 0.02, 0.03]);
    let zeros = whole(DataType::I8, &[3], &[0, 0, 0]);
    y(Single::new(true).constant(weights()).constant(columns).constant(zeros)).agrees("", "QLinearMatMul", &[], true);
    let bias = whole(DataType::I32, &[3], &[500, -300, 0]);
    let gemm =
        Single::new(true).constant(weights()).constant(scalar(0.03)).constant(zero(DataType::I8, 0)).constant(bias);
    y(gemm).agrees("com.microsoft", "QGemm", &[], true);
    Single::new(false)
        .constant(weights())
        .constant(scalar(0.03))
        .constant(zero(DataType::I8, 0))
        .constant(Tensor::f32(&[3], &[0.1, 0.2, 0.3]))
        .agrees("com.microsoft", "DynamicQuantizeMatMul", &[], false);
}

#[test]
fn functions_of_quantised_values() {
    let y = ending;
    let other = || Single::new(true).constant(whole(DataType::U8, &[4], &[100, 130, 150, 110]));
    let other = || other().constant(scalar(0.02)).constant(zero(DataType::U8, 120));
    y(other()).agrees("com.microsoft", "QLinearAdd", &[], true);
    y(other()).agrees("com.microsoft", "QLinearMul", &[], true);
    y(Single::new(true)).agrees("com.microsoft", "QLinearSigmoid", &[], true);
    y(Single::new(true)).agrees("com.microsoft", "QLinearLeakyRelu", &[("alpha", 0.2f32.into())], true);
}

/// Adds the scale and zero point that every result has.
fn ending(single: Single) -> Single {
    single.constant(scalar(SCALE)).constant(zero(DataType::U8, 120))
}

#[test]
fn pictures() {
    let x = || Single::of(&[1, 2, 4, 4], true);
    let kernels: Vec<i64> = (0..54).map(|i| i * 7 % 23 - 11).collect();
    let kernels = whole(DataType::I8, &[3, 2, 3, 3], &kernels);
    let conv = x().constant(kernels).constant(Tensor::f32(&[3], &[0.01, 0.005, 0.008]));
    ending(conv.constant(whole(DataType::I8, &[3], &[0, 0, 0])))
        .constant(whole(DataType::I32, &[3], &[300, -100, 50]))
        .agrees("", "QLinearConv", &[("pads", vec![1, 1, 1, 1].into())], true);
    let square = [("kernel_shape", vec![2, 2].into()), ("strides", vec![2, 2].into())];
    ending(x()).agrees("com.microsoft", "QLinearAveragePool", &square, true);
    ending(x()).agrees("com.microsoft", "QLinearGlobalAveragePool", &[], true);
}

#[test]
fn choices_and_joins() {
    let other = || Single::new(true).constant(whole(DataType::U8, &[2, 4], &[100, 130, 150, 110, 90, 160, 140, 125]));
    let other = || ending(ending(other()));
    other().order(&[6, 7, 0, 1, 2, 3, 4, 5]).agrees("com.microsoft", "QLinearConcat", &[("axis", 1.into())], true);
    let condition = whole(DataType::Bool, &[4], &[1, 0, 0, 1]);
    other().constant(condition).order(&[8, 0, 1, 2, 3, 4, 5, 6, 7]).agrees("com.microsoft", "QLinearWhere", &[], true);
    let soft = [("axis", 1.into()), ("opset", 13.into())];
    ending(Single::new(true)).agrees("com.microsoft", "QLinearSoftmax", &soft, true);
}

#[test]
fn fused_integer_products() {
    Single::new(true)
        .constant(weights())
        .constant(scalar(0.03))
        .constant(zero(DataType::I8, 0))
        .order(&[0, 3, 1, 4, 2, 5])
        .constant(Tensor::f32(&[3], &[0.1, 0.2, 0.3]))
        .agrees("com.microsoft", "MatMulIntegerToFloat", &[], false);
    let many: Vec<i64> = (0..48).map(|i| i * 31 % 101 - 50).collect();
    Single::of(&[1, 3, 4], true)
        .constant(whole(DataType::I8, &[4, 12], &many))
        .constant(normal(5, &[12]))
        .constant(scalar(0.02))
        .constant(zero(DataType::I8, 0))
        .order(&[0, 3, 4, 1, 5, 9, 2, 6])
        .agrees("com.microsoft", "QAttention", &[("num_heads", 2.into())], false);
}

#[test]
fn weights_of_four_and_eight_bits() {
    let attributes = |bits: i64| -> Vec<(&'static str, Attribute)> {
        vec![("K", 4.into()), ("N", 3.into()), ("bits", bits.into()), ("block_size", 16.into())]
    };
    // Each column has 16 weights of 4 bits, the last 12 of which are padding.
    let mut packed = vec![0i64; 24];
    for (column, bytes) in [[0x31, 0xf2], [0x7a, 0x48], [0x0c, 0x95]].into_iter().enumerate() {
        packed[column * 8..column * 8 + 2].copy_from_slice(&bytes);
    }
    let scales = || Tensor::f32(&[3], &[0.1, 0.05, 0.2]);
    let four = || Single::new(false).constant(whole(DataType::U8, &[3, 1, 8], &packed)).constant(scales());
    four().agrees("com.microsoft", "MatMulNBits", &attributes(4), false);
    let zeros = whole(DataType::U8, &[3], &[3, 9, 0]);
    four().constant(zeros).agrees("com.microsoft", "MatMulNBits", &attributes(4), false);
    let numbers: Vec<i64> = (0..6).map(|i| (i * 37 + 11) % 256).collect();
    for kind in [0, 1] {
        let attributes =
            [("K", 4.into()), ("N", 3.into()), ("block_size", 16.into()), ("quant_type", Attribute::Int(kind))];
        Single::new(false).constant(whole(DataType::U8, &[6], &numbers)).constant(Tensor::f32(&[1], &[0.7])).agrees(
            "com.microsoft",
            "MatMulBnb4",
            &attributes,
            false,
        );
    }
}

#[test]
fn a_bound_that_quantising_was_stays() {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "t");
    let x = b.input("x", DataType::F32, &[4]);
    let (scale, zero) = (b.constant("s", scalar(0.01)), b.constant("z", zero(DataType::U8, 0)));
    let q = b.op("QuantizeLinear", &[&x, &scale, &zero]);
    let y = b.op("DequantizeLinear", &[&q, &scale, &zero]);
    graph.outputs.push(y);
    dequantise(&mut graph).unwrap();
    let x = Tensor::f32(&[4], &[-1.0, 0.5, -0.2, 1.5]);
    assert_eq!(run(&graph, &[("x", &x)])[0].to_f32().unwrap(), [0.0, 0.5, 0.0, 1.5]);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "t");
    let x = b.input("x", DataType::F32, &[2, 4]);
    b.node(Node { domain: "com.microsoft".into(), name: "n7".into(), ..Node::new("QLinearErf", &[&x], &["y"]) });
    graph.outputs.push("y".into());
    let error = dequantise(&mut graph).unwrap_err().to_string();
    assert!(error.contains("QLinearErf") && error.contains("n7"), "{error}");
    assert_eq!(dequantise(&mut Graph::default()).unwrap(), None);
}
