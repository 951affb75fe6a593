//! The stages of a pipeline. `docs/adding-a-stage.md` says what else a stage needs.

use crate::keys::kinds::{Bounds, Kind, Single, Variant, With};
use crate::plan::{Axis, Range, Spectrum, SpectrumKind, StageKind, StageName};

/// One stage: its key in a recipe, and what it becomes in a plan.
#[derive(Debug)]
pub(crate) struct StageEntry {
    pub name: &'static str,
    pub build: Build,
    pub unit: &'static str,
    pub about: &'static str,
    pub example: &'static str,
}

/// How a stage's value is read and what it becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Build {
    /// A range, see [`Single`].
    Range(Single, Bounds, fn(Range) -> StageKind),
    /// An axis.
    Axis(fn(Axis) -> StageKind),
}

/// A window's shift, in fractions of its side; also the bounds of other values drawn to both sides of 0.
const SHIFT: Bounds = Bounds::within(-4.0, 4.0);
const ANGLE: Bounds = Bounds::within(-360.0, 360.0);
/// A factor on values; 1 changes nothing.
const FACTOR: Bounds = Bounds::within(0.0, 8.0);
const FRACTION: Bounds = Bounds::within(0.0, 1.0);

/// The mirror's axes.
const AXES: &[Variant] = &[
    Variant { name: Axis::Horizontal.name(), about: "left and right change places", with: With::Nothing },
    Variant { name: Axis::Vertical.name(), about: "top and bottom change places", with: With::Nothing },
];

/// Every stage.
pub(crate) static STAGES: &[StageEntry] = &[
    StageEntry {
        name: StageName::Cover.name(),
        build: Build::Range(Single::Fixed, Bounds::within(0.001, 8.0), StageKind::Cover),
        unit: "canvas's shorter sides",
        about: "The window's size: its side as a fraction of the canvas's shorter side, so that a recipe means the \
                same at another size and with another model. One number is a fixed size; a range is drawn \
                log-uniformly. For details only; a detail's pipeline with neither `cover` nor `zoom` begins with the \
                default pipeline's `cover`.",
        example: "[0.25, 0.6]",
    },
    StageEntry {
        name: StageName::Zoom.name(),
        build: Build::Range(Single::Fixed, Bounds::within(0.001, 64.0), StageKind::Zoom),
        unit: "window pixels per canvas pixel",
        about: "The window's size: 1 shows canvas pixels as they are, 0.25 shows four times the side, shrunk. One number is a \
                fixed zoom; a range is drawn log-uniformly. For details only, and not together with `cover`.",
        example: "[0.5, 1]",
    },
    StageEntry {
        name: StageName::Shift.name(),
        build: Build::Range(Single::MinusToPlus, SHIFT, StageKind::Shift),
        unit: "window sides",
        about: "Moves the window along x and y, each drawn independently. One number n means from -n to n.",
        example: "0.05",
    },
    StageEntry {
        name: StageName::Rotate.name(),
        build: Build::Range(Single::MinusToPlus, ANGLE, StageKind::Rotate),
        unit: "degrees",
        about: "Turns the window about its centre. One number n means from -n to n.",
        example: "15",
    },
    StageEntry {
        name: StageName::Shear.name(),
        build: Build::Range(Single::MinusToPlus, Bounds::within(-75.0, 75.0), StageKind::Shear),
        unit: "degrees",
        about: "Slants the window along x and along y, each drawn independently. One number n means from -n to n.",
        example: "10",
    },
    StageEntry {
        name: StageName::Stretch.name(),
        build: Build::Range(Single::Fixed, Bounds::within(0.125, 8.0), StageKind::Stretch),
        unit: "width to height",
        about: "Makes things wider or narrower for their height, while the area seen stays: 2 shows them twice as wide, \
                0.5 twice as high. One number is a fixed ratio; a range is drawn log-uniformly.",
        example: "[0.8, 1.25]",
    },
    StageEntry {
        name: StageName::Crop.name(),
        build: Build::Range(Single::Fixed, Bounds::within(0.01, 8.0), StageKind::Crop),
        unit: "window sides",
        about: "Shows a square at a random place within the window: its side. Above 1, the window shows what lies around it, too, \
                itself at a random place in what is shown; with `edge = \"wrap\"` in a composition, a `crop` of 3 shows the \
                picture tiled 3 times. One number is a fixed side.",
        example: "[0.5, 1]",
    },
    StageEntry {
        name: StageName::Perspective.name(),
        build: Build::Range(Single::FromZero, FRACTION, StageKind::Perspective),
        unit: "",
        about: "Tilts the window in a random direction: at 1 the far edge shows twice what the near edge shows. One \
                number n means from 0 to n. Suppresses lettering.",
        example: "0.3",
    },
    StageEntry {
        name: StageName::Flip.name(),
        build: Build::Axis(StageKind::Flip),
        unit: "",
        about: "Mirrors the window; without a `chance`, it always does.",
        example: "\"horizontal\"",
    },
    StageEntry {
        name: StageName::Blur.name(),
        build: Build::Range(Single::FromZero, Bounds::within(0.0, 64.0), StageKind::Blur),
        unit: "window pixels",
        about: "Gaussian blur: its standard deviation. One number n means from 0 to n.",
        example: "2.0",
    },
    StageEntry {
        name: StageName::Noise.name(),
        build: Build::Range(Single::FromZero, FRACTION, |range| StageKind::Noise(range, Spectrum::White)),
        unit: "pixel values",
        about: "Gaussian noise on the window: its standard deviation, drawn for each view. One number n means from 0 \
                to n. Keeps patterns that are too faint to see from growing. A `spectrum` beside it makes it pink, brown or \
                coarse.",
        example: "0.05",
    },
    StageEntry {
        name: StageName::Colour.name(),
        build: Build::Range(Single::FromZero, FRACTION, StageKind::Colour),
        unit: "pixel values",
        about: "Colour jitter: a random gain for the window and a random offset for each channel; their standard \
                deviation. One number n means from 0 to n.",
        example: "0.05",
    },
    StageEntry {
        name: StageName::Brightness.name(),
        build: Build::Range(Single::Fixed, FACTOR, StageKind::Brightness),
        unit: "factor",
        about: "Multiplies all values of the window: 1 leaves them as they are, 0 is black. One number is a fixed factor.",
        example: "[0.8, 1.2]",
    },
    StageEntry {
        name: StageName::Contrast.name(),
        build: Build::Range(Single::Fixed, FACTOR, StageKind::Contrast),
        unit: "factor",
        about: "Multiplies the distance of all values from the window's mean luma: 1 leaves them as they are, 0 is a \
                flat grey. One number is a fixed factor.",
        example: "[0.7, 1.3]",
    },
    StageEntry {
        name: StageName::Saturation.name(),
        build: Build::Range(Single::Fixed, FACTOR, StageKind::Saturation),
        unit: "factor",
        about: "Multiplies the distance of every pixel from the grey of the same luma: 1 leaves colours as they are, 0 \
                is grey. One number is a fixed factor. `{ saturation = 0, chance = 0.2 }` shows every fifth view in grey.",
        example: "[0.5, 1.5]",
    },
    StageEntry {
        name: StageName::Hue.name(),
        build: Build::Range(Single::MinusToPlus, ANGLE, StageKind::Hue),
        unit: "degrees",
        about: "Turns colours about the axis of greys: 120 makes red green, green blue and blue red. One number n means \
                from -n to n.",
        example: "20",
    },
    StageEntry {
        name: StageName::Sharpen.name(),
        build: Build::Range(Single::FromZero, Bounds::within(0.0, 16.0), StageKind::Sharpen),
        unit: "",
        about: "Unsharp mask: what a blur of one window pixel takes away is added so many times. One number n means \
                from 0 to n.",
        example: "1.0",
    },
    StageEntry {
        name: StageName::Erase.name(),
        build: Build::Range(Single::FromZero, FRACTION, StageKind::Erase),
        unit: "window sides",
        about: "Makes a rectangle at a random place in the window grey (cutout); its width and its height are drawn \
                independently. One number n means from 0 to n. A thing must then be told by more than one of its parts.",
        example: "0.5",
    },
    StageEntry {
        name: StageName::Pixelate.name(),
        build: Build::Range(Single::Fixed, Bounds::within(1.0, 256.0), StageKind::Pixelate),
        unit: "window pixels",
        about: "Shows blocks of pixels as their mean: a block's side, rounded to a whole number. One number is a fixed \
                side.",
        example: "8",
    },
    StageEntry {
        name: StageName::Quantise.name(),
        build: Build::Range(Single::Fixed, Bounds::within(2.0, 256.0), StageKind::Quantise),
        unit: "levels",
        about: "Rounds all values to so many levels from 0 to 1, itself rounded to a whole number. One number is a fixed \
                number of levels. Rounding has no gradient of use, so the gradient goes back as if it were not there \
                (straight through).",
        example: "4",
    },
    StageEntry {
        name: StageName::Gamma.name(),
        build: Build::Range(Single::Fixed, Bounds::within(0.1, 10.0), StageKind::Gamma),
        unit: "exponent",
        about: "Takes every value to a power: 1 leaves the window as it is, less is lighter, more is darker; black and white \
                stay. One number is a fixed exponent; a range is drawn log-uniformly.",
        example: "[0.7, 1.4]",
    },
    StageEntry {
        name: StageName::Edges.name(),
        build: Build::Range(Single::FromZero, FRACTION, StageKind::Edges),
        unit: "",
        about: "Edge detection (Sobel's operator), bright on black: at 1 nothing but edges is seen, below it the window \
                shows through. One number n means from 0 to n.",
        example: "[1, 1]",
    },
    StageEntry {
        name: StageName::Clamp.name(),
        build: Build::Range(Single::FromZero, Bounds::within(-8.0, 8.0), StageKind::Clamp),
        unit: "pixel values",
        about: "Limits values to these two ends; nothing is drawn. Values beyond them have no gradient. One number n \
                means from 0 to n. After noise and changes of colour, `clamp = 1` shows the model no values that a picture cannot have.",
        example: "1",
    },
];

/// The spectra of noise.
pub(crate) const SPECTRA: &[Variant] = &[
    Variant { name: SpectrumKind::White.name(), about: "every pixel for itself", with: With::Nothing },
    Variant {
        name: SpectrumKind::Pink.name(),
        about: "grains of all sizes, each as strong: clouds with sharp grains (power as 1/f^2)",
        with: With::Nothing,
    },
    Variant {
        name: SpectrumKind::Brown.name(),
        about: "grains of all sizes, the larger the stronger: soft clouds (power as 1/f^3)",
        with: With::Nothing,
    },
    Variant {
        name: SpectrumKind::Coarse.name(),
        about: "grains of one size, in window pixels",
        with: With::Value(&Kind::Schedule(GRAINS)),
    },
];

/// The sizes of grains of coarse noise, in window pixels.
pub(crate) const GRAINS: Bounds = Bounds::within(1.0, 256.0);

/// Stages of other programs that are written in other words here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["grey", "gray", "greyscale", "grayscale"], "{ saturation = 0 }"),
    (&["repeat", "tile"], "{ crop = 3 } and { edge = \"wrap\" }, in a composition"),
    (&["pad", "padding", "random_scale"], "{ crop = [1, 1.2] }"),
    (&["center_crop", "random_crop", "crop_random", "resized_crop"], "{ crop = [0.5, 1] }"),
    (&["mul", "multiply"], "{ brightness = 0.8 }"),
    (&["add", "jitter", "color"], "{ colour = 0.05 }"),
    (&["cutout", "cutouts", "erasing"], "{ erase = 0.5 }"),
    (&["affine", "translate", "random_translate", "random_shift"], "{ shift = 0.05 }"),
    (&["posterize", "posterise"], "{ quantise = 4 }"),
    (&["fnoise"], "{ noise = 0.1 }"),
    (&["sobel", "edge_detection"], "{ edges = [1, 1] }"),
];

/// Returns how a stage of other programs is written here.
pub(crate) fn written_here(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    ELSEWHERE.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, here)| *here)
}

impl StageEntry {
    /// The kind of the stage's value.
    pub const fn kind(&self) -> Kind {
        match self.build {
            Build::Range(single, bounds, _) => Kind::Range(single, bounds),
            Build::Axis(_) => Kind::Choice(AXES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Schedule, Word};

    #[test]
    fn stages_are_built_under_their_own_names() {
        let range = || Range { low: Schedule::Constant(0.0), high: Schedule::Constant(1.0) };
        for entry in STAGES {
            let kind = match entry.build {
                Build::Range(_, _, build) => build(range()),
                Build::Axis(build) => build(Axis::Horizontal),
            };
            assert_eq!(kind.name(), entry.name);
        }
        assert_eq!(STAGES.len(), StageName::ALL.len());
    }
}
