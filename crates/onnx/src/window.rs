//! The windows of convolutions and pools: strides, dilations, and pads, with every default and `auto_pad` resolved.

use super::graph::Node;

/// The spatial geometry of a `Conv` or a pool, with one entry for each spatial axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub input: Vec<usize>,
    pub kernel: Vec<usize>,
    pub strides: Vec<usize>,
    pub dilations: Vec<usize>,
    pub before: Vec<usize>,
    pub after: Vec<usize>,
    pub output: Vec<usize>,
}

fn sizes(node: &Node, name: &str, rank: usize, default: usize) -> Option<Vec<usize>> {
    match node.ints(name) {
        None => Some(vec![default; rank]),
        Some(given) if given.len() == rank => given.iter().map(|v| usize::try_from(*v).ok()).collect(),
        Some(_) => None,
    }
}

impl Window {
    /// Returns the geometry of `node` on an input `[N, C, spatial...]`, or `None` where the numbers do not fit
    /// together.
    pub fn of(node: &Node, input: &[usize], kernel: &[usize]) -> Option<Self> {
        let input = input.get(2..)?.to_vec();
        let rank = input.len();
        (kernel.len() == rank && kernel.iter().all(|k| *k > 0)).then_some(())?;
        let strides = sizes(node, "strides", rank, 1)?;
        let dilations = sizes(node, "dilations", rank, 1)?;
        (strides.iter().chain(&dilations).all(|v| *v > 0)).then_some(())?;
        let reach = (0..rank).map(|a| (kernel[a] - 1).checked_mul(dilations[a])?.checked_add(1));
        let reach: Vec<usize> = reach.collect::<Option<_>>()?;
        let mut window = Window {
            input,
            kernel: kernel.to_vec(),
            strides,
            dilations,
            before: vec![0; rank],
            after: vec![0; rank],
            output: vec![0; rank],
        };
        let automatic = node.text("auto_pad").unwrap_or("NOTSET");
        let pads = sizes(node, "pads", 2 * rank, 0)?;
        let ceil = node.int("ceil_mode").unwrap_or(0) != 0;
        for a in 0..rank {
            let (size, stride) = (window.input[a], window.strides[a]);
            if automatic.starts_with("SAME") {
                window.output[a] = size.div_ceil(stride);
                let last = window.output[a].checked_sub(1)?.checked_mul(stride)?;
                let total = last.checked_add(reach[a])?.saturating_sub(size);
                let small = total / 2;
                window.before[a] = if automatic == "SAME_LOWER" { total - small } else { small };
                window.after[a] = total - window.before[a];
                continue;
            }
            if automatic != "VALID" {
                window.before[a] = pads[a];
                window.after[a] = pads[rank + a];
            }
            let inside = size.checked_add(window.before[a])?;
            let room = inside.checked_add(window.after[a])?.checked_sub(reach[a])?;
            let mut count = (if ceil { room.div_ceil(stride) } else { room / stride }).checked_add(1)?;
            // The last window must begin inside the input or its leading pad.
            if ceil && (count - 1).checked_mul(stride)? >= inside {
                count -= 1;
            }
            window.output[a] = count;
        }
        Some(window)
    }

    /// Returns the number of spatial axes.
    pub fn rank(&self) -> usize {
        self.input.len()
    }

    /// Returns the number of input cells that a window spans along an axis.
    pub fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// Returns the position of an output cell's first tap along an axis, negative in the leading pad.
    pub fn start(&self, axis: usize, output: usize) -> i64 {
        (output * self.strides[axis]) as i64 - self.before[axis] as i64
    }

    /// Whether the windows form a grid: no overlaps, no gaps, no pads. A rest may be left over at the end.
    pub fn is_grid(&self) -> bool {
        self.strides == self.kernel
            && self.dilations.iter().all(|d| *d == 1)
            && self.before.iter().chain(&self.after).all(|p| *p == 0)
            && (0..self.rank()).all(|a| self.output[a] * self.strides[a] <= self.input[a])
    }

    /// Whether the grid covers the input without a rest.
    pub fn is_exact_grid(&self) -> bool {
        self.is_grid() && (0..self.rank()).all(|a| self.output[a] * self.strides[a] == self.input[a])
    }
}

/// Returns the spatial sizes of a `ConvTranspose`'s result.
pub(super) fn transposed_output(node: &Node, input: &[usize], kernel: &[usize]) -> Option<Vec<usize>> {
    let rank = input.len();
    if let Some(given) = node.ints("output_shape") {
        return given.iter().rev().take(rank).rev().map(|v| usize::try_from(*v).ok()).collect();
    }
    let strides = sizes(node, "strides", rank, 1)?;
    let dilations = sizes(node, "dilations", rank, 1)?;
    let extra = sizes(node, "output_padding", rank, 0)?;
    let pads = sizes(node, "pads", 2 * rank, 0)?;
    (kernel.len() == rank && node.text("auto_pad").unwrap_or("NOTSET") == "NOTSET").then_some(())?;
    (0..rank)
        .map(|a| {
            let starts = strides[a].checked_mul(input[a].checked_sub(1)?)?;
            let reach = kernel[a].checked_sub(1)?.checked_mul(dilations[a])?.checked_add(1)?;
            let full = starts.checked_add(reach)?.checked_add(extra[a])?;
            full.checked_sub(pads[a])?.checked_sub(pads[rank + a])
        })
        .collect()
}
