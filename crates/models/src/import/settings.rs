//! The settings that a model needs besides its graphs, whatever their source.

use crate::clip::{Clean, Interpolation, Resize};

/// Settings of a model from the user, a file or a table; `None` where nothing gives a value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The window's side in pixels.
    pub size: Option<u32>,
    /// Subtracted from pixels in 0..1, per channel.
    pub mean: Option<[f32; 3]>,
    /// Divides the pixels after that.
    pub deviation: Option<[f32; 3]>,
    /// How a picture becomes a window.
    pub resize: Option<Resize>,
    pub interpolation: Option<Interpolation>,
    /// The fixed number of tokens; `Some(0)` means any number.
    pub context: Option<usize>,
    /// The token id used for padding.
    pub padding: Option<i64>,
    pub clean: Option<Clean>,
    pub image_input: Option<String>,
    pub image_output: Option<String>,
    pub text_ids: Option<String>,
    pub text_mask: Option<String>,
    pub text_output: Option<String>,
}

impl Settings {
    /// Returns these settings, with missing ones taken from `other`.
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
