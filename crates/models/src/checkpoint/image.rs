//! The image encoder as a graph.

use super::block::{Rows, block, linear, norm};
use super::towers::{ImagePool, ImageTower, Projection};
use super::{EMBEDDING, IMAGE};
use crate::onnx::{Builder, DataType, Dim, Graph, Tensor, ValueType};

/// Returns the type of a value whose first dimension is open. That dimension is the number of pictures or texts, the same for
/// all values.
pub(super) fn batch_of(data_type: DataType, dims: &[usize]) -> ValueType {
    let fixed = dims.iter().map(|size| Dim::Known(*size));
    ValueType { data_type, dims: Some(std::iter::once(Dim::Named("batch".into())).chain(fixed).collect()) }
}

/// Creates an empty graph with one input and one output.
pub(super) fn empty(name: &str, input: &str, given: ValueType, width: usize) -> Graph {
    let mut graph = Graph { name: name.into(), ..Graph::default() };
    graph.inputs.push(input.into());
    graph.outputs.push(EMBEDDING.into());
    graph.types.insert(input.into(), given);
    graph.types.insert(EMBEDDING.into(), batch_of(DataType::F32, &[width]));
    graph
}

/// [`IMAGE`] `[N, 3, S, S]` -> [`EMBEDDING`] `[N, D]`.
pub(super) fn graph(tower: &ImageTower, width: usize) -> Graph {
    let size = tower.size;
    let mut graph = empty("image", IMAGE, batch_of(DataType::F32, &[3, size, size]), width);
    let mut builder = Builder::new(&mut graph, "image");
    let b = &mut builder;
    let form = tower.form;
    let tokens = tower.tokens();
    let mut x = embed(b, tower);
    if let Some(before) = &tower.before {
        x = norm(b, &x, before, &form);
    }
    let rows = Rows { form, tokens, mask: None };
    for part in &tower.blocks {
        x = block(b, &x, part, &rows);
    }
    // Turn the rows of one matrix back into tokens per picture.
    let apart = b.ints(&[-1, tokens as i64, form.width as i64]);
    let first = tower.pool == ImagePool::Class || tower.pool_first;
    if !first {
        x = norm(b, &x, &tower.after, &form);
    }
    x = b.op("Reshape", &[&x, &apart]);
    x = pool(b, &x, tower.pool);
    if first {
        x = norm(b, &x, &tower.after, &form);
    }
    project(b, &x, &tower.projection);
    graph
}

/// Embeds patches, with the class token in front, and adds positions: `[N · T, width]`.
fn embed(b: &mut Builder, tower: &ImageTower) -> String {
    let (width, patch) = (tower.form.width, tower.patch);
    let weight = b.constant("patches", tower.patches.clone());
    let bias = tower.patches_bias.as_ref().map(|bias| b.constant("bias", bias.clone()));
    let inputs: Vec<&str> = [IMAGE, &weight].into_iter().chain(bias.as_deref()).collect();
    let sides = [patch, patch];
    let attributes = [("kernel_shape", sides.as_slice().into()), ("strides", sides.as_slice().into())];
    let x = b.op_with("Conv", &inputs, &attributes);
    let flat = b.ints(&[0, width as i64, -1]);
    let x = b.op("Reshape", &[&x, &flat]);
    let x = b.transpose(&x, &[0, 2, 1]);
    // A row of zeros in front. The class token is added to it together with the positions, so it need not be repeated N times.
    let pads = b.ints(&[0, 1, 0, 0, 0, 0]);
    let x = b.op("Pad", &[&x, &pads]);
    let positions = b.constant("positions", positions(&tower.positions, &tower.class));
    let x = b.op("Add", &[&x, &positions]);
    let rows = b.ints(&[-1, width as i64]);
    b.op("Reshape", &[&x, &rows])
}

/// Returns the positions with the class token's embedding added to the first.
fn positions(positions: &Tensor, class: &Tensor) -> Tensor {
    let mut values = positions.to_f32().unwrap_or_default();
    for (value, class) in values.iter_mut().zip(class.to_f32().unwrap_or_default()) {
        *value += class;
    }
    Tensor::f32(&positions.dims, &values)
}

/// `[N, T, width]` -> `[N, width]`.
fn pool(b: &mut Builder, x: &str, pool: ImagePool) -> String {
    match pool {
        ImagePool::Class => {
            let first = b.constant("class", Tensor::i64(&[], &[0]));
            b.op_with("Gather", &[x, &first], &[("axis", 1.into())])
        }
        ImagePool::Patches => {
            let (starts, ends, axes) = (b.ints(&[1]), b.ints(&[i64::MAX]), b.ints(&[1]));
            let patches = b.op("Slice", &[x, &starts, &ends, &axes]);
            b.reduce("ReduceMean", &patches, &[1], false)
        }
        ImagePool::All => b.reduce("ReduceMean", x, &[1], false),
    }
}

/// `[N, width]` -> [`EMBEDDING`] `[N, D]`.
pub(super) fn project(b: &mut Builder, x: &str, projection: &Projection) {
    match projection {
        Projection::None => b.op_into("Identity", &[x], &[], EMBEDDING),
        Projection::Columns(weight) => {
            let weight = b.constant("projection", weight.clone());
            b.op_into("MatMul", &[x, &weight], &[], EMBEDDING);
        }
        Projection::Linear(layer) => {
            let result = linear(b, x, layer, 1.0);
            b.op_into("Identity", &[&result], &[], EMBEDDING);
        }
    }
}
