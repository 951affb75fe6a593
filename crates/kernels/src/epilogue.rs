//! What is done with sums before they are stored.

/// A last operation on values, given their place in the output.
///
/// Implementations go through local arrays, one operation at a time, so that compilers use vectors.
pub(crate) trait Epilogue {
    /// Returns what to store for `sums`, which are the values from index `at` of the output.
    fn finish<const N: usize>(&mut self, at: usize, sums: &[f32; N]) -> [f32; N];

    /// Stores N values at the beginning of `out`.
    #[inline(always)]
    fn store<const N: usize>(&mut self, at: usize, sums: &[f32; N], out: &mut [f32]) {
        out[..N].copy_from_slice(&self.finish(at, sums));
    }

    /// Stores as many values as `out` has, at most N.
    #[inline(always)]
    fn store_some<const N: usize>(&mut self, at: usize, sums: &[f32; N], out: &mut [f32]) {
        for (i, (out, sum)) in out.iter_mut().zip(sums).enumerate() {
            [*out] = self.finish(at + i, &[*sum]);
        }
    }
}

/// Stores the sums as they are.
pub(crate) struct Plain;

impl Epilogue for Plain {
    #[inline(always)]
    fn finish<const N: usize>(&mut self, _at: usize, sums: &[f32; N]) -> [f32; N] {
        *sums
    }
}

/// Holds the sums between two bounds, and marks those strictly between them with 1, the others with 0: the derivative.
pub(crate) struct Clipped<'a> {
    pub low: f32,
    pub high: f32,
    /// As long as the whole output.
    pub marks: &'a mut [u8],
}

impl Epilogue for Clipped<'_> {
    #[inline(always)]
    fn finish<const N: usize>(&mut self, at: usize, sums: &[f32; N]) -> [f32; N] {
        let (low, high) = (self.low, self.high);
        let raised = sums.map(|sum| if sum < low { low } else { sum });
        let held = raised.map(|sum| if sum > high { high } else { sum });
        // (value - low) (high - value) is 0 at both bounds and positive between them: some of its bits besides the sign
        // are 1 then. Compilers make vectors of this, but not of comparisons whose results become bytes.
        let between: [u32; N] = std::array::from_fn(|i| ((held[i] - low) * (high - held[i])).to_bits());
        let marks = between.map(|bits| (((bits & 0x7fff_ffff) + 0x7fff_ffff) >> 31) as u8);
        self.marks[at..][..N].copy_from_slice(&marks);
        held
    }
}

/// Keeps the sums that are marked with 1, and replaces those that are marked with 0 by 0.
pub(crate) struct Masked<'a> {
    /// As long as the whole output.
    pub marks: &'a [u8],
}

impl Epilogue for Masked<'_> {
    #[inline(always)]
    fn finish<const N: usize>(&mut self, at: usize, sums: &[f32; N]) -> [f32; N] {
        let mut marks = [0; N];
        marks.copy_from_slice(&self.marks[at..][..N]);
        let masks = marks.map(|mark| 0u32.wrapping_sub(u32::from(mark)));
        std::array::from_fn(|i| f32::from_bits(sums[i].to_bits() & masks[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_strictly_between_the_bounds_is_marked() {
        let (low, high) = (0.0, 6.0);
        let tiny = f32::from_bits(1);
        let sums = [-1e30, -tiny, -0.0, 0.0, tiny, f32::MIN_POSITIVE, 3.0, 6f32.next_down(), 6.0, 6f32.next_up(), 1e30];
        let mut marks = vec![9; sums.len() + 2];
        let held = Clipped { low, high, marks: &mut marks }.finish(1, &sums);
        for ((sum, held), mark) in sums.iter().zip(held).zip(&marks[1..]) {
            assert_eq!(held, sum.clamp(low, high), "{sum}");
            assert_eq!(*mark, u8::from(*sum > low && *sum < high), "{sum}");
        }
        assert_eq!((marks[0], marks[sums.len() + 1]), (9, 9));
        // ReLU has one bound.
        let mut marks = vec![9; sums.len()];
        let held = Clipped { low, high: f32::MAX, marks: &mut marks }.finish(0, &sums);
        for ((sum, held), mark) in sums.iter().zip(held).zip(marks) {
            assert_eq!((held, mark), (sum.max(0.0), u8::from(*sum > 0.0)), "{sum}");
        }
        // What is no number stays none.
        assert!(Clipped { low, high, marks: &mut [0] }.finish(0, &[f32::NAN])[0].is_nan());
    }

    #[test]
    fn what_is_not_marked_becomes_zero() {
        let mut masked = Masked { marks: &[7, 0, 1, 1, 0] };
        assert_eq!(masked.finish(1, &[f32::INFINITY, -2.5, 3.0, f32::NAN]), [0.0, -2.5, 3.0, 0.0]);
        let mut out = [9.0; 3];
        masked.store_some(1, &[1.0, 2.0, 3.0, 4.0], &mut out[..2]);
        assert_eq!(out, [0.0, 2.0, 9.0]);
    }
}
