//! Downsampling by area means.

use rayon::prelude::*;

/// Shrinks planes to `[3, height, width]`, each coarse pixel the mean over its area; sides are (width, height).
pub(super) fn shrink(planes: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    // For each coarse pixel, the fine pixels it covers and their weights.
    let covers = |fine: usize, coarse: usize| -> Vec<Vec<(usize, f32)>> {
        let ratio = fine as f64 / coarse as f64;
        let cover = |i: usize| {
            let (low, high) = (i as f64 * ratio, (i + 1) as f64 * ratio);
            let pixels = low as usize..(high.ceil() as usize).min(fine);
            let part = |j: usize| (high.min(j as f64 + 1.0) - low.max(j as f64)).max(0.0) / ratio;
            pixels.map(|j| (j, part(j) as f32)).collect()
        };
        (0..coarse).map(cover).collect()
    };
    let (across, along) = (covers(from.0, to.0), covers(from.1, to.1));
    let mut out = vec![0.0; 3 * to.0 * to.1];
    out.par_chunks_exact_mut(to.0).enumerate().for_each(|(row, out)| {
        let (channel, y) = (row / to.1, row % to.1);
        let mut mixed = vec![0.0; from.0];
        for &(y, weight) in &along[y] {
            let row = &planes[(channel * from.1 + y) * from.0..][..from.0];
            for (mixed, value) in mixed.iter_mut().zip(row) {
                *mixed += weight * value;
            }
        }
        for (out, cover) in out.iter_mut().zip(&across) {
            *out = cover.iter().map(|&(x, weight)| weight * mixed[x]).sum();
        }
    });
    out
}
