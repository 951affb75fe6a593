//! Writes PNG files with their origin inside, and reads it back.
//!
//! Text is stored in iTXt chunks (PNG specification, third edition, 11.3.3.4) as UTF-8, before the pixels, so it can be read without
//! decoding them. Besides our own keywords, the standard `Software` and `Title` are written.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use image::RgbImage;
use png::text_metadata::ITXtChunk;
use png::{
    BitDepth, ColorType, Compression, Decoder, DecodingError, Encoder, EncodingError, SrgbRenderingIntent, Writer,
};
use serde::de::DeserializeOwned;

use super::origin::Origin;
use super::whole::{WriteError, write_whole};
use crate::picture::Picture;
use crate::plan::Size;

/// The recipe's text, byte for byte, compressed.
const RECIPE: &str = "recipe-render:recipe";
/// [`Bases`](crate::given::Bases) as JSON, compressed; only if there are any.
const BASES: &str = "recipe-render:bases";
/// [`super::Facts`] as JSON.
const FACTS: &str = "recipe-render:facts";
/// The maximum size of a recipe read back from a picture, in bytes: larger than any recipe, but harmless.
const LONGEST: usize = 64 << 20;

/// Writes a picture to `path`, whole or not at all.
pub fn write_png(path: &Path, picture: &Picture, origin: &Origin) -> Result<(), WriteError> {
    write_whole(path, |file| encode(file, picture, origin).map_err(into_io))
}

/// Encodes a picture: 8 bits per channel, sRGB.
fn encode(file: &mut dyn Write, picture: &Picture, origin: &Origin) -> Result<(), EncodingError> {
    let mut writer = open(file, picture.size, origin)?;
    writer.write_image_data(&picture.to_rgb8())?;
    writer.finish()
}

/// Begins the file of a picture of a size, up to its pixels.
pub(super) fn open<'f>(
    file: &'f mut dyn Write,
    size: Size,
    origin: &Origin,
) -> Result<Writer<&'f mut dyn Write>, EncodingError> {
    let mut encoder = Encoder::new(file, size.width, size.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_text_chunk(&text("Software", &format!("recipe-render {}", origin.facts.version)))?;
    if let Some(title) = &origin.facts.title {
        writer.write_text_chunk(&text("Title", title))?;
    }
    let facts = serde_json::to_string(&origin.facts).map_err(io::Error::from)?;
    writer.write_text_chunk(&text(FACTS, &facts))?;
    let bases = match origin.bases.is_empty() {
        true => None,
        false => Some(text(BASES, &serde_json::to_string(&origin.bases).map_err(io::Error::from)?)),
    };
    // The recipe comes last: if it is present, so is everything it needs.
    for mut chunk in bases.into_iter().chain([text(RECIPE, &origin.recipe)]) {
        chunk.compressed = true;
        writer.write_text_chunk(&chunk)?;
    }
    Ok(writer)
}

/// Writes a sheet of pictures to `path`, whole or not at all: 8 bits per channel, sRGB, with its title but no recipe.
pub fn write_rgb(path: &Path, image: &RgbImage, title: &str) -> Result<(), WriteError> {
    let encode = |file: &mut dyn Write| -> Result<(), EncodingError> {
        let mut encoder = Encoder::new(file, image.width(), image.height());
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
        let mut writer = encoder.write_header()?;
        writer.write_text_chunk(&text("Software", concat!("recipe-render ", env!("CARGO_PKG_VERSION"))))?;
        if !title.is_empty() {
            writer.write_text_chunk(&text("Title", title))?;
        }
        writer.write_image_data(image.as_raw())?;
        writer.finish()
    };
    write_whole(path, |file| encode(file).map_err(into_io))
}

pub(super) fn into_io(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

fn text(keyword: &str, text: &str) -> ITXtChunk {
    ITXtChunk::new(keyword, text)
}

/// Why a recipe cannot be recovered from a picture.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error("{0}")]
    Unreadable(io::Error),
    #[error("is not a PNG file")]
    NotPng,
    #[error("is cut off: it ends before its recipe")]
    Truncated,
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("has no recipe inside")]
    NoRecipe,
}

impl RecoverError {
    /// Returns a hint, if one would help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RecoverError::NoRecipe => {
                Some("recipe-render keeps the recipe in every PNG it writes; editors and web sites often remove it")
            }
            RecoverError::NotPng => Some("recover reads the PNG files that recipe-render writes"),
            RecoverError::Truncated | RecoverError::Damaged(_) => Some("try another copy of the file"),
            RecoverError::Unreadable(_) => None,
        }
    }
}

/// Reads the origin of the picture at `path`.
pub fn recover(path: &Path) -> Result<Origin, RecoverError> {
    let file = File::open(path).map_err(RecoverError::Unreadable)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(RecoverError::Unreadable(io::Error::new(io::ErrorKind::IsADirectory, "is a folder")));
    }
    recover_from(BufReader::new(file))
}

/// Reads the origin from a file's content.
pub fn recover_from(mut file: impl io::BufRead + Seek) -> Result<Origin, RecoverError> {
    check_signature(&mut file)?;
    decode(file)
}

fn check_signature(file: &mut (impl Read + Seek)) -> Result<(), RecoverError> {
    const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start).map_err(RecoverError::Unreadable)?;
    match start.len() {
        1..8 if SIGNATURE.starts_with(&start) => Err(RecoverError::Truncated),
        _ if start != SIGNATURE => Err(RecoverError::NotPng),
        _ => file.rewind().map_err(RecoverError::Unreadable),
    }
}

fn decode(file: impl io::BufRead + Seek) -> Result<Origin, RecoverError> {
    let mut options = png::DecodeOptions::default();
    // A damaged chunk must be reported, not skipped: it may be the one we look for.
    options.set_skip_ancillary_crc_failures(false);
    let mut decoder = Decoder::new_with_options(file, options);
    decoder.set_limits(png::Limits { bytes: LONGEST });
    let mut reader = decoder.read_info().map_err(damage)?;
    let mut origin = find(&reader.info().utf8_text)?;
    if origin.is_none() {
        // Programs that rewrite a PNG may put text after the pixels.
        reader.finish().map_err(damage)?;
        origin = find(&reader.info().utf8_text)?;
    }
    origin.ok_or(RecoverError::NoRecipe)
}

fn find(chunks: &[ITXtChunk]) -> Result<Option<Origin>, RecoverError> {
    let read = |keyword: &str| -> Result<Option<String>, RecoverError> {
        let Some(chunk) = chunks.iter().find(|chunk| chunk.keyword == keyword) else { return Ok(None) };
        let mut chunk = chunk.clone();
        chunk.decompress_text_with_limit(LONGEST).and_then(|()| chunk.get_text()).map(Some).map_err(damage)
    };
    let Some(recipe) = read(RECIPE)? else { return Ok(None) };
    let (bases, facts) = (parsed(read(BASES)?)?, parsed(read(FACTS)?)?);
    Ok(Some(Origin { recipe, bases, facts }))
}

/// Parses a chunk's JSON; the default if the chunk is missing.
fn parsed<T: Default + DeserializeOwned>(json: Option<String>) -> Result<T, RecoverError> {
    let Some(json) = json else { return Ok(T::default()) };
    serde_json::from_str(&json).map_err(|error| RecoverError::Damaged(error.to_string()))
}

fn damage(error: DecodingError) -> RecoverError {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => RecoverError::Truncated,
        DecodingError::IoError(error) => RecoverError::Unreadable(error),
        other => RecoverError::Damaged(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Base, Bases, Overrides};
    use crate::output::{Facts, TallyLine};

    fn picture() -> Picture {
        let size = Size { width: 31, height: 17 };
        Picture { size, pixels: (0..size.area() * 3).map(|i| (i % 256) as f32 / 255.0).collect() }
    }

    fn origin(recipe: &str) -> Origin {
        let facts = Facts {
            continued: Vec::new(),
            version: "1.2.3".into(),
            title: Some("Dürer's «hare»\nand 野兎".into()),
            model: "pocket".into(),
            model_hash: "abc".into(),
            models: Vec::new(),
            seed: u64::MAX,
            size: [31, 17],
            steps: 3,
            steps_spared: 0,
            steps_planned: 5,
            overrides: Overrides { steps: Some(5), ..Overrides::default() },
            device: "cpu".into(),
            tally: vec![TallyLine { prompt: "malazan".into(), target: "detail 1".into(), won: 879, probability: None }],
        };
        let base = |path: &str, extends| Base { path: path.into(), text: "# ø\r\n".into(), extends };
        let bases = Bases { extends: vec![0], recipes: vec![base("../a.toml", vec![1]), base("b.toml", vec![])] };
        Origin { recipe: recipe.into(), bases, facts }
    }

    #[test]
    fn any_text_comes_back_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        let long = "# a long comment\r\n".repeat(200_000);
        for recipe in ["", "\n", "a = 1", "a = 1\r\nb = 2\r", "\u{feff}# ø 野 🐇\n#\n#\t\n", " \n\n ", &long] {
            let origin = origin(recipe);
            write_png(&path, &picture(), &origin).unwrap();
            assert_eq!(recover(&path).unwrap(), origin);
        }
    }

    #[test]
    fn the_picture_is_what_it_was_and_the_bytes_repeat() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        encode(&mut first, &picture(), &origin("a = 1")).unwrap();
        encode(&mut second, &picture(), &origin("a = 1")).unwrap();
        assert_eq!(first, second);
        let decoded = image::load_from_memory(&first).unwrap().to_rgb8();
        assert_eq!((decoded.width(), decoded.height()), (31, 17));
        assert_eq!(decoded.into_raw(), picture().to_rgb8());
    }

    #[test]
    fn other_files_and_damaged_ones_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        let mut whole = Vec::new();
        encode(&mut whole, &picture(), &origin("a = 1")).unwrap();
        let of = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            recover(&path)
        };
        // Cut anywhere: before the end of the recipe an error, after it the recipe.
        let pixels = whole.windows(4).position(|four| four == b"IDAT").unwrap();
        for length in 1..whole.len() {
            match of(&whole[..length]) {
                Ok(origin) => assert!(length >= pixels && origin.recipe == "a = 1", "{length}"),
                Err(error) => {
                    assert!(length <= pixels + 4 && matches!(error, RecoverError::Truncated), "{length}: {error}")
                }
            }
        }
        // A flipped bit anywhere never causes a panic or another recipe.
        for at in 0..pixels {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            if let Ok(origin) = of(&flipped) {
                assert_eq!(origin.recipe, "a = 1");
            }
        }
        assert!(matches!(of(b""), Err(RecoverError::NotPng)));
        assert!(matches!(of(b"GIF89a and more"), Err(RecoverError::NotPng)));
        let mut foreign = Vec::new();
        let mut encoder = Encoder::new(&mut foreign, 1, 1);
        encoder.add_text_chunk("Comment".into(), "hello".into()).unwrap();
        encoder.write_header().unwrap().write_image_data(&[7]).unwrap();
        assert!(matches!(of(&foreign), Err(RecoverError::NoRecipe)));
        assert!(matches!(recover(folder.path()), Err(RecoverError::Unreadable(_))));
    }
}
