//! `recipe-render models explain`: shows how a model reads texts.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli::args::models::ExplainArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::prompts::dialects::signs;
use crate::cli::terminal::{Voice, voice};
use crate::clip::{ModelFolder, Name, Stranger, Words};
use crate::models::{self, By, Explained, Near};
use crate::runtime;

/// The length of the longest bar, in columns.
const BAR: usize = 20;

/// Prints the names nearest to each text, and the words that the model does not know.
pub(super) fn run(args: &ExplainArgs, options: &runtime::Options, voice: &Voice) -> Outcome {
    // Checks that do not need onnxruntime come first.
    let model = ModelFolder::find(&args.model, Path::new(""))?;
    let names = args.names.as_deref().map(names).transpose()?;
    warn_of_signs(&args.texts, voice);
    if let Some(text) = args.texts.iter().find(|text| text.trim().is_empty()) {
        return Err(Failure::wrong(format!("\"{text}\": the text is empty")));
    }
    let top = args.top.get() as usize;
    let (by, explained) = match Words::open(&model)? {
        Words::Labels(_) if names.is_some() => {
            let message = "--names: a classifier knows only its own labels";
            return Err(Failure::wrong(message).hint("leave it out to see the labels nearest to a text"));
        }
        Words::Labels(labels) => (By::Labels, models::explain_labels(&labels, &args.texts, top)),
        Words::Tokens(_) => {
            let runtime = runtime::open(options, &mut |line| voice.note(line))?;
            let cache = runtime::cache_folder().ok();
            models::explain(&model, &runtime, names, &args.texts, top, cache)?
        }
    };
    let text = match args.json {
        true => format!("{:#}\n", as_json(&model.description.name, by, &explained)),
        false => explained.iter().map(|explained| report(by, explained)).collect::<Vec<_>>().join("\n"),
    };
    voice::result(text.as_bytes())?;
    Ok(Exit::Done)
}

/// Warns of the syntax of other programs in texts.
fn warn_of_signs(texts: &[String], voice: &Voice) {
    for text in texts {
        for sign in signs(text) {
            voice.warning(&sign.in_text(text));
        }
    }
}

/// Reads the names in a file.
fn names(path: &Path) -> Result<Vec<Name>, Failure> {
    let wrong = |message: String| Failure::wrong(format!("--names {}: {message}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Name::list(&text)
        .map_err(|message| wrong(message).hint("expected one name per line, optionally followed by a tab and a remark"))
}

/// Describes a text and how the model reads it.
fn report(by: By, explained: &Explained) -> String {
    let mut lines = vec![format!("\"{}\"", explained.text)];
    if !explained.unknown.is_empty() {
        let told: Vec<String> = explained.unknown.iter().map(Stranger::told).collect();
        lines.push(format!("  not known: {}", told.join(", ")));
    }
    if explained.cut {
        lines.push("  longer than the model takes: its end is cut off".to_owned());
    }
    if explained.partly {
        lines.push("  the other words mean nothing to it".to_owned());
    }
    if explained.silent {
        lines.push(match by {
            By::Labels => "  it names no label; similarly spelled labels:".to_owned(),
            By::Shares | By::Similarity => "  the model knows no word of it".to_owned(),
        });
    } else if explained.names.is_empty() {
        lines.push("  no name has a share of 1 % in it".to_owned());
    }
    let width = explained.names.iter().map(|near| near.name.chars().count()).max().unwrap_or(0);
    lines.extend(explained.names.iter().map(|near| {
        let Near { name, value, remark } = near;
        let value = match by {
            By::Shares | By::Labels if !explained.silent => {
                let bar = "█".repeat((value * BAR as f64).round() as usize);
                format!("{:>5.1}%  {bar:<BAR$}", value * 100.0)
            }
            By::Shares | By::Similarity => format!("{value:>7.4}"),
            // A similarity of spelling says little.
            By::Labels => String::new(),
        };
        format!("  {name:<width$}  {value}  {}", remark.as_deref().unwrap_or_default()).trim_end().to_owned()
    }));
    lines.join("\n") + "\n"
}

fn as_json(model: &str, by: By, explained: &[Explained]) -> Value {
    let key = |silent: bool| match by {
        By::Labels if silent => "spelling",
        By::Shares | By::Labels => "share",
        By::Similarity => "similarity",
    };
    let near = |near: &Near, silent: bool| {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(near.name));
        entry.insert(key(silent).to_owned(), json!(near.value));
        entry.extend(near.remark.as_ref().map(|remark| ("remark".to_owned(), json!(remark))));
        Value::Object(entry)
    };
    let unknown = |stranger: &Stranger| json!({ "word": stranger.word, "pieces": stranger.pieces });
    let texts = explained.iter().map(|text| {
        json!({
            "text": text.text,
            "known": !text.silent,
            "cut": text.cut,
            "partly": text.partly,
            "unknown": text.unknown.iter().map(unknown).collect::<Vec<_>>(),
            "names": text.names.iter().map(|name| near(name, text.silent)).collect::<Vec<_>>(),
        })
    });
    json!({ "model": model, "by": key(false), "texts": texts.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(names: &[(&str, f64, Option<&str>)]) -> Explained {
        let near = names.iter().map(|(name, value, remark)| Near {
            name: (*name).to_owned(),
            value: *value,
            remark: remark.map(str::to_owned),
        });
        let (text, unknown) = ("a dog".to_owned(), Vec::new());
        Explained { text, unknown, silent: false, partly: false, cut: false, names: near.collect() }
    }

    #[test]
    fn shares_have_bars_and_remarks() {
        let text = report(By::Shares, &explained(&[("dog", 0.75, Some("an icon")), ("wolf", 0.25, None)]));
        let (long, short) = ("█".repeat(15), "█".repeat(5));
        assert_eq!(text, format!("\"a dog\"\n  dog    75.0%  {long}       an icon\n  wolf   25.0%  {short}\n"));
    }

    #[test]
    fn of_labels_shares_or_else_names_alone_are_told() {
        let read = Explained { partly: true, ..explained(&[("castle", 0.5, None), ("cliff", 0.5, None)]) };
        let bar = "█".repeat(10);
        let text = "\"a dog\"\n  the other words mean nothing to it\n";
        let text = format!("{text}  castle   50.0%  {bar}\n  cliff    50.0%  {bar}\n");
        assert_eq!(report(By::Labels, &read), text);
        let silent = Explained { silent: true, ..explained(&[("castle", 0.8, None)]) };
        assert_eq!(
            report(By::Labels, &silent),
            "\"a dog\"\n  it names no label; similarly spelled labels:\n  castle\n"
        );
        assert_eq!(as_json("m", By::Labels, &[silent])["texts"][0]["names"][0]["spelling"], 0.8);
    }

    #[test]
    fn similarities_are_numbers() {
        let text = report(By::Similarity, &explained(&[("dog", 0.91234, None), ("cat", 0.5, Some("drawn"))]));
        assert_eq!(text, "\"a dog\"\n  dog   0.9123\n  cat   0.5000  drawn\n");
        let value = as_json("m", By::Similarity, &[explained(&[("dog", 0.5, None)])]);
        assert_eq!(value["texts"][0]["names"], json!([{ "name": "dog", "similarity": 0.5 }]));
    }
}
