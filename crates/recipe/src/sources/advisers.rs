//! Finds the models that a recipe names, whose advice it may need.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::given::Overrides;
use crate::keys::defaults;
use crate::keys::{COMPOSITION, DETAIL, RECIPE};
use crate::sources::counsel::{Adviser, Counsel, said};
use crate::sources::extends::Family;
use crate::sources::set;
use crate::texts::SourceFile;

/// Returns the path and the text of a model's `model.toml`, given the model's name or folder and the folder that a path is relative to;
/// none if there is no such model, or nothing to read. Errors in the file outside its advice are reported elsewhere.
pub type Advise<'o> = &'o dyn Fn(&str, &Path) -> Option<(PathBuf, String)>;

/// Gives no advice for any model.
pub fn no_advice(_: &str, _: &Path) -> Option<(PathBuf, String)> {
    None
}

/// Finds the models whose advice a recipe may need and adds their texts to the sources. `starts` are those of the settings' texts.
pub(crate) fn look_up(
    family: &mut Family,
    overrides: &Overrides,
    starts: &[usize],
    advise: Advise<'_>,
) -> Vec<Adviser> {
    let mut advisers: Vec<Adviser> = Vec::new();
    for (name, base) in named(family, overrides, starts) {
        if advisers.iter().any(|known| known.is(&name, &base)) {
            continue;
        }
        let found = advise(&name, &base).map(|(path, text)| {
            let mut texts = advisers.iter().filter_map(|other| other.text.clone());
            let same = texts.find(|(file, _)| file.path == path && file.text == text);
            same.unwrap_or_else(|| {
                let file = SourceFile::new(&path, text);
                let start = family.sources.add(file.clone(), path.parent().unwrap_or(Path::new("")).to_path_buf());
                (file, start)
            })
        });
        advisers.push(Adviser { name, base, text: found });
    }
    advisers
}

/// Returns the models that a recipe names, with the folders that their paths are relative to: its own model first; of an ensemble only
/// the first. Errors in the recipe are reported later.
fn named(family: &Family, overrides: &Overrides, starts: &[usize]) -> Vec<(String, PathBuf)> {
    let mut document = family.merged(&mut Vec::new());
    set::apply(&mut document, &overrides.set, starts, &family.sources, &Counsel::default());
    let said = |table: &DeTable<'_>| said(table, &family.sources).map(|(name, base)| (name, base.to_path_buf()));
    let own = overrides.model.clone().map(|name| (name, PathBuf::new())).or_else(|| said(&document));
    let default = || {
        let name = defaults::value(RECIPE.name, "model")?.as_str()?.to_owned();
        Some((name, family.sources.folder(0).to_path_buf()))
    };
    let targets =
        [COMPOSITION.name, DETAIL.name].into_iter().filter_map(|kind| document.get(kind)?.get_ref().as_array());
    let targets = targets.flat_map(|targets| targets.iter().filter_map(|target| said(target.get_ref().as_table()?)));
    own.or_else(default).into_iter().chain(targets).collect()
}
