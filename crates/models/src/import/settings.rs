//! What must be known of a model besides its graphs, from whatever says it.

use crate::clip::{Clean, Interpolation, Resize};

/// What the user, a file or a table says of a model; what nobody says is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The window's side in pixels.
    pub size: Option<u32>,
    /// Subtracted from pixels in 0..1, per channel.
    pub mean: Option<[f32; 3]>,
    /// What they are then divided by.
    pub deviation: Option<[f32; 3]>,
    /// How a picture becomes a window.
    pub resize: Option<Resize>,
    pub interpolation: Option<Interpolation>,
    /// The fixed number of tokens; `Some(0)`: any.
    pub context: Option<usize>,
    /// The token id that pads.
    pub padding: Option<i64>,
    pub clean: Option<Clean>,
    pub image_input: Option<String>,
    pub image_output: Option<String>,
    pub text_ids: Option<String>,
    pub text_mask: Option<String>,
    pub text_output: Option<String>,
}

impl Settings {
    /// These settings, with `other` for what they leave open.
    #[must_use]
    pub fn or(self, other: Settings) -> Settings {
        Settings {
            size: self.size.or(other.size),
            mean: self.mean.or(other.mean),
            deviation: self.deviation.or(other.deviation),
            resize: self.resize.or(other.resize),
            interpolation: self.interpolation.or(other.interpolation),
            context: self.context.or(other.context),
            padding: self.padding.or(other.padding),
            clean: self.clean.or(other.clean),
            image_input: self.image_input.or(other.image_input),
            image_output: self.image_output.or(other.image_output),
            text_ids: self.text_ids.or(other.text_ids),
            text_mask: self.text_mask.or(other.text_mask),
            text_output: self.text_output.or(other.text_output),
        }
    }
}
