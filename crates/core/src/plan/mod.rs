//! The renderer's input: the fully resolved recipe.
//!
//! A [`Plan`] has no defaults, name lookups or string expressions left. `recipe` makes it, `render` follows it; nothing past this module
//! knows TOML. Lengths on the canvas are fractions of its shorter side, filters inside a window are in window pixels, angles in degrees,
//! colours 0..1 sRGB, times in steps.

mod expression;
mod member;
mod phase;
mod schedule;
mod words;

pub use expression::{Expr, Function, Operator, Variable};
pub use member::Member;
pub use phase::{Gradient, GradientKind, Optimiser, OptimiserKind, Patience, Phase};
pub use schedule::{Ease, Key, Schedule, Time};
pub use words::Word;

use words::{kinds, words};

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
    /// Returns the number of steps of all phases.
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| u64::from(phase.steps)).sum()
    }

    /// Returns the prompts that a model has to encode, those of its targets, as ascending indices into [`Plan::prompts`].
    pub fn prompts_of(&self, model: usize) -> Vec<usize> {
        let targets = self.targets.iter().filter(|target| target.model == model);
        let pulls = targets.flat_map(Target::pulls);
        pulls.map(|pull| pull.prompt).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the same plan with other numbers of steps for its phases. The times in which targets are active, and the phases' patience,
    /// are scaled in proportion.
    pub fn with_steps(&self, steps: &[u32]) -> Plan {
        let mut plan = self.clone();
        let before: Vec<u64> = self.phases.iter().map(|phase| u64::from(phase.steps)).collect();
        let after: Vec<u64> = steps.iter().map(|steps| u64::from(*steps)).collect();
        for (phase, steps) in plan.phases.iter_mut().zip(steps) {
            phase.patience = phase.patience.map(|patience| patience.scaled(phase.steps, *steps));
            phase.steps = *steps;
        }
        for target in &mut plan.targets {
            target.active = target.active.as_ref().map(|active| active.scaled(&before, &after));
        }
        plan
    }
}

/// A part of a run, in steps counted from 0: it begins with step `from` and ends before step `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Active {
    pub from: u64,
    pub until: u64,
}

impl Active {
    /// Whether it contains a step.
    pub fn contains(&self, step: u64) -> bool {
        (self.from..self.until).contains(&step)
    }

    /// Returns the same part of the run where phases of `before` steps have `after` steps. An end keeps its place within its phase; an
    /// end between two phases stays between them. What is not empty keeps at least one step. The end of the run stays its end.
    pub fn scaled(&self, before: &[u64], after: &[u64]) -> Active {
        let total: u64 = after.iter().sum();
        let moved = |step: u64| {
            let (mut start, mut to) = (0, 0);
            for (before, after) in before.iter().zip(after) {
                if step < start + before {
                    // In u128, because the product of two large numbers may not fit into u64.
                    let share = (u128::from(step - start) * u128::from(*after) * 2 + u128::from(*before))
                        / (2 * u128::from(*before));
                    return to + share as u64;
                }
                start += before;
                to += after;
            }
            to
        };
        let (from, until) = (moved(self.from), moved(self.until));
        if self.from >= self.until || from < until {
            return Active { from, until };
        }
        // A part too short for a step gets one; at the end of the run it gets the last one.
        let from = if self.from < before.iter().sum::<u64>() { from.min(total.saturating_sub(1)) } else { from };
        Active { from, until: from + 1 }
    }
}

/// Width and height in pixels, each 16 to 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// Returns the shorter side, the unit of lengths on the canvas.
    pub fn shorter(&self) -> u32 {
        self.width.min(self.height)
    }

    /// Returns the number of pixels of one channel.
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
    /// A sum of upsampled levels. `coarsest` is the shorter side of the coarsest level, in pixels.
    Pyramid { coarsest: u32 },
    /// A spectrum with amplitudes 1/f^`decay`, colours decorrelated with the chroma axes scaled by `chroma`, and a sigmoid.
    Fourier { decay: f64, chroma: f64 },
}

kinds! {
    /// The bases by their words.
    BasisKind of Basis { Pixels: "pixels", Pyramid: "pyramid", Fourier: "fourier" }
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

/// A thing that targets can match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Prompt {
    Text(String),
    /// Several texts that stand for one thing. Windows are compared with the mean of their features. See [`Ensemble::filled`].
    Ensemble(Ensemble),
    /// An image file. Windows are compared with its embedding.
    Image(std::path::PathBuf),
    /// A class of a file of directions, see the crate `recipe-render-direction`.
    Direction {
        file: std::path::PathBuf,
        /// `None`: the only class of the file.
        class: Option<String>,
    },
}

impl Prompt {
    /// Returns its name in tables: the text, the image file's name, or the direction's class.
    pub fn called(&self) -> String {
        match self {
            Prompt::Text(text) => text.clone(),
            Prompt::Ensemble(ensemble) => match ensemble.texts.as_slice() {
                [] => String::new(),
                [only] => only.clone(),
                [first, rest @ ..] => format!("{first} + {} more", rest.len()),
            },
            Prompt::Image(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Prompt::Direction { class: Some(class), .. } => class.clone(),
            Prompt::Direction { file, class: None } => {
                file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
            }
        }
    }

    /// Returns the file that it comes from, if any.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Prompt::Image(file) | Prompt::Direction { file, .. } => Some(file),
            Prompt::Text(_) | Prompt::Ensemble(_) => None,
        }
    }
}

/// Texts whose features are averaged, each inserted into each template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ensemble {
    /// At least one.
    pub texts: Vec<String>,
    /// Each contains [`Ensemble::SLOT`]; without templates the texts stay as they are.
    pub templates: Vec<String>,
}

impl Ensemble {
    /// The placeholder for a text in a template.
    pub const SLOT: &str = "{}";

    /// Returns the texts to encode: each text inserted into each template, or the texts themselves if there are no templates.
    pub fn filled(&self) -> Vec<String> {
        if self.templates.is_empty() {
            return self.texts.clone();
        }
        let pairs = self.texts.iter().flat_map(|text| self.templates.iter().map(move |template| (text, template)));
        pairs.map(|(text, template)| template.replace(Self::SLOT, text.trim())).collect()
    }
}

/// Something the picture should show.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The unique name from the recipe, or `composition 1`, `detail 2` by position. For a member of an ensemble, the model's name is
    /// appended.
    pub name: String,
    /// The identity of its random draws, made from its name, or else from its kind and position. Members of an ensemble share it.
    pub key: u64,
    /// The index of its model among the run's models.
    pub model: usize,
    /// Its part in an ensemble, if it has one: its model is then one of several that look at the same windows.
    pub member: Option<Member>,
    pub sight: Sight,
    /// Where it may look and change the canvas; `None`: everywhere.
    pub region: Option<Region>,
    /// When it acts; `None`: always.
    pub active: Option<Active>,
    /// The number of places looked at per step.
    pub windows: u32,
    /// The number of places, which stay the same for the whole render; `None`: new ones at every step. For [`Sight::Places`].
    pub places: Option<u32>,
    pub select: Select,
    /// How evenly [`Select::Mix`] distributes weight; positive. Other selections ignore it.
    pub temperature: Schedule,
    pub calibration: Calibration,
    pub loss: Loss,
    /// The distinct pipelines through which its prompts are seen.
    pub pipelines: Vec<Pipeline>,
    /// Prompts that take part in selection (those of positive weight); at least one, unless there are directions.
    pub wanted: Vec<Pull>,
    /// Prompts to avoid; they act on the winning view of every place and never take part in selection.
    pub avoided: Vec<Pull>,
    /// Directions of either sign. They act like prompts to avoid; if no prompt is wanted, they act on views through the first pipeline.
    /// `stop` is always set, to a probability: a direction of positive weight stops pulling at or above it, one of negative weight below
    /// it.
    pub directions: Vec<Pull>,
}

impl Target {
    /// Whether it acts at a step of the run, counted from 0.
    pub fn acts_at(&self, step: u64) -> bool {
        self.active.is_none_or(|active| active.contains(step))
    }

    /// Whether its prompts are compared by their similarities: it has several, and its selection compares them.
    pub fn compares(&self) -> bool {
        let several = self.wanted.iter().any(|pull| pull.prompt != self.wanted[0].prompt);
        self.select.compares() && several
    }

    /// Returns all its prompts: the wanted ones, those to avoid, and directions.
    pub fn pulls(&self) -> impl Iterator<Item = &Pull> {
        self.wanted.iter().chain(&self.avoided).chain(&self.directions)
    }

    /// Returns its prompts (indices into [`Plan::prompts`]), each once, in written order, the wanted ones first.
    pub fn prompts(&self) -> Vec<usize> {
        let mut prompts = Vec::new();
        for pull in self.pulls() {
            if !prompts.contains(&pull.prompt) {
                prompts.push(pull.prompt);
            }
        }
        prompts
    }
}

/// A part of the canvas.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    Rectangle {
        /// Left and top edge, width and height, in fractions of the canvas's width and height; inside the canvas, not empty.
        sides: [f64; 4],
        /// How far from its edges it fades in, in fractions of its shorter side, 0 to 0.5. Edges of the canvas do not fade.
        feather: f64,
    },
    /// A grey picture, stretched to the canvas: white may change, black may not.
    Mask(std::path::PathBuf),
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
    /// The whole canvas is inside the square; the edge rule fills the rest.
    Contain,
    /// A square of the shorter side, at a random position along the longer one.
    Slide,
}

words!(Fit { Stretch: "stretch", Contain: "contain", Slide: "slide" });

/// Which of a target's prompts a window trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The prompt (and view) of greatest similarity, calibrated and scaled.
    Best,
    /// The prompt (and view) of least similarity, calibrated and scaled, so that no prompt is neglected.
    Worst,
    /// All prompts.
    All,
    /// All prompts, weighted by a softmax of their similarities, calibrated and scaled, at the target's temperature.
    Mix,
    /// One prompt, drawn for each place.
    Random,
    /// One prompt, chosen in turn by the place's number, or by the window's if places do not stay: all have the same share.
    Turns,
}

words! {
    Select { Best: "best", Worst: "worst", All: "all", Mix: "mix", Random: "random", Turns: "turns" }
}

impl Select {
    /// Whether prompts are compared by their similarities.
    pub fn compares(self) -> bool {
        matches!(self, Select::Best | Select::Worst | Select::Mix)
    }
}

/// The reference that a prompt's similarity is measured against before prompts are compared: similarities of different prompts lie on
/// different scales. Ignored by [`Select::All`], [`Select::Random`] and [`Select::Turns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calibration {
    /// Its own mean and spread over the windows that the target has seen lately.
    Past,
    /// Its mean and spread over windows of the canvas at the time when the prompt begins to compete.
    Start,
    /// No reference.
    None,
}

words!(Calibration { Past: "past", Start: "start", None: "none" });

/// The distance between a window's embedding e, with direction u of unit length, and a prompt's feature f; s is their similarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// 1 - s.
    Cosine,
    /// 2 asin(|u - f| / 2)^2 = acos(s)^2 / 2.
    Spherical,
    /// -e . f, of the unnormalised embedding that the model returns.
    Dot,
    /// The sum of |u_i - f_i|.
    L1,
    /// |u - f| = sqrt(2 - 2 s).
    L2,
}

words!(Loss { Cosine: "cosine", Spherical: "spherical", Dot: "dot", L1: "l1", L2: "l2" });

/// One prompt of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Index into [`Plan::prompts`].
    pub prompt: usize,
    /// Weight in the loss; positive for wanted, negative for avoided prompts.
    pub weight: Schedule,
    /// Index into [`Target::pipelines`]. Ignored for avoided prompts and directions.
    pub pipeline: usize,
    /// The factor on its similarity before selection; positive. Ignored for avoided prompts and directions.
    pub scale: Schedule,
    /// The similarity at or above which a wanted prompt stops pulling on a window, or below which an avoided one does. `None`: never for
    /// a wanted prompt, below 0 for an avoided one.
    pub stop: Option<Schedule>,
}

/// How a view is made from a place: stages in written order, and a rule for what lies outside the canvas.
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

kinds! {
    /// The edge rules by their words.
    EdgeKind of Edge { Mirror: "mirror", Wrap: "wrap", Clamp: "clamp", Fill: "fill" }
}

/// One augmentation step.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub kind: StageKind,
    /// Probability that the stage acts on a view, 0..1.
    pub chance: Schedule,
    /// The identity of its random draws within a view. A stage that several pipelines take over from a common one has the same key in all
    /// of them, so they see a place alike.
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
    /// Displacement along x and y, drawn independently, in fractions of the window's side.
    Shift(Range),
    /// Rotation about the window's centre in degrees; positive angles turn what is seen counter-clockwise.
    Rotate(Range),
    /// Slant along x and y, drawn independently, in degrees; areas stay.
    Shear(Range),
    /// Ratio of widths to heights, drawn log-uniformly: at 2 things look twice as wide for their height. The area seen stays.
    Stretch(Range),
    /// A square at a random place of the window takes its place: its side in fractions of the window's. Above 1, it lies around the window.
    Crop(Range),
    /// Strength of a random tilt, 0..1: at 1 the far edge of the window shows twice what its near edge shows.
    Perspective(Range),
    /// Mirrors the window.
    Flip(Axis),
    /// Gaussian blur, standard deviation in window pixels.
    Blur(Range),
    /// Gaussian noise, standard deviation in pixel values. The deviation itself is drawn from the range for each view.
    Noise(Range, Spectrum),
    /// Colour jitter: a gain for the whole window and an offset for each channel, deviation drawn from the range.
    Colour(Range),
    /// Brightness: the factor on all values.
    Brightness(Range),
    /// Contrast: the factor on distances from the window's mean luma.
    Contrast(Range),
    /// Saturation: the factor on distances from the grey of the same luma; 0 is grey.
    Saturation(Range),
    /// Rotation of colours about the axis of greys, in degrees; 120 takes red to green.
    Hue(Range),
    /// Unsharp mask: how much of what a blur of one window pixel takes away is added.
    Sharpen(Range),
    /// A rectangle at a random place in the window becomes grey; its width and height, drawn independently, in fractions of the
    /// window's side.
    Erase(Range),
    /// Blocks of pixels become their mean: a block's side in window pixels, rounded to a whole number.
    Pixelate(Range),
    /// Values are rounded to so many levels, itself rounded to a whole number; gradients pass through unchanged.
    Quantise(Range),
    /// Every value to this power, drawn log-uniformly.
    Gamma(Range),
    /// Edge detection: how much of the window is replaced by the length of its gradient, 0..1.
    Edges(Range),
    /// Limits on values; the range's ends are the limits, and nothing is drawn.
    Clamp(Range),
}

kinds! {
    /// The stages by their words, which are their keys in recipes.
    StageName of StageKind {
        Zoom: "zoom",
        Cover: "cover",
        Shift: "shift",
        Rotate: "rotate",
        Shear: "shear",
        Stretch: "stretch",
        Crop: "crop",
        Perspective: "perspective",
        Flip: "flip",
        Blur: "blur",
        Noise: "noise",
        Colour: "colour",
        Brightness: "brightness",
        Contrast: "contrast",
        Saturation: "saturation",
        Hue: "hue",
        Sharpen: "sharpen",
        Erase: "erase",
        Pixelate: "pixelate",
        Quantise: "quantise",
        Gamma: "gamma",
        Edges: "edges",
        Clamp: "clamp",
    }
}

impl StageKind {
    /// Returns the range that the stage draws from; a flip has none.
    pub fn range(&self) -> Option<&Range> {
        match self {
            StageKind::Zoom(range)
            | StageKind::Cover(range)
            | StageKind::Shift(range)
            | StageKind::Rotate(range)
            | StageKind::Shear(range)
            | StageKind::Stretch(range)
            | StageKind::Crop(range)
            | StageKind::Perspective(range)
            | StageKind::Blur(range)
            | StageKind::Noise(range, _)
            | StageKind::Colour(range)
            | StageKind::Brightness(range)
            | StageKind::Contrast(range)
            | StageKind::Saturation(range)
            | StageKind::Hue(range)
            | StageKind::Sharpen(range)
            | StageKind::Erase(range)
            | StageKind::Pixelate(range)
            | StageKind::Quantise(range)
            | StageKind::Gamma(range)
            | StageKind::Edges(range)
            | StageKind::Clamp(range) => Some(range),
            StageKind::Flip(_) => None,
        }
    }
}

/// How the power of noise is spread over frequencies.
#[derive(Debug, Clone, PartialEq)]
pub enum Spectrum {
    /// Every pixel for itself: the same power at all frequencies.
    White,
    /// The same power in every octave: falls as 1/f^2, f in waves per length, in two dimensions.
    Pink,
    /// In every octave half the power of the next coarser one: falls as 1/f^3.
    Brown,
    /// Blobs of one size, in window pixels.
    Coarse(Schedule),
}

kinds! {
    /// The spectra by their words.
    SpectrumKind of Spectrum { White: "white", Pink: "pink", Brown: "brown", Coarse: "coarse" }
}

/// The mirror's axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Left and right are swapped.
    Horizontal,
    /// Top and bottom are swapped.
    Vertical,
}

words!(Axis { Horizontal: "horizontal", Vertical: "vertical" });

/// A range a stage draws from; a fixed value has `low == high`.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    pub low: Schedule,
    pub high: Schedule,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(from: u64, until: u64, before: &[u64], after: &[u64]) -> (u64, u64) {
        let Active { from, until } = Active { from, until }.scaled(before, after);
        (from, until)
    }

    #[test]
    fn stretches_keep_their_places_in_phases() {
        let (before, after) = ([100, 200], [50, 20]);
        assert_eq!(scaled(0, 100, &before, &after), (0, 50));
        assert_eq!(scaled(100, 300, &before, &after), (50, 70));
        assert_eq!(scaled(50, 200, &before, &after), (25, 60));
        assert_eq!(scaled(20, u64::MAX, &before, &after), (10, 70));
        assert_eq!(scaled(30, 170, &before, &before), (30, 170));
    }

    #[test]
    fn of_a_short_stretch_a_step_is_left_and_of_none_nothing() {
        let (before, after) = ([100, 200], [50, 20]);
        assert_eq!(scaled(150, 152, &before, &after), (55, 56));
        assert_eq!(scaled(299, 300, &before, &after), (69, 70));
        // Beyond the run.
        let (from, _) = scaled(300, 400, &before, &after);
        assert!(from >= 70);
    }

    #[test]
    fn texts_are_filled_into_templates() {
        let ensemble = |templates: &[&str]| Ensemble {
            texts: vec!["a dragon".into(), " a red one ".into()],
            templates: templates.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(ensemble(&[]).filled(), ["a dragon", " a red one "]);
        let filled = ensemble(&["{}, painted", "{} and {}"]).filled();
        let all = ["a dragon, painted", "a dragon and a dragon", "a red one, painted", "a red one and a red one"];
        assert_eq!(filled, all);
        assert_eq!(Prompt::Ensemble(ensemble(&[])).called(), "a dragon + 1 more");
    }
}
