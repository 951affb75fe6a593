//! `recipe-render models remove`: deletes models that were imported or fetched.

use std::path::Path;

use crate::cli::args::models::RemoveArgs;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::terminal::Voice;
use crate::clip::ModelFolder;
use crate::models::{check_own, models_folder, remove_own};
use crate::ours;

/// Removes models by name. All names are checked before anything is deleted.
pub(super) fn run(args: &RemoveArgs, voice: &Voice) -> Outcome {
    let folder = models_folder()?;
    let places = args.names.iter().map(|name| place(&folder, name)).collect::<Result<Vec<_>, _>>()?;
    for (name, place) in args.names.iter().zip(places) {
        let failed = |error: std::io::Error| Failure::failed(format!("{}: not removed: {error}", place.display()));
        remove_own(&place).map_err(failed)?;
        match ours::left_in(&place) {
            Some(left) => voice.note(&format!("removed the model {name}; {left}")),
            None => voice.note(&format!("removed {}", place.display())),
        }
    }
    Ok(Exit::Done)
}

/// Returns the folder of a model, or fails if the model may not be removed.
fn place(folder: &Path, name: &str) -> Result<std::path::PathBuf, Failure> {
    let plain = Path::new(name).components().count() == 1 && !name.starts_with('.');
    let place = folder.join(name);
    if plain && place.join("model.toml").is_file() {
        check_own(&place)?;
        return Ok(place);
    }
    match ModelFolder::named(name) {
        Ok(model) if model.folder().is_none() => {
            Err(Failure::wrong(format!("`{name}` is part of the program and cannot be removed")))
        }
        Ok(model) => {
            let place = model.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
            Err(Failure::wrong(format!("`{name}` was not imported: it is in {place}"))
                .hint("delete that folder yourself"))
        }
        Err(error) => {
            let failure = Failure::wrong(&error);
            Err(failure.hint(format!(
                "only models in {} can be removed; `recipe-render models list` lists them",
                folder.display()
            )))
        }
    }
}
