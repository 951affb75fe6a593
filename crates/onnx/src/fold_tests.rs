//! Tests of folding: which nodes go, which stay, and which of this onnxruntime does.

use crate::test_support::{fold, normal, run};
use crate::{Attribute, Builder, DataType, Dim, Graph, Tensor, ValueType, gradient_graph};

/// Returns an encoder from `image` `[batch, 3, 2, 2]` to `embedding` `[batch, 4]`: flattened, times weights, through
/// the operator `bend`, times weights.
fn encoder(bend: (&str, &[(&str, Attribute)])) -> Graph {
    let free = |sizes: &[usize]| {
        let fixed = sizes.iter().map(|s| Dim::Known(*s));
        let dims = std::iter::once(Dim::Named("batch".into())).chain(fixed).collect();
        ValueType { data_type: DataType::F32, dims: Some(dims) }
    };
    let mut graph = Graph::default();
    graph.inputs.push("image".into());
    graph.outputs.push("embedding".into());
    graph.types.insert("image".into(), free(&[3, 2, 2]));
    graph.types.insert("embedding".into(), free(&[4]));
    let mut b = Builder::new(&mut graph, "t");
    let flat = b.op("Flatten", &["image"]);
    let (first, second) = (b.constant("w", normal(1, &[12, 6])), b.constant("w", normal(2, &[6, 4])));
    let hidden = b.op("MatMul", &[&flat, &first]);
    let bent = b.op_with(bend.0, &[&hidden], bend.1);
    b.op_into("MatMul", &[&bent, &second], &[], "embedding");
    graph
}

/// onnxruntime finds nothing to rewrite in this graph.
#[test]
fn an_encoder_with_nothing_to_fold() {
    let graph = fold(encoder(("Relu", &[])), 5);
    assert_eq!(graph.shape("embedding").unwrap(), [5, 4]);
    let operators: Vec<&str> = graph.nodes.iter().map(|n| n.operator.as_str()).collect();
    assert_eq!(operators, ["Flatten", "MatMul", "Relu", "MatMul"]);
    gradient_graph(graph).unwrap();
}

/// Only onnxruntime knows the sizes of that operator.
#[test]
fn nothing_to_fold_around_an_operator_unknown_here() {
    let graph = fold(encoder(("Hardmax", &[("axis", Attribute::Int(1))])), 5);
    assert_eq!(graph.shape("embedding").unwrap(), [5, 4]);
    let bent = graph.nodes.iter().find(|n| n.is("Hardmax")).unwrap();
    assert_eq!(graph.shape(&bent.outputs[0]).unwrap(), [5, 6]);
}

#[test]
fn outputs_that_are_used_inside_or_given_twice() {
    let mut graph = encoder(("Relu", &[]));
    let mut b = Builder::new(&mut graph, "more");
    b.op_into("Tanh", &["embedding"], &[], "bounded");
    graph.outputs = vec!["bounded".into(), "embedding".into()];
    let graph = fold(graph, 2);
    let image = normal(3, &[2, 3, 2, 2]);
    let got: Vec<Vec<f32>> = run(&graph, &[("image", &image)]).iter().map(|t| t.to_f32().unwrap()).collect();
    let far = got[0].iter().zip(&got[1]).map(|(bounded, y)| (bounded - y.tanh()).abs()).fold(0.0, f32::max);
    assert!(far < 1e-5 && got[1].len() == 8, "{far}");
}

/// An export in which all sizes of the image are free: sizes that were set before folding stay.
#[test]
fn sizes_that_were_set_before() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models");
    let model = |name: &str| Graph::open(&folder.join(name)).unwrap();
    let image = normal(4, &[2, 3, 16, 16]);
    for name in ["transformers-ts14.onnx", "vit-gelu-ts17.onnx", "resnet-ts17.onnx"] {
        let expected_graph = fold(model(name), 2);
        let sizes = expected_graph.shape("image").unwrap();
        let mut open = model(name);
        let free = ["batch", "num_channels", "height", "width"].map(|n| Dim::Named(n.into()));
        open.types.retain(|value, _| value == "image" || value == "embedding");
        open.types.get_mut("image").unwrap().dims = Some(free.to_vec());
        open.types.get_mut("embedding").unwrap().dims = Some(vec![Dim::Unknown, Dim::Named("width".into())]);
        open.set_input_shape("image", &sizes).unwrap();
        let got = fold(open, 2);
        assert_eq!(got.shape("image").unwrap(), sizes, "{name}");
        assert_eq!(got.shape("embedding").unwrap(), expected_graph.shape("embedding").unwrap(), "{name}");
        gradient_graph(got.clone()).unwrap();
        if sizes == image.dims {
            let same = |graph: &Graph| -> Tensor { run(graph, &[("image", &image)]).remove(0) };
            assert_eq!(same(&got), same(&expected_graph), "{name}");
        }
    }
}

#[test]
fn sizes_that_stay_free_are_named() {
    let mut graph = encoder(("Relu", &[]));
    graph.types.get_mut("image").unwrap().dims.as_mut().unwrap()[2] = Dim::Named("height".into());
    let error = crate::fold(graph, 2, |bytes| Ok::<_, std::io::Error>(bytes.to_vec())).unwrap_err();
    assert!(error.to_string().contains("no static shape"), "{error}");
}

/// Appends a value computed from the sizes of `image` by one of the operators of shape arithmetic.
fn arithmetic(b: &mut Builder, operator: &str) -> String {
    let shape = b.op("Shape", &["image"]);
    let (two, one) = (b.ints(&[2, 3, 2, 2]), b.constant("one", Tensor::i64(&[], &[1])));
    let as_float = [("to", Attribute::Int(DataType::F32 as i64))];
    let floats = b.op_with("Cast", &[&shape], &as_float);
    let many = b.op("Greater", &[&shape, &two]);
    match operator {
        "Shape" => shape,
        "Size" => b.op("Size", &["image"]),
        "And" | "Or" | "Xor" => b.op(operator, &[&many, &many]),
        "Not" => b.op("Not", &[&many]),
        "IsNaN" | "IsInf" => b.op(operator, &[&floats]),
        "ArgMax" | "ArgMin" | "NonZero" | "ReduceProd" | "ConstantOfShape" => b.op(operator, &[&shape]),
        "EyeLike" => {
            let square = b.ints(&[2, 2]);
            let square = b.op("Reshape", &[&shape, &square]);
            b.op("EyeLike", &[&square])
        }
        "OneHot" => {
            let (depth, values) = (b.constant("depth", Tensor::i64(&[], &[9])), b.ints(&[0, 1]));
            b.op("OneHot", &[&shape, &depth, &values])
        }
        "Range" => {
            let (zero, size) = (b.constant("zero", Tensor::i64(&[], &[0])), b.op("Size", &["image"]));
            b.op("Range", &[&zero, &size, &one])
        }
        binary => b.op(binary, &[&shape, &two]),
    }
}

/// Everything that exporters compute from sizes is a constant once these are fixed.
#[test]
fn shape_arithmetic_is_computed() {
    let operators = [
        "And",
        "ArgMax",
        "ArgMin",
        "ConstantOfShape",
        "Equal",
        "EyeLike",
        "Greater",
        "GreaterOrEqual",
        "IsInf",
        "IsNaN",
        "Less",
        "LessOrEqual",
        "Mod",
        "NonZero",
        "Not",
        "OneHot",
        "Or",
        "Range",
        "ReduceProd",
        "Shape",
        "Size",
        "Xor",
    ];
    for operator in operators {
        let mut graph = encoder(("Relu", &[]));
        graph.rename("embedding", "plain").unwrap();
        let mut b = Builder::new(&mut graph, "arithmetic");
        let value = arithmetic(&mut b, operator);
        let value = b.op_with("Cast", &[&value], &[("to", Attribute::Int(DataType::F32 as i64))]);
        let sum = b.op_with("ReduceSum", &[&value], &[("keepdims", 0.into())]);
        b.op_into("Add", &["plain", &sum], &[], "embedding");
        graph.outputs = vec!["embedding".into()];
        graph.sort().unwrap();
        let folded =
            crate::fold(graph, 5, |bytes| crate::test_support::runtime().fold(bytes, &Default::default(), &[]));
        let graph = folded.unwrap_or_else(|error| panic!("{operator}: {error}"));
        let left: Vec<&str> = graph.nodes.iter().map(|n| n.operator.as_str()).collect();
        assert_eq!(left, ["Flatten", "MatMul", "Relu", "MatMul", "Add"], "{operator}");
        gradient_graph(graph).unwrap();
    }
}

/// Exporters leave an `If` where a size was free; its condition becomes constant once the size is fixed. Before
/// operator set 13 the branches' `Squeeze` has its axes as an attribute.
#[test]
fn branches_of_a_known_condition() {
    use crate::proto::*;
    use prost::Message;
    let node = |operator: &str, input: &[&str], output: &str, attribute: Vec<AttributeProto>| NodeProto {
        op_type: operator.into(),
        input: input.iter().map(|s| s.to_string()).collect(),
        output: vec![output.into()],
        attribute,
        ..NodeProto::default()
    };
    let ints = |name: &str, values: &[i64]| AttributeProto {
        name: name.into(),
        r#type: attribute_type::INTS,
        ints: values.to_vec(),
        ..AttributeProto::default()
    };
    let branch = |name: &str, nodes: Vec<NodeProto>, output: &str| AttributeProto {
        name: name.into(),
        r#type: attribute_type::GRAPH,
        g: Some(GraphProto {
            name: name.into(),
            node: nodes,
            output: vec![ValueInfoProto { name: output.into(), r#type: None }],
            ..GraphProto::default()
        }),
        ..AttributeProto::default()
    };
    let value = |name: &str, sizes: &[i64]| {
        let dim = |size: &i64| DimensionProto {
            value: Some(match size {
                0 => DimensionValue::Param("batch".into()),
                size => DimensionValue::Value(*size),
            }),
        };
        let shape = (!sizes.is_empty()).then(|| TensorShapeProto { dim: sizes.iter().map(dim).collect() });
        ValueInfoProto {
            name: name.into(),
            r#type: Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type: 1, shape }) }),
        }
    };
    let number = |name: &str, value: i64| TensorProto {
        name: name.into(),
        data_type: 7,
        int64_data: vec![value],
        ..TensorProto::default()
    };
    let squeeze = node("Squeeze", &["image"], "squeezed", vec![ints("axes", &[1])]);
    let keep = node("Identity", &["image"], "kept", vec![]);
    let at =
        AttributeProto { name: "axis".into(), r#type: attribute_type::INT, i: Some(0), ..AttributeProto::default() };
    let nodes = vec![
        node("Shape", &["image"], "shape", vec![]),
        node("Gather", &["shape", "one"], "size", vec![at]),
        node("Equal", &["size", "one"], "condition", vec![]),
        node(
            "If",
            &["condition"],
            "chosen",
            vec![branch("then_branch", vec![squeeze], "squeezed"), branch("else_branch", vec![keep], "kept")],
        ),
        node("Tanh", &["chosen"], "embedding", vec![]),
    ];
    let model = ModelProto {
        ir_version: Some(7),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: Some(11) }],
        graph: Some(GraphProto {
            name: "g".into(),
            node: nodes,
            initializer: vec![number("one", 1)],
            input: vec![value("image", &[0, 1, 4])],
            output: vec![value("embedding", &[])],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    };
    let graph = Graph::read(model.encode_to_vec().into(), None).unwrap();
    let graph = fold(graph, 3);
    assert!(graph.nodes.iter().all(|node| !node.is("If")), "{:?}", graph.nodes);
    assert_eq!(graph.shape("embedding").unwrap(), [3, 4]);
    gradient_graph(graph).unwrap();
}
