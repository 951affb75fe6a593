//! `index.json`: the renders of a sweep, for programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::Planned;
use crate::cli::job::run::{Report, lines};
use crate::cli::source::picture;
use crate::output::{TallyLine, WriteError, write_whole};

/// The contact sheet's name in the sweep's folder.
pub(super) const SHEET: &str = "sheet.png";

/// The state of a render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RenderStatus {
    /// Rendered just now.
    Rendered,
    /// The picture was there already.
    There,
    /// Stopped early: the picture is unfinished.
    Unfinished,
    Failed,
    Missing,
}

/// A whole sweep.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    /// The program's version.
    version: String,
    recipe: String,
    /// The contact sheet's name.
    sheet: String,
    renders: Vec<RenderRecord>,
}

/// One render.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RenderRecord {
    /// The varying paths and their values, as written on the command line.
    pub set: BTreeMap<String, String>,
    /// The picture's name in the folder.
    pub file: String,
    pub state: RenderStatus,
    /// Steps done.
    pub steps: u64,
    /// Seconds the render took; null if no longer known.
    pub seconds: Option<f64>,
    /// Mean similarity of the winning prompts in the last step, by target; empty if no longer known.
    pub similarities: BTreeMap<String, f32>,
    pub tally: Vec<TallyLine>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RenderRecord {
    fn new(planned: &Planned, state: RenderStatus) -> Self {
        let set = planned.combination.varied.iter().map(|set| (set.path.clone(), set.value.clone())).collect();
        RenderRecord {
            set,
            file: planned.file.clone(),
            state,
            steps: 0,
            seconds: None,
            similarities: BTreeMap::new(),
            tally: Vec::new(),
            error: None,
        }
    }

    /// Creates the entry of a render that has just ended.
    pub(super) fn rendered(planned: &Planned, report: &Report<'_>) -> Self {
        RenderRecord {
            steps: report.rendered.steps,
            seconds: Some((report.seconds * 1000.0).round() / 1000.0),
            similarities: report.similarities.iter().cloned().collect(),
            tally: lines(&report.rendered.tally),
            ..RenderRecord::new(planned, RenderStatus::Rendered)
        }
    }
}

impl Index {
    pub(super) fn new(recipe: &Path, renders: Vec<RenderRecord>) -> Self {
        Index {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            recipe: recipe.display().to_string(),
            sheet: SHEET.to_owned(),
            renders,
        }
    }

    /// Returns whether a file with this beginning is an index: it begins with the program's version and the recipe.
    pub(super) fn is_ours(head: &[u8]) -> bool {
        let text: String = String::from_utf8_lossy(head).chars().filter(|c| !c.is_whitespace()).take(12).collect();
        text.starts_with("{\"version\":\"") && head.windows(8).any(|window| window == b"\"recipe\"")
    }

    /// Returns the entries before anything is rendered. Steps and tally of existing pictures come from the pictures themselves,
    /// seconds and similarities from an earlier index at `path`.
    pub(super) fn entries_before(path: &Path, planned: &[Planned], states: &[RenderStatus]) -> Vec<RenderRecord> {
        let earlier: Option<Index> = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let earlier = earlier.map(|index| index.renders).unwrap_or_default();
        let entry = |(planned, state): (&Planned, &RenderStatus)| {
            let mut entry = RenderRecord::new(planned, *state);
            if *state == RenderStatus::Missing {
                return entry;
            }
            let folder = path.parent().unwrap_or(Path::new(""));
            (entry.steps, entry.tally) = tally(&folder.join(&entry.file)).unwrap_or_default();
            let same = |other: &&RenderRecord| {
                other.file == entry.file && other.set == entry.set && other.tally == entry.tally
            };
            if let Some(earlier) = earlier.iter().find(same) {
                entry.seconds = earlier.seconds;
                entry.similarities = earlier.similarities.clone();
            }
            entry
        };
        planned.iter().zip(states).map(entry).collect()
    }

    /// Writes the index, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_whole(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
    }
}

/// Reads the steps and the tally kept inside a picture.
fn tally(path: &Path) -> Option<(u64, Vec<TallyLine>)> {
    picture::origin(path).ok().map(|origin| (origin.facts.steps, origin.facts.tally))
}
