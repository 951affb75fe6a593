//! Tests with numbers that no exporter writes. Sizes are inferred while reading, before any runtime has checked the
//! file: they may be refused or left unknown, but must never panic.

use super::{Attribute, Builder, DataType, Dim, Graph, ValueType};

const HUGE: i64 = i64::MAX;

/// Returns the sizes of the first output of a node on `x` of the given sizes and on integer constants.
fn sizes(operator: &str, x: &[usize], ints: &[&[i64]], attributes: &[(&str, Attribute)]) -> Option<Vec<usize>> {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "t");
    let mut inputs = vec![b.input("x", DataType::F32, x)];
    inputs.extend(ints.iter().map(|values| b.ints(values)));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let y = b.op_with(operator, &inputs, attributes);
    graph.shape(&y)
}

fn list(values: &[i64]) -> Attribute {
    values.to_vec().into()
}

#[test]
fn slices_of_nothing_are_nothing() {
    let backwards: [&[i64]; 4] = [&[-1], &[i64::MIN], &[0], &[-1]];
    assert_eq!(sizes("Slice", &[0, 3], &backwards, &[]), Some(vec![0, 3]));
    assert_eq!(sizes("Slice", &[4, 3], &backwards, &[]), Some(vec![4, 3]));
    assert_eq!(sizes("Slice", &[4], &[&[HUGE], &[i64::MIN], &[0], &[i64::MIN]], &[]), Some(vec![1]));
}

#[test]
fn blocks_whose_square_is_too_large() {
    for block in [1 << 32, 1 << 33, HUGE] {
        for operator in ["DepthToSpace", "SpaceToDepth"] {
            let got = sizes(operator, &[1, 4, 2, 2], &[], &[("blocksize", block.into())]);
            assert!(got.is_none_or(|dims| dims.contains(&0)), "{operator}");
        }
    }
    assert_eq!(sizes("DepthToSpace", &[1, 4, 2, 2], &[], &[("blocksize", 2.into())]), Some(vec![1, 1, 4, 4]));
}

#[test]
fn windows_of_any_numbers() {
    let numbers = [i64::MIN, -1, 0, 1, 2, 1 << 32, HUGE];
    for name in ["kernel_shape", "strides", "dilations", "pads"] {
        for number in numbers {
            for mode in ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] {
                for ceil in [0, 1] {
                    let count = if name == "pads" { 4 } else { 2 };
                    let mut attributes =
                        vec![("kernel_shape", list(&[3, 3])), ("auto_pad", mode.into()), ("ceil_mode", ceil.into())];
                    attributes.push((name, list(&vec![number; count])));
                    sizes("MaxPool", &[1, 2, 8, 8], &[], &attributes);
                    sizes("MaxPool", &[1, 2, 0, 8], &[], &attributes);
                }
            }
        }
    }
    let both = [("kernel_shape", list(&[3, 3])), ("dilations", list(&[HUGE; 2])), ("pads", list(&[HUGE; 4]))];
    assert_eq!(sizes("MaxPool", &[1, 2, 8, 8], &[], &both), None);
}

#[test]
fn transposed_windows_of_any_numbers() {
    for name in ["strides", "dilations", "output_padding", "pads", "group"] {
        for number in [-1, 0, 1 << 62, HUGE] {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            b.input("x", DataType::F32, &[1, 4, 5, 5]);
            b.input("w", DataType::F32, &[4, 3, 3, 3]);
            let value = match name {
                "group" => number.into(),
                "pads" => list(&[number; 4]),
                _ => list(&[number; 2]),
            };
            b.op_with("ConvTranspose", &["x", "w"], &[(name, value)]);
        }
    }
}

#[test]
fn sums_and_products_too_large_are_unknown() {
    assert_eq!(sizes("Reshape", &[4], &[&[1 << 40, 1 << 40, -1]], &[]), None);
    assert_eq!(sizes("Reshape", &[4], &[&[1 << 40, 1 << 40]], &[]), None);
    assert_eq!(sizes("Expand", &[1], &[&[1 << 40, 1 << 40]], &[]), None);
    assert_eq!(sizes("Tile", &[4, 4], &[&[1 << 40, 1 << 40]], &[]), None);
    assert_eq!(sizes("Pad", &[4], &[&[HUGE, HUGE]], &[]), None);
    assert_eq!(sizes("Pad", &[4], &[&[i64::MIN, i64::MIN]], &[]), None);
    assert_eq!(sizes("Pad", &[4], &[&[1, 2]], &[]), Some(vec![7]));
    assert_eq!(sizes("OneHot", &[1 << 30], &[&[1 << 40]], &[]), None);
}

/// The product of any known sizes must not overflow, so sizes larger than memory count as unknown.
#[test]
fn sizes_larger_than_memory_are_unknown() {
    for dims in [&[usize::MAX, 2][..], &[0, usize::MAX, usize::MAX], &[1 << 40, 1 << 40]] {
        let mut graph = Graph::default();
        graph.inputs.push("x".into());
        graph.types.insert("x".into(), ValueType::fixed(DataType::F32, dims));
        assert_eq!(graph.shape("x"), None);
        let mut b = Builder::new(&mut graph, "t");
        for operator in ["Flatten", "Relu", "Concat", "Shape"] {
            b.op(operator, &["x", "x"]);
        }
    }
    let named = ValueType { data_type: DataType::F32, dims: Some(vec![Dim::Known(2), Dim::Unknown]) };
    assert_eq!(named.shape(), None);
}
