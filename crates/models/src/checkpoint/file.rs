//! The weights: `.safetensors` files, mapped into memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path};

use bytes::Bytes;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::ModelsError;
use crate::onnx::{DataType, Tensor, map_file};

/// Tensors by name, not read until they are requested.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Stored>,
    /// The file as messages name it.
    label: String,
}

/// The naming scheme of a checkpoint's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// That of transformers' `CLIPModel` and `CLIPVisionModelWithProjection`, described by `config.json`.
    HuggingFace,
    /// That of OpenCLIP and OpenAI, described by `open_clip_config.json`.
    OpenClip,
}

/// A tensor as stored in its file.
#[derive(Debug, Clone)]
struct Stored {
    kind: Dtype,
    dims: Vec<usize>,
    data: Bytes,
}

/// A larger file is not an index of shards.
const LARGEST_INDEX: u64 = 64 << 20;

impl Checkpoint {
    /// Opens a `.safetensors` file, or the `.safetensors.index.json` of one in several parts ("shards") in the same folder.
    /// Only the headers are read.
    pub fn open(path: &Path) -> Result<Self, ModelsError> {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
            return Checkpoint::open_index(path);
        }
        let bytes = map(path)?;
        Checkpoint::read(bytes, &path.display().to_string())
    }

    /// Reads a `.safetensors` file's bytes; `label` is its name in messages.
    pub fn read(bytes: Bytes, label: &str) -> Result<Self, ModelsError> {
        let wrong = |error: SafeTensorError| damaged(label, &bytes, &error);
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(wrong)?;
        let start = header + size_of::<u64>();
        let mut tensors = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            let range = start.checked_add(info.data_offsets.0).zip(start.checked_add(info.data_offsets.1));
            let Some((from, to)) = range.filter(|(from, to)| from <= to && *to <= bytes.len()) else {
                return Err(damaged(label, &bytes, &SafeTensorError::InvalidOffset(name)));
            };
            let stored = Stored { kind: info.dtype, dims: info.shape.clone(), data: bytes.slice(from..to) };
            tensors.insert(name, stored);
        }
        Ok(Checkpoint { tensors, label: label.to_owned() })
    }

    fn open_index(path: &Path) -> Result<Self, ModelsError> {
        #[derive(serde::Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let label = path.display().to_string();
        let size = std::fs::metadata(path).map_err(|error| ModelsError::file(path, error))?.len();
        if size > LARGEST_INDEX {
            return Err(ModelsError::wrong(format!("{label}: {size} bytes are too many for an index of shards")));
        }
        let text = std::fs::read(path).map_err(|error| ModelsError::file(path, error))?;
        let index: Index = serde_json::from_slice(&text).map_err(|error| {
            ModelsError::wrong(format!("{label}: not an index of shards: {error}"))
                .hinted("expected one like `model.safetensors.index.json`, with a `weight_map` from tensors to files")
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut shards: BTreeMap<&str, Checkpoint> = BTreeMap::new();
        let mut tensors = BTreeMap::new();
        for (name, file) in &index.weight_map {
            let mut parts = Path::new(file).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(ModelsError::wrong(format!(
                    "{label}: `{file}` is not a file beside the index, where shards must be"
                )));
            }
            if !shards.contains_key(file.as_str()) {
                // Always read as weights, whatever its name: otherwise an index that names itself would be followed forever.
                let shard = folder.join(file);
                shards.insert(file, Checkpoint::read(map(&shard)?, &shard.display().to_string())?);
            }
            let stored = shards.get_mut(file.as_str()).and_then(|shard| shard.tensors.remove(name));
            let stored = stored.ok_or_else(|| {
                ModelsError::wrong(format!("{label}: tensor `{name}` is not in `{file}`, where the index says it is"))
                    .hinted("do all files belong to the same download?")
            })?;
            tensors.insert(name.clone(), stored);
        }
        Ok(Checkpoint { tensors, label })
    }

    /// Returns the naming scheme of the tensors; `None` if there is no vision transformer in either layout.
    pub fn layout(&self) -> Option<Layout> {
        let ends = |end: &str| self.names().any(|name| name.ends_with(end));
        if ends("vision_model.embeddings.class_embedding") {
            Some(Layout::HuggingFace)
        } else if ends("visual.class_embedding") || self.tensors.contains_key("class_embedding") {
            Some(Layout::OpenClip)
        } else {
            None
        }
    }

    /// The file as messages name it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the names of all tensors, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns a tensor's dimensions, if it exists.
    pub fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.dims.as_slice())
    }

    /// Returns the element types of tensors that are floats of a size other than 32 bits, as named in the file.
    pub fn converted_types(&self) -> Vec<String> {
        let mut kinds: Vec<Dtype> = self.tensors.values().map(|t| t.kind).collect();
        kinds.retain(|kind| matches!(kind, Dtype::F16 | Dtype::BF16 | Dtype::F64));
        kinds.sort_unstable();
        kinds.dedup();
        kinds.iter().map(Dtype::to_string).collect()
    }

    /// Returns a tensor in 32-bit floats: in place in the file if possible, otherwise converted. 32 bits represent all 16-bit
    /// values exactly, so the graph computes the same as the authors' own code in f32, at the price of twice the memory, and on
    /// any device. `None` if there is no such tensor; an error if its elements are not floats.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, String> {
        let Some(stored) = self.tensors.get(name) else { return Ok(None) };
        fn convert<const N: usize>(data: &[u8], one: impl Fn([u8; N]) -> f32) -> Bytes {
            data.as_chunks::<N>().0.iter().flat_map(|bytes| one(*bytes).to_le_bytes()).collect::<Vec<u8>>().into()
        }
        let data = match stored.kind {
            Dtype::F32 => stored.data.clone(),
            Dtype::F16 => convert(&stored.data, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => convert(&stored.data, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::F64 => convert(&stored.data, |b| f64::from_le_bytes(b) as f32),
            other => return Err(format!("`{name}` holds {other}, expected F32, F16, BF16 or F64")),
        };
        Ok(Some(Tensor { data_type: DataType::F32, dims: stored.dims.clone(), data }))
    }
}

fn map(path: &Path) -> Result<Bytes, ModelsError> {
    let failed = |error| ModelsError::file(path, error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ModelsError::wrong(format!("{}: not a file", path.display())));
    }
    if metadata.len() == 0 {
        return Err(ModelsError::wrong(format!("{}: the file is empty", path.display())));
    }
    map_file(&file).map_err(failed)
}

/// Returns the error for bytes that are not a checkpoint, with a hint based on how they begin.
fn damaged(label: &str, bytes: &[u8], error: &SafeTensorError) -> ModelsError {
    let complete = "is the download complete? compare its size and hash with the page it came from";
    let hint = match bytes {
        [b'P', b'K', ..] | [0x80, 2..=5, ..] => {
            "this looks like PyTorch's own format (.pt, .bin), which holds programs and is not read here; \
             save the weights with the `safetensors` package"
        }
        bytes if bytes.starts_with(b"version https://git-lfs") => {
            "this is a pointer of Git LFS, not the file itself: `git lfs pull` fetches it"
        }
        [b'<', ..] => "this is a web page; download the file itself",
        _ => complete,
    };
    let reason = match error {
        SafeTensorError::MetadataIncompleteBuffer => "its header does not match its number of bytes".to_owned(),
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength | SafeTensorError::HeaderTooLarge => {
            "it does not begin with a header".to_owned()
        }
        SafeTensorError::InvalidOffset(name) => format!("tensor `{name}` is not where it should be"),
        other => other.to_string(),
    };
    ModelsError::wrong(format!("{label}: not a safetensors file: {reason}")).hinted(hint)
}
