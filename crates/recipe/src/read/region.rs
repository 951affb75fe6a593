//! Regions as written: a rectangle in fractions of the canvas, or a mask, which is checked when the recipe is read.

use image::DynamicImage;
use toml::de::DeValue;

use crate::keys::{Bounds, REGION};
use crate::picture_file::Behind;
use crate::plan::Region;
use crate::read::reader::{Reader, Value};
use crate::read::scalars::number_of;
use crate::report::numbers::short;

/// The tolerance for rounding errors in sums of fractions.
const ROUNDING: f64 = 1e-9;

impl<'a> Reader<'a> {
    /// Reads a part of the canvas; none if it was reported, or if it is the whole canvas.
    pub fn region(&mut self, value: &Value<'a>) -> Option<Region> {
        match value.node {
            DeValue::Table(_) => {
                let fields = self.table(&REGION, value)?;
                let feather = fields.written("feather");
                if let Some(mask) = fields.written("mask") {
                    if let Some(feather) = feather {
                        self.error(feather.span, "a mask fades by its greys; `feather` is for rectangles").hint =
                            Some("leave it out, or blur the mask's edges".into());
                    }
                    return self.mask(&mask);
                }
                let feather = self.get_number(&fields, "feather");
                Some(Region::Rectangle { sides: self.rectangle(&fields.written("rectangle")?)?, feather })
            }
            _ => Some(Region::Rectangle { sides: self.rectangle(value)?, feather: 0.0 }),
        }
        // The whole canvas has no edges of its own.
        .filter(|region| !matches!(region, Region::Rectangle { sides: [0.0, 0.0, 1.0, 1.0], .. }))
    }

    fn rectangle(&mut self, value: &Value<'a>) -> Option<[f64; 4]> {
        let before = self.diagnostics.len();
        let rectangle: Option<[f64; 4]> = self.numbers(value, Bounds::within(0.0, 1.0));
        let Some([x, y, width, height]) = rectangle else {
            let numbers = value.node.as_array().into_iter().flatten().filter_map(|item| number_of(item.get_ref()));
            if numbers.into_iter().any(|number| number > 1.0)
                && let Some(diagnostic) = self.diagnostics.get_mut(before)
            {
                diagnostic.hint = Some("fractions of the canvas: divide pixels by its width or height".into());
            }
            return None;
        };
        for (side, word) in [(width, "width"), (height, "height")] {
            if side == 0.0 {
                let diagnostic = self.unfit(value, format!("this region's {word} is 0"));
                diagnostic.hint = Some("the third and fourth numbers are its width and height".into());
                return None;
            }
        }
        for (start, side, words) in [(x, width, ("right", "width")), (y, height, ("lower", "height"))] {
            if start + side > 1.0 + ROUNDING {
                let (edge, word) = words;
                let message =
                    format!("this region reaches beyond the canvas's {edge} edge: {start} + {side} is more than 1");
                self.error(value.span.clone(), message).hint =
                    Some(format!("[x, y, width, height]: the {word} here is at most {}", short(1.0 - start)));
                return None;
            }
        }
        Some([x, y, width, height])
    }

    fn mask(&mut self, value: &Value<'a>) -> Option<Region> {
        let (path, seen) = self.picture(value, "read the mask", Behind::Black)?;
        let (black, white) = extremes(&seen.image);
        if black {
            self.error(value.span.clone(), "this mask is black everywhere: nothing could change").hint =
                Some("white is where the target may look and change".into());
            return None;
        }
        if white {
            let message = "this mask is white everywhere: it limits nothing";
            self.warning(value.span.clone(), message);
        }
        Some(Region::Mask(path))
    }
}

/// Whether all pixels of a mask are black, and whether all are white.
fn extremes(image: &DynamicImage) -> (bool, bool) {
    let (mut black, mut white) = (true, true);
    for pixel in image.to_luma16().pixels() {
        let [grey] = pixel.0;
        black &= grey == 0;
        white &= grey == u16::MAX;
    }
    (black, white)
}
