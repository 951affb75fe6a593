//! A recipe as it was saved once.

use std::path::PathBuf;

use crate::cli::args::RenderArgs;
use crate::cli::failure::Failure;
use crate::cli::job::Job;
use crate::cli::job::live::Live;
use crate::cli::source::{Source, overrides};
use crate::cli::terminal::Voice;
use crate::clip::ModelFolder;
use crate::recipe::{Compiled, Overrides};
use crate::watch::Version;

/// A version of a recipe that can be rendered.
pub(super) struct Edition {
    pub version: Version,
    pub source: Source,
    pub overrides: Overrides,
    pub compiled: Compiled,
}

impl Edition {
    /// What is wrong with a version is also shown on the live page.
    pub fn read(
        args: &RenderArgs,
        voice: &Voice,
        live: &Live,
        job: &Job,
        version: &Version,
    ) -> Result<Edition, Failure> {
        let compiled = || {
            let source = Source::from_bytes(&job.recipe, version.recipe.clone())?;
            let overrides = overrides(&args.instead, &source)?;
            let compiled = source.compile(&overrides, voice)?;
            Ok((source, overrides, compiled))
        };
        let (source, overrides, compiled) = compiled().inspect_err(|failure| {
            let text = String::from_utf8_lossy(&version.recipe).into_owned();
            live.wrong(job, text, failure);
        })?;
        Ok(Edition { version: version.clone(), source, overrides, compiled })
    }

    /// The files that the picture depends on besides the recipe: what it builds on, images, masks, the models' files. A kind of
    /// prompt that is a file of its own has its place in [`Compiled::files`].
    pub fn files(&self) -> Vec<PathBuf> {
        // A model that is not there is told when it is to be used. It may come.
        let models = self.compiled.models.iter().flat_map(|model| match ModelFolder::find(&model.name, &model.base) {
            Ok(folder) => folder.files(),
            Err(_) => ModelFolder::places(&model.name, &model.base),
        });
        self.compiled.files.iter().cloned().chain(models).collect()
    }
}
