//! `recipe-render direction fit`: fits directions to examples.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::drawn::Drawn;
use super::folders::Folders;
use crate::cli::args::direction::FitArgs;
use crate::cli::bench::Workbench;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::prompts::check_texts;
use crate::cli::terminal::bar::Bar;
use crate::cli::terminal::{Voice, voice};
use crate::clip::{self, ModelFolder};
use crate::direction::{self, Direction, Directions, Interval, Model};
use crate::output::{check_writable, write_whole};
use crate::runtime;

/// Fits directions, writes them to a file, and prints their scores.
pub(super) fn run(args: &FitArgs, options: runtime::Options, voice: &Voice) -> Outcome {
    // Checks that need no picture come first.
    check_writable(&args.output)?;
    if let Some(class) = args.class.as_deref().filter(|class| class.trim().is_empty()) {
        return Err(Failure::wrong(format!("--class: \"{class}\" is not a name")));
    }
    let model = ModelFolder::find(&args.model, Path::new(""))?;
    let hash = model.hash()?;
    let of = Model { name: args.model.clone(), hash };
    let mut workbench = Workbench::new(args.compute.threads, args.compute.device, options, voice)?;
    let mut skipped = Vec::new();
    let drawn = Drawn::new(&args.drawn, model.description.image.size, voice)?;
    let mut made = made(args);
    let classes = if let Some(drawn) = drawn {
        made = drawn.made();
        let mut encoder = workbench.encoder(&model, &of.hash)?;
        let mut classes = Vec::new();
        for contrast in args.drawn.contrasts() {
            // Each class is fitted by itself, so it does not depend on the others.
            classes.extend(fitted(&drawn.examples(contrast, &mut encoder, voice)?, voice)?);
        }
        classes
    } else if args.more.is_empty() {
        let folders = Folders::find(args, voice)?;
        folders.enough()?;
        let mut encoder = workbench.encoder(&model, &of.hash)?;
        let (examples, left_out) = folders.examples(&mut encoder, voice)?;
        skipped = left_out;
        fitted(&examples, voice)?
    } else {
        vec![from_texts(args, &model, &of, &mut workbench, voice)?]
    };
    let directions = Directions { model: of, made, classes };
    write_whole(&args.output, |file| file.write_all(&directions.to_bytes()))?;
    let text = if args.json { as_json(args, &directions, &skipped) } else { report(&directions) };
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

/// Fits directions and shows a progress bar.
fn fitted(examples: &direction::Examples, voice: &Voice) -> Result<Vec<Direction>, Failure> {
    let bar = Bar::new(voice, "fitting", direction::parts(examples));
    direction::fit(examples, &|progress| bar.at(progress.done, progress.of)).map_err(Failure::from)
}

fn from_texts(
    args: &FitArgs,
    model: &ModelFolder,
    of: &Model,
    workbench: &mut Workbench,
    voice: &Voice,
) -> Result<Direction, Failure> {
    let texts: Vec<String> = args.more.iter().chain(&args.less).cloned().collect();
    let more = args.more.iter().map(|text| ("--more", text.as_str()));
    let prompts: Vec<(&str, &str)> = more.chain(args.less.iter().map(|text| ("--less", text.as_str()))).collect();
    check_texts(&prompts, &of.name, model, voice)?;
    let runtime = workbench.runtime()?;
    let rows = clip::features(&runtime, model, &of.hash, &texts, runtime::cache_folder().ok())?;
    let (more, less) = rows.split_at(args.more.len());
    let class = args.class.clone().or_else(|| args.more.first().cloned()).unwrap_or_default();
    direction::from_texts(class, more, less).map_err(Failure::from)
}

/// Returns how the directions were made, in the words of the command line.
fn made(args: &FitArgs) -> String {
    let mut words = Vec::new();
    let mut option = |name: &str, value: &str| words.push(format!("--{name} \"{value}\""));
    let folders = [("positive", &args.positive), ("negative", &args.negative)];
    args.classes.iter().for_each(|folder| option("classes", &folder.to_string_lossy()));
    folders.iter().for_each(|(name, of)| of.iter().for_each(|folder| option(name, &folder.to_string_lossy())));
    args.more.iter().for_each(|text| option("more", text));
    args.less.iter().for_each(|text| option("less", text));
    words.join(" ")
}

fn as_json(args: &FitArgs, directions: &Directions, skipped: &[PathBuf]) -> String {
    let class = |own: &Direction| {
        let mut value = json!({ "class": own.class, "axes": own.axes() });
        if let (Some(to), Ok(serde_json::Value::Object(about))) =
            (value.as_object_mut(), serde_json::to_value(&own.about))
        {
            to.extend(about);
        }
        value
    };
    let skipped: Vec<_> = skipped.iter().map(|path| path.to_string_lossy()).collect();
    let all = json!({
        "file": args.output.to_string_lossy(), "model": directions.model.name, "model_hash": directions.model.hash,
        "skipped": skipped, "classes": directions.classes.iter().map(class).collect::<Vec<_>>(),
    });
    format!("{all:#}\n")
}

/// Describes the classes and their scores.
fn report(directions: &Directions) -> String {
    let mut lines = Vec::new();
    for direction @ Direction { class, about, .. } in &directions.classes {
        let Some(scores) = &about.scores else {
            let texts = |count: u64| if count == 1 { "one text".to_owned() } else { format!("{count} texts") };
            lines.push(format!("{class}: {} against {}", texts(about.positives), texts(about.negatives)));
            lines.push("  no scores: texts leave nothing to hold out".to_owned());
            continue;
        };
        let (own, other) = (scores.positives, scores.negatives);
        lines.push(format!(
            "{class}: {} pictures against {}; scored on {} held out",
            about.positives,
            about.negatives,
            own.of + other.of
        ));
        lines.push(format!(
            "  accuracy   {}, {} of {} right with it, {} of {} without",
            percent(&scores.accuracy),
            own.right,
            own.of,
            other.right,
            other.of
        ));
        let Interval { value, low, high } = scores.area;
        lines.push(format!("  ROC area   {value:.3} (95% confidence: {low:.3} to {high:.3})"));
        let axes = direction.axes();
        if axes > 0 {
            lines.push(format!("  shape      quadratic, {axes} axes: better in cross-validation than a plane"));
        }
        if let Some(strength) = about.strength {
            lines.push(format!("  strength   {strength:.1e}, chosen by cross-validation"));
        }
    }
    lines.join("\n") + "\n"
}

fn percent(interval: &Interval) -> String {
    let Interval { value, low, high } = interval;
    format!("{:.1}% (95% confidence: {:.1}% to {:.1}%)", value * 100.0, low * 100.0, high * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::{About, Count, Scores};

    #[test]
    fn scores_are_told_with_their_intervals() {
        let interval = |value, low, high| Interval { value, low, high };
        let scores = Scores {
            positives: Count { right: 47, of: 48 },
            negatives: Count { right: 46, of: 48 },
            accuracy: interval(0.96875, 0.912, 0.9893),
            area: interval(0.9971, 0.98, 0.9996),
        };
        let about = About { positives: 240, negatives: 240, strength: Some(1e-4), scores: Some(scores) };
        let direction = |class: &str, about: About| Direction {
            class: class.into(),
            weight: vec![1.0],
            bias: 0.0,
            quadric: None,
            about,
        };
        let texts = About { positives: 1, negatives: 2, strength: None, scores: None };
        let directions = Directions {
            model: Model { name: "pocket".into(), hash: String::new() },
            made: String::new(),
            classes: vec![direction("letters", about), direction("a page", texts)],
        };
        assert_eq!(
            report(&directions),
            "letters: 240 pictures against 240; scored on 96 held out\n  accuracy   96.9% (95% confidence: 91.2% to \
             98.9%), 47 of 48 right with it, 46 of 48 without\n  ROC area   0.997 (95% confidence: 0.980 to 1.000)\n  \
             strength   1.0e-4, chosen by cross-validation\na page: one text against 2 texts\n  no scores: texts leave \
             nothing to hold out\n"
        );
    }
}
