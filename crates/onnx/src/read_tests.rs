//! Tests of reading old forms, files beside the model, and nonsense.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use super::proto::*;
use super::test_support::{normal, run};
use super::{Graph, OnnxError, Signature, Tensor};

fn attribute(name: &str) -> AttributeProto {
    AttributeProto { name: name.into(), ..AttributeProto::default() }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { r#type: attribute_type::INTS, ints: values.to_vec(), ..attribute(name) }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { r#type: attribute_type::INT, i: Some(value), ..attribute(name) }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { r#type: attribute_type::FLOAT, f: Some(value), ..attribute(name) }
}

fn node(operator: &str, input: &[&str], output: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        input: input.iter().map(|s| s.to_string()).collect(),
        output: output.iter().map(|s| s.to_string()).collect(),
        attribute,
        ..NodeProto::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|d| DimensionProto { value: Some(DimensionValue::Value(*d)) }).collect();
    let tensor_type = Some(TensorTypeProto { elem_type: 1, shape: Some(TensorShapeProto { dim }) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

fn float_tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: 1,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// Returns a model from `x` of the given sizes to `y`.
fn model(opset: i64, dims: &[i64], node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let mut output = value("y", &[]);
    output.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap().shape = None;
    ModelProto {
        ir_version: Some(7),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: Some(opset) }],
        graph: Some(GraphProto {
            name: "g".into(),
            node,
            initializer,
            input: vec![value("x", dims)],
            output: vec![output],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

fn read(model: &ModelProto) -> Result<Graph, OnnxError> {
    Graph::read(model.encode_to_vec().into(), None)
}

fn result(model: &ModelProto, x: &Tensor) -> Tensor {
    run(&read(model).unwrap(), &[("x", x)]).remove(0)
}

#[test]
fn attributes_that_became_inputs() {
    let x = normal(1, &[1, 2, 6, 4]);
    let dims = [1, 2, 6, 4];
    let one = |opset, operator: &str, attributes| {
        model(opset, &dims, vec![node(operator, &["x"], &["y"], attributes)], vec![])
    };
    let shape = |model: &ModelProto| result(model, &x).dims;
    assert_eq!(shape(&one(11, "Squeeze", vec![ints("axes", &[0])])), [2, 6, 4]);
    assert_eq!(shape(&one(11, "Unsqueeze", vec![ints("axes", &[0, 2])])), [1, 1, 1, 2, 6, 4]);
    assert_eq!(shape(&one(11, "ReduceSum", vec![ints("axes", &[2]), int("keepdims", 0)])), [1, 2, 4]);
    assert_eq!(shape(&one(13, "ReduceMean", vec![ints("axes", &[-1])])), [1, 2, 6, 1]);
    assert_eq!(
        shape(&one(9, "Slice", vec![ints("starts", &[1]), ints("ends", &[3]), ints("axes", &[2])])),
        [1, 2, 2, 4]
    );
    assert_eq!(shape(&one(10, "Pad", vec![ints("pads", &[0, 0, 1, 0, 0, 0, 0, 2])])), [1, 2, 7, 6]);
    let clipped = result(&one(10, "Clip", vec![float("min", -0.5), float("max", 0.25)]), &x).to_f32().unwrap();
    let expected: Vec<f32> = x.to_f32().unwrap().iter().map(|v| v.clamp(-0.5, 0.25)).collect();
    assert_eq!(clipped, expected);
    let split = node("Split", &["x"], &["y", "rest"], vec![int("axis", 2), ints("split", &[2, 4])]);
    assert_eq!(shape(&model(11, &dims, vec![split], vec![])), [1, 2, 2, 4]);
    let halves = node("Split", &["x"], &["rest", "y"], vec![int("axis", 2)]);
    assert_eq!(shape(&model(13, &dims, vec![halves], vec![])), [1, 2, 3, 4]);
}

#[test]
fn softmax_once_ran_over_all_axes_from_its_own() {
    let x = normal(1, &[2, 3, 4]);
    let old = model(11, &[2, 3, 4], vec![node("Softmax", &["x"], &["y"], vec![int("axis", 1)])], vec![]);
    let y = result(&old, &x).to_f32().unwrap();
    for row in y.chunks(12) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
    }
    let last = model(11, &[2, 3, 4], vec![node("Softmax", &["x"], &["y"], vec![int("axis", 2)])], vec![]);
    assert_eq!(read(&last).unwrap().nodes.len(), 1);
}

#[test]
fn groups_are_normalised_alike_in_both_forms() {
    let x = normal(1, &[2, 4, 3, 2]);
    let group = |opset, scale: &[f32], bias: &[f32]| {
        let attributes = vec![int("num_groups", 2), float("epsilon", 1e-3)];
        let count = [scale.len() as i64];
        let constants = vec![float_tensor("s", &count, scale), float_tensor("b", &count, bias)];
        let y = node("GroupNormalization", &["x", "s", "b"], &["y"], attributes);
        result(&model(opset, &[2, 4, 3, 2], vec![y], constants), &x).to_f32().unwrap()
    };
    let by_group = group(18, &[2.0, 3.0], &[0.5, -1.0]);
    let by_channel = group(21, &[2.0, 2.0, 3.0, 3.0], &[0.5, 0.5, -1.0, -1.0]);
    let far = by_group.iter().zip(&by_channel).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far < 1e-5, "{far}");
    let first: f32 = by_group[..12].iter().sum::<f32>() / 12.0;
    assert!((first - 0.5).abs() < 1e-5, "{first}");
}

#[test]
fn upsample_repeats_cells() {
    let x = Tensor::f32(&[1, 1, 1, 2], &[1.0, 2.0]);
    let scales = float_tensor("scales", &[4], &[1.0, 1.0, 1.0, 2.0]);
    let up = node("Upsample", &["x", "scales"], &["y"], vec![]);
    assert_eq!(result(&model(9, &[1, 1, 1, 2], vec![up], vec![scales]), &x).to_f32().unwrap(), [1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn scatter_had_another_name() {
    let indices =
        TensorProto { name: "i".into(), dims: vec![1], data_type: 7, int64_data: vec![2], ..TensorProto::default() };
    let updates = float_tensor("u", &[1], &[9.0]);
    let scatter = node("Scatter", &["x", "i", "u"], &["y"], vec![int("axis", 0)]);
    let x = Tensor::f32(&[3], &[1.0, 2.0, 3.0]);
    let old = model(10, &[3], vec![scatter], vec![indices, updates]);
    assert_eq!(result(&old, &x).to_f32().unwrap(), [1.0, 2.0, 9.0]);
}

#[test]
fn nodes_that_do_nothing_or_are_constants_go() {
    let constant = AttributeProto { r#type: attribute_type::FLOATS, floats: vec![2.0], ..attribute("value_floats") };
    let nodes = vec![
        node("Mul", &["c", "b"], &["y"], vec![]),
        node("Dropout", &["a"], &["b"], vec![float("ratio", 0.5)]),
        node("Identity", &["x"], &["a"], vec![]),
        node("Constant", &[], &["c"], vec![constant]),
        node("Exp", &["x"], &["unused"], vec![]),
    ];
    let graph = read(&model(12, &[2], nodes, vec![])).unwrap();
    let operators: Vec<&str> = graph.nodes.iter().map(|n| n.operator.as_str()).collect();
    assert_eq!(operators, ["Mul"]);
    assert_eq!(graph.nodes[0].inputs, ["c", "x"]);
}

#[test]
fn local_functions_are_put_in() {
    let reference =
        AttributeProto { ref_attr_name: "slope".into(), r#type: attribute_type::FLOAT, ..attribute("alpha") };
    let function = FunctionProto {
        name: "Twice".into(),
        domain: "local".into(),
        input: vec!["p".into()],
        output: vec!["q".into()],
        node: vec![
            node("LeakyRelu", &["p"], &["inner"], vec![reference]),
            node("Add", &["inner", "inner"], &["q"], vec![]),
        ],
        ..FunctionProto::default()
    };
    let mut call = node("Twice", &["x"], &["y"], vec![float("slope", 0.5)]);
    call.domain = "local".into();
    let mut proto = model(18, &[2], vec![call], vec![]);
    proto.functions = vec![function.clone()];
    let x = Tensor::f32(&[2], &[-1.0, 3.0]);
    assert_eq!(result(&proto, &x).to_f32().unwrap(), [-1.0, 6.0]);
    // A function that calls itself.
    proto.functions[0].node[0].op_type = "Twice".into();
    proto.functions[0].node[0].domain = "local".into();
    assert!(matches!(read(&proto), Err(OnnxError::Malformed(_))));
}

#[test]
fn what_is_given_twice_and_is_the_same_is_kept_once() {
    let relu = || node("Relu", &["x"], &["y"], vec![]);
    // Listed among the outputs twice.
    let mut proto = model(18, &[2], vec![relu()], vec![]);
    let output = proto.graph.as_ref().unwrap().output[0].clone();
    proto.graph.as_mut().unwrap().output.push(output);
    let graph = read(&proto).unwrap();
    assert_eq!(graph.outputs, ["y"]);
    let bytes = Bytes::from(proto.encode_to_vec());
    assert_eq!(Signature::read(&bytes).unwrap().twice.into_iter().collect::<Vec<_>>(), ["y"]);
    // Computed by two nodes that do the same; their names do not matter.
    let other = NodeProto { name: "another".into(), ..relu() };
    let proto = model(18, &[2], vec![relu(), other], vec![]);
    let x = Tensor::f32(&[2], &[-1.0, 3.0]);
    assert_eq!(result(&proto, &x).to_f32().unwrap(), [0.0, 3.0]);
    assert!(!Signature::read(&Bytes::from(proto.encode_to_vec())).unwrap().twice.is_empty());
    // A constant.
    let one = float_tensor("w", &[1], &[2.0]);
    let proto = model(18, &[2], vec![node("Mul", &["x", "w"], &["y"], vec![])], vec![one.clone(), one]);
    assert_eq!(result(&proto, &x).to_f32().unwrap(), [-2.0, 6.0]);
    assert!(Signature::read(&Bytes::from(proto.encode_to_vec())).unwrap().twice.contains("w"));
    let sound = model(18, &[2], vec![relu()], vec![]);
    assert!(Signature::read(&Bytes::from(sound.encode_to_vec())).unwrap().twice.is_empty());
}

#[test]
fn what_is_wrong_with_a_file_is_told_by_what_it_is() {
    let relu = || node("Relu", &["x"], &["y"], vec![]);
    let twice = model(18, &[2], vec![relu(), node("Sigmoid", &["x"], &["y"], vec![])], vec![]);
    let lost = model(18, &[2], vec![node("Relu", &["nothing"], &["y"], vec![])], vec![]);
    let input = model(18, &[2], vec![relu(), node("Relu", &["y"], &["x"], vec![])], vec![]);
    let circle =
        model(18, &[2], vec![node("Add", &["x", "z"], &["y"], vec![]), node("Relu", &["y"], &["z"], vec![])], vec![]);
    let one = float_tensor("w", &[1], &[1.0]);
    let constants =
        model(18, &[2], vec![node("Mul", &["x", "w"], &["y"], vec![])], vec![one, float_tensor("w", &[1], &[2.0])]);
    for (proto, said) in [
        (twice, "two nodes give value `y`"),
        (input, "two nodes give value `x`"),
        (lost, "`nothing`, which nothing gives"),
        (circle, "form a cycle"),
        (constants, "`w` is given twice"),
    ] {
        let error = read(&proto).unwrap_err();
        let hint = error.hint().unwrap();
        assert!(error.to_string().contains(said), "{error}");
        assert!(hint.contains("export") && !hint.contains("complete"), "{error}: {hint}");
    }
    let whole = model(18, &[2], vec![relu()], vec![]).encode_to_vec();
    for (bytes, said, helps) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"[..], "pointer of Git LFS", "git lfs pull"),
        (b"", "empty", "complete"),
        (&whole[..whole.len() - 3], "not an ONNX model", "complete"),
        (b"<html>", "not an ONNX model", "complete"),
    ] {
        let bytes = Bytes::copy_from_slice(bytes);
        for error in [Graph::read(bytes.clone(), None).unwrap_err(), Signature::read(&bytes).unwrap_err()] {
            assert!(error.to_string().contains(said), "{error}, not {said}");
            assert!(error.hint().unwrap().contains(helps), "{error}");
        }
    }
}

#[test]
fn weights_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let bytes: Vec<u8> = [9.0f32, 1.5, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(inside.join("weights.bin"), &bytes).unwrap();
    std::fs::write(folder.path().join("secret.bin"), &bytes).unwrap();
    let with = |location: &str, offset: &str, length: &str| {
        let entry = |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
        let tensor = TensorProto {
            name: "w".into(),
            dims: vec![2],
            data_type: 1,
            data_location: Some(EXTERNAL),
            external_data: vec![entry("location", location), entry("offset", offset), entry("length", length)],
            ..TensorProto::default()
        };
        let proto = model(18, &[2], vec![node("Mul", &["x", "w"], &["y"], vec![])], vec![tensor]);
        Graph::read(proto.encode_to_vec().into(), Some(&inside))
    };
    let graph = with("weights.bin", "4", "8").unwrap();
    assert_eq!(graph.constants["w"].to_f32().unwrap(), [1.5, -2.0]);
    assert_eq!(graph.write().len(), graph.write_split(usize::MAX).0.len());
    let absolute = folder.path().join("secret.bin").display().to_string();
    for (location, offset, length, expected) in [
        ("../secret.bin", "0", "8", "inside the model's folder"),
        (absolute.as_str(), "0", "8", "inside the model's folder"),
        ("", "0", "8", "inside the model's folder"),
        ("nothing.bin", "0", "8", "nothing.bin"),
        ("weights.bin", "8", "8", "12 bytes"),
        ("weights.bin", "18446744073709551615", "8", "12 bytes"),
        ("weights.bin", "x", "8", "not a number"),
        ("weights.bin", "0", "4", "needs 8 bytes"),
    ] {
        let error = with(location, offset, length).unwrap_err().to_string();
        assert!(error.contains(expected), "{location} {offset} {length}: {error}");
    }
}

#[test]
fn a_file_that_is_not_there_or_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    assert!(Graph::open(&path).unwrap_err().to_string().contains("model.onnx"));
    std::fs::write(&path, b"").unwrap();
    assert!(Graph::open(&path).is_err());
    std::fs::write(&path, example()).unwrap();
    assert!(!Graph::open(&path).unwrap().nodes.is_empty());
}

#[test]
fn nonsense_is_an_error() {
    let relu = |input: &str, output: &str| node("Relu", &[input], &[output], vec![]);
    let said = |nodes, constants| read(&model(18, &[2], nodes, constants)).unwrap_err().to_string();
    assert!(said(vec![relu("nowhere", "y")], vec![]).contains("`nowhere`"));
    assert!(said(vec![relu("x", "z")], vec![]).contains("`y`"));
    let other = node("Sigmoid", &["x"], &["y"], vec![]);
    assert!(said(vec![relu("x", "y"), other], vec![]).contains("two nodes give value `y`"));
    let circle = vec![node("Add", &["x", "b"], &["a"], vec![]), relu("a", "b"), relu("b", "y")];
    assert!(said(circle, vec![]).contains("form a cycle"));
    let huge =
        |dims: &[i64]| TensorProto { name: "w".into(), dims: dims.to_vec(), data_type: 1, ..TensorProto::default() };
    assert!(said(vec![relu("x", "y")], vec![huge(&[1 << 40, 1 << 40])]).contains("larger than memory"));
    assert!(said(vec![relu("x", "y")], vec![huge(&[-1])]).contains("negative"));
    assert!(said(vec![relu("x", "y")], vec![huge(&[3])]).contains("needs 12 bytes"));
    let mut old = model(3, &[2], vec![relu("x", "y")], vec![]);
    assert!(read(&old).unwrap_err().to_string().contains("operator set 3"));
    old.opset_import.clear();
    assert!(read(&old).is_err());
    assert!(matches!(Graph::read(Bytes::from_static(b"\x08\x07garbage"), None), Err(OnnxError::Decode(_))));
    let training = node("BatchNormalization", &["x", "x", "x", "x", "x"], &["y"], vec![int("training_mode", 1)]);
    assert!(said(vec![training], vec![]).contains("eval()"));
    // Subgraphs nested much too deeply.
    let mut deep = GraphProto::default();
    for _ in 0..500 {
        let branch = AttributeProto { r#type: attribute_type::GRAPH, g: Some(deep), ..attribute("body") };
        deep = GraphProto { node: vec![node("Loop", &[], &["y"], vec![branch])], ..GraphProto::default() };
    }
    let mut proto = model(18, &[2], vec![], vec![]);
    proto.graph = Some(deep);
    assert!(read(&proto).is_err());
}

#[test]
fn an_operator_without_a_rule_is_named() {
    let mut det = node("Det", &["x"], &["y"], vec![]);
    det.name = "the node".into();
    let mut graph = read(&model(18, &[2, 2], vec![det], vec![])).unwrap();
    graph.types.insert("y".into(), super::ValueType::fixed(super::DataType::F32, &[]));
    graph.constants.insert("dy".into(), Tensor::f32(&[], &[1.0]));
    let error = super::differentiate(&mut graph, &[("y", "dy")], &["x"]).unwrap_err();
    for part in ["`Det`", "`the node`"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(error.hint().is_some_and(|hint| hint.contains("docs/adding-an-operator.md")));
}

fn example() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/models/vit-gelu-dy18.onnx")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Graph::read(bytes.into(), None);
    }

    #[test]
    fn a_truncated_model_is_refused(keep in 0.0..1.0f64) {
        let bytes = example();
        let end = (bytes.len() as f64 * keep) as usize;
        prop_assert!(Graph::read(bytes[..end].to_vec().into(), None).is_err());
    }

    #[test]
    fn a_damaged_model_is_read_or_refused(places in prop::collection::vec((0.0..1.0f64, any::<u8>()), 1..40)) {
        let mut bytes = example();
        let count = bytes.len() as f64;
        for (at, byte) in places {
            bytes[(count * at) as usize] = byte;
        }
        if let Ok(graph) = Graph::read(bytes.into(), None) {
            let _ = super::gradient_graph(graph);
        }
    }
}
