//! One saved version of a recipe.

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
    /// Compiles a version. Its mistakes are also shown on the live page.
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

    /// Returns the files besides the recipe that the picture depends on: the recipes it builds on, images, masks, the models'
    /// files. A new kind of prompt that names a file must add it to [`Compiled::files`].
    pub fn files(&self) -> Vec<PathBuf> {
        // A missing model is reported when it is used. It may appear meanwhile, so its possible places are followed.
        let models = self.compiled.models.iter().flat_map(|model| match ModelFolder::find(&model.name, &model.base) {
            Ok(folder) => folder.files(),
            Err(_) => ModelFolder::places(&model.name, &model.base),
        });
        self.compiled.files.iter().cloned().chain(models).collect()
    }
}
