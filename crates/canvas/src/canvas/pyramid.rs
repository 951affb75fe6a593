//! The basis `pyramid`: a sum of upsampled levels, decorrelated colours, a sigmoid.
//!
//! Levels go from the coarsest to the full size, each about twice the size of the previous one. The sum is built from coarse to
//! fine: sum = upsample(sum) + weight own, upsampled by cubic B-splines. A level's weight is (coarsest / own side)^(1/2), which
//! makes the octaves of a random pyramid fall like those of `fourier` with its decay of 1.5.

use super::colour::Colours;
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

/// The chromatic axes relative to luminance: with less than natural chroma, pictures are less garish.
const CHROMA: f64 = 0.6;
/// The finest detail of a level, in cycles per pixel of its shorter side.
const CYCLES_PER_PIXEL: f64 = 0.25;
/// Pixels that one thread paints at a time.
const STRETCH: usize = 1 << 12;
/// A level whose low-pass factor is not above this is left alone.
const HIDDEN: f64 = 1e-7;

/// One level: parameters and moments are `[3, height, width]`, what a step works on `[3, A]` of the part that was last decoded.
struct Level {
    width: usize,
    height: usize,
    weight: f64,
    /// The weight times the low-pass factor; 0 for a hidden level.
    gain: f32,
    parameters: Vec<f32>,
    /// Elsewhere it is 0.
    gradient: Vec<f32>,
    moments: Moments,
    lags: Lags,
    /// The part that was last decoded.
    part: Spans,
    /// The target of weight decay, per axis.
    ground: [f32; 3],
    /// The sum of this level and all coarser ones; the finest level's becomes the picture.
    sum: Vec<f32>,
    /// Upsampling from the next coarser level.
    upsample: Option<Upsample>,
}

/// Levels from coarse to fine.
pub(super) struct Pyramid {
    levels: Vec<Level>,
    /// The number of updates of each level so far.
    ages: Vec<u64>,
    colours: Colours,
    optimiser: Optimiser,
    /// The last level that is shown: at a smaller optimised size, the finer ones are hidden.
    last: usize,
    /// The final upsampling, if that level does not have the optimised size.
    frame: Option<Frame>,
}

/// The picture at a size that no level has.
struct Frame {
    size: Size,
    upsample: Upsample,
    /// `[3, height, width]`.
    sum: Vec<f32>,
    gradient: Vec<f32>,
}

/// Returns the memory of the canvas in bytes.
pub(super) fn memory_needed(size: Size) -> u64 {
    // Five planes per level and half a level of scratch. All levels together are a third larger than the finest, or half as
    // large again where ratios are not quite 2.
    let area = u64::from(size.width) * u64::from(size.height);
    (5 * 12 + 6) * area * 3 / 2
}

/// Returns the sides of all levels, from coarse to fine.
fn sides(size: Size, coarsest: u32) -> Vec<(usize, usize)> {
    let shorter = f64::from(size.shorter());
    let coarsest = f64::from(coarsest.max(1)).min(shorter);
    let doublings = (shorter / coarsest).log2().round();
    let at = |side: u32, level: f64| {
        let ratio = if doublings > 0.0 { (coarsest / shorter).powf(1.0 - level / doublings) } else { 1.0 };
        ((f64::from(side) * ratio).round() as usize).max(1)
    };
    (0..=doublings as u32).map(|level| (at(size.width, level.into()), at(size.height, level.into()))).collect()
}

impl Pyramid {
    pub fn new(size: Size, coarsest: u32, ground: &Ground, noise: f64, draws: Draws) -> Pyramid {
        let mut levels: Vec<Level> = Vec::new();
        let sides = sides(size, coarsest);
        let shorter_of = |(width, height): (usize, usize)| width.min(height) as f64;
        for &(width, height) in &sides {
            let count = 3 * width * height;
            levels.push(Level {
                width,
                height,
                weight: (shorter_of(sides[0]) / shorter_of((width, height))).sqrt(),
                gain: 0.0,
                parameters: vec![0.0; count],
                gradient: Vec::new(),
                moments: Moments::new(count),
                lags: Lags::new(width, height, false),
                part: Spans::whole(width, height),
                ground: [0.0; 3],
                sum: Vec::new(),
                upsample: levels.last().map(|last| Upsample::new((last.width, last.height), (width, height))),
            });
        }
        let colours = Colours::new(CHROMA);
        let ages = vec![0; levels.len()];
        let last = levels.len() - 1;
        let mut pyramid = Pyramid { levels, ages, colours, optimiser: Optimiser::ADAM, last, frame: None };
        pyramid.start(ground, size);
        // The coarsest level decays to its mean, the others to 0.
        let coarsest = &mut pyramid.levels[0];
        let planes = coarsest.parameters.chunks_exact(coarsest.width * coarsest.height);
        for (axis, plane) in coarsest.ground.iter_mut().zip(planes) {
            let sum: f64 = plane.iter().map(|value| f64::from(*value)).sum();
            *axis = (sum / plane.len() as f64) as f32;
        }
        for (index, level) in pyramid.levels.iter_mut().enumerate() {
            let draws = draws.at(index as u64);
            level.parameters.par_chunks_mut(2).enumerate().for_each(|(pair, values)| {
                for (value, normal) in values.iter_mut().zip(draws.normal_pair(pair as u64)) {
                    *value += (noise * normal) as f32;
                }
            });
        }
        pyramid
    }

    /// Chooses the part of every level that a part of the shown picture is made of.
    fn take_part(&mut self, part: &Spans) {
        let last = self.last;
        if self.frame.is_some() {
            self.levels.iter_mut().for_each(|level| level.part = level.whole());
            return;
        }
        self.levels[last].part = part.clone();
        for index in (1..=last).rev() {
            let (coarser, here) = self.levels.split_at_mut(index);
            let (coarser, level) = (&mut coarser[index - 1], &here[0]);
            let Some(upsample) = &level.upsample else { continue };
            let rects = level.part.rects().map(|rect| upsample.coarse_of(rect));
            coarser.part = Spans::of_tiles(coarser.width, coarser.height, rects);
        }
    }

    /// Sets the parameters so that the picture is the ground: each level holds what the coarser ones leave.
    fn start(&mut self, ground: &Ground, size: Size) {
        let colours = self.colours;
        if let Ground::Colour(colour) = ground {
            let level = &mut self.levels[0];
            let area = level.width * level.height;
            for (plane, value) in level.parameters.chunks_exact_mut(area).zip(colours.axes_of(*colour)) {
                plane.fill(value);
            }
            return;
        }
        let full = ground.planes(size, |pixel| colours.axes_of(pixel));
        let size = (size.width as usize, size.height as usize);
        for index in 0..self.levels.len() {
            let (coarser, here) = self.levels.split_at_mut(index);
            let level = &mut here[0];
            let goal = shrink(&full, size, (level.width, level.height));
            level.sum = vec![0.0; level.parameters.len()];
            if let (Some(coarser), Some(upsample)) = (coarser.last_mut(), &mut level.upsample) {
                let (own, fine) = (&level.parameters, (level.sum.as_mut_slice(), &level.part));
                upsample.forward((&coarser.sum, &coarser.part), own, 0.0, fine);
                coarser.sum = Vec::new();
            }
            let inverse = (1.0 / level.weight) as f32;
            for (parameter, (goal, sum)) in level.parameters.iter_mut().zip(goal.iter().zip(&mut level.sum)) {
                *parameter = (goal - *sum) * inverse;
                *sum = *goal;
            }
        }
    }
}

impl Level {
    fn whole(&self) -> Spans {
        Spans::whole(self.width, self.height)
    }

    /// Brings a part up to date.
    fn catch_up(&mut self, part: &Spans) {
        let Level { parameters, moments, ground, .. } = self;
        self.lags.catch_up(part, Moved { parameters, moments, ground: *ground, projected: false });
    }
}

/// Returns stretches of three planes of one size, `[3, A]`, that begin at multiples of [`STRETCH`].
fn stretches(planes: &mut [f32]) -> impl IndexedParallelIterator<Item = [&mut [f32]; 3]> {
    let area = planes.len() / 3;
    let (red, rest) = planes.split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    let rows = red.par_chunks_mut(STRETCH).zip(green.par_chunks_mut(STRETCH));
    rows.zip(blue.par_chunks_mut(STRETCH)).map(|((red, green), blue)| [red, green, blue])
}

impl Store for Pyramid {
    fn in_parts(&self, _finest: Option<f64>) -> bool {
        self.frame.is_none()
    }

    fn decode(&mut self, finest: Option<f64>, part: &Spans) -> &[f32] {
        self.take_part(part);
        for index in 0..self.levels.len() {
            let (coarser, here) = self.levels.split_at_mut(index);
            let level = &mut here[0];
            let cycles = CYCLES_PER_PIXEL * level.width.min(level.height) as f64;
            let held = match finest {
                // The coarsest level is always shown, whatever the low-pass.
                Some(finest) if index > 0 => (-(cycles / finest).powi(4)).exp(),
                _ => 1.0,
            };
            level.gain = if held > HIDDEN && index <= self.last { (level.weight * held) as f32 } else { 0.0 };
            if index > self.last {
                continue;
            }
            level.catch_up(&level.part.clone());
            let Level { sum, parameters, gain, part, .. } = level;
            fit(sum, 3 * part.area());
            match (coarser.last(), &mut level.upsample) {
                (Some(coarser), Some(upsample)) => {
                    upsample.forward((&coarser.sum, &coarser.part), parameters, *gain, (sum, part));
                }
                _ => {
                    part.cut(parameters, sum);
                    optimiser::scale(sum, *gain);
                }
            }
        }
        let colours = self.colours;
        let level = &mut self.levels[self.last];
        let sum = match &mut self.frame {
            Some(frame) => {
                frame.upsample.spread(&level.sum, &mut frame.sum);
                &mut frame.sum
            }
            None => &mut level.sum,
        };
        stretches(sum).for_each(|rows| colours.paint(rows));
        sum
    }

    fn backprop(&mut self, pixel_gradient: &[f32]) {
        let (last, colours, whole) = (self.last, self.colours, whole_of(self.shown()));
        for level in &mut self.levels[..=last] {
            fit(&mut level.gradient, 3 * level.part.area());
        }
        let level = &mut self.levels[last];
        let (picture, gradient) = match &mut self.frame {
            Some(frame) => (&frame.sum, &mut frame.gradient),
            None => (&level.sum, &mut level.gradient),
        };
        assert_eq!(pixel_gradient.len(), picture.len(), "a gradient of another size");
        let area = picture.len() / 3;
        stretches(gradient).enumerate().for_each(|(index, axes)| {
            let rows = [0, 1, 2].map(|channel| {
                let start = channel * area + index * STRETCH;
                start..start + axes[0].len()
            });
            let pixels = rows.clone().map(|row| &picture[row]);
            colours.adjoint(pixels, rows.map(|row| &pixel_gradient[row]), axes);
        });
        if let Some(frame) = &mut self.frame {
            frame.upsample.adjoint((&frame.gradient, &whole), (&mut level.gradient, &level.part));
        }
        for index in (1..=last).rev() {
            let (coarser, here) = self.levels.split_at_mut(index);
            let (coarser, level) = (&mut coarser[index - 1], &mut here[0]);
            if let Some(upsample) = &mut level.upsample {
                upsample.adjoint((&level.gradient, &level.part), (&mut coarser.gradient, &coarser.part));
            }
        }
        for level in &mut self.levels[..=last] {
            optimiser::scale(&mut level.gradient, level.gain);
        }
    }

    fn step(&mut self, rate: f64) {
        let left = optimiser::decayed(&self.optimiser, rate);
        for (level, age) in self.levels.iter_mut().zip(&mut self.ages).filter(|(level, _)| level.gain != 0.0) {
            *age += 1;
            let past = Past { update: Update::new(&self.optimiser, rate, *age), left };
            let Level { parameters, moments, ground, gradient, part, .. } = level;
            let moved = Moved { parameters, moments, ground: *ground, projected: false };
            level.lags.follow(past, part, gradient, moved);
        }
    }

    fn settle(&mut self) {
        for level in &mut self.levels {
            level.catch_up(&level.whole());
        }
    }

    fn follow(&mut self, optimiser: Optimiser, fresh: bool) {
        self.settle();
        self.optimiser = optimiser;
        if fresh {
            for level in &mut self.levels {
                level.moments.clear();
                level.lags = Lags::new(level.width, level.height, false);
            }
            self.ages.fill(0);
        }
    }

    fn gradient_squares(&self) -> (f64, usize) {
        let moved = self.levels.iter().filter(|level| level.gain != 0.0);
        moved.fold((0.0, 0), |(sum, count), level| {
            (sum + optimiser::sum_of_squares(&level.part, &level.gradient), count + level.parameters.len())
        })
    }

    fn scale_gradient(&mut self, factor: f32) {
        let moved = self.levels.iter_mut().filter(|level| level.gain != 0.0);
        moved.for_each(|level| optimiser::scale(&mut level.gradient, factor));
    }

    fn shown(&self) -> Size {
        let level = &self.levels[self.last];
        let own = Size { width: level.width as u32, height: level.height as u32 };
        self.frame.as_ref().map_or(own, |frame| frame.size)
    }

    fn resize(&mut self, size: Size) {
        self.settle();
        // The coarsest level is always shown whole.
        let (width, height) =
            (self.levels[0].width.max(size.width as usize), self.levels[0].height.max(size.height as usize));
        let fits = |level: &Level| level.width <= width && level.height <= height;
        self.last = self.levels.iter().rposition(fits).unwrap_or(0);
        let level = &self.levels[self.last];
        self.frame = ((level.width, level.height) != (width, height)).then(|| Frame {
            size: Size { width: width as u32, height: height as u32 },
            upsample: Upsample::new((level.width, level.height), (width, height)),
            sum: vec![0.0; 3 * width * height],
            gradient: vec![0.0; 3 * width * height],
        });
    }

    fn whole(&mut self, finest: Option<f64>) -> Vec<f32> {
        let (last, frame) = (self.last, self.frame.take());
        self.last = self.levels.len() - 1;
        let picture = self.decode(finest, &whole_of(self.shown())).to_vec();
        (self.last, self.frame) = (last, frame);
        picture
    }

    fn basis(&self) -> &'static str {
        BasisKind::Pyramid.name()
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let mut tensors = Vec::new();
        for (index, level) in self.levels.iter().enumerate() {
            let shape = [3, level.height, level.width];
            tensors.push(Tensor::f32(format!("levels.{index}.parameters"), &shape, &level.parameters));
            tensors.push(Tensor::f32(format!("levels.{index}.mean"), &shape, &level.moments.mean));
            tensors.push(Tensor::f32(format!("levels.{index}.square"), &shape, &level.moments.square));
        }
        tensors.push(Tensor::u64("ages", &self.ages));
        tensors
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let mut slots = Vec::new();
        for (index, level) in self.levels.iter_mut().enumerate() {
            level.lags = Lags::new(level.width, level.height, true);
            let shape = vec![3, level.height, level.width];
            let Moments { mean, square } = &mut level.moments;
            slots.push((format!("levels.{index}.parameters"), shape.clone(), Slot::F32(&mut level.parameters)));
            slots.push((format!("levels.{index}.mean"), shape.clone(), Slot::F32(mean)));
            slots.push((format!("levels.{index}.square"), shape, Slot::F32(square)));
        }
        slots.push(("ages".into(), vec![self.ages.len()], Slot::U64(&mut self.ages)));
        state.fill(slots)
    }

    #[cfg(test)]
    fn parameters(&mut self) -> Vec<(&mut [f32], &[f32])> {
        self.levels.iter_mut().map(|level| (level.parameters.as_mut_slice(), level.gradient.as_slice())).collect()
    }
}
