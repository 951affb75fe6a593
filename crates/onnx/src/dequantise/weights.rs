//! Quantised constants as floats.

use crate::graph::Node;
use crate::shapes;
use crate::tensor::{DataType, Tensor, strides};

/// Returns integers of any size as f64.
pub(super) fn whole(tensor: &Tensor) -> Option<Vec<f64>> {
    let data = &tensor.data;
    let pairs = || data.as_chunks::<2>().0.iter();
    Some(match tensor.data_type {
        DataType::U8 => data.iter().map(|b| f64::from(*b)).collect(),
        DataType::I8 => data.iter().map(|b| f64::from(b.cast_signed())).collect(),
        DataType::U16 => pairs().map(|b| f64::from(u16::from_le_bytes(*b))).collect(),
        DataType::I16 => pairs().map(|b| f64::from(i16::from_le_bytes(*b))).collect(),
        DataType::I32 | DataType::I64 => tensor.to_i64()?.into_iter().map(|v| v as f64).collect(),
        _ => return None,
    })
}

/// Returns the least and greatest value of a type that activations are quantised to.
pub(super) fn range(data_type: DataType) -> Option<(f64, f64)> {
    match data_type {
        DataType::U8 => Some((0.0, 255.0)),
        DataType::I8 => Some((-128.0, 127.0)),
        DataType::U16 => Some((0.0, 65535.0)),
        DataType::I16 => Some((-32768.0, 32767.0)),
        _ => None,
    }
}

/// Returns (q - zero) * scale. The scale is one for all elements, one for each index along `axis`, or one for each
/// `block` elements along it.
pub(super) fn linear(q: &Tensor, scale: &Tensor, zero: Option<&Tensor>, axis: i64, block: i64) -> Option<Tensor> {
    let values = whole(q)?;
    let scales = scale.to_f64()?;
    let zeros = match zero {
        Some(zero) => whole(zero)?,
        None => vec![0.0; scales.len()],
    };
    let at = |list: &[f64], index: usize| list[if list.len() == 1 { 0 } else { index }];
    let data_type = if scale.data_type == DataType::F64 { DataType::F32 } else { scale.data_type };
    let float = |index: &dyn Fn(usize) -> usize| -> Option<Tensor> {
        let fits = |list: &[f64], count: usize| list.len() == 1 || list.len() == count;
        (fits(&scales, scales.len()) && fits(&zeros, scales.len())).then_some(())?;
        let floats: Vec<f64> =
            values.iter().enumerate().map(|(i, v)| (v - at(&zeros, index(i))) * at(&scales, index(i))).collect();
        Tensor::floats(data_type, &q.dims, &floats)
    };
    if scales.len() == 1 && zeros.len() == 1 {
        return float(&|_| 0);
    }
    let axis = shapes::axis(axis, q.dims.len())?;
    let steps = strides(&q.dims);
    let size = q.dims[axis];
    if block <= 0 || scale.dims.len() < 2 {
        (scales.len() == size || scales.len() == 1 && zeros.len() == size).then_some(())?;
        // One scale may also come with several zero points.
        let scales_of = |i: usize| i / steps[axis] % size;
        if scales.len() == 1 {
            let floats: Vec<f64> =
                values.iter().enumerate().map(|(i, v)| (v - zeros[scales_of(i)]) * scales[0]).collect();
            return Tensor::floats(data_type, &q.dims, &floats);
        }
        return float(&scales_of);
    }
    let block = usize::try_from(block).ok()?;
    (scale.dims.len() == q.dims.len() && scale.dims[axis] == size.div_ceil(block)).then_some(())?;
    let steps_of_scale = strides(&scale.dims);
    float(&|i| {
        (0..q.dims.len())
            .map(|a| {
                let at = i / steps[a] % q.dims[a];
                steps_of_scale[a] * if a == axis { at / block } else { at }
            })
            .sum()
    })
}

fn size(node: &Node, name: &str) -> Option<usize> {
    usize::try_from(node.int(name)?).ok().filter(|size| *size > 0 && *size < 1 << 24)
}

/// Returns number `index` of a row of packed numbers of `bits` bits each, lowest bits first.
fn packed(row: &[u8], index: usize, bits: usize) -> Option<u8> {
    let each = 8 / bits;
    let byte = row.get(index / each)?;
    Some((byte >> (index % each * bits)) & (((1u16 << bits) - 1) as u8))
}

/// Returns the weights of `MatMulNBits`, B `[N, blocks, bytes]` with scales and packed zero points `[N, blocks]`, as a
/// matrix `[K, N]`.
pub(super) fn n_bits(node: &Node, constants: &[Option<Tensor>]) -> Option<Tensor> {
    let (rows, columns) = (size(node, "K")?, size(node, "N")?);
    let bits = node.int("bits").unwrap_or(4);
    let bits = usize::try_from(bits).ok().filter(|bits| [2, 4, 8].contains(bits))?;
    let block = size(node, "block_size")?;
    let given = |i: usize| constants.get(i).and_then(Option::as_ref);
    // Input 4 reorders the rows; no exporter of encoders writes it.
    if node.input(4).is_some() {
        return None;
    }
    let blocks = rows.div_ceil(block);
    let bytes = (block * bits).div_ceil(8);
    let weights = given(1).filter(|t| t.data.len() == columns * blocks * bytes)?;
    let scales = given(2)?;
    let of_scales = scales.to_f64().filter(|s| s.len() == columns * blocks)?;
    let zero_bytes = (blocks * bits).div_ceil(8);
    enum Zeros {
        Middle,
        Packed(Tensor),
        Floats(Vec<f64>),
    }
    let zeros = match (node.input(3), given(3)) {
        (None, _) => Zeros::Middle,
        (_, Some(t)) if t.data_type == DataType::U8 && t.data.len() == columns * zero_bytes => Zeros::Packed(t.clone()),
        (_, Some(t)) => Zeros::Floats(t.to_f64().filter(|z| z.len() == columns * blocks)?),
        _ => return None,
    };
    let mut floats = vec![0.0; rows * columns];
    for column in 0..columns {
        for row in 0..rows {
            let at = column * blocks + row / block;
            let value = packed(&weights.data[at * bytes..(at + 1) * bytes], row % block, bits)?;
            let zero = match &zeros {
                Zeros::Middle => f64::from(1u32 << (bits - 1)),
                Zeros::Packed(t) => f64::from(packed(&t.data[column * zero_bytes..], row / block, bits)?),
                Zeros::Floats(z) => z[at],
            };
            floats[row * columns + column] = (f64::from(value) - zero) * of_scales[at];
        }
    }
    Tensor::floats(scales.data_type, &[rows, columns], &floats)
}

/// The values of two 4-bit formats: a float of one sign, two exponent and one mantissa bit (its 8 positive values), and
/// the quantiles of the normal distribution (Dettmers et al., "QLoRA", appendix E).
const FP4: [f64; 8] = [0.0, 0.005_208_333_3, 0.666_666_67, 1.0, 0.333_333_33, 0.5, 0.166_666_67, 0.25];
const NF4: [f64; 16] = [
    -1.0,
    -0.696_192_800_998_687_7,
    -0.525_073_051_452_636_7,
    -0.394_917_488_098_144_5,
    -0.284_441_381_692_886_35,
    -0.184_773_430_228_233_34,
    -0.091_050_036_251_544_95,
    0.0,
    0.079_580_299_556_255_34,
    0.160_930_201_411_247_25,
    0.246_112_301_945_686_34,
    0.337_915_241_718_292_24,
    0.440_709_829_330_444_34,
    0.562_617_003_917_694_1,
    0.722_956_836_223_602_3,
    1.0,
];

/// Returns the weights of `MatMulBnb4` as a matrix `[K, N]`. B is packed with the first of two numbers in the high
/// bits, the matrix `[N, K]` in one run, with one greatest magnitude for each block.
pub(super) fn bnb4(node: &Node, constants: &[Option<Tensor>]) -> Option<Tensor> {
    let (rows, columns) = (size(node, "K")?, size(node, "N")?);
    let block = size(node, "block_size")?;
    let quantiles = node.int("quant_type").unwrap_or(1) == 1;
    if node.int("transB").unwrap_or(1) == 0 {
        return None;
    }
    let given = |i: usize| constants.get(i).and_then(Option::as_ref);
    let count = rows * columns;
    let weights = given(1).filter(|t| t.data_type == DataType::U8 && t.data.len() == count.div_ceil(2))?;
    let greatest = given(2)?;
    let of_blocks = greatest.to_f64().filter(|g| g.len() == count.div_ceil(block))?;
    let mut floats = vec![0.0; count];
    for (i, magnitude) in (0..count).map(|i| (i, of_blocks[i / block])) {
        let byte = weights.data[i / 2];
        let number = usize::from(if i % 2 == 0 { byte >> 4 } else { byte & 15 });
        let value = match quantiles {
            true => NF4[number],
            false => FP4[number % 8] * if number >= 8 { -1.0 } else { 1.0 },
        };
        floats[i % rows * columns + i / rows] = value * magnitude;
    }
    Tensor::floats(greatest.data_type, &[rows, columns], &floats)
}
