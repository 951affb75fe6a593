//! A graph so small that it is encoded by hand, for testing a device before a model is available.

/// A field of a protobuf message, with its number.
pub(super) enum Field<'a> {
    Number(u8, u8),
    Bytes(u8, &'a [u8]),
}

/// Encodes a protobuf message of these fields (<https://protobuf.dev/programming-guides/encoding/>). A field's number
/// is stored with its wire type: 0 for a number, 2 for bytes.
pub(super) fn message(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        match *field {
            Field::Number(number, value) => {
                bytes.extend(varint(usize::from(number) << 3));
                bytes.extend(varint(usize::from(value)));
            }
            Field::Bytes(number, value) => {
                bytes.extend(varint(usize::from(number) << 3 | 2));
                bytes.extend(varint(value.len()));
                bytes.extend(value);
            }
        }
    }
    bytes
}

/// Encodes a number with seven bits in each byte, the lowest first, and the top bit set in every byte but the last.
fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Returns a `ValueInfoProto`: a name with 32-bit floats of one dimension.
pub(super) fn vector(name: &str, length: u8) -> Vec<u8> {
    let dimension = message(&[Field::Number(1, length)]);
    let shape = message(&[Field::Bytes(1, &dimension)]);
    let tensor = message(&[Field::Number(1, 1), Field::Bytes(2, &shape)]);
    let value_type = message(&[Field::Bytes(1, &tensor)]);
    message(&[Field::Bytes(1, name.as_bytes()), Field::Bytes(2, &value_type)])
}

/// Returns a `ModelProto` with this `GraphProto`: ONNX IR 8, opset 17.
pub(super) fn model(graph: &[u8]) -> Vec<u8> {
    let opset = message(&[Field::Number(2, 17)]);
    message(&[Field::Number(1, 8), Field::Bytes(8, &opset), Field::Bytes(7, graph)])
}

/// Returns the model `y = Relu(x)`, both of 2 elements.
pub(super) fn relu() -> Vec<u8> {
    let node = message(&[Field::Bytes(1, b"x"), Field::Bytes(2, b"y"), Field::Bytes(4, b"Relu")]);
    model(&message(&[
        Field::Bytes(1, &node),
        Field::Bytes(2, b"tiny"),
        Field::Bytes(11, &vector("x", 2)),
        Field::Bytes(12, &vector("y", 2)),
    ]))
}
