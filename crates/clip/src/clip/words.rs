//! What a model makes of the words of prompts, as far as it can be told without onnxruntime.

use super::{ClipError, Labels, Language, ModelFolder, TextTokenizer};

/// A model's tokenizer, or a classifier's labels.
pub enum Words {
    Tokens(Box<TextTokenizer>),
    Labels(Labels),
}

impl Words {
    /// Reads them from a model folder.
    ///
    /// # Errors
    /// The file cannot be read, or is not what it should be.
    pub fn open(model: &ModelFolder) -> Result<Self, ClipError> {
        match model.description.language() {
            Some(Language::Labels(list)) => Labels::open(model, list).map(Words::Labels),
            _ => TextTokenizer::open(model).map(|tokenizer| Words::Tokens(Box::new(tokenizer))),
        }
    }
}
