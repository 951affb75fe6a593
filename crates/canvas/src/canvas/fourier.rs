//! The basis `fourier`: a spectrum whose amplitudes fall with frequency, decorrelated colours, a sigmoid.
//!
//! pixels = sigmoid(M z), z = sum over the half plane of frequencies of c a(k) h(k) Re(p e^(i theta)): p the parameters, M the
//! colour axes, h the low-pass, c = 2 for frequencies that also stand for their conjugates, otherwise 1. (Olah, Mordvintsev and
//! Schubert, "Feature visualization", 2017, showed the effect of such a parameterisation on gradients.)
//!
//! a(k) = A max(k, 1)^-decay, k in cycles per shorter side. A does not depend on the canvas's size, so a parameter moves the
//! same large shape by the same amount on any canvas. It is chosen so that the amplitudes of a 256 x 256 canvas, times 256,
//! have a root mean square of 1. A longer canvas has more frequencies between two k, so a(k) is divided there by the root of
//! its aspect.
//!
//! At a smaller size the same frequencies are shown, as far as a picture of that size has them (those below half of its sides).
//! Each is rotated by the shift between the two sizes' first pixels, so shapes stay where they are.
//!
//! Coefficients hidden by the low-pass or the size are left alone: neither transformed nor moved. Each has an age, the number
//! of its updates, so the optimiser's bias correction is right whenever it becomes visible.

use super::colour::{Colours, exp};
use super::fft::{self, Disc, Planes, squared_frequency};
use super::init::Ground;
use super::optimiser::{self, Moments, Update};
use super::{Slot, State, StateError, Store, Tensor, whole_of};
use crate::chance::Draws;
use crate::plan::{BasisKind, Optimiser, Size};
use crate::spans::Spans;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;

/// The side of the canvas on which amplitudes are normalised.
const REFERENCE: usize = 256;
/// The low-pass hides everything beyond this many times `finest`: exp(-2^4) is 1e-7.
const HIDDEN: f64 = 2.0;

/// Parameters, gradient and moments: `[columns, 3, H, 2]`, the last axis real and imaginary part.
pub(super) struct Fourier {
    size: Size,
    colours: Colours,
    /// Transforms of the optimised size.
    planes: Planes,
    /// The optimised size.
    shown: Size,
    /// Set if that is smaller than the canvas's size.
    turns: Option<Turns>,
    optimiser: Optimiser,
    /// The target of weight decay for the mean, per axis; the other coefficients decay to 0.
    ground: [f32; 3],
    /// a(k), `[columns, H / 2 + 1]`, for ky >= 0.
    amplitude: Vec<f32>,
    /// a(k) h(k) for the disc last decoded, same layout.
    gain: Vec<f32>,
    finest: Option<f64>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    moments: Moments,
    /// The number of updates of each coefficient, `[columns, H]`, at most the length of `updates`.
    ages: Vec<u16>,
    /// The update for each age, at rate 1.
    updates: Vec<Update>,
    picture: Vec<f32>,
}

/// The rotation of each coefficient at a smaller size: e^(i pi k (1 / shown - 1 / size)) along each side, for k from 0 on.
///
/// Pixel j's centre is (j + 1/2) / shown of the way along a side; angles are measured from the first pixel of the full size,
/// whose centre is at 1 / (2 size).
struct Turns {
    across: Vec<Complex32>,
    along: Vec<Complex32>,
}

impl Turns {
    fn new(size: Size, shown: Size) -> Turns {
        let side = |size: u32, shown: u32| -> Vec<Complex32> {
            let shift = std::f64::consts::PI * (1.0 / f64::from(shown) - 1.0 / f64::from(size));
            let turn = |k: u32| {
                let (sin, cos) = (f64::from(k) * shift).sin_cos();
                Complex32::new(cos as f32, sin as f32)
            };
            (0..=shown / 2).map(turn).collect()
        };
        Turns { across: side(size.width, shown.width), along: side(size.height, shown.height) }
    }

    /// Returns the rotation for column kx and |ky| cycles along: down from the first row or, if negative, up.
    fn at(&self, kx: usize, ky: usize, negative: bool) -> Complex32 {
        let along = self.along[ky];
        self.across[kx] * if negative { along.conj() } else { along }
    }
}

/// Returns the memory of the canvas in bytes.
pub(super) fn memory_needed(size: Size) -> u64 {
    let (width, height) = (u64::from(size.width), u64::from(size.height));
    let columns = width / 2 + 1;
    let coefficients = columns * height * (4 * 3 * 8 + 2) + columns * (height / 2 + 1) * 8;
    coefficients + fft::memory_needed(size) + 12 * width * height
}

impl Fourier {
    pub fn new(size: Size, decay: f64, chroma: f64, ground: &Ground, noise: f64, draws: Draws) -> Fourier {
        let planes = Planes::new(size);
        let columns = planes.columns();
        let height = size.height as usize;
        let amplitude = amplitudes(size, decay);
        let count = columns * 3 * height * 2;
        let mut fourier = Fourier {
            size,
            colours: Colours::new(chroma),
            planes,
            shown: size,
            turns: None,
            optimiser: Optimiser::ADAM,
            ground: [0.0; 3],
            gain: amplitude.clone(),
            amplitude,
            finest: None,
            parameters: vec![0.0; count],
            gradient: vec![0.0; count],
            moments: Moments::new(count),
            ages: vec![0; columns * height],
            updates: Vec::new(),
            picture: vec![0.0; 3 * size.area()],
        };
        fourier.start(ground, noise, draws);
        fourier
    }

    /// Sets the parameters so that the picture is the ground, plus normal noise.
    fn start(&mut self, ground: &Ground, noise: f64, draws: Draws) {
        let height = self.size.height as usize;
        let rows = height / 2 + 1;
        match ground {
            Ground::Colour(colour) => {
                for (channel, value) in self.colours.axes_of(*colour).into_iter().enumerate() {
                    self.parameters[channel * height * 2] = value / self.amplitude[0];
                }
            }
            Ground::Picture(_) => {
                let (width, area) = (self.size.width as usize, self.size.area());
                let colours = self.colours;
                let axes = ground.planes(self.size, |pixel| colours.axes_of(pixel));
                let (amplitude, scale) = (&self.amplitude, 1.0 / area as f32);
                let read = |y: usize, to: fft::RowsOfThree| {
                    for (channel, to) in to.into_iter().enumerate() {
                        to.copy_from_slice(&axes[channel * area + y * width..][..width]);
                    }
                };
                let take = |kx: usize, column: &[Complex32], out: &mut [f32]| {
                    for (i, (out, value)) in out.as_chunks_mut::<2>().0.iter_mut().zip(column).enumerate() {
                        let ky = i % height;
                        let value = value * (scale / amplitude[kx * rows + ky.min(height - ky)]);
                        *out = [value.re, value.im];
                    }
                };
                let columns = self.planes.columns();
                self.planes.forward(columns, read, &mut self.parameters, 6 * height, take);
            }
        }
        self.ground = [0, 1, 2].map(|channel| self.parameters[channel * height * 2]);
        self.parameters.par_chunks_exact_mut(6 * height).enumerate().for_each(|(kx, column)| {
            for (channel, column) in column.as_chunks_mut::<2>().0.chunks_exact_mut(height).enumerate() {
                // A frequency's draws depend only on the frequency: a larger canvas starts from the same large shapes.
                let draws = draws.at(channel as u64).at(kx as u64);
                for (ky, value) in column.iter_mut().enumerate() {
                    let signed = if ky <= height / 2 { ky as i64 } else { ky as i64 - height as i64 };
                    let normal = draws.normal_pair(signed as u64);
                    value[0] += (noise * normal[0]) as f32;
                    value[1] += (noise * normal[1]) as f32;
                }
            }
        });
    }

    /// Precomputes the updates of all ages up to the oldest coefficient's. No age needs more, since no coefficient has had more
    /// updates than there were steps.
    fn prepare_updates(&mut self) {
        let oldest = self.ages.iter().copied().max().unwrap_or(0);
        self.updates = (1..=u64::from(oldest)).map(|age| Update::new(&self.optimiser, 1.0, age)).collect();
    }

    /// Applies weight decay to the visible coefficients.
    fn decay(&mut self, left: f32) {
        let disc = self.disc();
        let height = self.size.height as usize;
        let ground = self.ground;
        let columns = self.parameters.par_chunks_exact_mut(6 * height).enumerate().take(disc.columns());
        columns.for_each(|(kx, column)| {
            for (plane, ground) in column.chunks_exact_mut(2 * height).zip(ground) {
                let mean = (kx == 0).then(|| ground + left * (plane[0] - ground));
                for stretch in stretches(height, disc.rows(kx)) {
                    plane[2 * stretch.start..2 * stretch.end].iter_mut().for_each(|value| *value *= left);
                }
                if let Some(mean) = mean {
                    plane[0] = mean;
                }
            }
        });
    }

    /// Returns the shapes of the parameters and of their ages.
    fn shapes(&self) -> [Vec<usize>; 2] {
        let (columns, height) = (self.size.width as usize / 2 + 1, self.size.height as usize);
        [vec![columns, 3, height, 2], vec![columns, height]]
    }

    fn disc(&self) -> Disc {
        Disc::new(self.size, self.finest.map(|finest| HIDDEN * finest)).shown_at(self.shown)
    }

    /// Sets the gains of the visible coefficients.
    fn hold_back(&mut self, finest: Option<f64>) {
        if self.finest == finest {
            return;
        }
        self.finest = finest;
        // Covers every size that may be shown before the next change.
        let (size, disc) = (self.size, self.disc().shown_at(self.size));
        let rows = size.height as usize / 2 + 1;
        let (gain, amplitude) = (self.gain.par_chunks_exact_mut(rows), self.amplitude.par_chunks_exact(rows));
        gain.zip(amplitude).enumerate().take(disc.columns()).for_each(|(kx, (gain, amplitude))| {
            let Some(finest) = finest else { return gain.copy_from_slice(amplitude) };
            let inverse = 1.0 / (finest * finest);
            for (ky, (gain, amplitude)) in gain.iter_mut().zip(amplitude).enumerate().take(disc.rows(kx).0) {
                let ratio = (squared_frequency(size, kx, ky) * inverse) as f32;
                *gain = amplitude * exp(-ratio * ratio);
            }
        });
    }
}

/// Returns a(k), `[columns, H / 2 + 1]`.
fn amplitudes(size: Size, decay: f64) -> Vec<f32> {
    let reference = Size { width: REFERENCE as u32, height: REFERENCE as u32 };
    let fall = |size, kx, ky| squared_frequency(size, kx, ky).max(1.0).powf(-0.5 * decay);
    let mut sum = 0.0;
    for kx in 0..=REFERENCE / 2 {
        for ky in 0..REFERENCE {
            let value: f64 = fall(reference, kx, ky.min(REFERENCE - ky));
            sum += value * value;
        }
    }
    let mean = sum / (REFERENCE * (REFERENCE / 2 + 1)) as f64;
    let aspect = f64::from(size.shorter()) / f64::from(size.width.max(size.height));
    let scale = aspect.sqrt() / (mean.sqrt() * REFERENCE as f64);
    let rows = size.height as usize / 2 + 1;
    let mut amplitudes = vec![0.0; (size.width as usize / 2 + 1) * rows];
    amplitudes.par_chunks_exact_mut(rows).enumerate().for_each(|(kx, column)| {
        for (ky, amplitude) in column.iter_mut().enumerate() {
            *amplitude = (scale * fall(size, kx, ky)) as f32;
        }
    });
    amplitudes
}

/// Returns the two ranges of a column's H coefficients that are visible.
fn stretches(height: usize, (above, below): (usize, usize)) -> [std::ops::Range<usize>; 2] {
    [0..above, height - below..height]
}

impl Store for Fourier {
    fn decode(&mut self, finest: Option<f64>, _: &Spans) -> &[f32] {
        self.hold_back(finest);
        let disc = self.disc();
        let height = self.size.height as usize;
        let rows = height / 2 + 1;
        let (parameters, gain, colours) = (&self.parameters, &self.gain, &self.colours);
        let (turns, shown) = (&self.turns, self.shown.height as usize);
        let fill = |kx: usize, column: &mut [Complex32]| {
            let gain = &gain[kx * rows..(kx + 1) * rows];
            let [above, below] = stretches(height, disc.rows(kx));
            let parameters = parameters[kx * 6 * height..][..6 * height].as_chunks::<2>().0;
            if let Some(turns) = turns {
                let (above, below) = disc.rows(kx);
                for (to, from) in column.chunks_exact_mut(shown).zip(parameters.chunks_exact(height)) {
                    to.fill(Complex32::ZERO);
                    for ky in 0..above {
                        to[ky] = turns.at(kx, ky, false) * Complex32::new(from[ky][0], from[ky][1]) * gain[ky];
                    }
                    for ky in 1..=below {
                        let [re, im] = from[height - ky];
                        to[shown - ky] = turns.at(kx, ky, true) * Complex32::new(re, im) * gain[ky];
                    }
                }
                return;
            }
            for (to, from) in column.chunks_exact_mut(height).zip(parameters.chunks_exact(height)) {
                let times = |([re, im], gain): (&[f32; 2], &f32)| Complex32::new(re * gain, im * gain);
                to[above.end..below.start].fill(Complex32::ZERO);
                for (to, from) in to[above.clone()].iter_mut().zip(from[above.clone()].iter().zip(gain)) {
                    *to = times(from);
                }
                for (to, from) in
                    to[below.clone()].iter_mut().rev().zip(from[below.clone()].iter().rev().zip(&gain[1..]))
                {
                    *to = times(from);
                }
            }
        };
        self.planes.inverse(disc.columns(), fill, &mut self.picture, |rows| colours.paint(rows));
        &self.picture
    }

    fn backprop(&mut self, pixel_gradient: &[f32]) {
        assert_eq!(pixel_gradient.len(), self.picture.len(), "a gradient of another size");
        let disc = self.disc();
        let (width, height, area) = (self.shown.width as usize, self.size.height as usize, self.shown.area());
        let (turns, shown) = (&self.turns, self.shown.height as usize);
        let rows = height / 2 + 1;
        let (picture, gain, colours) = (&self.picture, &self.gain, &self.colours);
        let read = |y: usize, to: fft::RowsOfThree| {
            let rows = [0, 1, 2].map(|channel| channel * area + y * width..channel * area + (y + 1) * width);
            let pixels = rows.clone().map(|row| &picture[row]);
            let gradient = rows.map(|row| &pixel_gradient[row]);
            colours.adjoint(pixels, gradient, to);
        };
        let take = |kx: usize, column: &[Complex32], out: &mut [f32]| {
            let single = kx == 0 || 2 * kx == width;
            let twice = if single { 1.0 } else { 2.0 };
            let gain = &gain[kx * rows..(kx + 1) * rows];
            let [above, below] = stretches(height, disc.rows(kx));
            let out = out.as_chunks_mut::<2>().0;
            if let Some(turns) = turns {
                let (above, below) = disc.rows(kx);
                for (to, from) in out.chunks_exact_mut(height).zip(column.chunks_exact(shown)) {
                    for ky in 0..above {
                        let value = turns.at(kx, ky, false).conj() * from[ky] * (twice * gain[ky]);
                        to[ky] = [value.re, value.im];
                    }
                    for ky in 1..=below {
                        let value = turns.at(kx, ky, true).conj() * from[shown - ky] * (twice * gain[ky]);
                        to[height - ky] = [value.re, value.im];
                    }
                }
                return;
            }
            for (to, from) in out.chunks_exact_mut(height).zip(column.chunks_exact(height)) {
                let times = |(value, gain): (&Complex32, &f32)| [value.re * (twice * gain), value.im * (twice * gain)];
                for (to, from) in to[above.clone()].iter_mut().zip(from[above.clone()].iter().zip(gain)) {
                    *to = times(from);
                }
                for (to, from) in
                    to[below.clone()].iter_mut().rev().zip(from[below.clone()].iter().rev().zip(&gain[1..]))
                {
                    *to = times(from);
                }
            }
        };
        self.planes.forward(disc.columns(), read, &mut self.gradient, 6 * height, take);
    }

    fn step(&mut self, rate: f64) {
        // Ages are incremented before the lookup, so the oldest is one more than the steps so far.
        if self.updates.len() < usize::from(u16::MAX) {
            self.updates.push(Update::new(&self.optimiser, 1.0, self.updates.len() as u64 + 1));
        }
        let disc = self.disc();
        let height = self.size.height as usize;
        if let Some(left) = optimiser::decayed(&self.optimiser, rate) {
            self.decay(left);
        }
        let updates = &self.updates;
        let Moments { mean, square } = &mut self.moments;
        let stride = 6 * height;
        self.parameters
            .par_chunks_exact_mut(stride)
            .zip(self.gradient.par_chunks_exact(stride))
            .zip(mean.par_chunks_exact_mut(stride).zip(square.par_chunks_exact_mut(stride)))
            .zip(self.ages.par_chunks_exact_mut(height))
            .enumerate()
            .take(disc.columns())
            .for_each(|(kx, (((parameters, gradient), (mean, square)), ages))| {
                for stretch in stretches(height, disc.rows(kx)) {
                    for age in &mut ages[stretch.clone()] {
                        *age = age.saturating_add(1).min(updates.len() as u16);
                    }
                    let mut start = stretch.start;
                    for run in ages[stretch].chunk_by(|a, b| a == b) {
                        let update = updates[usize::from(run[0]) - 1].times(rate);
                        for channel in 0..3 {
                            let first = 2 * (channel * height + start);
                            let at = first..first + 2 * run.len();
                            update.apply(
                                &mut parameters[at.clone()],
                                &gradient[at.clone()],
                                &mut mean[at.clone()],
                                &mut square[at],
                            );
                        }
                        start += run.len();
                    }
                }
            });
    }

    fn follow(&mut self, optimiser: Optimiser, fresh: bool) {
        self.optimiser = optimiser;
        if fresh {
            self.moments.clear();
            self.ages.fill(0);
        }
        self.prepare_updates();
    }

    fn gradient_squares(&self) -> (f64, usize) {
        let disc = self.disc();
        let height = self.size.height as usize;
        let columns = self.gradient.par_chunks_exact(6 * height).enumerate().take(disc.columns());
        let parts: Vec<(f64, usize)> = columns
            .map(|(kx, column)| {
                let (mut sum, mut count) = (0.0, 0);
                for plane in column.chunks_exact(2 * height) {
                    for stretch in stretches(height, disc.rows(kx)) {
                        let values = &plane[2 * stretch.start..2 * stretch.end];
                        sum += values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>();
                        count += values.len();
                    }
                }
                (sum, count)
            })
            .collect();
        parts.into_iter().fold((0.0, 0), |(sum, count), part| (sum + part.0, count + part.1))
    }

    fn scale_gradient(&mut self, factor: f32) {
        // Hidden coefficients are overwritten before they are used again.
        let columns = self.disc().columns();
        optimiser::scale(&mut self.gradient[..columns * 6 * self.size.height as usize], factor);
    }

    fn shown(&self) -> Size {
        self.shown
    }

    fn resize(&mut self, size: Size) {
        self.shown = size;
        self.planes = Planes::new(size);
        self.turns = (size != self.size).then(|| Turns::new(self.size, size));
        self.picture = vec![0.0; 3 * size.area()];
    }

    fn whole(&mut self, finest: Option<f64>) -> Vec<f32> {
        let shown = self.shown;
        self.resize(self.size);
        self.decode(finest, &whole_of(self.shown()));
        let picture = std::mem::take(&mut self.picture);
        self.resize(shown);
        picture
    }

    fn basis(&self) -> &'static str {
        BasisKind::Fourier.name()
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let [shape, ages] = self.shapes();
        vec![
            Tensor::f32("parameters", &shape, &self.parameters),
            Tensor::f32("mean", &shape, &self.moments.mean),
            Tensor::f32("square", &shape, &self.moments.square),
            Tensor::u16("ages", &ages, &self.ages),
        ]
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let [shape, ages] = self.shapes();
        let Moments { mean, square } = &mut self.moments;
        state.fill(vec![
            ("parameters".into(), shape.clone(), Slot::F32(&mut self.parameters)),
            ("mean".into(), shape.clone(), Slot::F32(mean)),
            ("square".into(), shape, Slot::F32(square)),
            ("ages".into(), ages, Slot::U16(&mut self.ages)),
        ])?;
        self.prepare_updates();
        Ok(())
    }

    #[cfg(test)]
    fn parameters(&mut self) -> Vec<(&mut [f32], &[f32])> {
        vec![(&mut self.parameters, &self.gradient)]
    }
}
