//! Where we keep what can be had again: libraries, encoded prompts.

use std::{ffi::OsString, path::PathBuf};

use etcetera::BaseStrategy;

use super::RuntimeError;

/// The environment variable that names our cache.
pub const CACHE_VARIABLE: &str = "RECIPE_RENDER_CACHE";

/// Our folder in the user's cache: `RECIPE_RENDER_CACHE` if set, else `recipe-render` in `XDG_CACHE_HOME`,
/// `~/.cache` or what the system has in its place. It need not exist yet.
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

/// Where our copies of onnxruntime are, one folder each.
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
