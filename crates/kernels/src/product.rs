//! Products of rows with a constant matrix.

use crate::epilogue::Epilogue;
use crate::instructions::{FUSED_EVERYWHERE, Instructions};

/// A matrix [inputs, outputs] in the order in which products read it: panels of as many outputs as registers hold, each
/// with all inputs one after the other.
pub(crate) struct Packed {
    inputs: usize,
    outputs: usize,
    instructions: Instructions,
    panels: Vec<f32>,
    /// One number for each output of the panels.
    bias: Vec<f32>,
}

/// Rows that are multiplied with a panel before the next panel is read, so that these rows stay in the second cache.
const BLOCK: usize = 48;

impl Packed {
    /// Packs a matrix, given by its elements (input, output), with an optional bias for each output.
    pub fn new(
        instructions: Instructions,
        inputs: usize,
        outputs: usize,
        bias: Option<&[f32]>,
        weight: impl Fn(usize, usize) -> f32,
    ) -> Self {
        let wide = instructions.width();
        let mut panels = Vec::new();
        let mut start = 0;
        while start < outputs {
            let width = if outputs - start <= wide / 2 { wide / 2 } else { wide };
            for i in 0..inputs {
                panels.extend((start..start + width).map(|o| if o < outputs { weight(i, o) } else { 0.0 }));
            }
            start += width;
        }
        let mut bias = bias.map_or_else(Vec::new, <[f32]>::to_vec);
        bias.resize(outputs.next_multiple_of(wide), 0.0);
        Packed { inputs, outputs, instructions, panels, bias }
    }

    /// Computes out[r, o] = bias[o] + Σ_i x[r, i] weight[i, o], which goes through the epilogue. `x` is
    /// [rows, inputs], `out` [rows, outputs], and `at` the index that the epilogue is told for the first value.
    pub fn multiply<E: Epilogue>(&self, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
        assert_eq!(x.len() / self.inputs, out.len() / self.outputs);
        match self.instructions {
            // SAFETY: the processor has these instructions, as `Instructions` says.
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => unsafe { avx512(self, x, out, at, epilogue) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise.
            Instructions::Avx2 => unsafe { avx2(self, x, out, at, epilogue) },
            Instructions::Plain => multiply::<6, 16, 8, FUSED_EVERYWHERE, E>(self, x, out, at, epilogue),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512<E: Epilogue>(p: &Packed, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
    multiply::<12, 32, 16, true, E>(p, x, out, at, epilogue);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<E: Epilogue>(p: &Packed, x: &[f32], out: &mut [f32], at: usize, epilogue: &mut E) {
    multiply::<6, 16, 8, true, E>(p, x, out, at, epilogue);
}

#[inline(always)]
fn multiply<const ROWS: usize, const WIDE: usize, const NARROW: usize, const FUSED: bool, E: Epilogue>(
    p: &Packed,
    x: &[f32],
    out: &mut [f32],
    at: usize,
    epilogue: &mut E,
) {
    let blocks = x.chunks(BLOCK * p.inputs).zip(out.chunks_mut(BLOCK * p.outputs));
    for (number, (x, out)) in blocks.enumerate() {
        let at = at + number * BLOCK * p.outputs;
        let mut panels = p.panels.as_slice();
        let mut start = 0;
        while start < p.outputs {
            if p.outputs - start <= NARROW {
                stripe::<ROWS, NARROW, FUSED, E>(p, x, out, panels.as_chunks::<NARROW>().0, start, at, epilogue);
                break;
            }
            let (panel, rest) = panels.split_at(p.inputs * WIDE);
            stripe::<ROWS, WIDE, FUSED, E>(p, x, out, panel.as_chunks::<WIDE>().0, start, at, epilogue);
            panels = rest;
            start += WIDE;
        }
    }
}

/// Multiplies a block of rows with one panel.
#[inline(always)]
fn stripe<const ROWS: usize, const WIDTH: usize, const FUSED: bool, E: Epilogue>(
    p: &Packed,
    x: &[f32],
    out: &mut [f32],
    panel: &[[f32; WIDTH]],
    start: usize,
    at: usize,
    epilogue: &mut E,
) {
    let rows = x.len() / p.inputs;
    let width = WIDTH.min(p.outputs - start);
    let mut bias = [0.0; WIDTH];
    bias.copy_from_slice(&p.bias[start..][..WIDTH]);
    for first in (0..rows).step_by(ROWS) {
        // Where rows are missing, the last one is computed again.
        let here: [&[f32]; ROWS] = std::array::from_fn(|r| &x[(first + r).min(rows - 1) * p.inputs..][..p.inputs]);
        let sums = tile::<ROWS, WIDTH, FUSED>(here, panel, &bias);
        for (r, sum) in sums.iter().enumerate().take(rows - first) {
            let to = (first + r) * p.outputs + start;
            if width == WIDTH {
                epilogue.store(at + to, sum, &mut out[to..]);
            } else {
                epilogue.store_some(at + to, sum, &mut out[to..][..width]);
            }
        }
    }
}

/// Multiplies as many rows as registers hold with one panel.
#[inline(always)]
fn tile<const ROWS: usize, const WIDTH: usize, const FUSED: bool>(
    rows: [&[f32]; ROWS],
    panel: &[[f32; WIDTH]],
    bias: &[f32; WIDTH],
) -> [[f32; WIDTH]; ROWS] {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [*bias; ROWS];
    for (i, weights) in panel.iter().enumerate() {
        for r in 0..ROWS {
            // SAFETY: every row is as long as the panel. With a check, sums do not stay in registers, and products take
            // 2.3 times as long.
            let x = unsafe { *rows[r].get_unchecked(i) };
            for j in 0..WIDTH {
                sums[r][j] = if FUSED { x.mul_add(weights[j], sums[r][j]) } else { sums[r][j] + x * weights[j] };
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epilogue::Plain;

    #[test]
    fn products_are_those_of_the_definition() {
        for instructions in Instructions::all() {
            for (rows, inputs, outputs) in [(1, 1, 1), (5, 7, 8), (13, 16, 24), (49, 5, 33), (100, 24, 70), (7, 3, 15)]
            {
                let value = |i: usize| (i * 37 % 19) as f32 / 8.0 - 1.0;
                let x: Vec<f32> = (0..rows * inputs).map(value).collect();
                let bias: Vec<f32> = (0..outputs).map(|i| value(i + 3)).collect();
                let weight = |i: usize, o: usize| value(i * 5 + o * 11 + 1);
                let packed = Packed::new(instructions, inputs, outputs, Some(&bias), weight);
                let mut out = vec![f32::NAN; rows * outputs];
                packed.multiply(&x, &mut out, 0, &mut Plain);
                for (i, got) in out.iter().enumerate() {
                    let (r, o) = (i / outputs, i % outputs);
                    // Sums of eighths are exact, in any order.
                    let expected = bias[o] + (0..inputs).map(|i| x[r * inputs + i] * weight(i, o)).sum::<f32>();
                    assert_eq!(*got, expected, "{instructions:?} {rows}x{inputs}x{outputs} at {r}, {o}");
                }
            }
        }
    }
}
