//! The tables of a recipe, each read into its typed form: the recipe itself and the canvas. Targets, phases and pipelines have
//! files of their own.

use toml::de::{DeTable, DeValue};

use crate::keys;
use crate::keys::parse::parse_size;
use crate::keys::{Kind, SIDES};
use crate::plan::{Basis, BasisKind, Ground, Schedule, Size};
use crate::read::reader::{Fields, Reader, Value};
use crate::read::written::{At, Recipe, Start, Target, TargetKind};
use crate::sources::origin::Origins;

/// The maximum number of targets. The weights of all targets in all phases fill a matrix; this keeps it small.
const MOST_TARGETS: usize = 100;

impl<'a> Reader<'a> {
    /// Reads a whole recipe. What does not fit is reported and replaced by something harmless, so that the rest can still be checked.
    pub fn recipe(&mut self, document: &'a DeTable<'a>) -> Recipe {
        let fields = self.fields(&keys::RECIPE, document, 0..0);
        let title = fields.written("title").and_then(|value| self.text(&value));
        let size = fields.get("size").and_then(|value| self.size(&value));
        let seed = fields.get("seed").and_then(|value| self.whole(&value));
        let models = self.own_models(&fields);
        let said = fields.written("models").or_else(|| fields.written("model"));
        let default_model = fields.get("model").filter(|_| said.is_none()).and_then(|value| self.text(&value));
        let canvas = self.section(&fields, "canvas", &keys::CANVAS);
        let mut origins = self.origins(&fields, "");
        origins.extend(said.map(|value| ("model".to_owned(), self.origin(&value))));
        origins.extend(self.origins(&canvas, "canvas."));
        let basis = canvas.get("basis").and_then(|value| self.basis(&value, &mut origins));
        let init = self.section(&canvas, "init", &keys::INIT);
        origins.extend(self.origins(&init, "canvas.init."));
        let (ground, start) = self.ground(&init);
        let noise = self.get_number(&init, "noise");
        let size = size.unwrap_or(Size { width: 512, height: 512 });
        Recipe {
            title,
            size,
            own_size: size,
            seed: seed.unwrap_or(0),
            models,
            default_model,
            basis: basis.unwrap_or(Basis::Pixels),
            ground,
            start,
            noise,
            pipelines: fields.written("stages").map(|value| self.pipelines(&value)).unwrap_or_default(),
            targets: self.targets(&fields),
            phases: self.phases(&fields),
            origins,
        }
    }

    /// Reads a size.
    pub fn size(&mut self, value: &Value<'a>) -> Option<Size> {
        if let DeValue::String(text) = value.node
            && let Some(size) = parse_size(text).ok()
        {
            self.wrong_type(value).hint = Some(format!("write [{}, {}]", size.width, size.height));
            return None;
        }
        let [width, height] = self.wholes(value, SIDES.0, SIDES.1)?;
        Some(Size { width: width as u32, height: height as u32 })
    }

    fn basis(&mut self, value: &Value<'a>, origins: &mut Origins) -> Option<Basis> {
        let chosen = self.chosen(value)?;
        Some(match chosen.word {
            BasisKind::Fourier => {
                let fields = self.settings(&chosen, value, &keys::FOURIER)?;
                origins.extend(self.origins(&fields, "canvas.basis."));
                Basis::Fourier { decay: self.get_number(&fields, "decay"), chroma: self.get_number(&fields, "chroma") }
            }
            BasisKind::Pyramid => {
                let fields = self.settings(&chosen, value, &keys::PYRAMID)?;
                origins.extend(self.origins(&fields, "canvas.basis."));
                let coarsest = fields.get("coarsest").and_then(|value| self.whole(&value))?;
                Basis::Pyramid { coarsest: coarsest as u32 }
            }
            BasisKind::Pixels => Basis::Pixels,
        })
    }

    /// Reads what the canvas starts from, and for a picture also what is known of it.
    fn ground(&mut self, init: &Fields<'a>) -> (Ground, Option<At<Start>>) {
        let [colour, image] = ["colour", "image"].map(|name| init.written(name));
        let colour = colour.and_then(|value| self.colour(&value));
        let image = image.and_then(|value| self.start(&value));
        let grey = self.get_number(init, "mean");
        let ground = match (&image, colour) {
            (Some(image), _) => Ground::Image(image.value.path.clone()),
            (None, Some(colour)) => Ground::Colour(colour),
            (None, None) => Ground::Colour([grey; 3]),
        };
        (ground, image)
    }

    /// Reads a number that has a default.
    pub fn get_number(&mut self, fields: &Fields<'a>, name: &'static str) -> f64 {
        let value = fields.get(name);
        let number = value.and_then(|value| match value.kind {
            Kind::Number(bounds) => self.number(&value, bounds),
            _ => None,
        });
        number.unwrap_or(0.0)
    }

    /// Reads a schedule that has a default.
    pub fn get_schedule(&mut self, fields: &Fields<'a>, name: &'static str) -> Schedule {
        let value = fields.get(name);
        let schedule = value.and_then(|value| match value.kind {
            Kind::Schedule(bounds) => self.schedule(&value, bounds),
            _ => None,
        });
        schedule.unwrap_or(Schedule::Constant(1.0))
    }

    fn targets(&mut self, recipe: &Fields<'a>) -> Vec<Target> {
        let compositions = self.tables(recipe, "composition", &keys::COMPOSITION);
        let details = self.tables(recipe, "detail", &keys::DETAIL);
        let templates = recipe.written("templates").and_then(|value| self.templates(&value)).unwrap_or_default();
        let mut targets = Vec::new();
        for (kind, tables) in [(TargetKind::Composition, compositions), (TargetKind::Detail, details)] {
            for (index, fields) in tables.iter().enumerate() {
                if targets.len() == MOST_TARGETS {
                    self.error(fields.span.clone(), format!("more than {MOST_TARGETS} targets"));
                    return targets;
                }
                // Values that a target does not give come from its own model's advice.
                let own = self.advice;
                self.advice = self.counsel.and_then(|counsel| fields.advice_of_target(counsel, self.sources));
                targets.push(self.target(kind, index + 1, &fields.advised_by(self.advice), &templates));
                self.advice = own;
            }
        }
        let said = ["composition", "detail"].iter().any(|name| recipe.written(name).is_some());
        if self.partial {
            // Targets may be in a text that could not be read.
        } else if !said && recipe.knows_all_its_keys() {
            let diagnostic = self.error(0..0, "this recipe shows nothing: it has neither a composition nor a detail");
            diagnostic.hint = Some("begin with [[detail]] and, on the next line, prompts = [\"...\"]".into());
        } else if said && targets.is_empty() && self.diagnostics.is_empty() {
            self.error(0..0, "this recipe shows nothing: its compositions and details are empty arrays");
        }
        targets
    }

    /// Reads the name that a table gives itself.
    pub fn name(&mut self, fields: &Fields<'a>) -> Option<At<String>> {
        let value = fields.written("name")?;
        let span = value.span.clone();
        let name = self.text(&value)?;
        if name == "keys" || name.contains(char::is_control) {
            self.error(span, "this is not allowed as a name").hint = Some("choose another word".into());
            return None;
        }
        Some(At { value: name, span })
    }
}
