//! Examples that the program draws itself.

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::folders::{entries, is_picture};
use crate::cli::args::direction::DrawnArgs;
use crate::cli::failure::Failure;
use crate::cli::terminal::Voice;
use crate::cli::terminal::bar::Bar;
use crate::clip::{Encoder, Photo};
use crate::direction::contrast::{Backdrop, Contrast, Fonts, Studio};
use crate::direction::{self, Examples};
use crate::output::{check_own_picture, write_rgb};
use crate::picture_file::{self, Behind};

/// The source of drawn examples: the arguments and the studio.
pub(super) struct Drawn<'a> {
    args: &'a DrawnArgs,
    studio: Studio,
}

impl<'a> Drawn<'a> {
    /// Looks for fonts and pictures. Returns none if nothing is to be drawn. `side` is the side of the model's window in pixels.
    pub(super) fn new(args: &'a DrawnArgs, side: u32, voice: &Voice) -> Result<Option<Self>, Failure> {
        if args.contrasts().is_empty() {
            return Ok(None);
        }
        let fonts = match &args.fonts {
            None if args.lettering => Fonts::of_system(),
            None => Fonts::own(),
            Some(folder) => Fonts::of_folder(folder).ok_or_else(|| {
                let message = format!("--fonts: {} has no font with all letters and digits", folder.display());
                Failure::wrong(message)
                    .hint("fonts are files whose names end in ttf, otf, ttc or otc; symbols do not count")
            })?,
        };
        if args.lettering {
            voice.detail(&format!("fonts: {}", fonts.names().join(", ")));
        }
        let (mut backdrops, mut pictures) = (Vec::new(), Vec::new());
        for wanted in &args.background {
            match Backdrop::ALL.into_iter().find(|kind| Path::new(kind.name()) == wanted) {
                Some(kind) => backdrops.push(kind),
                None => pictures.extend(pictures_of(wanted, voice)?),
            }
        }
        if args.background.is_empty() {
            backdrops = Backdrop::ALL.to_vec();
        }
        Ok(Some(Drawn { args, studio: Studio { side, seed: args.seed, fonts, backdrops, pictures } }))
    }

    /// Draws pairs and encodes them. With `--examples` it also writes the pictures.
    pub(super) fn examples(
        &self,
        contrast: Contrast,
        encoder: &mut Encoder,
        voice: &Voice,
    ) -> Result<Examples, Failure> {
        let class = contrast.class();
        let count = self.args.count as usize;
        let folders = self.args.examples.as_ref().map(|to| [to.join(format!("not-{class}")), to.join(class)]);
        for folder in folders.iter().flatten() {
            let failed = |error| Failure::failed(format!("cannot make the folder {}: {error}", folder.display()));
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let unwritten = std::sync::Mutex::new(None);
        // Even indices are pictures without the class, odd ones with it.
        let picture = |index: usize| {
            let pair = self.studio.pair(contrast, (index / 2) as u64)?;
            let drawn = if index.is_multiple_of(2) { pair.without } else { pair.with };
            if let Some(folders) = &folders {
                let path = folders[index % 2].join(format!("{:06}.png", index / 2));
                if let Err(error) = write(&path, &drawn) {
                    *unwritten.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                }
            }
            Photo::new(drawn.width() as usize, drawn.height() as usize, drawn.into_raw())
        };
        let bar = Bar::new(voice, "drawing and looking", 2 * count);
        let told = &mut |done| bar.at(done, 2 * count);
        let embeddings = direction::embed(encoder, 2 * count, &picture, told)?;
        drop(bar);
        if let Some(error) = unwritten.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            return Err(error);
        }
        let mut examples = Examples::new(vec![class.to_owned()]);
        for (group, pair) in embeddings.chunks_exact(2).enumerate() {
            if let [Some(without), Some(with)] = pair {
                examples.add(without.clone(), None, group as u64);
                examples.add(with.clone(), Some(0), group as u64);
            }
        }
        let missing = count - examples.count(Some(0));
        if missing > 0 {
            let hint = "the backdrops may be too busy for anything to show on them; see --background";
            voice.warning(&format!("{missing} of {count} pairs could not be drawn: {hint}"));
        }
        Ok(examples)
    }

    /// Returns how the examples were made, in the words of the command line, and which fonts were available.
    pub(super) fn made(&self) -> String {
        let args = self.args;
        let mut words: Vec<String> = args
            .contrasts()
            .iter()
            .map(|contrast| match contrast {
                Contrast::Lettering => "--lettering".to_owned(),
                other => format!("--{}", other.class()),
            })
            .collect();
        words.push(format!("--count {} --seed {}", args.count, args.seed));
        words.extend(args.fonts.iter().map(|folder| format!("--fonts \"{}\"", folder.display())));
        words.extend(args.background.iter().map(|what| format!("--background \"{}\"", what.display())));
        if args.lettering {
            words.push(format!("(fonts: {})", self.studio.fonts.names().join(", ")));
        }
        words.join(" ")
    }
}

/// Writes a drawn picture. The program chose the name, so a file that somebody else put there is not overwritten.
fn write(path: &Path, picture: &RgbImage) -> Result<(), Failure> {
    check_own_picture(path).and_then(|()| write_rgb(path, picture, "")).map_err(Failure::from)
}

/// Reads the pictures of a folder. Those that cannot be read are reported and left out.
fn pictures_of(folder: &Path, voice: &Voice) -> Result<Vec<RgbImage>, Failure> {
    let kinds = || Backdrop::ALL.map(Backdrop::name).join(", ");
    if !folder.is_dir() {
        let message = format!("--background: {} is neither a kind of backdrop nor a folder", folder.display());
        return Err(Failure::wrong(message).hint(format!("kinds are {}", kinds())));
    }
    let mut pictures = Vec::new();
    let paths: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_picture(path)).collect();
    for path in paths {
        match std::fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| decode(&bytes)) {
            Ok(picture) => pictures.push(picture),
            Err(message) => voice.warning(&format!("{}: {message}; it is left out", path.display())),
        }
    }
    if pictures.is_empty() {
        return Err(Failure::wrong(format!("--background: {} has no picture in it", folder.display())));
    }
    Ok(pictures)
}

/// The longest side of a picture used as a backdrop, in pixels; larger ones are reduced to it.
const LARGEST: u32 = 1024;

fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let picture = picture_file::decode(bytes, Behind::White).map_err(|error| error.to_string())?.image;
    let picture = match picture.width().max(picture.height()) > LARGEST {
        true => picture.thumbnail(LARGEST, LARGEST),
        false => picture,
    };
    Ok(picture.into_rgb8())
}
