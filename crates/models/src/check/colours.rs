//! Checks that the two encoders match, with plain colours and their names.

use serde::Serialize;

use crate::clip::{self, ClipError, Encoder, Features, ModelFolder};
use crate::runtime::Runtime;

/// How many plain pictures were most similar to their own colour's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Colours {
    pub named: usize,
    pub asked: usize,
}

const COLOURS: [(&str, [f32; 3]); 6] = [
    ("red", [0.9, 0.1, 0.1]),
    ("green", [0.1, 0.7, 0.15]),
    ("blue", [0.1, 0.2, 0.9]),
    ("yellow", [0.95, 0.9, 0.1]),
    ("black", [0.03, 0.03, 0.03]),
    ("white", [0.97, 0.97, 0.97]),
];

/// Returns the features of the colours' names, `[6, D]`.
pub(super) fn features(model: &ModelFolder, runtime: &Runtime) -> Result<Features, ClipError> {
    let texts: Vec<String> = COLOURS.iter().map(|(name, _)| format!("a plain {name} picture")).collect();
    let rows = clip::features(runtime, model, "", &texts, None)?;
    Features::new(&rows).ok_or_else(|| ClipError::Encoder {
        model: model.description.name.clone(),
        message: "embeddings of texts differ in length".to_owned(),
        hint: None,
    })
}

pub(super) fn check(encoder: &mut Encoder, features: &Features) -> Result<Colours, ClipError> {
    let asked = COLOURS.len();
    let area = (encoder.side() as usize).pow(2);
    let windows: Vec<f32> = COLOURS
        .iter()
        .flat_map(|(_, colour)| colour.iter().flat_map(|value| std::iter::repeat_n(*value, area)))
        .collect();
    let similarities = encoder.score(&windows, features)?;
    // Subtract each name's mean: some words are close to any picture.
    let mean = |name: usize| similarities.iter().skip(name).step_by(asked).sum::<f32>() / asked as f32;
    let means: Vec<f32> = (0..asked).map(mean).collect();
    let named = similarities.chunks(asked).enumerate().filter(|(own, row)| {
        let relative = row.iter().zip(&means).map(|(similarity, mean)| similarity - mean);
        let best = relative.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        best.is_some_and(|(name, _)| name == *own)
    });
    Ok(Colours { named: named.count(), asked })
}
