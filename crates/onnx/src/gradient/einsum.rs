//! Sums of products over named axes.

use std::collections::HashMap;

use super::rule::{Derivative, Gradients, Rule};
use crate::error::OnnxError;

pub(super) const RULES: &[(&str, Derivative)] = &[("Einsum", einsum)];

/// Y = Σ Π X_i over the labels that Y lacks: dX_i is the sum of products of dY and the other X_j, with X_i's labels.
/// Along a label that only X_i has, over which Y sums, the gradient is constant.
fn einsum(r: &mut Rule) -> Gradients {
    let equation: String = r.node.text("equation").unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left.to_string(), right.to_string()),
        None => {
            // Without an arrow the result has the labels that occur once, in alphabetical order.
            let mut once: Vec<char> = equation.chars().filter(|c| c.is_alphabetic()).collect();
            once.sort_unstable();
            let all = once.clone();
            once.retain(|c| all.iter().filter(|a| *a == c).count() == 1);
            (equation.clone(), once.into_iter().collect())
        }
    };
    let terms: Vec<String> = left.split(',').map(String::from).collect();
    if equation.contains('.') {
        return Err(r.not_covered("an equation with `...`"));
    }
    let repeated = |term: &String| term.chars().enumerate().any(|(i, c)| term.chars().skip(i + 1).any(|d| c == d));
    if terms.iter().any(repeated) || terms.len() != r.node.inputs.len() {
        return Err(r.not_covered("a label that occurs twice in one operand"));
    }
    check_sizes(r, &terms)?;
    let dy = r.dy()?;
    let mut gradients = vec![None; terms.len()];
    for position in 0..terms.len() {
        if !r.wanted(position) {
            continue;
        }
        let x = r.x(position)?;
        let shape = r.shape(x)?;
        let mut operands = vec![dy.clone()];
        let mut sources = vec![right.clone()];
        for (other, term) in terms.iter().enumerate().filter(|(other, _)| *other != position) {
            operands.push(r.x(other)?.to_string());
            sources.push(term.clone());
        }
        let term = &terms[position];
        let reached: String = term.chars().filter(|c| sources.iter().any(|s| s.contains(*c))).collect();
        let equation = format!("{}->{reached}", sources.join(","));
        let names: Vec<&str> = operands.iter().map(String::as_str).collect();
        let product = r.op_with("Einsum", &names, &[("equation", equation.as_str().into())]);
        // The sizes of the product, without and with the summed labels.
        let size = |c: char| term.find(c).map_or(1, |at| shape[at]);
        let known: Vec<usize> = reached.chars().map(size).collect();
        let data_type = r.b.graph().data_type(x).unwrap_or(crate::DataType::F32);
        r.b.graph().types.insert(product.clone(), crate::ValueType::fixed(data_type, &known));
        let open: Vec<usize> = term.chars().map(|c| if reached.contains(c) { size(c) } else { 1 }).collect();
        let mut gradient = r.b.reshape(&product, &open);
        if open != shape {
            let sizes = r.b.sizes(&shape);
            gradient = r.op("Expand", &[&gradient, &sizes]);
        }
        gradients[position] = Some(gradient);
    }
    Ok(gradients)
}

/// Checks that a label has the same size wherever it occurs. (onnxruntime also broadcasts size 1 to another size.)
fn check_sizes(r: &mut Rule, terms: &[String]) -> Result<(), OnnxError> {
    let mut sizes: HashMap<char, usize> = HashMap::new();
    for (position, term) in terms.iter().enumerate() {
        let shape = r.shape(r.x(position)?)?;
        if shape.len() != term.chars().count() {
            return Err(r.not_covered("an operand without exactly one axis per label"));
        }
        for (label, size) in term.chars().zip(shape) {
            let first = *sizes.entry(label).or_insert(size);
            if first != size {
                return Err(r.not_covered(&format!("label `{label}` of sizes {first} and {size}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal};
    use crate::{Builder, DataType, Graph, ValueType, differentiate};

    #[test]
    fn products_sums_and_traceless_labels() {
        let cases: [(&str, &[usize], &[usize]); 5] = [
            ("ab,bc->ac", &[2, 3], &[3, 4]),
            ("bhid,bhjd->bhij", &[2, 2, 3, 4], &[2, 2, 5, 4]),
            ("abc,cd->bad", &[2, 3, 4], &[4, 5]),
            ("ab,c->c", &[2, 3], &[4]),
            ("ij,jk", &[2, 3], &[3, 4]),
        ];
        for (equation, a, b) in cases {
            Check::new("Einsum", 1).attribute("equation", equation).input(normal(1, a)).input(normal(2, b)).passes();
        }
        Check::new("Einsum", 1).attribute("equation", "abc->ca").input(normal(1, &[2, 3, 4])).passes();
    }

    /// onnxruntime broadcasts a label's size 1 to another operand's size.
    #[test]
    fn stretched_labels_are_refused() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        b.input("x", DataType::F32, &[2, 1]);
        b.input("z", DataType::F32, &[3, 4]);
        let y = b.op_with("Einsum", &["x", "z"], &[("equation", "ab,bc->ac".into())]);
        let dy = b.input("dy", DataType::F32, &[2, 4]);
        graph.types.insert(y.clone(), ValueType::fixed(DataType::F32, &[2, 4]));
        let error = differentiate(&mut graph, &[(&y, &dy)], &["x"]).unwrap_err().to_string();
        assert!(error.contains("does not cover") && error.contains("`b`"), "{error}");
    }
}
