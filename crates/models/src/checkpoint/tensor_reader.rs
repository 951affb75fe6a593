//! Takes tensors by name and expected dimensions; everything that is wrong is reported at once.

use std::collections::HashSet;

use bytes::Bytes;

use super::file::Checkpoint;
use super::towers::{Linear, Norm};
use crate::ModelsError;
use crate::onnx::{DataType, Tensor};

/// The maximum number of complaints in a message.
const TOLD: usize = 8;

/// Takes tensors from a checkpoint and records what is wrong.
pub(super) struct TensorReader<'a> {
    checkpoint: &'a Checkpoint,
    taken: HashSet<String>,
    wrong: Vec<String>,
}

impl<'a> TensorReader<'a> {
    pub fn new(checkpoint: &'a Checkpoint) -> Self {
        TensorReader { checkpoint, taken: HashSet::new(), wrong: Vec::new() }
    }

    pub fn has(&self, name: &str) -> bool {
        self.checkpoint.dims(name).is_some()
    }

    /// Returns a tensor. If there is none with these dimensions, that is recorded, and an empty one is returned until
    /// [`TensorReader::finish`] reports it.
    pub fn take(&mut self, name: &str, dims: &[usize]) -> Tensor {
        self.taken.insert(name.to_owned());
        let complaint = match self.checkpoint.dims(name) {
            None => format!("`{name}` is missing, expected {dims:?}"),
            Some(there) if there != dims => format!("`{name}` is {there:?}, expected {dims:?}"),
            Some(_) => match self.checkpoint.tensor(name) {
                Ok(Some(tensor)) => return tensor,
                Ok(None) => format!("`{name}` is missing"),
                Err(complaint) => complaint,
            },
        };
        self.wrong.push(complaint);
        Tensor { data_type: DataType::F32, dims: dims.to_vec(), data: Bytes::new() }
    }

    /// Returns a tensor, if it exists; it must then have these dimensions.
    pub fn optional(&mut self, name: &str, dims: &[usize]) -> Option<Tensor> {
        self.has(name).then(|| self.take(name, dims))
    }

    /// Returns `PREFIX.weight` `[to, from]` and `PREFIX.bias` `[to]`.
    pub fn linear(&mut self, prefix: &str, from: usize, to: usize) -> Linear {
        let weight = self.take(&format!("{prefix}.weight"), &[to, from]);
        Linear { weight, bias: Some(self.take(&format!("{prefix}.bias"), &[to])) }
    }

    /// Returns `PREFIX.weight` and `PREFIX.bias`, both `[width]`.
    pub fn norm(&mut self, prefix: &str, width: usize) -> Norm {
        let scale = self.take(&format!("{prefix}.weight"), &[width]);
        Norm { scale, bias: self.take(&format!("{prefix}.bias"), &[width]) }
    }

    /// Checks that everything was in order: nothing missing, nothing with other dimensions, and nothing left over below the
    /// given prefixes, since what is not understood would be left out of the computation. `ignored` returns whether a name is
    /// known to hold no weights. Returns the names left over elsewhere.
    pub fn finish(mut self, prefixes: &[&str], ignored: impl Fn(&str) -> bool) -> Result<Vec<String>, ModelsError> {
        let label = self.checkpoint.label();
        if !self.wrong.is_empty() {
            return Err(ModelsError::wrong(format!(
                "{label}: the tensors are not those of the configuration: {}",
                list(&self.wrong)
            ))
            .hinted(
                "do the weights and the configuration belong together? what can be converted is a CLIP vision transformer \
                 in the layout of Hugging Face's CLIPModel or of OpenCLIP",
            ));
        }
        let taken = std::mem::take(&mut self.taken);
        let rest = self.checkpoint.names().filter(|name| !taken.contains(*name) && !ignored(name));
        let (inside, outside): (Vec<&str>, Vec<&str>) =
            rest.partition(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        if !inside.is_empty() {
            let names: Vec<String> = inside.iter().map(|name| format!("`{name}`")).collect();
            return Err(ModelsError::wrong(format!(
                "{label}: tensors that the configuration does not account for: {}",
                list(&names)
            ))
            .hinted(
                "without them the model would compute something else. If the number of layers in the configuration is right, \
                 this is another architecture: export it to ONNX with its authors' code, and import that",
            ));
        }
        Ok(outside.into_iter().map(str::to_owned).collect())
    }
}

/// Returns the first few items of a list, and how many follow.
fn list(items: &[String]) -> String {
    let told = items.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
    match items.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

/// Returns notes that apply to any checkpoint.
pub(super) fn notes(weights: &Checkpoint, unused: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    let kinds = weights.converted_types();
    if !kinds.is_empty() {
        notes.push(format!("weights of type {} were converted to F32", kinds.join(" and ")));
    }
    if !unused.is_empty() {
        let names: Vec<String> = unused.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("tensors that belong to neither encoder were left out: {}", list(&names)));
    }
    notes
}
