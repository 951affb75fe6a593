//! Parts of a value, as cuts through its flat index.

use crate::builder::Builder;
use crate::graph::{Graph, Node};
use crate::shapes;
use crate::tensor::Tensor;

/// The elements whose flat index (o · count + at) · inner + r has this `at`, for every o < outer and r < inner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cut {
    pub outer: usize,
    pub count: usize,
    pub inner: usize,
    pub at: usize,
}

/// A cut among a value's axes: along `axis`, whose index is (p · count + at) · after + q with p <
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AxisCut {
    pub axis: usize,
    pub before: usize,
    pub after: usize,
}

fn product(sizes: &[usize]) -> usize {
    sizes.iter().product()
}

impl Cut {
    /// Returns the cut along an axis of a value of these sizes, as a cut of its flat index.
    pub fn at_axis(self, along: AxisCut, shape: &[usize]) -> Cut {
        Cut {
            outer: product(&shape[..along.axis]) * along.before,
            inner: along.after * product(&shape[along.axis + 1..]),
            ..self
        }
    }

    /// Returns this cut as one along an axis of a value of these sizes, if it lies along one axis.
    pub fn along_axis(self, shape: &[usize]) -> Option<AxisCut> {
        let mut prefix = 1;
        for (axis, &size) in shape.iter().enumerate() {
            if prefix == 0 || !self.outer.is_multiple_of(prefix) {
                return None;
            }
            let before = self.outer / prefix;
            if before > 0 && size > 1 && size.is_multiple_of(before * self.count) {
                let after = size / (before * self.count);
                if after * product(&shape[axis + 1..]) == self.inner {
                    return Some(AxisCut { axis, before, after });
                }
            }
            prefix *= size;
        }
        None
    }

    /// Returns the sizes of the part.
    pub fn narrow(self, shape: &[usize]) -> Option<Vec<usize>> {
        let along = self.along_axis(shape)?;
        let mut narrow = shape.to_vec();
        narrow[along.axis] = along.before * along.after;
        Some(narrow)
    }

    /// Returns the part of a constant.
    pub fn of(self, tensor: &Tensor) -> Option<Tensor> {
        let dims = self.narrow(&tensor.dims)?;
        let block = self.inner * tensor.data_type.size();
        let start = |o: usize| (o * self.count + self.at) * block;
        let blocks = (0..self.outer).map(|o| tensor.data.get(start(o)..start(o) + block));
        let data: Vec<u8> = blocks.collect::<Option<Vec<_>>>()?.concat();
        Some(Tensor { data_type: tensor.data_type, dims, data: data.into() })
    }

    /// Appends operators that slice the part from a value of these sizes.
    pub fn slice(self, b: &mut Builder, value: &str, shape: &[usize]) -> String {
        let Some(along) = self.along_axis(shape) else { return value.into() };
        let mut cut = |value: &str, axis: usize, width: usize| {
            let (starts, ends) = (b.sizes(&[self.at * width]), b.sizes(&[(self.at + 1) * width]));
            let axes = b.sizes(&[axis]);
            b.op("Slice", &[value, &starts, &ends, &axes])
        };
        if along.before == 1 {
            return cut(value, along.axis, along.after);
        }
        let mut open = shape[..along.axis].to_vec();
        open.extend([along.before, self.count, along.after]);
        open.extend(&shape[along.axis + 1..]);
        let narrow = self.narrow(shape).unwrap_or_default();
        let value = b.reshape(value, &open);
        let sizes = (b.ints(&[self.at as i64]), b.ints(&[self.at as i64 + 1]), b.sizes(&[along.axis + 1]));
        let part = b.op("Slice", &[&value, &sizes.0, &sizes.1, &sizes.2]);
        b.reshape(&part, &narrow)
    }
}

/// Returns the cut that a node makes, if it only cuts: a `Gather` of one constant index, or a `Slice` of one of several
/// equal blocks.
pub(super) fn selected(graph: &Graph, node: &Node) -> Option<Cut> {
    let shape = graph.shape(node.input(0)?)?;
    let (axis, count, at, width) = if node.is("Gather") {
        let index = graph.constants.get(node.input(1)?)?;
        let [index] = index.to_i64()?[..] else { return None };
        let axis = shapes::axis(node.int("axis").unwrap_or(0), shape.len())?;
        (axis, shape[axis], shapes::axis(index, shape[axis])?, 1)
    } else if node.is("Slice") {
        let cuts = shapes::slice_cuts(graph, node, &shape)?;
        let [cut] = &cuts[..] else { return None };
        let size = shape[cut.axis];
        let fits =
            cut.step == 1 && cut.count > 0 && size.is_multiple_of(cut.count) && cut.start.is_multiple_of(cut.count);
        fits.then(|| (cut.axis, size / cut.count, cut.start / cut.count, cut.count))?
    } else {
        return None;
    };
    let along = AxisCut { axis, before: 1, after: width };
    (count > 1).then(|| Cut { outer: 0, count, inner: 0, at }.at_axis(along, &shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_its_place_through_reshapes() {
        let cut = Cut { outer: 2, count: 5, inner: 4, at: 3 };
        assert_eq!(cut.along_axis(&[2, 5, 4]), Some(AxisCut { axis: 1, before: 1, after: 1 }));
        assert_eq!(cut.along_axis(&[10, 4]), Some(AxisCut { axis: 0, before: 2, after: 1 }));
        assert_eq!(cut.along_axis(&[2, 5, 2, 2]), Some(AxisCut { axis: 1, before: 1, after: 1 }));
        assert_eq!(cut.along_axis(&[2, 20]), Some(AxisCut { axis: 1, before: 1, after: 4 }));
        assert_eq!(cut.along_axis(&[5, 8]), None);
        assert_eq!(cut.narrow(&[10, 4]).unwrap(), [2, 4]);
        let tensor = Tensor::f32(&[10, 4], &(0..40).map(|i| i as f32).collect::<Vec<_>>());
        assert_eq!(cut.of(&tensor).unwrap().to_f32().unwrap(), [12.0, 13.0, 14.0, 15.0, 32.0, 33.0, 34.0, 35.0]);
    }
}
