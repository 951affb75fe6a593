//! What a command ends in: an exit code, and for a failure what to tell the user.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Voice;
use crate::recipe::{Diagnostic, Finding, render_diagnostics};

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

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same with a hint if there is one.
    #[must_use]
    pub fn hinted(self, hint: Option<impl Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// Reports a failure and gives the process's exit code.
pub fn conclude(outcome: Outcome, voice: &Voice) -> ExitCode {
    let exit = outcome.unwrap_or_else(|failure| {
        voice.failure(&failure);
        failure.exit
    });
    exit.into()
}
