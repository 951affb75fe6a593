//! The basis `pixels`: the pixels themselves.
//!
//! Values are projected to 0..1 after every step. The projection does not affect gradients, so a pixel at the end of the range
//! returns as soon as its gradient says so. The low-pass is a Gaussian, whose kernel is positive, and treats the canvas as
//! periodic.

use super::fft::{self, Disc, Planes, RowsOfThree, squared_frequency};
use super::init::Ground;
use super::lag::{Lags, Moved, Past};
use super::optimiser::{self, Moments, Update};
use super::shrink::shrink;
use super::spline::Upsample;
use super::{Slot, State, StateError, Store, Tensor, whole_of};
use crate::chance::Draws;
use crate::plan::{BasisKind, Optimiser, Size};
use crate::spans::{Spans, fit};
use rayon::prelude::*;
use rustfft::num_complex::Complex32;

/// The low-pass hides everything beyond this many times `finest`: exp(-4^2) is 1e-7.
const HIDDEN: f64 = 4.0;

/// Parameters and moments are `[3, H, W]` at the optimised size.
pub(super) struct Pixels {
    /// The canvas's full size.
    full: Size,
    size: Size,
    optimiser: Optimiser,
    /// The target of weight decay: the mean colour of the start.
    ground: [f32; 3],
    parameters: Vec<f32>,
    /// `[3, A]` of the part that was last decoded; elsewhere it is 0.
    gradient: Vec<f32>,
    /// `[3, A]`, unless that is the whole.
    decoded: Vec<f32>,
    moments: Moments,
    lags: Lags,
    /// The part that was last decoded.
    part: Spans,
    /// Updates so far; one number, kept as an array so that it can be borrowed as a slice.
    age: [u64; 1],
    finest: Option<f64>,
    low_pass: Option<LowPass>,
}

/// Returns the memory of the canvas in bytes, a low-pass included.
pub(super) fn memory_needed(size: Size) -> u64 {
    let planes = 12 * u64::from(size.width) * u64::from(size.height);
    5 * planes + 2 * fft::memory_needed(size)
}

impl Pixels {
    pub fn new(size: Size, ground: &Ground, noise: f64, draws: Draws) -> Pixels {
        let mut parameters = ground.planes(size, |pixel| pixel);
        let mean = means(&parameters);
        let width = size.width as usize;
        parameters.par_chunks_exact_mut(width).enumerate().for_each(|(row, values)| {
            let draws = draws.at(row as u64);
            for (pair, values) in values.chunks_mut(2).enumerate() {
                for (value, normal) in values.iter_mut().zip(draws.normal_pair(pair as u64)) {
                    *value = (*value + (noise * normal) as f32).clamp(0.0, 1.0);
                }
            }
        });
        let count = parameters.len();
        Pixels {
            full: size,
            size,
            optimiser: Optimiser::ADAM,
            ground: mean,
            parameters,
            gradient: Vec::new(),
            decoded: Vec::new(),
            moments: Moments::new(count),
            lags: Lags::new(width, size.height as usize, false),
            part: whole_of(size),
            age: [0],
            finest: None,
            low_pass: None,
        }
    }
}

impl Pixels {
    fn shape(&self) -> Vec<usize> {
        vec![3, self.size.height as usize, self.size.width as usize]
    }

    /// Brings a part up to date.
    fn catch_up(&mut self, part: &Spans) {
        let Pixels { parameters, moments, ground, .. } = self;
        self.lags.catch_up(part, Moved { parameters, moments, ground: *ground, projected: true });
    }
}

impl Store for Pixels {
    fn in_parts(&self, finest: Option<f64>) -> bool {
        // A low-pass mixes all pixels.
        finest.is_none()
    }

    fn decode(&mut self, finest: Option<f64>, part: &Spans) -> &[f32] {
        self.finest = finest;
        self.part = part.clone();
        self.catch_up(part);
        let Some(finest) = finest else {
            if part.is_whole() {
                return &self.parameters;
            }
            part.cut(&self.parameters, &mut self.decoded);
            return &self.decoded;
        };
        let low_pass = self.low_pass.get_or_insert_with(|| LowPass::new(self.size));
        let LowPass { transform, spectrum, picture } = low_pass;
        filter(self.size, finest, transform, spectrum, &self.parameters, picture);
        picture
    }

    fn backprop(&mut self, pixel_gradient: &[f32]) {
        assert_eq!(pixel_gradient.len(), 3 * self.part.area(), "a gradient of another size");
        fit(&mut self.gradient, pixel_gradient.len());
        match (self.finest, &mut self.low_pass) {
            // A real filter that treats k and -k alike is self-adjoint.
            (Some(finest), Some(LowPass { transform, spectrum, .. })) => {
                filter(self.size, finest, transform, spectrum, pixel_gradient, &mut self.gradient);
            }
            _ => self.gradient.copy_from_slice(pixel_gradient),
        }
    }

    fn step(&mut self, rate: f64) {
        self.age[0] += 1;
        let update = Update::new(&self.optimiser, rate, self.age[0]);
        let past = Past { update, left: optimiser::decayed(&self.optimiser, rate) };
        let Pixels { parameters, moments, ground, gradient, part, .. } = self;
        self.lags.follow(past, part, gradient, Moved { parameters, moments, ground: *ground, projected: true });
    }

    fn follow(&mut self, optimiser: Optimiser, fresh: bool) {
        self.settle();
        self.optimiser = optimiser;
        if fresh {
            self.moments.clear();
            self.lags = Lags::new(self.size.width as usize, self.size.height as usize, false);
            self.age = [0];
        }
    }

    fn settle(&mut self) {
        self.catch_up(&whole_of(self.size));
    }

    fn gradient_squares(&self) -> (f64, usize) {
        (optimiser::sum_of_squares(&self.part, &self.gradient), self.parameters.len())
    }

    fn scale_gradient(&mut self, factor: f32) {
        optimiser::scale(&mut self.gradient, factor);
    }

    fn shown(&self) -> Size {
        self.size
    }

    fn resize(&mut self, size: Size) {
        self.settle();
        self.parameters = sampled(&self.parameters, self.size, size);
        // A pixel's gradient is proportional to its area.
        let larger = self.size.area() as f32 / size.area() as f32;
        let Moments { mean, square } = &self.moments;
        let (mut mean, mut square) = (softened(mean, self.size, size), softened(square, self.size, size));
        optimiser::scale(&mut mean, larger);
        optimiser::scale(&mut square, larger * larger);
        self.moments = Moments { mean, square };
        self.part = whole_of(size);
        self.lags = Lags::new(size.width as usize, size.height as usize, true);
        (self.size, self.low_pass) = (size, None);
    }

    fn whole(&mut self, finest: Option<f64>) -> Vec<f32> {
        self.settle();
        let parameters = sampled(&self.parameters, self.size, self.full);
        let Some(finest) = finest else { return parameters };
        let LowPass { mut transform, mut spectrum, mut picture } = LowPass::new(self.full);
        filter(self.full, finest, &mut transform, &mut spectrum, &parameters, &mut picture);
        picture
    }

    fn basis(&self) -> &'static str {
        BasisKind::Pixels.name()
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let shape = self.shape();
        vec![
            Tensor::f32("parameters", &shape, &self.parameters),
            Tensor::f32("mean", &shape, &self.moments.mean),
            Tensor::f32("square", &shape, &self.moments.square),
            Tensor::u64("ages", &self.age),
        ]
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        // The state may have been saved while another size was optimised.
        if let Ok([3, height, width]) = state.tensor("parameters").map(|tensor| &tensor.shape[..])
            && let (Ok(width), Ok(height)) = (u32::try_from(*width), u32::try_from(*height))
            && (1..=self.full.width).contains(&width)
            && (1..=self.full.height).contains(&height)
            && (Size { width, height }) != self.size
        {
            self.resize(Size { width, height });
        }
        self.lags = Lags::new(self.size.width as usize, self.size.height as usize, true);
        let shape = self.shape();
        let Moments { mean, square } = &mut self.moments;
        state.fill(vec![
            ("parameters".into(), shape.clone(), Slot::F32(&mut self.parameters)),
            ("mean".into(), shape.clone(), Slot::F32(mean)),
            ("square".into(), shape, Slot::F32(square)),
            ("ages".into(), vec![1], Slot::U64(&mut self.age)),
        ])
    }

    #[cfg(test)]
    fn parameters(&mut self) -> Vec<(&mut [f32], &[f32])> {
        vec![(&mut self.parameters, &self.gradient)]
    }
}

/// Returns the mean of each plane of `[3, H, W]`.
fn means(planes: &[f32]) -> [f32; 3] {
    let area = planes.len() / 3;
    let mean = |plane: usize| {
        let sum: f64 = planes[plane * area..(plane + 1) * area].iter().map(|value| f64::from(*value)).sum();
        (sum / area as f64) as f32
    };
    [mean(0), mean(1), mean(2)]
}

/// Resamples pixels to another size, 0..1: interpolated when enlarging, averaged when shrinking.
fn sampled(pixels: &[f32], from: Size, to: Size) -> Vec<f32> {
    let (from, to) = (sides(from), sides(to));
    if to.0 * to.1 <= from.0 * from.1 {
        return shrink(pixels, from, to);
    }
    let mut out = vec![0.0; 3 * to.0 * to.1];
    Upsample::through_values(from, to).spread(pixels, &mut out);
    out.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    out
}

/// Resamples the optimiser's memory to another size: smooth, and within the range of its values.
fn softened(values: &[f32], from: Size, to: Size) -> Vec<f32> {
    let (from, to) = (sides(from), sides(to));
    if to.0 * to.1 <= from.0 * from.1 {
        return shrink(values, from, to);
    }
    let mut out = vec![0.0; 3 * to.0 * to.1];
    Upsample::new(from, to).spread(values, &mut out);
    out
}

fn sides(size: Size) -> (usize, usize) {
    (size.width as usize, size.height as usize)
}

/// The scratch memory for filtering, created on first use.
struct LowPass {
    transform: Planes,
    /// `[columns, 3, H]`.
    spectrum: Vec<Complex32>,
    picture: Vec<f32>,
}

impl LowPass {
    fn new(size: Size) -> LowPass {
        let transform = Planes::new(size);
        let count = transform.columns() * 3 * size.height as usize;
        LowPass { transform, spectrum: vec![Complex32::ZERO; count], picture: vec![0.0; 3 * size.area()] }
    }
}

/// Attenuates frequencies by exp(-(k / finest)^2).
fn filter(size: Size, finest: f64, transform: &mut Planes, spectrum: &mut [Complex32], from: &[f32], to: &mut [f32]) {
    let (width, height, area) = (size.width as usize, size.height as usize, size.area());
    assert_eq!(from.len(), 3 * area, "planes of another size");
    let count = Disc::new(size, Some(HIDDEN * finest)).columns();
    let read = |y: usize, rows: RowsOfThree| {
        for (channel, row) in rows.into_iter().enumerate() {
            row.copy_from_slice(&from[channel * area + y * width..][..width]);
        }
    };
    // exp(-(kx^2 + ky^2)) is separable.
    let held = |k: f64| ((-k / (finest * finest)).exp()) as f32;
    let along: Vec<f32> = (0..height).map(|ky| held(squared_frequency(size, 0, ky.min(height - ky)))).collect();
    let take = |kx: usize, column: &[Complex32], out: &mut [Complex32]| {
        let across = held(squared_frequency(size, kx, 0)) / area as f32;
        for (out, column) in out.chunks_exact_mut(height).zip(column.chunks_exact(height)) {
            for (out, (value, along)) in out.iter_mut().zip(column.iter().zip(&along)) {
                *out = value * (across * along);
            }
        }
    };
    transform.forward(count, read, spectrum, 3 * height, take);
    let fill = |kx: usize, column: &mut [Complex32]| column.copy_from_slice(&spectrum[3 * height * kx..][..3 * height]);
    transform.inverse(count, fill, to, |_| {});
}
