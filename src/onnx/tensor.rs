//! Constant tensors.

use bytes::Bytes;

/// Element types, with ONNX's numbers (`TensorProto.DataType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum DataType {
    F32 = 1,
    U8 = 2,
    I8 = 3,
    U16 = 4,
    I16 = 5,
    I32 = 6,
    I64 = 7,
    Bool = 9,
    F16 = 10,
    F64 = 11,
    U32 = 12,
    U64 = 13,
    Bf16 = 16,
}

impl DataType {
    /// The type with ONNX's number, if it is one of those known here.
    pub fn from_onnx(number: i32) -> Option<Self> {
        use DataType::*;
        [F32, U8, I8, U16, I16, I32, I64, Bool, F16, F64, U32, U64, Bf16].into_iter().find(|t| *t as i32 == number)
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        use DataType::*;
        match self {
            U8 | I8 | Bool => 1,
            U16 | I16 | F16 | Bf16 => 2,
            F32 | I32 | U32 => 4,
            I64 | F64 | U64 => 8,
        }
    }
}

/// A constant tensor: row-major, little-endian bytes, shared and possibly mapped from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub data_type: DataType,
    pub dims: Vec<usize>,
    /// `dims` product times the element size bytes; not necessarily aligned.
    pub data: Bytes,
}

impl Tensor {
    /// A tensor of 32-bit floats. `values.len()` is the product of `dims`.
    pub fn f32(dims: &[usize], values: &[f32]) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { data_type: DataType::F32, dims: dims.to_vec(), data }
    }

    /// A tensor of 64-bit integers. `values.len()` is the product of `dims`.
    pub fn i64(dims: &[usize], values: &[i64]) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { data_type: DataType::I64, dims: dims.to_vec(), data }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as f32, if they are of that type.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        (self.data_type == DataType::F32)
            .then(|| self.data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// The values as i64, if they are of type i64 or i32.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        match self.data_type {
            DataType::I64 => {
                Some(self.data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap_or_default())).collect())
            }
            DataType::I32 => Some(
                self.data.chunks_exact(4).map(|b| i64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect(),
            ),
            _ => None,
        }
    }
}
