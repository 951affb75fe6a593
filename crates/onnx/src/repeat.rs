//! Adapts models exported for a fixed number of pictures to another number.
//!
//! The number is part of the sizes that the exporter wrote, anywhere in the model, and nothing tells which 1 of a
//! `Reshape` it is. So the whole model is repeated as often as needed, each copy on its part of the pictures, with
//! shared weights.

use std::collections::HashMap;

use super::builder::Builder;
use super::error::OnnxError;
use super::graph::{Graph, Node};

/// The most copies. Preparing more takes longer than anybody waits.
const MOST: usize = 64;

/// Turns a folded graph for `fixed` pictures into one for `batch` pictures. Where `batch` is not a multiple of `fixed`,
/// zeros fill the last part.
pub(super) fn repeat(graph: Graph, fixed: usize, batch: usize) -> Result<Graph, OnnxError> {
    let times = batch.div_ceil(fixed.max(1));
    let leading = |name: &String| graph.shape(name).and_then(|shape| shape.first().copied()) == Some(fixed);
    let fits = graph.inputs.iter().chain(&graph.outputs).all(leading) && !graph.nodes.iter().any(Node::has_subgraph);
    if fixed == 0 || times > MOST || !fits {
        return Err(OnnxError::Unsupported(format!(
            "it was exported for batches of {fixed}, but {batch} are wanted; export it with a dynamic batch dimension"
        )));
    }
    let mut whole = Graph { name: graph.name.clone(), constants: graph.constants.clone(), ..Graph::default() };
    let mut b = Builder::new(&mut whole, "repeat");
    let sized = |name: &str, first: usize| -> Result<Vec<usize>, OnnxError> {
        let mut shape = graph.static_shape(name)?;
        shape[0] = first;
        Ok(shape)
    };
    // The parts of each input, one for each copy.
    let mut parts: HashMap<&str, Vec<String>> = HashMap::new();
    for input in &graph.inputs {
        let data_type = graph.data_type(input).ok_or_else(|| OnnxError::NoValue(input.clone()))?;
        let mut value = b.input(input, data_type, &sized(input, batch)?);
        let missing = times * fixed - batch;
        if missing > 0 {
            let rank = graph.static_shape(input)?.len();
            let mut amounts = vec![0; 2 * rank];
            amounts[rank] = missing;
            let amounts = b.sizes(&amounts);
            value = b.op("Pad", &[&value, &amounts]);
        }
        let pieces = if times == 1 {
            vec![value]
        } else {
            let sizes = b.sizes(&vec![fixed; times]);
            b.op_many("Split", &[&value, &sizes], &[("axis", 0.into())], times)
        };
        parts.insert(input, pieces);
    }
    let mut results: HashMap<&str, Vec<String>> = HashMap::new();
    for copy in 0..times {
        let mut names: HashMap<&str, String> = HashMap::new();
        for (input, pieces) in &parts {
            names.insert(input, pieces[copy].clone());
        }
        for node in &graph.nodes {
            let mut again = node.clone();
            for input in &mut again.inputs {
                if let Some(name) = names.get(input.as_str()) {
                    input.clone_from(name);
                }
            }
            for (output, old) in again.outputs.iter_mut().zip(&node.outputs).filter(|(_, old)| !old.is_empty()) {
                *output = b.fresh(old);
                if let Some(known) = graph.types.get(old) {
                    b.graph().types.insert(output.clone(), known.clone());
                }
                names.insert(old, output.clone());
            }
            again.name = again.outputs.first().cloned().unwrap_or_default();
            b.node(again);
        }
        for output in &graph.outputs {
            let name = names.get(output.as_str()).cloned().ok_or_else(|| OnnxError::NoValue(output.clone()))?;
            results.entry(output).or_default().push(name);
        }
    }
    for output in &graph.outputs {
        let copies: Vec<&str> = results[output.as_str()].iter().map(String::as_str).collect();
        let axis = [("axis", 0.into())];
        if times * fixed == batch {
            b.op_into("Concat", &copies, &axis, output);
        } else {
            let joined = b.op_with("Concat", &copies, &axis);
            let (zero, end) = (b.sizes(&[0]), b.sizes(&[batch]));
            b.op_into("Slice", &[&joined, &zero, &end], &[], output);
        }
        b.graph().outputs.push(output.clone());
    }
    Ok(whole)
}
