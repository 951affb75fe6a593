//! Constant tensors.

use bytes::Bytes;
use half::{bf16, f16};

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
    /// Returns the type with this ONNX number, if it is supported.
    pub fn from_onnx(number: i32) -> Option<Self> {
        use DataType::*;
        [F32, U8, I8, U16, I16, I32, I64, Bool, F16, F64, U32, U64, Bf16].into_iter().find(|t| *t as i32 == number)
    }

    /// Returns the bytes of one element.
    pub fn size(self) -> usize {
        use DataType::*;
        match self {
            U8 | I8 | Bool => 1,
            U16 | I16 | F16 | Bf16 => 2,
            F32 | I32 | U32 => 4,
            I64 | F64 | U64 => 8,
        }
    }

    /// Whether values of this type have derivatives.
    pub fn is_float(self) -> bool {
        matches!(self, DataType::F16 | DataType::Bf16 | DataType::F32 | DataType::F64)
    }
}

/// A constant tensor: row-major, little-endian bytes, shared and possibly mapped from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub data_type: DataType,
    pub dims: Vec<usize>,
    /// As many bytes as the product of `dims` times the element size; not necessarily aligned.
    pub data: Bytes,
}

impl Tensor {
    /// Returns a tensor of 32-bit floats. `values.len()` is the product of `dims`.
    pub fn f32(dims: &[usize], values: &[f32]) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { data_type: DataType::F32, dims: dims.to_vec(), data }
    }

    /// Returns a tensor of 64-bit integers. `values.len()` is the product of `dims`.
    pub fn i64(dims: &[usize], values: &[i64]) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { data_type: DataType::I64, dims: dims.to_vec(), data }
    }

    /// Returns a tensor of the given float type, rounded from 64-bit floats, or `None` if the type is not a float type.
    pub fn floats(data_type: DataType, dims: &[usize], values: &[f64]) -> Option<Self> {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let data: Vec<u8> = match data_type {
            DataType::F32 => values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect(),
            DataType::F64 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            DataType::F16 => values.iter().flat_map(|v| f16::from_f64(*v).to_le_bytes()).collect(),
            DataType::Bf16 => values.iter().flat_map(|v| bf16::from_f64(*v).to_le_bytes()).collect(),
            _ => return None,
        };
        Some(Tensor { data_type, dims: dims.to_vec(), data: data.into() })
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the values as f32, if they are of that type.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        (self.data_type == DataType::F32)
            .then(|| self.data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// Returns the values as f64, if they are floats of any size.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        fn read<const N: usize>(data: &[u8], convert: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            data.as_chunks::<N>().0.iter().map(|b| convert(*b)).collect()
        }
        match self.data_type {
            DataType::F32 => Some(read(&self.data, |b| f64::from(f32::from_le_bytes(b)))),
            DataType::F64 => Some(read(&self.data, f64::from_le_bytes)),
            DataType::F16 => Some(read(&self.data, |b| f16::from_le_bytes(b).to_f64())),
            DataType::Bf16 => Some(read(&self.data, |b| bf16::from_le_bytes(b).to_f64())),
            _ => None,
        }
    }

    /// Returns the values as i64, if they are of type i64 or i32.
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

    /// Returns the same data with other dimensions of the same product.
    #[must_use]
    pub fn with_dims(&self, dims: &[usize]) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), self.len());
        Tensor { data_type: self.data_type, dims: dims.to_vec(), data: self.data.clone() }
    }

    /// Returns the tensor with its axes in another order: axis `i` of the result is axis `permutation[i]` of this one.
    /// Returns `None` if `permutation` is not a permutation of this rank.
    pub fn transpose(&self, permutation: &[usize]) -> Option<Self> {
        let rank = self.dims.len();
        let mut seen = vec![false; rank];
        for &axis in permutation {
            *seen.get_mut(axis)? = true;
        }
        if permutation.len() != rank || seen.contains(&false) {
            return None;
        }
        let strides = strides(&self.dims);
        let dims: Vec<usize> = permutation.iter().map(|&axis| self.dims[axis]).collect();
        let steps: Vec<usize> = permutation.iter().map(|&axis| strides[axis]).collect();
        let size = self.data_type.size();
        let mut data = Vec::with_capacity(self.data.len());
        let mut index = vec![0; rank];
        let mut at = 0;
        for _ in 0..self.len() {
            data.extend_from_slice(&self.data[at * size..(at + 1) * size]);
            for axis in (0..rank).rev() {
                index[axis] += 1;
                at += steps[axis];
                if index[axis] < dims[axis] {
                    break;
                }
                at -= steps[axis] * dims[axis];
                index[axis] = 0;
            }
        }
        Some(Tensor { data_type: self.data_type, dims, data: data.into() })
    }
}

/// Returns row-major strides, in elements.
pub(crate) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_like_the_definition() {
        let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let tensor = Tensor::f32(&[2, 3, 4], &values);
        let turned = tensor.transpose(&[2, 0, 1]).unwrap();
        assert_eq!(turned.dims, [4, 2, 3]);
        let got = turned.to_f32().unwrap();
        for (i, j, k) in (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..4).map(move |k| (i, j, k)))) {
            assert_eq!(got[(k * 2 + i) * 3 + j], values[(i * 3 + j) * 4 + k]);
        }
        assert!(tensor.transpose(&[0, 0, 1]).is_none());
        assert!(tensor.transpose(&[0, 3, 1]).is_none());
    }

    #[test]
    fn floats_of_every_size_round_trip() {
        for data_type in [DataType::F16, DataType::Bf16, DataType::F32, DataType::F64] {
            let tensor = Tensor::floats(data_type, &[3], &[0.5, -2.0, 1.0]).unwrap();
            assert_eq!(tensor.data.len(), 3 * data_type.size());
            assert_eq!(tensor.to_f64().unwrap(), [0.5, -2.0, 1.0]);
        }
        assert!(Tensor::floats(DataType::I64, &[1], &[1.0]).is_none());
    }
}
