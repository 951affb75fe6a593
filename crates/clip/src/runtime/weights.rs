//! Weights that stay outside the graph, lent to sessions by pointer.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use ort::{
    AsPointer,
    memory::{Allocator, MemoryInfo},
    session::builder::SessionBuilder,
    sys::ONNXTensorElementDataType,
    value::DynValue,
};

use super::{RuntimeError, operators::Prepared};
use crate::onnx::{DataType, Tensor};

/// Weights kept outside a graph's bytes, by initialiser name, shared by all sessions created from it. Their
/// initialisers in the graph have `data_location = EXTERNAL`; the location itself is ignored. Every weight must be used
/// by a node: onnxruntime first drops unused ones, then reports them as missing.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    pub tensors: Vec<(String, Tensor)>,
    /// The names of weights whose packed form sessions may share: those used only as weights of matrix products and
    /// convolutions. (onnxruntime may transpose other constants while it optimises, and would then find the lent one in
    /// another shape.)
    pub packable: BTreeSet<String>,
    /// What is prepared from the weights for our own operators; a clone of it may be given to sessions of other graphs
    /// that were made from the same model.
    pub prepared: Prepared,
}

/// onnxruntime's views of [`Weights`], with the memory they point to.
#[derive(Clone)]
pub(super) struct LentWeights(Arc<[Lent]>);

struct Lent {
    name: String,
    packable: bool,
    // Declared before the memory it points to, so it is dropped before that.
    value: Arc<DynValue>,
    _data: Bytes,
}

impl LentWeights {
    /// Creates the views. Only tensors that are not aligned to their elements are copied.
    pub(super) fn new(weights: &Weights) -> Result<Self, RuntimeError> {
        let lend = |(name, tensor): &(String, Tensor)| lend(name, tensor, weights.packable.contains(name));
        weights.tensors.iter().map(lend).collect::<Result<_, _>>().map(LentWeights)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the weights to a session under construction. `share` says whether their packed form will be shared.
    ///
    /// The session must be dropped before `self` and its clones.
    pub(super) fn give_to(&self, mut builder: SessionBuilder, share: bool) -> Result<SessionBuilder, RuntimeError> {
        for lent in self.0.iter() {
            builder = builder.with_external_initializer(&lent.name, Arc::clone(&lent.value))?;
            if share && lent.packable {
                // onnxruntime uses the container of packed weights only for initialisers given this way; its optimiser
                // sees the values only when given the other way.
                builder = builder.with_initializer(&lent.name, Arc::clone(&lent.value))?;
            }
        }
        Ok(builder)
    }
}

/// Creates the view of one tensor.
fn lend(name: &str, tensor: &Tensor, packable: bool) -> Result<Lent, RuntimeError> {
    let size = tensor.data_type.size();
    if tensor.data.len() != tensor.len() * size {
        return Err(RuntimeError::Ort(format!(
            "weight `{name}` has {} bytes where its dimensions {:?} need {}",
            tensor.data.len(),
            tensor.dims,
            tensor.len() * size
        )));
    }
    let data = aligned(&tensor.data, size);
    let dims: Vec<i64> = tensor.dims.iter().map(|&d| d as i64).collect();
    let memory = MemoryInfo::default();
    let mut pointer = std::ptr::null_mut();
    // SAFETY: `data` has the length that type and dimensions require (checked above), is aligned, and is kept in the
    // same struct as the value; onnxruntime never writes to initialisers. ort's safe constructors would copy the
    // weights, which for a large encoder doubles the memory (ViT-B/32: 350 MB).
    let value = unsafe {
        let status = (ort::api().CreateTensorWithDataAsOrtValue)(
            memory.ptr(),
            data.as_ptr().cast_mut().cast(),
            data.len(),
            dims.as_ptr(),
            dims.len(),
            element_type(tensor.data_type),
            &mut pointer,
        );
        ort::Error::result_from_status(status)?;
        let pointer =
            std::ptr::NonNull::new(pointer).ok_or_else(|| RuntimeError::Ort(format!("weight `{name}`: no value")))?;
        DynValue::from_ptr(pointer, Some(&Allocator::default()))
    };
    Ok(Lent { name: name.to_owned(), packable, value: Arc::new(value), _data: data })
}

/// Returns the same bytes at an address that is a multiple of `alignment` (1, 2, 4 or 8), without copying them if
/// possible.
pub fn aligned(data: &Bytes, alignment: usize) -> Bytes {
    if (data.as_ptr() as usize).is_multiple_of(alignment) && !data.is_empty() {
        return data.clone();
    }
    // Memory allocated for u64 is aligned to 8.
    struct Words(Vec<u64>, usize);
    impl AsRef<[u8]> for Words {
        fn as_ref(&self) -> &[u8] {
            let bytes: &[u8] = {
                // SAFETY: u64 has no padding and any of its bytes may be read.
                unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 8) }
            };
            &bytes[..self.1]
        }
    }
    let words = data
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        })
        .collect();
    Bytes::from_owner(Words(words, data.len()))
}

fn element_type(data_type: DataType) -> ONNXTensorElementDataType {
    use ONNXTensorElementDataType::*;
    match data_type {
        DataType::F32 => ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
        DataType::U8 => ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
        DataType::I8 => ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
        DataType::U16 => ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
        DataType::I16 => ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
        DataType::I32 => ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
        DataType::I64 => ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
        DataType::Bool => ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
        DataType::F16 => ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
        DataType::F64 => ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
        DataType::U32 => ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,
        DataType::U64 => ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
        DataType::Bf16 => ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
    }
}
