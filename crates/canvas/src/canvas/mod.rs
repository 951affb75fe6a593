//! The trainable picture: parameters in a basis, decoded to pixels, moved by gradients.
//!
//! ```text
//! parameters ─decode▶ pixels [3, H, W] ─▶ (gather, encoder, scatter) ─▶ pixel gradient ─backprop▶ parameter gradient ─step▶ parameters
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `pixels` | the pixels themselves |
//! | `pyramid` | a sum of upsampled levels |
//! | `fourier` | a spectrum falling as 1/f^decay |
//! | `colour` | decorrelated colour axes and the sigmoid |
//! | `optimiser` | how parameters follow their gradient |
//! | `fft` | two-dimensional transforms of three planes |
//! | `spline` | upsampling by cubic splines, and its adjoint |
//! | `shrink` | means over larger pixels |
//! | `lag` | updates that parts of the pixels have still to follow |
//! | `init` | what a canvas starts from |
//! | `state` | the state of a canvas between two steps |
//!
//! A canvas can be optimised at a smaller size than its own ([`Canvas::resize`]): windows then see a smaller picture, and only
//! the parameters that such a picture shows are moved. `fourier` leaves out the frequencies beyond it, `pyramid` the finer
//! levels; both keep them for later. `pixels` has no other parameters than the pixels, so these are resampled, together with
//! the optimiser's memory.

mod colour;
mod fft;
mod fourier;
mod init;
mod lag;
mod memory;
mod optimiser;
mod pixels;
mod pyramid;
mod shrink;
mod spline;
mod state;

#[cfg(test)]
mod tests;

use crate::chance::Draws;
use crate::picture::Picture;
use crate::plan::{self, Basis, Optimiser, Size};
use crate::spans::{Rect, Spans, TILE};

pub use init::CanvasError;
use state::Slot;
pub use state::{State, StateError, Tensor, Values};

/// The shortest and longest side of a canvas in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=65536;

/// The height of [`Canvas::bands`]: whole tiles, and few enough rows to be little memory.
const BAND: usize = 2 * TILE;

/// A picture stored in a basis, with its optimiser.
pub struct Canvas {
    store: Box<dyn Store + Send>,
    optimiser: Optimiser,
    /// The full size.
    size: Size,
}

/// A basis with its parameters and their optimiser.
trait Store {
    /// Whether a part of the picture can be had for less than the whole.
    fn in_parts(&self, _finest: Option<f64>) -> bool {
        false
    }
    /// Returns a part of the picture, `[3, A]`. `finest`: see [`Canvas::decode`].
    fn decode(&mut self, finest: Option<f64>, part: &Spans) -> &[f32];
    /// Computes and stores the parameter gradient for the pixel gradient `[3, A]` of the part last decoded; elsewhere that is 0.
    fn backprop(&mut self, pixel_gradient: &[f32]);
    /// Does what has been put off for parts that nobody looked at.
    fn settle(&mut self) {}
    /// Updates the parameters from the stored gradient.
    fn step(&mut self, rate: f64);
    /// Switches to another optimiser. Its memory is kept, or cleared if `fresh`.
    fn follow(&mut self, optimiser: Optimiser, fresh: bool);
    /// Returns the sum of squares of the stored gradient and the number of its parameters, counting only those that will be
    /// moved.
    fn gradient_squares(&self) -> (f64, usize);
    /// Multiplies the stored gradient.
    fn scale_gradient(&mut self, factor: f32);
    /// Returns the size of the decoded picture.
    fn shown(&self) -> Size;
    /// Switches to optimising at another size, at most the full one. May choose a slightly larger size.
    fn resize(&mut self, size: Size);
    /// Returns the picture at the full size. Everything else is unchanged, but [`Store::decode`] has to be called again before
    /// `backprop`.
    fn whole(&mut self, finest: Option<f64>) -> Vec<f32>;
    /// Returns the basis's name.
    fn basis(&self) -> &'static str;
    /// Returns the parameters and the optimiser's memory.
    fn tensors(&self) -> Vec<Tensor<'_>>;
    /// Restores what [`Store::tensors`] returned, for this store or another of the same plan.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
    /// Returns the parameters and their gradient, group by group.
    #[cfg(test)]
    fn parameters(&mut self) -> Vec<(&mut [f32], &[f32])>;
}

impl Canvas {
    /// Creates a canvas.
    ///
    /// # Errors
    /// If the sides are not 16 to 65536, if it would not fit in memory, or if the start picture cannot be read.
    pub fn new(plan: &plan::Canvas, size: Size, seed: u64) -> Result<Canvas, CanvasError> {
        check(plan, size)?;
        let ground = init::Ground::load(&plan.init.ground, size)?;
        Ok(Canvas::on(plan, size, seed, &ground, plan.init.noise))
    }

    /// Creates a canvas of the plan's basis that shows a picture instead of the plan's start. A picture of another size is
    /// scaled to cover it and cropped at its centre.
    ///
    /// # Errors
    /// As [`Canvas::new`].
    pub fn showing(plan: &plan::Canvas, size: Size, seed: u64, picture: &Picture) -> Result<Canvas, CanvasError> {
        check(plan, size)?;
        Ok(Canvas::on(plan, size, seed, &init::Ground::of(picture, size), 0.0))
    }

    fn on(plan: &plan::Canvas, size: Size, seed: u64, ground: &init::Ground, noise: f64) -> Canvas {
        let draws = Draws::new(seed).at(crate::chance::key_of("canvas"));
        let store: Box<dyn Store + Send> = match plan.basis {
            Basis::Pixels => Box::new(pixels::Pixels::new(size, ground, noise, draws)),
            Basis::Pyramid { coarsest } => Box::new(pyramid::Pyramid::new(size, coarsest, ground, noise, draws)),
            Basis::Fourier { decay, chroma } => {
                Box::new(fourier::Fourier::new(size, decay, chroma, ground, noise, draws))
            }
        };
        Canvas { store, optimiser: Optimiser::ADAM, size }
    }

    /// Switches to another optimiser from the next step on. Its memory is kept if it is of the same kind (`adam` and `adamw`
    /// count as one), whatever its constants; otherwise it starts empty.
    pub fn follow(&mut self, optimiser: &Optimiser) {
        if *optimiser != self.optimiser {
            let fresh = optimiser::kind(optimiser) != optimiser::kind(&self.optimiser);
            self.store.follow(*optimiser, fresh);
            self.optimiser = *optimiser;
        }
    }

    /// Returns the size of the picture that [`Canvas::decode`] gives.
    pub fn size(&self) -> Size {
        self.store.shown()
    }

    /// Switches to optimising the canvas at a smaller size, or at its full size again. If the size is smaller than the basis
    /// supports, the smallest supported size is used, see [`Canvas::size`]. Parameters and the optimiser's memory are carried
    /// over.
    ///
    /// # Panics
    /// If the size is larger than the canvas's.
    pub fn resize(&mut self, size: Size) {
        assert!(size.width <= self.size.width && size.height <= self.size.height, "larger than the canvas");
        if size != self.store.shown() {
            self.store.resize(size);
        }
    }

    /// Returns the picture at the canvas's full size `[3, H, W]`, 0..1 sRGB, whatever size is being optimised. `finest`: see
    /// [`Canvas::decode`], which has to be called before the next [`Canvas::backprop`].
    pub fn picture(&mut self, finest: Option<f64>) -> Vec<f32> {
        if self.store.shown() == self.size {
            return self.decode(finest).to_vec();
        }
        self.store.whole(bounded(finest))
    }

    /// Gives the picture at the canvas's full size to `each`, band by band of whole rows from top to bottom: `[3, rows, W]`, 0..1 sRGB, the
    /// values of [`Canvas::picture`]. Where parts of the canvas can be had, this takes no memory of its size. [`Canvas::decode`] has to be
    /// called before the next [`Canvas::backprop`].
    ///
    /// # Errors
    /// The first of `each`.
    pub fn bands<E>(&mut self, finest: Option<f64>, mut each: impl FnMut(&[f32]) -> Result<(), E>) -> Result<(), E> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let mut bands = (0..height)
            .step_by(BAND)
            .map(|y| Spans::of(width, height, [Rect { columns: 0..width, rows: y..(y + BAND).min(height) }]));
        if self.store.shown() == self.size && self.in_parts(finest) {
            return bands.try_for_each(|band| each(self.store.decode(bounded(finest), &band)));
        }
        let (picture, mut rows) = (self.picture(finest), Vec::new());
        bands.try_for_each(|band| {
            band.cut(&picture, &mut rows);
            each(&rows)
        })
    }

    /// Returns the picture `[3, H, W]`, 0..1 sRGB, at the optimised size.
    ///
    /// `finest` is a low-pass in cycles per shorter canvas side: detail at this frequency is attenuated to 1/e, finer detail
    /// soon vanishes; `None` shows everything. `fourier` attenuates its coefficients by exp(-(k / finest)^4), `pixels` by
    /// exp(-(k / finest)^2), whose kernel is positive and so never leaves the range of values, and `pyramid` whole levels by
    /// exp(-(k / finest)^4), k a quarter of a level's shorter side.
    pub fn decode(&mut self, finest: Option<f64>) -> &[f32] {
        let whole = whole_of(self.store.shown());
        self.store.decode(bounded(finest), &whole)
    }

    /// Whether [`Canvas::decode_part`] costs less for a part of the picture than for the whole.
    pub fn in_parts(&self, finest: Option<f64>) -> bool {
        self.store.in_parts(bounded(finest))
    }

    /// As [`Canvas::decode`], but returns only a part of the picture, `[3, A]` (see [`Spans`]), and so has to be the gradient that is
    /// backpropagated next; elsewhere it counts as 0. The canvas becomes the same, to the bit, as if the whole had been decoded. The part must be the
    /// whole where [`Canvas::in_parts`] says so, and consist of whole tiles, see [`TILE`](crate::spans::TILE).
    pub fn decode_part(&mut self, finest: Option<f64>, part: &Spans) -> &[f32] {
        self.store.decode(bounded(finest), part)
    }

    /// Backpropagates the gradient at the pixels last decoded, of their shape, to the parameters, and stores the result.
    ///
    /// # Panics
    /// If the gradient has another length.
    pub fn backprop(&mut self, pixel_gradient: &[f32]) {
        self.store.backprop(pixel_gradient);
    }

    /// Returns the norm (the root of the sum of squares) that the parameter gradient would have if this were the gradient at
    /// the pixels last decoded. Parameters hidden by `finest` and the size do not count. Overwrites the stored gradient.
    ///
    /// # Panics
    /// As [`Canvas::backprop`].
    pub fn gradient_norm(&mut self, pixel_gradient: &[f32]) -> f64 {
        self.store.backprop(pixel_gradient);
        self.store.gradient_squares().0.sqrt()
    }

    /// Divides the stored gradient by its root mean square over the parameters that are moved; a zero gradient stays zero.
    pub fn normalise_gradient(&mut self) {
        let (sum, count) = self.store.gradient_squares();
        self.scale_gradient((count as f64 / sum).sqrt());
    }

    /// Scales the stored gradient down to a norm (the root of its sum of squares) if it exceeds that norm.
    pub fn clip_gradient(&mut self, norm: f64) {
        let (sum, _) = self.store.gradient_squares();
        if sum.sqrt() > norm {
            self.scale_gradient(norm / sum.sqrt());
        }
    }

    fn scale_gradient(&mut self, factor: f64) {
        let factor = factor as f32;
        if factor.is_finite() && factor != 1.0 {
            self.store.scale_gradient(factor);
        }
    }

    /// Performs one optimiser update with the stored gradient. `rate` is about how far a parameter moves.
    pub fn step(&mut self, rate: f64) {
        self.store.step(rate);
    }

    /// Borrows everything that the next steps depend on.
    pub fn state(&mut self) -> State<'_> {
        self.store.settle();
        let optimiser = optimiser::kind(&self.optimiser).into();
        State { basis: self.store.basis().into(), optimiser, tensors: self.store.tensors() }
    }

    /// Restores a state of a canvas of the same plan and size. Every later picture and step is then the same as there, bit for
    /// bit.
    ///
    /// # Errors
    /// If the state is of another basis or canvas, or incomplete. The canvas is unusable after that.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let expected = self.store.basis();
        if state.basis != expected {
            return Err(StateError::Basis { expected: expected.into(), found: state.basis.to_string() });
        }
        let Some(optimiser) = optimiser::of_kind(&state.optimiser) else {
            return Err(StateError::Optimiser(state.optimiser.to_string()));
        };
        // Any optimiser of the same kind: the actual one is set before the next step.
        self.follow(&optimiser);
        self.store.restore(state)
    }

    /// Returns the memory in bytes that a render of this size takes for the canvas and for sampling it; the encoder comes on
    /// top.
    pub fn memory_needed(plan: &plan::Canvas, size: Size) -> u64 {
        let area = u64::from(size.width) * u64::from(size.height);
        let canvas = match plan.basis {
            Basis::Pixels => pixels::memory_needed(size),
            Basis::Pyramid { .. } => pyramid::memory_needed(size),
            Basis::Fourier { .. } => fourier::memory_needed(size),
        };
        // The start picture is only in memory while the canvas is created, before any window is gathered.
        let start = if matches!(plan.init.ground, plan::Ground::Image(_)) { 24 * area } else { 0 };
        canvas + start.max(crate::sampling::memory_needed(size))
    }
}

/// Checks that a canvas of this size can be created.
fn check(plan: &plan::Canvas, size: Size) -> Result<(), CanvasError> {
    if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
        return Err(CanvasError::Sides { width: size.width, height: size.height });
    }
    memory::check(Canvas::memory_needed(plan, size), size)
}

/// The whole of a picture.
fn whole_of(size: Size) -> Spans {
    Spans::whole(size.width as usize, size.height as usize)
}

/// Limits a low-pass to values that can be computed with.
fn bounded(finest: Option<f64>) -> Option<f64> {
    finest.filter(|finest| finest.is_finite()).map(|finest| finest.max(1e-3))
}
