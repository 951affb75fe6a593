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
//! | `adam` | the optimiser |
//! | `fft` | two-dimensional transforms of three planes |
//! | `spline` | upsampling by cubic B-splines, and its adjoint |
//! | `init` | what a canvas starts from |
//! | `state` | what a canvas is between two steps |

mod adam;
mod colour;
mod fft;
mod fourier;
mod init;
mod memory;
mod pixels;
mod pyramid;
mod spline;
mod state;

#[cfg(test)]
mod tests;

use crate::chance::Draws;
use crate::plan::{self, Basis, Size};

pub use adam::Adam;
pub use init::CanvasError;
use state::Slot;
pub use state::{State, StateError, Tensor, Values};

/// Shortest and longest side of a canvas in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=65536;

/// A picture stored in a basis, with its optimiser.
pub struct Canvas {
    store: Box<dyn Store + Send>,
}

/// A basis with its parameters and their optimiser.
trait Store {
    /// The picture `[3, H, W]`. `finest`: see [`Canvas::decode`].
    fn decode(&mut self, finest: Option<f64>) -> &[f32];
    /// Keeps the parameter gradient at the point last decoded.
    fn backprop(&mut self, pixel_gradient: &[f32]);
    /// Moves the parameters along the gradient last kept.
    fn step(&mut self, rate: f64);
    /// The optimiser's constants.
    fn adam(&mut self) -> &mut Adam;
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
        if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
            return Err(CanvasError::Sides { width: size.width, height: size.height });
        }
        memory::check(Canvas::memory_needed(plan, size), size)?;
        let draws = Draws::new(seed).at(crate::chance::key_of("canvas"));
        let ground = init::Ground::load(&plan.init.ground, size)?;
        let noise = plan.init.noise;
        let store: Box<dyn Store + Send> = match plan.basis {
            Basis::Pixels => Box::new(pixels::Pixels::new(size, &ground, noise, draws)),
            Basis::Pyramid { coarsest } => Box::new(pyramid::Pyramid::new(size, coarsest, &ground, noise, draws)),
            Basis::Fourier { decay, chroma } => {
                Box::new(fourier::Fourier::new(size, decay, chroma, &ground, noise, draws))
            }
        };
        Ok(Canvas { store })
    }

    /// The same canvas with other constants of its optimiser; for a canvas that has not been moved yet.
    #[must_use]
    pub fn with_adam(mut self, adam: Adam) -> Canvas {
        *self.store.adam() = adam;
        self
    }

    /// The picture `[3, H, W]`, 0..1 sRGB.
    ///
    /// `finest` is a low-pass in cycles per shorter canvas side: detail at this frequency is held back to 1/e, finer
    /// detail soon vanishes; `None` shows everything. `fourier` holds its coefficients back by exp(-(k / finest)^4),
    /// `pixels` by exp(-(k / finest)^2), whose kernel is positive and so never leaves the range of values, and `pyramid`
    /// whole levels by exp(-(k / finest)^4), k a quarter of a level's shorter side.
    pub fn decode(&mut self, finest: Option<f64>) -> &[f32] {
        self.store.decode(finest.filter(|finest| finest.is_finite()).map(|finest| finest.max(1e-3)))
    }

    /// Takes the gradient `[3, H, W]` at the pixels last decoded to the gradient of the parameters, which is kept.
    ///
    /// # Panics
    /// Where the gradient is not of the canvas's size.
    pub fn backprop(&mut self, pixel_gradient: &[f32]) {
        self.store.backprop(pixel_gradient);
    }

    /// One optimiser update against the gradient last kept. `rate` is about how far a parameter moves.
    pub fn step(&mut self, rate: f64) {
        self.store.step(rate);
    }

    /// Everything that the next steps depend on, lent.
    pub fn state(&self) -> State<'_> {
        State { basis: self.store.basis().into(), optimiser: "adam".into(), tensors: self.store.tensors() }
    }

    /// Takes up a state that a canvas of the same plan and size gave. Every later picture and step then is what it would
    /// have been there, bit for bit.
    ///
    /// # Errors
    /// Where the state is of another basis or size, or incomplete. The canvas is then of no further use.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        let expected = self.store.basis();
        if state.basis != expected {
            return Err(StateError::Basis { expected: expected.into(), found: state.basis.to_string() });
        }
        if state.optimiser != "adam" {
            return Err(StateError::Optimiser(state.optimiser.to_string()));
        }
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
