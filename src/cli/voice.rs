//! How the program talks: results on stdout, everything else on stderr, in colour where the terminal wants it.

use std::io::{self, Write};
use std::sync::Mutex;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;

use super::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const DETAIL: Style = Style::new().dimmed();

/// The bar on the terminal, if one is drawn: lines are printed above it, not into it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How much the user wants to hear.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    quiet: bool,
    verbose: bool,
}

impl Voice {
    /// `quiet` drops notes and progress, `verbose` adds details.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        Voice { quiet, verbose }
    }

    /// Neither notes nor progress are wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Details are wanted.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// `error: message`, and the hint on a line of its own.
    pub fn failure(&self, failure: &Failure) {
        if failure.rendered {
            line(failure.message.trim_end());
        } else {
            line(&format!("{ERROR}error{ERROR:#}: {}", failure.message));
        }
        if let Some(hint) = &failure.hint {
            line(&format!("  {HINT}hint{HINT:#}: {hint}"));
        }
    }

    /// Something that does not stop the work but that the user should know.
    pub fn warning(&self, message: &str) {
        line(&format!("{WARNING}warning{WARNING:#}: {message}"));
    }

    /// Finished text (rendered warnings of a recipe), printed as it is.
    pub fn rendered(&self, text: &str) {
        if !text.trim().is_empty() {
            line(text.trim_end());
        }
    }

    /// A line for everybody who did not ask for quiet.
    pub fn note(&self, message: &str) {
        if !self.quiet {
            line(message);
        }
    }

    /// A line for those who asked for more.
    pub fn detail(&self, message: &str) {
        if self.verbose {
            line(&format!("{DETAIL}{message}{DETAIL:#}"));
        }
    }
}

/// Prints one line (or several) on stderr, above the bar if there is one. A closed stderr is nobody's business.
fn line(text: &str) {
    let print = || {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    };
    let bar = BAR.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Tells the voice of the bar on the terminal, or that it is gone.
pub(super) fn set_bar(bar: Option<ProgressBar>) {
    *BAR.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = bar;
}

/// Writes a result to stdout, byte for byte. A reader that has gone away (`| head`) is no failure.
pub(super) fn result(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
