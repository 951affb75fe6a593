//! The thread that is notified of saved files, and compiles them while another version is being rendered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::desk::{Desk, Offer};
use super::edit::described;
use super::edition::Edition;
use crate::cli::args::RenderArgs;
use crate::cli::failure::Failure;
use crate::cli::job::live::Live;
use crate::cli::job::{Job, identity, jobs_of};
use crate::cli::terminal::Voice;
use crate::output::is_snapshot_of;
use crate::watch::{News, Version, Watch};

pub(super) struct Reader<'a> {
    pub args: &'a RenderArgs,
    pub voice: &'a Voice,
    pub live: &'a Live,
    pub desk: &'a Desk<'a>,
    pub watch: Watch,
}

impl Reader<'_> {
    /// Begins to follow a recipe and queues its first version. `found`: it is followed because its folder is.
    pub fn begin(&mut self, job: Job, version: Version, found: bool) -> Result<(), Failure> {
        self.desk.add(job.clone(), found);
        match Edition::read(self.args, self.voice, self.live, &job, &version) {
            Ok(edition) => {
                self.follow(&job.recipe, &edition.files())?;
                self.desk.begin(Arc::new(edition), &job.recipe);
            }
            Err(failure) => self.wrong(&job.recipe, &failure)?,
        }
        Ok(())
    }

    /// Handles news until the watch ends.
    pub fn run(mut self) {
        while let Some(news) = self.watch.next() {
            let heeded = match news {
                News::Saved { recipe, version, files } => self.saved(&recipe, version, &files),
                News::Gone { recipe } => {
                    self.desk.gone(&recipe);
                    Ok(())
                }
            };
            if let Err(failure) = heeded {
                self.voice.failure(&failure);
            }
        }
        self.desk.close();
    }

    fn saved(&mut self, recipe: &Path, version: Version, files: &[PathBuf]) -> Result<(), Failure> {
        let Some(known) = self.desk.known(recipe) else { return self.appeared(recipe, version) };
        if self.desk.is_back(recipe, &version) {
            // A live page may still show the mistake in between.
            if let Some(edition) = &known.edition {
                self.live.recipe(&edition.source, &edition.compiled.warnings);
                self.follow(recipe, &edition.files())?;
            }
            return Ok(());
        }
        let edition = match Edition::read(self.args, self.voice, self.live, &known.job, &version) {
            Ok(edition) => Arc::new(edition),
            Err(failure) => return self.wrong(recipe, &failure),
        };
        self.live.recipe(&edition.source, &edition.compiled.warnings);
        self.follow(recipe, &edition.files())?;
        let what = described(known.edition.as_deref(), &edition, files);
        let what = if what.is_empty() { recipe.display().to_string() } else { what };
        let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
        // With several recipes it is not always clear which one a file belongs to.
        let whose = match self.desk.several && !files.iter().any(|file| file == recipe) {
            true => format!(", of {}", recipe.display()),
            false => String::new(),
        };
        self.voice.note(&format!("edit at {time}: {what}{whose}"));
        self.desk.offer(Offer { recipe, edition });
        Ok(())
    }

    /// Begins to follow a recipe that has appeared in a folder.
    fn appeared(&mut self, recipe: &Path, version: Version) -> Result<(), Failure> {
        let recipes: Vec<PathBuf> = self.desk.recipes().into_iter().chain([recipe.to_path_buf()]).collect();
        let job = jobs_of(self.args, &recipes, true)?.pop();
        let job = job.ok_or_else(|| Failure::failed("no recipe"))?;
        self.voice.note(&format!("{} is new", recipe.display()));
        self.begin(job, version, true)
    }

    /// Reports a mistake, and follows the files in which it may be corrected.
    fn wrong(&mut self, recipe: &Path, failure: &Failure) -> Result<(), Failure> {
        self.voice.failure(failure);
        self.desk.wrong(recipe);
        let known = self.desk.known(recipe).and_then(|known| known.edition);
        let files = known.map(|edition| edition.files()).unwrap_or_default();
        self.follow(recipe, &[files, failure.files.clone()].concat())
    }

    /// Follows the files of a recipe, except for the pictures that we write, even if a recipe needs them.
    fn follow(&mut self, recipe: &Path, files: &[PathBuf]) -> Result<(), Failure> {
        let outputs = self.desk.outputs();
        let own = |file: &PathBuf| {
            let file = identity(file);
            outputs.iter().any(|output| file == *output || is_snapshot_of(output, &file))
        };
        let files: Vec<PathBuf> = files.iter().filter(|file| !own(file)).cloned().collect();
        self.watch.follow(recipe, &files).map_err(Failure::from)
    }
}
