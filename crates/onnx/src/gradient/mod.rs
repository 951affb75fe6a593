//! Reverse-mode differentiation: appends a graph's vector-Jacobian product to it.
//!
//! For outputs y with given gradients dy, ordinary operators compute the gradient of Σ ⟨y, dy⟩ with respect to chosen
//! values, only along the paths that lead from those values to the outputs. Weights, shape arithmetic and anything else
//! that does not depend on the chosen values cost nothing.
//!
//! Each family of operators has a file, which lists its rules by operator name.

mod activation;
mod arithmetic;
mod convolution;
mod einsum;
mod function;
mod join;
mod layout;
mod matrix;
mod normalization;
mod pool;
mod reduce;
mod resize;
mod rule;
mod scatter;
mod select;
mod softmax;
#[cfg(test)]
mod whole_models;

use std::collections::{HashMap, HashSet};

use super::bottleneck;
use super::builder::Builder;
use super::error::OnnxError;
use super::graph::{Graph, ValueType};
use rule::Derivative;
pub(super) use rule::{Gradients, Rule};

/// All rules, by file: each operator's name and the function that appends its gradient.
const FAMILIES: &[(&str, &[(&str, Derivative)])] = &[
    ("activation", activation::RULES),
    ("arithmetic", arithmetic::RULES),
    ("convolution", convolution::RULES),
    ("einsum", einsum::RULES),
    ("function", function::RULES),
    ("join", join::RULES),
    ("layout", layout::RULES),
    ("matrix", matrix::RULES),
    ("normalization", normalization::RULES),
    ("pool", pool::RULES),
    ("reduce", reduce::RULES),
    ("resize", resize::RULES),
    ("scatter", scatter::RULES),
    ("select", select::RULES),
    ("softmax", softmax::RULES),
];

/// Returns the operators that have a rule, each with the file of its rule and test.
pub(super) fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    FAMILIES.iter().flat_map(|(file, family)| family.iter().map(|(name, _)| (*name, *file)))
}

fn derivative(operator: &str, domain: &str) -> Option<Derivative> {
    match (domain, operator) {
        ("", _) => {}
        (bottleneck::DOMAIN, bottleneck::BOTTLENECK) => return Some(bottleneck::gradient),
        _ => return None,
    }
    FAMILIES.iter().flat_map(|(_, family)| family.iter()).find(|(name, _)| *name == operator).map(|(_, rule)| *rule)
}

/// Appends the gradients of Σ ⟨y, dy⟩ with respect to the values `wrt` to a sorted graph with static sizes. `seeds`
/// names each y and the value that holds its dy (an input, or one that the graph computes). Returns the names of the
/// values that hold the gradients, in the order of `wrt`; they do not become outputs of the graph.
///
/// # Errors
/// A value that does not exist, one of `wrt` that influences no y, an operator without a rule on the path.
pub fn differentiate(graph: &mut Graph, seeds: &[(&str, &str)], wrt: &[&str]) -> Result<Vec<String>, OnnxError> {
    let active = active(graph, wrt);
    for name in seeds.iter().flat_map(|(y, dy)| [*y, *dy]).chain(wrt.iter().copied()) {
        if graph.data_type(name).is_none() {
            return Err(OnnxError::NoValue(name.into()));
        }
    }
    let mut pending: HashMap<String, Vec<String>> = HashMap::new();
    for (y, dy) in seeds {
        pending.entry(y.to_string()).or_default().push(dy.to_string());
    }
    let count = graph.nodes.len();
    let givers: HashMap<String, usize> =
        graph.nodes.iter().enumerate().flat_map(|(i, n)| n.outputs.iter().map(move |o| (o.clone(), i))).collect();
    let mut builder = Builder::new(graph, "gradient");
    for index in (0..count).rev() {
        let node = builder.graph().nodes[index].clone();
        if !node.outputs.iter().any(|o| pending.contains_key(o)) {
            continue;
        }
        let wanted: Vec<bool> = node.inputs.iter().map(|i| active.contains(i)).collect();
        if !wanted.contains(&true) {
            continue;
        }
        let derive = derivative(&node.operator, &node.domain).ok_or_else(|| {
            let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
            OnnxError::NoRule { operator: format!("{domain}{}", node.operator), node: node.label() }
        })?;
        // The summed gradient stays pending, because the value may be one of `wrt`.
        let dy: Vec<Option<String>> = node
            .outputs
            .iter()
            .map(|output| {
                let total = sum(&mut builder, pending.remove(output)?);
                pending.insert(output.clone(), vec![total.clone()]);
                Some(total)
            })
            .collect();
        let gradients = derive(&mut Rule::new(&mut builder, &givers, index, &node, dy, wanted.clone()))?;
        for ((input, wanted), gradient) in node.inputs.iter().zip(wanted).zip(gradients) {
            if let Some(gradient) = gradient.filter(|_| wanted) {
                check(&mut builder, input, &gradient);
                pending.entry(input.clone()).or_default().push(gradient);
            }
        }
    }
    wrt.iter()
        .map(|name| {
            let parts = pending.remove(*name).ok_or_else(|| OnnxError::NoPath { input: name.to_string() })?;
            let total = sum(&mut builder, parts);
            pending.insert(name.to_string(), vec![total.clone()]);
            Ok(total)
        })
        .collect()
}

/// Returns the values that depend on one of `wrt` through floats.
fn active(graph: &Graph, wrt: &[&str]) -> HashSet<String> {
    let mut active: HashSet<String> = wrt.iter().map(|s| s.to_string()).collect();
    for node in &graph.nodes {
        if node.inputs.iter().any(|i| active.contains(i)) {
            let floats = node.outputs.iter().filter(|o| graph.data_type(o).is_none_or(|t| t.is_float()));
            active.extend(floats.cloned());
        }
    }
    active
}

fn sum(builder: &mut Builder, parts: Vec<String>) -> String {
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |total, part| builder.op("Add", &[&total, &part]))
}

/// Checks that a gradient has its value's sizes; a mistake in a rule shows here first.
fn check(builder: &mut Builder, value: &str, gradient: &str) {
    let graph = builder.graph();
    let (expected, got) = (graph.shape(value), graph.shape(gradient));
    debug_assert!(expected.is_none() || got.is_none() || expected == got, "{value}: {expected:?}, {got:?}");
    if let (None, Some(shape), Some(data_type)) = (&got, &expected, graph.data_type(value)) {
        graph.types.insert(gradient.into(), ValueType::fixed(data_type, shape));
    }
}

/// Returns the differentiated encoder as a separate model. Takes a folded graph with one input and one output, and
/// returns a graph with inputs `image` (like the encoder's) and `embedding_gradient` (like its output), and outputs
/// `embedding` and `image_gradient`, the gradient of Σ embedding · embedding_gradient.
pub fn gradient_graph(mut encoder: Graph) -> Result<Graph, OnnxError> {
    let ([image], [embedding]) = (encoder.inputs.as_slice(), encoder.outputs.as_slice()) else {
        return Err(OnnxError::Unsupported(format!(
            "an encoder of {} inputs and {} outputs; one of each is needed",
            encoder.inputs.len(),
            encoder.outputs.len()
        )));
    };
    let (image, embedding) = (image.clone(), embedding.clone());
    give_names(&mut encoder, &[(&image, "image"), (&embedding, "embedding")])?;
    let shape = encoder.static_shape("embedding")?;
    let data_type = encoder.data_type("embedding").ok_or_else(|| OnnxError::NoValue("embedding".into()))?;
    Builder::new(&mut encoder, "").input("embedding_gradient", data_type, &shape);
    let gradient = differentiate(&mut encoder, &[("embedding", "embedding_gradient")], &["image"])?.remove(0);
    // The gradient of the only input is never the input itself, but may be the given gradient (an encoder of one Reshape).
    Builder::new(&mut encoder, "").op_into("Identity", &[&gradient], &[], "image_gradient");
    encoder.outputs.push("image_gradient".into());
    encoder.prune();
    Ok(encoder)
}

/// Gives values the names that the differentiated encoder promises, and renames any other values with these names.
fn give_names(graph: &mut Graph, names: &[(&str, &str)]) -> Result<(), OnnxError> {
    let aside = |graph: &mut Graph, name: &str| -> Result<String, OnnxError> {
        let fresh = Builder::new(graph, "encoder").fresh(name);
        graph.rename(name, &fresh).map(|()| fresh)
    };
    let mut moved = Vec::new();
    for (old, new) in names {
        moved.push((aside(graph, old)?, *new));
    }
    for name in ["image", "embedding", "embedding_gradient", "image_gradient"] {
        match aside(graph, name) {
            Ok(_) | Err(OnnxError::NoValue(_)) => {}
            Err(other) => return Err(other),
        }
    }
    moved.iter().try_for_each(|(old, new)| graph.rename(old, new))
}
