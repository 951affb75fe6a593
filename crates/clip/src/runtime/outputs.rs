//! The outputs of a run.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ort::value::{DynValue, PrimitiveTensorElementType, TensorElementType};

use super::RuntimeError;
use crate::onnx::{DataType, Tensor};

/// The outputs of one run. They stay in onnxruntime's own memory; nothing is copied.
pub struct Outputs {
    values: Vec<Output>,
}

struct Output {
    name: String,
    value: Arc<DynValue>,
    tensor: OnceLock<Option<Tensor>>,
}

impl Outputs {
    pub(super) fn new(values: impl Iterator<Item = (String, DynValue)>) -> Self {
        let values = values.map(|(name, value)| Output { name, value: Arc::new(value), tensor: OnceLock::new() });
        Outputs { values: values.collect() }
    }

    /// Returns the outputs' names, in the graph's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|output| output.name.as_str())
    }

    /// Returns an output by name, or `None` if no output has that name or it is not a tensor of a supported type.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        let output = self.values.iter().find(|output| output.name == name)?;
        output.tensor.get_or_init(|| to_tensor(&output.value)).as_ref()
    }

    /// Returns dimensions and row-major values of an output of 32-bit floats.
    pub fn f32(&self, name: &str) -> Result<(&[i64], &[f32]), RuntimeError> {
        self.slice(name)
    }

    /// Returns dimensions and row-major values of an output of 64-bit integers.
    pub fn i64(&self, name: &str) -> Result<(&[i64], &[i64]), RuntimeError> {
        self.slice(name)
    }

    /// Returns dimensions and row-major values of a Boolean output.
    pub fn bool(&self, name: &str) -> Result<(&[i64], &[bool]), RuntimeError> {
        self.slice(name)
    }

    fn slice<T: PrimitiveTensorElementType>(&self, name: &str) -> Result<(&[i64], &[T]), RuntimeError> {
        let output = self
            .values
            .iter()
            .find(|output| output.name == name)
            .ok_or_else(|| RuntimeError::Ort(format!("the graph has no output `{name}`")))?;
        let (shape, values) = output
            .value
            .try_extract_tensor::<T>()
            .map_err(|error| RuntimeError::Ort(format!("output `{name}`: {}", error.message())))?;
        Ok((shape, values))
    }
}

/// An output's memory as bytes. Keeps the output alive.
struct ValueBytes {
    value: Arc<DynValue>,
    data_type: DataType,
}

impl AsRef<[u8]> for ValueBytes {
    fn as_ref(&self) -> &[u8] {
        fn bytes<T: PrimitiveTensorElementType>(value: &DynValue) -> &[u8] {
            let Ok((_, values)) = value.try_extract_tensor::<T>() else { return &[] };
            // SAFETY: the element types below are plain numbers (and bool) without padding; any initialised memory
            // may be read as bytes, and the slice cannot outlive `value`.
            unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
        }
        match self.data_type {
            DataType::F32 => bytes::<f32>(&self.value),
            DataType::F64 => bytes::<f64>(&self.value),
            DataType::I64 => bytes::<i64>(&self.value),
            DataType::U64 => bytes::<u64>(&self.value),
            DataType::I32 => bytes::<i32>(&self.value),
            DataType::U32 => bytes::<u32>(&self.value),
            DataType::I16 => bytes::<i16>(&self.value),
            DataType::U16 => bytes::<u16>(&self.value),
            DataType::I8 => bytes::<i8>(&self.value),
            DataType::U8 => bytes::<u8>(&self.value),
            DataType::Bool => bytes::<bool>(&self.value),
            DataType::F16 | DataType::Bf16 => &[],
        }
    }
}

fn to_tensor(value: &Arc<DynValue>) -> Option<Tensor> {
    let data_type = match value.dtype().tensor_type()? {
        TensorElementType::Float32 => DataType::F32,
        TensorElementType::Float64 => DataType::F64,
        TensorElementType::Int64 => DataType::I64,
        TensorElementType::Uint64 => DataType::U64,
        TensorElementType::Int32 => DataType::I32,
        TensorElementType::Uint32 => DataType::U32,
        TensorElementType::Int16 => DataType::I16,
        TensorElementType::Uint16 => DataType::U16,
        TensorElementType::Int8 => DataType::I8,
        TensorElementType::Uint8 => DataType::U8,
        TensorElementType::Bool => DataType::Bool,
        _ => return None,
    };
    let dims = value.dtype().tensor_shape()?.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<Vec<_>>>()?;
    let data = Bytes::from_owner(ValueBytes { value: Arc::clone(value), data_type });
    Some(Tensor { data_type, dims, data })
}
