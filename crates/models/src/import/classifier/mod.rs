//! Picture classifiers: one graph and the labels of its outputs, instead of two encoders and a tokenizer.

mod labels;
mod tail;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub(super) use labels::IMAGENET;

use super::gather::{Contents, Encoder, Gathered, Words, around, neither, open, revision, unheeded};
use super::search::{self, Kind};
use super::{Request, Settings, configs, endpoints, towers};
use crate::ModelsError;
use crate::clip::{FEWEST, map_file};
use crate::onnx::{Graph, Signature};

/// The mean and the deviation of ImageNet's pictures, used to train most classifiers.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// Finds and reads everything, if the request is about a classifier: it has labels, or a configuration beside the graph says
/// so. Returns `None` otherwise.
pub(super) fn gather(request: &Request, say: &mut dyn FnMut(&str)) -> Result<Option<Gathered>, ModelsError> {
    let Some(path) = find(request)? else { return Ok(None) };
    let mut folders = around(&path);
    folders.extend(request.near.iter().cloned());
    let mut configs = configs::Configs::default();
    for folder in &folders {
        configs = configs.or(configs::read(folder)?);
    }
    configs.notes.iter().for_each(|note| say(note));
    let of_classes = configs.transformers.as_ref().map(configs::classifier).unwrap_or_default();
    let mut settings = request.settings.clone().or(std::mem::take(&mut configs.settings)).or(of_classes);

    let opened = open(&path, Kind::Image, say)?;
    let mut graph = opened.graph;
    let input =
        towers::input(&graph, settings.image_input.as_ref(), "--image-input", endpoints::inputs(&graph).picture)?;
    let output = output(&graph, &settings)?;
    let found = tail::logits(&graph, &output);
    if !found.cut.is_empty() {
        say(&format!("{}: ends in {}, which is cut off: the logits are used", path.display(), found.cut.join(" and ")));
    }
    let outputs = tail::classes(&graph, &found.value).or_else(|| tail::classes(&graph, &output));
    let (classes, file) = classes(request, &configs, &folders, outputs)?;
    check(&classes, outputs, &path, file.as_deref())?;

    let changed = opened.changed || found.value != output;
    graph.reduce_to(&found.value);
    let mut tower = towers::image_tower(graph, input, &found.value, false)?;
    if let Some(side) = tower.fixed.and_then(|side| u32::try_from(side).ok()) {
        settings.size = Some(side);
    }
    unheeded(request, &settings)?;
    let centred = tail::centre(&mut tower.graph)?;
    let embedding = tower.graph.outputs.first().cloned().unwrap_or_default();
    let settings = complete(settings, &path, say)?;
    let as_it_is = !changed && !centred && tower.changes.is_empty();
    let contents = if as_it_is { Contents::File(path.clone()) } else { Contents::Graph(Box::new(tower.graph)) };
    let image = Encoder { input: tower.input, mask: None, output: embedding, contents };
    let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in [Some(path), file].into_iter().flatten() {
        let name = folders.iter().find_map(|folder| path.strip_prefix(folder).ok()).unwrap_or(&path);
        sources.insert(name.display().to_string().replace('\\', "/"), path.clone());
    }
    say(&format!("a classifier of {} classes: prompts are its labels", classes.len()));
    Ok(Some(Gathered { image, words: Words::Labels(classes), settings, licence: configs.licence, sources }))
}

/// Returns the classifier's graph, if the request is about one.
fn find(request: &Request) -> Result<Option<PathBuf>, ModelsError> {
    let given = request.image.as_ref().or(request.source.as_ref());
    if request.labels.is_none() {
        let of_clip = request.text.is_some() || request.tokenizer.is_some();
        return Ok(given.filter(|_| !of_clip).and_then(|path| configured(path)));
    }
    for (option, given) in [("--text", &request.text), ("--tokenizer", &request.tokenizer)] {
        if given.is_some() {
            let message = format!("{option}: a classifier has no text encoder; it takes --labels instead");
            return Err(ModelsError::wrong(message).hinted(format!("leave out {option} or --labels")));
        }
    }
    let path =
        given.ok_or_else(|| ModelsError::wrong("nothing to import").hinted("give the classifier's ONNX file"))?;
    if path.is_dir() {
        let folder = revision(path)?;
        return search::one(&folder, Kind::Image)?.map(Some).ok_or_else(|| {
            ModelsError::wrong(format!("{}: there is no ONNX graph that takes only pictures", folder.display()))
                .hinted("classifiers are imported from ONNX files; export the model to ONNX")
        });
    }
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        return Err(ModelsError::wrong(format!("{}: classifiers are imported from ONNX files", path.display()))
            .hinted("export the model to ONNX"));
    }
    match search::kind_of(path)? {
        Some(Kind::Image) => Ok(Some(path.clone())),
        Some(_) => {
            Err(ModelsError::wrong(format!("{}: it takes texts; a classifier takes only pictures", path.display()))
                .hinted("leave out --labels"))
        }
        None => Err(neither(path)),
    }
}

/// Returns the graph at a path, if a configuration beside it says that it is a classifier. Files that cannot be read are
/// reported later, when they are read as another kind of model.
fn configured(path: &Path) -> Option<PathBuf> {
    let folder = path.is_dir().then(|| revision(path).ok()).flatten();
    let inside = folder.as_ref().map_or_else(|| path.to_path_buf(), |folder| folder.join("file"));
    let says = |folder: &PathBuf| {
        let config: Option<Value> = serde_json::from_slice(&std::fs::read(folder.join("config.json")).ok()?).ok();
        config.filter(configs::is_classifier)
    };
    around(&inside).iter().find_map(says)?;
    let one = |kind: Kind| folder.as_ref().map_or(Ok(None), |folder| search::one(folder, kind));
    match folder.is_some() {
        true if matches!((one(Kind::Text), one(Kind::Joint)), (Ok(None), Ok(None))) => one(Kind::Image).ok()?,
        true => None,
        false => matches!(search::kind_of(path), Ok(Some(Kind::Image))).then(|| path.to_path_buf()),
    }
}

/// Returns the output with the classes: the one named by the user, or one called logits, or the first.
fn output(graph: &Graph, settings: &Settings) -> Result<String, ModelsError> {
    let wrong = |what: &str| {
        let outputs = format!("the graph's outputs are {}", graph.outputs.join(", "));
        ModelsError::wrong(what).hinted(format!("name the one of the classes with --image-output; {outputs}"))
    };
    let whole = |value: &str| graph.data_type(value).is_some_and(|known| !known.is_float());
    if let Some(name) = &settings.image_output {
        endpoints::named(graph, name, "--image-output")?;
        return match whole(name) {
            true => Err(wrong(&format!("--image-output {name}: this output gives whole numbers, not logits"))),
            false => Ok(name.clone()),
        };
    }
    let outputs = || graph.outputs.iter().filter(|output| !whole(output));
    let named = outputs().find(|output| output.to_lowercase().contains("logit"));
    let one = || outputs().find(|output| tail::classes(graph, output).is_some());
    let found = named.or_else(one).or_else(|| outputs().next());
    found.cloned().ok_or_else(|| wrong("none of the graph's outputs can be its classes"))
}

/// Returns the labels, and the file that they are from, if any.
fn classes(
    request: &Request,
    configs: &configs::Configs,
    folders: &[PathBuf],
    outputs: Option<usize>,
) -> Result<(labels::Classes, Option<PathBuf>), ModelsError> {
    match &request.labels {
        Some(list) if list.as_os_str() == IMAGENET => Ok((labels::imagenet(outputs)?, None)),
        Some(file) => Ok((labels::read(file)?, Some(file.clone()))),
        None => {
            let config = folders.iter().map(|folder| folder.join("config.json")).find(|path| path.is_file());
            let config = config.unwrap_or_default();
            if configs.transformers.as_ref().is_some_and(configs::has_placeholders) {
                let message = format!("{}: does not say what its classes are called (LABEL_0, ...)", config.display());
                return Err(ModelsError::wrong(message).hinted(ask(outputs)));
            }
            Ok((labels::read(&config)?, Some(config)))
        }
    }
}

/// Returns a hint about what to give if there are no labels.
fn ask(outputs: Option<usize>) -> String {
    let imagenet = match outputs.filter(|_| labels::may_be_imagenet(outputs)) {
        Some(outputs) => format!("; it has {outputs} outputs: if they are ImageNet's classes, --labels {IMAGENET}"),
        None => String::new(),
    };
    format!("give its labels with --labels FILE, one per line{imagenet}")
}

/// Returns a hint for a graph that takes pictures and has no text encoder beside it: it may be a classifier.
pub(super) fn perhaps(image: &Path) -> String {
    let outputs = || {
        let signature = Signature::read(&map_file(image).ok()?).ok()?;
        signature.outputs.iter().find_map(|(_, known)| match known.as_ref()?.dims.as_deref()? {
            [_, crate::onnx::Dim::Known(count), ones @ ..] if ones.len() != 1 => Some(*count),
            _ => None,
        })
    };
    format!("or, if it is a classifier, {}", ask(outputs()))
}

/// Returns an error if the labels cannot be those of the network's outputs.
fn check(
    classes: &labels::Classes,
    outputs: Option<usize>,
    path: &Path,
    file: Option<&Path>,
) -> Result<(), ModelsError> {
    let count = classes.len();
    let from = file.map_or_else(|| format!("--labels {IMAGENET}"), |file| file.display().to_string());
    if let Some(outputs) = outputs.filter(|outputs| *outputs != count) {
        let labels = if count == 1 { "one label".to_owned() } else { format!("{count} labels") };
        let message = format!("{from}: has {labels}, and {} gives {outputs} classes", path.display());
        return Err(ModelsError::wrong(message).hinted(match labels::may_be_imagenet(Some(outputs)) {
            true if file.is_some() => format!("if they are ImageNet's classes, --labels {IMAGENET} has their names"),
            _ => "each output of the network needs its label, in order; a class for the background counts".to_owned(),
        }));
    }
    if count < FEWEST {
        let message = format!("{}: a classifier of {count} classes cannot guide a picture", path.display());
        return Err(ModelsError::wrong(message).hinted("less their mean, so few logits have only a sign: no gradient"));
    }
    Ok(())
}

/// Fills in common values, with a message, and asks for values that nothing gives.
fn complete(mut settings: Settings, path: &Path, say: &mut dyn FnMut(&str)) -> Result<Settings, ModelsError> {
    if settings.size.is_none() {
        let message = format!("{}: no file gives the side of the pictures it takes", path.display());
        return Err(ModelsError::wrong(message).hinted("give --size N; 224 is usual"));
    }
    let words = |values: [f32; 3]| values.map(|value| value.to_string()).join(",");
    let mut usual = Vec::new();
    if settings.mean.is_none() {
        settings.mean = Some(MEAN);
        usual.push(format!("--mean {}", words(MEAN)));
    }
    if settings.deviation.is_none() {
        settings.deviation = Some(DEVIATION);
        usual.push(format!("--deviation {}", words(DEVIATION)));
    }
    if !usual.is_empty() {
        say(&format!(
            "no file gives the mean and deviation of its training pictures; using ImageNet's: {}",
            usual.join(" ")
        ));
    }
    Ok(settings)
}
