//! STAND-IN, dropped at merge: reads size, seed, model, steps and prompts, and knows TOML's errors.

mod diagnostic;

use std::path::{Path, PathBuf};

pub use diagnostic::{Diagnostic, Severity, render_diagnostics};

use crate::plan::*;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    pub size: Option<Size>,
    pub steps: Option<u32>,
    pub seed: Option<u64>,
    pub model: Option<String>,
}

#[derive(Debug)]
pub struct Compiled {
    pub plan: Plan,
    pub model: String,
    pub prompt_spans: Vec<std::ops::Range<usize>>,
    pub warnings: Vec<Diagnostic>,
    pub files: Vec<PathBuf>,
}

pub fn compile(path: &Path, text: &str, overrides: &Overrides) -> Result<Compiled, Vec<Diagnostic>> {
    let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        vec![Diagnostic::error(path, error.span().unwrap_or(0..0), error.message().to_owned())]
    })?;
    let known = ["title", "size", "seed", "model", "steps", "prompts", "phases", "image", "slow"];
    let mut diagnostics = Vec::new();
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        let start = text.find(key.as_str()).unwrap_or(0);
        diagnostics.push(Diagnostic::error(path, start..start + key.len(), format!("unknown key `{key}`")));
    }
    let integer = |key: &str| table.get(key).and_then(|value| value.as_integer());
    let strings = |key: &str| -> Vec<String> {
        let list = table.get(key).and_then(|value| value.as_array()).into_iter().flatten();
        list.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let prompts = strings("prompts");
    if prompts.is_empty() {
        diagnostics.push(Diagnostic::whole(path, "no prompts"));
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let mut names = strings("phases");
    if names.is_empty() {
        names.push("phase 1".into());
    }
    let steps = overrides.steps.unwrap_or(integer("steps").unwrap_or(20) as u32);
    let phases = names.len() as u32;
    let image = table.get("image").and_then(|value| value.as_str());
    let files = image.map(|image| path.parent().unwrap_or(Path::new("")).join(image)).into_iter().collect();
    let side = integer("size").unwrap_or(64) as u32;
    let plan = Plan {
        title: table.get("title").and_then(|value| value.as_str()).map(str::to_owned),
        size: overrides.size.unwrap_or(Size { width: side, height: side }),
        seed: overrides.seed.unwrap_or(integer("seed").unwrap_or(0) as u64),
        canvas: Canvas { basis: Basis::Pixels, init: Init { ground: Ground::Colour([0.5; 3]), noise: 0.0 } },
        prompts: prompts.iter().map(|text| Prompt { text: text.clone() }).collect(),
        targets: Vec::new(),
        phases: names
            .into_iter()
            .enumerate()
            .map(|(i, name)| Phase {
                name,
                steps: steps / phases + u32::from((i as u32) < steps % phases),
                rate: Schedule::Constant(integer("slow").unwrap_or(5) as f64),
                finest: None,
                weights: Vec::new(),
            })
            .collect(),
    };
    let model = table.get("model").and_then(|value| value.as_str()).unwrap_or("pocket").to_owned();
    Ok(Compiled {
        plan,
        model: overrides.model.clone().unwrap_or(model),
        prompt_spans: Vec::new(),
        warnings: Vec::new(),
        files,
    })
}
