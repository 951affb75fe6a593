//! Joining values along an axis, and splitting them.

use super::rule::{Derivative, Gradients, Rule};
use crate::shapes;

pub(super) const RULES: &[(&str, Derivative)] = &[("Concat", concat), ("Split", split)];

/// y = x_0, x_1, ... along an axis: dx_i is its part of dy.
fn concat(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let rank = r.shape(&dy)?.len();
    let axis = r.axis(0, rank)?;
    let axes = r.b.sizes(&[axis]);
    let mut gradients = Vec::new();
    let mut start = 0;
    for position in 0..r.node.inputs.len() {
        let end = start + r.shape(r.x(position)?)?[axis];
        gradients.push(if r.wanted(position) {
            let (from, to) = (r.b.sizes(&[start]), r.b.sizes(&[end]));
            Some(r.op("Slice", &[&dy, &from, &to, &axes]))
        } else {
            None
        });
        start = end;
    }
    Ok(gradients)
}

/// x = y_0, y_1, ... along an axis: dx joins the dy_i, with zeros for those missing.
fn split(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    let axis = r.axis(0, shape.len())?;
    let sizes = shapes::split_sizes(r.b.graph(), r.node, shape[axis])
        .filter(|sizes| sizes.len() == r.node.outputs.len())
        .ok_or_else(|| r.not_covered("parts of sizes that are not constant"))?;
    let mut parts = Vec::new();
    for (position, size) in sizes.into_iter().enumerate() {
        parts.push(match r.dy_of(position) {
            Some(dy) => dy,
            None => {
                let mut dims = shape.clone();
                dims[axis] = size;
                let x = r.x(0)?;
                let zero = r.b.filled(0.0, &vec![1; dims.len()], x);
                let dims = r.b.sizes(&dims);
                r.op("Expand", &[&zero, &dims])
            }
        });
    }
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    let dx = r.op_with("Concat", &names, &[("axis", (axis as i64).into())]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, normal};

    #[test]
    fn parts_of_unequal_size() {
        Check::new("Concat", 1)
            .attribute("axis", -1)
            .input(normal(1, &[2, 3]))
            .constant(normal(2, &[2, 2]))
            .input(normal(3, &[2, 4]))
            .passes();
        Check::new("Split", 2)
            .attribute("axis", 1)
            .input(normal(1, &[2, 5]))
            .constant(Tensor::i64(&[2], &[2, 3]))
            .passes();
        Check::new("Split", 3).attribute("num_outputs", 3).input(normal(1, &[6, 2])).passes();
    }

    #[test]
    fn a_part_that_nobody_uses_has_no_gradient() {
        let mut graph = crate::Graph::default();
        let mut b = crate::Builder::new(&mut graph, "t");
        let x = b.input("x", crate::DataType::F32, &[4]);
        let seed = b.constant("seed", Tensor::f32(&[2], &[3.0, 5.0]));
        let sizes = b.ints(&[2, 2]);
        let parts = b.op_many("Split", &[&x, &sizes], &[("axis", 0.into())], 2);
        let dx = crate::differentiate(&mut graph, &[(&parts[1], &seed)], &["x"]).unwrap();
        graph.outputs = dx;
        let got = crate::test_support::run(&graph, &[("x", &normal(1, &[4]))]);
        assert_eq!(got[0].to_f32().unwrap(), [0.0, 0.0, 3.0, 5.0]);
    }
}
