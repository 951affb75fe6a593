//! `--serve`: the live page of this process, notified of what is read and rendered.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::jobs::{Job, identity};
use crate::cli::args::RenderArgs;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Voice, interrupt};
use crate::output::{Facts, WriteError};
use crate::plan::Plan;
use crate::preview::{Activity, Gate, Hub, Notice, Recipe, Render, Reporter, Server, Speed};
use crate::recipe::{Diagnostic, Finding};
use crate::render::{Progress, Rendered};

use crate::cli::source::Source;

/// How long the pages have to fetch the last picture at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The live page, if one is wanted. Dropping it ends the page.
pub(crate) struct Live {
    hub: Option<Arc<Hub>>,
}

impl Live {
    /// Starts the server if the command line asks for it, and prints the link. A port that is not given is derived from `path`,
    /// the recipe or the first of several.
    pub(crate) fn start(args: &RenderArgs, path: &Path, voice: &Voice) -> Result<Self, Failure> {
        if !args.page() {
            return Ok(Live { hub: None });
        }
        let hub = Hub::new();
        let address = args.serve.unwrap_or_default();
        let recipe = identity(path);
        let server = Server::start(hub.clone(), address, recipe.as_os_str().as_encoded_bytes())
            .map_err(|error| Failure::failed(&error).hinted(error.hint()))?;
        // A user who asked for the page needs the link, even with `--quiet`.
        voice.rendered(&format!("live page: {}", server.link()));
        if !address.is_loopback() {
            voice.warning(&format!(
                "--serve {address}: anyone who has this link and can reach this machine can watch and steer the render"
            ));
        }
        if args.open
            && let Err(error) = open::that_detached(server.link())
        {
            voice.warning(&format!("--open: no browser could be opened: {error}"));
        }
        let paused = Arc::downgrade(&hub);
        interrupt::on_request(move || {
            if let Some(hub) = paused.upgrade() {
                hub.wake();
            }
        });
        Ok(Live { hub: Some(hub) })
    }

    /// Wakes a paused render, so that it checks whether it is still wanted.
    pub(crate) fn wake(&self) {
        if let Some(hub) = &self.hub {
            hub.wake();
        }
    }

    /// Shows a recipe that was read and can be rendered.
    pub(crate) fn recipe(&self, source: &Source, warnings: &[Diagnostic]) {
        let Some(hub) = &self.hub else { return };
        let name = source.path.display().to_string();
        let findings = warnings.iter().map(Finding::of).collect();
        hub.recipe(Recipe { name, text: source.text.clone(), findings });
    }

    /// Shows a recipe with mistakes. A render under way goes on.
    pub(crate) fn wrong(&self, job: &Job, text: String, failure: &Failure) {
        let Some(hub) = &self.hub else { return };
        hub.recipe(Recipe { name: job.recipe.display().to_string(), text, findings: failure.findings.clone() });
        if failure.findings.is_empty() {
            hub.notice(trouble(failure));
        }
        hub.fail();
    }

    /// Shows that a render could not begin, or ended without a picture.
    pub(crate) fn failed(&self, failure: &Failure) {
        let Some(hub) = &self.hub else { return };
        match failure.findings.is_empty() {
            true => hub.notice(trouble(failure)),
            false => hub.find(failure.findings.clone()),
        }
        hub.activity(Activity::Failed);
    }

    /// Begins to show a render.
    pub(crate) fn begin(&self, plan: &Plan, job: &Job, facts: &Facts) -> Page {
        let reporter = self.hub.as_ref().map(|hub| {
            let render = Render {
                recipe: job.name(),
                output: job.output.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                model: facts.all_models(),
                device: facts.device.clone(),
                ..Render::of(plan)
            };
            Reporter::begin(hub.clone(), plan, render)
        });
        Page { hub: self.hub.clone(), reporter }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(hub) = &self.hub {
            hub.farewell(FAREWELL);
        }
    }
}

fn trouble(failure: &Failure) -> Notice {
    let message = anstream::adapter::strip_str(&failure.message).to_string();
    Notice::Trouble { message, hint: failure.hint.clone() }
}

/// One render on the live page. Without a live page its methods do nothing.
pub(crate) struct Page {
    hub: Option<Arc<Hub>>,
    reporter: Option<Reporter>,
}

impl Page {
    /// Reports a finished step.
    pub(crate) fn step(&self, progress: &mut Progress<'_>, speed: impl FnOnce(&Progress<'_>) -> Speed) {
        if let Some(reporter) = &self.reporter {
            reporter.step(progress, speed(progress));
        }
    }

    /// Returns what the pages want the render to do before its next step; see [`Hub::gate`].
    pub(crate) fn gate(&self) -> Gate {
        self.hub.as_ref().map_or(Gate::Go, |hub| hub.gate())
    }

    /// Shows the current picture.
    pub(crate) fn show(&self, progress: &mut Progress<'_>) {
        if let Some(reporter) = &self.reporter {
            reporter.show(progress);
        }
    }

    /// Returns a callback that reports that the picture of this step was written, or could not be.
    pub(crate) fn saved(&self, step: u64) -> impl FnOnce(&Path, Result<(), &WriteError>) + Send + 'static {
        let hub = self.hub.clone();
        move |path, written| {
            let Some(hub) = hub else { return };
            match written {
                Ok(()) => hub.saved(path, step),
                Err(error) => hub.notice(trouble(&Failure::failed(error).hinted(error.hint()))),
            }
        }
    }

    /// Reports the end of the render, once its picture is on disk.
    pub(crate) fn end(&self, rendered: &Rendered, output: &Path) {
        let (Some(hub), Some(reporter)) = (&self.hub, &self.reporter) else { return };
        let activity = if rendered.stopped { Activity::Stopped } else { Activity::Finished };
        reporter.end(&rendered.picture(), rendered.position, activity);
        hub.saved(output, rendered.position);
    }
}
