//! A graph so small that it is written by hand: it tries a device before a model is at hand.

/// A field of a protobuf message: a number below 128, or bytes (fewer than 128).
pub(super) enum Field<'a> {
    Number(u8, u8),
    Bytes(u8, &'a [u8]),
}

/// A protobuf message of these fields (<https://protobuf.dev/programming-guides/encoding/>). The field's number comes
/// with its wire type: 0 for a number, 2 for bytes.
pub(super) fn message(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        match *field {
            Field::Number(number, value) => bytes.extend([number << 3, value]),
            Field::Bytes(number, value) => {
                debug_assert!(value.len() < 128);
                bytes.extend([number << 3 | 2, value.len() as u8]);
                bytes.extend(value);
            }
        }
    }
    bytes
}

/// `ValueInfoProto`: a name with 32-bit floats of one dimension.
pub(super) fn vector(name: &str, length: u8) -> Vec<u8> {
    let dimension = message(&[Field::Number(1, length)]);
    let shape = message(&[Field::Bytes(1, &dimension)]);
    let tensor = message(&[Field::Number(1, 1), Field::Bytes(2, &shape)]);
    let value_type = message(&[Field::Bytes(1, &tensor)]);
    message(&[Field::Bytes(1, name.as_bytes()), Field::Bytes(2, &value_type)])
}

/// `ModelProto` around a `GraphProto`: ONNX IR 8, opset 17.
pub(super) fn model(graph: &[u8]) -> Vec<u8> {
    let opset = message(&[Field::Number(2, 17)]);
    let mut bytes = message(&[Field::Number(1, 8), Field::Bytes(8, &opset)]);
    // The graph may be longer than 127 bytes.
    bytes.extend([7 << 3 | 2, graph.len() as u8 & 0x7f | 0x80, (graph.len() >> 7) as u8]);
    bytes.extend(graph);
    bytes
}

/// `y = Relu(x)`, both of 2 elements.
pub(super) fn relu() -> Vec<u8> {
    let node = message(&[Field::Bytes(1, b"x"), Field::Bytes(2, b"y"), Field::Bytes(4, b"Relu")]);
    model(&message(&[
        Field::Bytes(1, &node),
        Field::Bytes(2, b"tiny"),
        Field::Bytes(11, &vector("x", 2)),
        Field::Bytes(12, &vector("y", 2)),
    ]))
}
