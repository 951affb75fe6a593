//! Sequences of tensors, which exporters leave where a model split a list or built one.

use crate::builder::Builder;
use crate::graph::Node;
use crate::tensor::Tensor;

/// Returns the node that computes the list, if it is this operator. It precedes the current node.
fn giver(b: &mut Builder, list: &str, operator: &str) -> Option<Node> {
    b.graph().nodes.iter().rev().find(|node| node.output(0) == Some(list)).filter(|node| node.is(operator)).cloned()
}

fn numbers(b: &mut Builder, value: &str) -> Option<Vec<i64>> {
    b.graph().constants.get(value)?.to_i64()
}

/// Lowers an element of a list: an operand of a `SequenceConstruct`, or a piece of the tensor that `SplitToSequence`
/// cuts.
pub(super) fn at(b: &mut Builder, node: &Node) -> Option<()> {
    let (list, y) = (node.input(0)?, node.output(0)?);
    let index = *numbers(b, node.input(1)?)?.first()?;
    if let Some(made) = giver(b, list, "SequenceConstruct") {
        let count = i64::try_from(made.inputs.len()).ok()?;
        let position = usize::try_from(if index < 0 { index.checked_add(count)? } else { index }).ok()?;
        b.op_into("Identity", &[made.input(position)?], &[], y);
        return Some(());
    }
    let cut = giver(b, list, "SplitToSequence")?;
    let (x, axis) = (cut.input(0)?, cut.int("axis").unwrap_or(0));
    let Some(sizes) = cut.input(1) else {
        // Pieces of size 1, whose axis may be dropped.
        if cut.int("keepdims").unwrap_or(1) == 0 {
            let index = b.constant("index", Tensor::i64(&[], &[index]));
            b.op_into("Gather", &[x, &index], &[("axis", axis.into())], y);
        } else {
            let index = b.ints(&[index]);
            b.op_into("Gather", &[x, &index], &[("axis", axis.into())], y);
        }
        return Some(());
    };
    let of_one_size = b.graph().constants.get(sizes)?.dims.is_empty();
    let sizes = numbers(b, sizes)?;
    let (start, end) = if of_one_size {
        let size = *sizes.first()?;
        (index >= 0).then_some(())?;
        (index.checked_mul(size)?, index.checked_add(1)?.checked_mul(size)?)
    } else {
        let count = i64::try_from(sizes.len()).ok()?;
        let position = usize::try_from(if index < 0 { index.checked_add(count)? } else { index }).ok()?;
        let size = *sizes.get(position)?;
        let start = sizes[..position].iter().try_fold(0i64, |sum, size| sum.checked_add(*size))?;
        (start, start.checked_add(size)?)
    };
    let (start, end, axis) = (b.ints(&[start]), b.ints(&[end]), b.ints(&[axis]));
    b.op_into("Slice", &[x, &start, &end, &axis], &[], y);
    Some(())
}

/// Lowers the concatenation of all elements of a `SequenceConstruct`, along an existing axis or a new one.
pub(super) fn concat(b: &mut Builder, node: &Node) -> Option<()> {
    let (list, y) = (node.input(0)?, node.output(0)?);
    let made = giver(b, list, "SequenceConstruct")?;
    let axis = node.int("axis")?;
    let mut parts = made.inputs.clone();
    if node.int("new_axis").unwrap_or(0) != 0 {
        let axes = b.ints(&[axis]);
        parts = parts.iter().map(|part| b.op("Unsqueeze", &[part, &axes])).collect();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    b.op_into("Concat", &parts, &[("axis", axis.into())], y);
    Some(())
}
