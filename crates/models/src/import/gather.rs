//! Turns a request into encoders, a tokenizer and settings, whatever kind of source it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::search::{self, Encoders, Kind};
use super::tokenizer::TokenizerFile;
use super::towers::Padding;
use super::{Request, Settings, classifier, configs, tokenizer, towers};
use crate::clip::{Clean, map_file};
use crate::onnx::{Graph, Signature, dequantise, external_files};
use crate::{Checkpoint, EMBEDDING, IMAGE, INPUT_IDS, Layout, ModelsError, hugging_face, infer_open_clip, open_clip};

/// An encoder to be written to the model folder.
#[derive(Debug)]
pub(super) struct Encoder {
    pub input: String,
    pub mask: Option<String>,
    pub output: String,
    pub contents: Contents,
}

/// The source of an encoder's bytes.
#[derive(Debug)]
pub(super) enum Contents {
    /// The file as it is.
    File(PathBuf),
    /// A graph to be written.
    Graph(Box<Graph>),
}

/// The part of a model that understands texts.
#[derive(Debug)]
pub(super) enum Words {
    Texts(Encoder, TokenizerFile),
    /// The names of a classifier's classes.
    Labels(Vec<Vec<String>>),
}

/// Everything that a model folder is made of.
#[derive(Debug)]
pub(super) struct Gathered {
    pub image: Encoder,
    pub words: Words,
    /// Complete: size, mean and deviation are set.
    pub settings: Settings,
    pub licence: Option<String>,
    /// The source files, for the record: name in the record and path.
    pub sources: BTreeMap<String, PathBuf>,
}

/// Finds and reads everything.
pub(super) fn gather(request: &Request, say: &mut dyn FnMut(&str)) -> Result<Gathered, ModelsError> {
    if let Some(classifier) = classifier::gather(request, say)? {
        return Ok(classifier);
    }
    let (encoders, folders) = locate(request)?;
    let mut configs = configs::Configs::default();
    for folder in &folders {
        configs = configs.or(configs::read(folder)?);
    }
    for note in &configs.notes {
        say(note);
    }
    let settings = request.settings.clone().or(std::mem::take(&mut configs.settings));
    let mut own_tokenizer = false;
    let padding = match is_siglip(&configs, &settings) {
        true => Padding::Seen,
        false => Padding::Masked,
    };
    let (image, text, settings, files) = match &encoders {
        Encoders::Pair { image, text } => {
            let (image_graph, text_graph) = (open(image, Kind::Image, say)?, open(text, Kind::Text, say)?);
            let towers = towers::split(image_graph.graph, Some(text_graph.graph), &settings, padding)?;
            let files = vec![image.clone(), text.clone()];
            let kept = [(image, image_graph.changed), (text, text_graph.changed)];
            let kept = kept.map(|(path, changed)| (!changed).then(|| path.clone()));
            tell(&towers.1, text, say);
            let (image, text, settings) = encoders_of(towers, kept, settings)?;
            (image, text, settings, files)
        }
        Encoders::Joint(path) => {
            let joint = open(path, Kind::Joint, say)?;
            let towers = towers::split(joint.graph, None, &settings, padding)?;
            say(&format!("{}: split into its image and its text encoder", path.display()));
            tell(&towers.1, path, say);
            let (image, text, settings) = encoders_of(towers, [None, None], settings)?;
            (image, text, settings, vec![path.clone()])
        }
        Encoders::Checkpoint(path) => {
            let converted = convert(path, &configs, request, settings, say)?;
            own_tokenizer = converted.own_tokenizer;
            (converted.image, converted.text, converted.settings, vec![path.clone()])
        }
    };
    unheeded(request, &settings)?;
    let known = || !own_tokenizer && knows_clips_vocabulary(&text);
    let tokenizer = tokenizer::find(request.tokenizer.as_deref(), &folders, &known, say)?;
    let settings = complete(settings, &tokenizer, &text, &folders)?;
    let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files.into_iter().chain(tokenizer.files.iter().cloned()) {
        let base = folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        let name = base.unwrap_or(&path).display().to_string().replace('\\', "/");
        sources.insert(name, path.clone());
    }
    Ok(Gathered { image, words: Words::Texts(text, tokenizer), settings, licence: configs.licence, sources })
}

/// Returns whether a model is a SigLIP, which looks at the padding of texts: according to its configuration, or to the
/// preparation of its texts and pictures.
fn is_siglip(configs: &configs::Configs, settings: &Settings) -> bool {
    let half = [settings.mean, settings.deviation] == [Some([0.5; 3]); 2];
    let cleaned = settings.clean.is_some_and(|clean| clean != Clean::None);
    configs.is_siglip() || half && cleaned
}

/// Reports a mask that is not used.
fn tell(text: &towers::Tower, path: &Path, say: &mut dyn FnMut(&str)) {
    if let Some(mask) = &text.unmasked {
        say(&format!("{}: SigLIP looks at padding, so its input `{mask}` is 1 everywhere", path.display()));
    }
}

/// Returns the files of the encoders, and the folders that may contain files about them, nearest first.
fn locate(request: &Request) -> Result<(Encoders, Vec<PathBuf>), ModelsError> {
    let mut folders = Vec::new();
    let found = match (&request.source, &request.image, &request.text) {
        (Some(source), None, None) if source.is_dir() => {
            let source = &revision(source)?;
            folders.extend(around(&source.join("file")));
            search::search(source)?
        }
        (Some(source), None, None) if search::is_pickle(source) => return Err(search::pickle(source)),
        (Some(source), None, None) => {
            folders.extend(around(source));
            if source.extension().is_some_and(|extension| extension == "safetensors" || extension == "json") {
                Encoders::Checkpoint(there(source)?)
            } else {
                match search::kind_of(source)? {
                    Some(Kind::Joint) => Encoders::Joint(source.clone()),
                    Some(Kind::Image) => return Err(half(source, "an image", "--image", "--text")),
                    Some(Kind::Text) => return Err(half(source, "a text", "--text", "--image")),
                    None => return Err(neither(source)),
                }
            }
        }
        (source, Some(_), Some(_)) | (source @ Some(_), _, _) => {
            let one = |given: &Option<PathBuf>, kind: Kind| {
                let path = given.as_ref().or(source.as_ref());
                path.map_or_else(|| Err(ModelsError::wrong("nothing to import")), |path| encoder(path, kind))
            };
            let (image, text) = (one(&request.image, Kind::Image)?, one(&request.text, Kind::Text)?);
            folders.extend(around(&image).into_iter().chain(around(&text)));
            folders.extend(source.iter().filter(|source| source.is_dir()).cloned());
            Encoders::Pair { image, text }
        }
        (None, Some(_), None) => {
            let hint = "a classifier takes --labels instead";
            return Err(ModelsError::wrong("--image needs --text, the text encoder that belongs to it").hinted(hint));
        }
        (None, None, Some(_)) => {
            return Err(ModelsError::wrong("--text needs --image, the image encoder that belongs to it"));
        }
        (None, None, None) => {
            let hint = "give a folder, a file, or --image, --text and --tokenizer";
            return Err(ModelsError::wrong("nothing to import").hinted(hint));
        }
    };
    folders.extend(request.near.iter().cloned());
    let mut met = std::collections::BTreeSet::new();
    folders.retain(|folder| met.insert(folder.clone()));
    Ok((found, folders))
}

/// Returns the folder of a download cache's current revision, if the path is that of a model in such a cache.
pub(super) fn revision(folder: &Path) -> Result<PathBuf, ModelsError> {
    let snapshots = folder.join("snapshots");
    if !snapshots.is_dir() {
        return Ok(folder.to_path_buf());
    }
    if let Ok(name) = std::fs::read_to_string(folder.join("refs").join("main")) {
        let plain = name.trim().chars().all(|letter| letter.is_ascii_alphanumeric());
        let named = snapshots.join(name.trim());
        if plain && named.is_dir() {
            return Ok(named);
        }
    }
    let entries = std::fs::read_dir(&snapshots).map_err(|error| ModelsError::file(&snapshots, error))?;
    let found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(ModelsError::wrong(format!("{}: which of its revisions is it?", folder.display()))
            .hinted(format!("name the folder of one: {}/REVISION", snapshots.display()))),
    }
}

/// Returns the file of one encoder: the path itself, or the only such file in the folder.
fn encoder(path: &Path, kind: Kind) -> Result<PathBuf, ModelsError> {
    let word = if kind == Kind::Image { "image" } else { "text" };
    if path.is_dir() {
        return search::one(path, kind)?.ok_or_else(|| {
            ModelsError::wrong(format!("{}: there is no {word} encoder in this folder", path.display()))
        });
    }
    match search::kind_of(path)? {
        Some(found) if found == kind || found == Kind::Joint => Ok(path.to_path_buf()),
        Some(_) => Err(ModelsError::wrong(format!("{}: this is not the {word} encoder", path.display()))
            .hinted("--image takes the encoder of pictures, --text that of texts")),
        None => Err(neither(path)),
    }
}

pub(super) fn neither(path: &Path) -> ModelsError {
    ModelsError::wrong(format!("{}: the graph takes neither pictures nor token ids", path.display()))
        .hinted("expected an input [N, 3, S, S] of floats, or [N, T] of whole numbers")
}

fn half(path: &Path, what: &str, option: &str, other: &str) -> ModelsError {
    let both = format!("give both encoders: {option} {} {other} FILE.onnx", path.display());
    ModelsError::wrong(format!("{}: this is only {what} encoder", path.display())).hinted(match option {
        "--image" => format!("{both}; {}", classifier::perhaps(path)),
        _ => both,
    })
}

fn there(path: &Path) -> Result<PathBuf, ModelsError> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(path.to_path_buf()),
        Err(error) => Err(ModelsError::file(path, error)),
    }
}

/// Returns the folders that may contain files about an encoder: its own, and its parent if its own is only for graphs.
pub(super) fn around(file: &Path) -> Vec<PathBuf> {
    let own = file.parent().unwrap_or(Path::new(""));
    let own = if own.as_os_str().is_empty() { Path::new(".") } else { own };
    let mut folders = vec![own.to_path_buf()];
    let graphs = own.file_name().is_some_and(|name| ["onnx", "visual", "textual"].iter().any(|n| name == *n));
    if graphs && let Some(above) = own.parent() {
        folders.insert(0, if above.as_os_str().is_empty() { PathBuf::from(".") } else { above.to_path_buf() });
    }
    folders
}

/// A graph read from a file, in floats.
pub(super) struct Opened {
    pub graph: Graph,
    /// Whether the original file cannot be used as it is.
    pub changed: bool,
}

pub(super) fn open(path: &Path, kind: Kind, say: &mut dyn FnMut(&str)) -> Result<Opened, ModelsError> {
    let bytes = map_file(path)?;
    let wrong = |error: crate::onnx::OnnxError| {
        let hint = error.hint();
        let wrong = ModelsError::wrong(format!("{}: {error}", path.display()));
        match hint {
            Some(hint) => wrong.hinted(hint),
            None => wrong,
        }
    };
    // Files beside the graph would have to be copied, and their names could clash.
    let mut changed = !external_files(&bytes).map_err(wrong)?.is_empty();
    let twice = Signature::read(&bytes).map_err(wrong)?.twice;
    let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut graph = Graph::read(bytes, Some(base)).map_err(wrong)?;
    if !twice.is_empty() {
        // A graph that could be read gives such a name only once, or twice with the same meaning.
        let names: Vec<&str> = twice.iter().map(String::as_str).collect();
        say(&format!(
            "{}: names {} twice, which no runtime accepts; one of each is kept",
            path.display(),
            names.join(", ")
        ));
        changed = true;
    }
    let mut floats = graph.clone();
    let done = match dequantise(&mut floats) {
        // A text encoder need not be differentiated: onnxruntime runs it as it is.
        Err(_) if kind == Kind::Text => None,
        done => done.map_err(|error| {
            let hint = match float_twin(path) {
                Some(twin) => format!("take {} instead", twin.display()),
                None => "take the model's float export instead: model.onnx, or model_fp16.onnx".to_owned(),
            };
            ModelsError::wrong(format!("{}: {error}", path.display())).hinted(hint)
        })?,
    };
    if done.is_some() {
        graph = floats;
    }
    if let Some(done) = done {
        say(&format!(
            "{}: quantised; turned back into floats ({done}), which cannot bring back what was rounded",
            path.display()
        ));
        changed = true;
    }
    Ok(Opened { graph, changed })
}

/// Returns the float version of the same model beside a quantised file, if it exists.
fn float_twin(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?;
    let (base, _) = stem.rsplit_once('_')?;
    ["", "_fp16"].iter().map(|form| path.with_file_name(format!("{base}{form}.onnx"))).find(|path| path.is_file())
}

/// Converts two towers to encoders. `kept`: the original file, which is used if nothing had to be changed.
fn encoders_of(
    (image, text): (towers::Tower, towers::Tower),
    kept: [Option<PathBuf>; 2],
    mut settings: Settings,
) -> Result<(Encoder, Encoder, Settings), ModelsError> {
    if let Some(side) = image.fixed.and_then(|side| u32::try_from(side).ok()) {
        settings.size = Some(side);
    }
    if let Some(context) = text.fixed {
        settings.context = Some(context);
    }
    let [image_file, text_file] = kept;
    let encoder = |tower: towers::Tower, file: Option<PathBuf>| Encoder {
        input: tower.input,
        mask: tower.mask,
        output: tower.output,
        contents: match file.filter(|_| tower.changes.is_empty()) {
            Some(file) => Contents::File(file),
            None => Contents::Graph(Box::new(tower.graph)),
        },
    };
    Ok((encoder(image, image_file), encoder(text, text_file), settings))
}

/// The result of converting a checkpoint.
struct Convert {
    image: Encoder,
    text: Encoder,
    settings: Settings,
    /// Whether its configuration names a tokenizer other than CLIP's.
    own_tokenizer: bool,
}

/// Converts a checkpoint's two encoders to graphs.
fn convert(
    path: &Path,
    configs: &configs::Configs,
    request: &Request,
    settings: Settings,
    say: &mut dyn FnMut(&str),
) -> Result<Convert, ModelsError> {
    let weights = Checkpoint::open(path)?;
    let transformers = weights.layout() == Some(Layout::HuggingFace);
    let unknown = weights.layout().is_none() && configs.open_clip.is_none();
    let named = &request.settings;
    let names = [&named.image_input, &named.image_output, &named.text_ids, &named.text_mask, &named.text_output];
    if names.iter().any(|name| name.is_some()) {
        return Err(ModelsError::wrong(format!("{}: this is not a graph; its values have no names", path.display()))
            .hinted("--image-input, --image-output, --text-ids, --text-mask and --text-output are for ONNX files"));
    }
    if request.activation.is_some() && (configs.open_clip.is_some() || configs.transformers.is_some()) {
        return Err(ModelsError::wrong("--activation: the model's configuration already says it")
            .hinted("correct it there, or import the .safetensors file from a folder without a configuration"));
    }
    let converted = match (&configs.open_clip, &configs.transformers) {
        // A checkpoint in neither layout is refused by the kind that its configuration states.
        (_, Some(config)) if transformers || unknown => hugging_face(config, &weights)?,
        (Some(config), _) if !transformers => open_clip(config, &weights)?,
        _ => open_clip(&infer_open_clip(&weights, request.activation)?, &weights)?,
    };
    for note in &converted.notes {
        say(note);
    }
    let text = converted.text.ok_or_else(|| {
        ModelsError::wrong(format!("{}: there is only an image encoder", path.display()))
            .hinted("a model needs the text encoder that was trained with it")
    })?;
    if let Some(tokenizer) = converted.tokenizer.as_ref().filter(|_| request.tokenizer.is_none()) {
        say(&format!("the configuration names the tokenizer {tokenizer}"));
    }
    say(&format!("{}: made into two ONNX graphs", path.display()));
    let found = Settings {
        size: Some(converted.size),
        mean: converted.mean,
        deviation: converted.deviation,
        context: Some(converted.context),
        padding: converted.padding,
        ..Settings::default()
    };
    // The graph's own size and number of tokens take precedence over all other settings.
    let settings = Settings { size: found.size, context: found.context, ..settings }.or(found);
    let encoder = |graph: Graph, input: &str| Encoder {
        input: input.to_owned(),
        mask: None,
        output: EMBEDDING.to_owned(),
        contents: Contents::Graph(Box::new(graph)),
    };
    Ok(Convert {
        image: encoder(converted.image, IMAGE),
        text: encoder(text, INPUT_IDS),
        settings,
        own_tokenizer: converted.tokenizer.is_some(),
    })
}

/// Returns an error for options that the graphs contradict.
pub(super) fn unheeded(request: &Request, settings: &Settings) -> Result<(), ModelsError> {
    let differs = |option: &str, wanted: Option<usize>, fixed: Option<usize>| match (wanted, fixed) {
        (Some(wanted), Some(fixed)) if wanted != fixed && wanted != 0 => {
            Err(ModelsError::wrong(format!("{option} {wanted}: the model takes {fixed}, and no other number"))
                .hinted(format!("leave {option} out")))
        }
        _ => Ok(()),
    };
    let size = |size: Option<u32>| size.and_then(|size| usize::try_from(size).ok());
    differs("--size", size(request.settings.size), size(settings.size))?;
    differs("--context", request.settings.context, settings.context)
}

/// Returns whether a text encoder has as many tokens as CLIP's own vocabulary.
fn knows_clips_vocabulary(text: &Encoder) -> bool {
    let tokens = |graph: &Graph| graph.constants.values().any(|tensor| matches!(tensor.dims.as_slice(), [49408, _]));
    match &text.contents {
        Contents::Graph(graph) => tokens(graph),
        Contents::File(path) => Graph::open(path).is_ok_and(|graph| tokens(&graph)),
    }
}

/// Fills in what the tokenizer gives, and asks for values that nothing gives.
fn complete(
    mut settings: Settings,
    tokenizer: &TokenizerFile,
    text: &Encoder,
    folders: &[PathBuf],
) -> Result<Settings, ModelsError> {
    settings.context = settings.context.or(tokenizer.context);
    settings.padding = settings.padding.or(tokenizer.padding);
    if settings.padding.is_none() && (text.mask.is_some() || settings.context == Some(0)) {
        // Masked tokens are ignored, so any padding will do.
        settings.padding = Some(0);
    }
    let mut missing = Vec::new();
    let mut ask = |there: bool, what: &str, option: &str| {
        if !there {
            missing.push((what.to_owned(), option.to_owned()));
        }
    };
    ask(settings.size.is_some(), "the side of the pictures it takes", "--size N");
    ask(settings.mean.is_some(), "the mean of its training pictures", "--mean R,G,B");
    ask(settings.deviation.is_some(), "their deviation", "--deviation R,G,B");
    ask(settings.context.is_some(), "the number of tokens it takes", "--context N (0: any number)");
    ask(settings.padding.is_some(), "the token that pads", "--padding ID");
    if missing.is_empty() {
        return Ok(settings);
    }
    let place = folders.first().map(|folder| folder.display().to_string()).unwrap_or_default();
    let whats: Vec<&str> = missing.iter().map(|(what, _)| what.as_str()).collect();
    let options: Vec<&str> = missing.iter().map(|(_, option)| option.as_str()).collect();
    let mut hint = format!("give {}", options.join(" "));
    if settings.mean.is_none() {
        hint.push_str(
            "; OpenAI's and most OpenCLIP models have --mean 0.48145466,0.4578275,0.40821073 \
             --deviation 0.26862954,0.26130258,0.27577711, SigLIP 0.5,0.5,0.5 for both",
        );
    }
    Err(ModelsError::wrong(format!("{place}: no file gives {}", whats.join(", "))).hinted(hint))
}
