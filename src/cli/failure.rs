//! What a command ends in: an exit code, and for a failure what to tell the user.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::clip::ClipError;
use crate::direction::DirectionError;
use crate::models::ModelsError;
use crate::models::fetch::Table;
use crate::output::WriteError;
use crate::perceptor::PerceptorError;
use crate::recipe::{Diagnostic, Finding, path_hint, render_diagnostics};
use crate::runtime::RuntimeError;
use crate::watch::WatchError;

/// The process's exit code. Of several recipes' the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for is done.
    Done = 0,
    /// Something failed that neither recipe nor command line is to blame for.
    Failed = 1,
    /// The recipe or the command line is wrong.
    Wrong = 2,
    /// Ctrl-C or a termination signal: 128 + SIGINT, as shells say it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    /// One sentence without a full stop; or, where `rendered` says so, finished text.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
    /// The message is a finished report (diagnostics with their source lines), to be printed as it is.
    pub rendered: bool,
    /// What the report is about, one by one, for programs; empty where the failure is about no text.
    pub findings: Vec<Finding>,
    /// The files that a recipe depends on besides itself, as far as they are known: a change of one may mend it.
    pub files: Vec<PathBuf>,
}

/// What a command ends in.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure of the surroundings: exit code 1.
    pub fn failed(message: impl Display) -> Self {
        Failure {
            exit: Exit::Failed,
            message: message.to_string(),
            hint: None,
            rendered: false,
            findings: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A wrong recipe or command line: exit code 2.
    pub fn wrong(message: impl Display) -> Self {
        Failure { exit: Exit::Wrong, ..Failure::failed(message) }
    }

    /// What is wrong with a recipe: exit code 2.
    pub fn diagnostics(diagnostics: &[Diagnostic]) -> Self {
        let findings = diagnostics.iter().map(Finding::of).collect();
        Failure { rendered: true, findings, ..Failure::wrong(render_diagnostics(diagnostics)) }
    }

    /// The failure with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The failure with a hint, if there is one.
    #[must_use]
    pub fn hinted(self, hint: Option<impl Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// The model or a prompt is named in the recipe or on the command line: those are wrong.
impl From<ClipError> for Failure {
    fn from(error: ClipError) -> Self {
        match error {
            ClipError::Runtime(error) => error.into(),
            error @ ClipError::Memory { .. } => Failure::failed(&error).hinted(model_hint(&error)),
            error => Failure::wrong(&error).hinted(model_hint(&error)),
        }
    }
}

/// What would help: of a model that is not here, whether it can be fetched.
pub(crate) fn model_hint(error: &ClipError) -> Option<String> {
    let ClipError::Unknown { name, .. } = error else { return error.hint() };
    if let Some(hint) = path_hint(name) {
        return Some(hint);
    }
    // A table of one's own that cannot be read is told by the commands that are about it.
    let table = Table::load().ok()?;
    match table.models.iter().any(|entry| entry.name == *name) {
        true => Some(format!("it can be had: recipe-render models fetch {name}")),
        false => error.hint(),
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Failure::failed(error.message()).hinted(error.hint())
    }
}

/// The examples, the file or the model are named on the command line: those are wrong.
impl From<DirectionError> for Failure {
    fn from(error: DirectionError) -> Self {
        match error {
            DirectionError::Clip(error) => error.into(),
            error @ DirectionError::Diverged { .. } => Failure::failed(error),
            error => Failure::wrong(&error).hinted(error.hint()),
        }
    }
}

impl From<PerceptorError> for Failure {
    fn from(error: PerceptorError) -> Self {
        match error {
            PerceptorError::Clip(error) => error.into(),
            PerceptorError::Direction(error) => error.into(),
            error @ (PerceptorError::NoClass { .. } | PerceptorError::Lengths { .. }) => Failure::wrong(error),
        }
    }
}

impl From<ModelsError> for Failure {
    fn from(error: ModelsError) -> Self {
        let hint = error.hint();
        match error {
            ModelsError::Clip(error) => error.into(),
            ModelsError::Wrong { message, .. } => Failure::wrong(message).hinted(hint),
            ModelsError::Failed { message, .. } => Failure::failed(message).hinted(hint),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure::failed(&error).hinted(error.hint())
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        let wrong = matches!(error, WatchError::Unreadable { .. });
        let failure = if wrong { Failure::wrong(&error) } else { Failure::failed(&error) };
        failure.hinted(error.hint())
    }
}
