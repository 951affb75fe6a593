//! Writes a model folder: first beside its destination, and moved there only when it is complete and examined.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::gather::{Contents, Encoder, Gathered, Words};
use super::{Request, models_folder};
use crate::clip::{Description, ImageEncoder, LabelList, ModelFolder, Source, TextEncoder, Tokenizer};
use crate::fetch::sha256_of;
use crate::onnx::{ALIGNED, Graph};
use crate::ours;
use crate::own::{check_folder, check_own, hand_on};
use crate::underway::{Temporary, TemporaryFolder};
use crate::{Family, ModelsError, classifier_advice};

/// Weights of at least this size in bytes are stored in a file beside their graph. There they can be used as they are mapped,
/// and ONNX allows at most 2 GB inside a graph.
const BESIDE: usize = 1 << 26;

/// The file with a classifier's labels.
const LABELS: &str = "labels.txt";

/// The destination of a model.
pub(super) struct Destination {
    name: String,
    path: PathBuf,
}

/// A model folder that is not yet at its destination.
pub(super) struct Made {
    pub model: ModelFolder,
    folder: TemporaryFolder,
}

impl Destination {
    /// Returns the destination for the model's name. An error if a model is already there and may not be replaced.
    pub(super) fn new(request: &Request) -> Result<Self, ModelsError> {
        let name = name(request)?;
        if ModelFolder::embedded_names().contains(&name.as_str()) {
            let message = format!("`{name}` is the model that is part of the program");
            return Err(ModelsError::wrong(message).hinted("give another --name"));
        }
        let path = models_folder()?.join(&name);
        if !ours::is_free(&path) {
            if !request.force {
                let message = format!("model `{name}` already exists, in {}", path.display());
                return Err(ModelsError::wrong(message).hinted("give another --name, or replace it with --force"));
            }
            check_folder(&path)?;
        }
        Ok(Destination { name, path })
    }

    /// Moves the model to its destination. An older one is removed only now, and other files in its folder are kept.
    pub(super) fn keep(self, made: Made, say: &mut dyn FnMut(&str)) -> Result<ModelFolder, ModelsError> {
        drop(made.model);
        let present = !ours::is_free(&self.path);
        if present {
            // Check again, since time has passed.
            check_folder(&self.path)?;
        }
        let own = check_own(&self.path).is_ok();
        let old = present.then(|| made.folder.path().with_extension("old"));
        let rename = |fresh: &Path| {
            if let Some(old) = &old {
                fs::rename(&self.path, old)?;
            }
            fs::rename(fresh, &self.path).inspect_err(|_| {
                if let Some(old) = &old {
                    let _ = fs::rename(old, &self.path);
                }
            })
        };
        made.folder.place(rename).map_err(|error| ModelsError::file(&self.path, error))?;
        let left = old.and_then(|old| if own { hand_on(&old, &self.path) } else { Some(old) });
        if let Some(left) = left {
            say(&format!("files in {} that are not ours are kept in {}", self.path.display(), left.display()));
        }
        Ok(ModelFolder::open(self.path)?)
    }
}

/// Returns the model's name: as given, or after the folder or file that it comes from.
fn name(request: &Request) -> Result<String, ModelsError> {
    if let Some(name) = &request.name {
        let sound = !name.is_empty()
            && name.len() <= 100
            && !name.starts_with(['.', '-'])
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
        return if sound {
            Ok(name.clone())
        } else {
            Err(ModelsError::wrong(format!(
                "--name {name}: names begin with an English letter or a digit; `-`, `_` and `.` may follow"
            )))
        };
    }
    let named = request.source.clone();
    // For two files, the folder is more informative than either name.
    let beside = || request.image.as_ref().map(|image| if image.is_dir() { image.clone() } else { folder_of(image) });
    let path = named.or_else(beside);
    let path = path.map(|path| fs::canonicalize(&path).unwrap_or(path)).unwrap_or_default();
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let plain = |part: &&String| !["onnx", "visual", "textual", "snapshots"].contains(&part.as_str());
    // A download cache has paths like .../models--OWNER--NAME/snapshots/REVISION.
    let cached = parts.iter().rev().find_map(|part| part.strip_prefix("models--")?.rsplit("--").next());
    let last = match cached {
        Some(name) => Some(name.to_owned()),
        None if path.is_dir() => parts.iter().rev().find(plain).cloned(),
        None => path.file_stem().map(|stem| stem.to_string_lossy().into_owned()),
    };
    let clean: String = last
        .unwrap_or_default()
        .to_lowercase()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' })
        .take(100)
        .collect();
    let clean = clean.trim_matches(['-', '.']);
    if clean.is_empty() || clean == "model" {
        return Err(ModelsError::wrong(format!("{}: what is the model to be called?", path.display()))
            .hinted("give --name NAME"));
    }
    Ok(clean.to_owned())
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_path_buf()
}

/// Creates the model folder as a temporary one beside its destination.
pub(super) fn make(destination: &Destination, gathered: &Gathered, request: &Request) -> Result<Made, ModelsError> {
    let parent = destination.path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| ModelsError::file(parent, error))?;
    let prefix = format!(".{}.", destination.name);
    let folder = Temporary::new(|| tempfile::Builder::new().prefix(&prefix).suffix(".new").tempdir_in(parent))
        .map_err(|error| ModelsError::file(parent, error))?;
    readable(folder.path()).map_err(|error| ModelsError::file(folder.path(), error))?;
    write_encoder(folder.path(), "image", &gathered.image)?;
    match &gathered.words {
        Words::Texts(text, tokenizer) => {
            write_encoder(folder.path(), "text", text)?;
            write(&folder.path().join("tokenizer.json"), |file| file.write_all(&tokenizer.json))?;
        }
        Words::Labels(classes) => write(&folder.path().join(LABELS), |file| {
            classes.iter().try_for_each(|names| writeln!(file, "{}", names.join(", ")))
        })?,
    }
    let description = describe(destination, gathered, request)?;
    let mut text = toml::to_string(&description).map_err(ModelsError::failed)?;
    if request.card.advice.is_none()
        && let Some(advice) = advice(gathered)
    {
        text = format!("{text}\n{advice}");
    }
    write(&folder.path().join("model.toml"), |file| file.write_all(text.as_bytes()))?;
    let model = ModelFolder::open(folder.path().to_path_buf())?;
    Ok(Made { model, folder })
}

/// Gives a folder the usual permissions, so that others may read models like any other file.
fn readable(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    let _ = folder;
    Ok(())
}

fn write_encoder(folder: &Path, name: &str, encoder: &Encoder) -> Result<(), ModelsError> {
    let path = folder.join(format!("{name}.onnx"));
    match &encoder.contents {
        Contents::File(from) => {
            fs::copy(from, &path).map_err(|error| ModelsError::file(from, error))?;
            Ok(())
        }
        Contents::Graph(graph) => write_graph(folder, name, graph),
    }
}

/// Writes a graph, with its weights beside it if they are large.
fn write_graph(folder: &Path, name: &str, graph: &Graph) -> Result<(), ModelsError> {
    let path = folder.join(format!("{name}.onnx"));
    let size: usize = graph.constants.values().map(|tensor| tensor.data.len()).sum();
    if size < BESIDE {
        return write(&path, |file| file.write_all(&graph.write()));
    }
    let location = format!("{name}.onnx.data");
    let (bytes, tensors) = graph.write_beside(&location);
    write(&path, |file| file.write_all(&bytes))?;
    write(&folder.join(location), |file| {
        for tensor in &tensors {
            file.write_all(&tensor.data)?;
            let length = tensor.data.len();
            file.write_all(&vec![0; length.next_multiple_of(ALIGNED) - length])?;
        }
        Ok(())
    })
}

fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ModelsError> {
    let written = || {
        let mut file = BufWriter::new(fs::File::create(path)?);
        write(&mut file)?;
        file.flush()
    };
    written().map_err(|error| ModelsError::file(path, error))
}

fn describe(destination: &Destination, gathered: &Gathered, request: &Request) -> Result<Description, ModelsError> {
    let settings = &gathered.settings;
    let card = &request.card;
    let origin = || {
        let path = request.source.as_ref().or(request.image.as_ref());
        path.map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()).display().to_string())
    };
    let from = card.from.clone().or_else(origin).unwrap_or_default();
    let mut files = BTreeMap::new();
    for (name, path) in &gathered.sources {
        files.insert(name.clone(), sha256_of(path)?);
    }
    let (text, tokenizer, labels) = match &gathered.words {
        Words::Texts(text, _) => {
            let encoder = TextEncoder {
                file: "text.onnx".into(),
                ids: Some(text.input.clone()),
                mask: text.mask.clone(),
                output: Some(text.output.clone()),
            };
            let tokenizer = Tokenizer {
                file: "tokenizer.json".into(),
                context: settings.context.filter(|context| *context > 0),
                padding: settings.padding.unwrap_or_default(),
                clean: settings.clean.unwrap_or_default(),
            };
            (Some(encoder), Some(tokenizer), None)
        }
        Words::Labels(_) => (None, None, Some(LabelList { file: LABELS.into() })),
    };
    let kind = match &gathered.words {
        Words::Texts(..) => String::new(),
        Words::Labels(classes) => format!("a classifier of {} classes, ", classes.len()),
    };
    Ok(Description {
        name: destination.name.clone(),
        about: card.about.clone().unwrap_or_else(|| format!("{kind}imported from {from}")),
        licence: card.licence.clone().or_else(|| gathered.licence.clone()).unwrap_or_default(),
        image: ImageEncoder {
            file: "image.onnx".into(),
            size: settings.size.unwrap_or_default(),
            mean: settings.mean.unwrap_or_default(),
            deviation: settings.deviation.unwrap_or([1.0; 3]),
            resize: settings.resize.unwrap_or_default(),
            interpolation: settings.interpolation.unwrap_or_default(),
            input: Some(gathered.image.input.clone()),
            output: Some(gathered.image.output.clone()),
        },
        text,
        tokenizer,
        labels,
        names: None,
        advice: card.advice.clone().filter(|advice| !advice.is_empty()),
        reference: card.references.clone(),
        source: Some(Source { from, files }),
    })
}

/// Returns the advice for the model's kind; `None` if its graph cannot be read, which the examination reports.
fn advice(gathered: &Gathered) -> Option<String> {
    match &gathered.words {
        Words::Texts(..) => family(gathered).map(Family::advice),
        Words::Labels(_) => Some(classifier_advice()),
    }
}

/// Returns the family of a CLIP's image encoder.
fn family(gathered: &Gathered) -> Option<Family> {
    let half = [gathered.settings.mean, gathered.settings.deviation].iter().all(|values| *values == Some([0.5; 3]));
    match &gathered.image.contents {
        Contents::Graph(graph) => Some(Family::of(graph, half)),
        Contents::File(path) => Graph::open(path).ok().map(|graph| Family::of(&graph, half)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: Option<&str>, source: &str) -> Result<String, ModelsError> {
        name_of(&Request { name: name.map(str::to_owned), source: Some(PathBuf::from(source)), ..Request::default() })
    }

    use super::name as name_of;

    #[test]
    fn names_come_from_where_the_model_is() {
        let hub = "/home/x/hub/models--openai--clip-vit-base-patch32/snapshots/3d74acf9";
        assert_eq!(named(None, hub).unwrap(), "clip-vit-base-patch32");
        assert_eq!(named(None, "/x/My Clip.onnx").unwrap(), "my-clip");
        assert_eq!(named(Some("A_b.c"), "x").unwrap(), "A_b.c");
        for bad in ["", "..", "a/b", "-x", "ä"] {
            assert!(named(Some(bad), "x").is_err(), "{bad}");
        }
        assert!(named(None, "/x/model.onnx").unwrap_err().hint().unwrap().contains("--name"));
    }
}
