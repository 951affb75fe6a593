//! The outcome of a command: an exit code, and for a failure what to tell the user.

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

/// The process's exit code. With several recipes, the greatest one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for is done.
    Done = 0,
    /// Something failed through no fault of the recipe or the command line.
    Failed = 1,
    /// The recipe or the command line is wrong.
    Wrong = 2,
    /// Ctrl-C or a termination signal: 128 + SIGINT, the convention of shells.
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
    /// One sentence without a full stop, or finished text if `rendered` is set.
    pub message: String,
    /// A suggestion for the user.
    pub hint: Option<String>,
    /// Whether the message is a finished report (diagnostics with their source lines), to be printed verbatim.
    pub rendered: bool,
    /// The individual findings of the report, for programs; empty if the failure is not about a recipe's text.
    pub findings: Vec<Finding>,
    /// The known files besides itself that a recipe depends on: a change of one may fix the failure.
    pub files: Vec<PathBuf>,
}

/// The outcome of a command.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// Creates a failure of the environment: exit code 1.
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

    /// Creates a failure of the recipe or the command line: exit code 2.
    pub fn wrong(message: impl Display) -> Self {
        Failure { exit: Exit::Wrong, ..Failure::failed(message) }
    }

    /// Creates a failure from a recipe's diagnostics: exit code 2.
    pub fn diagnostics(diagnostics: &[Diagnostic]) -> Self {
        let findings = diagnostics.iter().map(Finding::of).collect();
        Failure { rendered: true, findings, ..Failure::wrong(render_diagnostics(diagnostics)) }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Adds a hint, if there is one.
    #[must_use]
    pub fn hinted(self, hint: Option<impl Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// The recipe or the command line names the model and the prompts, so most errors are its mistakes.
impl From<ClipError> for Failure {
    fn from(error: ClipError) -> Self {
        match error {
            ClipError::Runtime(error) => error.into(),
            error @ ClipError::Memory { .. } => Failure::failed(&error).hinted(model_hint(&error)),
            error => Failure::wrong(&error).hinted(model_hint(&error)),
        }
    }
}

/// Returns a hint for an error. For a missing model it says whether the model can be fetched.
pub(crate) fn model_hint(error: &ClipError) -> Option<String> {
    let ClipError::Unknown { name, .. } = error else { return error.hint() };
    if let Some(hint) = path_hint(name) {
        return Some(hint);
    }
    // The commands that use the table report a user's own table that cannot be read.
    let table = Table::load().ok()?;
    match table.models.iter().any(|entry| entry.name == *name) {
        true => Some(format!("it is available: recipe-render models fetch {name}")),
        false => error.hint(),
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        Failure::failed(error.message()).hinted(error.hint())
    }
}

/// The command line names the examples, the file and the model, so most errors are its mistakes.
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
