//! `recipe-render direction show`: shows where a picture matches the classes of a directions file.

use std::path::Path;

use serde_json::json;

use super::map;
use crate::cli::args::direction::ShowArgs;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::bar::Bar;
use crate::cli::terminal::{Voice, voice};
use crate::clip::{ModelFolder, Photo};
use crate::direction::{Directions, Model, Survey};
use crate::output::check_writable;
use crate::picture_file::CLEAR;
use crate::runtime;

/// Prints, for each class, the probability of the whole picture and the highest places. Draws the map if one is wanted.
pub(super) fn run(args: &ShowArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    if let Some(output) = &args.output {
        check_writable(output)?;
    }
    let directions = Directions::open(&args.file)?;
    let photo = Photo::open(&args.picture)?;
    if photo.clear {
        voice.warning(&format!("{}: {}", args.picture.display(), CLEAR.0));
    }
    let name = args.model.as_ref().unwrap_or(&directions.model.name);
    let model = ModelFolder::find(name, Path::new(""))?;
    let of = Model { name: name.clone(), hash: model.hash()? };
    directions.belong_to(&of, &args.file)?;
    let mut workbench = Workbench::new(args.compute.threads, args.compute.device, options, voice)?;
    let mut encoder = workbench.encoder(&model, &of.hash)?;
    let survey = {
        let mut bar: Option<Bar> = None;
        let told =
            &mut |done, of| bar.get_or_insert_with(|| Bar::new(voice, "looking at the picture", of)).at(done, of);
        Survey::of(&mut encoder, &photo, told)?
    };
    if survey.whole.len() != directions.width() {
        let (own, other) = (survey.whole.len(), directions.width());
        return Err(Failure::wrong(format!(
            "{}: directions have {other} numbers, embeddings of `{name}` {own}",
            args.file.display()
        )));
    }
    if let Some(output) = &args.output {
        let title = args.picture.file_name().unwrap_or_default().to_string_lossy();
        let sheet = map::sheet(&title, &photo, &survey, &directions, args.places);
        let sheet = sheet.ok_or_else(|| Failure::failed(format!("{}: cannot be drawn", output.display())))?;
        sheet.write(output)?;
    }
    let text = if args.json { as_json(args, &survey, &directions) } else { report(args, &survey, &directions) };
    voice::result(text.as_bytes())?;
    if let Some(output) = &args.output {
        voice.note(&output.display().to_string());
    }
    Ok(Exit::Done)
}

fn as_json(args: &ShowArgs, survey: &Survey, directions: &Directions) -> String {
    let classes = directions.classes.iter().map(|direction| {
        let places = survey.places(direction, args.places).into_iter().map(|(part, probability)| {
            json!({ "left": part.left, "top": part.top, "side": part.side, "probability": probability })
        });
        let parts: Vec<f64> = survey.parts.iter().map(|(_, embedding)| direction.probability(embedding)).collect();
        json!({
            "class": direction.class, "probability": direction.probability(&survey.whole),
            "log_odds": direction.log_odds(&survey.whole), "mean_of_parts": mean(&parts),
            "places": places.collect::<Vec<_>>(),
        })
    });
    let classes: Vec<serde_json::Value> = classes.collect();
    let mut all = json!({
        "picture": args.picture.to_string_lossy(), "file": args.file.to_string_lossy(), "model": directions.model.name,
        "size": [survey.size.0, survey.size.1], "parts": survey.parts.len(), "classes": classes,
    });
    // With a single class, its values are also at the top level, so that nobody has to search a list.
    if let ([only], Some(all)) = (classes.as_slice(), all.as_object_mut()) {
        all.extend(only.as_object().cloned().unwrap_or_default());
    }
    format!("{all:#}\n")
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Describes each class and its places, one paragraph per class.
fn report(args: &ShowArgs, survey: &Survey, directions: &Directions) -> String {
    let mut text = String::new();
    for direction in &directions.classes {
        let parts: Vec<f64> = survey.parts.iter().map(|(_, embedding)| direction.probability(embedding)).collect();
        text += &format!(
            "{} : probability {:.4}, mean of {} parts {:.4}\n",
            direction.class,
            direction.probability(&survey.whole),
            parts.len(),
            mean(&parts)
        );
        for (rank, (part, probability)) in survey.places(direction, args.places).into_iter().enumerate() {
            let (side, left, top) = (part.side, part.left, part.top);
            text += &format!("  {}. {probability:.4}  {side}x{side} pixels at {left},{top}\n", rank + 1);
        }
    }
    text
}
