//! Rewrites older and newer forms of single operators.

use crate::builder::Builder;
use crate::error::{OnnxError, malformed};
use crate::graph::{Attribute, Node};
use crate::tensor::Tensor;

/// The most groups of a `GroupNormalization`; no model has more channels.
const MOST_GROUPS: i64 = 1 << 20;

/// Appends `node`, read by the rules of operator set `opset`, in normal form.
pub(super) fn upgrade(b: &mut Builder, mut node: Node, opset: i64) -> Result<(), OnnxError> {
    if !node.domain.is_empty() {
        b.node(node);
        return Ok(());
    }
    match node.operator.as_str() {
        "Squeeze" | "Unsqueeze" | "ReduceSum" if opset < 13 => ints_to_input(b, &mut node, "axes", 1),
        "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2" | "ReduceProd" | "ReduceLogSum"
        | "ReduceLogSumExp" | "ReduceSumSquare"
            if opset < 18 =>
        {
            ints_to_input(b, &mut node, "axes", 1);
        }
        "Split" => {
            if opset < 13 {
                ints_to_input(b, &mut node, "split", 1);
            }
            if node.input(1).is_none() {
                node.attributes.insert("num_outputs".into(), Attribute::Int(node.outputs.len() as i64));
            }
        }
        "Slice" if opset < 10 => {
            ints_to_input(b, &mut node, "starts", 1);
            ints_to_input(b, &mut node, "ends", 2);
            ints_to_input(b, &mut node, "axes", 3);
        }
        "Pad" if opset < 11 => {
            ints_to_input(b, &mut node, "pads", 1);
            float_to_input(b, &mut node, "value", 2);
        }
        "Clip" if opset < 11 => {
            float_to_input(b, &mut node, "min", 1);
            float_to_input(b, &mut node, "max", 2);
        }
        "Scatter" => node.operator = "ScatterElements".into(),
        // It concerns only the rounding to types that we do not support.
        "Cast" => drop(node.attributes.remove("round_mode")),
        "TopK" if opset < 10 => int_to_input(b, &mut node, "k", 1),
        "Dropout" => {
            // Outside training it does nothing, whatever its ratio; its mask would be all true.
            node.inputs.truncate(1);
            node.attributes.clear();
            if let Some(mask) = node.output(1) {
                return Err(OnnxError::Unsupported(format!("the mask `{mask}` of a Dropout")));
            }
            node.outputs.truncate(1);
        }
        "BatchNormalization" => {
            if node.int("training_mode").unwrap_or(0) != 0 || (opset < 14 && node.output(1).is_some()) {
                return Err(OnnxError::Unsupported(format!(
                    "BatchNormalization `{}` in training mode; export the model after `eval()`",
                    node.label()
                )));
            }
            node.outputs.truncate(1);
            for name in ["momentum", "spatial", "training_mode", "is_test"] {
                node.attributes.remove(name);
            }
        }
        "Upsample" | "Resize" if opset < 11 => old_resize(b, &mut node),
        "Softmax" | "LogSoftmax" if opset < 13 => {
            let axis = node.int("axis").unwrap_or(1);
            let rank = node.input(0).and_then(|x| b.graph().types.get(x)?.dims.as_ref().map(Vec::len));
            if axis != -1 && rank.is_none_or(|rank| axis != rank as i64 - 1) {
                flat_softmax(b, &node, axis);
                return Ok(());
            }
            node.attributes.insert("axis".into(), Attribute::Int(-1));
        }
        "GroupNormalization" => {
            let groups = node.int("num_groups").unwrap_or(1);
            if !(1..=MOST_GROUPS).contains(&groups) {
                return Err(malformed(format!("GroupNormalization `{}` of {groups} groups", node.label())));
            }
            group_normalization(b, &node, opset);
            return Ok(());
        }
        _ => {}
    }
    b.node(node);
    Ok(())
}

/// Sets the input at a position; omitted inputs before it stay omitted.
fn set_input(node: &mut Node, position: usize, name: String) {
    if node.inputs.len() <= position {
        node.inputs.resize(position + 1, String::new());
    }
    node.inputs[position] = name;
}

fn ints_to_input(b: &mut Builder, node: &mut Node, attribute: &str, position: usize) {
    if let Some(Attribute::Ints(values)) = node.attributes.remove(attribute) {
        let name = b.ints(&values);
        set_input(node, position, name);
    }
}

fn int_to_input(b: &mut Builder, node: &mut Node, attribute: &str, position: usize) {
    if let Some(Attribute::Int(value)) = node.attributes.remove(attribute) {
        let name = b.ints(&[value]);
        set_input(node, position, name);
    }
}

fn float_to_input(b: &mut Builder, node: &mut Node, attribute: &str, position: usize) {
    if let Some(Attribute::Float(value)) = node.attributes.remove(attribute) {
        let like = node.inputs.first().cloned().unwrap_or_default();
        let name = b.scalar(f64::from(value), &like);
        set_input(node, position, name);
    }
}

/// Upgrades `Upsample` and the first `Resize`: cell i comes from floor(i / scale), or linearly from i / scale.
fn old_resize(b: &mut Builder, node: &mut Node) {
    node.operator = "Resize".into();
    let scales = match node.attributes.remove("scales") {
        Some(Attribute::Floats(values)) => b.constant("scales", Tensor::f32(&[values.len()], &values)),
        _ => node.inputs.get(1).cloned().unwrap_or_default(),
    };
    node.inputs.truncate(1);
    set_input(node, 2, scales);
    node.attributes.insert("coordinate_transformation_mode".into(), "asymmetric".into());
    node.attributes.insert("nearest_mode".into(), "floor".into());
}

/// Before operator set 13, softmax ran over all axes from `axis` on, as if flattened.
fn flat_softmax(b: &mut Builder, node: &Node, axis: i64) {
    let (Some(x), Some(y)) = (node.input(0), node.output(0)) else { return };
    let shape = b.op("Shape", &[x]);
    let flat = b.op_with("Flatten", &[x], &[("axis", axis.into())]);
    let soft = b.op_with(&node.operator, &[&flat], &[("axis", (-1).into())]);
    b.op_into("Reshape", &[&soft, &shape], &[], y);
}

/// Turns groups into the channels of an `InstanceNormalization`: `[N, C, ...]` seen as `[N, G, rest]`. Before operator
/// set 21 there is a scale and bias for each group, which that operator applies itself; from 21 on there is one for
/// each channel.
fn group_normalization(b: &mut Builder, node: &Node, opset: i64) {
    let [Some(x), Some(scale), Some(bias), Some(y)] = [node.input(0), node.input(1), node.input(2), node.output(0)]
    else {
        b.node(node.clone());
        return;
    };
    let groups = node.int("num_groups").unwrap_or(1);
    let epsilon = node.float("epsilon").unwrap_or(1e-5);
    let shape = b.op("Shape", &[x]);
    let to = b.ints(&[0, groups, -1]);
    let grouped = b.op("Reshape", &[x, &to]);
    let normal = |b: &mut Builder, scale: &str, bias: &str| {
        let normal = b.op_with("InstanceNormalization", &[&grouped, scale, bias], &[("epsilon", epsilon.into())]);
        b.op("Reshape", &[&normal, &shape])
    };
    if opset < 21 {
        let normal = normal(b, scale, bias);
        b.op_into("Identity", &[&normal], &[], y);
        return;
    }
    let count = usize::try_from(groups).unwrap_or(0);
    let ones = b.filled(1.0, &[count], x);
    let zeros = b.filled(0.0, &[count], x);
    let normal = normal(b, &ones, &zeros);
    let rank = b.graph().types.get(x).and_then(|t| t.dims.as_ref().map(Vec::len)).unwrap_or(4);
    let axes = b.ints(&(1..rank as i64 - 1).collect::<Vec<_>>());
    let scale = b.op("Unsqueeze", &[scale, &axes]);
    let bias = b.op("Unsqueeze", &[bias, &axes]);
    let scaled = b.op("Mul", &[&normal, &scale]);
    b.op_into("Add", &[&scaled, &bias], &[], y);
}
