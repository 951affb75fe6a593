//! Embeds pictures, many at a time.

use rayon::prelude::*;

use crate::clip::{ClipError, Encoder, Photo};

/// Pictures that are prepared and embedded at a time: enough for several batches of the encoder, few enough to be held in
/// memory.
pub const AT_ONCE: usize = 64;

/// Embeds `count` pictures. Returns embeddings `[D]` of unit length, in order; `None` where `picture` returns none.
///
/// `picture` reads or draws the picture with a number, from several threads at once. The result is prepared as the model
/// prepares pictures (see [`Photo::window`]). `told` is called with the number of pictures done.
pub fn embed(
    encoder: &mut Encoder,
    count: usize,
    picture: &(dyn Fn(usize) -> Option<Photo> + Sync),
    told: &mut dyn FnMut(usize),
) -> Result<Vec<Option<Vec<f32>>>, ClipError> {
    let image = encoder.model().description.image.clone();
    let side = image.size as usize;
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let next = all.len()..count.min(all.len() + AT_ONCE);
        let windows: Vec<Option<Vec<f32>>> = next
            .into_par_iter()
            .map(|index| picture(index).map(|photo| photo.window(side, image.resize, image.interpolation)))
            .collect();
        let there: Vec<f32> = windows.iter().flatten().flatten().copied().collect();
        let embeddings = encoder.embed(&there)?;
        let width = embeddings.len() / windows.iter().flatten().count().max(1);
        let mut rows = embeddings.chunks_exact(width.max(1));
        all.extend(windows.iter().map(|window| window.as_ref().and_then(|_| rows.next()).map(<[f32]>::to_vec)));
        told(all.len());
    }
    Ok(all)
}
