//! What the renderer is told: the fully resolved recipe.
//!
//! A [`Plan`] has no default, no name look-up and no string expression left. `recipe` makes it, `render` follows it;
//! nothing past this module knows TOML. Lengths on the canvas are fractions of its shorter side, filters inside a window
//! are in window pixels, angles in degrees, colours 0..1 sRGB, times in steps.

mod expression;
mod phase;
mod schedule;

pub use expression::{Expr, Function, Operator, Variable};
pub use phase::{Gradient, Optimiser, Patience, Phase};
pub use schedule::{Ease, Key, Schedule, Time};

/// Everything one render needs besides the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The recipe's title, if it has one.
    pub title: Option<String>,
    /// The canvas's width and height in pixels.
    pub size: Size,
    /// The seed of every random draw.
    pub seed: u64,
    /// How the picture is stored and what it starts from.
    pub canvas: Canvas,
    /// The distinct prompts of all targets; a prompt's position here is its row in the feature matrix and in the tally.
    pub prompts: Vec<Prompt>,
    /// Compositions and details, compositions first, each in written order.
    pub targets: Vec<Target>,
    /// The phases in order; at least one.
    pub phases: Vec<Phase>,
}

impl Plan {
    /// The number of steps of all phases.
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| u64::from(phase.steps)).sum()
    }
}

/// Width and height in pixels, each 16 to 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// The shorter side, the unit of lengths on the canvas.
    pub fn shorter(&self) -> u32 {
        self.width.min(self.height)
    }

    /// Pixels of one channel.
    pub fn area(&self) -> usize {
        self.width as usize * self.height as usize
    }
}

/// How the picture is stored and what it starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct Canvas {
    pub basis: Basis,
    pub init: Init,
}

/// How the canvas stores the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// The pixels themselves.
    Pixels,
    /// A sum of upsampled levels. `coarsest`: pixels of the coarsest level's shorter side.
    Pyramid { coarsest: u32 },
    /// A spectrum with amplitudes 1/f^`decay`, colours decorrelated with the chroma axes scaled by `chroma`, and a sigmoid.
    Fourier { decay: f64, chroma: f64 },
}

/// What the canvas starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct Init {
    /// The mean colour (0..1 sRGB), or the picture to start from.
    pub ground: Ground,
    /// Standard deviation of the random start: of pixel values for `pixels`, of parameters for the other bases.
    pub noise: f64,
}

/// The picture under the noise.
#[derive(Debug, Clone, PartialEq)]
pub enum Ground {
    /// One colour, 0..1 sRGB.
    Colour([f64; 3]),
    /// An image file, scaled to cover the canvas and cropped at its centre.
    Image(std::path::PathBuf),
}

/// Something that targets can match. (Saved directions come later, as a further kind.)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Prompt {
    Text(String),
    /// An image file, whose embedding windows are compared with.
    Image(std::path::PathBuf),
}

impl Prompt {
    /// What it is called in tables: the text, or the image file's name.
    pub fn called(&self) -> String {
        match self {
            Prompt::Text(text) => text.clone(),
            Prompt::Image(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }
}

/// Something the picture should show.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The name from the recipe, or `composition 1`, `detail 2` by position.
    pub name: String,
    /// Identity of its random draws: from its name, or else from its kind and position.
    pub key: u64,
    pub sight: Sight,
    /// Places a step.
    pub windows: u32,
    pub select: Select,
    /// How evenly [`Select::Mix`] shares out; positive. Of no meaning otherwise.
    pub temperature: Schedule,
    pub loss: Loss,
    /// The distinct pipelines its prompts are seen through.
    pub pipelines: Vec<Pipeline>,
    /// Prompts that take part in selection (those of positive weight); at least one.
    pub wanted: Vec<Pull>,
    /// Prompts to avoid; they act on the winning view of every place and never take part in selection.
    pub avoided: Vec<Pull>,
}

impl Target {
    /// Its prompts (indices into [`Plan::prompts`]), each once, in written order; the wanted ones first.
    pub fn prompts(&self) -> Vec<usize> {
        let mut prompts = Vec::new();
        for pull in self.wanted.iter().chain(&self.avoided) {
            if !prompts.contains(&pull.prompt) {
                prompts.push(pull.prompt);
            }
        }
        prompts
    }
}

/// Where a target looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// A composition: the window fits the whole canvas.
    Whole { fit: Fit },
    /// A detail: windows at random places.
    Places,
}

/// How a composition's square window fits a canvas that is not square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The canvas is stretched to the square.
    Stretch,
    /// The whole canvas is inside the square; what lies beyond it follows the edge rule.
    Contain,
    /// A square of the shorter side, at a random position along the longer one.
    Slide,
}

/// Which of a target's prompts a window trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The prompt (and view) of greatest scaled similarity.
    Best,
    /// The prompt (and view) of least scaled similarity: none is forgotten.
    Worst,
    /// All prompts.
    All,
    /// All prompts, their weights shared out by a softmax of their scaled similarities over the target's temperature.
    Mix,
    /// One prompt, drawn for each place.
    Random,
}

/// The distance between a window's embedding and a prompt's feature, both of unit length, s their similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// 1 - s.
    Cosine,
    /// 2 asin(|a - b| / 2)^2 = acos(s)^2 / 2.
    Spherical,
}

/// One prompt of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Index into [`Plan::prompts`].
    pub prompt: usize,
    /// Weight in the loss; positive for wanted, negative for avoided prompts.
    pub weight: Schedule,
    /// Index into [`Target::pipelines`]. Of no meaning for avoided prompts.
    pub pipeline: usize,
    /// What its similarity is multiplied by before selection; positive. Of no meaning for avoided prompts.
    pub scale: Schedule,
    /// The similarity from which on a wanted prompt lets go of a window, or below which an avoided one does. `None`: never, or
    /// below 0.
    pub stop: Option<Schedule>,
}

/// How one view is made of a place: stages in written order, and what lies outside the canvas.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    pub stages: Vec<Stage>,
    pub edge: Edge,
}

/// What a window sees beyond the canvas's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    Mirror,
    Wrap,
    Clamp,
    /// One colour, 0..1 sRGB.
    Fill([f32; 3]),
}

/// One augmentation step.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub kind: StageKind,
    /// Probability that the stage acts on a view, 0..1.
    pub chance: Schedule,
    /// Identity of its random draws within a view. A stage that several pipelines take over from a common one has the
    /// same key in all of them, so that they see a place alike.
    pub key: u64,
}

/// The stages. Geometric ones (zoom to flip) compose first, in written order, into one map that is sampled once; the
/// others then run in window pixels, in written order.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// The window's size: window pixels per canvas pixel (0.25 shows four times the side, shrunk). Drawn log-uniformly.
    Zoom(Range),
    /// The window's size: its side as a fraction of the canvas's shorter side. Drawn log-uniformly.
    Cover(Range),
    /// Displacement along x and y, drawn apart, in fractions of the window's side.
    Shift(Range),
    /// Rotation about the window's centre, degrees, positive turns what is seen counter-clockwise.
    Rotate(Range),
    /// Strength of a random tilt, 0..1: at 1 the far edge of the window shows 2 times what its near edge shows.
    Perspective(Range),
    /// Mirrors the window.
    Flip(Axis),
    /// Gaussian blur, standard deviation in window pixels.
    Blur(Range),
    /// Gaussian noise, standard deviation in pixel values; the deviation itself is drawn from the range for each view.
    Noise(Range),
    /// Colour jitter: a gain for the whole window and an offset for each channel, deviation drawn from the range.
    Colour(Range),
}

impl StageKind {
    /// The stage's key in a recipe.
    pub fn name(&self) -> &'static str {
        match self {
            StageKind::Zoom(_) => "zoom",
            StageKind::Cover(_) => "cover",
            StageKind::Shift(_) => "shift",
            StageKind::Rotate(_) => "rotate",
            StageKind::Perspective(_) => "perspective",
            StageKind::Flip(_) => "flip",
            StageKind::Blur(_) => "blur",
            StageKind::Noise(_) => "noise",
            StageKind::Colour(_) => "colour",
        }
    }
}

/// The mirror's axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
}

/// A range a stage draws from; a fixed value has `low == high`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    pub low: Schedule,
    pub high: Schedule,
}
