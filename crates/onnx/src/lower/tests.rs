//! Tests that lowered operators compute the same as onnxruntime's own implementation, and have a gradient.

use crate::proto::{ModelProto, OperatorSetIdProto};
use crate::test_support::{distance, normal, run, run_bytes, uniform};
use crate::{Attribute, Builder, DataType, Graph, Node, Tensor, differentiate};
use prost::Message;

struct Single {
    graph: Graph,
    node: Node,
    values: Vec<(String, Tensor)>,
}

fn operator(domain: &str, name: &str) -> Single {
    Single {
        graph: Graph::default(),
        node: Node { domain: domain.into(), ..Node::new(name, &[], &["y"]) },
        values: vec![],
    }
}

fn fused(name: &str) -> Single {
    operator("com.microsoft", name)
}

impl Single {
    fn with(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.node.attributes.insert(name.into(), value.into());
        self
    }

    fn input(mut self, tensor: Tensor) -> Self {
        let name = format!("x{}", self.node.inputs.len());
        Builder::new(&mut self.graph, "t").input(&name, tensor.data_type, &tensor.dims);
        self.node.inputs.push(name.clone());
        self.values.push((name, tensor));
        self
    }

    fn constant(mut self, tensor: Tensor) -> Self {
        let name = format!("c{}", self.node.inputs.len());
        self.graph.constants.insert(name.clone(), tensor);
        self.node.inputs.push(name);
        self
    }

    fn without(mut self) -> Self {
        self.node.inputs.push(String::new());
        self
    }

    /// Serialises the model in an operator set.
    fn bytes(&self, opset: i64) -> Vec<u8> {
        let mut graph = self.graph.clone();
        graph.nodes.push(self.node.clone());
        graph.outputs.push("y".into());
        let mut model = ModelProto::decode(graph.write().as_slice()).unwrap();
        model.ir_version = Some(10);
        model.opset_import.retain(|set| !set.domain.is_empty());
        model.opset_import.push(OperatorSetIdProto { domain: String::new(), version: Some(opset) });
        model.encode_to_vec()
    }

    /// Compares the result with onnxruntime's, and the gradients of all float inputs with finite differences.
    fn agrees(self, opset: i64) {
        let name = self.node.operator.clone();
        let values: Vec<(&str, &Tensor)> = self.values.iter().map(|(n, t)| (n.as_str(), t)).collect();
        let bytes = self.bytes(opset);
        let expected = run_bytes(&bytes, &["y"], &values).remove(0);
        let graph = Graph::read(bytes.into(), None).unwrap();
        let stays = |node: &Node| (&node.domain, &node.operator) == (&self.node.domain, &name);
        assert!(!graph.nodes.iter().any(stays), "{name} stays");
        let got = run(&graph, &values).remove(0);
        assert_eq!(got.dims, expected.dims, "{name}");
        assert!(distance(&got, &expected) < 1e-5, "{name}: {}", distance(&got, &expected));
        self.has_gradient(graph, &got);
    }

    fn has_gradient(&self, graph: Graph, y: &Tensor) {
        // The gradient needs known sizes.
        let graph = crate::fold(graph, self.values[0].1.dims[0], |bytes| {
            crate::test_support::runtime().fold(bytes, &Default::default(), &[])
        });
        let mut graph = graph.unwrap();
        let wrt: Vec<&(String, Tensor)> = self.values.iter().filter(|(_, t)| t.data_type.is_float()).collect();
        let names: Vec<&str> = wrt.iter().map(|(name, _)| name.as_str()).collect();
        graph.constants.insert("dy".into(), normal(77, &y.dims));
        let gradients = differentiate(&mut graph, &[("y", "dy")], &names).unwrap();
        graph.outputs.extend(gradients);
        let dy = normal(77, &y.dims).to_f64().unwrap();
        let dot = |a: &Tensor, b: &[f64]| a.to_f64().unwrap().iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for (position, (name, x)) in wrt.iter().enumerate() {
            let along = uniform(9, &x.dims, -1.0, 1.0).to_f64().unwrap();
            let at = |step: f64| {
                let moved: Vec<f64> = x.to_f64().unwrap().iter().zip(&along).map(|(x, d)| x + step * d).collect();
                let moved = Tensor::floats(DataType::F32, &x.dims, &moved).unwrap();
                let values: Vec<(&str, &Tensor)> =
                    self.values.iter().map(|(n, t)| (n.as_str(), if n == name { &moved } else { t })).collect();
                run(&graph, &values)
            };
            let numeric = (dot(&at(0.01)[0], &dy) - dot(&at(-0.01)[0], &dy)) / 0.02;
            let gradient = &at(0.0)[1 + position];
            let length = gradient.to_f64().unwrap().iter().map(|g| g * g).sum::<f64>().sqrt();
            let analytic = dot(gradient, &along);
            assert!(
                (numeric - analytic).abs() < 3e-3 * length + 1e-4 && length > 1e-3,
                "{} by {name}: {numeric} {analytic} of {length}",
                self.node.operator
            );
        }
    }
}

fn ids(dims: &[usize], values: &[i64]) -> Tensor {
    Tensor::i64(dims, values)
}

fn mask(dims: &[usize], values: &[u8]) -> Tensor {
    Tensor { data_type: DataType::Bool, dims: dims.to_vec(), data: values.to_vec().into() }
}

#[test]
fn functions_of_one_element() {
    let x = || crate::test_support::spread(1, &[2, 10]);
    for name in ["Celu", "Mish", "Selu", "Shrink"] {
        operator("", name).input(x()).agrees(20);
    }
    operator("", "Celu").with("alpha", 0.6f32).input(x()).agrees(20);
    operator("", "Selu").with("alpha", 1.5f32).with("gamma", 0.8f32).input(x()).agrees(20);
    operator("", "Shrink").with("lambd", 0.3f32).with("bias", 0.1f32).input(x()).agrees(20);
    operator("", "ThresholdedRelu").with("alpha", 0.3f32).input(x()).agrees(20);
    operator("", "PRelu").input(x()).constant(uniform(3, &[10], 0.1, 0.4)).agrees(20);
    operator("", "Swish").with("alpha", 1.7f32).input(x()).agrees(24);
    operator("", "ReduceLogSum").input(uniform(1, &[2, 5], 0.5, 2.0)).constant(ids(&[1], &[1])).agrees(20);
    for name in ["Gelu", "FastGelu"] {
        fused(name).input(normal(1, &[2, 6])).agrees(17);
    }
    for name in ["BiasGelu", "FastGelu"] {
        fused(name).input(normal(1, &[2, 3, 6])).constant(normal(2, &[6])).agrees(17);
    }
    fused("QuickGelu").with("alpha", 1.5f32).input(normal(1, &[2, 6])).agrees(17);
}

#[test]
fn normalisations() {
    let x = || normal(1, &[2, 3, 8]);
    operator("", "RMSNormalization").with("epsilon", 0.1f32).input(x()).constant(normal(2, &[8])).agrees(23);
    operator("", "RMSNormalization").with("axis", 1).input(x()).constant(normal(2, &[3, 8])).agrees(23);
    operator("", "SimplifiedLayerNormalization").input(x()).constant(normal(2, &[8])).agrees(17);
    operator("", "LpNormalization").with("axis", 1).input(x()).agrees(20);
    operator("", "LpNormalization").with("p", 1).input(x()).agrees(20);
    operator("", "MeanVarianceNormalization").input(normal(1, &[2, 3, 4, 5])).agrees(20);
    fused("SkipLayerNormalization")
        .input(x())
        .input(normal(2, &[2, 3, 8]))
        .constant(normal(3, &[8]))
        .constant(normal(4, &[8]))
        .constant(normal(5, &[8]))
        .agrees(17);
    fused("SkipSimplifiedLayerNormalization")
        .with("epsilon", 0.01f32)
        .input(x())
        .input(normal(2, &[2, 3, 8]))
        .constant(normal(3, &[8]))
        .agrees(17);
}

#[test]
fn products_with_more() {
    fused("FusedMatMul")
        .with("transB", 1)
        .with("alpha", 0.3f32)
        .input(normal(1, &[2, 3, 4]))
        .input(normal(2, &[2, 5, 4]))
        .agrees(17);
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let left: &[usize] = if a == 0 { &[3, 2, 4] } else { &[4, 2, 3] };
        let right: &[usize] = if b == 0 { &[4, 2, 5] } else { &[5, 2, 4] };
        fused("FusedMatMul")
            .with("transBatchA", 1)
            .with("transBatchB", 1)
            .with("transA", a)
            .with("transB", b)
            .constant(normal(1, left))
            .input(normal(2, right))
            .agrees(17);
    }
    fused("TransposeMatMul").with("transB", 1).input(normal(1, &[3, 4])).constant(normal(2, &[5, 4])).agrees(17);
    fused("FusedMatMul").with("transA", 1).input(normal(1, &[4, 3])).constant(normal(2, &[4, 5])).agrees(17);
    fused("FusedGemm")
        .with("activation", "Relu")
        .with("transB", 1)
        .input(normal(1, &[2, 4]))
        .constant(normal(2, &[5, 4]))
        .constant(normal(3, &[5]))
        .agrees(17);
    let conv = || fused("FusedConv").input(normal(1, &[2, 3, 5, 5])).constant(normal(2, &[4, 3, 3, 3]));
    conv().with("activation", "Sigmoid").constant(normal(3, &[4])).agrees(17);
    conv()
        .with("activation", "LeakyRelu")
        .with("activation_params", Attribute::Floats(vec![0.97]))
        .constant(normal(3, &[4]))
        .agrees(17);
}

#[test]
fn attention() {
    let value = |seed: u64| normal(seed, &[2, 2, 5, 4]);
    let apart = || operator("", "Attention").input(value(1)).input(value(2)).input(value(3));
    apart().agrees(23);
    apart().with("is_causal", 1).with("scale", 0.3f32).agrees(23);
    apart().constant(normal(4, &[5, 5])).agrees(23);
    let seen: Vec<u8> = (0..25).map(|i| u8::from(i % 3 != 1)).collect();
    apart().constant(mask(&[5, 5], &seen)).agrees(24);
    let flat = |seed: u64, width: usize| normal(seed, &[2, 5, width]);
    let heads = |q: i64, kv: i64| operator("", "Attention").with("q_num_heads", q).with("kv_num_heads", kv);
    heads(2, 2).input(flat(1, 8)).input(flat(2, 8)).input(flat(3, 8)).agrees(23);
    heads(4, 2).input(flat(1, 16)).input(flat(2, 8)).input(flat(3, 8)).agrees(23);
}

#[test]
fn fused_attention() {
    let flat = |seed: u64| normal(seed, &[2, 5, 8]);
    let apart = || fused("MultiHeadAttention").with("num_heads", 2).input(flat(1)).input(flat(2)).input(flat(3));
    apart().agrees(17);
    apart().constant(normal(4, &[24])).with("scale", 0.4f32).agrees(17);
    apart().without().without().constant(normal(4, &[1, 1, 5, 5])).agrees(17);
    let packed = || fused("Attention").with("num_heads", 2).input(normal(1, &[2, 5, 6])).constant(normal(2, &[6, 24]));
    packed().constant(normal(3, &[24])).agrees(17);
    packed().constant(normal(3, &[24])).with("unidirectional", 1).agrees(17);
}

/// onnxruntime supports these forms only on GPUs.
#[test]
fn packed_attention_is_that_of_its_parts() {
    let heads = |seed: u64| normal(seed, &[2, 5, 2, 4]);
    let packed = |parts: &[Tensor]| {
        let width = parts.len();
        let values = parts.iter().map(|t| t.to_f32().unwrap()).collect::<Vec<_>>();
        let rows = (0..20).flat_map(|row| (0..width).map(move |part| (row, part)));
        let all = rows.flat_map(|(row, part)| values[part][row * 4..(row + 1) * 4].to_vec()).collect::<Vec<_>>();
        Tensor::f32(&[2, 5, 2, width, 4], &all)
    };
    let [q, k, v] = [heads(1), heads(2), heads(3)];
    let flat = |tensor: &Tensor| tensor.with_dims(&[2, 5, 8]);
    let attention = || fused("MultiHeadAttention").with("num_heads", 2);
    let result = |single: Single| {
        let values: Vec<(&str, &Tensor)> = single.values.iter().map(|(n, t)| (n.as_str(), t)).collect();
        run(&Graph::read(single.bytes(17).into(), None).unwrap(), &values).remove(0)
    };
    let expected = result(attention().input(flat(&q)).input(flat(&k)).input(flat(&v)));
    let all = attention().input(packed(&[q.clone(), k.clone(), v.clone()]));
    assert!(distance(&result(all), &expected) < 1e-6);
    let some = attention().input(flat(&q)).input(packed(&[k, v]));
    assert!(distance(&result(some), &expected) < 1e-6);
}

#[test]
fn rotary_positions() {
    let tables = |single: Single, seed: u64, dims: &[usize]| {
        single.constant(uniform(seed, dims, -1.0, 1.0)).constant(uniform(seed + 1, dims, -1.0, 1.0))
    };
    let apart = || operator("", "RotaryEmbedding").input(normal(1, &[2, 3, 5, 8]));
    tables(apart(), 2, &[2, 5, 4]).agrees(23);
    tables(apart().with("interleaved", 1), 2, &[2, 5, 4]).agrees(23);
    tables(apart().with("rotary_embedding_dim", 4), 2, &[2, 5, 2]).agrees(23);
    let flat = operator("", "RotaryEmbedding").with("num_heads", 2).input(normal(1, &[2, 5, 8]));
    tables(flat, 2, &[7, 2]).constant(ids(&[2, 5], &[0, 1, 2, 3, 4, 6, 5, 2, 1, 0])).agrees(23);
    let fused = fused("RotaryEmbedding").with("num_heads", 2).input(normal(1, &[2, 5, 8]));
    tables(fused.constant(ids(&[2, 5], &[0, 1, 2, 3, 4, 6, 5, 2, 1, 0])), 2, &[7, 2]).agrees(17);
}

#[test]
fn what_is_not_covered_stays_and_is_named() {
    let single = fused("MultiHeadAttention")
        .with("num_heads", 2)
        .input(normal(1, &[2, 5, 8]))
        .input(normal(2, &[2, 5, 8]))
        .input(normal(3, &[2, 5, 8]))
        .without()
        .constant(Tensor {
            data_type: DataType::I32,
            dims: vec![2],
            data: [5i32, 3].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into(),
        });
    let mut graph = Graph::read(single.bytes(17).into(), None).unwrap();
    assert_eq!(graph.nodes.len(), 1);
    graph.types.insert("y".into(), crate::ValueType::fixed(DataType::F32, &[2, 5, 8]));
    graph.constants.insert("dy".into(), normal(4, &[2, 5, 8]));
    let error = differentiate(&mut graph, &[("y", "dy")], &["x0"]).unwrap_err();
    assert!(error.to_string().contains("com.microsoft.MultiHeadAttention"), "{error}");
    assert!(error.hint().unwrap().contains("optimis"), "{:?}", error.hint());
}

/// Lists of tensors, split and joined again.
#[test]
fn sequences() {
    let x = normal(1, &[2, 6, 3]);
    let index = |b: &mut Builder, i: i64| b.constant("i", Tensor::i64(&[], &[i]));
    type Split = (Option<Tensor>, i64, Vec<i64>);
    let splits: [Split; 4] = [
        (None, 0, vec![4, -1]),
        (None, 1, vec![0, 3]),
        (Some(Tensor::i64(&[], &[2])), 1, vec![2, 0]),
        (Some(Tensor::i64(&[3], &[1, 3, 2])), 1, vec![1, -1]),
    ];
    for (sizes, keep, indices) in splits {
        for new_axis in [0, 1] {
            let pieces_differ = sizes.as_ref().is_some_and(|t| t.len() == 3);
            if new_axis == 1 && pieces_differ {
                continue;
            }
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            b.input("x0", DataType::F32, &x.dims);
            let mut inputs = vec!["x0".to_owned()];
            inputs.extend(sizes.clone().map(|sizes| b.constant("sizes", sizes)));
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            let list = b.op_with("SplitToSequence", &inputs, &[("axis", 1.into()), ("keepdims", keep.into())]);
            let parts: Vec<String> = indices
                .iter()
                .map(|i| {
                    let i = index(&mut b, *i);
                    b.op("SequenceAt", &[&list, &i])
                })
                .collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let again = b.op("SequenceConstruct", &parts);
            let first = index(&mut b, 0);
            let first = b.op("SequenceAt", &[&again, &first]);
            let joined =
                b.op_with("ConcatFromSequence", &[&again], &[("axis", 1.into()), ("new_axis", new_axis.into())]);
            graph.outputs = vec![first, joined];
            let bytes = graph.write();
            let outputs: Vec<&str> = graph.outputs.iter().map(String::as_str).collect();
            let expected = run_bytes(&bytes, &outputs, &[("x0", &x)]);
            let lowered = Graph::read(bytes.into(), None).unwrap();
            assert!(lowered.nodes.iter().all(|node| !node.operator.contains("Sequence")), "{:?}", lowered.nodes);
            assert_eq!(run(&lowered, &[("x0", &x)]), expected);
        }
    }
}
