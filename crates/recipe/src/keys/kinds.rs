//! What tables, keys and values of a recipe can be.

/// A table of a recipe: the recipe itself, `[canvas]`, one `[[detail]]`, ...
#[derive(Debug)]
pub(crate) struct Table {
    /// The table's name in `defaults.toml`, in the schema's definitions and in messages.
    pub name: &'static str,
    /// The heading under which a recipe writes it.
    pub heading: &'static str,
    pub about: &'static str,
    pub keys: &'static [Key],
    /// Keys of which at most one can be given.
    pub exclusive: &'static [&'static str],
    /// Whether one of the exclusive keys must be given.
    pub one_needed: bool,
}

impl Table {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.keys.iter().map(|key| key.name)
    }
}

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// The unit of its value; empty if it has none.
    pub unit: &'static str,
    /// What the key means, and for a key without an entry in `defaults.toml` also what happens if it is not given.
    pub about: &'static str,
    /// An example value, as written in a recipe.
    pub example: &'static str,
    pub required: bool,
}

/// The kinds of value that a key accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A text that is not blank.
    Text,
    /// A file's path, relative to the recipe's folder.
    File,
    /// True or false.
    Bool,
    /// One or several files' paths.
    Files,
    /// A whole number.
    Whole(u64, u64),
    /// A number that stays the same.
    Number(Bounds),
    /// A number, an expression, or keyframes.
    Schedule(Bounds),
    /// A schedule, or the word "off".
    Switchable(Bounds),
    /// A schedule for all, or a table of schedules by the names of targets.
    Weights(Bounds),
    /// The range that a stage draws from: one schedule, or one for each end.
    Range(Single, Bounds),
    /// A name from a list. A name that carries settings is written as the only key of a table.
    Choice(&'static [Variant]),
    /// Red, green, blue.
    Colour,
    /// Width and height.
    Size,
    /// Times and values.
    Keyframes,
    /// A pipeline's name, or the pipeline itself.
    Pipeline,
    /// Pipelines by their names.
    Pipelines,
    /// Texts, or tables with a text or an image.
    Prompts,
    /// An array of models: names or paths, or tables with a name and a weight.
    Models,
    /// An array of texts, at least one.
    Texts,
    /// An array of texts, each with a placeholder for another text.
    Templates,
    /// The step at which a part of the run begins, and the one at which it ends.
    Steps,
    /// A rectangle in fractions of the canvas.
    Rectangle,
    /// A rectangle in fractions of the canvas, or a table of a rectangle or mask.
    Region,
    Table(&'static Table),
    Tables(&'static Table),
}

/// The meaning of a single number where a range is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Single {
    /// 15 means from -15 to 15.
    MinusToPlus,
    /// 0.1 means from 0 to 0.1.
    FromZero,
    /// 0.5 means 0.5.
    Fixed,
}

/// One of the names of a choice.
#[derive(Debug)]
pub(crate) struct Variant {
    pub name: &'static str,
    pub about: &'static str,
    pub with: With,
}

/// What a name of a choice carries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum With {
    Nothing,
    /// Settings that have defaults: `"NAME"` or `{ NAME = { ... } }`.
    Settings(&'static Table),
    /// A value that must be given: `{ NAME = ... }`.
    Value(&'static Kind),
}

/// The finite numbers that a value may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub low: f64,
    pub high: f64,
    /// Whether `low` itself is excluded.
    pub above: bool,
}

impl Bounds {
    pub const fn within(low: f64, high: f64) -> Self {
        Bounds { low, high, above: false }
    }

    pub const fn above(low: f64, high: f64) -> Self {
        Bounds { low, high, above: true }
    }

    /// Whether a value is within the bounds; infinities and NaN never are.
    pub fn hold(&self, value: f64) -> bool {
        value <= self.high && if self.above { value > self.low } else { value >= self.low }
    }

    /// "from 0 to 1".
    pub fn words(&self) -> String {
        if self.above {
            format!("above {}, at most {}", self.low, self.high)
        } else {
            format!("from {} to {}", self.low, self.high)
        }
    }
}

impl Kind {
    /// Describes the expected value, in words that follow "expected".
    pub fn words(&self) -> String {
        let number = |bounds: &Bounds| format!("a number {}", bounds.words());
        let schedule =
            |bounds: &Bounds| format!("{}, an expression of t in quotes, or {{ keys = [...] }}", number(bounds));
        match self {
            Kind::Text => "a text in quotes".into(),
            Kind::File => "a file's path in quotes".into(),
            Kind::Bool => "true or false".into(),
            Kind::Files => "a file's path in quotes, or an array of these".into(),
            Kind::Whole(low, high) => format!("a whole number from {low} to {high}"),
            Kind::Number(bounds) => number(bounds),
            Kind::Schedule(bounds) => schedule(bounds),
            Kind::Switchable(bounds) => format!("\"off\", {}", schedule(bounds)),
            Kind::Weights(bounds) => format!("{}, or a table of these by target names", schedule(bounds)),
            Kind::Range(_, bounds) => format!("{}, or [low, high]", schedule(bounds)),
            Kind::Choice(variants) => {
                let words = variants.iter().map(|variant| match variant.with {
                    With::Nothing => format!("\"{}\"", variant.name),
                    With::Settings(_) => format!("\"{0}\" or {{ {0} = {{ ... }} }}", variant.name),
                    With::Value(kind) => format!("{{ {} = {} }}", variant.name, kind.words()),
                });
                let words: Vec<String> = words.collect();
                if words.len() == 1 { words.concat() } else { format!("one of {}", words.join(", ")) }
            }
            Kind::Colour => "[red, green, blue], each from 0 to 1".into(),
            Kind::Size => format!("[width, height], each from {} to {} pixels", SIDES.0, SIDES.1),
            Kind::Keyframes => "[[time, value], ...]".into(),
            Kind::Pipeline => "a pipeline's name in quotes, or an array of stages".into(),
            Kind::Pipelines => "a table of pipelines by their names".into(),
            Kind::Prompts => "an array of texts, or of tables like { text = \"...\", weight = 0.5 }".into(),
            Kind::Models => {
                "an array of models: names or paths, or tables like { name = \"...\", weight = 0.5 }".into()
            }
            Kind::Texts => "an array of texts".into(),
            Kind::Templates => "an array of texts with {} in each, where the prompt's text goes".into(),
            Kind::Steps => "[first step, end], counted in steps from 0; the end is a step, or \"end\"".into(),
            Kind::Rectangle => "[x, y, width, height] in fractions of the canvas".into(),
            Kind::Region => "[x, y, width, height] in fractions of the canvas, or { mask = \"mask.png\" }".into(),
            Kind::Table(_) => "a table".into(),
            Kind::Tables(table) => format!("an array of tables, each written as {}", table.heading),
        }
    }
}

/// The least and the greatest side of a canvas, in pixels.
pub(crate) const SIDES: (u64, u64) = (16, 65536);

/// The range of every seed: all of 64 bits.
pub(crate) const SEEDS: (u64, u64) = (0, u64::MAX);

/// The range of a whole run's steps, given as one number.
pub(crate) const STEPS: (u64, u64) = (1, 10_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_no_value_that_is_not_finite() {
        for bounds in [Bounds::within(-1.0, 1.0), Bounds::above(0.0, 8.0)] {
            assert!(![f64::NAN, f64::INFINITY, f64::NEG_INFINITY].iter().any(|value| bounds.hold(*value)));
            assert!(bounds.hold(bounds.high) && bounds.hold(0.5));
            assert_eq!(bounds.hold(bounds.low), !bounds.above);
        }
    }
}
