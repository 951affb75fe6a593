//! The end of a classifier's graph: converts its output to logits minus their mean over the classes, `[N, C]`.

use crate::ModelsError;
use crate::onnx::{Builder, Dim, Graph, Node};

/// Operators at the end of a classifier that add no information to its logits.
const SQUASHING: [&str; 3] = ["Softmax", "LogSoftmax", "Sigmoid"];

/// Operators that only change the form of values, or take the logarithm of probabilities.
const PASSING: [&str; 9] =
    ["Identity", "Cast", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Log"];

/// The logits at the end of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logits {
    /// The value that holds them.
    pub value: String,
    /// The operators applied to them, in the order of computation, which are cut off.
    pub cut: Vec<String>,
}

/// Finds the logits behind an output.
pub(super) fn logits(graph: &Graph, output: &str) -> Logits {
    let giver = |value: &str| graph.nodes.iter().find(|node| node.output(0) == Some(value));
    let mut found = Logits { value: output.to_owned(), cut: Vec::new() };
    let mut passed = Vec::new();
    let mut value = output;
    while let Some(node) = giver(value) {
        let squashes = SQUASHING.iter().any(|operator| node.is(operator));
        if !squashes && !PASSING.iter().any(|operator| node.is(operator)) {
            break;
        }
        let Some(before) = node.input(0) else { break };
        passed.insert(0, node.operator.clone());
        value = before;
        if squashes {
            passed.append(&mut found.cut);
            found = Logits { value: value.to_owned(), cut: std::mem::take(&mut passed) };
        }
    }
    found
}

/// Returns the number of classes of a value `[N, C]`, ignoring other dimensions of size 1, if the graph gives it.
pub(super) fn classes(graph: &Graph, value: &str) -> Option<usize> {
    let dims = graph.types.get(value)?.dims.as_ref()?;
    let mut sizes = dims.iter().skip(1).filter(|dim| **dim != Dim::Known(1));
    match (sizes.next(), sizes.next()) {
        (Some(Dim::Known(count)), None) => Some(*count),
        _ => None,
    }
}

/// Appends operators that subtract the mean over the classes from the logits, the graph's only output. Returns `false` if the
/// graph already does that.
pub(super) fn centre(graph: &mut Graph) -> Result<bool, ModelsError> {
    let Some(output) = graph.outputs.first().cloned() else { return Ok(false) };
    if is_centred(graph, &output) {
        return Ok(false);
    }
    let rank = graph.types.get(&output).and_then(|known| known.dims.as_ref()).map(Vec::len);
    let mut builder = Builder::new(graph, "labels");
    let flat = match rank {
        Some(2) => output,
        _ => builder.op_with("Flatten", &[&output], &[("axis", 1i64.into())]),
    };
    let mean = builder.reduce("ReduceMean", &flat, &[1], true);
    let centred = builder.op("Sub", &[&flat, &mean]);
    graph.outputs = vec![centred];
    graph.sort().map_err(ModelsError::wrong)?;
    Ok(true)
}

/// Returns whether a value is another one minus its mean over the classes.
fn is_centred(graph: &Graph, value: &str) -> bool {
    let giver = |value: &str| graph.nodes.iter().find(|node| node.output(0) == Some(value));
    let mean_of = |mean: &Node| mean.is("ReduceMean") && mean.int("keepdims").unwrap_or(1) == 1;
    let axis = |mean: &Node| {
        let axes = mean.input(1).and_then(|axes| graph.constants.get(axes)?.to_i64());
        axes.is_some_and(|axes| axes == [1])
    };
    giver(value).filter(|node| node.is("Sub")).is_some_and(|difference| {
        let mean = difference.input(1).and_then(giver).filter(|mean| mean_of(mean) && axis(mean));
        mean.is_some_and(|mean| mean.input(0) == difference.input(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{DataType, ValueType};

    fn graph(nodes: Vec<Node>, dims: &[usize]) -> Graph {
        let output = nodes.last().unwrap().outputs[0].clone();
        let mut graph = Graph { inputs: vec!["x".into()], outputs: vec![output.clone()], nodes, ..Graph::default() };
        graph.types.insert("x".into(), ValueType::fixed(DataType::F32, dims));
        graph.types.insert(output, ValueType::fixed(DataType::F32, dims));
        graph
    }

    #[test]
    fn what_makes_probabilities_of_logits_is_cut_off() {
        let node = |operator: &str, input: &str, output: &str| Node::new(operator, &[input], &[output]);
        for operator in ["Softmax", "LogSoftmax", "Sigmoid"] {
            let whole =
                graph(vec![node("Neg", "x", "z"), node(operator, "z", "p"), node("Identity", "p", "y")], &[1, 5]);
            let found = logits(&whole, "y");
            assert_eq!((found.value.as_str(), found.cut), ("z", vec![operator.to_owned(), "Identity".to_owned()]));
        }
        let log = graph(vec![node("Neg", "x", "z"), node("Softmax", "z", "p"), node("Log", "p", "y")], &[1, 5]);
        assert_eq!(logits(&log, "y").cut, ["Softmax", "Log"]);
        // Reshaping operators are cut off only if they follow a squashing one.
        let plain = graph(vec![node("Neg", "x", "z"), node("Flatten", "z", "y")], &[1, 5]);
        assert_eq!(logits(&plain, "y"), Logits { value: "y".into(), cut: Vec::new() });
        // A gate inside the network is not its end.
        let mut gate = vec![node("Sigmoid", "x", "s")];
        gate.push(Node::new("Mul", &["x", "s"], &["y"]));
        assert_eq!(logits(&graph(gate, &[1, 5]), "y").value, "y");
    }

    #[test]
    fn classes_are_counted_whatever_their_dimension() {
        let count = |dims: &[usize]| classes(&graph(vec![Node::new("Neg", &["x"], &["y"])], dims), "y");
        assert_eq!([count(&[1, 5]), count(&[2, 5, 1, 1]), count(&[1, 1, 1, 5])], [Some(5); 3]);
        assert_eq!([count(&[1, 5, 2, 2]), count(&[1])], [None; 2]);
    }

    #[test]
    fn logits_are_centred_once() {
        let mut pooled = graph(vec![Node::new("Neg", &["x"], &["y"])], &[1, 5, 1, 1]);
        assert!(centre(&mut pooled).unwrap());
        let operators: Vec<&str> = pooled.nodes.iter().map(|node| node.operator.as_str()).collect();
        assert_eq!(operators, ["Neg", "Flatten", "ReduceMean", "Sub"]);
        assert_eq!(pooled.shape(&pooled.outputs[0]).unwrap(), [1, 5]);
        let before = pooled.clone();
        assert!(!centre(&mut pooled).unwrap());
        assert_eq!(pooled, before);
    }
}
