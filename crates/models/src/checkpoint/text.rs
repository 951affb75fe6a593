//! The text encoder as a graph.

use super::INPUT_IDS;
use super::block::{Rows, block, norm};
use super::image::{batch_of, empty, project};
use super::towers::{TextPool, TextTower};
use crate::onnx::{Builder, DataType, Graph, Tensor};

/// [`INPUT_IDS`] `[N, T]` -> `embedding` `[N, D]`.
pub(super) fn graph(tower: &TextTower, width: usize) -> Graph {
    let context = tower.positions.dims[0];
    let mut graph = empty("text", INPUT_IDS, batch_of(DataType::I64, &[context]), width);
    let mut builder = Builder::new(&mut graph, "text");
    let b = &mut builder;
    let form = tower.form;
    let tokens = b.constant("tokens", tower.tokens.clone());
    let x = b.op_with("Gather", &[&tokens, INPUT_IDS], &[("axis", 0.into())]);
    let positions = b.constant("positions", tower.positions.clone());
    let x = b.op("Add", &[&x, &positions]);
    let rows = b.ints(&[-1, form.width as i64]);
    let mut x = b.op("Reshape", &[&x, &rows]);
    let mask = tower.causal.then(|| b.constant("mask", causal(context)));
    let rows = Rows { form, tokens: context, mask: mask.as_deref() };
    for part in &tower.blocks {
        x = block(b, &x, part, &rows);
    }
    let apart = b.ints(&[-1, context as i64, form.width as i64]);
    let x = b.op("Reshape", &[&x, &apart]);
    // Only the pooled token needs normalising.
    let x = pool(b, &x, tower.pool, context);
    let x = norm(b, &x, &tower.after, &form);
    project(b, &x, &tower.projection);
    graph
}

/// Returns the mask that is added to the scores so that a token sees only itself and those before it: 0, or the lowest finite
/// number, which leaves no share without being infinite.
fn causal(context: usize) -> Tensor {
    let values: Vec<f32> =
        (0..context * context).map(|i| if i % context > i / context { f32::MIN } else { 0.0 }).collect();
    Tensor::f32(&[context, context], &values)
}

/// `[N, T, width]` -> `[N, width]`.
fn pool(b: &mut Builder, x: &str, pool: TextPool, context: usize) -> String {
    let at = |b: &mut Builder, index: usize| {
        let index = b.constant("index", Tensor::i64(&[], &[index as i64]));
        b.op_with("Gather", &[x, &index], &[("axis", 1.into())])
    };
    let first_highest = |b: &mut Builder, values: &str| {
        // `[N, 1]`: the index tuple of one token for each text.
        let indices = b.op_with("ArgMax", &[values], &[("axis", 1.into()), ("keepdims", 1.into())]);
        b.op_with("GatherND", &[x, &indices], &[("batch_dims", 1.into())])
    };
    match pool {
        TextPool::First => at(b, 0),
        TextPool::Last => at(b, context - 1),
        TextPool::Highest => first_highest(b, INPUT_IDS),
        TextPool::Id(id) => {
            let id = b.constant("end", Tensor::i64(&[], &[id]));
            let ends = b.op("Equal", &[INPUT_IDS, &id]);
            let ends = b.op_with("Cast", &[&ends], &[("to", i64::from(DataType::I32 as i32).into())]);
            first_highest(b, &ends)
        }
    }
}
