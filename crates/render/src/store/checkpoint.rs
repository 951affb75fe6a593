//! A checkpoint: a render's state as a safetensors file.
//!
//! The header's metadata describe the state. They include the BLAKE3 hash of the whole file, computed with the hash's own digits set to
//! zero. A later version of the layout that cannot be read as this one has another [`LAYOUT`].

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::tensor::{Dtype, Metadata, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::key::{Chain, Key};
use crate::canvas::{self, Tensor, Values};
use crate::render::{Mean, Past, Standing, State};

/// The version of the layout; also the name of the folder that checkpoints are stored in.
pub(super) const LAYOUT: &str = "1";

const FORMAT: &str = "recipe-render checkpoint";
/// The placeholder for the digits of a BLAKE3 hash that is not known yet.
const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The metadata of a state: everything except its arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    /// The key of the state, see [`Key::name`].
    pub key: String,
    pub standing: Standing,
    /// See [`Chain::cuts`].
    pub cuts: Vec<(usize, u64)>,
    /// The mean similarity of the winning prompts in the last step, for each target.
    pub similarities: Vec<(String, f32)>,
    /// The tally: target's identity, prompt's hash, places won. In the order of the plan that it comes from, without entries that won
    /// nothing.
    pub won: Vec<(u64, String, u64)>,
    /// The means of directions: target's identity, prompt's hash, the sum of probabilities as its bits, number of windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<(u64, String, u64, u64)>,
    /// The references of competing prompts: target's identity, prompt's hash, see [`Past`]. Prompts without a reference are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pasts: Vec<(u64, String, Past)>,
    /// The recipe's title, or else its file's name, for display.
    pub called: String,
    /// Whether it was saved within a phase. Each such checkpoint replaces the one before.
    pub passing: bool,
    pub basis: String,
    pub optimiser: String,
}

impl About {
    pub fn new(chain: &Chain<'_>, state: &State<'_>, similarities: &[(String, f32)], called: &str) -> Self {
        let identities = tally_identities(chain);
        let known = identities.iter().zip(&state.standing.pasts).filter(|(_, past)| **past != Past::default());
        let pasts = known.map(|((target, prompt), past)| (*target, prompt.clone(), *past)).collect();
        let won = identities.into_iter().zip(&state.standing.won).filter(|(_, won)| **won > 0);
        let means = direction_identities(chain).into_iter().zip(&state.standing.means);
        About {
            means: means.map(|((target, prompt), mean)| (target, prompt, mean.sum.to_bits(), mean.windows)).collect(),
            pasts,
            key: chain.key().name(),
            cuts: chain.cuts().to_vec(),
            similarities: similarities.to_vec(),
            won: won.map(|((target, prompt), won)| (target, prompt, *won)).collect(),
            // The tally is stored by names, not by positions.
            standing: Standing { won: Vec::new(), means: Vec::new(), pasts: Vec::new(), ..state.standing.clone() },
            called: called.to_owned(),
            passing: false,
            basis: state.canvas.basis.to_string(),
            optimiser: state.canvas.optimiser.to_string(),
        }
    }

    /// Returns the standing of a render of the chain's plan at this state; `None` if the tally has entries that the plan lacks.
    pub fn standing(&self, chain: &Chain<'_>) -> Option<Standing> {
        let identities = tally_identities(chain);
        let won = by_identity(&identities, &self.won)?;
        let pasts = by_identity(&identities, &self.pasts)?;
        let mut means = vec![Mean::default(); direction_identities(chain).len()];
        for (mean, own) in means.iter_mut().zip(direction_identities(chain)) {
            let known = self.means.iter().find(|(target, prompt, ..)| (target, prompt) == (&own.0, &own.1));
            if let Some((_, _, sum, windows)) = known {
                *mean = Mean { sum: f64::from_bits(*sum), windows: *windows };
            }
        }
        let (phase, phase_step) = chain.position();
        let phase_over = chain.phase_is_over();
        // Rises apply only to the phase under way, and there must be one for each of the plan's targets.
        let patient = chain.plan().phases.get(phase).is_some_and(|phase| phase.patience.is_some());
        let rises = self.standing.rises.clone().filter(|_| patient && !phase_over);
        let fits = rises.as_ref().map_or(!patient || phase_over, |r| r.targets.len() == chain.plan().targets.len());
        fits.then(|| Standing { phase, phase_step, phase_over, won, means, pasts, rises, ..self.standing.clone() })
    }
}

/// Returns the known value for each line of a tally, found by the line's identity; `None` if a known value matches no line.
fn by_identity<T: Copy + Default>(identities: &[(u64, String)], known: &[(u64, String, T)]) -> Option<Vec<T>> {
    let mut values = vec![None; identities.len()];
    for (target, prompt, value) in known {
        let free = |(own, taken): (&(u64, String), &Option<T>)| taken.is_none() && own.0 == *target && own.1 == *prompt;
        let at = identities.iter().zip(&values).position(free)?;
        values[at] = Some(*value);
    }
    Some(values.into_iter().map(Option::unwrap_or_default).collect())
}

/// Returns the identity of each line of a plan's tally, see [`crate::render::Tally`].
fn tally_identities(chain: &Chain<'_>) -> Vec<(u64, String)> {
    let of = |target: &crate::plan::Target| {
        let prompts = crate::render::distinct_prompts(target);
        prompts
            .into_iter()
            .map(|prompt| (target.identity(), chain.prompt(prompt).to_hex().to_string()))
            .collect::<Vec<_>>()
    };
    chain.plan().targets.iter().flat_map(of).collect()
}

/// Returns the identity of each of the means of directions, see [`crate::render::Tally::directions`].
fn direction_identities(chain: &Chain<'_>) -> Vec<(u64, String)> {
    let targets = chain.plan().targets.iter();
    let pulls = targets.flat_map(|target| target.directions.iter().map(move |pull| (target.identity(), pull.prompt)));
    pulls.map(|(target, prompt)| (target, chain.prompt(prompt).to_hex().to_string())).collect()
}

/// A borrowed array.
struct Lent<'a>(&'a Tensor<'a>);

impl View for Lent<'_> {
    fn dtype(&self) -> Dtype {
        match self.0.values {
            Values::F32(_) => Dtype::F32,
            Values::U16(_) => Dtype::U16,
            Values::U64(_) => Dtype::U64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self.0.values {
            Values::F32(values) => Cow::Borrowed(bytemuck::cast_slice(values)),
            Values::U16(values) => Cow::Borrowed(bytemuck::cast_slice(values)),
            Values::U64(values) => Cow::Borrowed(bytemuck::cast_slice(values)),
        }
    }

    fn data_len(&self) -> usize {
        match self.0.values {
            Values::F32(values) => size_of_val(values),
            Values::U16(values) => size_of_val(values),
            Values::U64(values) => size_of_val(values),
        }
    }
}

/// Returns the file's bytes with the hash still missing, see [`hash`]. They take little more memory than a copy of the state.
pub(super) fn write(about: &About, state: &State<'_>) -> Option<Vec<u8>> {
    let metadata = HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("layout".to_owned(), LAYOUT.to_owned()),
        ("about".to_owned(), serde_json::to_string(about).ok()?),
        ("blake3".to_owned(), NO_HASH.to_owned()),
    ]);
    let tensors = state.canvas.tensors.iter().map(|tensor| (tensor.name.to_string(), Lent(tensor)));
    safetensors::serialize(tensors, Some(metadata)).ok()
}

/// Returns the position of the hash in a file's bytes, and the hash.
pub(super) fn hash(bytes: &[u8]) -> Option<(usize, String)> {
    let at = position(bytes, NO_HASH)?;
    Some((at, blake3::hash(bytes).to_hex().to_string()))
}

/// Returns the position of a text in the header.
fn position(bytes: &[u8], text: &str) -> Option<usize> {
    let header = header(bytes)?;
    bytes.get(..header)?.windows(text.len()).position(|window| window == text.as_bytes())
}

/// Returns the end of the header.
fn header(bytes: &[u8]) -> Option<usize> {
    let length = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    usize::try_from(length).ok()?.checked_add(8).filter(|end| *end <= bytes.len())
}

/// Reads a checkpoint's header without its arrays; `None` if it is not of this layout.
pub(super) fn about(bytes: &[u8]) -> Option<About> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    read_about(&metadata)
}

fn read_about(metadata: &Metadata) -> Option<About> {
    let said = metadata.metadata().as_ref()?;
    if said.get("format")? != FORMAT || said.get("layout")? != LAYOUT {
        return None;
    }
    serde_json::from_str(said.get("about")?).ok()
}

/// Whether the bytes match their hash.
fn is_whole(bytes: &[u8]) -> bool {
    let Ok((_, metadata)) = SafeTensors::read_metadata(bytes) else { return false };
    let said = metadata.metadata().as_ref().and_then(|said| said.get("blake3"));
    let Some(hash) = said.filter(|hash| hash.len() == NO_HASH.len()) else { return false };
    let Some(at) = position(bytes, hash) else { return false };
    let mut hasher = blake3::Hasher::new();
    let parts = [&bytes[..at], NO_HASH.as_bytes(), &bytes[at + hash.len()..]];
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_hex().as_str() == hash
}

/// The arrays read from a checkpoint.
#[derive(Debug)]
pub struct Arrays {
    basis: String,
    optimiser: String,
    tensors: Vec<(String, Vec<usize>, Array)>,
}

#[derive(Debug)]
enum Array {
    F32(Vec<f32>),
    U16(Vec<u16>),
    U64(Vec<u64>),
}

/// Reads a checkpoint from a file's bytes; `None` if they do not match their hash, or are not the state that `key` names.
pub(super) fn read(bytes: &[u8], key: &Key) -> Option<(About, Arrays)> {
    if is_whole(bytes) { parse(bytes, key) } else { None }
}

/// Reads a checkpoint from bytes that were never a file; the hash is not checked.
pub(super) fn parse(bytes: &[u8], key: &Key) -> Option<(About, Arrays)> {
    let file = SafeTensors::deserialize(bytes).ok()?;
    let about = about(bytes).filter(|about| about.key == key.name())?;
    let array = |(name, view): (&str, safetensors::tensor::TensorView<'_>)| {
        let data = view.data();
        let array = match view.dtype() {
            Dtype::F32 => Array::F32(data.as_chunks().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect()),
            Dtype::U16 => Array::U16(data.as_chunks().0.iter().map(|bytes| u16::from_ne_bytes(*bytes)).collect()),
            Dtype::U64 => Array::U64(data.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect()),
            _ => return None,
        };
        Some((name.to_owned(), view.shape().to_vec(), array))
    };
    let tensors = file.iter().map(array).collect::<Option<Vec<_>>>()?;
    let arrays = Arrays { basis: about.basis.clone(), optimiser: about.optimiser.clone(), tensors };
    Some((about, arrays))
}

impl Arrays {
    /// Copies a state's arrays.
    pub fn of(state: &State<'_>) -> Self {
        let copy = |tensor: &Tensor<'_>| {
            let array = match tensor.values {
                Values::F32(values) => Array::F32(values.to_vec()),
                Values::U16(values) => Array::U16(values.to_vec()),
                Values::U64(values) => Array::U64(values.to_vec()),
            };
            (tensor.name.to_string(), tensor.shape.clone(), array)
        };
        Arrays {
            basis: state.canvas.basis.to_string(),
            optimiser: state.canvas.optimiser.to_string(),
            tensors: state.canvas.tensors.iter().map(copy).collect(),
        }
    }

    /// Returns the arrays as a render's state.
    pub fn state(&self, standing: Standing) -> State<'_> {
        let tensors = self.tensors.iter().map(|(name, shape, array)| Tensor {
            name: name.as_str().into(),
            shape: shape.clone(),
            values: match array {
                Array::F32(values) => Values::F32(values),
                Array::U16(values) => Values::U16(values),
                Array::U64(values) => Values::U64(values),
            },
        });
        let tensors = tensors.collect();
        State {
            standing,
            canvas: canvas::State {
                basis: self.basis.as_str().into(),
                optimiser: self.optimiser.as_str().into(),
                tensors,
            },
        }
    }
}
