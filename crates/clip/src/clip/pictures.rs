//! Picture features: preprocessing, image encoder, and the cache of earlier results.

use std::path::PathBuf;

use super::{ClipError, ImageGraph, ModelFolder, Photo, encoder::OUTSIDE, feature_cache::remembered, head};
use crate::runtime::{Device, Input, Level, Runtime, Session, SessionPlan, Weights};

/// Encodes picture files to features of unit length, `D` values each, in order. They correspond to what [`super::features`]
/// gives for texts, and are comparable with those.
///
/// Features are cached in `cache` (a folder) by model and by the bytes of the file. The image encoder is loaded only for
/// pictures not found there, and freed before this returns. Every file is read in any case.
pub fn image_features(
    runtime: &Runtime,
    model: &ModelFolder,
    model_hash: &str,
    pictures: &[PathBuf],
    cache: Option<PathBuf>,
) -> Result<Vec<Vec<f32>>, ClipError> {
    let read = |path: &PathBuf| {
        let failed = |source| ClipError::Read { path: path.clone(), source };
        Ok((path.clone(), std::fs::read(path).map_err(failed)?))
    };
    let files = pictures.iter().map(read).collect::<Result<Vec<_>, ClipError>>()?;
    let mut encoder: Option<PictureSession<'_>> = None;
    // A text with the same bytes must have a different key.
    let key = |(_, bytes): &(PathBuf, Vec<u8>)| blake3::Hasher::new_derive_key(KEY).update(bytes).finalize();
    remembered(&files, key, model_hash, cache, |(path, bytes)| {
        // Decode first, so that a large encoder is not loaded for nothing.
        let photo = Photo::decode(bytes).map_err(|message| ClipError::Picture { path: path.clone(), message })?;
        let encoder = match &mut encoder {
            Some(encoder) => encoder,
            none => none.insert(PictureSession::open(runtime, model)?),
        };
        encoder.encode(&photo)
    })
}

/// Must change whenever pictures are prepared differently.
const KEY: &str = "recipe-render: features of pictures, 2";

/// The image encoder, loaded for one window.
struct PictureSession<'a> {
    model: &'a ModelFolder,
    session: Session,
}

impl<'a> PictureSession<'a> {
    fn open(runtime: &Runtime, model: &'a ModelFolder) -> Result<Self, ClipError> {
        let description = &model.description;
        let failed = |source| ClipError::Graph { model: description.name.clone(), source };
        let graph = model.graph(&description.image.file)?;
        let image = ImageGraph::new(graph, Some(&description.image), &description.name)?;
        let folded = image.fold(runtime, 1)?;
        image.check(&folded, 1, description.image.size)?;
        let graph = head::embed(&folded, description, &image.input, &image.output).map_err(failed)?;
        let (bytes, tensors) = graph.write_split(OUTSIDE);
        // One picture at a time on the CPU, so the result has the same bits on every device.
        let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
        let session = runtime.session(&bytes, &Weights { tensors, ..Weights::default() }, &plan)?;
        Ok(PictureSession { model, session })
    }

    fn encode(&mut self, photo: &Photo) -> Result<Vec<f32>, ClipError> {
        let description = &self.model.description;
        let image = &description.image;
        let side = image.size as usize;
        let window = photo.window(side, image.resize, image.interpolation);
        let outputs = self.session.run(&[(head::WINDOWS, Input::F32(&[1, 3, side, side], &window))])?;
        let (_, values) = outputs.f32(head::EMBEDDING)?;
        let norm = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        // It has unit length, unless the encoder gave zeros or NaN.
        if !norm.is_finite() || norm < 0.5 {
            let message = "the image encoder gives no embedding of the picture".to_owned();
            return Err(ClipError::Encoder { model: description.name.clone(), message, hint: None });
        }
        Ok(values.iter().map(|value| (f64::from(*value) / norm) as f32).collect())
    }
}
