//! Finds the pictures of a sweep that already exist. Their contents decide, not their names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::index::RenderStatus;
use super::plan::Planned;
use crate::cli::failure::Failure;
use crate::cli::source::Source;
use crate::output;
use crate::recipe::Compiled;
use crate::runtime::DeviceChoice;

/// Returns for each picture whether it is there or missing.
pub(super) fn states(
    planned: &[Planned],
    source: &Source,
    folder: &Path,
    device: DeviceChoice,
) -> Result<Vec<RenderStatus>, Failure> {
    // Hashing reads all files of a model, so each model is hashed once.
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    let mut states = Vec::new();
    for planned in planned {
        let path = folder.join(&planned.file);
        let is_there = path.is_file() && {
            let mut used = Vec::new();
            for (reference, model) in planned.compiled.models.iter().zip(&planned.models) {
                let key = format!("{} {}", reference.base.display(), reference.name);
                let hash = match hashes.get(&key) {
                    Some(hash) => hash,
                    None => {
                        let hash = model.whole_hash(&model.hash()?);
                        hashes.entry(key).or_insert(hash)
                    }
                };
                used.push(hash.clone());
            }
            is_that_of(&path, source, planned, &used, device)
        };
        states.push(if is_there { RenderStatus::There } else { RenderStatus::Missing });
    }
    Ok(states)
}

/// Returns whether the picture is the finished one of this render, made by this version, and newer than all files that the recipe
/// needs.
fn is_that_of(path: &Path, source: &Source, planned: &Planned, hashes: &[String], device: DeviceChoice) -> bool {
    let Ok(origin) = output::recover(path) else { return false };
    let facts = origin.facts;
    let same_device = match device {
        DeviceChoice::Only(device) => device.to_string().split(':').next() == Some(facts.device.as_str()),
        _ => true,
    };
    // A picture made by a single model does not list its models.
    let made_by: Vec<&str> = match facts.models.as_slice() {
        [] => vec![&facts.model_hash],
        models => models.iter().map(|model| model.hash.as_str()).collect(),
    };
    let same_models = made_by == hashes;
    let finished =
        facts.steps + facts.steps_spared == facts.steps_planned && facts.steps_planned == planned.compiled.plan.steps();
    origin.recipe == source.text
        && origin.bases == planned.compiled.bases
        && facts.overrides == planned.overrides
        && same_models
        && facts.version == env!("CARGO_PKG_VERSION")
        && same_device
        && finished
        && facts.continued.is_empty()
        && !is_outdated(path, &planned.compiled)
}

/// Returns whether a file that the recipe names, like an image to start from, has changed since the picture was written.
fn is_outdated(path: &Path, compiled: &Compiled) -> bool {
    let time = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(written) = time(path) else { return true };
    compiled.files.iter().any(|file| time(file).is_none_or(|changed| changed > written))
}
