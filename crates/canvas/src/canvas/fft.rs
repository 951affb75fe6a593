//! Two-dimensional transforms between three real planes `[3, H, W]` and their half spectra.
//!
//! Spectra are stored by columns, `[columns, 3, H]`: for kx cycles per width, the H coefficients of each plane, ky = 0, 1, ...,
//! -1 cycles per height in the usual order. The columns of a smooth picture are 0 beyond some kx; a transform of the first
//! `count` columns skips the others. Nothing is normalised: a round trip multiplies by W H.

use crate::plan::Size;
use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Rows that one thread transforms at a time: eight complex numbers fill a cache line.
const ROWS: usize = 8;

/// One row of each plane.
pub(super) type RowsOfThree<'a> = [&'a mut [f32]; 3];

/// Transforms of one size.
pub(super) struct Planes {
    width: usize,
    height: usize,
    row_inverse: Arc<dyn ComplexToReal<f32>>,
    row_forward: Arc<dyn RealToComplex<f32>>,
    column_inverse: Arc<dyn Fft<f32>>,
    column_forward: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
}

/// Returns the size of the transforms' scratch in bytes.
pub(super) fn memory_needed(size: Size) -> u64 {
    let (columns, height) = (u64::from(size.width) / 2 + 1, u64::from(size.height));
    columns * 3 * height.next_multiple_of(ROWS as u64) * size_of::<Complex32>() as u64
}

impl Planes {
    pub fn new(size: Size) -> Planes {
        let (width, height) = (size.width as usize, size.height as usize);
        let mut rows = RealFftPlanner::new();
        let mut columns = FftPlanner::new();
        Planes {
            width,
            height,
            row_inverse: rows.plan_fft_inverse(width),
            row_forward: rows.plan_fft_forward(width),
            column_inverse: columns.plan_fft_inverse(height),
            column_forward: columns.plan_fft_forward(height),
            scratch: vec![Complex32::ZERO; (width / 2 + 1) * 3 * height.next_multiple_of(ROWS)],
        }
    }

    /// Returns the number of columns of a half spectrum.
    pub fn columns(&self) -> usize {
        self.width / 2 + 1
    }

    /// Transforms a spectrum to planes `[3, H, W]`. `fill` gets kx and fills that column's coefficients `[3, H]`; `finish` gets
    /// each row of the planes when it is done.
    pub fn inverse(
        &mut self,
        count: usize,
        fill: impl Fn(usize, &mut [Complex32]) + Sync,
        planes: &mut [f32],
        finish: impl Fn(RowsOfThree) + Sync,
    ) {
        let (width, height, columns) = (self.width, self.height, self.columns());
        let spectrum = &mut self.scratch[..count * 3 * height];
        let transform = &self.column_inverse;
        let scratch = || vec![Complex32::ZERO; transform.get_inplace_scratch_len()];
        spectrum.par_chunks_exact_mut(3 * height).enumerate().for_each_init(scratch, |scratch, (kx, column)| {
            fill(kx, column);
            transform.process_with_scratch(column, scratch);
        });

        let spectrum = &*spectrum;
        let transform = &self.row_inverse;
        let scratch = || (transform.make_scratch_vec(), vec![Complex32::ZERO; ROWS * columns]);
        let (red, rest) = planes.split_at_mut(width * height);
        let (green, blue) = rest.split_at_mut(width * height);
        let block = ROWS * width;
        let blocks = red.par_chunks_mut(block).zip(green.par_chunks_mut(block).zip(blue.par_chunks_mut(block)));
        blocks.enumerate().for_each_init(scratch, |(scratch, rows), (block, (red, (green, blue)))| {
            let first = block * ROWS;
            let here = red.len() / width;
            for (channel, plane) in [&mut *red, &mut *green, &mut *blue].into_iter().enumerate() {
                for kx in 0..count {
                    let from = (3 * kx + channel) * height + first;
                    for (row, value) in rows.chunks_exact_mut(columns).zip(&spectrum[from..from + here]) {
                        row[kx] = *value;
                    }
                }
                for (row, to) in rows.chunks_exact_mut(columns).zip(plane.chunks_exact_mut(width)) {
                    row[count..].fill(Complex32::ZERO);
                    // Parts that the spectrum of a real row cannot have.
                    row[0].im = 0.0;
                    if width.is_multiple_of(2) {
                        row[columns - 1].im = 0.0;
                    }
                    transform.process_with_scratch(row, to, scratch).expect("lengths are as planned");
                }
            }
            let rows = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width).zip(blue.chunks_exact_mut(width)));
            rows.for_each(|(red, (green, blue))| finish([red, green, blue]));
        });
    }

    /// Transforms planes to their spectrum. `read` gets y and fills that row of the planes. `take` gets kx, that column's
    /// coefficients `[3, H]`, and its part of `out`, in which each column has `stride` elements.
    pub fn forward<T: Send>(
        &mut self,
        count: usize,
        read: impl Fn(usize, RowsOfThree) + Sync,
        out: &mut [T],
        stride: usize,
        take: impl Fn(usize, &[Complex32], &mut [T]) + Sync,
    ) {
        let (width, height, columns) = (self.width, self.height, self.columns());
        // Blocks of rows, `[blocks, count, 3, ROWS]`, so that each thread writes its own contiguous range.
        let block = count * 3 * ROWS;
        let blocks = &mut self.scratch[..height.div_ceil(ROWS) * block];
        let transform = &self.row_forward;
        let scratch = || (transform.make_scratch_vec(), vec![0.0; 3 * width], vec![Complex32::ZERO; columns]);
        blocks.par_chunks_exact_mut(block).enumerate().for_each_init(
            scratch,
            |(scratch, rows, spectrum), (index, block)| {
                for row in 0..ROWS.min(height - index * ROWS) {
                    let (red, rest) = rows.split_at_mut(width);
                    let (green, blue) = rest.split_at_mut(width);
                    read(index * ROWS + row, [red, green, blue]);
                    for (channel, plane) in rows.chunks_exact_mut(width).enumerate() {
                        transform.process_with_scratch(plane, spectrum, scratch).expect("lengths are as planned");
                        let to = block.chunks_exact_mut(3 * ROWS);
                        to.zip(&*spectrum).for_each(|(to, value)| to[channel * ROWS + row] = *value);
                    }
                }
            },
        );

        let blocks = &*blocks;
        let transform = &self.column_forward;
        let scratch = || {
            let column = vec![Complex32::ZERO; 3 * height.next_multiple_of(ROWS)];
            (vec![Complex32::ZERO; transform.get_inplace_scratch_len()], column)
        };
        out.par_chunks_exact_mut(stride).take(count).enumerate().for_each_init(
            scratch,
            |(scratch, column), (kx, out)| {
                for (index, rows) in blocks.chunks_exact(block).enumerate() {
                    let first = index * ROWS;
                    let here = ROWS.min(height - first);
                    for (channel, from) in rows[3 * ROWS * kx..][..3 * ROWS].chunks_exact(ROWS).enumerate() {
                        column[channel * height + first..][..here].copy_from_slice(&from[..here]);
                    }
                }
                let column = &mut column[..3 * height];
                transform.process_with_scratch(column, scratch);
                take(kx, column, out);
            },
        );
    }
}

/// The coefficients of a half spectrum within a radius, in cycles per shorter side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Disc {
    size: Size,
    /// `None`: all coefficients.
    radius: Option<f64>,
    /// Limits the disc to what a canvas of this size can show: frequencies below half of a side, where that side is shorter.
    shown: Size,
}

impl Disc {
    pub fn new(size: Size, radius: Option<f64>) -> Disc {
        Disc { size, radius, shown: size }
    }

    /// Returns the part of the disc that a canvas of a smaller size shows.
    pub fn shown_at(self, shown: Size) -> Disc {
        Disc { shown, ..self }
    }

    /// Returns the number of columns with coefficients in the disc.
    pub fn columns(&self) -> usize {
        let all = below_half(self.size.width, self.shown.width, self.size.width as usize / 2 + 1);
        let reach = |radius: f64| radius * f64::from(self.size.width) / f64::from(self.size.shorter());
        self.radius.map_or(all, |radius| (reach(radius) as usize + 1).min(all))
    }

    /// Returns, within column kx, how many of ky = 0, 1, ... and how many of ky = -1, -2, ... are in the disc.
    pub fn rows(&self, kx: usize) -> (usize, usize) {
        let height = self.size.height as usize;
        let all = (
            below_half(self.size.height, self.shown.height, height / 2 + 1),
            below_half(self.size.height, self.shown.height, height - height / 2) - 1,
        );
        let Some(radius) = self.radius else { return all };
        let shorter = f64::from(self.size.shorter());
        let across = kx as f64 * shorter / f64::from(self.size.width);
        let reach = (radius * radius - across * across).max(0.0).sqrt() * f64::from(self.size.height) / shorter;
        let reach = reach as usize;
        ((reach + 1).min(all.0), reach.min(all.1))
    }
}

/// Returns how many of the frequencies 0, 1, ... of a side are shown: `all`, or those below half of a shorter side.
fn below_half(side: u32, shown: u32, all: usize) -> usize {
    if shown < side { shown.div_ceil(2) as usize } else { all }
}

/// Returns the squared distance of a coefficient from the origin, in cycles per shorter side.
pub(super) fn squared_frequency(size: Size, kx: usize, ky: usize) -> f64 {
    let shorter = f64::from(size.shorter());
    let (x, y) = (kx as f64 * shorter / f64::from(size.width), ky as f64 * shorter / f64::from(size.height));
    x * x + y * y
}
