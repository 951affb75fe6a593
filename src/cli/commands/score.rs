//! `recipe-render score PICTURE PROMPT...`: prints how similar a picture is to prompts, according to a model.

use std::path::Path;

use serde_json::json;

use crate::cli::args::ScoreArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::prompts::check_texts;
use crate::cli::terminal::{Voice, voice};
use crate::clip::{self, ModelFolder, Photo, TEMPERATURE};
use crate::picture_file::CLEAR;
use crate::runtime;

/// The length of the longest bar, in columns.
const BAR: usize = 20;

/// A prompt and its score.
struct Score<'a> {
    prompt: &'a str,
    /// The cosine of the angle between the picture's embedding and the prompt's.
    similarity: f64,
    /// The probability CLIP assigns to this prompt if exactly one of the prompts is right; all shares add up to 1.
    share: f64,
}

/// Prints the similarity of the picture to each prompt, in the order given.
pub fn run(args: &ScoreArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    // Checks that do not need onnxruntime come first.
    let photo = Photo::open(&args.picture)?;
    let model = ModelFolder::find(&args.model, Path::new(""))?;
    let prompts: Vec<(&str, &str)> = args.prompts.iter().map(|prompt| ("PROMPT", prompt.as_str())).collect();
    check_texts(&prompts, &args.model, &model, voice)?;
    if photo.clear {
        voice.warning(&format!("{}: {}", args.picture.display(), CLEAR.0));
    }
    let runtime = runtime::open(options, &mut |line| voice.note(line))?;
    let hash = model.hash()?;
    voice.detail(&format!("model {} ({hash})", model.description.name));
    let cache = || runtime::cache_folder().ok();
    let texts = clip::features(&runtime, &model, &hash, &args.prompts, cache())?;
    let pictures = std::slice::from_ref(&args.picture);
    let picture = clip::image_features(&runtime, &model, &hash, pictures, cache())?;
    let picture = picture.first().map_or(&[][..], Vec::as_slice);
    if let Some(text) = texts.iter().find(|text| text.len() != picture.len()) {
        let name = &model.description.name;
        let message =
            format!("model `{name}`: embeddings of pictures have {} numbers, of texts {}", picture.len(), text.len());
        return Err(Failure::wrong(message).hint("do both encoders belong to the same model?"));
    }
    let similarities: Vec<f64> = texts.iter().map(|text| cosine(picture, text)).collect();
    let scores: Vec<Score<'_>> = args
        .prompts
        .iter()
        .zip(similarities.iter().zip(shares(&similarities)))
        .map(|(prompt, (similarity, share))| Score { prompt, similarity: *similarity, share })
        .collect();
    let text = match args.json {
        true => {
            let one = |score: &Score<'_>| json!({ "prompt": score.prompt, "similarity": score.similarity, "share": score.share });
            let scores: Vec<_> = scores.iter().map(one).collect();
            let picture = args.picture.to_string_lossy();
            let all = json!({
                "picture": picture, "model": model.description.name, "model_hash": hash, "scores": scores,
            });
            format!("{all:#}\n")
        }
        false => table(&scores),
    };
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

/// Returns the cosine of the angle between two unit vectors.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// Returns the softmax of similarities at CLIP's temperature.
fn shares(similarities: &[f64]) -> Vec<f64> {
    let most = similarities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = similarities.iter().map(|similarity| (TEMPERATURE * (similarity - most)).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// Formats one line per prompt: its similarity and, if there are several prompts, its share.
fn table(scores: &[Score<'_>]) -> String {
    let width = scores.iter().map(|score| score.prompt.chars().count()).max().unwrap_or(0);
    let line = |score: &Score<'_>| {
        let Score { prompt, similarity, share } = score;
        let share = match scores.len() {
            1 => String::new(),
            _ => format!("  {:>5.1}%  {}", share * 100.0, "█".repeat((share * BAR as f64).round() as usize)),
        };
        format!("{prompt:width$} : {similarity:>7.4}{share}").trim_end().to_owned() + "\n"
    };
    scores.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_do_not_overflow() {
        assert_eq!(shares(&[0.3, 0.3]), [0.5, 0.5]);
        let shares = shares(&[-1.0, 1.0, 0.99]);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12 && shares[1] > 0.7 && shares[0] < 1e-80);
    }

    #[test]
    fn lines_are_aligned() {
        let score = |prompt, similarity, share| Score { prompt, similarity, share };
        let both = [score("naïve", 0.27123, 0.9512), score("a dog", -0.01, 0.0488)];
        let bar = "█".repeat(19);
        assert_eq!(table(&both), format!("naïve :  0.2712   95.1%  {bar}\na dog : -0.0100    4.9%  █\n"));
        assert_eq!(table(&both[..1]), "naïve :  0.2712\n");
    }
}
