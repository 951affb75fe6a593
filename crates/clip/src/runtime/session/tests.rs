use super::*;
use crate::{
    onnx::{DataType, Tensor},
    runtime::tiny_graph::{self, Field, message, model},
};

const F32: u8 = 1;
const I64: u8 = 7;
const BOOL: u8 = 9;

/// Returns a `ValueInfoProto`. A dimension is a size or a name.
fn value(name: &str, element: u8, dims: &[Result<u8, &str>]) -> Vec<u8> {
    let dims: Vec<Vec<u8>> = dims
        .iter()
        .map(|dim| match dim {
            Ok(size) => message(&[Field::Number(1, *size)]),
            Err(name) => message(&[Field::Bytes(2, name.as_bytes())]),
        })
        .collect();
    let shape = message(&dims.iter().map(|dim| Field::Bytes(1, dim)).collect::<Vec<_>>());
    let tensor = message(&[Field::Number(1, element), Field::Bytes(2, &shape)]);
    let value_type = message(&[Field::Bytes(1, &tensor)]);
    message(&[Field::Bytes(1, name.as_bytes()), Field::Bytes(2, &value_type)])
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut fields: Vec<Field> = inputs.iter().map(|input| Field::Bytes(1, input.as_bytes())).collect();
    fields.extend([Field::Bytes(2, output.as_bytes()), Field::Bytes(4, operator.as_bytes())]);
    message(&fields)
}

/// Returns a model with this graph.
fn graph(nodes: &[Vec<u8>], initialisers: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    let mut fields: Vec<Field> = nodes.iter().map(|node| Field::Bytes(1, node)).collect();
    fields.push(Field::Bytes(2, b"test"));
    fields.extend(initialisers.iter().map(|tensor| Field::Bytes(5, tensor)));
    fields.extend(inputs.iter().map(|input| Field::Bytes(11, input)));
    fields.extend(outputs.iter().map(|output| Field::Bytes(12, output)));
    model(&message(&fields))
}

fn plan(threads: usize) -> SessionPlan {
    SessionPlan { device: Device::Cpu, threads, level: Level::All, dimensions: Vec::new() }
}

const SIDE: usize = 100;

/// Returns the graph `y = x w`, with `w` `[100, 100]` kept outside.
fn product() -> Vec<u8> {
    let location = message(&[Field::Bytes(1, b"location"), Field::Bytes(2, b"weights")]);
    // TensorProto: dims, data_type, name, external_data, data_location = EXTERNAL.
    let weight = message(&[
        Field::Number(1, SIDE as u8),
        Field::Number(1, SIDE as u8),
        Field::Number(2, F32),
        Field::Bytes(8, b"w"),
        Field::Bytes(13, &location),
        Field::Number(14, 1),
    ]);
    let side = Ok(SIDE as u8);
    graph(
        &[node("MatMul", &["x", "w"], "y")],
        &[weight],
        &[value("x", F32, &[Err("rows"), side])],
        &[value("y", F32, &[Err("rows"), side])],
    )
}

/// Returns `w[i][j] = (i - j) / 64`, in memory that begins `offset` bytes after an aligned address.
fn weights(offset: usize) -> Weights {
    let values: Vec<f32> = (0..SIDE * SIDE).map(|at| ((at / SIDE) as f32 - (at % SIDE) as f32) / 64.0).collect();
    let mut bytes = vec![0; offset];
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let data = bytes::Bytes::from(bytes).slice(offset..);
    let tensor = Tensor { data_type: DataType::F32, dims: vec![SIDE, SIDE], data };
    Weights { tensors: vec![("w".to_owned(), tensor)], packable: ["w".to_owned()].into(), ..Weights::default() }
}

/// Returns `x w` for a vector, summed in f64.
fn expected(x: &[f32]) -> Vec<f64> {
    (0..SIDE).map(|j| x.iter().enumerate().map(|(i, x)| f64::from(*x) * (i as f64 - j as f64) / 64.0).sum()).collect()
}

#[test]
fn all_types_of_inputs_and_outputs_pass() {
    let two = [Ok(2)];
    let graph = graph(
        &[node("Relu", &["a"], "x"), node("Neg", &["b"], "y"), node("Not", &["c"], "z")],
        &[],
        &[value("a", F32, &two), value("b", I64, &two), value("c", BOOL, &two)],
        &[value("x", F32, &two), value("y", I64, &two), value("z", BOOL, &two)],
    );
    let mut session = Runtime::for_tests().session(&graph, &Weights::default(), &plan(1)).unwrap();
    assert_eq!(session.inputs().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(session.outputs().collect::<Vec<_>>(), ["x", "y", "z"]);
    let inputs = [
        ("c", Input::Bool(&[2], &[true, false])),
        ("a", Input::F32(&[2], &[-1.5, 2.5])),
        ("b", Input::I64(&[2], &[-7, 1 << 40])),
    ];
    let outputs = session.run(&inputs).unwrap();
    assert_eq!(outputs.names().collect::<Vec<_>>(), ["x", "y", "z"]);
    assert_eq!(outputs.f32("x").unwrap(), (&[2_i64][..], &[0.0, 2.5][..]));
    assert_eq!(outputs.i64("y").unwrap().1, [7, -(1 << 40)]);
    assert_eq!(outputs.bool("z").unwrap().1, [false, true]);
    // The same outputs as tensors, which may outlive the outputs and the session.
    let (x, y, z) = (outputs.get("x").cloned(), outputs.get("y").cloned(), outputs.get("z").cloned());
    assert!(outputs.get("w").is_none());
    drop((outputs, session));
    assert_eq!(x, Some(Tensor::f32(&[2], &[0.0, 2.5])));
    assert_eq!(y, Some(Tensor::i64(&[2], &[7, -(1 << 40)])));
    assert_eq!(z.map(|z| z.data.to_vec()), Some(vec![0, 1]));
}

#[test]
fn wrong_inputs_and_outputs_are_errors_that_name_them() {
    let mut session = Runtime::for_tests().session(&tiny_graph::relu(), &Weights::default(), &plan(1)).unwrap();
    let values = [1.0, 2.0];
    for (inputs, part) in [
        (vec![], "x"),
        (vec![("other", Input::F32(&[2], &values))], "other"),
        (vec![("x", Input::F32(&[3], &values))], "`x`"),
        (vec![("x", Input::F32(&[1], &values[..1]))], "x"),
        (vec![("x", Input::I64(&[2], &[1, 2]))], "x"),
    ] {
        let error = session.run(&inputs).err().unwrap_or_else(|| panic!("{inputs:?} passed"));
        assert!(error.message().contains(part), "{part}: {error}");
    }
    let outputs = session.run(&[("x", Input::F32(&[2], &values))]).unwrap();
    assert!(outputs.f32("z").unwrap_err().message().contains("`z`"));
    assert!(outputs.i64("y").unwrap_err().message().contains("`y`"));
}

#[test]
fn a_broken_graph_is_an_error() {
    let runtime = Runtime::for_tests();
    let whole = product();
    for graph in [&b""[..], b"text", &whole[..whole.len() / 2]] {
        assert!(runtime.session(graph, &weights(0), &plan(1)).is_err());
        assert!(runtime.fold(graph, &weights(0), &[]).is_err());
    }
    // Its weight is missing.
    assert!(runtime.session(&whole, &Weights::default(), &plan(1)).is_err());
}

#[test]
fn weights_are_used_where_they_lie_aligned_or_not() {
    let x: Vec<f32> = (0..SIDE).map(|i| (i as f32 * 0.7).sin()).collect();
    for offset in 0..4 {
        let mut session = Runtime::for_tests().session(&product(), &weights(offset), &plan(1)).unwrap();
        let outputs = session.run(&[("x", Input::F32(&[1, SIDE], &x))]).unwrap();
        let (dims, y) = outputs.f32("y").unwrap();
        assert_eq!(dims, [1, SIDE as i64]);
        for (y, expected) in y.iter().zip(expected(&x)) {
            assert!((f64::from(*y) - expected).abs() < 1e-4, "{y} {expected}");
        }
    }
}

#[test]
fn a_weight_of_the_wrong_length_is_an_error() {
    let mut weights = weights(0);
    weights.tensors[0].1.dims = vec![SIDE, SIDE + 1];
    let error = Runtime::for_tests().session(&product(), &weights, &plan(1)).err().unwrap();
    assert!(error.message().contains("`w`"), "{error}");
}

#[test]
fn sessions_that_share_weights_run_at_once_and_agree() {
    let x: Vec<f32> = (0..SIDE * 8).map(|i| (i as f32 * 0.3).cos()).collect();
    let input = [("x", Input::F32(&[8, SIDE], &x))];
    let runtime = Runtime::for_tests();
    let alone: Vec<f32> = {
        let mut session = runtime.session(&product(), &weights(0), &plan(1)).unwrap();
        session.run(&input).unwrap().f32("y").unwrap().1.to_vec()
    };
    let mut sessions = runtime.sessions(&product(), &weights(0), &plan(1), 3).unwrap();
    let results: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let runs: Vec<_> = sessions
            .iter_mut()
            .map(|session| {
                scope.spawn(|| {
                    for _ in 0..20 {
                        session.run(&input).unwrap();
                    }
                    session.run(&input).unwrap().f32("y").unwrap().1.to_vec()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(results.iter().all(|result| *result == alone));
    // Shared data outlives the session that created it.
    drop(sessions.remove(0));
    assert_eq!(sessions[0].run(&input).unwrap().f32("y").unwrap().1, alone);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let x: Vec<f32> = (0..SIDE * 64).map(|i| (i as f32 * 0.3).cos()).collect();
    let run = |threads| {
        let mut session = Runtime::for_tests().session(&product(), &weights(0), &plan(threads)).unwrap();
        session.run(&[("x", Input::F32(&[64, SIDE], &x))]).unwrap().f32("y").unwrap().1.to_vec()
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn folding_sets_free_dimensions_and_folds_shapes() {
    let runtime = Runtime::for_tests();
    // z = x + Cast(Shape(x))[0...]: with `rows` set, the shape is a constant and only the addition is left.
    let cast = {
        // AttributeProto to = 1 (FLOAT), of type INT.
        let to = message(&[Field::Bytes(1, b"to"), Field::Number(3, F32), Field::Number(20, 2)]);
        message(&[Field::Bytes(1, b"s"), Field::Bytes(2, b"f"), Field::Bytes(4, b"Cast"), Field::Bytes(5, &to)])
    };
    let graph = graph(
        &[node("Shape", &["x"], "s"), cast, node("Add", &["x", "f"], "z")],
        &[],
        &[value("x", F32, &[Err("rows"), Ok(2)])],
        &[value("z", F32, &[Err("rows"), Ok(2)])],
    );
    let folded = runtime.fold(&graph, &Weights::default(), &[("rows".to_owned(), 3)]).unwrap();
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(&graph, "Shape") && has(&graph, "rows"));
    assert!(!has(&folded, "Shape") && !has(&folded, "Cast") && !has(&folded, "rows"));
    assert!(has(&folded, "Add"));
    let mut session = runtime.session(&folded, &Weights::default(), &plan(1)).unwrap();
    let outputs = session.run(&[("x", Input::F32(&[3, 2], &[0.0; 6]))]).unwrap();
    assert_eq!(outputs.f32("z").unwrap().1, [3.0, 2.0, 3.0, 2.0, 3.0, 2.0]);
}

#[test]
fn the_library_tells_its_hash_and_providers() {
    let runtime = Runtime::for_tests();
    assert_eq!(runtime.hash().len(), 64);
    assert!(runtime.providers().iter().any(|provider| provider == "CPUExecutionProvider"));
    runtime.try_device(Device::Cpu).unwrap();
}

#[test]
fn a_device_that_is_not_there_is_an_error_and_auto_takes_another() {
    use crate::runtime::DeviceChoice;
    let runtime = Runtime::for_tests();
    assert_eq!(runtime.device(DeviceChoice::Only(Device::Cpu), &mut |_| {}), Ok(Device::Cpu));
    if runtime.providers().iter().any(|provider| provider.starts_with("CUDA")) {
        eprintln!("skipped: this onnxruntime has CUDA");
        return;
    }
    let error = runtime.device(DeviceChoice::Only(Device::Cuda(0)), &mut |_| {}).unwrap_err();
    assert!(error.message().contains("no CUDA provider") && error.hint().is_some(), "{error}");
    assert_eq!(runtime.device(DeviceChoice::Auto, &mut |_| {}), Ok(Device::Cpu));
    assert!(
        runtime
            .session(&tiny_graph::relu(), &Weights::default(), &SessionPlan { device: Device::Cuda(0), ..plan(1) })
            .is_err()
    );
}

#[test]
fn sessions_and_outputs_go_between_threads() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Session>();
    send::<Outputs>();
    send::<Runtime>();
    sync::<Runtime>();
}

#[test]
fn a_second_library_is_refused() {
    let runtime = Runtime::for_tests();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(runtime.path().file_name().unwrap());
    std::fs::copy(runtime.path(), &copy).unwrap();
    let error = Runtime::load(&copy).err().unwrap();
    assert!(error.message().contains("already loaded"), "{error}");
    assert_eq!(Runtime::load(runtime.path()).unwrap().path(), runtime.path());
}
