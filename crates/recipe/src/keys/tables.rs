//! The tables of a recipe and their keys.

use crate::keys::kinds::{Bounds, Key, Kind, SEEDS, SIDES, STEPS, Table, Variant, With};
use crate::keys::stages::{SPECTRA, STAGES};
use crate::plan::{BasisKind, Calibration, Ease, EdgeKind, Fit, GradientKind, Loss, OptimiserKind, Select};

/// Every table, in the reference's order.
pub(crate) static ALL: &[&Table] = &[
    &RECIPE,
    &CANVAS,
    &FOURIER,
    &PYRAMID,
    &INIT,
    &COMPOSITION,
    &DETAIL,
    &REGION,
    &PROMPT,
    &MODEL,
    &STAGE,
    &RENDER,
    &PHASE,
    &ADAM,
    &ADAMW,
    &SGD,
    &RMSPROP,
    &SIGN,
    &KEYFRAMES,
];

const WEIGHT: Bounds = Bounds::within(0.0, 1000.0);

/// The keys that name the models: one model, or several.
const MODELS: &[&str] = &["model", "models"];

pub(crate) static RECIPE: Table = Table {
    name: "recipe",
    heading: "The recipe",
    about: "The keys at the top of the file, before the first table. A recipe needs at least one `[[composition]]` or \
            `[[detail]]`; everything else has a default, which a model's advice may replace.",
    keys: &[
        Key {
            about: "The recipe that this one builds on, or several of them, where later ones override earlier ones. \
                    What this recipe sets overrides what it inherits. A picture that recipe-render wrote stands for \
                    the recipe inside it. Tables are merged key by key, pipelines name by name; everything else, \
                    arrays too, is replaced as a whole. An entry `\"...\"` of an array stands for the inherited \
                    entries: `detail = [\"...\", { prompts = [\"sword\"] }]`; with it, a target or phase with the name \
                    of an inherited one changes that one, key by key. Paths are relative to the folder of the file \
                    that they are written in.",
            example: "\"base.toml\"",
            ..key("extends", Kind::Files)
        },
        Key { about: "The picture's title.", example: "\"Malazan landscape\"", ..key("title", Kind::Text) },
        Key {
            unit: "pixels",
            about: "Width and height of the picture.",
            example: "[1024, 1024]",
            ..key("size", Kind::Size)
        },
        Key {
            about: "The seed of every random draw: another one gives another picture of the same kind.",
            example: "4",
            ..key("seed", Kind::Whole(SEEDS.0, SEEDS.1))
        },
        Key {
            about: "The CLIP model: its name, or the path of its folder.",
            example: "\"models/vit-b-32\"",
            ..key("model", Kind::Text)
        },
        Key {
            about: "Several models in place of one, as an ensemble: each looks at every window, at its own window \
                    size, and chooses among the prompts by itself. Their gradients differ in size, so in every step \
                    each model's gradient of the optimised parameters is scaled to the norm of the first model's and \
                    weighted by its `weight`; together they pull as strongly as one model. The first model is the one \
                    that the recipe names first. Similarities and the tally are reported by model, as `detail 1 \
                    (pocket)`. `--model` replaces all of them with one model.",
            example: "[\"pocket\", { name = \"models/vit-b-32\", weight = 2 }]",
            ..key("models", Kind::Models)
        },
        Key {
            about: "How the picture is stored and what it starts from.",
            example: "{ basis = \"pixels\" }",
            ..key("canvas", Kind::Table(&CANVAS))
        },
        Key {
            about: "Named pipelines, for targets and prompts to use. A pipeline is an array of stages that may begin with \
                    another pipeline's name.",
            example: "{ roam = [{ cover = [0.25, 0.4] }, { rotate = 5 }], slanted = [\"roam\", { perspective = 0.4 }] }",
            ..key("stages", Kind::Pipelines)
        },
        Key {
            about: "Templates for the texts of all prompts: each text replaces the `{}` of every template, and windows \
                    are compared with the mean embedding of the results, as in CLIP's prompt ensembles. Targets and \
                    prompts may have their own templates. Without any, texts stay as they are.",
            example: "[\"a photo of {}\", \"an oil painting of {}\"]",
            ..key("templates", Kind::Templates)
        },
        Key {
            about: "Something that the whole picture should show.",
            example: "",
            ..key("composition", Kind::Tables(&COMPOSITION))
        },
        Key {
            about: "Something that each small part of the picture should show.",
            example: "",
            ..key("detail", Kind::Tables(&DETAIL))
        },
        Key {
            about: "What all phases have in common.",
            example: "{ steps = 400 }",
            ..key("render", Kind::Table(&RENDER))
        },
        Key {
            about: "A stretch of steps; phases follow one another. Without any, there is one phase with the defaults.",
            example: "",
            ..key("phase", Kind::Tables(&PHASE))
        },
    ],
    exclusive: MODELS,
    one_needed: false,
};

pub(crate) static CANVAS: Table = Table {
    name: "canvas",
    heading: "[canvas]",
    about: "How the picture is stored and what it starts from.",
    keys: &[
        Key {
            about: "How the picture is stored, which decides what optimisation finds easy.",
            example: "{ fourier = { decay = 1.2, chroma = 0.8 } }",
            ..key("basis", Kind::Choice(BASES))
        },
        Key {
            about: "What the picture starts from.",
            example: "{ colour = [0.2, 0.3, 0.4], noise = 0.05 }",
            ..key("init", Kind::Table(&INIT))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

/// The bases.
const BASES: &[Variant] = &[
    Variant {
        name: BasisKind::Fourier.name(),
        about: "a spectrum with decorrelated colours and a sigmoid: large shapes come as easily as small ones",
        with: With::Settings(&FOURIER),
    },
    Variant {
        name: BasisKind::Pyramid.name(),
        about: "a sum of enlarged levels, from a few pixels up to the whole size",
        with: With::Settings(&PYRAMID),
    },
    Variant { name: BasisKind::Pixels.name(), about: "the pixels themselves: grainy", with: With::Nothing },
];

pub(crate) static FOURIER: Table = Table {
    name: "fourier",
    heading: "basis = { fourier = { ... } }",
    about: "Settings of the `fourier` basis.",
    keys: &[
        Key {
            about: "Amplitudes start as 1/f^decay: more gives softer, larger shapes.",
            example: "1.2",
            ..key("decay", Kind::Number(Bounds::within(0.0, 4.0)))
        },
        Key {
            about: "How easily colours move, relative to lightness: less gives calmer colours.",
            example: "0.8",
            ..key("chroma", Kind::Number(Bounds::within(0.0, 4.0)))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static PYRAMID: Table = Table {
    name: "pyramid",
    heading: "basis = { pyramid = { ... } }",
    about: "Settings of the `pyramid` basis.",
    keys: &[Key {
        unit: "pixels",
        about: "The shorter side of the coarsest level.",
        example: "16",
        ..key("coarsest", Kind::Whole(1, SIDES.1))
    }],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static INIT: Table = Table {
    name: "init",
    heading: "init = { ... }",
    about: "What the picture starts from: a lightness, a colour or an image, with noise on it.",
    keys: &[
        Key {
            unit: "0 black to 1 white",
            about: "A grey to start from, unless there is a `colour` or an `image`.",
            example: "0.3",
            ..key("mean", Kind::Number(Bounds::within(0.0, 1.0)))
        },
        Key {
            unit: "sRGB, 0 to 1",
            about: "A colour to start from, in place of `mean`.",
            example: "[0.2, 0.3, 0.4]",
            ..key("colour", Kind::Colour)
        },
        Key {
            about: "An image to start from, in place of `mean`; its path is relative to the recipe's folder. It is \
                    scaled to cover the canvas and cropped at its centre. Like all pictures, it is turned by its EXIF \
                    orientation, and its transparent parts are seen as white.",
            example: "\"start.png\"",
            ..key("image", Kind::File)
        },
        Key {
            about: "Standard deviation of the random start: of pixel values for `pixels`, of parameters for the other bases.",
            example: "0.05",
            ..key("noise", Kind::Number(Bounds::within(0.0, 10.0)))
        },
    ],
    exclusive: &["mean", "colour", "image"],
    one_needed: false,
};

const NAME: Key = Key {
    about: "The target's name, by which phases set its weight. It also identifies the target's random draws: a named \
            target keeps them when others are put before it. Without a name, the target is called by its position, \
            like `detail 1`.",
    example: "\"sky\"",
    ..key("name", Kind::Text)
};

const PROMPTS: Key = Key {
    about: "What to show: texts, or tables with a text and further keys.",
    example: "[\"sword\", { text = \"letters\", weight = -0.3 }]",
    required: true,
    ..key("prompts", Kind::Prompts)
};

const STAGES_OF_TARGET: Key = Key {
    about: "The pipeline through which the windows are seen: the name of one from `[stages]`, or an array of stages.",
    example: "[{ rotate = 15 }, { flip = \"horizontal\", chance = 0.5 }]",
    ..key("stages", Kind::Pipeline)
};

const WINDOWS: Key = Key {
    about: "The number of places to look at in each step.",
    example: "24",
    unit: "places per step",
    ..key("windows", Kind::Whole(1, 4096))
};

const PLACES: Key = Key {
    about: "The number of places that windows look at. They are spread evenly and stay the same for the whole render, \
            so things take shape there, side by side. `cover` sets how large each place is, `shift` how far windows \
            may stray from it. With 0, every window lies somewhere else, and what it shows is woven into the whole.",
    example: "7",
    ..key("places", Kind::Whole(0, 4096))
};

const SELECT: Key = Key {
    about: "Which prompts a window is optimised for.",
    example: "\"all\"",
    ..key(
        "select",
        Kind::Choice(&[
            Variant {
                name: Select::Best.name(),
                about: "the one that the window already shows most",
                with: With::Nothing,
            },
            Variant {
                name: Select::Worst.name(),
                about: "the one that it shows least, so that none is forgotten",
                with: With::Nothing,
            },
            Variant { name: Select::All.name(), about: "all of them", with: With::Nothing },
            Variant {
                name: Select::Mix.name(),
                about: "all of them, with more weight for those that it shows more: a softmax of similarities over \
                        `temperature`",
                with: With::Nothing,
            },
            Variant { name: Select::Random.name(), about: "one, drawn for each place", with: With::Nothing },
            Variant {
                name: Select::Turns.name(),
                about: "one after the other, so that all have the same share; with `places`, each place shows one of them",
                with: With::Nothing,
            },
        ]),
    )
};

const TEMPERATURE: Key = Key {
    about: "How evenly `select = \"mix\"` shares a window among prompts: near 0 like `best`, far above the differences \
            between similarities like `all`.",
    example: "0.1",
    ..key("temperature", Kind::Schedule(Bounds::above(0.0, 100.0)))
};

const CALIBRATION: Key = Key {
    about: "What a prompt's similarity is measured against before `best`, `worst` and `mix` compare it. Similarities \
            of different prompts lie on different scales, so without calibration one prompt wins nearly all windows. \
            The calibrated value is still a similarity, as if all prompts had the same mean and spread, so `scale` and \
            `temperature` keep their meaning. With one prompt, nothing is compared.",
    example: "\"none\"",
    ..key(
        "calibration",
        Kind::Choice(&[
            Variant {
                name: Calibration::Past.name(),
                about: "its own mean and spread in the windows that the target has seen lately: a prompt that is ahead \
                        must do better than it did there",
                with: With::Nothing,
            },
            Variant {
                name: Calibration::Start.name(),
                about: "its own mean and spread in windows of the canvas at the time when the prompt begins to \
                        compete: a prompt that is ahead stays ahead, which suits a composition, because it has one \
                        place",
                with: With::Nothing,
            },
            Variant {
                name: Calibration::None.name(),
                about: "nothing: similarities are compared as they are",
                with: With::Nothing,
            },
        ]),
    )
};

const LOSS: Key = Key {
    about: "How far a window is from a prompt, as a function of their similarity s.",
    example: "\"cosine\"",
    ..key(
        "loss",
        Kind::Choice(&[
            Variant { name: Loss::Spherical.name(), about: "acos(s)^2 / 2", with: With::Nothing },
            Variant { name: Loss::Cosine.name(), about: "1 - s", with: With::Nothing },
            Variant {
                name: Loss::Dot.name(),
                about: "-e . f, where e is the window's embedding as the model returns it, before it is normalised to \
                        length 1, so it may grow as well as turn. How strongly a step pulls depends on the model; with \
                        one that normalises e itself, as `pocket` does, it is the same as cosine",
                with: With::Nothing,
            },
            Variant {
                name: Loss::L1.name(),
                about: "the sum of absolute differences between both embeddings, normalised to length 1",
                with: With::Nothing,
            },
            Variant {
                name: Loss::L2.name(),
                about: "sqrt(2 - 2 s), the distance between both embeddings, normalised to length 1",
                with: With::Nothing,
            },
        ]),
    )
};

const ACTIVE: Key = Key {
    unit: "steps",
    about: "When the target acts: from the first step until just before the end, both counted from 0 over the whole \
            run, like `step`; [0, 100] is the first hundred steps. If phases are made longer or shorter (`--steps`, \
            `--draft`), both keep their places in their phases. A target that is not active costs nothing. Without \
            this key, the target is always active.",
    example: "[100, \"end\"]",
    ..key("active", Kind::Steps)
};

const REGION_OF_TARGET: Key = Key {
    about: "The part of the canvas that the target may look at and change: a rectangle as [x, y, width, height] in \
            fractions of the canvas's width and height, from its left and top, or a mask. Details are placed inside \
            it, compositions fit it; changes beyond it are discarded. Sizes (`cover`) are still relative to the \
            canvas. Only the basis `pixels` keeps what no target looks at exactly as it is: the components of the \
            other bases reach further. Without this key, the region is the whole canvas.",
    example: "[0, 0.6, 1, 0.4]",
    ..key("region", Kind::Region)
};

const MODEL_OF_TARGET: Key = Key {
    about: "The CLIP model for this target, in place of the recipe's: its name, or the path of its folder. Several \
            models may work on one picture, each at its own window size. `--model` does not replace it.",
    example: "\"models/vit-b-32\"",
    ..key("model", Kind::Text)
};

const MODELS_OF_TARGET: Key = Key {
    about: "Several models for this target, in place of the recipe's: an ensemble, like the recipe's `models`. \
            `--model` does not replace them.",
    example: "[\"pocket\", \"models/vit-b-32\"]",
    ..key("models", Kind::Models)
};

const TEMPLATES_OF_TARGET: Key = Key {
    about: "Templates for the texts of its prompts, in place of the recipe's; an empty array leaves the texts as they \
            are.",
    example: "[\"a photo of {}\"]",
    ..key("templates", Kind::Templates)
};

const TARGET_WEIGHT: Key = Key {
    about: "How strongly the target pulls. Phases multiply it by theirs.",
    example: "0.5",
    ..key("weight", Kind::Schedule(WEIGHT))
};

pub(crate) static COMPOSITION: Table = Table {
    name: "composition",
    heading: "[[composition]]",
    about: "Something that the whole picture should show: its windows always fit the whole canvas.",
    keys: &[
        NAME,
        PROMPTS,
        STAGES_OF_TARGET,
        WINDOWS,
        Key {
            about: "How the square window fits a canvas that is not square.",
            example: "\"slide\"",
            ..key(
                "fit",
                Kind::Choice(&[
                    Variant {
                        name: Fit::Stretch.name(),
                        about: "the canvas is stretched to the square",
                        with: With::Nothing,
                    },
                    Variant {
                        name: Fit::Contain.name(),
                        about: "the whole canvas is inside the square, with its edges extended",
                        with: With::Nothing,
                    },
                    Variant {
                        name: Fit::Slide.name(),
                        about: "a square anywhere along the canvas",
                        with: With::Nothing,
                    },
                ]),
            )
        },
        SELECT,
        TEMPERATURE,
        CALIBRATION,
        LOSS,
        TARGET_WEIGHT,
        ACTIVE,
        REGION_OF_TARGET,
        TEMPLATES_OF_TARGET,
        MODEL_OF_TARGET,
        MODELS_OF_TARGET,
    ],
    exclusive: MODELS,
    one_needed: false,
};

pub(crate) static DETAIL: Table = Table {
    name: "detail",
    heading: "[[detail]]",
    about: "Something that parts of the picture should show: its windows lie at places that are drawn at random.",
    keys: &[
        NAME,
        PROMPTS,
        STAGES_OF_TARGET,
        WINDOWS,
        PLACES,
        SELECT,
        TEMPERATURE,
        CALIBRATION,
        LOSS,
        TARGET_WEIGHT,
        ACTIVE,
        REGION_OF_TARGET,
        TEMPLATES_OF_TARGET,
        MODEL_OF_TARGET,
        MODELS_OF_TARGET,
    ],
    exclusive: MODELS,
    one_needed: false,
};

pub(crate) static REGION: Table = Table {
    name: "region",
    heading: "region = { ... }",
    about: "A region of any shape, or a rectangle with soft edges.",
    keys: &[
        Key {
            about: "A grey picture, stretched to the canvas: white is inside, black is outside, and grey is changed \
                    less. Details are placed more often where it is lighter; transparent parts count as black. It is \
                    turned by its EXIF orientation. Its path is relative to the recipe's folder.",
            example: "\"mask.png\"",
            ..key("mask", Kind::File)
        },
        Key {
            about: "A rectangle as [x, y, width, height] in fractions of the canvas's width and height, from its left \
                    and top.",
            example: "[0, 0.6, 1, 0.4]",
            ..key("rectangle", Kind::Rectangle)
        },
        Key {
            unit: "fraction of the rectangle's shorter side",
            about: "How far from the rectangle's edges changes fade in, so that no seam shows. Where it touches the \
                    canvas's edge, nothing fades.",
            example: "0.25",
            ..key("feather", Kind::Number(Bounds::within(0.0, 0.5)))
        },
    ],
    exclusive: &["mask", "rectangle"],
    one_needed: true,
};

pub(crate) static PROMPT: Table = Table {
    name: "prompt",
    heading: "prompts = [{ ... }]",
    about: "One prompt, where a text alone is not enough: a text, an image or a direction, and its settings.",
    keys: &[
        Key { about: "What to show, in words.", example: "\"malazan\"", ..key("text", Kind::Text) },
        Key {
            about: "Several texts for one thing, in place of `text`: windows are compared with the mean of their \
                    embeddings. The tally counts them as one prompt, under the first text.",
            example: "[\"a red dragon\", \"a dragon breathing fire\"]",
            ..key("texts", Kind::Texts)
        },
        Key {
            about: "What to show, as an image file in place of `text`: windows are compared with the image's own \
                    embedding, so they take over its subject and its style rather than its lines. Its path is relative \
                    to the recipe's folder. It is seen as CLIP sees pictures, scaled and cropped at its centre, turned \
                    by its EXIF orientation, and with its transparent parts as white.",
            example: "\"reference.jpg\"",
            ..key("image", Kind::File)
        },
        Key {
            about: "A file of directions, made by `recipe-render direction fit`: what a classifier has learned to tell \
                    apart. Its term is the log-odds of `class`, times the weight. Whether positive or negative, it \
                    takes no part in the selection and acts on the winning view of every place; a target may have only \
                    directions, which then act on all its views. Its path is relative to the recipe's folder.",
            example: "\"letters.safetensors\"",
            ..key("direction", Kind::File)
        },
        Key {
            about: "The direction's class; it may be left out if the file has only one.",
            example: "\"letters\"",
            ..key("class", Kind::Text)
        },
        Key {
            about: "For a direction with a negative weight, the probability of the class below which it stops acting: \
                    what does not show the class is left as it is.",
            example: "0.05",
            ..key("below", Kind::Schedule(Bounds::within(0.0001, 0.9999)))
        },
        Key {
            about: "For a direction with a positive weight, the probability from which on it stops acting.",
            example: "0.7",
            ..key("above", Kind::Schedule(Bounds::within(0.0001, 0.9999)))
        },
        Key {
            about: "How strongly the prompt pulls. A negative weight avoids what it shows: such a prompt takes no part \
                    in the selection and acts on the winning view of every place. The sign cannot change over time.",
            example: "-0.3",
            ..key("weight", Kind::Schedule(Bounds::within(-1000.0, 1000.0)))
        },
        Key {
            about: "The factor for the prompt's similarity before prompts are compared: a larger one wins it more \
                    windows. Some prompts are more similar to any picture than others are. Avoided prompts do not \
                    compete.",
            example: "1.1",
            ..key("scale", Kind::Schedule(Bounds::above(0.0, 10.0)))
        },
        Key {
            about: "The similarity at which the prompt lets go: windows that are at least this similar are left as \
                    they are. For an avoided prompt, the similarity below which it stops acting. Without this key, a \
                    prompt never lets go, and an avoided prompt does so below 0.",
            example: "0.4",
            ..key("stop", Kind::Schedule(Bounds::within(-1.0, 1.0)))
        },
        Key {
            about: "A pipeline for this prompt alone; without it, the target's is used. A pipeline that begins with \
                    the target's pipeline sees a place as that one does.",
            example: "\"slanted\"",
            ..key("stages", Kind::Pipeline)
        },
        Key {
            about: "Templates for its text or texts, in place of the target's; an empty array leaves the texts as they \
                    are.",
            example: "[\"an oil painting of {}\"]",
            ..key("templates", Kind::Templates)
        },
    ],
    exclusive: &["text", "texts", "image", "direction"],
    one_needed: true,
};

pub(crate) static MODEL: Table = Table {
    name: "model",
    heading: "models = [{ ... }]",
    about: "One model of an ensemble, where a name alone is not enough.",
    keys: &[
        Key {
            about: "The model's name, or the path of its folder.",
            example: "\"models/vit-b-32\"",
            required: true,
            ..key("name", Kind::Text)
        },
        Key {
            about: "How much the model counts relative to the others: its share of the pull is its weight over the sum \
                    of all weights. It may change over time and must stay above 0.",
            example: "\"2 - t\"",
            ..key("weight", Kind::Schedule(Bounds::above(0.0, 1000.0)))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

/// The edge rules.
const EDGES: &[Variant] = &[
    Variant { name: EdgeKind::Mirror.name(), about: "the picture, mirrored", with: With::Nothing },
    Variant { name: EdgeKind::Wrap.name(), about: "the picture's opposite side, as in a tiling", with: With::Nothing },
    Variant { name: EdgeKind::Clamp.name(), about: "the outermost pixels", with: With::Nothing },
    Variant { name: EdgeKind::Fill.name(), about: "one colour", with: With::Value(&Kind::Colour) },
];

pub(crate) static STAGE: Table = Table {
    name: "stage",
    heading: "An entry of a pipeline",
    about: "One stage of a pipeline: a table with exactly one of these keys, and a `chance` beside it if it should not act on \
            every view; beside `noise`, also a `spectrum`. Geometric stages (`cover` to `flip`) compose first, in written order; the others follow, in written \
            order.",
    keys: &STAGE_KEYS,
    exclusive: &[],
    one_needed: false,
};

/// The stages' keys, and the other keys of a pipeline's entry.
static STAGE_KEYS: [Key; STAGES.len() + 3] = {
    let mut keys = [Key {
        unit: "probability",
        about: "The probability that the stage beside it acts on a view.",
        example: "0.5",
        ..key("chance", Kind::Schedule(Bounds::within(0.0, 1.0)))
    }; STAGES.len() + 3];
    let mut index = 0;
    while index < STAGES.len() {
        let stage = &STAGES[index];
        keys[index] =
            Key { unit: stage.unit, about: stage.about, example: stage.example, ..key(stage.name, stage.kind()) };
        index += 1;
    }
    keys[index] = Key {
        about: "What a window sees beyond the canvas's edge. The last `edge` of a pipeline counts; without one, it is \
                `mirror`.",
        example: "\"wrap\"",
        ..key("edge", Kind::Choice(EDGES))
    };
    keys[index + 1] = Key {
        about: "How the power of the `noise` beside it is spread over frequencies; its deviation stays the same. Without it, noise \
                is white.",
        example: "\"pink\"",
        ..key("spectrum", Kind::Choice(SPECTRA))
    };
    keys
};

/// The keys of a pipeline's entry that stand beside a stage.
pub(crate) const BESIDE_STAGES: [&str; 2] = ["chance", "spectrum"];

pub(crate) static RENDER: Table = Table {
    name: "render",
    heading: "[render]",
    about: "What all phases have in common.",
    keys: &[
        Key {
            unit: "steps",
            about: "How long the whole run is. Phases take `steps` or a `share` of it; those that set neither divide \
                    the rest evenly. Without this key, the run is as long as its phases.",
            example: "500",
            ..key("steps", Kind::Whole(STEPS.0, STEPS.1))
        },
        Key {
            about: "The optimiser of all phases that do not set one.",
            example: "\"sign\"",
            ..key("optimiser", Kind::Choice(OPTIMISERS))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

/// The optimisers.
const OPTIMISERS: &[Variant] = &[
    Variant {
        name: OptimiserKind::Adam.name(),
        about: "every parameter moves by up to `rate` per step while its gradient is steady, less if it is unsteady or \
                small; the default `rate` is made for this optimiser",
        with: With::Settings(&ADAM),
    },
    Variant {
        name: OptimiserKind::AdamW.name(),
        about: "`adam` with weight decay: the picture falls back to the mean colour that it started from wherever \
                nothing holds it",
        with: With::Settings(&ADAMW),
    },
    Variant {
        name: OptimiserKind::Sgd.name(),
        about: "gradient descent: steps are proportional to the gradient, so it works best with gradient = \
                \"normalise\" and rates of about 0.002; with `fourier` it moves only large, soft shapes",
        with: With::Settings(&SGD),
    },
    Variant {
        name: OptimiserKind::Rmsprop.name(),
        about: "the gradient over the root of its mean square: like `adam` without its mean, livelier and grainier",
        with: With::Settings(&RMSPROP),
    },
    Variant {
        name: OptimiserKind::Sign.name(),
        about: "every parameter moves by exactly `rate`: strong and noisy; use a quarter to half of `adam`'s rates, \
                falling to almost 0",
        with: With::Settings(&SIGN),
    },
];

/// The fraction of a running mean that is kept.
const KEPT: Bounds = Bounds::within(0.0, 0.999_999);
const EPSILON: Key = Key {
    about: "Added to the root of the mean square: parameters whose gradient is smaller than this move less. With \
            `gradient = \"normalise\"` gradients have a size of 1, and an epsilon of 1 leaves what hardly matters at \
            rest; with other gradients, use 1e-8.",
    example: "1e-6",
    ..key("epsilon", Kind::Number(Bounds::above(0.0, 1.0)))
};
const BETA1: Key = Key {
    about: "How much of the mean gradient is kept per step: 0.9 remembers about 10 steps.",
    example: "0.8",
    ..key("beta1", Kind::Number(KEPT))
};
const BETA2: Key = Key {
    about: "How much of the mean squared gradient is kept per step.",
    example: "0.999",
    ..key("beta2", Kind::Number(KEPT))
};

pub(crate) static ADAM: Table = Table {
    name: "adam",
    heading: "optimiser = { adam = { ... } }",
    about: "Settings of the optimiser `adam`.",
    keys: &[BETA1, BETA2, EPSILON],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static ADAMW: Table = Table {
    name: "adamw",
    heading: "optimiser = { adamw = { ... } }",
    about: "Settings of the optimiser `adamw`.",
    keys: &[
        BETA1,
        BETA2,
        EPSILON,
        Key {
            about: "Weight decay: each step moves every parameter towards its ground by `rate` times this fraction of \
                    the distance. The ground is the mean colour that the canvas starts from, not black.",
            example: "1",
            ..key("decay", Kind::Number(Bounds::within(0.0, 100.0)))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

const MOMENTUM: Key = Key {
    about: "How much of its speed a parameter keeps per step: with 0.9 a steady gradient moves it ten times as far.",
    example: "0.7",
    ..key("momentum", Kind::Number(KEPT))
};

pub(crate) static SGD: Table = Table {
    name: "sgd",
    heading: "optimiser = { sgd = { ... } }",
    about: "Settings of the optimiser `sgd`.",
    keys: &[
        MOMENTUM,
        Key {
            about: "Nesterov's momentum: the gradient counts once more, ahead of the speed.",
            example: "true",
            ..key("nesterov", Kind::Bool)
        },
    ],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static RMSPROP: Table = Table {
    name: "rmsprop",
    heading: "optimiser = { rmsprop = { ... } }",
    about: "Settings of the optimiser `rmsprop`.",
    keys: &[
        Key {
            about: "How much of the mean squared gradient is kept per step.",
            example: "0.9",
            ..key("keep", Kind::Number(KEPT))
        },
        EPSILON,
        MOMENTUM,
    ],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static SIGN: Table = Table {
    name: "sign",
    heading: "optimiser = { sign = { ... } }",
    about: "Settings of the optimiser `sign`.",
    keys: &[Key {
        about: "How much of the mean gradient, whose sign is used, is kept per step.",
        example: "0.5",
        ..key("momentum", Kind::Number(KEPT))
    }],
    exclusive: &[],
    one_needed: false,
};

pub(crate) static PHASE: Table = Table {
    name: "phase",
    heading: "[[phase]]",
    about: "A stretch of steps. In its values, `t` runs from 0 to 1 within the phase and `T` within the whole run.",
    keys: &[
        Key {
            about: "The phase's name. Without one, the phase is called by its position, like `phase 1`.",
            example: "\"compose\"",
            ..key("name", Kind::Text)
        },
        Key {
            unit: "steps",
            about: "How long the phase is; for a repeated phase, each repetition. The default is for recipes without \
                    `[render] steps`.",
            example: "150",
            ..key("steps", Kind::Whole(1, 10_000_000))
        },
        Key {
            unit: "fraction of [render] steps",
            about: "How long the phase is, with all repetitions together, in place of `steps`. All shares add up to at \
                    most 1.",
            example: "0.3",
            ..key("share", Kind::Number(Bounds::above(0.0, 1.0)))
        },
        Key {
            about: "How many times the phase is run in a row; `t` runs from 0 to 1 each time. The second repetition is \
                    called, for example, `detail (2)`.",
            example: "3",
            ..key("repeat", Kind::Whole(1, 1000))
        },
        Key {
            about: "How parameters follow their gradient. Without this key, the optimiser of `[render]` is used. A \
                    phase takes over the optimiser's memory from the phase before it if that optimiser is of the same \
                    kind, whatever its settings (`adam` and `adamw` are of one kind); otherwise it begins with an \
                    empty memory.",
            example: "{ sgd = { momentum = 0.9 } }",
            ..key("optimiser", Kind::Choice(OPTIMISERS))
        },
        Key {
            about: "What is done to the gradient before the optimiser sees it. This is the gradient of the parameters, \
                    not of the pixels, so the optimiser's steps are bounded whatever the basis.",
            example: "\"plain\"",
            ..key("gradient", Kind::Choice(GRADIENTS))
        },
        Key {
            unit: "fraction of the picture's sides",
            about: "The size at which the picture is optimised. Below 1, windows cost the same, everything else costs \
                    much less, and only large shapes are moved: `fourier` leaves out the finer frequencies, `pyramid` \
                    the finer levels, and `pixels` are resampled. What a window covers and what `finest` means stay \
                    the same, and pictures are always written at full size. A value that changes over time takes \
                    multiples of 1/16; no side is shorter than 16 pixels.",
            example: "0.25",
            ..key("resolution", Kind::Schedule(Bounds::above(0.0, 1.0)))
        },
        Key {
            unit: "steps",
            about: "The phase ends when no target's similarity has risen for this many steps. Similarities are \
                    smoothed over a quarter of these steps. The next phase begins with the step number, the random \
                    draws and the `T` that it would have had anyway. The patience is scaled with the phase (`--steps`, \
                    `--draft`). While `finest` is still opening, similarities pause and rise again: a phase that ends \
                    then leaves the picture as soft as it is. Without this key, no phase ends early.",
            example: "40",
            ..key("patience", Kind::Whole(1, 10_000_000))
        },
        Key {
            about: "How far a smoothed similarity must be above its highest value so far to count as risen, for \
                    `patience`.",
            example: "0.005",
            ..key("gain", Kind::Number(Bounds::within(0.0, 1.0)))
        },
        Key {
            about: "The optimiser's rate: how far a step goes.",
            example: "\"0.1 * (1 - 0.9*t)\"",
            ..key("rate", Kind::Schedule(Bounds::within(0.0, 10.0)))
        },
        Key {
            unit: "cycles per shorter canvas side",
            about: "The finest structure that the picture may have: a low-pass filter. Open it from coarse to fine. \
                    The default is for recipes in which no phase sets `finest`; if one does, the other phases filter \
                    nothing, as with \"off\".",
            example: "{ keys = [[0, 5], [1, 24]] }",
            ..key("finest", Kind::Switchable(Bounds::above(0.0, 65536.0)))
        },
        Key {
            about: "A weight for all compositions, or weights by name (`composition.sky = 0.5`), which multiplies a \
                    target's own weight. 0 switches the target off, and its windows then cost nothing. Without this \
                    key, it is 1.",
            example: "0",
            ..key("composition", Kind::Weights(WEIGHT))
        },
        Key {
            about: "A weight for all details, or weights by name (`detail.sky = \"1 - t\"`), which multiplies a \
                    target's own weight. 0 switches the target off, and its windows then cost nothing. Without this \
                    key, it is 1.",
            example: "{ sky = \"1 - t\" }",
            ..key("detail", Kind::Weights(WEIGHT))
        },
    ],
    exclusive: &["steps", "share"],
    one_needed: false,
};

/// The ways to treat a gradient.
const GRADIENTS: &[Variant] = &[
    Variant { name: GradientKind::Plain.name(), about: "nothing", with: With::Nothing },
    Variant {
        name: GradientKind::Normalise.name(),
        about: "the gradient is divided by its root mean square, so its size is 1 at every step, whatever the weights, \
                the number of windows and the resolution",
        with: With::Nothing,
    },
    Variant {
        name: GradientKind::Clip.name(),
        about: "if the gradient's norm, the root of its sum of squares, is above this value, the gradient is scaled \
                down to it",
        with: With::Value(&Kind::Schedule(Bounds::above(0.0, 1e9))),
    },
];

/// How values move between keyframes.
const EASES: &[Variant] = &[
    Variant { name: Ease::Linear.name(), about: "straight", with: With::Nothing },
    Variant { name: Ease::Smooth.name(), about: "slow at both ends, like smoothstep", with: With::Nothing },
    Variant { name: Ease::Cosine.name(), about: "slow at both ends, like half a cosine wave", with: With::Nothing },
    Variant { name: Ease::Hold.name(), about: "not at all, until the next keyframe", with: With::Nothing },
];

pub(crate) static KEYFRAMES: Table = Table {
    name: "keyframes",
    heading: "{ keys = [...], ease = ... }",
    about: "A value over time, wherever a schedule is allowed.",
    keys: &[
        Key {
            about: "Times within the phase, from 0 to 1 and ascending, with their values. Two keyframes at the same \
                    time make a jump.",
            example: "[[0, 5], [1, 24]]",
            required: true,
            ..key("keys", Kind::Keyframes)
        },
        Key {
            about: "How the value moves between two keyframes.",
            example: "\"smooth\"",
            ..key("ease", Kind::Choice(EASES))
        },
    ],
    exclusive: &[],
    one_needed: false,
};

/// A key to be filled in.
const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, unit: "", about: "", example: "", required: false }
}
