//! The trainable picture: parameters in a basis, decoded to pixels, moved by gradients.
//!
//! ```text
//! parameters ─decode▶ pixels [3, H, W] ─▶ (look, encoder, push) ─▶ pixel gradient ─backprop▶ parameter gradient ─step▶ parameters
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
//! | `init` | what a canvas starts from |
//! | `state` | what a canvas is between two steps |
//!
//! A canvas can be optimised at a smaller size than it has ([`Canvas::resize`]): windows then see a smaller picture, and only
//! the parameters that such a picture shows are moved. `fourier` leaves out the frequencies beyond it, `pyramid` the finer
//! levels; both keep them for later. `pixels` has no parameters but the pixels, which are sampled anew, and the optimiser's
//! memory with them.

mod colour;
mod fft;
mod fourier;
mod init;
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

pub use init::CanvasError;
use state::Slot;
pub use state::{State, StateError, Tensor, Values};

/// Shortest and longest side of a canvas in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=65536;

/// A picture stored in a basis, with its optimiser.
pub struct Canvas {
    store: Box<dyn Store + Send>,
    optimiser: Optimiser,
    /// The whole size.
    size: Size,
}

/// A basis with its parameters and their optimiser.
trait Store {
    /// The picture `[3, H, W]`. `finest`: see [`Canvas::decode`].
    fn decode(&mut self, finest: Option<f64>) -> &[f32];
    /// Keeps the parameter gradient at the point last decoded.
    fn backprop(&mut self, pixel_gradient: &[f32]);
    /// Moves the parameters along the gradient last kept.
    fn step(&mut self, rate: f64);
    /// Takes another optimiser, whose memory is the one that is there or begins empty.
    fn follow(&mut self, optimiser: Optimiser, fresh: bool);
    /// The sum of squares of the gradient last kept, and of how many parameters: those that will be moved.
    fn gradient_squares(&self) -> (f64, usize);
    /// Multiplies the gradient last kept.
    fn scale_gradient(&mut self, factor: f32);
    /// The size of the picture that is decoded.
    fn shown(&self) -> Size;
    /// Optimises at another size from now on, at most the whole one. It may choose a size somewhat larger.
    fn resize(&mut self, size: Size);
    /// The picture at the whole size, which leaves everything as it is until the next [`Store::decode`].
    fn whole(&mut self, finest: Option<f64>) -> Vec<f32>;
    /// The basis's name.
    fn basis(&self) -> &'static str;
    /// Parameters and the optimiser's memory.
    fn tensors(&self) -> Vec<Tensor<'_>>;
    /// Takes over what [`Store::tensors`] gave, of this store or another of the same plan.
    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError>;
    /// The parameters and their gradient, group by group.
    #[cfg(test)]
    fn parameters(&mut self) -> Vec<(&mut [f32], &[f32])>;
}

impl Canvas {
    /// A canvas at its start.
    ///
    /// # Errors
    /// Where the sides are not 16 to 65536, it would not fit in memory, or the picture to start from cannot be read.
    pub fn new(plan: &plan::Canvas, size: Size, seed: u64) -> Result<Canvas, CanvasError> {
        check(plan, size)?;
        let ground = init::Ground::load(&plan.init.ground, size)?;
        Ok(Canvas::on(plan, size, seed, &ground, plan.init.noise))
    }

    /// A canvas of the plan's basis that shows a picture, in place of the plan's start. A picture of another size is scaled to
    /// cover it and cropped at its centre.
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

    /// Takes another optimiser from the next step on. Its memory is carried over where it is of the same kind (`adam` and
    /// `adamw` are one), whatever its constants; where it is not, it begins anew.
    pub fn follow(&mut self, optimiser: &Optimiser) {
        if *optimiser != self.optimiser {
            let fresh = optimiser::kind(optimiser) != optimiser::kind(&self.optimiser);
            self.store.follow(*optimiser, fresh);
            self.optimiser = *optimiser;
        }
    }

    /// The size of the picture that [`Canvas::decode`] gives.
    pub fn size(&self) -> Size {
        self.store.shown()
    }

    /// Optimises the canvas at a smaller size, or at its whole one again. Asked for less than the canvas can, it takes the
    /// least it can: [`Canvas::size`] says which. Parameters and the optimiser's memory are carried over.
    ///
    /// # Panics
    /// Where the size is larger than the canvas's.
    pub fn resize(&mut self, size: Size) {
        assert!(size.width <= self.size.width && size.height <= self.size.height, "larger than the canvas");
        if size != self.store.shown() {
            self.store.resize(size);
        }
    }

    /// The picture at the canvas's whole size `[3, H, W]`, 0..1 sRGB, whatever the size that it is optimised at. `finest`: see
    /// [`Canvas::decode`], which has to come before the next [`Canvas::backprop`].
    pub fn picture(&mut self, finest: Option<f64>) -> Vec<f32> {
        if self.store.shown() == self.size {
            return self.decode(finest).to_vec();
        }
        self.store.whole(bounded(finest))
    }

    /// The picture `[3, H, W]`, 0..1 sRGB, at the size that the canvas is optimised at.
    ///
    /// `finest` is a low-pass in cycles per shorter canvas side: detail at this frequency is held back to 1/e, finer
    /// detail soon vanishes; `None` shows everything. `fourier` holds its coefficients back by exp(-(k / finest)^4),
    /// `pixels` by exp(-(k / finest)^2), whose kernel is positive and so never leaves the range of values, and `pyramid`
    /// whole levels by exp(-(k / finest)^4), k a quarter of a level's shorter side.
    pub fn decode(&mut self, finest: Option<f64>) -> &[f32] {
        self.store.decode(bounded(finest))
    }

    /// Takes the gradient `[3, H, W]` at the pixels last decoded to the gradient of the parameters, which is kept.
    ///
    /// # Panics
    /// Where the gradient is not of the canvas's size.
    pub fn backprop(&mut self, pixel_gradient: &[f32]) {
        self.store.backprop(pixel_gradient);
    }

    /// The norm that the gradient of the parameters would have (the root of its sum of squares) if this were the gradient at the
    /// pixels last decoded. What `finest` and the size hide does not count. No gradient is kept then.
    ///
    /// # Panics
    /// As [`Canvas::backprop`].
    pub fn gradient_norm(&mut self, pixel_gradient: &[f32]) -> f64 {
        self.store.backprop(pixel_gradient);
        self.store.gradient_squares().0.sqrt()
    }

    /// Divides the gradient last kept by its root mean square over the parameters that are moved; one of zeros stays.
    pub fn normalise_gradient(&mut self) {
        let (sum, count) = self.store.gradient_squares();
        self.scale_gradient((count as f64 / sum).sqrt());
    }

    /// Scales the gradient last kept down to a norm (the root of its sum of squares) where it has a greater one.
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

    /// One optimiser update against the gradient last kept. `rate` is about how far a parameter moves.
    pub fn step(&mut self, rate: f64) {
        self.store.step(rate);
    }

    /// Everything that the next steps depend on, lent.
    pub fn state(&self) -> State<'_> {
        let optimiser = optimiser::kind(&self.optimiser).into();
        State { basis: self.store.basis().into(), optimiser, tensors: self.store.tensors() }
    }

    /// Takes up a state that a canvas of the same plan and size gave. Every later picture and step then is what it would
    /// have been there, bit for bit.
    ///
    /// # Errors
    /// Where the state is of another basis or canvas, or incomplete. The canvas is then of no further use.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let expected = self.store.basis();
        if state.basis != expected {
            return Err(StateError::Basis { expected: expected.into(), found: state.basis.to_string() });
        }
        let Some(optimiser) = optimiser::of_kind(&state.optimiser) else {
            return Err(StateError::Optimiser(state.optimiser.to_string()));
        };
        // Any of its kind: what it is to be is said before the next step.
        self.follow(&optimiser);
        self.store.restore(state)
    }

    /// Bytes that a render of this size takes for the canvas and for looking at it; the encoder comes on top.
    pub fn memory_needed(plan: &plan::Canvas, size: Size) -> u64 {
        let area = u64::from(size.width) * u64::from(size.height);
        let canvas = match plan.basis {
            Basis::Pixels => pixels::memory_needed(size),
            Basis::Pyramid { .. } => pyramid::memory_needed(size),
            Basis::Fourier { .. } => fourier::memory_needed(size),
        };
        // The picture to start from is there while the canvas is made, when nothing is looked at yet.
        let start = if matches!(plan.init.ground, plan::Ground::Image(_)) { 24 * area } else { 0 };
        canvas + start.max(crate::look::memory_needed(size))
    }
}

/// Whether there can be such a canvas.
fn check(plan: &plan::Canvas, size: Size) -> Result<(), CanvasError> {
    if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
        return Err(CanvasError::Sides { width: size.width, height: size.height });
    }
    memory::check(Canvas::memory_needed(plan, size), size)
}

/// A low-pass that can be computed with.
fn bounded(finest: Option<f64>) -> Option<f64> {
    finest.filter(|finest| finest.is_finite()).map(|finest| finest.max(1e-3))
}
