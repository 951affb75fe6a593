//! Operators that select a part of their input, or repeat it.

use super::rule::{Derivative, Gradients, Rule};
use super::scatter;
use crate::error::OnnxError;
use crate::shapes;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("Expand", expand),
    ("Gather", gather),
    ("GatherElements", gather_elements),
    ("GatherND", gather_nd),
    ("Pad", pad),
    ("Slice", slice),
    ("Tile", tile),
    ("Trilu", trilu),
];

/// y is x broadcast: dx is dy summed over the broadcast axes.
fn expand(r: &mut Rule) -> Gradients {
    let (dy, x) = (r.dy()?, r.x(0)?);
    let dx = r.unbroadcast(&dy, x)?;
    r.only(dx)
}

/// y is x repeated along its axes: dx is the sum of the repetitions.
fn tile(r: &mut Rule) -> Gradients {
    let (dy, shape) = (r.dy()?, r.shape(r.x(0)?)?);
    let whole = r.shape(&dy)?;
    let split: Vec<usize> = shape.iter().zip(&whole).flat_map(|(s, w)| [w.checked_div(*s).unwrap_or(0), *s]).collect();
    let split = r.b.reshape(&dy, &split);
    let axes: Vec<usize> = (0..shape.len()).map(|a| 2 * a).collect();
    let dx = r.b.reduce("ReduceSum", &split, &axes, false);
    r.only(dx)
}

/// Pads a value with zeros along an axis to `size`, with `before` zeros in front.
fn place(r: &mut Rule, value: &str, axis: usize, before: usize, size: usize) -> Result<String, OnnxError> {
    let shape = r.shape(value)?;
    if shape[axis] == size {
        return Ok(value.into());
    }
    let mut amounts = vec![0; 2 * shape.len()];
    amounts[axis] = before as i64;
    amounts[shape.len() + axis] = (size - before - shape[axis]) as i64;
    let amounts = r.b.ints(&amounts);
    Ok(r.op("Pad", &[value, &amounts]))
}

/// y = x[start : end : step]: dx is dy at those places, zero elsewhere.
fn slice(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    let cuts =
        shapes::slice_cuts(r.b.graph(), r.node, &shape).ok_or_else(|| r.not_covered("bounds that are not constant"))?;
    let mut dx = r.dy()?;
    // One `Pad` covers all axes of step 1.
    let mut amounts = vec![0; 2 * shape.len()];
    for cut in cuts.iter().filter(|c| c.step == 1) {
        amounts[cut.axis] = cut.start as i64;
        amounts[shape.len() + cut.axis] = (shape[cut.axis] - cut.start - cut.count) as i64;
    }
    if amounts.iter().any(|a| *a != 0) {
        let amounts = r.b.ints(&amounts);
        dx = r.op("Pad", &[&dx, &amounts]);
    }
    for cut in cuts.iter().filter(|c| c.step != 1) {
        let stride = usize::try_from(cut.step.unsigned_abs()).unwrap_or(usize::MAX);
        let mut first = cut.start;
        if cut.step < 0 {
            let last = [cut.axis as i64];
            let (starts, ends, axes, steps) =
                (r.b.ints(&[-1]), r.b.ints(&[i64::MIN + 1]), r.b.ints(&last), r.b.ints(&[-1]));
            dx = r.op("Slice", &[&dx, &starts, &ends, &axes, &steps]);
            first = cut.start - (cut.count.saturating_sub(1)) * stride;
        }
        if stride > 1 && cut.count > 1 {
            // Inserts zeros: each element becomes the first of a group, and the last group loses its zeros.
            let now = r.shape(&dx)?;
            let mut grouped = now.clone();
            grouped.insert(cut.axis + 1, 1);
            let open = r.b.reshape(&dx, &grouped);
            let spread = place(r, &open, cut.axis + 1, 0, stride)?;
            let mut merged = now;
            merged[cut.axis] = cut.count * stride;
            dx = r.b.reshape(&spread, &merged);
            let mut amounts = vec![0; 2 * merged.len()];
            amounts[merged.len() + cut.axis] = 1 - stride as i64;
            let amounts = r.b.ints(&amounts);
            dx = r.op("Pad", &[&dx, &amounts]);
        }
        dx = place(r, &dx, cut.axis, first, shape[cut.axis])?;
    }
    r.only(dx)
}

/// y = x[.., i, ..]: dx is a scatter-add of dy. For a single constant index, dx is dy padded with zeros.
fn gather(r: &mut Rule) -> Gradients {
    let (dy, indices) = (r.dy()?, r.x(1)?);
    let shape = r.shape(r.x(0)?)?;
    let axis = r.axis(0, shape.len())?;
    if let Some([index]) = r.integers(1).as_deref() {
        let index = shapes::axis(*index, shape[axis]).ok_or_else(|| r.not_covered("an index out of range"))?;
        let mut open = shape.clone();
        open[axis] = 1;
        let row = r.b.reshape(&dy, &open);
        let dx = place(r, &row, axis, index, shape[axis])?;
        return r.only(dx);
    }
    let dx = scatter::add(r, &dy, axis, indices, &shape)?;
    r.only(dx)
}

/// y[i, j] = x[index[i, j], j] (for axis 0): dx is a scatter-add of dy.
fn gather_elements(r: &mut Rule) -> Gradients {
    let (dy, x, indices) = (r.dy()?, r.x(0)?, r.x(1)?);
    let shape = r.shape(x)?;
    let axis = r.axis(0, shape.len())?;
    let zeros = zeros(r, &shape, x);
    let attributes = [("axis", (axis as i64).into()), ("reduction", "add".into())];
    let dx = r.op_with("ScatterElements", &[&zeros, indices, &dy], &attributes);
    r.only(dx)
}

/// y = x[index tuples]: dx is a scatter-add of dy.
fn gather_nd(r: &mut Rule) -> Gradients {
    if r.node.int("batch_dims").unwrap_or(0) != 0 {
        return Err(r.not_covered("batch dimensions"));
    }
    let (dy, x, indices) = (r.dy()?, r.x(0)?, r.x(1)?);
    let shape = r.shape(x)?;
    let zeros = zeros(r, &shape, x);
    let dx = r.op_with("ScatterND", &[&zeros, indices, &dy], &[("reduction", "add".into())]);
    r.only(dx)
}

fn zeros(r: &mut Rule, shape: &[usize], like: &str) -> String {
    let zero = r.b.filled(0.0, &vec![1; shape.len()], like);
    let sizes = r.b.sizes(shape);
    r.op("Expand", &[&zero, &sizes])
}

/// y is x with a margin: dx is the inside of dy; in copying modes, the margin's gradients are added to the cells they
/// were copied from.
fn pad(r: &mut Rule) -> Gradients {
    let (mut dx, shape) = (r.dy()?, r.shape(r.x(0)?)?);
    let pads =
        shapes::pads(r.b.graph(), r.node, shape.len()).ok_or_else(|| r.not_covered("amounts that are not constant"))?;
    let mode = r.node.text("mode").unwrap_or("constant");
    if mode == "constant" {
        let mut amounts = vec![0; 2 * shape.len()];
        for (axis, before, after) in pads {
            amounts[axis] = -before;
            amounts[shape.len() + axis] = -after;
        }
        let amounts = r.b.ints(&amounts);
        let dx = r.op("Pad", &[&dx, &amounts]);
        return r.only(dx);
    }
    for (axis, before, after) in pads.into_iter().filter(|(_, before, after)| *before != 0 || *after != 0) {
        let size = shape[axis] as i64;
        let length = (size + before + after).max(0);
        let source = |i: i64| -> Option<i64> {
            Some(match mode {
                "edge" => i.clamp(0, size - 1),
                "wrap" => i.rem_euclid(size),
                "reflect" if size == 1 => 0,
                "reflect" => {
                    let period = 2 * (size - 1);
                    let at = i.rem_euclid(period);
                    at.min(period - at)
                }
                _ => return None,
            })
        };
        let mut matrix = vec![0.0; (length * size) as usize];
        for i in 0..length {
            let from = source(i - before).ok_or_else(|| r.not_covered(&format!("mode `{mode}`")))?;
            matrix[(i * size + from) as usize] = 1.0;
        }
        dx = r.contract(&dx, axis, &matrix, shape[axis])?;
    }
    r.only(dx)
}

/// y is x's upper or lower triangle from some diagonal on, constant or not: dx is dy's triangle.
fn trilu(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let upper = r.node.int("upper").unwrap_or(1);
    let mut inputs = vec![dy.as_str()];
    inputs.extend(r.node.input(1));
    let dx = r.op_with("Trilu", &inputs, &[("upper", upper.into())]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{Check, normal, run};
    use crate::{Builder, DataType, Graph, Tensor, differentiate};

    fn ints(values: &[i64]) -> Tensor {
        Tensor::i64(&[values.len()], values)
    }

    #[test]
    fn slices_of_any_step() {
        for (start, end, step) in
            [(1, 4, 1), (0, i64::MAX, 2), (1, -1, 3), (-1, i64::MIN, -1), (5, 0, -2), (-2, 1, -3), (6, 7, 1)]
        {
            Check::new("Slice", 1)
                .input(normal(1, &[2, 7, 2]))
                .constant(ints(&[start]))
                .constant(ints(&[end]))
                .constant(ints(&[1]))
                .constant(ints(&[step]))
                .passes();
        }
        let kinds =
            Check::new("Slice", 1).input(normal(1, &[4, 5])).constant(ints(&[1, 0])).constant(ints(&[3, -1])).passes();
        assert_eq!(kinds, ["Pad"]);
    }

    #[test]
    fn gathers_one_row_or_many() {
        for axis in [0, 1, -1] {
            for index in [0, -1] {
                let gather = || Check::new("Gather", 1).attribute("axis", axis).input(normal(1, &[2, 3, 4]));
                let kinds = gather().constant(Tensor::i64(&[], &[index])).passes();
                assert_eq!(kinds, ["Reshape", "Pad"]);
                gather().constant(ints(&[index])).passes();
                gather().constant(ints(&[1, 0, 1, -1])).passes();
                gather().constant(Tensor::i64(&[2, 2], &[1, 0, 1, -1])).passes();
            }
        }
    }

    #[test]
    fn gathers_of_elements_and_tuples() {
        Check::new("GatherElements", 1)
            .attribute("axis", 1)
            .input(normal(1, &[2, 3]))
            .constant(Tensor::i64(&[2, 2], &[0, 0, 2, 1]))
            .passes();
        Check::new("GatherND", 1)
            .input(normal(1, &[2, 3, 4]))
            .constant(Tensor::i64(&[3, 2], &[0, 1, 1, 2, 0, 1]))
            .passes();
    }

    #[test]
    fn stretches_and_repeats() {
        Check::new("Expand", 1).input(normal(1, &[3, 1])).constant(ints(&[2, 1, 4])).passes();
        Check::new("Tile", 1).input(normal(1, &[2, 3])).constant(ints(&[2, 3])).passes();
        Check::new("Trilu", 1).attribute("upper", 0).input(normal(1, &[3, 4])).passes();
    }

    #[test]
    fn margins_of_every_mode() {
        for mode in ["constant", "edge", "reflect", "wrap"] {
            Check::new("Pad", 1)
                .attribute("mode", mode)
                .input(normal(1, &[2, 4, 5]))
                .constant(ints(&[0, 2, 1, 0, 1, 3]))
                .passes();
        }
        Check::new("Pad", 1).input(normal(1, &[4, 5])).constant(ints(&[-1, 2, 1, -2])).passes();
    }

    /// The diagonal is only known when the graph runs.
    #[test]
    fn triangles_of_a_computed_diagonal() {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        b.input("x", DataType::F32, &[3, 4]);
        b.input("k", DataType::I64, &[]);
        let y = b.op("Trilu", &["x", "k"]);
        let dy = b.constant("dy", Tensor::f32(&[3, 4], &[1.0; 12]));
        graph.outputs = differentiate(&mut graph, &[(&y, &dy)], &["x"]).unwrap();
        for k in [-1, 0, 2] {
            let got = run(&graph, &[("x", &normal(1, &[3, 4])), ("k", &Tensor::i64(&[], &[k]))]).remove(0);
            let expected: Vec<f32> = (0..12).map(|i| f32::from(u8::from(i % 4 >= i / 4 + k))).collect();
            assert_eq!(got.to_f32().unwrap(), expected, "{k}");
        }
    }
}
