//! Inlines the local functions of a model.

use std::collections::HashMap;

use super::error::{OnnxError, malformed};
use super::proto::{FunctionProto, NodeProto};

/// The deepest nesting of function calls; anything deeper is taken for a cycle.
const DEEPEST: usize = 32;
/// The most nodes after inlining. A small model of nested functions can grow without bound.
const MOST_NODES: usize = 1 << 20;

/// Replaces every call of one of the functions by the function's body.
pub(super) fn inline(nodes: Vec<NodeProto>, functions: &[FunctionProto]) -> Result<Vec<NodeProto>, OnnxError> {
    let by_name = functions.iter().map(|f| ((f.domain.as_str(), f.name.as_str(), f.overload.as_str()), f)).collect();
    let mut inliner = Inliner { functions: by_name, calls: 0, done: Vec::new() };
    inliner.put(nodes, 0)?;
    Ok(inliner.done)
}

struct Inliner<'a> {
    functions: HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>,
    calls: usize,
    done: Vec<NodeProto>,
}

impl Inliner<'_> {
    fn put(&mut self, nodes: Vec<NodeProto>, depth: usize) -> Result<(), OnnxError> {
        if depth > DEEPEST {
            return Err(malformed("local functions call each other without end"));
        }
        for node in nodes {
            let key = (node.domain.as_str(), node.op_type.as_str(), node.overload.as_str());
            match self.functions.get(&key).copied() {
                Some(function) => {
                    self.calls += 1;
                    let body = body(&node, function, self.calls);
                    self.put(body, depth + 1)?;
                }
                None => self.done.push(node),
            }
            if self.done.len() > MOST_NODES || self.calls > MOST_NODES {
                return Err(OnnxError::Unsupported(format!("more than {MOST_NODES} nodes")));
            }
        }
        Ok(())
    }
}

/// Returns the function's nodes for one call, with inputs and outputs renamed to the caller's, inner values made
/// unique, and attributes filled in.
fn body(call: &NodeProto, function: &FunctionProto, number: usize) -> Vec<NodeProto> {
    let mut names: HashMap<&str, String> = HashMap::new();
    for (position, input) in function.input.iter().enumerate() {
        names.insert(input, call.input.get(position).cloned().unwrap_or_default());
    }
    for (output, given) in function.output.iter().zip(&call.output) {
        if !given.is_empty() {
            names.insert(output, given.clone());
        }
    }
    let rename = |name: &String| -> String {
        match names.get(name.as_str()) {
            Some(outer) => outer.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{name}/call{number}"),
        }
    };
    let attribute = |name: &str| {
        let given = call.attribute.iter().find(|a| a.name == name);
        given.or_else(|| function.attribute_proto.iter().find(|a| a.name == name)).cloned()
    };
    // Subgraphs inside functions would need the same renaming; exporters write none.
    let convert = |node: &NodeProto| NodeProto {
        input: node.input.iter().map(rename).collect(),
        output: node.output.iter().map(rename).collect(),
        name: if node.name.is_empty() { String::new() } else { format!("{}/{}/call{number}", call.name, node.name) },
        attribute: node
            .attribute
            .iter()
            .filter_map(|a| {
                if a.ref_attr_name.is_empty() {
                    return Some(a.clone());
                }
                let mut filled = attribute(&a.ref_attr_name)?;
                filled.name = a.name.clone();
                Some(filled)
            })
            .collect(),
        ..node.clone()
    };
    function.node.iter().map(convert).collect()
}
