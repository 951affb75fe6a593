//! Decides which model folders, and which files in them, belong to this program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ModelsError;
use crate::clip::Description;
use crate::ours;

/// The files that an import writes, with the one that makes a folder a model first.
const FILES: [&str; 7] =
    ["model.toml", "image.onnx", "image.onnx.data", "text.onnx", "text.onnx.data", "tokenizer.json", "labels.txt"];

/// Checks that a path is a folder and not a link, whose contents would lie elsewhere.
///
/// # Errors
/// If it is not; with a hint about what to do.
pub(super) fn check_folder(folder: &Path) -> Result<(), ModelsError> {
    if ours::is_folder(folder) { Ok(()) } else { Err(foreign(folder, "is not a folder of this program")) }
}

fn foreign(folder: &Path, what: &str) -> ModelsError {
    ModelsError::wrong(format!("{} {what}: it is left alone", folder.display()))
        .hinted("move it away or delete it yourself, or give another name")
}

/// Checks that a folder may be removed or replaced: it is not a link, and contains a model that was imported or fetched.
///
/// # Errors
/// If it may not; with a hint about what to do.
pub fn check_own(folder: &Path) -> Result<(), ModelsError> {
    check_folder(folder)?;
    let written = fs::read_to_string(folder.join(FILES[0])).ok().filter(|_| ours::is_file(&folder.join(FILES[0])));
    let described = written.as_deref().and_then(|text| Description::parse(text).ok());
    if described.is_none_or(|description| description.source.is_none()) {
        return Err(foreign(folder, "is not a model that was imported or fetched"));
    }
    match FILES.iter().find(|name| !ours::is_free(&folder.join(name)) && !ours::is_file(&folder.join(name))) {
        Some(name) => Err(foreign(folder, &format!("has a {name} that this program did not write"))),
        None => Ok(()),
    }
}

/// Removes our files from a model's folder, and the folder if nothing else is in it. A half-removed folder is no longer a
/// model.
///
/// # Errors
/// If a file cannot be removed.
pub fn remove_own(folder: &Path) -> io::Result<()> {
    for path in FILES.iter().map(|name| folder.join(name)).filter(|path| ours::is_file(path)) {
        fs::remove_file(path)?;
    }
    ours::remove_empty(folder);
    Ok(())
}

/// Moves files that are not ours from a model's old folder to the one that replaces it, and removes the old one if it is then
/// empty. If something cannot be moved, it stays there, and the old folder is returned.
pub(super) fn hand_on(old: &Path, new: &Path) -> Option<PathBuf> {
    for entry in fs::read_dir(old).into_iter().flatten().flatten() {
        let to = new.join(entry.file_name());
        let own = entry.file_name().to_str().is_some_and(|name| FILES.contains(&name));
        if !own && ours::is_free(&to) {
            // A file that stays is reported below.
            let _ = fs::rename(entry.path(), to);
        }
    }
    let _ = remove_own(old);
    (!ours::is_free(old)).then(|| old.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "name = \"a\"\n[image]\nfile = \"image.onnx\"\nsize = 4\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\n[labels]\nfile = \"labels.txt\"\n";
    const SOURCE: &str = "[source]\nfrom = \"x\"\n[source.files]\n";

    fn model(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("a");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("model.toml"), text).unwrap();
        fs::write(path.join("image.onnx"), "").unwrap();
        path
    }

    #[test]
    fn only_what_was_imported_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = model(folder.path(), &format!("{OURS}{SOURCE}"));
        check_own(&path).unwrap();
        fs::create_dir(path.join("text.onnx")).unwrap();
        assert!(check_own(&path).unwrap_err().to_string().contains("text.onnx"));
        fs::remove_dir(path.join("text.onnx")).unwrap();
        model(folder.path(), OURS);
        assert!(check_own(&path).unwrap_err().to_string().contains("imported"), "made by hand");
        model(folder.path(), "notes");
        assert!(check_own(&path).is_err());
        assert!(check_own(&folder.path().join("missing")).is_err());
        #[cfg(unix)]
        {
            let path = model(folder.path(), &format!("{OURS}{SOURCE}"));
            std::os::unix::fs::symlink(&path, folder.path().join("link")).unwrap();
            assert!(check_own(&folder.path().join("link")).is_err());
        }
    }

    #[test]
    fn what_is_not_ours_outlives_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let path = model(folder.path(), &format!("{OURS}{SOURCE}"));
        fs::write(path.join("notes.txt"), "x").unwrap();
        fs::create_dir(path.join("photos")).unwrap();
        let new = folder.path().join("new");
        fs::create_dir(&new).unwrap();
        fs::write(new.join("image.onnx"), "new").unwrap();
        assert_eq!(hand_on(&path, &new), None);
        assert!(new.join("notes.txt").is_file() && new.join("photos").is_dir() && !path.exists());
        assert_eq!(fs::read(new.join("image.onnx")).unwrap(), b"new");
        remove_own(&new).unwrap();
        assert!(new.join("notes.txt").is_file() && !new.join("image.onnx").exists());
        // If the name is taken, the file stays.
        let path = model(folder.path(), OURS);
        fs::write(path.join("notes.txt"), "y").unwrap();
        assert_eq!(hand_on(&path, &new), Some(path.clone()));
        assert_eq!(fs::read(path.join("notes.txt")).unwrap(), b"y");
        assert!(!path.join("model.toml").exists());
    }
}
