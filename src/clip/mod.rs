//! STAND-IN, dropped at merge.

use std::path::{Path, PathBuf};

use crate::plan::Prompt;
use crate::runtime::{Device, Runtime};

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ClipError {
    message: String,
}

impl ClipError {
    pub fn hint(&self) -> Option<&str> {
        Some("recipe-render models list")
    }
}

#[derive(Debug, Clone)]
pub struct ModelFolder {
    pub name: String,
    pub hash: String,
    pub path: PathBuf,
}

impl ModelFolder {
    pub fn find(name_or_path: &str, base: &Path) -> Result<Self, ClipError> {
        let path = base.join(name_or_path);
        if name_or_path != "pocket" && !path.is_dir() {
            return Err(ClipError { message: format!("no model `{name_or_path}`") });
        }
        let hash = blake3::hash(name_or_path.as_bytes()).to_hex().to_string();
        Ok(ModelFolder { name: name_or_path.to_owned(), hash, path })
    }
}

pub struct Encoder {
    pub device: Device,
    pub prompts: Vec<Prompt>,
}

impl Encoder {
    pub fn new(_: &Runtime, _: &ModelFolder, device: Device, _threads: usize) -> Result<Self, ClipError> {
        Ok(Encoder { device, prompts: Vec::new() })
    }

    /// Encodes the prompts; returns warnings.
    pub fn set_prompts(&mut self, _: &Runtime, prompts: &[Prompt]) -> Result<Vec<String>, ClipError> {
        if let Some(prompt) = prompts.iter().find(|prompt| prompt.text == "xyzzy") {
            return Err(ClipError { message: format!("the model knows no word of the prompt `{}`", prompt.text) });
        }
        self.prompts = prompts.to_vec();
        Ok(Vec::new())
    }
}

pub fn gradient(_model: &str, _windows: u32) -> Result<Vec<u8>, ClipError> {
    Err(ClipError { message: "a stand-in has no gradient".into() })
}

pub fn models() -> Vec<ModelFolder> {
    ModelFolder::find("pocket", Path::new("")).into_iter().collect()
}
