//! The cache folder, for data that can be obtained again: libraries, encoded prompts.

use std::{ffi::OsString, path::PathBuf};

use etcetera::BaseStrategy;

use super::RuntimeError;

/// The environment variable that names our cache.
pub const CACHE_VARIABLE: &str = "RECIPE_RENDER_CACHE";

/// Returns our folder in the user's cache: `RECIPE_RENDER_CACHE` if set, else `recipe-render` in `XDG_CACHE_HOME`,
/// `~/.cache` or the system's equivalent. The folder need not exist yet.
pub fn cache_folder() -> Result<PathBuf, RuntimeError> {
    folder_for(std::env::var_os(CACHE_VARIABLE))
}

fn folder_for(variable: Option<OsString>) -> Result<PathBuf, RuntimeError> {
    if let Some(folder) = variable.filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let base = etcetera::choose_base_strategy().map_err(|_| {
        RuntimeError::install("there is no home folder to keep a cache in", format!("set {CACHE_VARIABLE} to a folder"))
    })?;
    Ok(base.cache_dir().join("recipe-render"))
}

/// Returns the folder with our copies of onnxruntime, one subfolder for each.
pub(super) fn libraries_folder() -> Result<PathBuf, RuntimeError> {
    Ok(cache_folder()?.join("onnxruntime"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_the_cache() {
        assert_eq!(folder_for(Some("/elsewhere".into())), Ok(PathBuf::from("/elsewhere")));
        let usual = folder_for(None).unwrap();
        assert!(usual.ends_with("recipe-render"), "{}", usual.display());
        assert_eq!(folder_for(Some(OsString::new())), Ok(usual));
    }
}
