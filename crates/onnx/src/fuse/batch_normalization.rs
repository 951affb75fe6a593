//! Fuses a `BatchNormalization` after a `Conv` into the convolution's weights.

use std::collections::HashMap;

use crate::builder::Builder;
use crate::graph::{Graph, Node};
use crate::tensor::{DataType, Tensor};

/// Fuses y = s (conv(x, w) + b - m) / sqrt(v + eps) + t into a convolution with weights w s / sqrt(v + eps).
pub(crate) fn batch_normalization(graph: &mut Graph) {
    let uses = graph.use_counts();
    let conv_of: HashMap<String, usize> = graph
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, n)| n.is("Conv") && n.outputs.first().is_some_and(|o| uses.get(o) == Some(&1)))
        .map(|(i, n)| (n.outputs[0].clone(), i))
        .collect();
    let mut gone = Vec::new();
    for index in 0..graph.nodes.len() {
        let node = graph.nodes[index].clone();
        let conv = node.input(0).and_then(|x| conv_of.get(x)).copied();
        let Some(at) = conv.filter(|_| node.is("BatchNormalization")) else { continue };
        let before = graph.nodes[at].clone();
        let Some((weight, bias)) = folded(graph, &before, &node) else { continue };
        let mut builder = Builder::new(graph, "fold");
        let weight = builder.constant("weight", weight);
        let bias = builder.constant("bias", bias);
        let conv = &mut graph.nodes[at];
        conv.inputs = vec![before.inputs[0].clone(), weight, bias];
        conv.outputs = node.outputs.clone();
        gone.push(index);
    }
    let mut index = 0;
    graph.nodes.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    graph.prune();
}

fn folded(graph: &Graph, conv: &Node, norm: &Node) -> Option<(Tensor, Tensor)> {
    let constant = |name: Option<&str>| graph.constants.get(name?);
    let weight = constant(conv.input(1)).filter(|t| t.data_type == DataType::F32)?;
    let channels = *weight.dims.first()?;
    let values = |position: usize| constant(norm.input(position))?.to_f64().filter(|v| v.len() == channels);
    let (scale, shift, mean, variance) = (values(1)?, values(2)?, values(3)?, values(4)?);
    let bias = match conv.input(2) {
        Some(_) => constant(conv.input(2))?.to_f64().filter(|v| v.len() == channels)?,
        None => vec![0.0; channels],
    };
    let epsilon = f64::from(norm.float("epsilon").unwrap_or(1e-5));
    let gain: Vec<f64> = (0..channels).map(|c| scale[c] / (variance[c] + epsilon).sqrt()).collect();
    let each = weight.len().checked_div(channels)?;
    let new: Vec<f32> =
        weight.to_f32()?.iter().enumerate().map(|(i, w)| (f64::from(*w) * gain[i / each]) as f32).collect();
    let offset: Vec<f32> = (0..channels).map(|c| ((bias[c] - mean[c]) * gain[c] + shift[c]) as f32).collect();
    Some((Tensor::f32(&weight.dims, &new), Tensor::f32(&[channels], &offset)))
}
