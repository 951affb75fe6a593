//! `recipe-render recover PICTURE`: prints the recipe that a picture was rendered from.

use std::path::{Component, Path, PathBuf};

use crate::cli::args::RecoverArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::source::picture;
use crate::cli::terminal::{Voice, voice};
use crate::output::{Origin, write_whole};
use crate::recipe::Bases;

/// The deepest folder that a recipe is written to, counted from the named folder.
const DEEPEST: usize = 32;

/// Prints the recipe on stdout, byte for byte, and on stderr what else it takes to make the picture again. With `--all` it writes
/// the recipe and its bases as files instead, and prints their paths on stdout.
pub fn run(args: &RecoverArgs, voice: &Voice) -> Outcome {
    let origin = picture::origin(&args.picture)?;
    match &args.all {
        None => {
            voice::result(origin.recipe.as_bytes())?;
            if !origin.bases.is_empty() {
                let names: Vec<&str> = origin.bases.recipes.iter().map(|base| base.path.as_str()).collect();
                let shown = args.picture.display();
                voice.note(&format!(
                    "note: it builds on {}, also stored in the picture: recipe-render recover --all FOLDER {shown}",
                    names.join(", ")
                ));
            }
        }
        Some(folder) => write(folder, &args.picture, &origin, voice)?,
    }
    let facts = &origin.facts;
    voice.detail(&format!("model {} ({}), seed {}, on {}", facts.model, facts.model_hash, facts.seed, facts.device));
    for other in facts.models.iter().skip(1) {
        voice.detail(&format!("model {} ({})", other.name, other.hash));
    }
    for edit in &facts.continued {
        let changed = if edit.changed.is_empty() { "a file it needs".to_owned() } else { edit.changed.join(", ") };
        voice.detail(&format!("edited after step {} of {}: {changed}", edit.step, edit.steps));
    }
    for remark in picture::remarks(facts) {
        voice.note(&format!("note: {remark}"));
    }
    Ok(Exit::Done)
}

/// Writes the recipe and all recipes it builds on, never over an existing file.
fn write(folder: &Path, picture: &Path, origin: &Origin, voice: &Voice) -> Result<(), Failure> {
    let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
    let (depth, bases) = places(&origin.bases);
    let recipe = below(depth).join(format!("{stem}.toml"));
    let texts = origin.bases.recipes.iter().map(|base| base.text.as_str());
    let files: Vec<(PathBuf, &str)> =
        std::iter::once((recipe.clone(), origin.recipe.as_str())).chain(bases.iter().cloned().zip(texts)).collect();
    for (index, (path, _)) in files.iter().enumerate() {
        let full = folder.join(path);
        if full.symlink_metadata().is_ok() || files[..index].iter().any(|(other, _)| other == path) {
            let message = format!("{}: already exists", full.display());
            return Err(Failure::wrong(message).hint("name another folder: existing files are never overwritten"));
        }
    }
    for (path, text) in files {
        let full = folder.join(path);
        if let Some(parent) = full.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| Failure::failed(format!("{}: {error}", parent.display())))?;
        }
        write_whole(&full, |file| file.write_all(text.as_bytes()))?;
        voice::result(format!("{}\n", full.display()).as_bytes())?;
    }
    for (base, path) in origin.bases.recipes.iter().zip(&bases) {
        if below(depth).join(&base.path) != *path && normal(&below(depth).join(&base.path)).as_ref() != Some(path) {
            let full = folder.join(path);
            voice.note(&format!("note: {} was written as {}: use that path in `extends`", base.path, full.display()));
        }
    }
    Ok(())
}

/// Returns how deep the recipe's own folder must lie so that all bases are inside the named folder, and the paths of the bases. A
/// base that cannot keep its place, with an absolute path or from a picture, goes beside the recipe.
fn places(bases: &Bases) -> (usize, Vec<PathBuf>) {
    let ups = |path: &Path| {
        let mut depth = 0_i64;
        let mut ups = 0;
        for component in path.components() {
            match component {
                Component::ParentDir => depth -= 1,
                Component::Normal(_) => depth += 1,
                _ => {}
            }
            ups = ups.max(-depth);
        }
        usize::try_from(ups).unwrap_or(0)
    };
    let possible = |path: &Path| path.is_relative() && ups(path) <= DEEPEST;
    let paths = bases.recipes.iter().map(|base| Path::new(&base.path));
    let depth = paths.clone().filter(|path| possible(path)).map(ups).max().unwrap_or(0);
    let place = |path: &Path| {
        let inside = Some(below(depth).join(path)).filter(|_| possible(path)).and_then(|path| normal(&path));
        let place = inside.unwrap_or_else(|| below(depth).join(path.file_name().unwrap_or("base.toml".as_ref())));
        match picture::is_picture_name(&place) {
            true => place.with_extension("toml"),
            false => place,
        }
    };
    (depth, paths.map(place).collect())
}

/// Returns a relative folder of the given depth.
fn below(depth: usize) -> PathBuf {
    (0..depth).map(|_| "recipe").collect()
}

/// Returns a relative path without `.` and `..`; none if it leads out of its starting folder.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Base;

    fn of(paths: &[&str]) -> (usize, Vec<PathBuf>) {
        let base = |path: &&str| Base { path: (*path).to_owned(), ..Base::default() };
        places(&Bases { extends: vec![], recipes: paths.iter().map(base).collect() })
    }

    #[test]
    fn all_recipes_stay_in_the_folder() {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(of(&["a.toml", "lib/./b.toml"]), (0, paths(&["a.toml", "lib/b.toml"])));
        assert_eq!(of(&["../a.toml", "lib/../../b/c.toml"]), (1, paths(&["a.toml", "b/c.toml"])));
        assert_eq!(of(&["../../x/a.toml", "b.toml"]), (2, paths(&["x/a.toml", "recipe/recipe/b.toml"])));
        assert_eq!(of(&["/etc/a.toml", "old/p.png", ".."]), (1, paths(&["recipe/a.toml", "recipe/old/p.toml", ""])));
        let deep = "../".repeat(1000) + "a.toml";
        assert_eq!(of(&[&deep]), (0, paths(&["a.toml"])));
    }
}
