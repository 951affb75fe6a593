//! Models: folders, tokenizers, text features, and the image encoder with its similarity head.

mod cancel;
mod description;
mod encoder;
mod error;
mod feature_cache;
mod features;
mod folder;
mod head;
mod image_graph;
mod jpeg;
mod labels;
mod names;
mod pictures;
mod preprocess;
mod repair;
mod text;
mod tokens;
mod words;

pub use cancel::Cancel;
pub use description::{
    Clean, Description, ImageEncoder, LabelList, Language, NamesFile, Reference, Source, TextEncoder, Tokenizer,
};
pub use encoder::{Encoder, NEVER, Questions};
pub use error::ClipError;
pub use feature_cache::{FEATURES, features_folder};
pub use features::{Features, Odds, Probe, Quadric, TEMPERATURE, mean};
pub use folder::{ModelFolder, data_folder, files_beside, map_file};
pub use image_graph::ImageGraph;
pub use labels::{FEWEST, Labels, Named, Reading, lines, split};
pub use names::Name;
pub use pictures::image_features;
pub use preprocess::{Interpolation, Photo, Resize};
pub use text::{TextSession, TextTokenizer, WORD_END, features, features_with, is_of_clips_kind};
pub use tokens::{Stranger, Tokens};
pub use words::Words;
