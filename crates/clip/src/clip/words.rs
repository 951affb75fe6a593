//! How a model understands the words of prompts, as far as this is known without onnxruntime.

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
    /// If the file cannot be read or is malformed.
    pub fn open(model: &ModelFolder) -> Result<Self, ClipError> {
        match model.description.language() {
            Some(Language::Labels(list)) => Labels::open(model, list).map(Words::Labels),
            _ => TextTokenizer::open(model).map(|tokenizer| Words::Tokens(Box::new(tokenizer))),
        }
    }
}
