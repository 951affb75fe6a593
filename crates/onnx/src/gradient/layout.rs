//! Operators that only move elements or change the shape: the gradient moves back.

use super::rule::{Derivative, Gradients, Rule};
use crate::shapes;

pub(super) const RULES: &[(&str, Derivative)] = &[
    ("DepthToSpace", depth_to_space),
    ("Flatten", reshape),
    ("Reshape", reshape),
    ("SpaceToDepth", space_to_depth),
    ("Squeeze", reshape),
    ("Transpose", transpose),
    ("Unsqueeze", reshape),
];

/// y is x in another shape: dx is dy in x's shape. Also `Flatten`, `Squeeze`, `Unsqueeze`.
fn reshape(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    let dy = r.dy()?;
    let dx = r.b.reshape(&dy, &shape);
    r.only(dx)
}

/// y has x's axes in another order: dx has dy's axes in the inverse order.
fn transpose(r: &mut Rule) -> Gradients {
    let rank = r.shape(r.x(0)?)?.len();
    let order = shapes::permutation(r.node, rank).ok_or_else(|| r.not_covered("that order of axes"))?;
    let mut inverse = vec![0; rank];
    for (to, from) in order.into_iter().enumerate() {
        inverse[from] = to;
    }
    let dy = r.dy()?;
    let dx = r.b.transpose(&dy, &inverse);
    r.only(dx)
}

/// Turns channels into blocks of cells. Both modes are undone by a reshape and a transposition, because `SpaceToDepth`
/// inverts only one of them.
fn depth_to_space(r: &mut Rule) -> Gradients {
    let shape = r.shape(r.x(0)?)?;
    let ([n, c, h, w], Some((block, square))) = (&shape[..], shapes::block(r.node)) else {
        return Err(r.not_covered("values that are not of four dimensions"));
    };
    let dy = r.dy()?;
    let each = c / square;
    let split = r.b.reshape(&dy, &[*n, each, *h, block, *w, block]);
    let order: [usize; 6] = if r.node.text("mode") == Some("CRD") { [0, 1, 3, 5, 2, 4] } else { [0, 3, 5, 1, 2, 4] };
    let turned = r.b.transpose(&split, &order);
    let dx = r.b.reshape(&turned, &shape);
    r.only(dx)
}

/// Turns blocks of cells into channels, undone by `DepthToSpace` in its default order.
fn space_to_depth(r: &mut Rule) -> Gradients {
    let dy = r.dy()?;
    let block = r.node.int("blocksize").unwrap_or(1);
    let dx = r.op_with("DepthToSpace", &[&dy], &[("blocksize", block.into()), ("mode", "DCR".into())]);
    r.only(dx)
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::test_support::{Check, normal};

    #[test]
    fn elements_move_back() {
        let ints = |values: &[i64]| Tensor::i64(&[values.len()], values);
        Check::new("Reshape", 1).input(normal(1, &[2, 3, 4])).constant(ints(&[0, -1])).passes();
        Check::new("Flatten", 1).attribute("axis", 2).input(normal(1, &[2, 3, 4])).passes();
        Check::new("Squeeze", 1).input(normal(1, &[2, 1, 4])).constant(ints(&[-2])).passes();
        Check::new("Squeeze", 1).input(normal(1, &[2, 1, 4, 1])).passes();
        Check::new("Unsqueeze", 1).input(normal(1, &[2, 4])).constant(ints(&[0, -1])).passes();
        Check::new("Transpose", 1).attribute("perm", vec![2, 0, 1]).input(normal(1, &[2, 3, 4])).passes();
        Check::new("Transpose", 1).input(normal(1, &[2, 3, 4])).passes();
        Check::new("SpaceToDepth", 1).attribute("blocksize", 2).input(normal(1, &[2, 3, 4, 6])).passes();
        for mode in ["DCR", "CRD"] {
            Check::new("DepthToSpace", 1)
                .attribute("blocksize", 2)
                .attribute("mode", mode)
                .input(normal(1, &[2, 8, 3, 2]))
                .passes();
        }
    }
}
