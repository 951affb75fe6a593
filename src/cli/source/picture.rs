//! Pictures of ours in place of recipes: the recipe is inside them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::output::{self, Facts, Origin, RecoverError};

/// The signature at the start of every PNG (PNG specification, third edition, 5.2).
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Extensions of pictures that are not ours.
const FOREIGN: [&str; 10] = ["jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "jxl", "heic"];

/// Returns whether a path names a picture, not a recipe, judged by its name or by the start of the file. No recipe starts like a
/// PNG, whose first byte is not valid UTF-8.
pub(crate) fn is_picture(path: &Path) -> bool {
    let named = is_picture_name(path);
    let mut start = [0; SIGNATURE.len()];
    let mut begins = || File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok();
    named || path.is_file() && begins() && start == SIGNATURE
}

/// Returns whether a path has the extension of our pictures.
pub(crate) fn is_picture_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Returns whether an existing file has the extension of another picture format, which cannot hold a recipe.
pub(crate) fn is_foreign(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    FOREIGN.iter().any(|foreign| extension.eq_ignore_ascii_case(foreign)) && path.is_file()
}

/// Reads the recipe inside a picture, and the other facts kept with it.
pub(crate) fn origin(path: &Path) -> Result<Origin, Failure> {
    output::recover(path).map_err(|error| {
        let shown = path.display();
        let message = match &error {
            RecoverError::Unreadable(error) => format!("{shown}: {error}"),
            other => format!("{shown} {other}"),
        };
        Failure::failed(message).hinted(error.hint())
    })
}

/// Returns what must be known besides the recipe to make a picture again.
pub(crate) fn remarks(facts: &Facts) -> Vec<String> {
    let mut remarks = Vec::new();
    if !facts.overrides.is_empty() {
        remarks.push(format!("rendered with {}", facts.overrides.options()));
    }
    let position = facts.steps + facts.steps_spared;
    if position < facts.steps_planned {
        remarks.push(format!("the picture is from step {position} of {}", facts.steps_planned));
    }
    let times = match facts.continued.len() {
        0 => None,
        1 => Some("once".to_owned()),
        2 => Some("twice".to_owned()),
        many => Some(format!("{many} times")),
    };
    remarks.extend(times.map(|times| {
        format!(
            "the recipe was edited {times} while the picture grew (--watch=continue): it cannot be made again, and its last \
             recipe alone makes another picture"
        )
    }));
    if !facts.version.is_empty() && facts.version != env!("CARGO_PKG_VERSION") {
        remarks.push(format!("by recipe-render {}; this is {}", facts.version, env!("CARGO_PKG_VERSION")));
    }
    remarks
}

/// Returns how a render differs from the one that made the picture, so that a different result surprises nobody. `now` are the
/// render's facts. The first model is compared only if it is meant to be the same, the others always.
pub(crate) fn differences(facts: &Facts, same_model: bool, now: &Facts) -> Vec<String> {
    let mut differences = Vec::new();
    let another = |name: &str| format!("the picture was made with another model of the name `{name}`");
    if same_model && !facts.model_hash.is_empty() && facts.model_hash != now.model_hash {
        differences.push(another(&facts.model));
    }
    for (model, new) in facts.models.iter().zip(&now.models).skip(1) {
        if !model.hash.is_empty() && model.hash != new.hash {
            differences.push(another(&model.name));
        }
    }
    if !facts.device.is_empty() && facts.device != now.device {
        let device = &now.device;
        differences.push(format!("the picture was made on {}, this render runs on {device}", facts.device));
    }
    differences
}

/// Returns a hint at the folder that paths in a picture's recipe are relative to.
pub(crate) fn whereabouts(picture: &Path) -> String {
    let folder = picture.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = picture.display();
    format!(
        "this is the recipe inside {shown}; paths in it are relative to {}, the picture's folder; \
         `recipe-render recover {shown} > NAME.toml` makes it a file",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::UsedModel;

    #[test]
    fn pictures_are_told_by_their_beginning_or_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        assert!(is_picture(&file("renamed", b"\x89PNG\r\n\x1a\nmore")));
        assert!(is_picture(&file("empty.PNG", b"")));
        assert!(is_picture(Path::new("missing.png")));
        assert!(!is_picture(&file("a.toml", b"seed = 4\nsteps = 5")));
        assert!(!is_picture(&file("short", b"\x89PNG")));
        assert!(!is_picture(folder.path()));
    }

    #[test]
    fn differences_are_those_that_change_pixels() {
        let used = |hash: &str| UsedModel { name: "other".into(), hash: hash.into() };
        let facts = |first: &str, second: &str, device: &str| Facts {
            model_hash: first.into(),
            models: vec![used(first), used(second)],
            device: device.into(),
            ..Facts::default()
        };
        let made = facts("abc", "def", "cpu");
        assert_eq!(differences(&made, true, &made), Vec::<String>::new());
        assert_eq!(differences(&made, false, &facts("abd", "def", "cpu")), Vec::<String>::new());
        assert_eq!(differences(&made, true, &facts("abd", "def", "cuda")).len(), 2);
        assert_eq!(differences(&made, true, &facts("abc", "deg", "cpu")).len(), 1);
        assert_eq!(differences(&Facts::default(), true, &made), Vec::<String>::new());
    }
}
