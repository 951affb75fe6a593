//! Checks a model's advice by itself, without a recipe.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::keys::defaults;
use crate::read::reader::Reader;
use crate::read::timeline::Timeline;
use crate::report::diagnostic::{Diagnostic, in_order};
use crate::resolve::over_time;
use crate::sources::counsel::{Adviser, Counsel};
use crate::texts::{SourceFile, Sources};

/// Returns diagnostics for the advice in a `model.toml`; `path` is for messages. Values that change over time are checked over the one
/// phase of a recipe without phases.
pub fn check_advice(path: &Path, text: &str) -> Vec<Diagnostic> {
    let sources = Sources::of(SourceFile::new(path, text));
    let adviser = Adviser { name: String::new(), base: PathBuf::new(), text: Some((sources.main().clone(), 0)) };
    let advisers = [adviser];
    let counsel = Counsel::read(&advisers);
    let mut reader = Reader::new(&sources);
    reader.advise(&counsel);
    let steps = defaults::value("phase", "steps").and_then(|value| match value {
        DeValue::Integer(integer) => integer.as_str().parse().ok(),
        _ => None,
    });
    over_time::check(&mut reader, &Timeline::new([(0, steps.unwrap_or(1))]), |_| "phase 1".to_owned());
    in_order(reader.diagnostics, &sources)
}
