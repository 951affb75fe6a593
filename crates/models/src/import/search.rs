//! Finds the encoders among the files of a folder: by the inputs of their graphs, then by their names.

use std::path::{Path, PathBuf};

use crate::ModelsError;
use crate::clip::map_file;
use crate::onnx::{Signature, ValueType};

/// The encoders found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Encoders {
    /// One file for each.
    Pair { image: PathBuf, text: PathBuf },
    /// Both in one graph.
    Joint(PathBuf),
    /// Weights without a graph.
    Checkpoint(PathBuf),
}

/// The kind of a graph, by its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Text,
    Joint,
}

/// The subfolders in which exporters put graphs.
const PLACES: [&str; 7] = ["", "onnx", "visual", "textual", "image", "text", "vision"];

/// Names of checkpoints, the most specific first.
const CHECKPOINTS: [&str; 6] = [
    "open_clip_model.safetensors",
    "open_clip_model.safetensors.index.json",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.safetensors",
];

/// Finds the encoders in a folder.
pub(super) fn search(folder: &Path) -> Result<Encoders, ModelsError> {
    let graphs = graphs(folder)?;
    let mut unreadable = Vec::new();
    let mut known: Vec<(Kind, PathBuf)> = Vec::new();
    for path in graphs {
        match kind_of(&path) {
            Ok(Some(kind)) => known.push((kind, path)),
            Ok(None) => {}
            Err(error) => unreadable.push((path, error)),
        }
    }
    let checkpoint = || checkpoint(folder);
    let of = |kind: Kind| best(known.iter().filter(|(k, _)| *k == kind).map(|(_, path)| path.as_path()), folder);
    let (image, text, joint) = (of(Kind::Image)?, of(Kind::Text)?, of(Kind::Joint)?);
    // Full precision in any form is preferred to lower precision in another.
    let found = match (image, text, joint) {
        (Some(image), Some(text), Some(joint)) if rank(&joint) < rank(&image).max(rank(&text)) => {
            Encoders::Joint(joint)
        }
        (Some(image), Some(text), _) => Encoders::Pair { image, text },
        (_, _, Some(joint)) => Encoders::Joint(joint),
        (image, text, None) => {
            if let Some(weights) = checkpoint() {
                return Ok(Encoders::Checkpoint(weights));
            }
            if let Some((_, error)) = unreadable.into_iter().next() {
                return Err(error);
            }
            return Err(nothing(folder, image.as_deref(), text.as_deref()));
        }
    };
    // The original weights are better than a graph in half precision or less.
    let worst = match &found {
        Encoders::Pair { image, text } => rank(image).max(rank(text)),
        Encoders::Joint(joint) => rank(joint),
        Encoders::Checkpoint(_) => 0,
    };
    match checkpoint() {
        Some(weights) if worst > 0 => Ok(Encoders::Checkpoint(weights)),
        _ => Ok(found),
    }
}

/// Returns the best graph of one kind in a folder.
pub(super) fn one(folder: &Path, kind: Kind) -> Result<Option<PathBuf>, ModelsError> {
    let graphs = graphs(folder)?;
    let fitting = graphs.iter().map(PathBuf::as_path).filter(|path| kind_of(path).is_ok_and(|k| k == Some(kind)));
    best(fitting, folder)
}

/// Returns the checkpoint in a folder.
fn checkpoint(folder: &Path) -> Option<PathBuf> {
    CHECKPOINTS.iter().map(|name| folder.join(name)).find(|path| path.is_file()).or_else(|| {
        // A file with any other name, if it is the only one.
        let mut others = files(folder, "safetensors").into_iter();
        let first = others.next()?;
        others.next().is_none().then_some(first)
    })
}

/// Returns all graphs of a folder.
fn graphs(folder: &Path) -> Result<Vec<PathBuf>, ModelsError> {
    std::fs::read_dir(folder).map_err(|error| ModelsError::file(folder, error))?;
    Ok(PLACES.iter().flat_map(|place| files(&folder.join(place), "onnx")).collect())
}

/// Returns the files of a folder with an extension, by name.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == extension) && path.is_file()).collect();
    files.sort();
    files
}

/// Returns the kind of a graph's file; `None` if it takes neither pictures nor tokens.
pub(super) fn kind_of(path: &Path) -> Result<Option<Kind>, ModelsError> {
    let bytes = map_file(path)?;
    let signature = Signature::read(&bytes).map_err(|error| {
        let wrong = ModelsError::wrong(format!("{}: {error}", path.display()));
        match error.hint() {
            Some(hint) => wrong.hinted(hint),
            None => wrong,
        }
    })?;
    let any = |test: fn(&str, Option<&ValueType>) -> bool| {
        signature.inputs.iter().any(|(name, known)| test(name, known.as_ref()))
    };
    Ok(match (any(is_picture), any(is_tokens)) {
        (true, true) => Some(Kind::Joint),
        (true, false) => Some(Kind::Image),
        (false, true) => Some(Kind::Text),
        (false, false) => None,
    })
}

/// Returns whether an input takes pictures: four dimensions of floats.
pub(super) fn is_picture(name: &str, known: Option<&ValueType>) -> bool {
    match known.map(|known| (known.data_type.is_float(), known.dims.as_ref())) {
        Some((float, Some(dims))) => float && dims.len() == 4,
        _ => ["pixel_values", "image", "images"].contains(&name),
    }
}

/// Returns whether an input takes token ids: two dimensions of whole numbers, and not the mask.
pub(super) fn is_tokens(name: &str, known: Option<&ValueType>) -> bool {
    let other = ["mask", "token_type", "position"].iter().any(|part| name.contains(part));
    match known.map(|known| (known.data_type.is_float(), known.dims.as_ref())) {
        Some((float, Some(dims))) => !float && dims.len() == 2 && !other,
        _ => ["input_ids", "text", "tokens"].contains(&name),
    }
}

/// Returns the best of several graphs of one kind: the one with the highest precision. If two are equal, the user has to
/// choose.
fn best<'a>(paths: impl Iterator<Item = &'a Path>, folder: &Path) -> Result<Option<PathBuf>, ModelsError> {
    let mut paths: Vec<&Path> = paths.collect();
    paths.sort_by_key(|path| rank(path));
    match paths.as_slice() {
        [] => Ok(None),
        [first, second, ..] if rank(first) == rank(second) => {
            let names: Vec<String> =
                paths.iter().map(|path| path.strip_prefix(folder).unwrap_or(path).display().to_string()).collect();
            let message = format!("{}: which of these is it? {}", folder.display(), names.join(", "));
            Err(ModelsError::wrong(message).hinted("name the files with --image and --text"))
        }
        [first, ..] => Ok(Some(first.to_path_buf())),
    }
}

/// Returns how far a file's weights are from full precision, by the names that exporters give: 0 is full, 1 rearranged by an
/// optimiser, 2 half, 3 quantised to eight bits, 4 to fewer.
fn rank(path: &Path) -> u32 {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let has = |parts: &[&str]| parts.iter().any(|part| stem.contains(part));
    if has(&["q4", "bnb4", "int4", "q2", "q1"]) {
        4
    } else if has(&["quant", "int8", "uint8", "qdq", "q8"]) {
        3
    } else if has(&["fp16", "f16", "float16", "half", "bf16"]) {
        2
    } else if has(&["_o1", "_o2", "_o3", "_o4", "optimized", "optimised"]) {
        1
    } else {
        0
    }
}

/// Returns whether a file is in PyTorch's own format, by its name.
pub(super) fn is_pickle(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["bin", "pt", "pth", "ckpt"].iter().any(|pickle| extension == *pickle))
}

pub(super) fn pickle(path: &Path) -> ModelsError {
    let message = format!("{}: PyTorch's pickles are not read, as they may run any code", path.display());
    ModelsError::wrong(message).hinted("take the model as .safetensors or .onnx")
}

fn nothing(folder: &Path, image: Option<&Path>, text: Option<&Path>) -> ModelsError {
    let place = folder.display();
    let pickles = ["pytorch_model.bin", "open_clip_pytorch_model.bin"].map(|name| folder.join(name));
    let pickle = pickles.iter().find(|path| path.is_file()).or(None);
    match (image, text) {
        (Some(image), _) => {
            let message = format!("{} is an image encoder; {place} has no text encoder", image.display());
            let perhaps = super::classifier::perhaps(image);
            ModelsError::wrong(message).hinted(format!("give the text encoder with --text FILE.onnx; {perhaps}"))
        }
        (_, Some(text)) => {
            let message = format!("{} is a text encoder; {place} has no image encoder", text.display());
            ModelsError::wrong(message).hinted("give the image encoder with --image FILE.onnx")
        }
        _ => match pickle {
            Some(path) => self::pickle(path),
            None => {
                let message = format!("{place}: there is neither an ONNX graph nor a .safetensors file");
                ModelsError::wrong(message).hinted("expected onnx/*.onnx, *.onnx, or model.safetensors")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (place, bytes) in files.iter().map(|file| file.split_once('=').unwrap_or((file, ""))) {
            let path = folder.path().join(place);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/pocket");
            match bytes {
                "" => std::fs::write(path, "").unwrap(),
                model => drop(std::fs::copy(models.join(model), path).unwrap()),
            }
        }
        folder
    }

    #[test]
    fn encoders_are_found_by_what_they_take() {
        let folder = folder(&["onnx/b.onnx=image.onnx", "onnx/a.onnx=text.onnx"]);
        let found = search(folder.path()).unwrap();
        let at = |name: &str| folder.path().join("onnx").join(name);
        assert_eq!(found, Encoders::Pair { image: at("b.onnx"), text: at("a.onnx") });
    }

    #[test]
    fn whole_precision_is_preferred() {
        let folder = folder(&[
            "onnx/vision_model.onnx=image.onnx",
            "onnx/vision_model_fp16.onnx=image.onnx",
            "onnx/vision_model_q4.onnx=image.onnx",
            "text.onnx=text.onnx",
        ]);
        let Encoders::Pair { image, .. } = search(folder.path()).unwrap() else { panic!() };
        assert!(image.ends_with("onnx/vision_model.onnx"));
        assert!(
            [("a", 0), ("a_fp16", 2), ("model_quantized", 3), ("m_q4f16", 4), ("m_O2", 1)]
                .iter()
                .all(|(name, expected)| rank(Path::new(&format!("{name}.onnx"))) == *expected)
        );
    }

    #[test]
    fn a_checkpoint_stands_in_for_graphs_of_less_precision() {
        let both = folder(&["a_fp16.onnx=image.onnx", "b_fp16.onnx=text.onnx", "model.safetensors"]);
        assert!(matches!(search(both.path()).unwrap(), Encoders::Checkpoint(_)));
        let alone = folder(&["fare.safetensors"]);
        assert!(matches!(search(alone.path()).unwrap(), Encoders::Checkpoint(_)));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (files, said) in [
            (vec!["a.onnx=image.onnx"], "no text encoder"),
            (vec!["a.onnx=text.onnx"], "no image encoder"),
            (vec!["pytorch_model.bin"], "pickles"),
            (vec!["notes.txt"], "neither"),
            (vec!["a.onnx=image.onnx", "b.onnx=image.onnx", "t.onnx=text.onnx"], "a.onnx, b.onnx"),
            (vec!["a.onnx"], "a.onnx"),
        ] {
            let error = search(folder(&files).path()).unwrap_err();
            assert!(error.to_string().contains(said), "{files:?}: {error}");
        }
    }
}
