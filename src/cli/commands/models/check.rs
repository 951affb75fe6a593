//! `recipe-render models check`: verifies that a model can be used, and measures it.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::cli::args::models::CheckModelArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::{Voice, voice};
use crate::clip::ModelFolder;
use crate::models::{self, Colours, Findings};
use crate::recipe::{Severity, check_advice, render_diagnostics};
use crate::runtime;

/// Checks a model. A fault makes the command fail.
pub(super) fn run(args: &CheckModelArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    let model = ModelFolder::find(&args.model, Path::new(""))?;
    let runtime = runtime::open(options, &mut |line| voice.note(line))?;
    let device = runtime.device(options.device, &mut |line| voice.note(line))?;
    let runtime = Arc::new(runtime);
    let findings = models::check(&model, &runtime, device, &mut |doing| voice.detail(doing))?;
    let mut faults = findings.faults();
    // The model's advice is otherwise read only with a recipe, so it is checked here by itself.
    if let Some((path, text)) = ModelFolder::text_of(&args.model, Path::new("")) {
        let wrong = check_advice(&path, &text);
        voice.rendered(&render_diagnostics(&wrong));
        if wrong.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            faults.push("its advice is wrong: no recipe can be rendered with it".to_owned());
        }
    }
    if args.json {
        let mut value = serde_json::to_value(&findings).map_err(Failure::failed)?;
        value["faults"] = json!(faults);
        value["doubts"] = json!(findings.doubts());
        voice::result(format!("{value:#}\n").as_bytes())?;
    } else {
        voice::result(report(&findings, &faults).as_bytes())?;
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Describes the findings.
fn report(findings: &Findings, faults: &[String]) -> String {
    let Findings { model, size, width, references, colours, labels, gradient, speed } = findings;
    let mut lines = vec![format!("{model}: windows of {size} x {size} pixels, embeddings of {width} numbers")];
    let mut line = |what: &str, text: String| lines.push(format!("  {what:<9} {text}"));
    line(
        "texts",
        match (references.compared, references.wrong.len()) {
            (0, _) if labels.is_some() => "labels only; no known values to compare with".to_owned(),
            (0, _) => "both encoders agree in length; no known values to compare with".to_owned(),
            (all, 0) => format!("all {all} known values are right"),
            (all, wrong) => format!("{wrong} of {all} known values are wrong"),
        },
    );
    for wrong in &references.wrong {
        line("", wrong.clone());
    }
    line(
        "gradient",
        format!(
            "{}: differs from central differences by {:.1e} at most, in {} directions",
            if gradient.right() { "right" } else { "WRONG" },
            gradient.worst,
            gradient.directions
        ),
    );
    if let Some(Colours { named, asked }) = colours {
        line("colours", format!("{named} of {asked} plain pictures named"));
    }
    if let Some(labels) = labels {
        line("labels", format!("{labels}, one for each output"));
    }
    line(
        "speed",
        format!(
            "{:.1} windows/s forward and backward ({} at once, {}, {} thread{})",
            speed.windows_per_second,
            speed.windows,
            speed.device,
            speed.threads,
            if speed.threads == 1 { "" } else { "s" }
        ),
    );
    if faults.is_empty() {
        line("verdict", "ready".to_owned());
    }
    for fault in faults {
        line("verdict", fault.clone());
    }
    for doubt in findings.doubts() {
        line("but", doubt);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Gradient, References, Speed};

    fn findings() -> Findings {
        Findings {
            model: "x".into(),
            size: 64,
            width: 8,
            references: References::default(),
            colours: Some(Colours { named: 6, asked: 6 }),
            labels: None,
            gradient: Gradient { worst: 1e-3, directions: 6, tolerance: 0.02 },
            speed: Speed { windows_per_second: 12.34, windows: 16, threads: 2, device: "cpu".into() },
        }
    }

    #[test]
    fn a_sound_model_is_ready() {
        let text = report(&findings(), &[]);
        assert!(text.contains("verdict   ready") && !text.contains("but "), "{text}");
        assert!(text.contains("12.3 windows/s"), "{text}");
    }

    #[test]
    fn a_classifier_is_not_asked_for_colours() {
        let text = report(&Findings { colours: None, labels: Some(12), ..findings() }, &[]);
        assert!(text.contains("labels    12, one for each output") && !text.contains("colours"), "{text}");
        assert!(text.contains("ready") && !text.contains("but "), "{text}");
    }

    #[test]
    fn what_is_wrong_is_the_verdict() {
        let mut found = findings();
        found.gradient.worst = 0.3;
        found.references = References { compared: 2, wrong: vec!["\"hello\" gives 1".into()] };
        found.colours = Some(Colours { named: 1, asked: 6 });
        let text = report(&found, &found.faults());
        for said in
            ["WRONG", "1 of 2 known values", "\"hello\" gives 1", "its gradient is wrong", "plain colours apart"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("ready"));
    }
}
