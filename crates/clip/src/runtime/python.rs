//! Finds onnxruntime in the active Python environment by its folders alone, because starting Python would take longer
//! than the rest of our start.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Returns the folders with the `onnxruntime` package's libraries, the most specific environment first.
pub(super) fn library_folders() -> Vec<PathBuf> {
    let mut prefixes: Vec<PathBuf> = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .iter()
        .filter_map(env::var_os)
        .filter(|prefix| !prefix.is_empty())
        .map(PathBuf::from)
        .collect();
    prefixes.extend(python_on_path());
    if let Ok(home) = etcetera::home_dir() {
        // Where `pip install --user` puts packages.
        prefixes.push(home.join(".local"));
    }
    let mut folders = Vec::new();
    for folder in prefixes.iter().flat_map(|prefix| package_folders(prefix)) {
        let folder = folder.join("onnxruntime").join("capi");
        // The real path, because `lib64` is often a link to `lib`.
        if let Ok(folder) = folder.canonicalize()
            && folder.is_dir()
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    folders
}

/// Returns the prefix of the first Python on `PATH` (`/usr` for `/usr/bin/python3`). Does not follow links, because a
/// virtual environment's Python is a link to the one it was made from.
fn python_on_path() -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["python.exe", "python3.exe"] } else { &["python3", "python"] };
    let folder =
        env::split_paths(&env::var_os("PATH")?).find(|folder| names.iter().any(|name| folder.join(name).is_file()))?;
    if cfg!(windows) {
        // An installed Python is in the prefix itself, that of a virtual environment in its folder Scripts.
        let in_scripts = folder.file_name().is_some_and(|name| name.eq_ignore_ascii_case("Scripts"));
        return if in_scripts { folder.parent().map(Path::to_owned) } else { Some(folder) };
    }
    folder.parent().map(Path::to_owned)
}

/// Returns the folders of an environment into which packages are installed.
fn package_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib").join("site-packages")];
    for library in ["lib", "lib64", "local/lib"] {
        let library = prefix.join(library);
        let mut versions: Vec<PathBuf> = fs::read_dir(&library)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("python3")))
            .collect();
        versions.sort();
        for version in versions.iter().rev() {
            folders.push(version.join("site-packages"));
            folders.push(version.join("dist-packages"));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_s_package_folders_are_found_without_python() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path().join("lib/python3.12/site-packages");
        fs::create_dir_all(&packages).unwrap();
        assert!(package_folders(folder.path()).contains(&packages));
    }
}
